//! The second tap: what the first one took rings again where it rang, for whoever is there.

use crate::exchange::Exchange;
use crate::limits;
use calls::CallId;
use clock::Now;
use sip::subscription::DialogState;

/// What a phone is told that took a call and gives it back.
const GIVEN_BACK: &str = "SIP;cause=480;text=\"Another call is taken\"";

impl Exchange {
    /// A call that was taken at a phone rings again at the other phones of its owner.
    pub(super) fn give_back(&mut self, now: Now, account: &str, device: &str, call: CallId) {
        self.seats.asked.remove(&call);
        let Some(ongoing) = self.ongoing.call(call) else { return };
        let (callee, talks) = (ongoing.callee.clone(), ongoing.state == DialogState::Confirmed);
        if talks {
            let Some((_, called)) = self.switch.sides(call) else { return };
            if self.switch.label(called) != Some(device) || !self.switch.let_go(now, call, called, GIVEN_BACK)
            {
                return;
            }
            self.switch.limit_ringing(now, call, limits::RETURNS);
        } else {
            self.switch.stop_ringing(now, call, device, GIVEN_BACK);
        }
        let ringing = self.ring_account(now, call, account, &callee, Some(device));
        self.note_call(now, call, "take.other", format!("{account} takes another call at {device}"));
        if ringing == 0 {
            self.switch.look_for_others(call);
        }
    }
}
