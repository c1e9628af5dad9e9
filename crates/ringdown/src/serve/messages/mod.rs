//! Carries the messages of the outbox to people, off the core (S2.6): at least once, and each under its key, so that a provider
//! takes it once. What is read from the store is all that there is to know; a restart goes on where the last run was.

mod http;
mod turn;

use super::core::CoreInput;
use crate::Failure;
use crate::config::{Carrier, Config};
use exchange::{Answer, Asking, Command};
use http::Provider;
use net::{HttpClient, Sender, Smpp, SmppReceipt, SmppRefusal, SmppTold};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::{Delivery, KeptMessage, MessageChange, Outbox, PartReceipt};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{self, channel};
use tokio::sync::oneshot;
use turn::{Outcome, Rules, due};

/// Messages that carriers are asked about at once.
const AT_ONCE: usize = 16;
/// Messages read at once: more than are asked about, so that others are seen behind those.
const READ: u32 = 64;
/// How soon the store is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often the outbox is looked at when nothing is heard of it.
const LOOK: Duration = Duration::from_secs(60);

/// Begins to carry messages, if anything is set that carries them.
pub(crate) fn start(
    runtime: &Runtime,
    config: &Config,
    outbox: Outbox,
    core: &Sender<CoreInput>,
) -> Result<(), Failure> {
    let _inside = runtime.enter();
    let carriers = config.messages.carriers();
    if carriers.is_empty() {
        return Ok(());
    }
    let client = HttpClient::new(&config.dns.servers.0, config.messages.http.rules());
    let lives = Duration::from_secs(u64::from(config.messages.hours) * 3_600);
    let server =
        carriers.contains(&Carrier::Smpp).then(|| config.messages.smpp.rules()).transpose()?.flatten();
    let (smpp, receipts) = server.map(|rules| Smpp::start(&config.dns.servers.0, rules)).unzip();
    let courier = Courier {
        rules: Rules { carriers, attempts: config.messages.attempts, lives },
        outbox,
        http: Provider::new(&config.messages.http, client)?,
        smpp,
        core: core.clone(),
    };
    let courier = Arc::new(courier);
    if let Some(receipts) = receipts {
        tokio::spawn(Arc::clone(&courier).hear(receipts));
    }
    tokio::spawn(courier.run());
    Ok(())
}

/// Everything that carries messages.
struct Courier {
    rules: Rules,
    outbox: Outbox,
    http: Option<Provider>,
    smpp: Option<Smpp>,
    core: Sender<CoreInput>,
}

impl Courier {
    async fn run(self: Arc<Courier>) {
        let (done, mut ended) = channel::<String>(AT_ONCE);
        let mut asked = BTreeSet::new();
        loop {
            let wait = match self.outbox.waiting(READ).await {
                Ok(messages) => self.begin(messages, &mut asked, &done),
                Err(error) => {
                    tracing::warn!(%error, "the outbox cannot be read");
                    AGAIN
                }
            };
            tokio::select! {
                () = self.outbox.written() => {}
                key = ended.recv() => {
                    if let Some(key) = key {
                        asked.remove(&key);
                    }
                }
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Begins to ask about those whose turn has come. Returns how long it is until the next one's.
    fn begin(
        self: &Arc<Courier>,
        messages: Vec<KeptMessage>,
        asked: &mut BTreeSet<String>,
        done: &mpsc::Sender<String>,
    ) -> Duration {
        let now = wall();
        let mut wait = LOOK;
        for message in messages {
            if asked.contains(&message.key) {
                continue;
            }
            if !due(&message, now) {
                let ahead = u64::try_from(message.delivery.next - now).unwrap_or_default();
                wait = wait.min(Duration::from_millis(ahead));
            } else if asked.len() < AT_ONCE {
                asked.insert(message.key.clone());
                let (courier, done) = (Arc::clone(self), done.clone());
                tokio::spawn(async move {
                    // What cannot be written is not carried again by this run: it would be for ever.
                    if courier.carry(&message).await {
                        // The other end is gone only when nobody carries any more.
                        let _ = done.send(message.key).await;
                    }
                });
            }
        }
        wait
    }

    /// Asks one carrier about a message, and keeps what it said. Returns whether that is written.
    async fn carry(&self, message: &KeptMessage) -> bool {
        let carrier = match self.rules.carrier(message, wall()) {
            Ok(carrier) => carrier,
            Err(given_up) => return self.keep(message, given_up, Vec::new()).await,
        };
        // Who is not there is not among the carriers of the rules.
        let nobody = || Outcome::Refused { answer: "it is not set".into() };
        let outcome = match carrier {
            Carrier::Http => match &self.http {
                Some(provider) => provider.carry(message).await,
                None => nobody(),
            },
            Carrier::Smpp => match &self.smpp {
                Some(smpp) => submit(smpp, message).await,
                None => nobody(),
            },
            Carrier::Sip => self.show(message).await,
        };
        let delivery = self.rules.after(message, carrier, &outcome, wall());
        tracing::debug!(
            key = message.key,
            carrier = carrier.name(),
            state = delivery.state.name(),
            answer = delivery.answer,
            "a message was handed over"
        );
        let references = match outcome {
            Outcome::Taken { references, .. } => references,
            _ => Vec::new(),
        };
        self.keep(message, delivery, references).await
    }

    /// Keeps what the SMPP server tells of messages, one receipt after another.
    async fn hear(self: Arc<Courier>, mut receipts: mpsc::Receiver<SmppTold>) {
        while let Some(SmppTold { receipt, kept }) = receipts.recv().await {
            let SmppReceipt { message_id: reference, delivered, words } = receipt;
            let change = MessageChange::Receipt(PartReceipt {
                carrier: Carrier::Smpp.name().to_owned(),
                reference,
                delivered: delivered == Some(true),
                answer: turn::shortened(&words),
                at: wall(),
            });
            let written = self.write(change).await;
            // The connection may be gone: then the receipt comes once more, and says the same.
            let _ = kept.send(written);
        }
    }

    /// Shows a message at the phones of its person once more.
    async fn show(&self, message: &KeptMessage) -> Outcome {
        let (account, text) = (message.account.as_str().into(), message.text.as_str().into());
        let command = Command::Background(Box::new(Asking::Show { account, text }));
        let (reply, answer) = oneshot::channel();
        let sent = self.core.send(CoreInput::Command { command, reply }).is_ok();
        match (sent, answer.await) {
            (true, Ok(Answer::Done)) => {
                Outcome::Taken { answer: "sent to their phones".into(), references: Vec::new() }
            }
            (true, Ok(Answer::Refused(why))) => Outcome::Refused { answer: why.to_string() },
            (true, Ok(Answer::Unavailable(answer))) => Outcome::Later { answer, after: None },
            _ => Outcome::Later { answer: "the exchange is busy".into(), after: None },
        }
    }

    /// Keeps what became of a message. It is not carried again before that is written: the next run would ask once more.
    async fn keep(&self, message: &KeptMessage, delivery: Delivery, references: Vec<String>) -> bool {
        self.write(MessageChange::Carried { key: message.key.clone(), delivery, references }).await
    }

    /// Writes until it is written. Returns whether it is: not when the store is closed, and then the next run knows nothing
    /// of it, and asks again under the same key.
    async fn write(&self, change: MessageChange) -> bool {
        loop {
            let (told, kept) = oneshot::channel();
            let hear = Box::new(move |written| {
                // Who asked may be gone.
                let _ = told.send(written);
            });
            match self.outbox.keep(change.clone(), hear) {
                Ok(()) => match kept.await {
                    Ok(Ok(())) => return true,
                    Ok(Err(why)) => tracing::warn!(%why, "what became of a message cannot be kept"),
                    Err(_) => return false,
                },
                Err(error) => tracing::warn!(%error, "what became of a message cannot be kept"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

async fn submit(smpp: &Smpp, message: &KeptMessage) -> Outcome {
    let to = message.mobile.as_deref().unwrap_or_default();
    match smpp.submit(to, &message.text).await {
        Ok(references) if references.is_empty() => {
            Outcome::Taken { answer: "taken, without a name for a receipt".into(), references }
        }
        Ok(references) => {
            Outcome::Taken { answer: format!("taken as {}", references.join(", ")), references }
        }
        Err(SmppRefusal::Later(answer)) => Outcome::Later { answer, after: None },
        Err(SmppRefusal::Never(answer)) => Outcome::Refused { answer },
    }
}

/// Milliseconds since 1970 UTC.
fn wall() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    i64::try_from(since).unwrap_or(i64::MAX)
}
