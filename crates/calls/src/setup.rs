//! How long callers wait until they are told something: from the INVITE to the first 18x or 2xx.

use crate::leg::CallId;
use crate::switch::Switch;
use clock::Now;
use std::time::Duration;

/// How long callers waited, as a histogram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// Calls whose caller waited at most as long as the bound of the same place in [`Setup::BOUNDS_MS`]; the last
    /// counts all that waited longer.
    pub counts: [u64; 10],
    /// All waiting together.
    pub total: Duration,
}

impl Setup {
    /// The upper bounds of the counts, in milliseconds.
    pub const BOUNDS_MS: [u64; 9] = [5, 10, 25, 50, 100, 250, 500, 1_000, 5_000];

    fn observe(&mut self, waited: Duration) {
        let place = Setup::BOUNDS_MS.iter().position(|bound| waited <= Duration::from_millis(*bound));
        self.counts[place.unwrap_or(Setup::BOUNDS_MS.len())] += 1;
        self.total += waited;
    }
}

impl Switch {
    /// How long callers waited so far.
    #[must_use]
    pub fn setup(&self) -> Setup {
        self.setup
    }

    /// The caller is told something: counts, if it is the first time.
    pub(crate) fn caller_told(&mut self, now: Now, call: CallId) {
        let Some(entry) = self.calls.get_mut(call) else { return };
        if !std::mem::replace(&mut entry.told, true) {
            self.setup.observe(now.mono.since(entry.started.mono));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_fall_into_the_first_bound_that_holds_them() {
        let mut setup = Setup::default();
        for millis in [0, 5, 6, 100, 5_000, 60_000] {
            setup.observe(Duration::from_millis(millis));
        }
        assert_eq!(setup.counts, [2, 1, 0, 0, 1, 0, 0, 0, 1, 1]);
        assert_eq!(setup.total, Duration::from_millis(65_111));
    }
}
