//! What the ways in need of the running exchange.

use exchange::{Answer, Command, Secret};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU8;
use std::time::Duration;

/// The exchange does not answer: it is stopping, or its queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// A call record as people see it; times in milliseconds since 1970 UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRow {
    /// In the order of their end.
    pub id: i64,
    /// Names the call in every trace (RFC 7989).
    pub session_id: String,
    /// The number that called.
    pub caller: String,
    /// The caller's name.
    pub caller_name: String,
    /// The number that was dialled.
    pub callee: String,
    /// The device that answered, or the service; empty if none did.
    pub answered_by: String,
    /// When it began.
    pub started: i64,
    /// When it was answered.
    pub answered: Option<i64>,
    /// When it was over.
    pub ended: i64,
    /// From the beginning to the answer, or to the end if there was none.
    pub ringing_ms: i64,
    /// From the answer to the end.
    pub duration_ms: i64,
    /// Why it ended.
    pub cause: String,
    /// Whose doing that was: caller, callee, carrier, us, operator.
    pub blame: String,
    /// The final status that the caller got.
    pub status: u16,
    /// More to say, if there is.
    pub detail: String,
    /// The background call that it was made for.
    pub task: Option<i64>,
}

/// Which call records are wanted; times in milliseconds since 1970 UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordsWanted {
    /// Only records with a lower number.
    pub before: Option<i64>,
    /// Only calls that began at this time or later.
    pub from: Option<i64>,
    /// Only calls that began before this time.
    pub to: Option<i64>,
    /// Only records that contain this text; empty for all.
    pub find: String,
    /// Only the call whose Session-ID begins so; empty for all.
    pub session: String,
    /// Only the calls of this background call.
    pub task: Option<i64>,
    /// Only calls from or to these numbers, or answered by these devices; all if there is none.
    pub own: Option<(Vec<String>, Vec<String>)>,
    /// Records at most.
    pub most: u32,
}

/// A tap that was judged, as it is kept; the time in milliseconds since 1970 UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TapRow {
    /// In the order in which they were judged.
    pub id: i64,
    /// When.
    pub time: i64,
    /// Whose badge it was; empty if none is known.
    pub account: String,
    /// The badge; empty if none is known.
    pub badge: String,
    /// Its kind; empty if none is known.
    pub kind: String,
    /// Where.
    pub reader: String,
    /// The phone there.
    pub device: String,
    /// The rule that decided.
    pub rule: String,
    /// The decision in words.
    pub words: String,
}

/// A message to somebody about a background call, and what became of it; times in milliseconds since 1970 UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// Names it for ever.
    pub key: String,
    /// Whom it is for.
    pub account: String,
    /// The mobile number that they had.
    pub mobile: Option<String>,
    /// When it was written.
    pub time: i64,
    /// What it says.
    pub text: String,
    /// `waiting`, `accepted`, `delivered` or `failed`.
    pub state: String,
    /// Who has it, or is asked next.
    pub carrier: Option<String>,
    /// How often carriers were asked.
    pub attempts: u32,
    /// When the next is asked, while it waits.
    pub next: Option<i64>,
    /// When this became so; `None` if nothing has happened yet.
    pub changed: Option<i64>,
    /// What the carrier said last; hostile text.
    pub answer: String,
}

/// Something that is posted to a URL.
#[derive(Clone, PartialEq, Eq)]
pub struct Post {
    /// Where to; there may be secrets in it.
    pub url: String,
    /// Header lines.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// When to come again, as it stands there.
    pub retry_after: Option<String>,
    /// The beginning of the body; hostile text.
    pub body: String,
}

/// How it goes with the MQTT broker that notices leave by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerState {
    /// Where it is.
    pub address: String,
    /// What our topics begin with.
    pub prefix: String,
    /// Whether it has us.
    pub connected: bool,
    /// Why not, in words.
    pub trouble: Option<String>,
    /// Messages that it has.
    pub delivered: u64,
    /// Messages that it did not take in time.
    pub dropped: u64,
}

/// How it goes with NATS, where live events are published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NatsState {
    /// The server that has us, with its version; empty if none had us yet.
    pub server: String,
    /// Whether one has us.
    pub connected: bool,
    /// Why not, or why it keeps nothing, in words.
    pub trouble: Option<String>,
    /// What can lose events that it has, in words.
    pub warning: Option<String>,
    /// Events that it has.
    pub published: u64,
}

/// A figure for Prometheus.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its name, with its unit.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// Its kind and its value.
    pub kind: Kind,
}

/// The kind of a figure, with its value.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// It only grows.
    Counter(f64),
    /// Several that only grow, told apart by a label.
    Counters {
        /// The label's name.
        label: &'static str,
        /// The label's value, and the figure's.
        values: Vec<(String, f64)>,
    },
    /// It comes and goes.
    Gauge(f64),
    /// How often values were at most so large.
    Histogram {
        /// Upper bounds, growing.
        bounds: Vec<f64>,
        /// One for each bound, not summed up, and one for what is larger than all.
        counts: Vec<u64>,
        /// All values together.
        sum: f64,
    },
}

/// Something that the ways in keep for themselves, or with no text the end of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub kind: String,
    /// Which of its kind.
    pub id: String,
    /// What it says.
    pub text: Option<String>,
}

/// The running exchange and its store.
pub trait Backend: Clone + Send + Sync + 'static {
    /// Asks the exchange.
    fn command(&self, command: Command) -> impl Future<Output = Result<Answer, Gone>> + Send;

    /// The newest call records, oldest first; `Err` says in words why they cannot be read.
    fn records(&self, most: u32) -> impl Future<Output = Result<Vec<CallRow>, String>> + Send;

    /// The call records that are wanted, the newest first; `Err` says in words why they cannot be read.
    fn records_page(
        &self,
        wanted: RecordsWanted,
    ) -> impl Future<Output = Result<Vec<CallRow>, String>> + Send;

    /// Taps with a lower number, the newest first; of one account, or all. `Err` says in words why they cannot be read.
    fn taps(
        &self,
        account: Option<&str>,
        before: Option<i64>,
        most: u32,
    ) -> impl Future<Output = Result<Vec<TapRow>, String>> + Send;

    /// The messages about a background call, the oldest first; `Err` says in words why they cannot be read.
    fn messages(&self, task: i64) -> impl Future<Output = Result<Vec<MessageRow>, String>> + Send;

    /// Call records with a number above this one, the oldest first; `Err` says in words why they cannot be read.
    fn records_after(
        &self,
        after: i64,
        most: u32,
    ) -> impl Future<Output = Result<Vec<CallRow>, String>> + Send;

    /// The file that a link leads to, wherever the configuration allows it to lead; `Err` says in words why it did not come.
    fn fetch(&self, link: &str) -> impl Future<Output = Result<Vec<u8>, String>> + Send;

    /// Whether something may be posted to a URL, as far as it can be told without a look at the DNS; `Err` says in words
    /// why not.
    fn judge_url(&self, url: &str) -> Result<(), String>;

    /// Posts to a URL, wherever the configuration allows it to lead; `Err` says in words why there is no answer.
    fn post(&self, post: Post) -> impl Future<Output = Result<Reply, String>> + Send;

    /// The MQTT broker that notices leave by; `None` if none is configured.
    fn broker(&self) -> Option<BrokerState>;

    /// NATS, where live events are published; `None` if none is configured.
    fn nats(&self) -> Option<NatsState>;

    /// Publishes at the broker, or drops: never waits. After `lives` nobody wants it any more.
    fn publish(&self, topic: String, payload: Vec<u8>, lives: Duration);

    /// Whom a push service may write to, as a `mailto:` or `https:` URL.
    fn contact(&self) -> Option<String>;

    /// The configuration that is in use, by section and key.
    fn settings(&self) -> impl Future<Output = serde_json::Value> + Send;

    /// What a telephone of this name is set up with: its address, and where it registers.
    fn place(&self, device: &str) -> (String, String);

    /// Reads the configuration again; the keys that wait for a restart, or in words why nothing was changed.
    fn reload(&self) -> impl Future<Output = Result<Vec<String>, String>> + Send;

    /// The recording that callers of a queue hear who wait, as a WAV file; `None` when it is the standard music. `Err` says
    /// in words why it cannot be read.
    fn music(&self, queue: &str) -> impl Future<Output = Result<Option<Vec<u8>>, String>> + Send;

    /// Gives a queue a recording of its own, or the standard music back; `Err` says in words what is wrong with it.
    fn set_music(
        &self,
        queue: &str,
        file: Option<Vec<u8>>,
    ) -> impl Future<Output = Result<(), String>> + Send;

    /// The facts about something, oldest first: time in milliseconds since 1970 UTC, rule, words.
    fn facts(
        &self,
        kind: &str,
        subject: &str,
    ) -> impl Future<Output = Result<Vec<(i64, String, String)>, String>> + Send;

    /// Keeps documents, all or none; `Err` says in words why nothing was changed.
    fn keep(&self, documents: Vec<Document>) -> impl Future<Output = Result<(), String>> + Send;

    /// The same, and ends one that may be used once: whoever else does at this moment finds it gone, and keeps nothing.
    fn spend(
        &self,
        used: Document,
        documents: Vec<Document>,
    ) -> impl Future<Output = Result<(), String>> + Send;

    /// Changes or ends documents that are there: what ended meanwhile stays ended. `Err` says in words why nothing was changed.
    fn renew(&self, documents: Vec<Document>) -> impl Future<Output = Result<(), String>> + Send;

    /// What is counted beside [`exchange::Status`].
    fn figures(&self) -> Vec<Figure>;

    /// Where people reach HTTP, as in `http://127.0.0.1:8080`; empty if it answers nowhere.
    fn http(&self) -> String;

    /// Octets that nobody can guess.
    fn random(&self) -> [u8; 32];

    /// What is kept of a device's secret in this exchange's realm.
    fn secret(&self, device: &str, password: &str) -> Secret;

    /// A new secret that nobody can guess, in letters and digits.
    fn new_password(&self) -> String;

    /// Whether what must happen once, and webhooks, are this exchange's; always, where no other has the same office.
    fn keeps(&self) -> bool;

    /// All documents that are kept, by whichever exchange; `Err` says in words why they cannot be read.
    fn documents(&self) -> impl Future<Output = Result<Vec<Document>, String>> + Send;

    /// Whether other exchanges have the same office.
    fn is_one_of_several(&self) -> bool;

    /// Hands something on to another exchange of the cluster; `Err` says in words why there is no answer.
    fn hand_on(
        &self,
        to: NonZeroU8,
        asked: crate::rest::Asked,
    ) -> impl Future<Output = Result<String, String>> + Send;
}
