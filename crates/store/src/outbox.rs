//! Messages that wait to be carried to people, what became of each, and by what names carriers know them.
//!
//! ```text
//! waiting --taken--> accepted --receipt--> delivered
//!    | ^                 '-----receipt--> failed
//!    | '--not taken: later, or by the next carrier
//!    '--no carrier is left--> failed
//! ```

use crate::error::StoreError;
use crate::place::Place;
use crate::requests::Requests;
use crate::sql::{Clash, Connection, Row, insert, insert_one, query};
use crate::writer::Request;
use exchange::OutboxMessage;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Milliseconds that a message is kept, and messages that are kept at most: what is older helps nobody.
const CARRIED: i64 = 7 * 24 * 3_600 * 1_000;
const MESSAGES: i64 = 10_000;
/// Milliseconds that a receipt waits for the name that it speaks of, and receipts that wait at most.
const EARLY: i64 = 60_000;
const EARLY_RECEIPTS: i64 = 1_000;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// No carrier has it yet.
    Waiting,
    /// A carrier has it.
    Accepted,
    /// The carrier says that it reached the person.
    Delivered,
    /// It will not reach the person.
    Failed,
}

impl MessageState {
    const ALL: [MessageState; 4] =
        [MessageState::Waiting, MessageState::Accepted, MessageState::Delivered, MessageState::Failed];

    /// As it is kept and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            MessageState::Waiting => "waiting",
            MessageState::Accepted => "accepted",
            MessageState::Delivered => "delivered",
            MessageState::Failed => "failed",
        }
    }
}

/// A message of the outbox, as it is kept; times in milliseconds since 1970 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMessage {
    /// Names it for ever.
    pub key: String,
    /// Whom it is for.
    pub account: String,
    /// The mobile number that they had.
    pub mobile: Option<String>,
    /// When it was written.
    pub at: i64,
    /// The task that it is about.
    pub task: i64,
    /// What it says.
    pub text: String,
    /// How far it came.
    pub delivery: Delivery,
}

/// How far a message came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// What became of it.
    pub state: MessageState,
    /// Who has it, or is to be asked next; `None` for the first.
    pub carrier: Option<String>,
    /// How often that carrier was asked.
    pub tries: u32,
    /// How often any carrier was asked.
    pub attempts: u32,
    /// Not to be tried again before.
    pub next: i64,
    /// When this was written; 0 if nothing has happened yet.
    pub changed: i64,
    /// What the carrier said last, or why there is no answer; hostile text.
    pub answer: String,
}

/// What is to be kept about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageChange {
    /// A carrier was asked, and knows the message by these names, if it takes it.
    Carried {
        /// The message.
        key: String,
        /// How far it came.
        delivery: Delivery,
        /// What the carrier calls it, one name a part.
        references: Vec<String>,
    },
    /// A carrier tells what became of a part of a message; a message is delivered when all of its parts are.
    Receipt(PartReceipt),
}

/// What a carrier tells of a part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartReceipt {
    /// Who tells.
    pub carrier: String,
    /// What it calls the part.
    pub reference: String,
    /// Whether it reached the person.
    pub delivered: bool,
    /// In the carrier's words; hostile text.
    pub answer: String,
    /// When it came, in milliseconds since 1970 UTC.
    pub at: i64,
}

/// Hears whether a change was kept; `Err` says in words why not.
pub type MessageKept = Box<dyn FnOnce(Result<(), String>) + Send>;

/// The way to the messages, for what carries them.
#[derive(Clone, Debug)]
pub struct Outbox {
    requests: Requests,
    written: Arc<Notify>,
    keeps: Arc<AtomicBool>,
}

impl Outbox {
    pub(crate) fn new(requests: Requests, written: Arc<Notify>, keeps: Arc<AtomicBool>) -> Outbox {
        Outbox { requests, written, keeps }
    }

    /// Waits until messages were written since this was last waited for.
    pub async fn written(&self) {
        self.written.notified().await;
    }

    /// At most `most` messages that no carrier has, in the order of their turns, whenever that is; none while another
    /// exchange over the same database keeps what must happen once.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn waiting(&self, most: u32) -> Result<Vec<KeptMessage>, StoreError> {
        if !self.keeps.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let waiting = query("SELECT * FROM outbox WHERE state = 'waiting' ORDER BY next, at LIMIT ?");
        self.requests.place().read(waiting.bind(most), KeptMessage::of).await
    }

    /// Hands a change to the writer, without waiting; changes are written in the order in which they were handed over.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot even be queued.
    pub fn keep(&self, change: MessageChange, kept: MessageKept) -> Result<(), StoreError> {
        self.requests.hand(Request::Message(change, kept))
    }
}

/// The messages about a task, the oldest first.
pub(crate) async fn of_task(place: &Place, task: i64) -> Result<Vec<KeptMessage>, StoreError> {
    let about = query("SELECT * FROM outbox WHERE task = ? ORDER BY at, key LIMIT 1000");
    place.read(about.bind(task), KeptMessage::of).await
}

/// Writes new messages inside a transaction.
pub(crate) async fn write(
    connection: &mut Connection,
    messages: &[&OutboxMessage],
) -> Result<(), sqlx::Error> {
    let into = ("outbox", &["key", "account", "mobile", "at", "task", "text"][..]);
    insert(connection, into, Clash::Keep, messages, |row, message| {
        row.bind(&*message.key).bind(&*message.account);
        row.bind(message.mobile.as_deref()).bind(message.at.0);
        row.bind(i64::try_from(message.task).unwrap_or(i64::MAX)).bind(&*message.text);
    })
    .await?;
    if let Some(newest) = messages.iter().map(|message| message.at.0).max() {
        let old = "DELETE FROM outbox WHERE at < ?1 OR at < (SELECT at FROM outbox ORDER BY at DESC LIMIT 1 OFFSET ?2 - 1)";
        query(old).bind(newest - CARRIED).bind(MESSAGES).execute(connection).await?;
    }
    Ok(())
}

/// Writes what became of a message, inside the transaction that the connection is in.
pub(crate) async fn change(connection: &mut Connection, change: &MessageChange) -> Result<(), sqlx::Error> {
    match change {
        MessageChange::Carried { key, delivery, references } => {
            carried(connection, key, delivery, references).await?;
        }
        MessageChange::Receipt(told) => {
            if !receipt(connection, told).await? {
                early(connection, told).await?;
            }
        }
    }
    Ok(())
}

async fn carried(
    connection: &mut Connection,
    key: &str,
    delivery: &Delivery,
    references: &[String],
) -> Result<(), sqlx::Error> {
    let Delivery { state, carrier, tries, attempts, next, changed, answer } = delivery;
    let set = "UPDATE outbox SET state = ?, carrier = ?, tries = ?, attempts = ?, next = ?, changed = ?, answer = ? \
               WHERE key = ?";
    let known =
        query(set).bind(state.name()).bind(carrier.as_deref()).bind(*tries).bind(*attempts).bind(*next);
    let known = known.bind(*changed).bind(answer).bind(key).execute(connection).await?;
    let (Some(carrier), 1..) = (carrier, known) else { return Ok(()) };
    for reference in references {
        // A name that a carrier gives once more is that of the newest.
        let into = ("outbox_parts", &["carrier", "reference", "key", "delivered"][..]);
        insert_one(connection, into, Clash::Replace(2), |row| {
            row.bind(carrier).bind(reference).bind(key).bind(false);
        })
        .await?;
    }
    for reference in references {
        let take =
            "DELETE FROM outbox_early WHERE carrier = ? AND reference = ? RETURNING delivered, answer, at";
        let told = query(take).bind(carrier).bind(reference).fetch_optional(connection).await?;
        let Some(told) = told else { continue };
        let at: i64 = told.get("at")?;
        if at >= changed - EARLY {
            let (delivered, answer) = (told.get("delivered")?, told.get("answer")?);
            let (carrier, reference) = (carrier.clone(), reference.clone());
            let told = PartReceipt { carrier, reference, delivered, answer, at };
            receipt(connection, &told).await?;
        }
    }
    Ok(())
}

/// Keeps a receipt until the name that it speaks of is written.
async fn early(connection: &mut Connection, told: &PartReceipt) -> Result<(), sqlx::Error> {
    let PartReceipt { carrier, reference, delivered, answer, at } = told;
    let into = ("outbox_early", &["carrier", "reference", "delivered", "answer", "at"][..]);
    insert_one(connection, into, Clash::Replace(2), |row| {
        row.bind(carrier).bind(reference).bind(*delivered).bind(answer).bind(*at);
    })
    .await?;
    let old = "DELETE FROM outbox_early WHERE at < ?1 OR at < (SELECT at FROM outbox_early ORDER BY at DESC LIMIT 1 OFFSET ?2 - 1)";
    query(old).bind(at - EARLY).bind(EARLY_RECEIPTS).execute(connection).await?;
    Ok(())
}

/// Returns whether it speaks of a message of ours.
async fn receipt(connection: &mut Connection, told: &PartReceipt) -> Result<bool, sqlx::Error> {
    let PartReceipt { carrier, reference, delivered, answer, at } = told;
    let part = "UPDATE outbox_parts SET delivered = ? WHERE carrier = ? AND reference = ? RETURNING key";
    let part = query(part).bind(*delivered).bind(carrier).bind(reference);
    let Some(row) = part.fetch_optional(connection).await? else { return Ok(false) };
    let key: &str = row.get("key")?;
    let state = match delivered {
        false => MessageState::Failed,
        true => {
            let open =
                "SELECT count(*) AS open FROM outbox_parts WHERE key = ? AND carrier = ? AND delivered = 0";
            let row = query(open).bind(key).bind(carrier).fetch_one(connection).await?;
            if row.get::<i64>("open")? == 0 { MessageState::Delivered } else { MessageState::Accepted }
        }
    };
    // A part that is lost makes the message a failure, whatever the others come to.
    let set = "UPDATE outbox SET state = ?, answer = ?, changed = ? WHERE key = ? AND state = 'accepted'";
    query(set).bind(state.name()).bind(answer).bind(*at).bind(key).execute(connection).await?;
    Ok(true)
}

impl KeptMessage {
    fn of(row: &Row) -> Result<KeptMessage, sqlx::Error> {
        let name: &str = row.get("state")?;
        let state = MessageState::ALL.into_iter().find(|state| state.name() == name);
        Ok(KeptMessage {
            key: row.get("key")?,
            account: row.get("account")?,
            mobile: row.get("mobile")?,
            at: row.get("at")?,
            task: row.get("task")?,
            text: row.get("text")?,
            delivery: Delivery {
                // One that we do not know, as after a downgrade, is not sent again.
                state: state.unwrap_or(MessageState::Failed),
                carrier: row.get("carrier")?,
                tries: row.get("tries")?,
                attempts: row.get("attempts")?,
                next: row.get("next")?,
                changed: row.get("changed")?,
                answer: row.get("answer")?,
            },
        })
    }
}
