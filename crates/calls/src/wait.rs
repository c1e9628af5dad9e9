//! A caller who waits for somebody of ours: told so by 182, and later answered by us, with the call still looking for the
//! one who takes it (R8).
//!
//! ```text
//! before   caller --- [rings: 1]          the caller's INVITE has no final response
//! waits    caller --- us   [rings: 1, 2]  200, and a service speaks to the caller; branches come and go unheard
//! answered caller <-----> 2               an ordinary call of two who talk
//! ```

use crate::call::Stage;
use crate::leg::{CallId, LegState};
use crate::reach::Own;
use crate::switch::Switch;
use clock::Now;
use media::Codec;

impl Switch {
    /// Tells a caller that the call waits (RFC 3261 21.1.3); a phone that rings later is told by 180 all the same.
    pub fn caller_waits(&mut self, now: Now, call: CallId) {
        self.caller_rings(now, call, 182);
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
}
