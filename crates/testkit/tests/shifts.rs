//! Random shifts of a call centre: two hundred agents, five queues, and whatever goes wrong.

use testkit::shift::{Size, shift, week};

#[test]
fn random_shifts_of_two_hundred_agents_break_no_checker() {
    match shift(1, Size::OFFICE) {
        Ok(summary) => assert!(summary.events > 10_000, "something happens in a shift"),
        Err(failure) => panic!("{failure}"),
    }
}

#[test]
fn show_3_a_week_of_two_hundred_agents_breaks_no_checker() {
    match week(2, Size::WORKING_DAY) {
        Ok(summary) => assert!(summary.events > 100_000, "something happens in a week"),
        Err(failure) => panic!("{failure}"),
    }
}

#[test]
fn small_shifts_of_many_seeds_break_no_checker() {
    let small = Size { agents: 8, queues: 3, callers: 6, hours: 1, calls: 120 };
    for seed in 100..160 {
        if let Err(failure) = shift(seed, small) {
            panic!("{failure}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_shift_twice() {
    let small = Size { agents: 8, queues: 3, callers: 6, hours: 1, calls: 120 };
    assert_eq!(shift(7, small).expect("sound").hash, shift(7, small).expect("sound").hash);
}
