//! Events: what changed, told to whoever listens, each with the row as it is now and with whom it concerns.
//!
//! ```text
//! something changes --> it is noted as touched --> all of the input is done --> rows compared with what was told
//!                       (only a name)                                            last --> Output::Event
//! ```
//! Nobody has to remember to tell: whatever touches a call, a device or a person leaves its name, and one place compares.
//! So a reader who has a list and then each event always has the list. When nobody listens, it costs a comparison with
//! `false`.

mod call;
mod directory;
#[cfg(test)]
mod tests;

pub use call::{CallEnd, CallName, CallState, EndedCall, LiveCall};

use crate::agents::AgentRow;
use crate::background::TaskRow;
use crate::change::{Change, Owned};
use crate::command::{AccountRow, DeviceRow, Status};
use crate::exchange::Exchange;
use crate::input::Output;
use crate::limits;
use crate::lists::{DeskWork, ListRow};
use crate::notices::{Notice, Withdrawn};
use crate::people::{Group, PeopleChange, Route, Trunk};
use crate::profiles::Profile;
use crate::queues::QueueRow;
use crate::seats::SeatRow;
use crate::sites::OfficeMap;
use calls::{CallId, CallRecord};
use clock::{Mono, Now, Wall};
use std::collections::{BTreeMap, BTreeSet};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Wall,
    /// Whom it concerns.
    pub audience: Audience,
    /// What happened.
    pub what: Happened,
}

/// Whom an event concerns: who may hear of it is decided by this alone, event by event (sec_11).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Those who look after the office.
    pub staff: bool,
    /// The accounts that it is about.
    pub accounts: Vec<Box<str>>,
}

impl Audience {
    /// An event for those who look after the office, and for the accounts that it is about.
    pub(crate) fn all(accounts: Vec<Box<str>>) -> Audience {
        Audience { staff: true, accounts }
    }

    /// Whether an event is about this account.
    #[must_use]
    pub fn has(&self, account: &str) -> bool {
        self.accounts.iter().any(|of| **of == *account)
    }
}

/// What happened; each with the row as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A call began.
    CallStarted(Box<LiveCall>),
    /// A call is another now. For an account that a call came to later, this is the first that it hears of it.
    CallChanged(Box<LiveCall>),
    /// A call is over; or for an account, it goes on without it.
    CallEnded(Box<EndedCall>),
    /// A device is new or changed, or is reached in another way.
    DeviceChanged(Box<DeviceRow>),
    /// A device left.
    DeviceRemoved(Box<str>),
    /// A person is new or changed.
    PersonChanged(Box<AccountRow>),
    /// Somebody sits at a phone.
    SeatChanged(Box<SeatRow>),
    /// Nobody sits there any more.
    SeatRemoved {
        /// The phone.
        device: Box<str>,
        /// Who did.
        account: Box<str>,
    },
    /// A phone did not take what it was asked to, or somebody was refused there.
    TakeFailed {
        /// Who wanted it.
        account: Box<str>,
        /// The phone.
        device: Box<str>,
        /// Why, in words.
        words: Box<str>,
    },
    /// A call rings for somebody, who is to know wherever they are.
    NoticeShown(Box<Notice>),
    /// It does so no more.
    NoticeWithdrawn {
        /// The call.
        call: CallName,
        /// For whom it rang.
        account: Box<str>,
        /// Why it does not.
        why: Withdrawn,
    },
    /// A person left.
    PersonRemoved(Box<str>),
    /// A number is of this account now.
    NumberChanged {
        /// The number.
        number: Box<str>,
        /// Whose.
        account: Box<str>,
    },
    /// A number left.
    NumberRemoved(Box<str>),
    /// A hunt group is new or changed.
    GroupChanged(Box<str>, Box<Group>),
    /// A hunt group left.
    GroupRemoved(Box<str>),
    /// A trunk is new or changed, or is in another state: its name, the trunk, and the state in words.
    TrunkChanged(Box<str>, Box<Trunk>, String),
    /// A trunk left.
    TrunkRemoved(Box<str>),
    /// A route is new or changed.
    RouteChanged(Box<str>, Box<Route>),
    /// A route left.
    RouteRemoved(Box<str>),
    /// The record of a call is kept.
    RecordAdded(Box<CallRecord>),
    /// A background call is new or changed.
    TaskChanged(Box<TaskRow>),
    /// A background call is over.
    TaskEnded(Box<TaskRow>),
    /// A call list is new, or further.
    ListChanged(Box<ListRow>),
    /// A call list is forgotten.
    ListRemoved(Box<str>),
    /// An agent's work on their lists, at a phone that only calls, is another.
    DeskChanged(Box<DeskWork>),
    /// An agent stands elsewhere, or differently.
    AgentChanged(Box<AgentRow>),
    /// A phone that was started is to take another profile.
    ProfileChanged {
        /// The phone.
        device: Box<str>,
        /// What it is to load.
        profile: Box<Profile>,
    },
    /// A queue is new or changed, or its callers are others.
    QueueChanged(Box<QueueRow>),
    /// A queue left.
    QueueRemoved(Box<str>),
    /// An exchange of the office is another, or how it is.
    ExchangesChanged(Box<OfficeMap>),
    /// Something of how things are is different; at most once a second.
    StatusChanged(Box<Status>),
}

impl Happened {
    /// Whether only the exchange at which it happened knows, when several have one office. What they have in common, and each other's
    /// calls, each tells by itself.
    #[must_use]
    pub const fn is_of_one(&self) -> bool {
        matches!(
            self,
            Happened::AgentChanged(_)
                | Happened::QueueChanged(_)
                | Happened::QueueRemoved(_)
                | Happened::TaskChanged(_)
                | Happened::TaskEnded(_)
                | Happened::ListChanged(_)
                | Happened::ListRemoved(_)
                | Happened::DeskChanged(_)
                | Happened::ProfileChanged { .. }
                | Happened::RecordAdded(_)
                | Happened::NoticeShown(_)
                | Happened::NoticeWithdrawn { .. }
                | Happened::TakeFailed { .. }
        )
    }

    /// The name of the kind of event, as in docs/api.md.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Happened::CallStarted(_) => "call.started",
            Happened::CallChanged(_) => "call.changed",
            Happened::CallEnded(_) => "call.ended",
            Happened::DeviceChanged(_) => "device.changed",
            Happened::DeviceRemoved(_) => "device.removed",
            Happened::PersonChanged(_) => "person.changed",
            Happened::PersonRemoved(_) => "person.removed",
            Happened::SeatChanged(_) => "seat.changed",
            Happened::SeatRemoved { .. } => "seat.removed",
            Happened::TakeFailed { .. } => "take.failed",
            Happened::NoticeShown(_) => "notice.shown",
            Happened::NoticeWithdrawn { .. } => "notice.withdrawn",
            Happened::NumberChanged { .. } => "number.changed",
            Happened::NumberRemoved(_) => "number.removed",
            Happened::GroupChanged(..) => "group.changed",
            Happened::GroupRemoved(_) => "group.removed",
            Happened::TrunkChanged(..) => "trunk.changed",
            Happened::TrunkRemoved(_) => "trunk.removed",
            Happened::RouteChanged(..) => "route.changed",
            Happened::RouteRemoved(_) => "route.removed",
            Happened::RecordAdded(_) => "record.added",
            Happened::TaskChanged(_) => "task.changed",
            Happened::TaskEnded(_) => "task.ended",
            Happened::ListChanged(_) => "list.changed",
            Happened::ListRemoved(_) => "list.removed",
            Happened::DeskChanged(_) => "list_work.changed",
            Happened::AgentChanged(_) => "agent.changed",
            Happened::ProfileChanged { .. } => "profile.changed",
            Happened::QueueChanged(_) => "queue.changed",
            Happened::QueueRemoved(_) => "queue.removed",
            Happened::ExchangesChanged(_) => "exchanges.changed",
            Happened::StatusChanged(_) => "status.changed",
        }
    }

    /// What the event is about, by its name in the API; a call by its name, a record by its Session-ID.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Happened::CallStarted(call) | Happened::CallChanged(call) => call.name.to_string(),
            Happened::CallEnded(ended) => ended.call.name.to_string(),
            Happened::DeviceChanged(row) => row.name.to_string(),
            Happened::PersonChanged(row) => row.name.to_string(),
            Happened::SeatChanged(row) => row.device.to_string(),
            Happened::SeatRemoved { device, .. }
            | Happened::TakeFailed { device, .. }
            | Happened::ProfileChanged { device, .. } => device.to_string(),
            Happened::NoticeShown(notice) => notice.call.to_string(),
            Happened::NoticeWithdrawn { call, .. } => call.to_string(),
            Happened::NumberChanged { number, .. } => number.to_string(),
            Happened::GroupChanged(name, _)
            | Happened::TrunkChanged(name, ..)
            | Happened::RouteChanged(name, _)
            | Happened::DeviceRemoved(name)
            | Happened::PersonRemoved(name)
            | Happened::NumberRemoved(name)
            | Happened::GroupRemoved(name)
            | Happened::TrunkRemoved(name)
            | Happened::RouteRemoved(name)
            | Happened::ListRemoved(name)
            | Happened::QueueRemoved(name) => name.to_string(),
            Happened::ListChanged(row) => row.name.to_string(),
            Happened::DeskChanged(work) => work.account.to_string(),
            Happened::AgentChanged(row) => row.account.to_string(),
            Happened::QueueChanged(row) => row.name.to_string(),
            Happened::RecordAdded(record) => record.session_id.to_string(),
            Happened::TaskChanged(row) | Happened::TaskEnded(row) => row.task.0.to_string(),
            Happened::ExchangesChanged(_) | Happened::StatusChanged(_) => String::new(),
        }
    }
}

/// What was told, and what is to be looked at.
#[derive(Debug, Default)]
pub(crate) struct Listening {
    on: bool,
    /// The calls as they were told last.
    calls: BTreeMap<CallId, LiveCall>,
    /// Devices and accounts that something happened to.
    devices: BTreeSet<Box<str>>,
    accounts: BTreeSet<Box<str>>,
    /// The states of trunks as they were told last.
    trunks: BTreeMap<Box<str>, String>,
    /// Trunks that something happened to.
    touched_trunks: BTreeSet<Box<str>>,
    status: Told,
}

/// What was told of how things are.
#[derive(Debug, Default)]
struct Told {
    /// What is cheap to compare, as it was told last.
    gist: Option<Gist>,
    /// When the next may be told.
    next: Mono,
    /// Something is different, and waits for that moment.
    waits: bool,
}

/// What of the status tells cheaply that it changed.
type Gist = (usize, usize, bool, bool, u64, u64, (u64, u64));

impl Listening {
    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.status.waits.then_some(self.status.next)
    }

    /// Something happened to a device: how it is reached, or what is known of it.
    pub(crate) fn touch_device(&mut self, device: &str) {
        if self.on {
            self.devices.insert(device.into());
        }
    }

    /// Something happened to a trunk.
    pub(crate) fn touch_trunk(&mut self, trunk: &str) {
        if self.on && !self.touched_trunks.contains(trunk) {
            self.touched_trunks.insert(trunk.into());
        }
    }

    fn touch_account(&mut self, account: &str) {
        self.accounts.insert(account.into());
    }
}

impl Exchange {
    /// From now on [`Output::Event`]s tell what changes, or none do. Who begins to listen asks for the lists then.
    pub fn listen(&mut self, now: Now, on: bool) {
        if on == self.listening.on {
            return;
        }
        self.listening = Listening { on, ..Listening::default() };
        self.ongoing.watch(on);
        self.notices.forget_told();
        if on {
            self.listening.calls = self.live_calls().into_iter().map(|call| (call.name.call, call)).collect();
            let people = &self.people;
            let states = people.trunks().map(|(name, trunk)| (name.into(), self.trunk_state(name, trunk)));
            self.listening.trunks = states.collect();
            // Whom a call rings for already is told of it: a call that comes in the first moment is missed by nobody.
            self.tell_events(now);
        }
    }

    /// Tells all that the input changed.
    pub(crate) fn tell_events(&mut self, now: Now) {
        if !self.listening.on {
            return;
        }
        self.tell_calls(now);
        self.tell_devices(now);
        self.tell_accounts(now);
        self.tell_trunks(now);
        self.tell_queues(now);
        self.tell_status(now);
    }

    fn tell(&mut self, now: Now, audience: Audience, what: Happened) {
        self.outputs.push_back(Output::Event(Box::new(Event { at: now.wall, audience, what })));
    }

    /// Whether somebody listens.
    pub(crate) fn is_heard(&self) -> bool {
        self.listening.on
    }

    /// Tells something at once, if somebody listens.
    pub(crate) fn tell_if_heard(&mut self, now: Now, audience: Audience, what: Happened) {
        if self.listening.on {
            self.tell(now, audience, what);
        }
    }

    /// Changes that are in force now.
    pub(crate) fn tell_kept(&mut self, now: Now, changes: &[Owned]) {
        if !self.listening.on {
            return;
        }
        for owned in changes {
            if let Change::Record(record) = &owned.change {
                let audience = Audience::all(self.accounts_of(record));
                self.tell(now, audience, Happened::RecordAdded(record.clone()));
            }
        }
    }

    /// Whose a record is, by the numbers and the device in it.
    fn accounts_of(&self, record: &CallRecord) -> Vec<Box<str>> {
        let by_number = |number: &str| self.people.account_of(number).map(|(account, _)| account.into());
        let answered = self.person_at(&record.answered_by).map(Box::from);
        let mut accounts: Vec<Box<str>> =
            [by_number(&record.caller.number), by_number(&record.dialled), answered]
                .into_iter()
                .flatten()
                .collect();
        accounts.sort();
        accounts.dedup();
        accounts
    }

    fn tell_status(&mut self, now: Now) {
        let gist = (
            self.switch.load().0,
            self.registrar.count(),
            self.store_ready,
            self.draining,
            self.load.shed,
            self.sources.refused(),
            self.guesses.totals(),
        );
        let told = &mut self.listening.status;
        told.waits = told.gist != Some(gist);
        if !told.waits || now.mono < told.next {
            return;
        }
        *told = Told { gist: Some(gist), next: now.mono + limits::STATUS_EVENTS, waits: false };
        let status = self.status(now);
        self.tell(now, Audience::all(Vec::new()), Happened::StatusChanged(Box::new(status)));
    }

    /// A change of the directory: what it touches, and what leaves.
    pub(crate) fn tell_people(&mut self, now: Now, change: &PeopleChange) {
        if self.listening.on {
            self.tell_directory(now, change);
        }
    }
}
