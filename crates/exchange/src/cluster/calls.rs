//! The calls of the others: each exchange tells the others its own, so that lamps, pickup, agents' states and lists of calls
//! are those of the whole office, whoever has the call.
//!
//! ```text
//! a call changes --> 50 ms later all changes in one message, numbered --> the others' lamps, agents, consoles
//! a message was lost --> its number is missing --> that one is asked for all of its calls
//! ```
//! Nothing of a call is decided by what is told here: who wants to have one is carried to whoever has it ([`super::carry`]).

use super::{ClusterOutput, Member};
use crate::events::{CallEnd, CallName, CallState, LiveCall};
use crate::exchange::Exchange;
use crate::input::Output;
use crate::limits;
use crate::ongoing::{Ongoing, Reach};
use crate::park::lamp;
use crate::pickup::Pickups;
use crate::seats::Means;
use calls::{CallId, CallRecord, Cause, Party};
use clock::{Mono, Now, Wall};
use sip::subscription::DialogState;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

/// How long changes are gathered before the others are told.
const GATHERED: Duration = Duration::from_millis(50);
/// Calls in one message; more make more messages.
const IN_ONE: usize = 20;
/// Characters of a number or a name that the others are told: a message has an end, and strangers choose these.
const SHOWN: usize = 128;

/// A call, as its exchange tells the others of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldCall {
    /// Its number there.
    pub number: u64,
    /// Its Session-ID.
    pub session_id: Arc<str>,
    /// Where it stands.
    pub state: CallState,
    /// The same for lamps.
    pub dialog: DialogState,
    /// Who called.
    pub caller: ToldSide,
    /// Who is called, or talks.
    pub callee: ToldSide,
    /// When the INVITE came.
    pub started: Wall,
    /// When somebody answered.
    pub answered: Option<Wall>,
    /// An emergency (R31).
    pub emergency: bool,
    /// Its trunk, if it has one.
    pub trunk: Option<Box<str>>,
    /// On whose account it goes to the outside, if it does.
    pub payer: Option<Box<str>>,
    /// What is tried, or where it is.
    pub at: CallPlace,
    /// The accounts at whose phones it rings, who may answer it.
    pub rings_for: Vec<Box<str>>,
}

/// One side of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldSide {
    /// Who it is, or that this is not to be shown (R32).
    pub party: Party,
    /// Whose it is, a hidden caller's too.
    pub account: Option<Box<str>>,
    /// The phone.
    pub device: Option<Box<str>>,
}

/// Where a call is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallPlace {
    /// With a service of the exchange.
    Service,
    /// With a person, or somebody outside.
    Person,
    /// In a hunt group.
    Group(Box<str>),
    /// In a queue.
    Queue(Box<str>),
    /// It waits at this number.
    Parked(Box<str>),
}

/// What one tells of its calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallNews {
    /// Each message has the next number; all that belong to one whole have one.
    pub number: u64,
    /// Whatever was told before is forgotten.
    pub whole: bool,
    /// Calls that are new or changed.
    pub changed: Vec<ToldCall>,
    /// Calls that are over.
    pub ended: Vec<ToldEnd>,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldEnd {
    /// Its number there.
    pub number: u64,
    /// When.
    pub ended: Wall,
    /// Why.
    pub cause: Cause,
    /// The final status that the caller got.
    pub status: u16,
}

impl ToldCall {
    /// The accounts that take part.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &str> {
        let (caller, callee) = (self.caller.account.as_deref(), self.callee.account.as_deref());
        caller.into_iter().chain(callee.filter(|callee| caller != Some(callee)))
    }

    /// Whether an account called, rather than was called.
    pub(crate) fn is_of_caller(&self, account: &str) -> bool {
        self.caller.account.as_deref() == Some(account)
    }

    /// Whoever an account talks with.
    pub(crate) fn far_of(&self, account: &str) -> &ToldSide {
        if self.is_of_caller(account) { &self.callee } else { &self.caller }
    }

    /// Whether a phone is in it.
    pub(crate) fn is_at(&self, device: &str) -> bool {
        [&self.caller, &self.callee].iter().any(|side| side.device.as_deref() == Some(device))
    }

    /// Whether it can be answered, by those for whom it rings.
    pub(crate) fn rings(&self) -> bool {
        !self.rings_for.is_empty() && !self.emergency
    }

    /// Whether two people talk in it.
    pub(super) fn is_talk(&self) -> bool {
        let people = !matches!(self.at, CallPlace::Service | CallPlace::Parked(_));
        people && matches!(self.state, CallState::Talking | CallState::Held)
    }

    /// Whether it rings in a hunt group.
    pub(super) fn is_in_group(&self, name: &str) -> bool {
        matches!(&self.at, CallPlace::Group(group) if **group == *name)
    }

    /// The row of it in lists of calls, under the name that it has here.
    pub(crate) fn row(&self, id: CallId) -> LiveCall {
        let end = |side: &ToldSide| {
            let account = side.account.clone().filter(|_| !side.party.is_anonymous());
            let device = side.device.clone().filter(|_| account.is_some());
            let Party { number, name } = side.party.clone();
            CallEnd { number, name, account, device, heard: None }
        };
        LiveCall {
            name: CallName { session_id: self.session_id.clone(), call: id },
            state: self.state,
            caller: end(&self.caller),
            callee: end(&self.callee),
            started: self.started,
            answered: self.answered,
            emergency: self.emergency,
            trunk: self.trunk.clone(),
            accounts: self.accounts().map(Box::from).collect(),
        }
    }
}

fn cut(text: &str) -> Box<str> {
    text.chars().take(SHOWN).collect()
}

/// A call of another, as it is named here: no call of ours has that number, for ours were not begun so often.
pub(super) fn id_here(member: NonZeroU8, number: u64) -> CallId {
    CallId::of_number(number | u64::from(member.get()) << 56)
}

/// Whose call that is, and its number there.
pub(super) fn id_there(id: CallId) -> Option<(NonZeroU8, u64)> {
    let member = NonZeroU8::new((id.number() >> 56) as u8)?;
    Some((member, id.number() & (u64::MAX >> 8)))
}

/// The calls that others have.
#[derive(Debug, Default)]
pub(crate) struct CallsElsewhere {
    calls: BTreeMap<CallId, ToldCall>,
    by_account: BTreeMap<Box<str>, BTreeSet<CallId>>,
    /// The last message of each; none while all is asked for.
    heard: BTreeMap<NonZeroU8, Option<u64>>,
    /// The names by which phones that watch here may answer calls there (R32).
    pub(super) pickups: Pickups,
}

impl CallsElsewhere {
    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (CallId, &ToldCall)> {
        self.calls.iter().map(|(id, call)| (*id, call))
    }

    /// Those of an account.
    pub(crate) fn of(&self, account: &str) -> impl Iterator<Item = (CallId, &ToldCall)> {
        let calls = self.by_account.get(account).into_iter().flatten();
        calls.filter_map(|id| Some((*id, self.calls.get(id)?)))
    }

    /// Whether somebody talks there.
    pub(crate) fn talks(&self, account: &str) -> bool {
        self.of(account).any(|(_, call)| call.dialog == DialogState::Confirmed)
    }

    /// The call that waits at a number there.
    pub(crate) fn parked_at(&self, number: &str) -> Option<CallId> {
        let waits = |call: &ToldCall| matches!(&call.at, CallPlace::Parked(at) if **at == *number);
        self.calls.iter().find(|(_, call)| waits(call)).map(|(id, _)| *id)
    }

    pub(crate) fn call(&self, id: CallId) -> Option<&ToldCall> {
        self.calls.get(&id)
    }

    fn put(&mut self, id: CallId, call: ToldCall) -> Option<ToldCall> {
        let before = self.take(id);
        if self.calls.len() < limits::CALLS_ELSEWHERE {
            for account in call.accounts() {
                self.by_account.entry(account.into()).or_default().insert(id);
            }
            self.calls.insert(id, call);
        }
        before
    }

    fn take(&mut self, id: CallId) -> Option<ToldCall> {
        let call = self.calls.remove(&id)?;
        for account in call.accounts() {
            if let Some(calls) = self.by_account.get_mut(account) {
                calls.remove(&id);
                if calls.is_empty() {
                    self.by_account.remove(account);
                }
            }
        }
        Some(call)
    }
}

/// What the others were told of our calls.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    told: BTreeMap<CallId, ToldCall>,
    /// Calls that are new, as they began: one that is over in a moment is told all the same.
    begun: BTreeMap<CallId, ToldCall>,
    ended: BTreeMap<CallId, ToldEnd>,
    number: u64,
    due: Option<Mono>,
}

impl Telling {
    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.due
    }
}

impl Exchange {
    /// Calls that something happened to are told to the others in a moment.
    pub(crate) fn gather_news(&mut self, now: Now) {
        for call in self.ongoing.take_begun() {
            if let Some(row) = self.ongoing.call(call).and_then(|ongoing| self.told_call(call, ongoing)) {
                self.cluster.telling.begun.insert(call, row);
            }
        }
        if self.cluster.telling.due.is_none() && self.ongoing.has_news() {
            self.cluster.telling.due = Some(now.mono + GATHERED);
        }
    }

    /// A call ended: why, for those who were told of it.
    pub(crate) fn note_end_for_others(&mut self, record: &CallRecord) {
        let telling = &mut self.cluster.telling;
        if telling.told.contains_key(&record.call) || telling.begun.contains_key(&record.call) {
            let (number, ended) = (record.call.number(), record.ended);
            let end = ToldEnd { number, ended, cause: record.cause, status: record.status };
            telling.ended.insert(record.call, end);
        }
    }

    /// Tells the others what is gathered, when it is time.
    pub(crate) fn news_due(&mut self, now: Now) {
        if self.cluster.telling.due.is_some_and(|due| due <= now.mono) {
            self.tell_news(now);
        }
    }

    fn tell_news(&mut self, now: Now) {
        self.cluster.telling.due = None;
        let (mut changed, mut ended) = (Vec::new(), Vec::new());
        for call in self.ongoing.take_news() {
            let row = self.ongoing.call(call).and_then(|ongoing| self.told_call(call, ongoing));
            let telling = &mut self.cluster.telling;
            let begun = telling.begun.remove(&call);
            match row {
                Some(row) if telling.told.get(&call) != Some(&row) => {
                    telling.told.insert(call, row.clone());
                    changed.push(row);
                }
                Some(_) => {}
                None => {
                    let why = telling.ended.remove(&call);
                    let was_told = telling.told.remove(&call).is_some();
                    if let Some(row) = begun.clone().filter(|_| !was_told) {
                        changed.push(row);
                    }
                    if was_told || begun.is_some() {
                        let (number, cause) = (call.number(), Cause::NodeLost);
                        let unsaid = || ToldEnd { number, ended: now.wall, cause, status: cause.status() };
                        ended.push(why.unwrap_or_else(unsaid));
                    }
                }
            }
        }
        if changed.is_empty() && ended.is_empty() {
            return;
        }
        let mut ended = Some(ended);
        let mut parts: Vec<Vec<ToldCall>> = changed.chunks(IN_ONE).map(<[ToldCall]>::to_vec).collect();
        if parts.is_empty() {
            parts.push(Vec::new());
        }
        for changed in parts {
            self.cluster.telling.number += 1;
            let ended = ended.take().unwrap_or_default();
            let news = CallNews { number: self.cluster.telling.number, whole: false, changed, ended };
            self.tell_others(ClusterOutput::Calls { to: None, news });
        }
    }

    /// Tells one all of our calls.
    pub(super) fn tell_all_calls(&mut self, now: Now, to: NonZeroU8) {
        self.tell_news(now);
        let telling = &self.cluster.telling;
        let (number, calls): (u64, Vec<ToldCall>) =
            (telling.number, telling.told.values().cloned().collect());
        let mut parts: Vec<Vec<ToldCall>> = calls.chunks(IN_ONE).map(<[ToldCall]>::to_vec).collect();
        if parts.is_empty() {
            parts.push(Vec::new());
        }
        for (place, changed) in parts.into_iter().enumerate() {
            let news = CallNews { number, whole: place == 0, changed, ended: Vec::new() };
            self.tell_others(ClusterOutput::Calls { to: Some(to), news });
        }
    }

    pub(super) fn tell_others(&mut self, said: ClusterOutput) {
        self.outputs.push_back(Output::Cluster(Box::new(said)));
    }

    /// What the others are told of a call of ours; `None` when it is over.
    fn told_call(&self, call: CallId, ongoing: &Ongoing) -> Option<ToldCall> {
        let view = self.switch.view(call)?;
        let let_go = self.switch.is_let_go(call);
        let side = |party: &Party, account: &Option<Box<str>>, label: Option<&str>| ToldSide {
            party: Party::new(&cut(&party.number), &cut(&party.name)),
            account: account.clone(),
            device: label.filter(|label| self.people.device(label).is_some()).map(Box::from),
        };
        let at = match (&ongoing.reach, self.parked.number_of(call)) {
            (_, Some(number)) => CallPlace::Parked(number),
            (Reach::Service, None) => CallPlace::Service,
            (Reach::Group { name, .. }, None) => CallPlace::Group(name.clone()),
            (Reach::Queue { name }, None) => CallPlace::Queue(name.clone()),
            (Reach::Account | Reach::Elsewhere { .. } | Reach::Outside(_), None) => CallPlace::Person,
        };
        Some(ToldCall {
            number: call.number(),
            session_id: ongoing.session_id.clone(),
            state: match (view.talking && !let_go, view.held) {
                (false, _) => CallState::Ringing,
                (true, false) => CallState::Talking,
                (true, true) => CallState::Held,
            },
            dialog: ongoing.state,
            caller: side(&ongoing.caller, &ongoing.caller_account, view.caller),
            callee: side(&ongoing.callee, &ongoing.callee_account, view.callee),
            started: view.started,
            answered: view.answered,
            emergency: ongoing.emergency,
            trunk: ongoing.line.clone().or_else(|| ongoing.entry.clone()),
            payer: ongoing.line.as_ref().filter(|_| !ongoing.emergency).and(ongoing.payer.clone()),
            rings_for: self.answerable_by(call, ongoing, let_go, &at),
            at,
        })
    }

    fn answerable_by(&self, call: CallId, ongoing: &Ongoing, let_go: bool, at: &CallPlace) -> Vec<Box<str>> {
        let open = ongoing.state != DialogState::Confirmed || let_go;
        let taken_by_people = matches!(at, CallPlace::Person | CallPlace::Group(_) | CallPlace::Queue(_));
        if !open || !taken_by_people || ongoing.emergency || self.services.has(call) {
            return Vec::new();
        }
        let ringing = self.switch.labels(call).filter(|phone| self.switch.rings_at(call, phone));
        let people: BTreeSet<Box<str>> =
            ringing.filter_map(|phone| self.person_at(phone)).map(Box::from).collect();
        people.into_iter().collect()
    }

    /// One tells of its calls.
    pub(super) fn hear_news(&mut self, now: Now, from: NonZeroU8, news: CallNews) {
        let CallNews { number, whole, changed, ended } = news;
        let elsewhere = &mut self.cluster.elsewhere;
        let heard = elsewhere.heard.get(&from).copied();
        if whole {
            elsewhere.heard.insert(from, Some(number));
            let kept: BTreeSet<u64> = changed.iter().map(|call| call.number).collect();
            self.forget_calls_of(now, from, |number| !kept.contains(&number));
        } else if heard.flatten().is_some_and(|last| number == last || number == last + 1) {
            elsewhere.heard.insert(from, Some(number));
        } else {
            // Something of it was lost: what it has is asked for, once.
            if heard != Some(None) {
                elsewhere.heard.insert(from, None);
                self.tell_others(ClusterOutput::TellAll(from));
            }
            return;
        }
        for call in changed {
            let id = id_here(from, call.number);
            // What is told again was counted when it was told first.
            let payer = call.payer.clone().filter(|_| !whole);
            let before = self.cluster.elsewhere.put(id, call);
            if let Some(payer) = payer.filter(|_| before.as_ref().is_none_or(|call| call.payer.is_none())) {
                self.day_counts.count(now, &payer);
            }
            self.cluster.elsewhere.pickups.forget(id);
            self.call_elsewhere_changed(now, id, before);
        }
        for end in ended {
            let id = id_here(from, end.number);
            if let Some(before) = self.cluster.elsewhere.take(id) {
                self.cluster.elsewhere.pickups.forget(id);
                self.call_elsewhere_is_over(now, id, before, &end);
            }
        }
    }

    /// Nothing is known any more of some calls of one: they may be over.
    pub(super) fn forget_calls_of(&mut self, now: Now, member: NonZeroU8, gone: impl Fn(u64) -> bool) {
        let of_it = |id: &CallId| id_there(*id).is_some_and(|(of, number)| of == member && gone(number));
        let over: Vec<CallId> = self.cluster.elsewhere.calls.keys().filter(|id| of_it(id)).copied().collect();
        for id in over {
            let Some(before) = self.cluster.elsewhere.take(id) else { continue };
            self.cluster.elsewhere.pickups.forget(id);
            let cause = Cause::NodeLost;
            let end = ToldEnd { number: id.number(), ended: now.wall, cause, status: cause.status() };
            self.call_elsewhere_is_over(now, id, before, &end);
        }
    }

    /// Who the others are has changed. What one has to whom there is no way is not known until it says so again.
    pub(super) fn calls_of_members(&mut self, now: Now, before: &BTreeMap<NonZeroU8, Member>) {
        let reachable = |members: &BTreeMap<NonZeroU8, Member>| -> BTreeSet<NonZeroU8> {
            members.values().filter(|member| member.reachable).map(|member| member.number).collect()
        };
        let (was, is) = (reachable(before), reachable(&self.cluster.members));
        for lost in was.difference(&is) {
            self.cluster.elsewhere.heard.remove(lost);
            self.forget_calls_of(now, *lost, |_| true);
        }
        for found in is.difference(&was) {
            self.tell_all_calls(now, *found);
            self.tell_all_web_phones(now, *found);
            self.tell_others(ClusterOutput::TellAll(*found));
        }
    }

    fn call_elsewhere_changed(&mut self, now: Now, id: CallId, before: Option<ToldCall>) {
        let Some(after) = self.cluster.elsewhere.call(id).cloned() else { return };
        if before.as_ref() == Some(&after) {
            return;
        }
        if let Some(device) = after.caller.device.as_deref().filter(|_| after.emergency) {
            self.expect_call_back(now, device);
        }
        self.follow_elsewhere(now, before.as_ref(), Some(&after));
        self.tell_call_elsewhere(now, after.row(id));
    }

    fn call_elsewhere_is_over(&mut self, now: Now, id: CallId, before: ToldCall, end: &ToldEnd) {
        self.follow_elsewhere(now, Some(&before), None);
        self.tell_end_elsewhere(now, before.row(id), end);
    }

    /// Lamps, agents and tasks of those whom a call is about.
    fn follow_elsewhere(&mut self, now: Now, before: Option<&ToldCall>, after: Option<&ToldCall>) {
        let both = [before, after];
        let people: BTreeSet<Box<str>> =
            both.into_iter().flatten().flat_map(ToldCall::accounts).map(Box::from).collect();
        for account in people {
            self.ongoing.stir_account(&account);
            self.tell_watchers(now, &account);
            self.background_looks(now, &account);
        }
        let parked = |call: Option<&ToldCall>| match call.map(|call| &call.at) {
            Some(CallPlace::Parked(number)) => Some(number.clone()),
            _ => None,
        };
        let (was, is) = (parked(before), parked(after));
        if was != is {
            for number in was.into_iter().chain(is) {
                self.tell_watchers(now, &lamp(&number));
            }
        }
    }

    /// Somebody who may do so ends a call of another's. False when it is none.
    pub(crate) fn hang_up_elsewhere(&mut self, name: &CallName, who: &str) -> bool {
        let known = self.cluster.elsewhere.call(name.call);
        if known.is_none_or(|call| call.session_id != name.session_id) {
            return false;
        }
        let Some((to, number)) = id_there(name.call) else { return false };
        let call = CallName { call: CallId::of_number(number), session_id: name.session_id.clone() };
        self.tell_others(ClusterOutput::HangUp { to, call, who: who.into() });
        true
    }

    /// Somebody is identified at a phone, and a call of another's rings for them, or is the talk that they have: that one is told
    /// to bring it here. Whose it is, and whether it is a talk.
    pub(crate) fn take_from_others(
        &mut self,
        account: &str,
        device: &str,
        means: Means,
    ) -> Option<(Box<str>, bool)> {
        let elsewhere = &self.cluster.elsewhere;
        let rings = |(_, call): &(CallId, &ToldCall)| {
            call.rings() && call.rings_for.iter().any(|of| **of == *account) && !call.is_at(device)
        };
        let ringing = elsewhere.iter().filter(rings).min_by_key(|(_, call)| call.started);
        let talks =
            |(_, call): &(CallId, &ToldCall)| call.is_talk() && !call.emergency && !call.is_at(device);
        let talk = || elsewhere.of(account).filter(talks).max_by_key(|(_, call)| call.started);
        let (id, is_talk) = match ringing {
            Some((id, _)) => (id, false),
            None => (talk()?.0, true),
        };
        let (to, _) = id_there(id)?;
        let name = self.cluster.members.get(&to).filter(|member| member.reachable)?.name.clone();
        self.tell_others(ClusterOutput::Take { to, account: account.into(), device: device.into(), means });
        Some((name, is_talk))
    }

    /// A phone that watches here is told a name by which it may answer a call of another's, and so is that one (R32).
    pub(crate) fn name_pickup_elsewhere(&mut self, watch: u64, id: CallId, device: &str) -> Option<Box<str>> {
        let (to, call) = id_there(id)?;
        let endpoint = self.switch.endpoint();
        let name: Box<str> = format!("{:016x}{:016x}", endpoint.random(), endpoint.random()).into();
        if !self.cluster.elsewhere.pickups.name(watch, id, device, name.clone()) {
            return None;
        }
        let device = device.into();
        self.tell_others(ClusterOutput::MayPickUp { to, call, watch, device, name: name.clone() });
        Some(name)
    }

    /// A phone that watches at another may answer a call of ours by this name.
    pub(super) fn may_pick_up_by(
        &mut self,
        from: NonZeroU8,
        (call, watch): (u64, u64),
        device: &str,
        name: Box<str>,
    ) {
        let call = CallId::of_number(call);
        let rings = self.ongoing.call(call).is_some_and(|ongoing| ongoing.state != DialogState::Confirmed);
        if rings {
            // Watches are numbered by each exchange for itself.
            self.pickups.name(watch | u64::from(from.get()) << 56, call, device, name);
        }
    }
}
