//! kill -9 at each commit of a task's life, in each phase of it: nothing lost, nobody dialled twice for one attempt, budgets
//! exact.

use crate::world::{Phase, World, office, outside};
use dialing::cause::{Finding, Outcome};
use dialing::{Dial, End, Input, Number, OwnerId, Task, TaskId};
use std::time::Duration;

const PHASES: [Phase; 4] = [Phase::BeforeCommit, Phase::AfterCommit, Phase::BeforeDial, Phase::AfterDial];
const HOUR: Duration = Duration::from_secs(3600);

/// Ten in the morning in Shanghai, on a Monday.
const MORNING: &str = "2026-11-30T02:00:00Z";

fn life(crash: Option<(usize, Phase)>, answers: fn(&Dial) -> (Finding, u64)) -> World {
    let mut world = World::new(MORNING, office);
    world.answers = Box::new(answers);
    world.crash = crash;
    let task = Task::new(TaskId(1), outside("+8613812345678"), OwnerId(1));
    world.add(task);
    world.run(4 * HOUR);
    world
}

/// How many commits a life has that nothing disturbs.
fn undisturbed(answers: fn(&Dial) -> (Finding, u64)) -> usize {
    life(None, answers).commits
}

#[test]
fn a_callee_who_never_answers_is_tried_as_often_as_the_law_allows_whenever_we_die() {
    let never = |_: &Dial| (Finding::sure(Outcome::NoAnswer), 25);
    let commits = undisturbed(never);
    assert!(commits > 20, "a claim and a result for each of eleven attempts");
    for commit in 1..=commits {
        for phase in PHASES {
            let world = life(Some((commit, phase)), never);
            let what = format!("commit {commit}, {phase:?}");
            if commit == 1 && phase == Phase::BeforeCommit {
                // It was never accepted, and nobody was told that it was.
                assert!(world.accepted.is_empty() && world.dialled.is_empty(), "{what}");
                continue;
            }
            assert_eq!(world.ledger.ended.get(&TaskId(1)), Some(&(End::UsedUp, 11)), "{what}");
            assert_eq!(world.ledger.made(TaskId(1)), 11, "{what}");
            let claims_lost = 11 - world.dialled.len();
            assert!(claims_lost <= 1, "{what}: a crash costs one attempt at most");
        }
    }
}

#[test]
fn an_answer_ends_it_whenever_we_die() {
    let third = |dial: &Dial| match dial.attempt.ordinal {
        1 => (Finding::sure(Outcome::Busy), 2),
        2 => (Finding::sure(Outcome::NoAnswer), 30),
        _ => (Finding::sure(Outcome::Answered), 5),
    };
    let commits = undisturbed(third);
    for commit in 2..=commits {
        for phase in PHASES {
            let world = life(Some((commit, phase)), third);
            let (end, made) = world.ledger.ended[&TaskId(1)];
            assert_eq!(end, End::Reached, "commit {commit}, {phase:?}");
            assert!((3..=4).contains(&made), "commit {commit}, {phase:?}");
            let answered = world.ledger.attempts.values().filter(|attempt| {
                attempt.finished.is_some_and(|(_, finding)| finding.outcome == Outcome::Answered)
            });
            assert_eq!(answered.count(), 1, "commit {commit}, {phase:?}");
        }
    }
}

#[test]
fn two_who_want_the_same_callee_share_one_budget_whenever_we_die() {
    let run = |crash| {
        let mut world = World::new(MORNING, office);
        world.crash = crash;
        for id in 1..=3 {
            world.add(Task::new(
                TaskId(id),
                outside("+8613812345678"),
                OwnerId(u32::try_from(id).expect("small")),
            ));
        }
        world.run(20 * HOUR);
        world
    };
    for commit in 3..run(None).commits {
        for phase in PHASES {
            let world = run(Some((commit, phase)));
            // Whoever of them was accepted: eleven attempts a day in all.
            assert!(world.ledger.attempts.len() <= 11, "commit {commit}, {phase:?}");
            assert!(world.dialled.len() + 1 >= world.ledger.attempts.len(), "commit {commit}, {phase:?}");
        }
    }
}

#[test]
fn a_store_that_is_away_stops_everything_new_and_loses_nothing() {
    let mut world = World::new(MORNING, office);
    world.add(Task::new(TaskId(1), outside("+8613812345678"), OwnerId(1)));
    world.run(Duration::from_secs(10));
    assert_eq!(world.dialled.len(), 1);
    world.store_away = true;
    world.run(HOUR);
    assert_eq!(world.dialled.len(), 1, "what cannot be written is not done");
    world.add(Task::new(TaskId(2), outside("+8613812345679"), OwnerId(1)));
    world.run(HOUR);
    assert!(!world.accepted.contains(&TaskId(2)));
    world.store_away = false;
    world.run(4 * HOUR);
    assert!(world.accepted.contains(&TaskId(2)));
    for id in [1, 2] {
        assert_eq!(world.ledger.ended.get(&TaskId(id)), Some(&(End::UsedUp, 11)), "{id}");
    }
}

#[test]
fn a_lease_that_another_has_ends_all_dialling_here() {
    let mut world = World::new(MORNING, office);
    for id in 1..=50 {
        let number: Number = outside(&format!("+86138123456{id:02}"));
        world.add(Task::new(TaskId(id), number, OwnerId(1)));
    }
    world.input(Input::Fenced);
    let dialled = world.dialled.len();
    world.run(HOUR);
    assert_eq!(world.dialled.len(), dialled);
    assert!(world.dialing.is_empty());
}

#[test]
fn nothing_is_claimed_shortly_before_a_lease_ends() {
    let mut world = World::new(MORNING, office);
    let until = world.now.mono + Duration::from_secs(1);
    world.input(Input::Lease { epoch: 2, until });
    world.add(Task::new(TaskId(1), outside("+8613812345678"), OwnerId(1)));
    world.run(HOUR);
    assert!(world.accepted.contains(&TaskId(1)) && world.dialled.is_empty());
    let until = world.now.mono + HOUR;
    world.input(Input::Lease { epoch: 2, until });
    world.run(Duration::from_secs(1));
    assert_eq!(world.dialled.len(), 1);
}
