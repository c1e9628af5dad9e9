//! What is remembered of one number over all users, tasks and reasons (R26). Times are seconds on the clock that never
//! jumps, so that a step of the wall clock neither gives a budget back nor takes it away.

use crate::cause::{Category, Finding, Outcome};
use crate::law::{Limits, Renewal};
use crate::limits;
use crate::task::AttemptId;

/// Seconds on the clock that never jumps; before our start they are negative.
pub(crate) type Seconds = i64;

pub(crate) const DAY: Seconds = 86_400;

/// The attempts at one number.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// When each attempt began, the oldest first; those that budgets still count.
    began: Vec<i32>,
    /// When the last one ended.
    ended: Option<i32>,
    /// What it came to.
    last: Option<Finding>,
    /// In a row without an answer.
    failures: u16,
    /// In a row with a permanent failure.
    permanent: u16,
    /// When somebody answered and nobody was there.
    abandoned: Option<i32>,
    /// The one attempt that may be in flight.
    in_flight: Option<AttemptId>,
}

impl History {
    pub(crate) fn in_flight(&self) -> Option<AttemptId> {
        self.in_flight
    }

    pub(crate) fn last(&self) -> Option<Finding> {
        self.last
    }

    pub(crate) fn failures(&self) -> u16 {
        self.failures
    }

    /// An attempt is claimed: it counts from now on.
    pub(crate) fn begin(&mut self, at: Seconds, attempt: AttemptId) {
        assert!(self.in_flight.is_none(), "one attempt in flight per number (R26)");
        self.in_flight = Some(attempt);
        // Exactly: most numbers are tried once or twice, and there may be a million of them.
        self.began.reserve_exact(1);
        self.began.push(small(at));
    }

    /// Others of the office called this number; what is in flight here goes on.
    pub(crate) fn elsewhere(&mut self, began: Seconds, ended: Seconds, finding: Finding) {
        let ours = self.in_flight.take().and_then(|attempt| Some((attempt, self.began.pop()?)));
        let place = self.began.partition_point(|other| Seconds::from(*other) <= began);
        self.began.insert(place, small(began));
        let known = (self.ended, self.last);
        self.finish(ended, finding);
        // What ended before our last one is no news but for the budgets.
        if known.0.is_some_and(|last| Seconds::from(last) > ended) {
            (self.ended, self.last) = known;
        }
        if let Some((attempt, at)) = ours {
            self.began.push(at);
            self.in_flight = Some(attempt);
        }
    }

    /// The call leaves: a commit took its time, and 24 hours count from here.
    pub(crate) fn leaves(&mut self, at: Seconds) {
        if let Some(began) = self.began.last_mut() {
            *began = small(at);
        }
    }

    /// When the last attempt began.
    pub(crate) fn began(&self) -> Option<Seconds> {
        self.nth_last(1)
    }

    /// The attempt in flight is over.
    pub(crate) fn finish(&mut self, at: Seconds, finding: Finding) {
        self.in_flight = None;
        match finding.outcome {
            Outcome::NotDialled => {
                self.began.pop();
                return;
            }
            Outcome::Answered | Outcome::Abandoned => (self.failures, self.permanent) = (0, 0),
            _ => {
                self.failures = self.failures.saturating_add(1);
                let permanent = finding.category == Category::Permanent;
                self.permanent = if permanent { self.permanent.saturating_add(1) } else { 0 };
            }
        }
        if finding.outcome == Outcome::Abandoned {
            self.abandoned = Some(small(at));
        }
        self.ended = Some(small(at));
        self.last = Some(finding);
    }

    /// A person asks for this number anew: what is over begins again, budgets and distances go on.
    pub(crate) fn asked_anew(&mut self, limits: &Limits) {
        if self.is_sequence_over(limits) && limits.renewal == Renewal::ByPerson {
            (self.failures, self.permanent) = (0, 0);
        }
    }

    pub(crate) fn is_sequence_over(&self, limits: &Limits) -> bool {
        self.failures >= limits.sequence || self.permanent >= limits.permanent
    }

    /// From when on the last attempt allows another. The line rests after an answer, too: somebody else may want them.
    pub(crate) fn spaced(&self, limits: &Limits, own: u32) -> Option<Seconds> {
        let (ended, last) = (self.ended?, self.last?);
        let gap = limits.gap(last.category, self.failures.max(1)).max(own);
        Some(Seconds::from(ended) + Seconds::from(gap))
    }

    /// From when on a sequence that is over may begin anew by itself.
    pub(crate) fn renews(&self) -> Option<Seconds> {
        self.ended.map(|ended| Seconds::from(ended) + DAY)
    }

    /// Forgets a sequence that was over and has been left alone for a day.
    pub(crate) fn renew(&mut self, now: Seconds, limits: &Limits) {
        let rested = self.renews().is_some_and(|renews| renews <= now);
        if rested && limits.renewal == Renewal::AfterDay && self.is_sequence_over(limits) {
            (self.failures, self.permanent) = (0, 0);
        }
    }

    /// Until when it is left alone because somebody answered into silence.
    pub(crate) fn rests(&self, limits: &Limits) -> Option<Seconds> {
        self.abandoned.map(|at| Seconds::from(at) + Seconds::from(limits.after_abandoned))
    }

    /// How many attempts began at or after a moment.
    pub(crate) fn since(&self, from: Seconds) -> usize {
        self.began.iter().filter(|began| Seconds::from(**began) >= from).count()
    }

    /// When the attempt began that is this many from the end.
    pub(crate) fn nth_last(&self, count: usize) -> Option<Seconds> {
        let at = self.began.len().checked_sub(count)?;
        self.began.get(at).map(|began| Seconds::from(*began))
    }

    /// Forgets what counts no more; whether anything is left to remember.
    pub(crate) fn forget(&mut self, now: Seconds, limits: &Limits) -> bool {
        let memory = i64::try_from(limits::MEMORY.as_secs()).unwrap_or(i64::MAX);
        let from = now - memory;
        // What waits for a store that has been away for so long counts all the same when it leaves.
        let ours = self.in_flight.and_then(|_| self.began.pop());
        self.began.retain(|began| Seconds::from(*began) >= from);
        self.began.extend(ours);
        if self.rests(limits).is_some_and(|rests| rests < now) {
            self.abandoned = None;
        }
        // A row that no day ends is remembered until a person ends it.
        let sequence = limits.renewal == Renewal::ByPerson && self.is_sequence_over(limits);
        !self.began.is_empty() || self.in_flight.is_some() || self.abandoned.is_some() || sequence
    }
}

/// Sixty-eight years before or after the start of the machine's clock.
fn small(at: Seconds) -> i32 {
    i32::try_from(at).unwrap_or(if at < 0 { i32::MIN } else { i32::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::{Profile, of};
    use crate::task::{Purpose, TaskId};

    fn attempt(history: &mut History, ordinal: u16, at: Seconds, outcome: Outcome) {
        history.begin(at, AttemptId { task: TaskId(1), ordinal });
        history.finish(at + 20, Finding::sure(outcome));
    }

    #[test]
    fn distances_grow_and_an_answer_ends_the_row() {
        let limits = of(Profile::Gsm, Purpose::Personal);
        let mut history = History::default();
        assert_eq!(history.spaced(limits, 0), None);
        for (ordinal, gap) in [(1, 5), (2, 60), (3, 60), (4, 60), (5, 180), (6, 180)] {
            attempt(&mut history, ordinal, 1_000, Outcome::Busy);
            assert_eq!(history.spaced(limits, 0), Some(1_020 + gap), "{ordinal}");
            assert_eq!(history.spaced(limits, 600), Some(1_620));
        }
        attempt(&mut history, 7, 1_000, Outcome::Answered);
        assert_eq!(history.failures(), 0);
        assert_eq!(history.since(1_000), 7);
    }

    #[test]
    fn r26_an_attempt_in_flight_is_not_forgotten_however_long_its_commit_takes() {
        let limits = of(Profile::Gsm, Purpose::Personal);
        let mut history = History::default();
        attempt(&mut history, 1, 0, Outcome::Busy);
        history.begin(100, AttemptId { task: TaskId(1), ordinal: 2 });
        assert!(history.forget(30 * DAY, limits));
        assert_eq!((history.since(0), history.began()), (1, Some(100)), "the one that is over is");
        history.leaves(30 * DAY);
        history.finish(30 * DAY + 20, Finding::sure(Outcome::Busy));
        assert_eq!(history.since(30 * DAY), 1);
    }

    #[test]
    fn a_row_that_is_over_rests_for_a_day_or_until_somebody_asks() {
        let gsm = of(Profile::Gsm, Purpose::Personal);
        let australia = of(Profile::Australia, Purpose::Personal);
        let mut history = History::default();
        for ordinal in 1..=15 {
            attempt(&mut history, ordinal, 1_000, Outcome::NoAnswer);
        }
        assert!(history.is_sequence_over(gsm) && history.is_sequence_over(australia));
        let mut rested = history.clone();
        rested.renew(1_020 + DAY, gsm);
        assert!(!rested.is_sequence_over(gsm));
        history.renew(1_020 + 9 * DAY, australia);
        assert!(history.is_sequence_over(australia), "not by itself");
        assert!(history.forget(1_020 + 9 * DAY, australia), "and it is not forgotten");
        history.asked_anew(australia);
        assert!(!history.is_sequence_over(australia));
        let mut vacant = History::default();
        attempt(&mut vacant, 1, 0, Outcome::Vacant);
        assert!(!vacant.is_sequence_over(gsm));
        attempt(&mut vacant, 2, 400, Outcome::Vacant);
        assert!(vacant.is_sequence_over(gsm));
    }

    #[test]
    fn what_never_left_the_house_does_not_count() {
        let gsm = of(Profile::Gsm, Purpose::Personal);
        let mut history = History::default();
        attempt(&mut history, 1, 1_000, Outcome::NotDialled);
        assert_eq!((history.since(0), history.failures(), history.last()), (0, 0, None));
        assert!(!history.forget(1_020, gsm));
        attempt(&mut history, 2, 1_000, Outcome::Lost);
        assert_eq!(history.since(0), 1);
        assert_eq!(history.nth_last(1), Some(1_000));
        assert!(history.forget(1_000 + 26 * 3600, gsm) && !history.forget(1_001 + 26 * 3600, gsm));
    }
}
