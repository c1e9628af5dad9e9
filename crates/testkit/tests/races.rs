//! Random races for one call: some hundreds here, a hundred thousand in `make sim`.

use testkit::race::race;

const RACES: u64 = 400;

#[test]
fn s1_10_four_hundred_races_have_one_winner_no_orphan_and_true_records() {
    for seed in 0..RACES {
        if let Err(failure) = race(seed, false) {
            panic!("{failure}");
        }
    }
}

#[test]
fn races_come_to_all_ends_and_each_seed_to_the_same() {
    let mut finals = std::collections::BTreeSet::new();
    let mut words = std::collections::BTreeSet::new();
    for seed in 0..800 {
        let (summary, lines) = race(seed, true).expect("a sound race");
        finals.extend(summary.finals.keys().copied());
        let told = |line: &&String| line.contains(" fact ");
        words.extend(
            lines
                .iter()
                .filter(told)
                .filter_map(|line| line.split(" fact ").nth(1)?.split(' ').next().map(str::to_owned)),
        );
        if seed < 10 {
            assert_eq!(race(seed, true).expect("a sound race").0, summary, "{seed}");
        }
    }
    for status in [200, 480, 487] {
        assert!(finals.contains(&status), "no caller was told {status}");
    }
    for rule in [
        "take.ringing",
        "take.rings",
        "take.failed",
        "take.talk",
        "take.moved",
        "take.other",
        "pickup",
        "seats.sign-in",
        "number.moved",
    ] {
        assert!(words.contains(rule), "no race came to {rule}: {words:?}");
    }
}
