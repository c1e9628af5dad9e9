//! How late the core is (R17): for how long something has waited at its doors without a break.
//!
//! A turn that does not empty a door leaves the rest for the next. As long as turn after turn leaves something, work
//! piles up, and what waits is at most as old as that. Timers that run after their time, turn after turn, count as well;
//! one that is late once tells of a pause of the machine, which is over when it is seen.

use clock::Mono;
use exchange::limits;
use std::time::Duration;

/// When a line about lag goes into the log (R17).
const ALARM: Duration = Duration::from_millis(5);
/// Lines about lag are this far apart.
const QUIET: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(crate) struct Lag {
    /// Since when no turn has emptied all doors.
    waiting_since: Option<Mono>,
    left: bool,
    last: Duration,
    /// How late the timer of the turn before was.
    late: Duration,
    said: Option<Mono>,
}

impl Lag {
    /// This turn leaves something behind.
    pub(crate) fn left_waiting(&mut self) {
        self.left = true;
    }

    /// Whether the turn that was measured last left something behind.
    pub(crate) fn is_behind(&self) -> bool {
        self.waiting_since.is_some()
    }

    /// At the end of a turn: the lag, if it is not nothing or was not. `due` is when the next timer should run.
    pub(crate) fn measure(&mut self, now: Mono, due: Option<Mono>) -> Option<Duration> {
        let since = if self.left { Some(self.waiting_since.unwrap_or(now)) } else { None };
        self.waiting_since = since;
        self.left = false;
        let waiting = since.map(|since| now.since(since)).unwrap_or_default();
        let late = due.map(|due| now.since(due)).unwrap_or_default();
        let lag = waiting.max(late.min(std::mem::replace(&mut self.late, late)));
        let changed = lag > Duration::ZERO || self.last > Duration::ZERO;
        self.last = lag;
        if lag >= ALARM && self.said.is_none_or(|said| now.since(said) >= QUIET) {
            self.said = Some(now);
            tracing::warn!(
                milliseconds = lag.as_millis(),
                refused_beyond = limits::LATE.as_millis(),
                "the core is late; later still, new calls are refused"
            );
        }
        changed.then_some(lag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r17_lag_is_the_time_since_the_doors_were_last_empty() {
        let mut lag = Lag::default();
        let at = |millis: u64| Mono(millis * 1_000);
        assert_eq!(lag.measure(at(1), None), None);
        let mut measured = Vec::new();
        for millis in [10, 20, 30, 40] {
            if millis < 40 {
                lag.left_waiting();
            }
            measured.push(lag.measure(at(millis), None));
            assert_eq!(lag.is_behind(), millis < 40);
        }
        let millis = |count| Some(Duration::from_millis(count));
        assert_eq!(measured, [None, millis(10), millis(20), millis(0)]);
        assert_eq!(lag.measure(at(50), None), None);
        assert_eq!(lag.measure(at(60), Some(at(20))), None, "a pause");
        assert_eq!(lag.measure(at(61), None), None, "which is over");
        assert_eq!(lag.measure(at(70), Some(at(60))), None);
        assert_eq!(lag.measure(at(75), Some(at(72))), millis(3), "timers are late");
        assert_eq!(lag.measure(at(80), Some(at(71))), millis(3));
        assert_eq!(lag.measure(at(81), None), millis(0));
    }
}
