//! Live calls and events, as a console needs them: what it reads once and then hears is what is.

use exchange::{AccountEdit, Answer, CallState, Command, PeopleChange};
use std::time::Duration;
use testkit::World;
use testkit::phone::{Attempt, Deed, Reaction, Then};
use testkit::stage::{Stage, answers_after};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn two_people(bob: Reaction) -> World {
    let stage = Stage::new(3).person("ada", "100").phone("ada-1", answers_after(1));
    stage.person("bob", "200").phone("bob-1", bob).open()
}

fn told(world: &World, kind: &str) -> Vec<String> {
    let wanted = format!("tells {kind} ");
    world.trace.lines().iter().filter(|line| line.contains(&wanted)).cloned().collect()
}

#[test]
fn s1_a_live_call_rings_talks_is_held_and_ends_and_each_step_is_told() {
    let mut world = two_people(answers_after(3));
    let deeds = vec![(seconds(5), Deed::Hold), (seconds(10), Deed::Resume)];
    world.call(0, Attempt { talk: seconds(20), deeds, ..Attempt::to("200") });
    let mut seen = Vec::new();
    for _ in 0..40 {
        world.run_for(seconds(1));
        for call in world.exchange(0).live_calls() {
            assert_eq!(call.caller.account.as_deref(), Some("ada"));
            assert_eq!(call.caller.device.as_deref(), Some("ada-1"));
            assert_eq!((&*call.callee.number, call.callee.account.as_deref()), ("200", Some("bob")));
            assert_eq!(call.callee.device.is_some(), call.answered.is_some());
            if seen.last() != Some(&call.state) {
                seen.push(call.state);
            }
        }
    }
    assert_eq!(seen, [CallState::Ringing, CallState::Talking, CallState::Held, CallState::Talking]);
    assert_eq!(told(&world, "call.started").len(), 1);
    assert_eq!(told(&world, "call.ended").len(), 1);
    assert_eq!(told(&world, "record.added").len(), 1);
    world.close();
}

#[test]
fn s1_a_call_that_is_ended_from_outside_says_who_did_it() {
    for answered in [false, true] {
        let ring = Reaction { then: Then::Never, ..answers_after(0) };
        let mut world = two_people(if answered { answers_after(1) } else { ring });
        world.call(0, Attempt::to("200"));
        world.run_for(seconds(6));
        let name = world.exchange(0).live_calls()[0].name.clone();
        let mut other = name.clone();
        other.session_id = "0123456789abcdef0123456789abcdef".into();
        let refused = world.command(0, Command::HangUp { call: other, who: "eve".into() });
        assert_eq!(world.exchange(0).live_calls().len(), 1, "a number alone names no call");
        let done = world.command(0, Command::HangUp { call: name.clone(), who: "ada".into() });
        let again = world.command(0, Command::HangUp { call: name, who: "ada".into() });
        world.run_for(seconds(5));
        let answer = |id| world.offices[0].answers.iter().find(|(of, _)| *of == id).map(|(_, answer)| answer);
        assert!(matches!(answer(refused), Some(Answer::Refused(_))));
        assert_eq!(answer(done), Some(&Answer::Done));
        assert!(matches!(answer(again), Some(Answer::Refused(_))));
        assert!(world.exchange(0).live_calls().is_empty());
        let status = if answered { 200 } else { 480 };
        let record = format!("ended by an operator (operator, {status})");
        assert!(world.trace.lines().iter().any(|line| line.contains(&record)), "{record}");
        assert_eq!(world.final_status(0), Some(status));
        world.close();
    }
}

#[test]
fn r32_a_caller_who_wants_it_so_is_shown_nowhere() {
    let mut world = two_people(answers_after(2));
    world.call(0, Attempt { hidden: true, talk: seconds(10), ..Attempt::to("200") });
    world.run_for(seconds(5));
    let calls = world.exchange(0).live_calls();
    let [call] = &*calls else { panic!("{calls:?}") };
    assert_eq!((&*call.caller.number, &*call.caller.name), ("anonymous", "Anonymous"));
    assert_eq!((&call.caller.account, &call.caller.device), (&None, &None));
    assert_eq!(call.accounts, ["ada".into(), "bob".into()], "the caller still sees its own call");
    world.run_for(seconds(30));
    let lines = world.trace.lines();
    let record = lines.iter().find(|line| line.contains(" record ")).expect("a record");
    assert!(record.contains("record anonymous -> 200"), "{record}");
    world.close();
}

#[test]
fn b_changes_of_the_directory_are_told_once_they_are_kept() {
    let mut world = two_people(answers_after(2));
    assert_eq!(told(&world, "device.changed").len(), 2, "both registered");
    let before = told(&world, "person.changed").len();
    let edits = vec![AccountEdit::DoNotDisturb(true)];
    world.command(0, Command::EditAccount { name: "bob".into(), edits });
    assert_eq!(told(&world, "person.changed").len(), before, "not before the store has it");
    world.run_for(seconds(1));
    assert_eq!(told(&world, "person.changed").len(), before + 1);
    let change = |change| Command::Change(change);
    world.command(0, change(PeopleChange::RemoveNumber { number: "200".into() }));
    world.command(0, change(PeopleChange::RemoveDevice { name: "bob-1".into() }));
    world.run_for(seconds(1));
    world.command(0, change(PeopleChange::RemoveAccount { name: "bob".into() }));
    world.run_for(seconds(2));
    for kind in ["number.removed", "device.removed", "person.removed"] {
        assert_eq!(told(&world, kind).len(), 1, "{kind}");
    }
    assert!(!told(&world, "status.changed").is_empty());
    world.close();
}

#[test]
fn b_how_things_are_is_told_once_a_second_at_most_and_nothing_without_a_listener() {
    let mut world = two_people(answers_after(1));
    for call in 0..20 {
        let attempt = Attempt { talk: Duration::from_millis(50), ..Attempt::to("200") };
        world.after(Duration::from_millis(400 * call), testkit::Act::Call { phone: 0, attempt });
    }
    let before = told(&world, "status.changed").len();
    world.run_for(seconds(10));
    let told_now = told(&world, "status.changed").len() - before;
    assert!((4..=11).contains(&told_now), "{told_now}");
    let now = world.now;
    world.offices[0].exchange.listen(now, false);
    let before = world.trace.lines().iter().filter(|line| line.contains(" tells ")).count();
    world.call(0, Attempt::to("200"));
    world.run_for(seconds(60));
    assert_eq!(world.trace.lines().iter().filter(|line| line.contains(" tells ")).count(), before);
}
