//! Random office-hours: what must hold in each simulated hour, and that a seed always tells the same story.

use testkit::hour::office_hour;

const HOURS: u64 = 200;

/// Both cores, as the machine of the continuous build has.
const THREADS: u64 = 2;

#[test]
fn two_hundred_random_office_hours_break_no_checker() {
    let play = |first: u64| {
        for seed in (first..HOURS).step_by(THREADS as usize) {
            if let Err(failure) = office_hour(seed, false) {
                panic!("{failure}");
            }
        }
    };
    std::thread::scope(|scope| {
        for first in 0..THREADS {
            scope.spawn(move || play(first));
        }
    });
}

#[test]
fn the_same_seed_gives_the_same_trace_twice() {
    for seed in [4, 5, 6, 7] {
        let (first, lines) = office_hour(seed, true).expect("a sound hour");
        let (second, again) = office_hour(seed, true).expect("a sound hour");
        assert_eq!(first, second);
        let differs = lines.iter().zip(&again).find(|(a, b)| a != b);
        assert_eq!(differs, None);
        assert!(first.events > 1_000, "something happens in an hour");
    }
    assert_ne!(
        office_hour(8, false).expect("a sound hour").0.hash,
        office_hour(9, false).expect("a sound hour").0.hash
    );
}

#[test]
fn calm_hours_come_to_all_ordinary_ends() {
    let hours = [0, 4, 8, 12].map(|seed| office_hour(seed, false).expect("a sound hour").0);
    for status in [200, 404, 480, 482, 486, 487, 603] {
        assert!(hours.iter().any(|hour| hour.finals.contains_key(&status)), "nobody was told {status}");
    }
}
