//! A call that the exchange itself makes: one side is rung first and hears us, then the other side is rung.
//!
//! ```text
//! reach       nobody --- [rings: 1, 2]       branches are added as to any call
//! reached     1 --- us                       the first to answer is the call's only leg, and a service speaks to it
//! ring again  1 --- us     [rings: 3, 4]     branches are added for the other side
//! answered    1 <--------> 3                 an ordinary call of two who talk
//! ```
//! Whichever side comes first, it is the caller who called when the two talk: records, transfers and blame go by that.

use crate::branch::ANSWERED_ELSEWHERE;
use crate::call::{Call, CallEvent, Party, Stage, Why};
use crate::leg::{CallId, LegId, LegState};
use crate::switch::Switch;
use clock::Now;
use media::{Codec, Payload, Source, Tone};
use std::sync::Arc;

/// Which side of a call of our own is rung first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// The one who calls.
    Caller,
    /// The one who is called.
    Callee,
}

/// A call to make.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Who calls.
    pub caller: Party,
    /// The number that is called.
    pub dialled: Arc<str>,
    /// Our half of the Session-ID.
    pub session_id: Arc<str>,
    /// Who is rung first.
    pub first: First,
    /// Goes into the record.
    pub task: Option<u64>,
}

/// What makes a call one of our own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    first: First,
    pub(crate) task: Option<u64>,
    /// The other side is offered all that we could transcode to, beside the codec of the first (R4).
    offers_all: bool,
    /// The first side hears a service of ours until the other answers, whatever rings meanwhile.
    pub(crate) waits: bool,
}

impl Own {
    /// A caller whom we answered, and who waits for somebody.
    pub(crate) fn waiting() -> Own {
        Own { first: First::Caller, task: None, offers_all: true, waits: true }
    }
}

impl Switch {
    /// Makes a call that has no leg yet; add branches.
    pub fn reach(&mut self, now: Now, reach: Reach) -> CallId {
        let Reach { caller, dialled, session_id, first, task } = reach;
        self.count(true);
        self.calls.insert(Call {
            // Nobody waits to be told something.
            told: true,
            own: Some(Own { first, task, offers_all: false, waits: false }),
            ..Call::begins(now, LegId::default(), caller, dialled, session_id)
        })
    }

    /// The other side of a call of our own is offered more than the one codec that the first side speaks (R4).
    pub fn offer_all_codecs(&mut self, call: CallId) {
        if let Some(own) = self.calls.get_mut(call).and_then(|entry| entry.own.as_mut()) {
            own.offers_all = true;
        }
    }

    /// Whether the first side of a call of our own has answered, and the other has not.
    #[must_use]
    pub fn is_half_up(&self, call: CallId) -> bool {
        let entry = self.calls.get(call).filter(|entry| entry.stage == Stage::Reaching);
        entry.is_some_and(|entry| self.legs.get(entry.caller).is_some_and(crate::leg::Leg::is_up))
    }

    /// Who is behind the first side of a call of our own that waits for the other.
    #[must_use]
    pub fn first_side(&self, call: CallId) -> Option<&str> {
        let entry = self.calls.get(call).filter(|_| self.is_half_up(call))?;
        self.label(entry.caller)
    }

    /// The worker of a call's legs; `None` inside when the first of them may choose. Nothing when the leg is gone that
    /// the others were for.
    pub(crate) fn worker_of(&self, call: CallId, caller: LegId) -> Option<Option<u16>> {
        if let Some(leg) = self.legs.get(caller) {
            return Some(Some(leg.lease.worker));
        }
        let entry = self.calls.get(call).filter(|entry| entry.own.is_some())?;
        let mut others = entry.branches.iter().filter_map(|branch| self.legs.get(*branch));
        Some(others.next().map(|leg| leg.lease.worker))
    }

    /// What a branch of a call is offered: all that we could transcode from, or in a call of our own exactly what its
    /// first side speaks (R4).
    pub(crate) fn payloads_for(&self, call: CallId, caller: LegId) -> Vec<Payload> {
        let mut payloads = self.payloads_from(caller);
        let own = self.calls.get(call).and_then(|entry| entry.own);
        let narrow = own.is_some_and(|own| own.first == First::Callee && !own.offers_all);
        if narrow && self.legs.get(caller).is_some_and(|leg| leg.media.agreed().is_some()) {
            let mut first = true;
            payloads.retain(|payload| {
                std::mem::take(&mut first) || payload.codec.matches(&Codec::TELEPHONE_EVENT)
            });
        }
        payloads
    }

    /// A branch answered a call that nobody is in: it is the first side. False when it is not.
    pub(crate) fn first_side_answered(&mut self, now: Now, call: CallId, id: LegId) -> bool {
        let Some(entry) = self.calls.get_mut(call) else { return false };
        let Some(own) = entry.own.filter(|_| entry.caller == LegId::default()) else { return false };
        entry.branches.retain(|branch| *branch != id);
        entry.caller = id;
        (entry.best_failure, entry.why) = (None, Why::default());
        let called = own.first == First::Callee;
        if called {
            entry.answered = Some(now);
        }
        if let Some(timer) = entry.ring_limit.take() {
            self.timers.cancel(timer);
        }
        for branch in entry.branches.clone() {
            self.remove_branch(now, branch, Some(ANSWERED_ELSEWHERE));
        }
        if let Some(leg) = self.legs.get_mut(id) {
            leg.of_caller = !called;
            let label = leg.label.clone();
            if let Some(entry) = self.calls.get_mut(call).filter(|_| called) {
                entry.answered_by = label;
            }
        }
        self.arm_session(now, id);
        self.events.push_back(CallEvent::Reached { call });
        true
    }

    /// The other side answered: the caller is the one who called, whoever came first.
    pub(crate) fn sort_sides(&mut self, call: CallId, answered: LegId) {
        let Some(entry) = self.calls.get_mut(call) else { return };
        if entry.own.is_none_or(|own| own.first == First::Caller) {
            return;
        }
        let called = std::mem::replace(&mut entry.caller, answered);
        entry.branches.retain(|branch| *branch != answered);
        entry.branches.push(called);
        entry.stage = Stage::Talking { winner: Some(called) };
        if let Some(leg) = self.legs.get_mut(answered) {
            leg.of_caller = true;
        }
        let label = self.legs.get(called).map(|leg| leg.label.clone()).unwrap_or_default();
        if let Some(entry) = self.calls.get_mut(call) {
            entry.answered_by = label;
        }
    }

    /// Both sides of a call are up that we made: they hear each other.
    pub(crate) fn sides_meet(&mut self, now: Now, call: CallId) {
        let Some(entry) = self.calls.get(call).filter(|entry| entry.own.is_some()) else { return };
        let (caller, Stage::Talking { winner: Some(winner) }) = (entry.caller, entry.stage) else { return };
        if self.legs.get(caller).is_some_and(|leg| matches!(leg.state, LegState::Up(_))) {
            self.connect(now, caller, winner);
            self.align_codecs(now, call);
        }
    }

    /// The caller who was rung first hears that it rings at the other side; who is called hears what a service says.
    pub(crate) fn first_side_hears_ringing(&mut self, call: CallId) {
        if let Some(caller) = self.waiting_caller(call)
            && self.legs.get(caller).is_some_and(|leg| leg.source != Source::Tone(Tone::RingBack))
        {
            self.hear(caller, Source::Tone(Tone::RingBack));
        }
    }

    /// The same with what the other side's network says before the answer.
    pub(crate) fn first_side_hears(&mut self, now: Now, call: CallId, branch: LegId) {
        let Some(caller) = self.waiting_caller(call) else { return };
        if let Some(entry) = self.calls.get_mut(call) {
            entry.heard = Some(branch);
        }
        self.connect(now, caller, branch);
    }

    fn waiting_caller(&self, call: CallId) -> Option<LegId> {
        let entry = self.calls.get(call)?;
        let first = entry.own.is_some_and(|own| own.first == First::Caller && !own.waits);
        (first && entry.stage == Stage::Reaching && entry.heard.is_none()).then_some(entry.caller)
    }
}
