//! What the automatic return is for (S0.18): the same callers, and fewer who give up.

use testkit::day::{Return, day};

#[test]
fn s0_18_with_the_automatic_return_fewer_callers_are_missed_and_they_wait_less() {
    let automatic = day(1, Return::Automatic).unwrap_or_else(|failure| panic!("{failure}"));
    let by_hand = day(1, Return::ByHand).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(automatic.offered, by_hand.offered, "the same callers");
    assert!(automatic.offered > 600, "a day has many callers: {automatic:?}");
    assert!(2 * automatic.abandoned < by_hand.abandoned, "{automatic:?} against {by_hand:?}");
    let mean = |counts: &exchange::QueueCounts| counts.waited / counts.answered.max(1) as u32;
    assert!(mean(&automatic) < mean(&by_hand), "{automatic:?} against {by_hand:?}");
    assert!(automatic.service_level() > by_hand.service_level());
}
