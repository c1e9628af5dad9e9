//! The flows below legs: a phone that comes back by another connection goes on with its calls, one that does not is
//! gone after a while (R7, R11).

use crate::Cause;
use crate::branch::Target;
use crate::leg::{CallId, Leg, LegId, LegState};
use crate::limits::FLOW_RETURN;
use crate::switch::Switch;
use crate::timers::Wake;
use clock::Now;
use media::Security;
use sip::Flow;

impl Switch {
    /// A stream is gone. Its answered legs wait for the phone to come back; media goes on meanwhile.
    pub fn flow_failed(&mut self, now: Now, flow: Flow) {
        let behind: Vec<LegId> = self
            .legs
            .iter()
            .filter(|(_, leg)| leg.flow == flow && leg.lost.is_none())
            .map(|(id, _)| id)
            .collect();
        for id in behind {
            match self.legs.get(id).map(|leg| &leg.state) {
                Some(LegState::Up(_)) => {
                    let timer = self.timers.insert(now.mono + FLOW_RETURN, Wake::FlowLost(id));
                    if let Some(leg) = self.legs.get_mut(id) {
                        leg.lost = Some(timer);
                    }
                }
                // Nobody can hear the answer any more.
                Some(LegState::Incoming(_)) => self.end_leg_and_call(now, id, Cause::Lost { caller: true }),
                _ => {}
            }
        }
        for leg in self.legs.values_mut() {
            if let LegState::Outgoing(outgoing) = &mut leg.state {
                outgoing.attempt.target.further.retain(|way| way.flow != flow);
            }
        }
        self.endpoint.flow_failed(flow);
        self.drain_endpoint(now);
    }

    /// A device is reached by a new flow: its legs that had lost theirs go on there. `same` says whether who is there
    /// now is who was at the lost flow: a device may be two phones.
    pub fn device_returned(&mut self, label: &str, flow: Flow, same: impl Fn(Flow) -> bool) {
        let clear = self.security_of(flow) == Security::Clear;
        for (_, leg) in self.legs.iter_mut().filter(|(_, leg)| *leg.label == *label && same(leg.flow)) {
            // R14: keys that were agreed under TLS never cross in clear.
            if clear && leg.has_keys() {
                continue;
            }
            if let Some(timer) = leg.lost.take() {
                self.timers.cancel(timer);
                leg.flow = flow;
            }
        }
    }

    /// A device that was reached by `old` is reached by `new` now, as after a NAT forgot its mapping.
    pub fn device_moved(&mut self, label: &str, old: Flow, new: Flow) {
        let clear = self.security_of(new) == Security::Clear;
        let moves = |leg: &&mut Leg| *leg.label == *label && leg.flow == old && !(clear && leg.has_keys());
        self.legs.values_mut().filter(moves).for_each(|leg| leg.flow = new);
    }

    /// A device is no more: calls in which it talks, or waits for an answer, end; where it rings, others go on
    /// ringing.
    pub fn device_gone(&mut self, now: Now, label: &str) {
        let legs: Vec<LegId> =
            self.legs.iter().filter(|(_, leg)| *leg.label == *label).map(|(id, _)| id).collect();
        for id in legs {
            let Some(leg) = self.legs.get(id) else { continue };
            let caller = leg.of_caller;
            let call = leg.call;
            match &leg.state {
                LegState::Up(_) | LegState::Incoming(_) => {
                    self.end_leg_and_call(now, id, Cause::SignedOut { caller });
                }
                LegState::Outgoing(_) => {
                    self.remove_branch(now, id, Some("SIP;cause=480;text=\"signed out\""));
                    if let Some(entry) = self.calls.get_mut(call) {
                        entry.note_failure(480);
                    }
                    self.report_if_exhausted(call);
                }
                LegState::Cancelled(_) | LegState::Ended => {}
            }
        }
    }

    /// Whether a call rings a device by one of its ways already, or did; if so, the branch may go on by the others (R11).
    pub fn rings(&mut self, call: CallId, target: &Target) -> bool {
        let branches = self.calls.get(call).map(|call| call.branches.clone()).unwrap_or_default();
        for id in branches {
            let Some(leg) = self.legs.get_mut(id).filter(|leg| leg.label == target.label) else { continue };
            let ways = target.ways();
            if !ways.iter().any(|way| way.flow == leg.flow) {
                continue;
            }
            if let LegState::Outgoing(outgoing) = &mut leg.state {
                outgoing.attempt.target.further =
                    ways.into_iter().filter(|way| way.flow != leg.flow).collect();
            }
            return true;
        }
        false
    }

    /// The phone did not come back in time.
    pub(crate) fn flow_lost(&mut self, now: Now, id: LegId) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        leg.lost = None;
        let caller = leg.of_caller;
        self.end_leg_and_call(now, id, Cause::Lost { caller });
    }
}
