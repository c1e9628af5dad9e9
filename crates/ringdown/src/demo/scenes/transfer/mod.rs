//! Transfers: blind to a number, then attended with a question first; who stays hears the new one both times (RFC 5589).

use super::Scene;
use crate::Failure;
use crate::demo::stage::{Cast, Role, Stage};
use ::phone::{Cause, Command, Event, Holder};

pub(super) const SCENE: Scene = Scene { name: "transfer", title: "transfer.title", play };

const ALICE: Cast =
    Cast { name: "alice", account: "alice-tr", device: "alice-tr-phone", tone: 440.0, answer_after: None };
const BOB: Cast =
    Cast { name: "bob", account: "bob-tr", device: "bob-tr-phone", tone: 1000.0, answer_after: None };
const CAROL: Cast =
    Cast { name: "carol", account: "carol-tr", device: "carol-tr-phone", tone: 700.0, answer_after: None };

fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    for (account, number) in [("alice-tr", "2301"), ("bob-tr", "2302"), ("carol-tr", "2303")] {
        stage.person(account, number)?;
    }
    let (alice, bob, carol) = (stage.phone(&ALICE)?, stage.phone(&BOB)?, stage.phone(&CAROL)?);
    call(stage, alice, bob, "2302")?;
    stage.hears(alice, 1000.0)?;

    // Blind: Bob sends Alice on to Carol, and is out when Carol answers.
    stage.tell(bob, Command::Transfer { call: None, number: "2303".into() });
    stage.wait(carol, "it rings", |event| matches!(event, Event::Incoming { .. }))?;
    stage.let_it_ring();
    stage.tell(carol, Command::Answer { call: None });
    done(stage, bob)?;
    stage.note("transfer.blind");
    talk(stage, (alice, 440.0), (carol, 700.0))?;

    // Attended: Carol asks Bob first, then joins her two calls.
    stage.tell(carol, Command::Hold { call: None });
    stage.wait(carol, "held", |event| matches!(event, Event::Held { by: Holder::Us, .. }))?;
    stage.note("transfer.asks");
    call(stage, carol, bob, "2302")?;
    stage.hears(bob, 700.0)?;
    stage.tell(carol, Command::Join { call: None, with: None });
    done(stage, carol)?;
    stage.note("transfer.attended");
    talk(stage, (alice, 440.0), (bob, 1000.0))?;

    stage.tell(alice, Command::HangUp { call: None });
    stage.wait(
        bob,
        "the far side hung up",
        |event| matches!(event, Event::Ended { cause, .. } if cause.cause == Cause::TheyHungUp),
    )?;
    stage.record("2301", "2302", ::calls::Cause::CallerHungUp)?;
    stage.record("2303", "2302", ::calls::Cause::Transferred)?;
    Ok(())
}

fn call(stage: &mut Stage<'_>, from: Role, to: Role, number: &str) -> Result<(), Failure> {
    stage.tell(from, Command::call(number));
    stage.wait(to, "it rings", |event| matches!(event, Event::Incoming { .. }))?;
    stage.let_it_ring();
    stage.tell(to, Command::Answer { call: None });
    stage.wait(from, "answered", |event| matches!(event, Event::Answered { .. }))?;
    Ok(())
}

/// Until the exchange tells that a transfer is done, and the phone has left.
fn done(stage: &mut Stage<'_>, role: Role) -> Result<(), Failure> {
    stage.wait(
        role,
        "the transfer is done",
        |event| matches!(event, Event::Ended { cause, .. } if cause.cause == Cause::Transferred),
    )?;
    Ok(())
}

/// Each hears the tone of the other, and from now on.
fn talk(stage: &mut Stage<'_>, one: (Role, f64), other: (Role, f64)) -> Result<(), Failure> {
    for (role, _) in [one, other] {
        stage.forget_the_past(role);
    }
    stage.hears(one.0, other.1)?;
    stage.hears(other.0, one.1)
}
