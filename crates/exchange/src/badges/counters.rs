//! Counters of secure badges: what was heard counts no more, and most taps do not wait for the disk to be sure of it (R21).
//!
//! ```text
//! 1 ........ heard | heard + 1 ..... bound | bound + 1 ........
//! told before      | counts at once        | counts when the store has a bound above it
//! ```
//!
//! The store has `bound`, written behind and well before it is reached. After a kill it is not known which counters up to
//! it were heard: the first tap among them asks for the PIN. An orderly end writes what was heard as the bound.

use super::badge::Issue;
use crate::change::Change;
use crate::limits;
use std::collections::BTreeMap;

/// All that are known, those that the store does not have yet among them.
#[derive(Debug, Default)]
pub(crate) struct Counters(BTreeMap<Issue, Counter>);

#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    /// The highest that was heard.
    heard: u32,
    /// No tap above it counts before the store has a higher one.
    bound: u32,
    /// The bound that was handed to the store last.
    asked: u32,
    /// Up to here it is not known what was heard before a kill; 0 when all is known.
    doubt: u32,
}

impl Counters {
    /// What the store had.
    pub(crate) fn restore(&mut self, issue: Issue, heard: u32, bound: u32) {
        let doubt = if bound > heard { bound } else { 0 };
        self.0.insert(issue, Counter { heard, bound, asked: bound, doubt });
    }

    pub(super) fn remove(&mut self, issue: &Issue) {
        self.0.remove(issue);
    }

    fn of(&self, issue: Issue) -> Counter {
        self.0.get(&issue).copied().unwrap_or_default()
    }

    /// Whether no tap with this counter, or a later one, was heard.
    pub(super) fn is_above(&self, issue: Issue, counter: u32) -> bool {
        counter > self.of(issue).heard
    }

    /// Whether a kill made it unknown if this counter was heard.
    pub(super) fn is_doubtful(&self, issue: Issue, counter: u32) -> bool {
        counter <= self.of(issue).doubt
    }

    /// Whether a tap with this counter could not be told again even after a kill.
    pub(super) fn is_bounded(&self, issue: Issue, counter: u32) -> bool {
        counter <= self.of(issue).bound
    }

    /// Its owner gave the PIN to a tap: the badge was in his hand, so no later counter was told before.
    pub(super) fn is_sure(&mut self, issue: Issue) {
        self.0.entry(issue).or_default().doubt = 0;
    }

    /// Takes a counter for one tap; the highest before it, or `None` if it is not above that.
    pub(super) fn raise(&mut self, issue: Issue, counter: u32) -> Option<u32> {
        let known = self.0.entry(issue).or_default();
        // A chip's counter is 1 at its first tap.
        (counter > known.heard).then(|| std::mem::replace(&mut known.heard, counter))
    }

    /// The tap with this counter did not count after all.
    pub(super) fn lower(&mut self, issue: Issue, counter: u32, before: u32) {
        if let Some(known) = self.0.get_mut(&issue).filter(|known| known.heard == counter) {
            known.heard = before;
        }
    }

    /// What is to be stored so that the counter heard last is bounded, and with a step those after it.
    pub(super) fn bounding(&mut self, issue: Issue, account: &str, step: u32) -> Change {
        let known = self.0.entry(issue).or_default();
        known.asked = known.asked.max(known.heard + step);
        Change::TapCounter { account: account.into(), issue, heard: known.heard, bound: known.asked }
    }

    /// The same, if it is time to do it behind.
    pub(super) fn bounding_ahead(&mut self, issue: Issue, account: &str) -> Option<Change> {
        let known = self.of(issue);
        let near = known.heard + limits::TAP_STEP / 2 > known.asked;
        near.then(|| self.bounding(issue, account, limits::TAP_STEP))
    }

    /// What is to be stored when the exchange ends in order: exactly what was heard. `None` if the store has it.
    pub(super) fn exactly(&mut self, issue: Issue, account: &str) -> Option<Change> {
        let known = self.0.get_mut(&issue)?;
        if known.doubt > 0 || known.asked == known.heard {
            return None;
        }
        known.bound = known.heard;
        known.asked = known.heard;
        Some(Change::TapCounter { account: account.into(), issue, heard: known.heard, bound: known.heard })
    }

    /// The store has this bound.
    pub(crate) fn kept(&mut self, issue: Issue, bound: u32) {
        if let Some(known) = self.0.get_mut(&issue) {
            // What an orderly end has lowered meanwhile stays low.
            known.bound = known.bound.max(bound.min(known.asked));
        }
    }

    /// The store did not take a bound: it is asked again at the next tap.
    pub(crate) fn not_kept(&mut self, issue: Issue) {
        if let Some(known) = self.0.get_mut(&issue) {
            known.asked = known.bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUE: Issue = Issue([1; 16]);

    fn bound(change: &Change) -> u32 {
        if let Change::TapCounter { bound, .. } = change { *bound } else { 0 }
    }

    #[test]
    fn r21_the_bound_is_raised_before_it_is_reached_and_counts_when_it_is_kept() {
        let mut counters = Counters::default();
        assert!(counters.raise(ISSUE, 1).is_some());
        let first = bound(&counters.bounding(ISSUE, "ada", limits::TAP_STEP));
        assert!(!counters.is_bounded(ISSUE, 1), "the store does not have it yet");
        counters.kept(ISSUE, first);
        assert!(counters.is_bounded(ISSUE, first) && !counters.is_bounded(ISSUE, first + 1));
        let mut raised = Vec::new();
        for counter in 2..=2 * limits::TAP_STEP {
            assert!(counters.is_bounded(ISSUE, counter), "{counter} does not wait");
            counters.raise(ISSUE, counter);
            if let Some(change) = counters.bounding_ahead(ISSUE, "ada") {
                raised.push(counter);
                counters.kept(ISSUE, bound(&change));
            }
        }
        assert_eq!(raised.len() as u32, 2 * 2 * limits::TAP_STEP / limits::TAP_STEP - 1, "{raised:?}");
    }

    #[test]
    fn r21_a_store_that_is_away_is_asked_again_at_the_next_tap() {
        let mut counters = Counters::default();
        counters.raise(ISSUE, 1);
        assert!(counters.bounding_ahead(ISSUE, "ada").is_some());
        counters.raise(ISSUE, 2);
        assert!(counters.bounding_ahead(ISSUE, "ada").is_none(), "it is on its way");
        counters.not_kept(ISSUE);
        assert!(counters.bounding_ahead(ISSUE, "ada").is_some());
    }

    #[test]
    fn r21_after_a_kill_what_may_have_been_heard_is_in_doubt_until_the_pin_was_given() {
        let mut counters = Counters::default();
        counters.restore(ISSUE, 5, 70);
        assert!(!counters.is_above(ISSUE, 5));
        assert!(counters.is_doubtful(ISSUE, 6) && counters.is_doubtful(ISSUE, 70));
        assert!(!counters.is_doubtful(ISSUE, 71), "the store would have a higher bound");
        assert!(counters.exactly(ISSUE, "ada").is_none(), "an orderly end does not end a doubt");
        counters.raise(ISSUE, 8);
        counters.is_sure(ISSUE);
        assert!(!counters.is_doubtful(ISSUE, 9) && !counters.is_above(ISSUE, 8));
        assert_eq!(counters.exactly(ISSUE, "ada").as_ref().map(bound), Some(8));
        counters.kept(ISSUE, 8);
        assert!(!counters.is_bounded(ISSUE, 9), "a tap that comes during the end waits for the store");
    }
}
