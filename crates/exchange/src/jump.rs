//! The wall clock jumped (R18). Everything that waits uses the other clock and does not notice; what the store has of
//! bindings says by the wall clock when they end, and is written anew, or a restart would end or prolong them all.

use crate::exchange::Exchange;
use crate::limits;
use clock::Now;

/// How far the wall clock was ahead of the other, when it was looked at last.
#[derive(Debug, Default)]
pub(crate) struct Lead {
    milliseconds: Option<i64>,
}

impl Lead {
    /// Whether the wall clock has jumped since the last look; slow drift is followed and is no jump.
    fn jumped(&mut self, now: Now) -> bool {
        let mono = i64::try_from(now.mono.0 / 1_000).unwrap_or(i64::MAX);
        let lead = now.wall.0.saturating_sub(mono);
        let known = *self.milliseconds.get_or_insert(lead);
        let least = i64::try_from(limits::JUMP.as_millis()).unwrap_or(i64::MAX);
        let jumped = lead.abs_diff(known) >= least.unsigned_abs();
        if jumped || known.abs_diff(lead) < least.unsigned_abs() / 10 {
            self.milliseconds = Some(lead);
        }
        jumped
    }
}

impl Exchange {
    /// Looks whether the wall clock jumped.
    pub(crate) fn look_at_clocks(&mut self, now: Now) {
        if self.lead.jumped(now) {
            let all = self.people.devices().map(|(name, _)| name);
            let devices = all.filter(|device| self.registrar.is_registered(device)).map(Box::from).collect();
            self.store_devices_anew(now, devices);
            self.seats.look_at_clock(now);
            self.background_wakes(now);
            self.agents_see_clock(now);
        }
    }
}
