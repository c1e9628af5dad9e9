//! The first call: register, call, ring, answer, sound both ways, hold and resume, hang up, one record.

use super::Scene;
use crate::Failure;
use crate::demo::stage::{Cast, Stage};
use ::phone::{Command, Event, Holder};

pub(super) const SCENE: Scene = Scene { name: "first_call", title: "first_call.title", play };

const ALICE: Cast =
    Cast { name: "alice", account: "alice", device: "alice-phone", tone: 440.0, answer_after: None };
const BOB: Cast = Cast { name: "bob", account: "bob", device: "bob-phone", tone: 1000.0, answer_after: None };

fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.person("alice", "2001")?;
    stage.person("bob", "2002")?;
    let (alice, bob) = (stage.phone(&ALICE)?, stage.phone(&BOB)?);
    stage.tell(alice, Command::call("2002"));
    stage.wait(bob, "it rings", |event| matches!(event, Event::Incoming { .. }))?;
    stage.wait(alice, "it rings there", |event| matches!(event, Event::Ringing { .. }))?;
    stage.let_it_ring();
    stage.tell(bob, Command::Answer { call: None });
    stage.wait(alice, "answered", |event| matches!(event, Event::Answered { .. }))?;
    stage.hears(bob, 440.0)?;
    stage.hears(alice, 1000.0)?;
    stage.tell(alice, Command::Hold { call: None });
    let by_us = |event: &Event| matches!(event, Event::Held { by: Holder::Us, .. });
    stage.wait(alice, "held", by_us)?;
    stage.note("first_call.hold");
    stage.forget_the_past(bob);
    stage.hears_other(bob, &[440.0, 1000.0])?;
    stage.tell(alice, Command::Resume { call: None });
    stage.wait(alice, "resumed", |event| matches!(event, Event::Resumed { .. }))?;
    stage.note("first_call.resume");
    for role in [alice, bob] {
        stage.forget_the_past(role);
    }
    stage.hears(bob, 440.0)?;
    stage.hears(alice, 1000.0)?;
    stage.tell(alice, Command::HangUp { call: None });
    stage.wait(bob, "the far side hung up", |event| matches!(event, Event::Ended { .. }))?;
    stage.record("2001", "2002", ::calls::Cause::CallerHungUp)?;
    Ok(())
}
