//! A caller who waits for somebody of ours: told so by 182, and later answered by us, with the call still looking for the
//! one who takes it (R8).
//!
//! ```text
//! before   caller --- [rings: 1]          the caller's INVITE has no final response
//! waits    caller --- us   [rings: 1, 2]  200, and a service speaks to the caller; branches come and go unheard
//! answered caller <-----> 2               an ordinary call of two who talk
//! ```
//! Somebody who talks may come to wait, too: the other side sends them on and is out.

use crate::call::{Stage, Why};
use crate::leg::{CallId, Leg, LegId, LegState};
use crate::reach::Own;
use crate::switch::Switch;
use clock::Now;
use media::Codec;

/// What a phone is told that sent its call on to where it waits.
const SENT_ON: &str = "SIP;cause=200;text=\"Transferred\"";

impl Switch {
    /// Tells a caller that the call waits (RFC 3261 21.1.3); a phone that rings later is told by 180 all the same.
    pub fn caller_waits(&mut self, now: Now, call: CallId) {
        self.caller_rings(now, call, 182);
    }

    /// The same, with the caller's place: 1 is next. Told anew whenever it is another, until a phone rings.
    pub fn caller_waits_at(&mut self, now: Now, call: CallId, place: u32) {
        let Some(caller) = self.calls.get(call).map(|call| call.caller) else { return };
        let Some(LegState::Incoming(waiting)) = self.legs.get_mut(caller).map(|leg| &mut leg.state) else {
            return;
        };
        let silent = matches!(waiting.progress, 100 | 182) && !waiting.answered_early;
        if !silent || waiting.place == Some(place) {
            return;
        }
        (waiting.place, waiting.progress) = (Some(place), 182);
        self.caller_told(now, call);
        self.send_progress(now, caller, 182, None);
    }

    /// Answers a caller for whom nobody answered yet; what they hear is said by [`Switch::say`]. False when that cannot
    /// be now: a phone is heard before its answer, or the call is past waiting.
    pub fn answer_to_wait(&mut self, now: Now, call: CallId) -> bool {
        let waits = |entry: &&crate::call::Call| entry.stage == Stage::Reaching && entry.own.is_none();
        let Some(entry) = self.calls.get(call).filter(waits) else { return false };
        let (caller, heard) = (entry.caller, entry.heard.is_some());
        let Some(LegState::Incoming(waiting)) = self.legs.get(caller).map(|leg| &leg.state) else {
            return false;
        };
        let unsure = waiting.reliable.as_ref().is_some_and(sip::reliable::Sender::is_waiting);
        if heard || unsure || waiting.answer_waits {
            return false;
        }
        self.caller_told(now, call);
        // R3: music and words are in one of ours.
        if !self.bring_caller_up(now, caller, &Codec::OURS) {
            return false;
        }
        if let Some(entry) = self.calls.get_mut(call) {
            entry.own = Some(Own::waiting());
        }
        self.silence(caller);
        self.arm_session(now, caller);
        true
    }
    /// One side of a talk leaves by a transfer, and the other waits with us for somebody: it is the caller from now on, and
    /// hears what [`Switch::say`] says. False when there are no two who talk.
    pub fn wait_without(&mut self, now: Now, call: CallId, old: LegId) -> bool {
        let Some(other) = self.peer_of(old).filter(|_| !self.is_replacing(call)) else { return false };
        let up = |leg: &Leg| matches!(leg.state, LegState::Up(_));
        if !self.legs.get(other).is_some_and(up) {
            return false;
        }
        let Some(entry) = self.calls.get_mut(call) else { return false };
        entry.branches.retain(|branch| *branch != other);
        if !entry.branches.contains(&old) {
            entry.branches.push(old);
        }
        entry.caller = other;
        entry.stage = Stage::Reaching;
        (entry.heard, entry.best_failure, entry.why) = (None, None, Why::default());
        let task = entry.own.and_then(|own| own.task);
        let mut own = Own::waiting();
        own.task = task;
        entry.own = Some(own);
        if let Some(timer) = entry.ring_limit.take() {
            self.timers.cancel(timer);
        }
        if let Some(leg) = self.legs.get_mut(other) {
            leg.of_caller = true;
        }
        self.silence(other);
        self.tell_referrer(now, old, 200);
        self.end_answered(now, old, SENT_ON);
        true
    }
}
