//! Ending: each leg in the way its state demands, one record a call, and no leg that outlives its cause.

use crate::call::Stage;
use crate::cause::Cause;
use crate::leg::{self, CallId, LegId, LegState, Role};
use crate::limits::CLOSING;
use crate::switch::{Action, Switch};
use crate::timers::Wake;
use clock::Now;
use wire::sip::{HeaderName, Method};

/// What a leg is told that was to take a side over and seems to be gone.
const LOST: &str = "SIP;cause=408;text=\"Lost\"";

impl Switch {
    /// Refuses a call that nobody answered yet; `detail` is for the record.
    pub fn reject(&mut self, now: Now, call: CallId, cause: Cause, detail: &str) {
        if let Some(entry) = self.calls.get_mut(call) {
            entry.detail = detail.into();
        }
        self.hang_up(now, call, cause);
    }

    /// Ends a call, whatever its stage.
    pub fn hang_up(&mut self, now: Now, call: CallId, cause: Cause) {
        let Some(entry) = self.calls.get_mut(call) else { return };
        if entry.stage == Stage::Over {
            return;
        }
        entry.stage = Stage::Over;
        let caller = entry.caller;
        let waits = self.legs.get(caller).is_some_and(|leg| matches!(leg.state, LegState::Incoming(_)));
        if waits {
            // Somebody answered, and the 200 still waits for a PRACK: the caller never had an answer.
            entry.answered = None;
        }
        // Whoever waited with us was answered, by nobody.
        let waited = entry.own.is_some_and(|own| own.waits) && !waits;
        let status = match (entry.answered, cause.status()) {
            (Some(_), _) => 200,
            (None, _) if waited => 200,
            (None, 200..300) => 480,
            (None, status) => status,
        };
        if let Some(timer) = entry.ring_limit.take() {
            self.timers.cancel(timer);
        }
        if let Some(taking) = entry.taking.take() {
            self.timers.cancel(taking.timer);
        }
        // Whoever was to take a side over takes nothing over any more.
        if let Some(timer) = entry.replacing.take().and_then(|replacing| replacing.timer()) {
            self.timers.cancel(timer);
        }
        let record = entry.record(call, now, cause, status);
        let branches = entry.branches.clone();
        self.emit_record(record);
        self.count(false);
        for branch in branches {
            self.end_leg(now, branch, cause, status);
        }
        self.end_leg(now, caller, cause, status);
        self.forget_call_if_empty(call);
    }

    /// A leg's peer is gone: its leg ends, and the call with it.
    pub(crate) fn end_leg_and_call(&mut self, now: Now, id: LegId, cause: Cause) {
        let Some(leg) = self.legs.get(id) else { return };
        let call = leg.call;
        let over = self.calls.get(call).is_none_or(|call| call.stage == Stage::Over);
        if over {
            self.forget_leg(id);
        } else if self.new_side_left(now, id) || self.moved_away(now, id) {
            self.end_answered(now, id, LOST);
        } else {
            self.hang_up(now, call, cause);
        }
    }

    fn end_leg(&mut self, now: Now, id: LegId, cause: Cause, status: u16) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        match &mut leg.state {
            LegState::Incoming(_) => {
                let reason = format!("SIP;cause={status};text=\"{}\"", cause.name());
                self.reject_caller(now, id, status, Some(&reason));
            }
            LegState::Outgoing(_) => {
                let reason = match cause {
                    Cause::Cancelled => "SIP;cause=487;text=\"Caller gave up\"".to_owned(),
                    _ => format!("SIP;cause={status};text=\"{}\"", cause.name()),
                };
                self.remove_branch(now, id, Some(&reason));
            }
            LegState::Up(up) => {
                // RFC 3261 15: the callee's side may not send BYE before its ACK has come.
                if up.unacknowledged.is_some() && leg.role == Role::Caller {
                    up.end_after_ack = true;
                    self.silence(id);
                } else {
                    self.send_bye(now, id, Some(&format!("SIP;cause=200;text=\"{}\"", cause.name())));
                }
            }
            LegState::Cancelled(_) | LegState::Ended => {}
        }
    }

    /// Ends an answered leg from our side; `reason` is a Reason header value.
    pub(crate) fn send_bye(&mut self, now: Now, id: LegId, reason: Option<&str>) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        leg.state = LegState::Ended;
        let headers: Vec<(HeaderName, &str)> =
            reason.iter().map(|reason| (HeaderName::Reason, *reason)).collect();
        self.request_in_dialog(now, id, Method::Bye, &headers, None);
        self.silence(id);
        self.arm(now, id, CLOSING, Wake::Closing(id));
    }

    /// Forgets a leg: its port is free again, and its call when it was the last.
    pub(crate) fn forget_leg(&mut self, id: LegId) {
        self.disarm(id);
        let Some(leg) = self.legs.remove(id) else { return };
        if let Some(timer) = leg.lost {
            self.timers.cancel(timer);
        }
        self.actions.push_back(Action::ReleaseMedia { lease: leg.lease, leg: leg::media_key(id) });
        self.ports.give_back(leg.lease);
        let mut deaf = None;
        if let Some(call) = self.calls.get_mut(leg.call) {
            call.branches.retain(|&branch| branch != id);
            deaf = Some(call.caller);
        }
        // Who heard this leg hears nothing until somebody else speaks.
        let heard = media::Source::Leg(leg::media_key(id));
        if let Some(caller) = deaf
            && self.legs.get(caller).is_some_and(|caller| caller.source == heard)
        {
            self.silence(caller);
        }
        self.forget_call_if_empty(leg.call);
    }

    pub(crate) fn forget_call_if_empty(&mut self, call: CallId) {
        let Some(entry) = self.calls.get(call) else { return };
        let empty = entry.branches.is_empty() && !self.legs.contains_key(entry.caller);
        if entry.stage == Stage::Over && empty {
            self.calls.remove(call);
        }
    }
}
