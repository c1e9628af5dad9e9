//! What goes over the control socket.

use super::call_lists::ListRequest;
use super::work::{AgentItem, QueueItem, StartedItem};
use crate::backend::{CallRow, MessageRow};
use crate::rest::lists::{JudgedShape, ListShape};
use lists::Assignment;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU8;

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do", deny_unknown_fields)]
pub enum Request {
    /// A new account.
    AccountAdd {
        /// Its name.
        name: String,
        /// What others see; its name if empty.
        display: String,
    },
    /// An account leaves.
    AccountRemove {
        /// Its name.
        name: String,
        /// Its numbers and devices, too; otherwise it may have none any more.
        everything: bool,
    },
    /// Some of what is known of an account; what is not named stays as it is.
    AccountSet {
        /// Its name.
        name: String,
        /// What changes.
        changes: AccountChanges,
    },
    /// A one-time link to the pages, for an account.
    AccountLink {
        /// Its name.
        name: String,
    },
    /// All accounts.
    AccountList,
    /// A number for an account.
    NumberAdd {
        /// The number.
        number: String,
        /// Whose it becomes.
        account: String,
    },
    /// A number is of another account from now on.
    NumberMove {
        /// The number.
        number: String,
        /// Whose it is then.
        account: String,
    },
    /// A number leaves.
    NumberRemove {
        /// The number.
        number: String,
    },
    /// All numbers.
    NumberList,
    /// A device for an account.
    DeviceAdd {
        /// Its name: the user name that it registers with.
        name: String,
        /// Whose it is.
        account: String,
        /// Its secret; one is made and returned if there is none.
        secret: Option<String>,
    },
    /// A new secret for a device.
    DeviceSecret {
        /// Its name.
        name: String,
        /// The secret; one is made and returned if there is none.
        secret: Option<String>,
    },
    /// Some of what is known of a device; what is not named stays as it is.
    DeviceSet {
        /// Its name.
        name: String,
        /// What changes.
        changes: DeviceChanges,
    },
    /// A device leaves.
    DeviceRemove {
        /// Its name.
        name: String,
    },
    /// All devices.
    DeviceList,
    /// A trunk, new or changed.
    TrunkAdd {
        /// Its name.
        name: String,
        /// All that is known of it.
        trunk: TrunkItem,
    },
    /// A trunk leaves.
    TrunkRemove {
        /// Its name.
        name: String,
    },
    /// All trunks.
    TrunkList,
    /// A route to the outside, new or changed.
    RouteAdd {
        /// Its name and all that is known of it.
        route: RouteItem,
    },
    /// A route leaves.
    RouteRemove {
        /// Its name.
        name: String,
    },
    /// All routes.
    RouteList,
    /// A hunt group, new or changed.
    GroupAdd {
        /// Its name and all that is known of it.
        group: GroupItem,
    },
    /// A hunt group leaves.
    GroupRemove {
        /// Its name.
        name: String,
    },
    /// All hunt groups.
    GroupList,
    /// A queue, new or changed.
    QueueAdd {
        /// Its name and all that is known of it.
        queue: Box<QueueItem>,
    },
    /// A queue leaves.
    QueueRemove {
        /// Its name.
        name: String,
    },
    /// What callers of a queue hear who wait.
    QueueMusic {
        /// The queue.
        name: String,
        /// The recording as it is on this machine; the standard music without one.
        file: Option<std::path::PathBuf>,
    },
    /// All queues.
    QueueList,
    /// Who is signed in to work.
    AgentList,
    /// How one agent stands.
    AgentShow {
        /// The account.
        name: String,
    },
    /// Somebody signs in to work.
    AgentSignIn {
        /// The account.
        name: String,
        /// The phone at which callers ring.
        device: Option<String>,
        /// The queues to work for.
        queues: Vec<String>,
    },
    /// Somebody signs out from work.
    AgentSignOut {
        /// The account.
        name: String,
    },
    /// Somebody is ready.
    AgentReady {
        /// The account.
        name: String,
    },
    /// Somebody is not.
    AgentPause {
        /// The account.
        name: String,
        /// Why.
        reason: String,
        /// How long that is planned to be.
        minutes: Option<u32>,
    },
    /// A new badge.
    BadgeAdd {
        /// All that is known of it.
        badge: BadgeItem,
    },
    /// A badge opens nothing any more; a revoked one is forgotten.
    BadgeRevoke {
        /// Its name.
        name: String,
    },
    /// All badges.
    BadgeList,
    /// About call lists.
    List(ListRequest),
    /// Background calls, of one account or all.
    TaskList {
        /// Whose.
        account: Option<String>,
    },
    /// The records of the calls that a background call made.
    TaskCalls {
        /// Which.
        task: u64,
    },
    /// The messages about a background call.
    TaskMessages {
        /// Which.
        task: u64,
    },
    /// Keep calling somebody.
    TaskStart {
        /// Who wants to.
        account: String,
        /// Whom to reach.
        number: String,
    },
    /// A background call is wanted no more.
    TaskStop {
        /// Which.
        task: u64,
    },
    /// None of an account is wanted any more.
    TaskStopAll {
        /// Whose.
        account: String,
    },
    /// A new reader of badges; its key is returned.
    ReaderAdd {
        /// Its name.
        name: String,
        /// The phone that a tap there is for.
        device: String,
    },
    /// A reader leaves.
    ReaderRemove {
        /// Its name.
        name: String,
    },
    /// All readers.
    ReaderList,
    /// A new wearable, reached by the MQTT broker.
    WearableAdd {
        /// What it is, for its owner.
        name: String,
        /// Whose.
        account: String,
    },
    /// A wearable or an app leaves.
    WearableRemove {
        /// Its own name.
        id: String,
    },
    /// All wearables and apps.
    WearableList,
    /// Why something happened by itself.
    Explain {
        /// What kind of thing: `call`, `trunk`, `source`, `badge`, `reader`.
        kind: String,
        /// Its name; a call by six or more first digits of its Session-ID.
        subject: String,
    },
    /// The newest call records.
    Calls {
        /// How many at most.
        most: u32,
    },
    /// What passed at the other exchange of a call between two.
    LadderElsewhere {
        /// Its Session-ID.
        session_id: String,
    },
    /// What a call sent and received.
    Ladder {
        /// Its Session-ID, 32 hexadecimal digits; none for the last call that began.
        session_id: Option<String>,
    },
    /// The same as a capture file.
    Capture {
        /// Its Session-ID; none for the last call that began, and then there are no bodies.
        session_id: Option<String>,
        /// With the session descriptions; leaves a fact.
        bodies: bool,
    },
    /// The numbers that are services of the exchange.
    Codes,
    /// Read the configuration again.
    Reload,
    /// How things are.
    Status,
    /// Rows of a list of people.
    Import {
        /// At most [`super::IMPORT_ROWS`].
        rows: Vec<ImportRow>,
    },
}

/// One row of a list of people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRow {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The account's name.
    pub account: String,
    /// What others see.
    pub name: String,
    /// A number; may be empty.
    pub number: String,
    /// A device; may be empty.
    pub device: String,
    /// Its secret; may be empty if the device is known.
    pub secret: String,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// It is done and kept.
    Done,
    /// It is done; this secret was made and is shown only now.
    Secret(String),
    /// A one-time link, shown only now.
    Link {
        /// Where HTTP answers, as in `http://127.0.0.1:8080`; empty if it does nowhere.
        base: String,
        /// The path below it.
        path: String,
    },
    /// Another exchange over the same store keeps it; never told to a command, but handed on to that one.
    #[serde(skip)]
    KeptBy(NonZeroU8, String),
    /// It crossed a change by another exchange; never told to a command, but done again.
    #[serde(skip)]
    Crossed(String),
    /// It was not done; in words.
    Refused(String),
    /// All accounts.
    Accounts(Vec<AccountItem>),
    /// All numbers.
    Numbers(Vec<NumberItem>),
    /// All devices.
    Devices(Vec<DeviceItem>),
    /// All trunks.
    Trunks(Vec<TrunkItem>),
    /// All routes.
    Routes(Vec<RouteItem>),
    /// All hunt groups.
    Groups(Vec<GroupItem>),
    /// All queues.
    Queues(Vec<QueueItem>),
    /// Agents.
    Agents(Vec<AgentItem>),
    /// A badge was made: what is written into the card, shown only now.
    BadgeMade(CardItem),
    /// All badges.
    Badges(Vec<BadgeItem>),
    /// All readers: name and phone.
    Readers(Vec<(String, String)>),
    /// Call lists.
    Lists(Vec<ListShape>),
    /// A file was judged, and perhaps its list kept.
    Judged(Box<JudgedShape>),
    /// What a phone is told that works for an agent.
    Assignment(Box<Assignment>),
    /// A file.
    File(String),
    /// Background calls.
    Tasks(Vec<TaskItem>),
    /// The messages about a background call, the oldest first.
    Messages(Vec<MessageRow>),
    /// A wearable or an app was added, or all of them.
    Wearables(Vec<WearableItem>),
    /// Facts, oldest first.
    Facts(Vec<FactItem>),
    /// Call records, oldest first.
    Calls(Vec<CallRow>),
    /// What a call sent and received, in the order of time.
    Ladder(Vec<RungItem>),
    /// To [`Request::LadderElsewhere`].
    LadderElsewhere {
        /// The other exchange; none for a call that went to no other.
        exchange: Option<String>,
        /// What passed there.
        rungs: Vec<RungItem>,
        /// Why it says nothing.
        why: Option<String>,
    },
    /// A capture file, each octet as two hexadecimal digits; empty when nothing is kept of that call.
    Capture(String),
    /// The services.
    Codes(Vec<CodeItem>),
    /// The configuration was taken.
    Reloaded {
        /// The keys whose change waits for a restart.
        waits: Vec<String>,
    },
    /// How things are.
    Status(StatusItem),
    /// Rows were taken but for these.
    Imported {
        /// How many were taken.
        taken: usize,
        /// The others.
        faults: Vec<RowFault>,
    },
}

/// An account in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountItem {
    /// Its name.
    pub name: String,
    /// What others see.
    pub display: String,
    /// Its numbers.
    pub numbers: Vec<String>,
    /// Its devices.
    pub devices: Vec<String>,
    /// What is set for it, in words.
    pub settings: String,
}

/// A background call in a list; times in milliseconds since 1970 UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskItem {
    /// Its number.
    pub id: u64,
    /// Whose it is: an account, or the queue that calls one of its callers back.
    pub account: String,
    /// Whom to reach.
    pub number: String,
    /// Where it stands.
    pub state: String,
    /// Attempts that were made.
    pub made: u16,
    /// Attempts that there may be.
    pub most: u16,
    /// When the next may be made.
    pub next: Option<i64>,
    /// Why it waits, or is next.
    pub why: String,
}

/// A number in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberItem {
    /// The number.
    pub number: String,
    /// Whose it is.
    pub account: String,
}

/// A device in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceItem {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub account: String,
    /// Where it is registered from.
    pub registered: Vec<String>,
    /// What it was started with.
    pub profile: Option<StartedItem>,
}

/// A trunk.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrunkItem {
    /// Its name.
    pub name: String,
    /// `HOST` or `HOST:PORT`; HOST is an IP address or a name that the DNS knows.
    pub address: String,
    /// `udp`, `tcp` or `tls`; empty means `udp`.
    pub transport: String,
    /// The user name for digest; empty if there is none.
    pub user: String,
    /// The password; never sent back.
    pub password: String,
    /// The one realm whose challenges are answered; empty for the first that asks.
    pub realm: String,
    /// Whether we register there.
    pub registers: bool,
    /// Calls at once; no bound if there is none.
    pub channels: Option<u16>,
    /// Other addresses that its calls and media come from.
    pub sources: Vec<String>,
    /// Digits taken off the front of numbers that come in.
    pub strip: u8,
    /// Digits put before numbers that come in.
    pub prepend: String,
    /// In a list: how it is now.
    pub state: String,
}

impl std::fmt::Debug for TrunkItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The password stays out of every log.
        f.debug_struct("TrunkItem")
            .field("name", &self.name)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// A route to the outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RouteItem {
    /// Its name.
    pub name: String,
    /// The front of the numbers that it is for.
    pub prefix: String,
    /// Digits taken off the front.
    pub strip: u8,
    /// Digits put before the rest.
    pub prepend: String,
    /// The trunks in the order in which they are tried.
    pub trunks: Vec<String>,
    /// The number that the outside sees; the caller's own if empty.
    pub caller: String,
}

/// A hunt group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GroupItem {
    /// Its name.
    pub name: String,
    /// What callers and members see.
    pub display: String,
    /// The number that is dialled.
    pub number: String,
    /// `all` or `turn`.
    pub strategy: String,
    /// Its accounts, in the order in which they are tried.
    pub members: Vec<String>,
    /// How long one try rings.
    pub ring_seconds: u32,
    /// Where a call goes that nobody took; empty if it ends.
    pub overflow: String,
}

/// A wearable or an app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WearableItem {
    /// Its own name.
    pub id: String,
    /// Whose it is.
    pub account: String,
    /// What it is, for its owner.
    pub name: String,
    /// `mqtt` or `push`.
    pub kind: String,
    /// The topics that it hears and at which it dismisses, by `mqtt`.
    pub topics: Option<(String, String)>,
}

/// A badge.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BadgeItem {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub account: String,
    /// What it is, for its owner.
    pub label: String,
    /// `secure`, `ndef` or `uid`.
    pub kind: String,
    /// The UID of its chip, of `secure` and `uid`.
    pub uid: Option<String>,
    /// The text of its record, of `ndef`; one is made if there is none, and it is never sent back.
    pub text: Option<String>,
    /// In a list: whether it is revoked.
    pub revoked: bool,
}

impl std::fmt::Debug for BadgeItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text may be a token.
        f.debug_struct("BadgeItem").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What is written into a card.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardItem {
    /// The text or URI of its NDEF record; none if nothing is written.
    pub record: Option<String>,
    /// Of a secure badge.
    pub meta_read_key: Option<String>,
    /// Of a secure badge.
    pub file_read_key: Option<String>,
}

impl std::fmt::Debug for CardItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardItem(...)")
    }
}

/// What was decided by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactItem {
    /// Milliseconds since 1970 UTC.
    pub time: i64,
    /// The rule that decided.
    pub rule: String,
    /// The decision in words.
    pub words: String,
}

/// Changes of an account; `None` leaves a thing as it is, an empty text takes it away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountChanges {
    /// What others see.
    pub display: Option<String>,
    /// `en` or `zh`.
    pub language: Option<String>,
    /// An IANA time zone.
    pub zone: Option<String>,
    /// The mobile number.
    pub mobile: Option<String>,
    /// A PIN of 4 to 12 digits.
    pub pin: Option<String>,
    /// Do not disturb.
    pub do_not_disturb: Option<bool>,
    /// Own calls that nobody answers go on as background calls.
    pub background: Option<bool>,
    /// Where all calls go.
    pub forward_always: Option<String>,
    /// Where calls go when the person is busy.
    pub forward_busy: Option<String>,
    /// Where calls go when nobody answers.
    pub forward_no_answer: Option<String>,
    /// Where calls go when no telephone is registered.
    pub forward_offline: Option<String>,
    /// All rights, as in `national,pickup`.
    pub rights: Option<String>,
    /// The most calls to the outside a day; 0 takes the exchange's limit.
    pub calls_a_day: Option<u32>,
    /// `agent`, `manager` or `administrator`.
    pub role: Option<String>,
    /// The telephone platform at which the person works.
    pub platform: Option<String>,
    /// The person's own wrap-up in seconds; 0 takes it away.
    pub wrap_up: Option<u32>,
    /// The password for the pages.
    pub password: Option<String>,
}

/// Changes of a device; `None` leaves a thing as it is, an empty text takes it away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeviceChanges {
    /// Where it stands.
    pub location: Option<String>,
    /// The number that an emergency service calls back.
    pub call_back: Option<String>,
    /// `answer-mode`, `alert-info` or `call-info`.
    pub auto_answer: Option<String>,
}

/// One message of a call, without secrets (R32).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RungItem {
    /// When it passed, in milliseconds since 1970 UTC.
    pub at: i64,
    /// Sent by the exchange, else received.
    pub sent: bool,
    /// The device or trunk at the other end, or its address.
    pub who: String,
    /// The path that it took.
    pub flow: String,
    /// The beginning of the message.
    pub text: String,
}

/// A number that is a service of the exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeItem {
    /// What to dial.
    pub code: String,
    /// What it does.
    pub does: String,
}

/// How things are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusItem {
    /// Calls that are up or ringing.
    pub calls: usize,
    /// Devices that are registered.
    pub registered: usize,
    /// Media ports that are free.
    pub ports_free: usize,
    /// Media ports in all.
    pub ports_total: usize,
    /// Whether changes and call records can be stored.
    pub store_ready: bool,
    /// How late the exchange is, in milliseconds.
    pub late_ms: u64,
    /// New requests refused because there was too much to do.
    pub shed: u64,
    /// Requests of sources that sent too many.
    pub flooded: u64,
    /// Wrong secrets.
    pub wrong_secrets: u64,
    /// Requests that were not listened to, because their source guesses at secrets.
    pub ignored: u64,
    /// The sources that guess, the latest first.
    pub guessing: Vec<GuessingItem>,
    /// How it goes with NATS, in words; nothing if none is configured.
    pub nats: Option<String>,
}

/// A source that guesses at secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuessingItem {
    /// Its address.
    pub source: String,
    /// The name that it tried last.
    pub name: String,
    /// Wrong secrets from there.
    pub strikes: u32,
    /// For how many seconds it is not listened to.
    pub ignored_seconds: u64,
}

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowFault {
    /// Its line in the file.
    pub line: u64,
    /// Why, in words.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_12_only_typed_requests_are_understood() {
        for known in [
            r#"{"do":"status"}"#,
            r#"{"do":"calls","most":1}"#,
            r#"{"do":"account_set","name":"a","changes":{}}"#,
        ] {
            assert!(serde_json::from_str::<Request>(known).is_ok(), "{known}");
        }
        for unknown in [
            r#"{"do":"run","command":"id"}"#,
            r#"{"do":"system","application":"System","data":"id"}"#,
            r#"{"do":"read","path":"/etc/passwd"}"#,
            r#"{"do":"calls","most":1,"into":"x"}"#,
            r#"{"do":"account_set","name":"a","changes":{"shell":"/bin/sh"}}"#,
            r#"{"do":"calls","most":"1; id"}"#,
            r#"{"do":["status","run"]}"#,
            r#"{"status":{}}"#,
            "status; id",
        ] {
            assert!(serde_json::from_str::<Request>(unknown).is_err(), "{unknown}");
        }
    }
}
