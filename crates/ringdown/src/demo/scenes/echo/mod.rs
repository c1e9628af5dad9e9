//! The echo number: three beeps say that the line is good, then one hears oneself.

use super::Scene;
use crate::Failure;
use crate::demo::stage::{Cast, Stage};
use ::phone::{Command, Event};

pub(super) const SCENE: Scene = Scene { name: "echo", title: "echo.title", play };

const ALICE: Cast = Cast {
    name: "alice",
    account: "alice-echo",
    device: "alice-echo-phone",
    tone: 440.0,
    answer_after: None,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.person("alice-echo", "2201")?;
    let alice = stage.phone(&ALICE)?;
    stage.tell(alice, Command::call("600"));
    stage.wait(alice, "answered", |event| matches!(event, Event::Answered { .. }))?;
    stage.hears(alice, 1000.0)?;
    stage.hears(alice, 440.0)?;
    stage.tell(alice, Command::HangUp { call: None });
    stage.wait(alice, "ended", |event| matches!(event, Event::Ended { .. }))?;
    stage.record("2201", "600", ::calls::Cause::CallerHungUp)?;
    Ok(())
}
