//! Messages that wait to be carried to people, what became of each, and by what names carriers know them.
//!
//! ```text
//! waiting --taken--> accepted --receipt--> delivered
//!    | ^                 '-----receipt--> failed
//!    | '--not taken: later, or by the next carrier
//!    '--no carrier is left--> failed
//! ```

use crate::error::StoreError;
use crate::open::options;
use crate::requests::Requests;
use crate::writer::Request;
use exchange::OutboxMessage;
use sqlx::sqlite::SqliteRow;
use sqlx::{ConnectOptions as _, Connection as _, FromRow, QueryBuilder, Row as _, Sqlite, SqliteConnection};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Notify;

/// Rows of one statement.
const ROWS: usize = 1_000;
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
}

impl Outbox {
    pub(crate) fn new(requests: Requests, written: Arc<Notify>) -> Outbox {
        Outbox { requests, written }
    }

    /// Waits until messages were written since this was last waited for.
    pub async fn written(&self) {
        self.written.notified().await;
    }

    /// At most `most` messages that no carrier has, in the order of their turns, whenever that is.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn waiting(&self, most: u32) -> Result<Vec<KeptMessage>, StoreError> {
        read(self.requests.path(), "WHERE state = 'waiting' ORDER BY next, at LIMIT ?", most.into()).await
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
pub(crate) async fn of_task(path: &Path, task: i64) -> Result<Vec<KeptMessage>, StoreError> {
    read(path, "WHERE task = ? ORDER BY at, key LIMIT 1000", task).await
}

async fn read(path: &Path, which: &'static str, bound: i64) -> Result<Vec<KeptMessage>, StoreError> {
    let read = async {
        let mut connection = options(path).read_only(true).connect().await?;
        let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM outbox ");
        query.push(which);
        query.build_query_as().bind(bound).fetch_all(&mut connection).await
    };
    read.await.map_err(|error: sqlx::Error| StoreError::new(path, error))
}

/// Writes new messages inside a transaction.
pub(crate) async fn write(
    connection: &mut SqliteConnection,
    messages: &[&OutboxMessage],
) -> Result<(), sqlx::Error> {
    for rows in messages.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT OR IGNORE INTO outbox (key, account, mobile, at, task, text) ",
        );
        query.push_values(rows, |mut row, message| {
            row.push_bind(&*message.key).push_bind(&*message.account);
            row.push_bind(message.mobile.as_deref()).push_bind(message.at.0);
            row.push_bind(i64::try_from(message.task).unwrap_or(i64::MAX)).push_bind(&*message.text);
        });
        query.build().execute(&mut *connection).await?;
    }
    if let Some(newest) = messages.iter().map(|message| message.at.0).max() {
        let old = "DELETE FROM outbox WHERE at < ?1 OR at < (SELECT at FROM outbox ORDER BY at DESC LIMIT 1 OFFSET ?2 - 1)";
        sqlx::query(old).bind(newest - CARRIED).bind(MESSAGES).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Writes what became of a message, in one transaction.
pub(crate) async fn change(
    connection: &mut SqliteConnection,
    change: &MessageChange,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    match change {
        MessageChange::Carried { key, delivery, references } => {
            carried(&mut transaction, key, delivery, references).await?;
        }
        MessageChange::Receipt(told) => {
            if !receipt(&mut transaction, told).await? {
                early(&mut transaction, told).await?;
            }
        }
    }
    transaction.commit().await
}

async fn carried(
    connection: &mut SqliteConnection,
    key: &str,
    delivery: &Delivery,
    references: &[String],
) -> Result<(), sqlx::Error> {
    let Delivery { state, carrier, tries, attempts, next, changed, answer } = delivery;
    let set = "UPDATE outbox SET state = ?, carrier = ?, tries = ?, attempts = ?, next = ?, changed = ?, answer = ? \
               WHERE key = ?";
    let query = sqlx::query(set).bind(state.name()).bind(carrier).bind(tries).bind(attempts).bind(next);
    let known = query.bind(changed).bind(answer).bind(key).execute(&mut *connection).await?.rows_affected();
    let (Some(carrier), 1..) = (carrier, known) else { return Ok(()) };
    for reference in references {
        // A name that a carrier gives once more is that of the newest.
        let put = "INSERT OR REPLACE INTO outbox_parts (carrier, reference, key) VALUES (?, ?, ?)";
        sqlx::query(put).bind(carrier).bind(reference).bind(key).execute(&mut *connection).await?;
    }
    for reference in references {
        let take =
            "DELETE FROM outbox_early WHERE carrier = ? AND reference = ? RETURNING delivered, answer, at";
        let told: Option<(bool, String, i64)> =
            sqlx::query_as(take).bind(carrier).bind(reference).fetch_optional(&mut *connection).await?;
        if let Some((delivered, answer, at)) = told.filter(|(_, _, at)| *at >= changed - EARLY) {
            let (carrier, reference) = (carrier.clone(), reference.clone());
            let told = PartReceipt { carrier, reference, delivered, answer, at };
            receipt(&mut *connection, &told).await?;
        }
    }
    Ok(())
}

/// Keeps a receipt until the name that it speaks of is written.
async fn early(connection: &mut SqliteConnection, told: &PartReceipt) -> Result<(), sqlx::Error> {
    let PartReceipt { carrier, reference, delivered, answer, at } = told;
    let put = "INSERT OR REPLACE INTO outbox_early (carrier, reference, delivered, answer, at) VALUES (?, ?, ?, ?, ?)";
    let query = sqlx::query(put).bind(carrier).bind(reference).bind(delivered).bind(answer).bind(at);
    query.execute(&mut *connection).await?;
    let old = "DELETE FROM outbox_early WHERE at < ?1 OR at < (SELECT at FROM outbox_early ORDER BY at DESC LIMIT 1 OFFSET ?2 - 1)";
    sqlx::query(old).bind(at - EARLY).bind(EARLY_RECEIPTS).execute(&mut *connection).await?;
    Ok(())
}

/// Returns whether it speaks of a message of ours.
async fn receipt(connection: &mut SqliteConnection, told: &PartReceipt) -> Result<bool, sqlx::Error> {
    let PartReceipt { carrier, reference, delivered, answer, at } = told;
    let part = "UPDATE outbox_parts SET delivered = ? WHERE carrier = ? AND reference = ? RETURNING key";
    let query = sqlx::query_scalar(part).bind(delivered).bind(carrier).bind(reference);
    let Some(key): Option<String> = query.fetch_optional(&mut *connection).await? else { return Ok(false) };
    let state = match delivered {
        false => MessageState::Failed,
        true => {
            let open = "SELECT count(*) FROM outbox_parts WHERE key = ? AND carrier = ? AND NOT delivered";
            let open: i64 =
                sqlx::query_scalar(open).bind(&key).bind(carrier).fetch_one(&mut *connection).await?;
            if open == 0 { MessageState::Delivered } else { MessageState::Accepted }
        }
    };
    // A part that is lost makes the message a failure, whatever the others come to.
    let set = "UPDATE outbox SET state = ?, answer = ?, changed = ? WHERE key = ? AND state = 'accepted'";
    sqlx::query(set).bind(state.name()).bind(answer).bind(at).bind(key).execute(&mut *connection).await?;
    Ok(true)
}

impl FromRow<'_, SqliteRow> for KeptMessage {
    fn from_row(row: &SqliteRow) -> Result<KeptMessage, sqlx::Error> {
        let name: &str = row.try_get("state")?;
        let state = MessageState::ALL.into_iter().find(|state| state.name() == name);
        Ok(KeptMessage {
            key: row.try_get("key")?,
            account: row.try_get("account")?,
            mobile: row.try_get("mobile")?,
            at: row.try_get("at")?,
            task: row.try_get("task")?,
            text: row.try_get("text")?,
            delivery: Delivery {
                // One that we do not know, as after a downgrade, is not sent again.
                state: state.unwrap_or(MessageState::Failed),
                carrier: row.try_get("carrier")?,
                tries: row.try_get("tries")?,
                attempts: row.try_get("attempts")?,
                next: row.try_get("next")?,
                changed: row.try_get("changed")?,
                answer: row.try_get("answer")?,
            },
        })
    }
}
