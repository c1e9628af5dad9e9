//! The one who called us takes a call, or a side of one: by a code, instead of by an INVITE of ours to their phone.
//!
//! ```text
//! before   caller --- [rings: 1, 2]      phone --- us (it dialled a code, or keyed a PIN)
//! after    caller <------> phone         1 and 2 get CANCEL; the call with us is over and has its own record
//! ```
//! It is the same race as by INVITE: whoever is first has the call, and the others learn why.

use crate::branch::ANSWERED_ELSEWHERE;
use crate::call::{CallEvent, Manner, Replacing, Stage};
use crate::leg::{CallId, LegId, LegState};
use crate::switch::Switch;
use clock::Now;
use media::Source;

impl Switch {
    /// The caller of `by`, who talks with us or waits, answers `call`, which rings. False when one of them cannot.
    pub fn adopt(&mut self, now: Now, by: CallId, call: CallId) -> bool {
        let Some(entry) = self.calls.get(call) else { return false };
        if entry.stage != Stage::Reaching {
            return false;
        }
        let caller = entry.caller;
        let Some(leg) = self.come_over(now, by, call, caller, false) else { return false };
        self.taking_is_over(call, leg, true);
        let label = self.label(leg).map(Box::<str>::from).unwrap_or_default();
        let Some(entry) = self.calls.get_mut(call) else { return false };
        entry.stage = Stage::Talking { winner: Some(leg) };
        entry.answered_by = label;
        if let Some(timer) = entry.ring_limit.take() {
            self.timers.cancel(timer);
        }
        self.events.push_back(CallEvent::Answered { call });
        self.cancel_losers(now, call, leg);
        self.answer_caller(now, call);
        true
    }

    /// The caller of `by` takes the place of one side of a talk, at once.
    pub fn adopt_side(&mut self, now: Now, by: CallId, call: CallId, old: LegId) -> bool {
        let Some(other) = self.peer_of(old).filter(|_| !self.is_replacing(call)) else { return false };
        let of_caller = self.calls.get(call).is_some_and(|entry| entry.caller == old);
        let Some(leg) = self.come_over(now, by, call, other, of_caller) else { return false };
        self.begin_replacing(call, old, Manner::Move { new: None, timer: None });
        self.take_over(now, call, leg);
        true
    }

    /// The caller of `by` takes the place of a side that let go of a talk ([`Switch::let_go`]).
    pub fn adopt_let_go(&mut self, now: Now, by: CallId, call: CallId) -> bool {
        let Some(Replacing { old, other, old_left: true, .. }) =
            self.calls.get(call).and_then(|entry| entry.replacing)
        else {
            return false;
        };
        let of_caller = self.calls.get(call).is_some_and(|entry| entry.caller == old);
        let Some(leg) = self.come_over(now, by, call, other, of_caller) else { return false };
        self.taking_is_over(call, leg, true);
        self.cancel_ringing_but(now, call, leg, ANSWERED_ELSEWHERE);
        self.take_over(now, call, leg);
        true
    }

    /// The caller's leg of `by` is one of `call` from now on; `by` is over.
    fn come_over(
        &mut self,
        now: Now,
        by: CallId,
        call: CallId,
        other: LegId,
        of_caller: bool,
    ) -> Option<LegId> {
        let entry = self.calls.get(by).filter(|entry| by != call && entry.branches.is_empty())?;
        let leg = entry.caller;
        if !matches!(entry.stage, Stage::Reaching | Stage::Talking { winner: None }) {
            return None;
        }
        if let LegState::Incoming(waiting) = &self.legs.get(leg)?.state
            && (waiting.answered_early || waiting.answer_waits || waiting.late_offer)
        {
            return None;
        }
        if !self.share_worker(now, other, leg) {
            return None;
        }
        self.answer_for(now, by, other);
        if !self.legs.get(leg)?.is_up() {
            return None;
        }
        self.end_in_favour(now, by, leg);
        let known = self.legs.get_mut(leg)?;
        (known.call, known.of_caller, known.source) = (call, of_caller, Source::Nothing);
        self.calls.get_mut(call)?.branches.push(leg);
        Some(leg)
    }

    /// Answers a caller who is about to hear `other`, in a codec that both take.
    fn answer_for(&mut self, now: Now, by: CallId, other: LegId) {
        let Some(entry) = self.calls.get_mut(by).filter(|entry| entry.stage == Stage::Reaching) else {
            return;
        };
        entry.stage = Stage::Talking { winner: None };
        let caller = entry.caller;
        let label = self.label(other).map(Box::<str>::from).unwrap_or_default();
        if let Some(entry) = self.calls.get_mut(by) {
            entry.answered_by = label;
        }
        self.events.push_back(CallEvent::Answered { call: by });
        let codecs = self.codecs_between(caller, other);
        self.answer_caller_in(now, by, &codecs);
    }
}
