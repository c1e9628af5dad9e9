//! Draining: no new calls, while those that are up go on until they end. Registrations, texts and watchers stay.

use crate::exchange::Exchange;
use crate::limits;

impl Exchange {
    /// From now on new calls are refused with 503 and Retry-After, but for emergencies (R31); there is no way back.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether a new call is refused for want of room: we drain, or too many are up. Emergencies do not ask (R31).
    pub(crate) fn refuses_new_calls(&self) -> bool {
        self.draining || self.is_full()
    }

    /// Whether there are as many calls as there may be.
    pub(crate) fn is_full(&self) -> bool {
        self.switch.load().0 >= limits::CALLS
    }
}
