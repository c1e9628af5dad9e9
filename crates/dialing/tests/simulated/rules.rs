//! The rules one by one, as an office meets them.

use crate::world::{World, at, office, outside};
use dialing::cause::{Category, Finding, Outcome};
use dialing::holidays::Calendar;
use dialing::window::Span;
use dialing::{
    Basis, Because, Consent, Decision, End, Input, LegOrder, Number, Numbers, OrderKey, OwnerId, Policy,
    Purpose, Region, Rule, Standing, Stricter, Task, TaskId,
};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
/// Ten in the morning in Shanghai, on a Monday.
const MORNING: &str = "2026-11-30T02:00:00Z";
const CALLEE: &str = "+8613812345678";

fn task(id: u64, number: &str) -> Task {
    Task::new(TaskId(id), outside(number), OwnerId(1))
}

fn inside(id: u64, number: &str, owner: u32) -> Task {
    Task::new(TaskId(id), Number::inside(number).expect("sound"), OwnerId(owner))
}

fn business(id: u64, number: &str) -> Task {
    let consent = Consent { basis: Basis::Agreed, evidence: "form 12".into(), until: None };
    Task { purpose: Purpose::Business, consent: Some(consent), ..task(id, number) }
}

fn order(world: &World) -> Vec<u64> {
    world.dialled.iter().map(|(id, ..)| id.task.0).collect()
}

/// A tick of the wheel and a commit after it was due.
fn assert_soon(world: &World, nth: usize, due: &str) {
    let late = world.dialled[nth].2.0 - at(due).0;
    assert!((0..20).contains(&late), "{late} ms after {due}");
}

#[test]
fn what_may_never_be_dialled_is_not_taken() {
    let mut world = World::new(MORNING, office);
    world.input(Input::Forbid { number: outside(CALLEE), owner: None });
    world.input(Input::Forbid { number: outside("+8613800000001"), owner: Some(OwnerId(1)) });
    let list = Numbers::new(vec![outside("+8613800000002")]);
    world.input(Input::Import { name: "national".into(), numbers: list });
    let lapsed = Consent { basis: Basis::Agreed, evidence: "x".into(), until: Some(at(MORNING)) };
    let bare = Task { purpose: Purpose::Business, ..task(6, "+8613800000006") };
    world.add(task(1, "+86112"));
    world.add(task(2, CALLEE));
    world.add(task(3, "+8613800000001"));
    world.add(task(4, "+8613800000002"));
    world.add(Task { until: Some(at(MORNING)), ..task(5, "+8613800000005") });
    world.add(bare.clone());
    world.add(Task { id: TaskId(7), consent: Some(lapsed), ..bare });
    world.add(Task { zone: Some("Asia/Atlantis".into()), ..task(8, "+8613800000008") });
    world.add(Task { slot: Span::new(60, 60), ..task(9, "+8613800000009") });
    world.add(Task { attempts_before: 11, ..task(10, "+8613800000010") });
    world.run(24 * HOUR);
    let refused: Vec<_> = world.refused.iter().map(|(task, rule)| (task.0, rule.key())).collect();
    let expected = [
        (1, "dialing.rule.emergency"),
        (2, "dialing.rule.do_not_call"),
        (3, "dialing.rule.do_not_call"),
        (4, "dialing.rule.do_not_call"),
        (5, "dialing.rule.until"),
        (6, "dialing.rule.consent"),
        (7, "dialing.rule.consent"),
        (8, "dialing.rule.no_zone"),
        (9, "dialing.rule.never_open"),
        (10, "dialing.rule.task_attempts"),
    ];
    assert_eq!(refused, expected);
    assert!(world.dialled.is_empty() && world.ledger.tasks.is_empty());
    assert_eq!(world.ledger.audits.len(), expected.len(), "each refusal leaves its rule");
    assert!(world.ledger.audits.iter().all(|audit| audit.decision == Decision::Refused));
}

#[test]
fn lists_are_asked_at_the_instant_of_dialling() {
    let mut world = World::new(MORNING, office);
    let wait = Task { not_before: Some(at("2026-11-30T03:00:00Z")), ..task(1, CALLEE) };
    world.add(wait);
    world.add(task(2, "+8613800000002"));
    world.run(Duration::from_secs(1));
    world.input(Input::Forbid { number: outside(CALLEE), owner: None });
    world.run(2 * HOUR);
    assert_eq!(world.ledger.ended[&TaskId(1)], (End::Forbidden, 0));
    // On the way between claim and call.
    world.add(task(3, "+8613800000003"));
    world.input(Input::Forbid { number: outside("+8613800000003"), owner: Some(OwnerId(1)) });
    world.run(HOUR);
    assert!(!order(&world).contains(&3));
    assert_eq!(world.ledger.ended[&TaskId(3)].0, End::Forbidden);
    assert_eq!(world.ledger.made(TaskId(3)), 0, "what never left does not count");
    // By a list that came while it waited.
    let list = Numbers::new(vec![outside("+8613800000004")]);
    world.add(Task { not_before: Some(at("2026-11-30T07:00:00Z")), ..task(4, "+8613800000004") });
    world.input(Input::Import { name: "national".into(), numbers: list });
    world.run(HOUR);
    assert_eq!(world.ledger.ended[&TaskId(4)], (End::Forbidden, 0));
}

#[test]
fn a_callee_is_called_in_his_own_hours_and_not_on_his_holidays() {
    // Three in the night in Los Angeles.
    let mut world = World::new("2026-11-30T11:00:00Z", office);
    world.add(task(1, "+13105550100"));
    world.run(4 * HOUR + 59 * MINUTE);
    assert!(world.dialled.is_empty());
    let standing = world.dialing.explain(world.now, TaskId(1)).expect("it waits").standing;
    let Standing::Waiting { until, rule } = standing else { panic!("{standing:?}") };
    assert_eq!(until, at("2026-11-30T16:00:00Z"));
    assert_eq!(rule.to_string(), "no time to call in America/Los_Angeles");
    world.run(2 * MINUTE);
    assert_soon(&world, 0, "2026-11-30T16:00:00Z");

    let holidays = || {
        let mut policy = office();
        let day = jiff::civil::date(2026, 10, 1);
        policy.set_holidays(Region::new("CN").expect("a region"), Calendar::of(&[(day, "国庆节")]));
        policy
    };
    let mut world = World::new("2026-10-01T02:00:00Z", holidays);
    world.input(Input::Owner { owner: OwnerId(1), at_once: 5, gap: 0 });
    world.add(business(1, CALLEE));
    let standing = world.dialing.explain(world.now, TaskId(1)).expect("it waits").standing;
    let Standing::Waiting { until, rule } = standing else { panic!("{standing:?}") };
    assert_eq!(
        (until, &*rule.to_string()),
        (at("2026-10-02T01:00:00Z"), "a holiday in Asia/Shanghai: 国庆节")
    );
    world.run(24 * HOUR);
    assert_soon(&world, 0, "2026-10-02T01:00:00Z");
}

#[test]
fn each_cause_has_its_own_distance() {
    let distances = || Policy::new(Box::new(|_| false));
    for (outcome, seconds) in
        [(Outcome::Busy, 120), (Outcome::NoAnswer, 900), (Outcome::Off, 1_800), (Outcome::Network, 120)]
    {
        let mut world = World::new(MORNING, distances);
        world.answers = Box::new(move |_| (Finding::sure(outcome), 10));
        world.add(task(1, CALLEE));
        world.run(40 * MINUTE);
        let gap = (world.dialled[1].2.0 - world.dialled[0].2.0) / 1_000 - 10;
        assert!((seconds..=seconds + 31).contains(&gap), "{outcome}: {gap} s");
    }
}

#[test]
fn vacant_needs_a_proof_and_declined_is_the_last_word() {
    let doubt = Finding { outcome: Outcome::Vacant, category: Category::Permanent, sure: false };
    for (finding, end, attempts) in [
        (Finding::sure(Outcome::Vacant), End::Vacant, 1),
        (doubt, End::Vacant, 2),
        (Finding::sure(Outcome::Declined), End::Declined, 1),
        (Finding::sure(Outcome::Answered), End::Reached, 1),
        (Finding::sure(Outcome::Abandoned), End::Abandoned, 1),
    ] {
        let mut world = World::new(MORNING, office);
        world.answers = Box::new(move |_| (finding, 10));
        world.add(task(1, CALLEE));
        world.run(4 * HOUR);
        assert_eq!(world.ledger.ended.get(&TaskId(1)), Some(&(end, attempts)), "{finding:?}");
    }
}

#[test]
fn a_number_that_met_silence_is_left_alone() {
    let mut world = World::new(MORNING, office);
    world.answers = Box::new(|_| (Finding::sure(Outcome::Abandoned), 10));
    world.add(task(1, CALLEE));
    world.run(MINUTE);
    world.add(task(2, CALLEE));
    world.run(23 * HOUR);
    assert_eq!(order(&world), [1]);
    let standing = world.dialing.explain(world.now, TaskId(2)).expect("it waits").standing;
    assert!(matches!(standing, Standing::Waiting { rule: Rule::Abandoned, .. }), "{standing:?}");
    world.run(2 * HOUR);
    assert_eq!(order(&world), [1, 2]);
}

#[test]
fn a_colleague_is_called_the_moment_he_is_free() {
    let mut world = World::new(MORNING, office);
    world.answers = Box::new(|dial| match dial.attempt.ordinal {
        1 => (Finding::sure(Outcome::Busy), 1),
        _ => (Finding::sure(Outcome::Answered), 5),
    });
    world.add(inside(1, "2041", 1));
    world.add(inside(2, "2041", 2));
    assert_eq!(LegOrder::usual(Number::inside("2041").expect("sound")), LegOrder::CalleeFirst);
    world.run(Duration::from_secs(2));
    let explained = world.dialing.explain(world.now, TaskId(2)).expect("it waits");
    assert_eq!(explained.ahead, 1, "two wait for one, and are told in order");
    let before = world.now;
    let free = Number::inside("2041").expect("sound");
    world.input(Input::Free(free));
    world.run(Duration::from_millis(200));
    let (id, ..) = *world.dialled.last().expect("called");
    assert_eq!((id.task.0, id.ordinal), (1, 2));
    let taken = world.dialled.last().expect("called").2.0 - before.wall.0;
    assert!(taken <= 200, "{taken} ms after he was free");
    assert_eq!(world.because.last().expect("called").1[0], Because::Free);
    // Outside nobody tells us, and the clock decides.
    world.add(task(3, CALLEE));
    world.run(Duration::from_secs(25));
    let count = world.dialled.len();
    world.input(Input::Free(outside(CALLEE)));
    world.run(Duration::from_millis(500));
    assert_eq!(world.dialled.len(), count);
}

#[test]
fn stop_at_every_moment() {
    let mut world = World::new(MORNING, office);
    // While it waits.
    world.add(Task { not_before: Some(at("2026-11-30T03:00:00Z")), ..task(1, CALLEE) });
    world.input(Input::Stop(TaskId(1)));
    // While its claim is written.
    world.add(task(2, "+8613800000002"));
    world.input(Input::Stop(TaskId(2)));
    // While it rings.
    world.add(task(3, "+8613800000003"));
    world.run(Duration::from_secs(5));
    assert_eq!(order(&world), [3]);
    world.input(Input::Stop(TaskId(3)));
    world.input(Input::Stop(TaskId(3)));
    world.run(Duration::from_secs(1));
    for (id, attempts) in [(1, 0), (2, 0), (3, 1)] {
        assert_eq!(world.ledger.ended.get(&TaskId(id)), Some(&(End::Stopped, attempts)), "{id}");
    }
    // All at once, and nobody else's.
    for id in 4..=6 {
        let number = format!("+861380000000{id}");
        world.add(Task { owner: OwnerId(if id == 6 { 2 } else { 1 }), ..task(id, &number) });
    }
    world.run(Duration::from_secs(5));
    world.input(Input::StopAll(OwnerId(1)));
    world.run(Duration::from_secs(1));
    assert_eq!(world.dialing.len(), 1);
    assert!(world.ringing.keys().all(|id| id.task == TaskId(6)));
}

#[test]
fn owners_take_turns_and_each_keeps_his_order() {
    let one_at_a_time = || {
        let mut policy = office();
        policy.set_at_once(1, 8);
        policy.set_order(&[OrderKey::Priority, OrderKey::Rank]);
        policy
    };
    let mut world = World::new(MORNING, one_at_a_time);
    world.answers = Box::new(|_| (Finding::sure(Outcome::Answered), 30));
    for id in 1..=6 {
        let owner = OwnerId(if id == 6 { 2 } else { 1 });
        let number = format!("+861380000000{id}");
        let priority = if id == 4 { 9 } else { 0 };
        let rank = if id == 5 { 0 } else { 7 };
        world.add(Task { owner, priority, rank, ..task(id, &number) });
    }
    world.input(Input::Choose(TaskId(3)));
    world.run(HOUR);
    // The first began at once; then the other owner; then what was picked, the priority, the rank, and the file.
    assert_eq!(order(&world), [1, 6, 3, 4, 5, 2]);
    let words: Vec<String> = world.because[3].1.iter().map(ToString::to_string).collect();
    assert_eq!(words, ["first attempt", "may be called until 22:00 in Asia/Shanghai", "priority 9"]);
    assert_eq!(world.because[1].1.last(), Some(&Because::Turn(2)));
}

#[test]
fn nobody_is_dialled_for_an_agent_who_is_not_there() {
    let mut world = World::new(MORNING, office);
    world.answers = Box::new(|_| (Finding::sure(Outcome::Answered), 30));
    for id in 1..=4 {
        world.add(business(id, &format!("+861380000000{id}")));
    }
    world.run(10 * MINUTE);
    assert!(world.dialled.is_empty());
    let standing = world.dialing.explain(world.now, TaskId(1)).expect("it waits").standing;
    assert!(matches!(standing, Standing::Ready { rule: Some(Rule::Owner), .. }), "{standing:?}");
    world.input(Input::Owner { owner: OwnerId(1), at_once: 1, gap: 15 });
    world.run(Duration::from_secs(44));
    assert_eq!(order(&world), [1], "fifteen seconds between two calls");
    world.run(Duration::from_secs(2));
    assert_eq!(order(&world), [1, 2]);
    world.input(Input::Owner { owner: OwnerId(1), at_once: 0, gap: 15 });
    world.run(10 * MINUTE);
    assert_eq!(order(&world), [1, 2]);
    // Another goes on with what is left.
    world.input(Input::Owner { owner: OwnerId(2), at_once: 1, gap: 0 });
    for id in [3, 4] {
        world.input(Input::Move { task: TaskId(id), owner: OwnerId(2) });
    }
    world.run(10 * MINUTE);
    assert_eq!(order(&world), [1, 2, 3, 4]);
    assert_eq!(world.ledger.tasks[&TaskId(3)].owner, OwnerId(2));
}

#[test]
fn a_budget_is_the_numbers_over_all_users_tasks_and_reasons() {
    let mut world = World::new("2026-11-30T00:00:00Z", office);
    for id in 1..=8 {
        world.add(Task { owner: OwnerId(u32::try_from(id).expect("small")), ..task(id, CALLEE) });
    }
    world.run(13 * HOUR);
    assert_eq!(world.dialled.len(), 11, "eleven in all, not each");
    let explained = world.dialing.explain(world.now, TaskId(8)).expect("it waits");
    assert!(matches!(explained.standing, Standing::Waiting { .. }), "{explained:?}");
    // A row that rested for a day has begun anew, and a crash in the middle of it does not change that.
    world.run(11 * HOUR + 5 * MINUTE);
    world.run(30 * MINUTE);
    assert!((12..22).contains(&world.dialled.len()), "{}", world.dialled.len());
    world.die();
    world.run(12 * HOUR);
    assert_eq!(world.ledger.attempts.len(), 22);
}

#[test]
fn in_australia_a_row_that_is_over_begins_anew_only_when_a_person_asks() {
    let mut world = World::new("2026-11-30T00:00:00Z", office);
    let number = "+61255501000";
    world.add(task(1, number));
    world.run(12 * HOUR);
    assert_eq!(world.ledger.ended[&TaskId(1)], (End::UsedUp, 15));
    world.run(48 * HOUR);
    world.add(task(2, number));
    assert!(matches!(world.refused.last(), Some((TaskId(2), Rule::Sequence(15)))), "{:?}", world.refused);
    world.add(Task { asked: true, ..task(3, number) });
    world.run(Duration::from_secs(1));
    world.die();
    world.run(9 * HOUR + 10 * MINUTE);
    world.die();
    world.run(14 * HOUR);
    assert_eq!(world.ledger.ended[&TaskId(3)].1, 15);
}

#[test]
fn an_office_may_be_stricter() {
    let stricter = || {
        let mut policy = office();
        let own = Stricter { per_task: Some(2), ..Stricter::nothing() };
        policy.set(dialing::Profile::China, own).expect("stricter");
        policy
    };
    let mut world = World::new(MORNING, stricter);
    world.add(task(1, CALLEE));
    world.run(HOUR);
    assert_eq!(world.ledger.ended[&TaskId(1)], (End::UsedUp, 2));
    world.add(Task { attempts_at_most: Some(1), ..task(2, "+8613800000002") });
    world.add(Task { interval: Some(1_800), ..task(3, "+8613800000003") });
    world.run(2 * HOUR);
    assert_eq!(world.ledger.ended[&TaskId(2)], (End::UsedUp, 1));
    let times: Vec<i64> =
        world.dialled.iter().filter(|(id, ..)| id.task.0 == 3).map(|(_, _, at)| at.0 / 1_000).collect();
    assert!(times[1] - times[0] >= 1_820, "{times:?}");
}

#[test]
fn a_clock_that_is_set_moves_windows_and_leaves_budgets_alone() {
    // Two hours before the window opens, by a clock that is two hours slow.
    let mut world = World::new("2026-11-29T22:00:00Z", office);
    world.add(task(1, CALLEE));
    world.run(MINUTE);
    assert!(world.dialled.is_empty());
    world.set_clock(2 * 3_600_000);
    world.run(MINUTE);
    world.input(Input::Timeout);
    world.run(MINUTE);
    assert!(!world.dialled.is_empty(), "the window was looked at anew");
    // A day forward gives no budget back.
    world.run(3 * HOUR);
    world.add(task(2, CALLEE));
    assert_eq!(world.dialled.len(), 11);
    world.set_clock(86_400_000);
    world.input(Input::Timeout);
    world.run(2 * HOUR);
    assert_eq!(world.dialled.len(), 11);
    // Nor does a crash after it.
    world.die();
    world.run(2 * HOUR);
    assert_eq!(world.dialled.len(), 11);
}

#[test]
fn times_are_changed_by_hand() {
    let mut world = World::new(MORNING, office);
    world.add(task(1, CALLEE));
    world.run(Duration::from_secs(21));
    let tomorrow = Some(at("2026-12-01T03:00:00Z"));
    world.input(Input::Change { task: TaskId(1), not_before: tomorrow, until: None, priority: 3 });
    world.run(24 * HOUR);
    assert_eq!(world.dialled.len(), 1);
    world.run(2 * HOUR);
    assert_soon(&world, 1, "2026-12-01T03:00:00Z");
    assert_eq!(world.ledger.tasks[&TaskId(1)].priority, 3);
}

#[test]
fn a_hundred_that_are_due_together_cost_two_commits_at_most() {
    let mut world = World::new(MORNING, office);
    let due = Some(at("2026-11-30T03:00:00Z"));
    for id in 0..100 {
        world.add(Task {
            not_before: due,
            owner: OwnerId(id),
            ..task(id.into(), &format!("+86138000000{id:02}"))
        });
    }
    world.run(59 * MINUTE);
    let before = world.commits;
    world.run(MINUTE + Duration::from_millis(100));
    assert_eq!(world.dialled.len(), 100);
    assert!(world.commits - before <= 2, "{} commits", world.commits - before);
}

#[test]
fn a_list_is_looked_at_before_it_begins() {
    let mut world = World::new("2026-11-30T16:00:00Z", office);
    world.input(Input::Forbid { number: outside("+8613800000002"), owner: None });
    let mut preview = |task| world.dialing.preview(world.now, task);
    assert!(matches!(preview(task(1, "+12125550100")), Ok(Standing::Ready { .. })));
    let waits = preview(task(2, "+8613800000001"));
    assert!(matches!(waits, Ok(Standing::Waiting { rule: Rule::Window { .. }, .. })), "{waits:?}");
    assert!(matches!(preview(task(3, "+8613800000002")), Err(Rule::DoNotCall(_))));
    assert_eq!(preview(task(4, "+86112")), Err(Rule::Emergency));
    assert!(world.dialing.is_empty() && world.dialled.is_empty());
}

#[test]
fn what_others_of_the_office_call_is_theirs_and_counts_here_as_well() {
    let mut world = World::new(MORNING, office);
    let number = outside(CALLEE);
    let held = |attempts, until: Option<&str>| Input::Elsewhere { number, attempts, held: until.map(at) };
    world.input(held(Vec::new(), Some("2026-11-30T02:10:00Z")));
    world.add(task(1, CALLEE));
    world.run(9 * MINUTE);
    assert!(world.dialled.is_empty());
    let standing = world.dialing.explain(world.now, TaskId(1)).expect("it waits").standing;
    let Standing::Waiting { rule, .. } = standing else { panic!("{standing:?}") };
    assert_eq!(rule, Rule::Lease);
    // Theirs was busy at 02:09; the distance is that after a busy attempt of our own.
    let busy = Finding::sure(Outcome::Busy);
    let theirs = (at("2026-11-30T02:08:30Z"), at("2026-11-30T02:09:00Z"), busy);
    world.input(held(vec![theirs], None));
    world.run(24 * HOUR);
    let mut alone = World::new(MORNING, office);
    alone.answers = Box::new(|dial| {
        let outcome = if dial.attempt.ordinal == 1 { Outcome::Busy } else { Outcome::Answered };
        (Finding::sure(outcome), 30)
    });
    alone.add(task(1, CALLEE));
    alone.run(24 * HOUR);
    let distance = |from: i64, to: i64| (to - from) / 1_000;
    let after_own = distance(alone.dialled[0].2.0 + 30_000, alone.dialled[1].2.0);
    let after_theirs = distance(at("2026-11-30T02:09:00Z").0, world.dialled[0].2.0);
    assert!((after_own - after_theirs).abs() <= 31, "{after_own} s and {after_theirs} s");
}

#[test]
fn an_attempt_that_others_forestalled_never_left_and_theirs_counts() {
    let mut world = World::new(MORNING, office);
    // Nobody answers the phone that rings; the answer of the world is given by hand.
    world.answers = Box::new(|_| (Finding::sure(Outcome::NoAnswer), 3_600 * 100));
    world.add(task(1, CALLEE));
    world.run(MINUTE);
    let [(attempt, number, _)] = world.dialled[..] else { panic!("one attempt") };
    world.ringing.clear();
    let theirs = (at("2026-11-30T02:00:10Z"), at("2026-11-30T02:01:00Z"), Finding::sure(Outcome::NoAnswer));
    world.input(Input::Elsewhere { number, attempts: vec![theirs], held: None });
    world.input(Input::Finished { attempt, finding: Finding::sure(Outcome::NotDialled) });
    world.run(30 * MINUTE);
    let standing = world.dialing.explain(world.now, TaskId(1)).expect("it goes on").standing;
    assert_eq!(world.ledger.made(TaskId(1)), world.dialled.len() - 1, "ours did not leave: {standing:?}");
    let again = world.dialled.get(1).map(|(.., at)| *at).unwrap_or(world.now.wall);
    let distance = again.0 - at("2026-11-30T02:01:00Z").0;
    assert!(distance >= 5_000, "{distance} ms after theirs");
}
