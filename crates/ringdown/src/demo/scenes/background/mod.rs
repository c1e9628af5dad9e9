//! A background call: Bob is busy; the exchange keeps calling him for Alice, whose line is free, and connects the two when
//! he answers (S2).

use super::Scene;
use crate::Failure;
use crate::demo::stage::{Cast, Stage};
use ::phone::{Cause, Command, Event};

pub(super) const SCENE: Scene = Scene { name: "background", title: "background.title", play };

const ALICE: Cast =
    Cast { name: "alice", account: "alice-bg", device: "alice-bg-phone", tone: 440.0, answer_after: None };
const BOB: Cast =
    Cast { name: "bob", account: "bob-bg", device: "bob-bg-phone", tone: 1000.0, answer_after: None };

fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    for (account, number) in [("alice-bg", "2601"), ("bob-bg", "2602")] {
        stage.person(account, number)?;
    }
    stage.rights("alice-bg", "background")?;
    let (alice, bob) = (stage.phone(&ALICE)?, stage.phone(&BOB)?);
    let incoming = |event: &Event| matches!(event, Event::Incoming { .. });
    let ended = |event: &Event| matches!(event, Event::Ended { .. });

    // Alice asks for it, and hangs up: her phone is silent until Bob is there.
    stage.tell(alice, Command::call("*662602"));
    stage.wait(alice, "answered", |event| matches!(event, Event::Answered { .. }))?;
    stage.tell(alice, Command::HangUp { call: None });
    stage.note("background.asked");
    stage.wait(bob, "it rings", incoming)?;
    stage.let_it_ring();
    stage.tell(bob, Command::Reject { call: None, status: Some(486) });
    stage.wait(bob, "the call ends", ended)?;
    stage.note("background.busy");

    // Bob is called again after the distance that the rules want.
    stage.wait(bob, "it rings again", incoming)?;
    stage.let_it_ring();
    stage.tell(bob, Command::Answer { call: None });
    stage.note("background.told");
    stage.wait(alice, "it rings", incoming)?;
    stage.let_it_ring();
    stage.tell(alice, Command::Answer { call: None });
    stage.wait(alice, "answered", |event| matches!(event, Event::Answered { .. }))?;
    stage.note("background.met");
    for role in [alice, bob] {
        stage.forget_the_past(role);
    }
    stage.hears(alice, 1000.0)?;
    stage.hears(bob, 440.0)?;

    stage.tell(alice, Command::HangUp { call: None });
    stage.wait(
        bob,
        "the far side hung up",
        |event| matches!(event, Event::Ended { cause, .. } if cause.cause == Cause::TheyHungUp),
    )?;
    stage.records_of("2601", "2602", &[::calls::Cause::Busy, ::calls::Cause::CallerHungUp])
}
