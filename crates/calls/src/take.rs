//! A call that rings is taken to one phone, because the one it is for is there (R5).
//!
//! ```text
//! before    caller --- [rings: 1, 2]
//! meanwhile caller --- [rings: 1, 2, and an INVITE to 3]     the caller hears nothing of it
//! 3 rings   caller --- [rings: 3]          1 and 2 get CANCEL; 3 answers, or the call ends as any other
//! 3 says no, or says nothing for 2 s:      1 and 2 ring on, and the floor above hears of it
//! ```

use crate::branch::Target;
use crate::call::{Call, CallEvent, Stage, Taking};
use crate::leg::{CallId, Leg, LegId, LegState};
use crate::limits::TAKE_LIMIT;
use crate::switch::Switch;
use crate::timers::Wake;
use clock::Now;
use media::{Source, Tone};

/// What a phone is told whose ringing was taken to another: nothing was missed there (RFC 3326).
pub(crate) const TAKEN: &str = "SIP;cause=200;text=\"Call taken at another phone\"";
/// What a phone is told that was to take a call and did not even ring.
const DID_NOT_RING: &str = "SIP;cause=408;text=\"No response\"";

impl Switch {
    /// Rings one more device, which takes the call from all others once it rings or answers. The floor above hears
    /// [`CallEvent::Taken`] or [`CallEvent::NotTaken`], or that it was answered. `None` when nothing rings there.
    pub fn take_ringing(&mut self, now: Now, call: CallId, target: Target) -> Option<LegId> {
        if self.calls.get(call)?.stage != Stage::Reaching && !self.is_let_go(call) {
            return None;
        }
        // What rings there already is in the way of a phone that is asked to answer by itself.
        let label = target.label.clone();
        self.stop_ringing(now, call, &label, TAKEN);
        let branch = self.add_branch(now, call, target)?;
        self.begin_taking(now, call, branch);
        Some(branch)
    }

    /// A device that rings already takes the call from all others.
    pub fn take_where_it_rings(&mut self, now: Now, call: CallId, device: &str) -> bool {
        let rings_anew = self.is_let_go(call);
        let Some(entry) = self.calls.get(call).filter(|entry| rings_anew || entry.stage == Stage::Reaching)
        else {
            return false;
        };
        let rings = |leg: &Leg| {
            *leg.label == *device
                && matches!(&leg.state, LegState::Outgoing(outgoing) if outgoing.progress >= 180)
        };
        let found = entry.branches.iter().copied().find(|id| self.legs.get(*id).is_some_and(rings));
        let Some(branch) = found else { return false };
        self.begin_taking(now, call, branch);
        self.taken_by(now, call, branch);
        true
    }

    /// Whether a call rings, or is about to ring, at a device.
    #[must_use]
    pub fn rings_at(&self, call: CallId, device: &str) -> bool {
        let waits = |leg: &Leg| *leg.label == *device && matches!(leg.state, LegState::Outgoing(_));
        let entry = self.calls.get(call);
        entry.is_some_and(|entry| {
            entry.branches.iter().any(|branch| self.legs.get(*branch).is_some_and(waits))
        })
    }

    /// Whether a device that a call rings at has said anything to it.
    #[must_use]
    pub fn is_heard(&self, call: CallId, device: &str) -> bool {
        let said = |leg: &Leg| {
            *leg.label == *device
                && matches!(&leg.state, LegState::Outgoing(outgoing) if outgoing.progress > 0)
        };
        let entry = self.calls.get(call);
        entry
            .is_some_and(|entry| entry.branches.iter().any(|branch| self.legs.get(*branch).is_some_and(said)))
    }

    /// Stops ringing at one device; whatever else rings goes on. True when it rang.
    pub fn stop_ringing(&mut self, now: Now, call: CallId, device: &str, reason: &str) -> bool {
        let branches = self.calls.get(call).map(|entry| entry.branches.clone()).unwrap_or_default();
        let waits = |leg: &Leg| *leg.label == *device && matches!(leg.state, LegState::Outgoing(_));
        let ringing: Vec<LegId> =
            branches.into_iter().filter(|branch| self.legs.get(*branch).is_some_and(waits)).collect();
        for branch in &ringing {
            self.end_taking(call, *branch);
            self.remove_branch(now, *branch, Some(reason));
            self.unheard(now, call, *branch);
        }
        !ringing.is_empty()
    }

    /// Stops ringing everywhere; the floor above rings others, or ends the call.
    pub fn stop_all_ringing(&mut self, now: Now, call: CallId, reason: &str) {
        self.cancel_ringing_but(now, call, LegId::default(), reason);
    }

    /// Nothing may ring for a call any more: the floor above is asked what now ([`CallEvent::Exhausted`]).
    pub fn look_for_others(&mut self, call: CallId) {
        self.report_if_exhausted(call);
    }

    fn begin_taking(&mut self, now: Now, call: CallId, branch: LegId) {
        let timer = self.timers.insert(now.mono + TAKE_LIMIT, Wake::TakeLimit(call));
        let Some(entry) = self.calls.get_mut(call) else { return };
        // Whoever took it before, and has not rung yet, is one of the others.
        if let Some(before) = entry.taking.replace(Taking { branch, timer }) {
            self.timers.cancel(before.timer);
        }
    }

    /// The branch takes the call no more, if it did. True when it did.
    pub(crate) fn end_taking(&mut self, call: CallId, branch: LegId) -> bool {
        let Some(entry) = self.calls.get_mut(call) else { return false };
        let Some(taking) = entry.taking.take_if(|taking| taking.branch == branch) else { return false };
        self.timers.cancel(taking.timer);
        true
    }

    /// A branch answered, if with something to talk with: the call is taken by it, or by nobody else any more.
    pub(crate) fn taking_is_over(&mut self, call: CallId, winner: LegId, won: bool) {
        let Some(branch) =
            self.calls.get(call).and_then(|entry| entry.taking.as_ref()).map(|taking| taking.branch)
        else {
            return;
        };
        let status = match (branch == winner, won) {
            (true, false) => 488,
            (false, true) => 200,
            (false, false) => return,
            (true, true) => {
                self.end_taking(call, branch);
                return;
            }
        };
        self.end_taking(call, branch);
        self.events.push_back(CallEvent::NotTaken { call, status });
    }

    /// A branch rings; if it is to take the call, all others stop now.
    pub(crate) fn taken_by(&mut self, now: Now, call: CallId, branch: LegId) {
        if !self.end_taking(call, branch) {
            return;
        }
        self.cancel_ringing_but(now, call, branch, TAKEN);
        self.events.push_back(CallEvent::Taken { call, leg: branch });
    }

    pub(crate) fn cancel_ringing_but(&mut self, now: Now, call: CallId, stays: LegId, reason: &str) {
        let others = self.calls.get(call).map(|entry| entry.branches.clone()).unwrap_or_default();
        for other in others.into_iter().filter(|other| *other != stays) {
            self.remove_branch(now, other, Some(reason));
            self.unheard(now, call, other);
        }
    }

    /// The phone that was to take the call said nothing at all.
    pub(crate) fn take_limit_reached(&mut self, now: Now, call: CallId) {
        let Some(taking) = self.calls.get_mut(call).and_then(|entry| entry.taking.take()) else { return };
        self.remove_branch(now, taking.branch, Some(DID_NOT_RING));
        self.events.push_back(CallEvent::NotTaken { call, status: 408 });
        self.report_if_exhausted(call);
    }

    /// A branch that the caller may have heard is out: another is heard, or the ring-back of ours, because what the
    /// caller was promised early cannot become silence.
    fn unheard(&mut self, now: Now, call: CallId, branch: LegId) {
        let heard = |entry: &&mut Call| entry.stage == Stage::Reaching && entry.heard == Some(branch);
        let Some(entry) = self.calls.get_mut(call).filter(heard) else { return };
        entry.heard = None;
        let caller = entry.caller;
        self.hear_another(now, call);
        if self.calls.get(call).is_some_and(|entry| entry.heard.is_none()) {
            self.hear(caller, Source::Tone(Tone::RingBack));
        }
    }
}
