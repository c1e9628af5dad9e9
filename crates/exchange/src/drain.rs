//! Draining: no new calls, while those that are up go on until they end. Registrations, texts and watchers stay.

use crate::exchange::Exchange;
use crate::limits;
use calls::{CallId, Cause};
use clock::Now;
use sip::Flow;

impl Exchange {
    /// From now on new calls are refused with 503 and Retry-After, but for emergencies (R31); there is no way back.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// The time of a drain is over: ends all calls but emergencies, which nothing times out (R31). Returns how many
    /// of those go on.
    pub fn end_drain(&mut self, now: Now) -> usize {
        let (emergencies, others): (Vec<_>, Vec<_>) =
            self.ongoing.iter().partition(|(_, ongoing)| ongoing.emergency);
        let others: Vec<CallId> = others.into_iter().map(|(call, _)| call).collect();
        let left = emergencies.len();
        for call in others {
            self.switch.hang_up(now, call, Cause::NodeLost);
        }
        self.settle(now);
        left
    }

    /// The exchange stops: all calls end with one record each, and the store gets what was to be written behind.
    pub fn close(&mut self, now: Now) {
        self.switch.abandon_all(now);
        self.make_counters_exact(now);
        self.settle(now);
    }

    /// Why a new call is refused for want of room: we drain, or too many are up. Emergencies do not ask (R31).
    pub(crate) fn refuses_new_calls(&self) -> Option<&'static str> {
        if self.draining {
            return Some("The exchange stops and takes no new calls");
        }
        self.is_full().then_some("Too many calls are up")
    }

    /// The same for a call that comes by this flow: to whom it is said, and who would find nobody, are let in for that.
    pub(crate) fn refuses_new_call_by(&self, flow: Flow) -> Option<&'static str> {
        let why = self.refuses_new_calls()?;
        let is_let_in = self.says_why_it_stops(flow) || self.is_still_called_by(self.trunk_of(flow));
        (!is_let_in).then_some(why)
    }

    /// A telephone of ours hears why we stop, before its 503; to everybody else the status says it.
    fn says_why_it_stops(&self, flow: Flow) -> bool {
        self.draining && !self.is_full() && self.device_at(flow).is_some()
    }

    /// Whether a call comes by a trunk at which we are registered until another is in our place: it would find nobody (R25).
    pub(crate) fn is_still_called_by(&self, trunk: Option<&str>) -> bool {
        self.draining && !self.is_full() && trunk.is_some() && self.has_registrations_to_leave()
    }

    fn is_full(&self) -> bool {
        self.switch.load().0 >= limits::CALLS
    }
}
