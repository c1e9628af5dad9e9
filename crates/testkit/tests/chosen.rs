//! A call that is taken by its name, as the web phone takes it from a card: that one or none, and nobody sits down by it.

use exchange::{Answer, CallName, Command, Taken};
use std::time::Duration;
use testkit::Act;
use testkit::World;
use testkit::phone::{Attempt, Deed, Note, Reaction, Then};
use testkit::stage::{Stage, answers_after};

const CARL: usize = 0;
const DORA: usize = 1;
const ADA: usize = 2;
const DESK: usize = 3;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn rings_on() -> Reaction {
    Reaction { then: Then::Never, ..answers_after(100) }
}

fn office(ada: Reaction) -> World {
    let stage = Stage::new(23).person("carl", "500").phone("carl-1", rings_on());
    let stage = stage.person("dora", "600").phone("dora-1", rings_on());
    let stage = stage.person("ada", "100").phone("ada-1", ada);
    stage.person("room", "400").phone("desk-1", answers_after(1)).open()
}

fn call(world: &mut World, phone: usize) {
    let attempt = Attempt { patience: seconds(50), talk: seconds(300), ..Attempt::to("100") };
    world.call(phone, attempt);
    world.run_for(seconds(1));
}

fn named(world: &World, caller: &str) -> CallName {
    let calls = world.exchange(0).live_calls();
    calls.into_iter().find(|call| *call.caller.number == *caller).map(|call| call.name).expect("a call")
}

fn take(world: &mut World, call: &CallName) -> Taken {
    world.reference.is_at(0, "ada", "desk-1");
    let command = Command::TakeCall { account: "ada".into(), device: "desk-1".into(), call: call.clone() };
    let id = world.command(0, command);
    world.run_for(Duration::from_millis(60));
    world.assert_sound();
    let answers = &world.offices[0].answers;
    match answers.iter().find(|(known, _)| *known == id).map(|(_, answer)| answer) {
        Some(Answer::Taken(taken)) => taken.clone(),
        other => panic!("{other:?}"),
    }
}

fn count(world: &World, phone: usize, wanted: impl Fn(&Note) -> bool) -> usize {
    world.assert_sound();
    world.notes_of(phone).filter(|note| wanted(note)).count()
}

fn hang_up(world: &mut World, phone: usize) {
    world.after(Duration::ZERO, Act::Do { phone, deed: Deed::HangUp });
    world.run_for(seconds(1));
}

#[test]
fn of_two_calls_that_ring_the_one_that_was_chosen_comes() {
    let mut world = office(rings_on());
    call(&mut world, CARL);
    call(&mut world, DORA);
    let younger = named(&world, "600");
    assert_eq!(take(&mut world, &younger), Taken::Ringing { call: younger });
    world.run_for(seconds(3));
    assert_eq!((world.final_status(DORA), world.final_status(CARL)), (Some(200), None));
    assert_eq!(count(&world, ADA, |note| matches!(note, Note::Cancelled { .. })), 1, "the older rings on");
    hang_up(&mut world, DORA);
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn a_talk_that_was_chosen_moves_and_what_is_here_stays() {
    let mut world = office(answers_after(1));
    call(&mut world, CARL);
    world.run_for(seconds(2));
    let talk = named(&world, "500");
    assert_eq!(take(&mut world, &talk), Taken::Moving { call: talk.clone() });
    world.run_for(seconds(4));
    assert_eq!(count(&world, ADA, |note| matches!(note, Note::Ended { .. })), 1, "the old phone has a BYE");
    assert_eq!(take(&mut world, &talk), Taken::Here { call: talk });
    hang_up(&mut world, CARL);
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn what_is_over_or_is_not_theirs_is_refused_and_nobody_sits_down() {
    let mut world = office(rings_on());
    world.call(CARL, Attempt { patience: seconds(3), ..Attempt::to("100") });
    world.run_for(seconds(1));
    let gone = named(&world, "500");
    world.run_for(seconds(5));
    // Another's call, too.
    world.call(CARL, Attempt { patience: seconds(20), ..Attempt::to("600") });
    world.run_for(seconds(1));
    let another = named(&world, "500");
    for call in [gone, another.clone(), CallName { session_id: "0".repeat(32).into(), ..another }] {
        let Taken::Refused { rule, .. } = take(&mut world, &call) else { panic!("{call}") };
        assert_eq!(rule, "seats.over");
    }
    let id = world.command(0, Command::ListSeats);
    let answers = &world.offices[0].answers;
    let seats = answers.iter().find(|(known, _)| *known == id).map(|(_, answer)| answer.clone());
    assert_eq!(seats, Some(Answer::Seats(Vec::new())));
    assert_eq!(count(&world, DESK, |note| matches!(note, Note::Rings { .. })), 0);
    world.run_for(seconds(60));
    world.close();
}
