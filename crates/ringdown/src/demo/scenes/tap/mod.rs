//! Tap is take: Bob's phones ring, he holds his badge to a reader at another desk, and the call is there; then the talk follows
//! him home in the same way (S1.5, S1.6, R5, R6).

use super::Scene;
use crate::Failure;
use crate::demo::stage::{Cast, Stage};
use ::phone::{Cause, Command, Event};

pub(super) const SCENE: Scene = Scene { name: "tap", title: "tap.title", play };

const ALICE: Cast =
    Cast { name: "alice", account: "alice-tap", device: "alice-tap-phone", tone: 440.0, answer_after: None };
const DESK: Cast =
    Cast { name: "bob.desk", account: "bob-tap", device: "bob-tap-desk", tone: 700.0, answer_after: None };
const HOME: Cast =
    Cast { name: "bob.home", account: "bob-tap", device: "bob-tap-home", tone: 850.0, answer_after: None };
const HALL: Cast =
    Cast { name: "hall", account: "hall-tap", device: "hall-tap-phone", tone: 1000.0, answer_after: None };

fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    for (account, number) in [("alice-tap", "2501"), ("bob-tap", "2502"), ("hall-tap", "2503")] {
        stage.person(account, number)?;
    }
    let (alice, desk) = (stage.phone(&ALICE)?, stage.phone(&DESK)?);
    let (home, hall) = (stage.phone(&HOME)?, stage.phone(&HALL)?);
    let badge = stage.badge("bob-tap")?;
    let (at_the_hall, at_home) = (stage.reader(HALL.device)?, stage.reader(HOME.device)?);

    stage.tell(alice, Command::call("2502"));
    for role in [desk, home] {
        stage.wait(role, "it rings", |event| matches!(event, Event::Incoming { .. }))?;
    }
    stage.let_it_ring();
    stage.note("tap.hall");
    stage.tap(&at_the_hall, &badge)?;
    stage.wait(hall, "it rings", |event| matches!(event, Event::Incoming { .. }))?;
    for role in [desk, home] {
        let (at, event) = stage.wait(role, "ended", |event| matches!(event, Event::Ended { .. }))?;
        match event {
            Event::Ended { cause, .. } if cause.cause == Cause::AnsweredElsewhere => {
                stage.note_about("told_elsewhere", role, at);
            }
            other => return Err(format!("a phone that rang before was told {other:?}").into()),
        }
    }
    stage.tell(hall, Command::Answer { call: None });
    stage.wait(alice, "answered", |event| matches!(event, Event::Answered { .. }))?;
    stage.hears(alice, 1000.0)?;
    stage.hears(hall, 440.0)?;

    // The talk goes home with him; Alice notices nothing but another tone.
    stage.note("tap.home");
    stage.tap(&at_home, &badge)?;
    stage.wait(home, "it rings", |event| matches!(event, Event::Incoming { .. }))?;
    stage.tell(home, Command::Answer { call: None });
    stage.wait(hall, "the talk has moved", |event| matches!(event, Event::Ended { .. }))?;
    stage.forget_the_past(alice);
    stage.hears(alice, 850.0)?;
    stage.hears(home, 440.0)?;
    stage.tell(alice, Command::HangUp { call: None });
    stage.wait(home, "the far side hung up", |event| matches!(event, Event::Ended { .. }))?;
    stage.record("2501", "2502", ::calls::Cause::CallerHungUp)?;
    Ok(())
}
