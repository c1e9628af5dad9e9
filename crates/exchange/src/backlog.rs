//! What the store could not take: kept within a bound, and handed over again when the store is back (R20).
//!
//! ```text
//! Unavailable --> backlog --- after STORE_RETRY: a first part of it ---> Committed: the rest
//!                    ^                                |
//!                    +------------ Unavailable -------+
//! ```

use crate::background::OutboxMessage;
use crate::badges::Tap;
use crate::change::{Change, OpenCall};
use crate::exchange::{Exchange, Promise};
use crate::facts::Fact;
use crate::limits;
use crate::people::is_web_name;
use calls::CallRecord;
use clock::{Mono, Now};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// What waits for a store that is away.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    records: VecDeque<Box<CallRecord>>,
    facts: VecDeque<Box<Fact>>,
    taps: VecDeque<Box<Tap>>,
    messages: VecDeque<Box<OutboxMessage>>,
    /// Devices whose bindings are to be stored as they are then, not as they were.
    devices: BTreeSet<Box<str>>,
    /// Phones whose seats are to be stored as they are then.
    seats: BTreeSet<Box<str>>,
    /// Agents, likewise.
    agents: BTreeSet<Box<str>>,
    /// Calls that go on, by session and number; as many as there can be calls.
    open: BTreeMap<(Arc<str>, Arc<str>), Arc<OpenCall>>,
    retry: Option<Mono>,
}

impl Backlog {
    pub(crate) fn is_empty(&self) -> bool {
        let few = self.devices.is_empty() && self.open.is_empty() && self.seats.is_empty();
        let few = few && self.messages.is_empty() && self.agents.is_empty();
        few && self.records.is_empty() && self.facts.is_empty() && self.taps.is_empty()
    }

    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.retry
    }

    /// Keeps what can be kept; the oldest records give way.
    fn keep(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Record(record) => {
                    self.open.remove(&(record.session_id.clone(), record.dialled.clone()));
                    if self.records.len() >= limits::BACKLOG {
                        self.records.pop_front();
                    }
                    self.records.push_back(record);
                }
                Change::Bindings { device, .. } => {
                    self.devices.insert(device);
                }
                Change::Seat { device, .. } => {
                    self.seats.insert(device);
                }
                Change::Agent { account, .. } => {
                    self.agents.insert(account);
                }
                Change::OpenCall(open) => {
                    self.open.insert((open.session_id.clone(), open.dialled.clone()), open);
                }
                Change::Fact(fact) => {
                    if self.facts.len() >= limits::BACKLOG_FACTS {
                        self.facts.pop_front();
                    }
                    self.facts.push_back(fact);
                }
                Change::Tap(tap) => {
                    if self.taps.len() >= limits::BACKLOG_TAPS {
                        self.taps.pop_front();
                    }
                    self.taps.push_back(tap);
                }
                // Whoever asked for it was told that it is not done; bounds of counters are asked for again.
                Change::People(_)
                | Change::BindingsElsewhere { .. }
                | Change::TapCounter { .. }
                | Change::ForgetTaps { .. }
                | Change::Task(_)
                | Change::List(_) => {}
                Change::Message(message) => {
                    if self.messages.len() >= limits::BACKLOG_MESSAGES {
                        self.messages.pop_front();
                    }
                    self.messages.push_back(message);
                }
            }
        }
    }
}

impl Exchange {
    /// Keeps changes that nobody was promised for later.
    pub(crate) fn store_later(&mut self, now: Now, changes: Vec<Change>) {
        for change in &changes {
            if let Change::TapCounter { issue, .. } = change {
                self.badges.counters.not_kept(*issue);
            }
        }
        let journal = &self.journal;
        let stands = |change: &Change| !matches!(change, Change::OpenCall(open) if !journal.holds(open));
        self.backlog.keep(changes.into_iter().filter(stands).collect());
        self.retry_store_later(now);
    }

    /// Hands the bindings of devices to the store as they are now, in parts.
    pub(crate) fn store_devices_anew(&mut self, now: Now, devices: Vec<Box<str>>) {
        // Web phones are in memory alone.
        self.backlog.devices.extend(devices.into_iter().filter(|device| !is_web_name(device)));
        self.store_backlog(now);
    }

    /// The store is away: it is asked again after a while, even if nothing waits for it.
    fn retry_store_later(&mut self, now: Now) {
        self.backlog.retry.get_or_insert(now.mono + limits::STORE_RETRY);
    }

    /// The time has come to ask the store again.
    pub(crate) fn retry_store(&mut self, now: Now) {
        if self.backlog.retry.is_none_or(|when| when > now.mono) {
            return;
        }
        self.backlog.retry = None;
        self.store_ready = true;
        self.store_backlog(now);
    }

    /// Hands a part of the backlog to the store; its answer brings the next.
    pub(crate) fn store_backlog(&mut self, now: Now) {
        if self.backlog.is_empty() || self.backlog.retry.is_some() {
            return;
        }
        let records = self.backlog.records.len().min(limits::BACKLOG_PART);
        let mut changes: Vec<Change> = self.backlog.records.drain(..records).map(Change::Record).collect();
        let facts = self.backlog.facts.len().min(limits::BACKLOG_PART - changes.len());
        changes.extend(self.backlog.facts.drain(..facts).map(Change::Fact));
        let taps = self.backlog.taps.len().min(limits::BACKLOG_PART - changes.len());
        changes.extend(self.backlog.taps.drain(..taps).map(Change::Tap));
        let messages = self.backlog.messages.len().min(limits::BACKLOG_PART - changes.len());
        changes.extend(self.backlog.messages.drain(..messages).map(Change::Message));
        while changes.len() < limits::BACKLOG_PART
            && let Some(device) = self.backlog.devices.pop_first()
        {
            changes.push(self.bindings_change(now, &device));
        }
        while changes.len() < limits::BACKLOG_PART
            && let Some(device) = self.backlog.seats.pop_first()
        {
            // As it is now, not as it was.
            let seat = self.seats.at(&device).cloned();
            changes.push(Change::Seat { device, seat });
        }
        while changes.len() < limits::BACKLOG_PART
            && let Some(account) = self.backlog.agents.pop_first()
        {
            changes.push(self.agent_change(now, &account));
        }
        while changes.len() < limits::BACKLOG_PART
            && let Some((_, open)) = self.backlog.open.pop_first()
        {
            if self.journal.holds(&open) {
                changes.push(Change::OpenCall(open));
            }
        }
        self.commit(now, changes, Promise::Nothing);
    }
}
