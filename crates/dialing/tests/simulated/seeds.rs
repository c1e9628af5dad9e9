//! Whatever a seed comes up with: tasks in many zones over changes of the clock, orders, crashes. The world's second
//! opinion judges each call that leaves.

use crate::world::{Phase, World, office, outside};
use dialing::cause::{Category, Finding, Outcome};
use dialing::window::Span;
use dialing::{Basis, Consent, Input, Number, OwnerId, Purpose, Task, TaskId};
use proptest::prelude::*;
use std::time::Duration;

const NUMBERS: [&str; 10] = [
    "+8613812345678",
    "+12125550100",
    "+13105550100",
    "+18005550100",
    "+442079460000",
    "+61255501000",
    "+61491570006",
    "+74951234567",
    "+6499990000",
    "+86112",
];

const ZONES: [&str; 8] = [
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Asia/Tehran",
    "Africa/Casablanca",
    "Pacific/Chatham",
    "America/St_Johns",
    "Antarctica/Troll",
];

/// Shortly before clocks are changed, somewhere; and a day on which nothing happens.
const STARTS: [&str; 6] = [
    "2026-03-08T00:00:00Z",
    "2026-03-28T12:00:00Z",
    "2026-04-04T06:00:00Z",
    "2026-10-24T20:00:00Z",
    "2026-11-01T00:00:00Z",
    "2026-07-15T10:00:00Z",
];

#[derive(Clone, Debug)]
enum Step {
    Add {
        number: usize,
        owner: u32,
        slot: Option<(u16, u16)>,
        zone: Option<usize>,
        business: bool,
        hours: Option<u64>,
    },
    Wait(u64),
    Stop(u64),
    StopAll(u32),
    Owner(u32, u16),
    Free,
    Forbid(usize, Option<u32>),
    Later(u64, u64),
    Move(u64, u32),
    Die,
    Away(bool),
    Clock(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let zone = proptest::option::weighted(0.3, 0..ZONES.len());
    let slot = proptest::option::weighted(0.3, (0u16..1_300, 30u16..140));
    let add =
        (0..NUMBERS.len() + 1, 0..4u32, slot, zone, any::<bool>(), proptest::option::weighted(0.2, 1..30u64));
    prop_oneof![
        8 => add.prop_map(|(number, owner, slot, zone, business, hours)| Step::Add { number, owner, slot, zone, business, hours }),
        6 => (1..40_000u64).prop_map(Step::Wait),
        1 => (0..40u64).prop_map(Step::Stop),
        1 => (0..4u32).prop_map(Step::StopAll),
        2 => (0..4u32, 0..3u16).prop_map(|(owner, most)| Step::Owner(owner, most)),
        2 => Just(Step::Free),
        1 => (0..NUMBERS.len(), proptest::option::of(0..4u32)).prop_map(|(number, owner)| Step::Forbid(number, owner)),
        1 => (0..40u64, 0..80_000u64).prop_map(|(task, wait)| Step::Later(task, wait)),
        1 => (0..40u64, 0..4u32).prop_map(|(task, owner)| Step::Move(task, owner)),
        2 => Just(Step::Die),
        1 => any::<bool>().prop_map(Step::Away),
        1 => prop_oneof![Just(3_600_000i64), Just(-3_600_000i64)].prop_map(Step::Clock),
    ]
}

/// What a phone does depends on the attempt alone.
fn answer(attempt: dialing::AttemptId, salt: u64) -> (Finding, u64) {
    let mixed =
        (attempt.task.0 + 1).wrapping_mul(0x9E37_79B9).wrapping_add(u64::from(attempt.ordinal) * 77 + salt);
    let outcome = match mixed % 11 {
        0 => Outcome::Answered,
        1 => Outcome::Declined,
        2 => Outcome::Off,
        3 | 4 => Outcome::Busy,
        5 => Outcome::Network,
        6 => {
            let doubt = Finding { outcome: Outcome::Vacant, category: Category::Permanent, sure: false };
            return (doubt, 1);
        }
        7 => Outcome::Abandoned,
        _ => Outcome::NoAnswer,
    };
    (Finding::sure(outcome), mixed % 50)
}

fn number(index: usize) -> Number {
    NUMBERS.get(index).map_or_else(|| Number::inside("2041").expect("sound"), |text| outside(text))
}

fn take(world: &mut World, id: u64, step: Step) {
    match step {
        Step::Add { number: index, owner, slot, zone, business, hours } => {
            let consent = Consent { basis: Basis::Contract, evidence: "contract".into(), until: None };
            world.add(Task {
                slot: slot.and_then(|(from, length)| Span::new(from, from + length)),
                zone: zone.map(|zone| ZONES[zone].into()),
                purpose: if business { Purpose::Business } else { Purpose::Personal },
                consent: business.then_some(consent),
                until: hours.map(|hours| {
                    clock::Wall(world.now.wall.0 + 3_600_000 * i64::try_from(hours).expect("few"))
                }),
                ..Task::new(TaskId(id), number(index), OwnerId(owner))
            });
        }
        Step::Wait(seconds) => world.run(Duration::from_secs(seconds)),
        Step::Stop(task) => world.input(Input::Stop(TaskId(task))),
        Step::StopAll(owner) => world.input(Input::StopAll(OwnerId(owner))),
        Step::Owner(owner, at_once) => world.input(Input::Owner { owner: OwnerId(owner), at_once, gap: 7 }),
        Step::Free => world.input(Input::Free(number(usize::MAX))),
        Step::Forbid(index, owner) => {
            world.input(Input::Forbid { number: number(index), owner: owner.map(OwnerId) });
        }
        Step::Later(task, wait) => {
            let later = clock::Wall(world.now.wall.0 + i64::try_from(wait).expect("small") * 1_000);
            world.input(Input::Change {
                task: TaskId(task),
                not_before: Some(later),
                until: None,
                priority: 1,
            });
        }
        Step::Move(task, owner) => world.input(Input::Move { task: TaskId(task), owner: OwnerId(owner) }),
        Step::Die => world.die(),
        Step::Away(away) => world.store_away = away,
        // What is set while nothing can be written down, nobody knows after a crash.
        Step::Clock(by) if !world.store_away && world.crash.is_none() => {
            world.set_clock(by);
            world.input(Input::Timeout);
            world.run(Duration::from_secs(1));
        }
        Step::Clock(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 150 } else { 3_000 }))]

    #[test]
    fn no_call_leaves_outside_a_window_or_over_a_budget(
        start in 0..STARTS.len(), salt in 0..1_000u64, steps in proptest::collection::vec(step(), 1..60),
        crash in proptest::option::of((1..40usize, 0..4usize)),
    ) {
        let mut world = World::new(STARTS[start], office);
        world.answers = Box::new(move |dial| answer(dial.attempt, salt));
        let phases = [Phase::BeforeCommit, Phase::AfterCommit, Phase::BeforeDial, Phase::AfterDial];
        world.crash = crash.map(|(commit, phase)| (commit, phases[phase]));
        for (id, step) in steps.into_iter().enumerate() {
            take(&mut world, id as u64, step);
        }
        world.store_away = false;
        world.run(Duration::from_secs(3 * 86_400));
        world.die();
    }
}
