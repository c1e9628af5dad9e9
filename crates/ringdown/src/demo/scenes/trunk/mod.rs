//! Trunk: a call to the outside and one from there, then a number that the caller has no right to call.

use super::Scene;
use crate::Failure;
use crate::demo::stage::{Cast, Role, Stage};
use ::phone::{Cause, Command, Event};

pub(super) const SCENE: Scene = Scene { name: "trunk", title: "trunk.title", play };

const ALICE: Cast =
    Cast { name: "alice", account: "alice-out", device: "alice-out-phone", tone: 440.0, answer_after: None };
const DORA: Cast =
    Cast { name: "dora", account: "dora", device: "dora-phone", tone: 1000.0, answer_after: None };

const INSIDE: &str = "2401";
const OUTSIDE: &str = "01055501";
/// Abroad: 00 and a country code.
const ABROAD: &str = "0044205550";

fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.provider("24")?;
    stage.person("alice-out", INSIDE)?;
    stage.rights("alice-out", "national")?;
    let (alice, dora) = (stage.phone(&ALICE)?, stage.phone_outside(&DORA, OUTSIDE)?);

    stage.note("trunk.out");
    call(stage, alice, dora, OUTSIDE)?;
    stage.hears(dora, 440.0)?;
    stage.hears(alice, 1000.0)?;
    stage.tell(alice, Command::HangUp { call: None });
    stage.wait(dora, "the far side hung up", |event| matches!(event, Event::Ended { .. }))?;
    let row = stage.record(INSIDE, OUTSIDE, ::calls::Cause::CallerHungUp)?;
    if row.answered_by != "provider" {
        return Err(format!("the call out was answered by \"{}\"", row.answered_by).into());
    }

    stage.note("trunk.in");
    for role in [alice, dora] {
        stage.forget_the_past(role);
    }
    call(stage, dora, alice, INSIDE)?;
    stage.hears(alice, 1000.0)?;
    stage.hears(dora, 440.0)?;
    stage.tell(dora, Command::HangUp { call: None });
    stage.wait(alice, "the far side hung up", |event| matches!(event, Event::Ended { .. }))?;
    stage.record(OUTSIDE, INSIDE, ::calls::Cause::CallerHungUp)?;

    stage.note("trunk.abroad");
    stage.tell(alice, Command::call(ABROAD));
    let refused = |event: &Event| matches!(event, Event::Ended { cause, .. } if matches!(cause.cause, Cause::Refused { status: 403, .. }));
    stage.wait(alice, "the call is refused", refused)?;
    let row = stage.record(INSIDE, ABROAD, ::calls::Cause::Forbidden)?;
    if row.detail != "rights.international" {
        return Err(format!("the record names the rule \"{}\"", row.detail).into());
    }
    stage.note_detail("trunk.rule", &row);
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
