//! Two exchanges, one office: the directory says where a call goes, and has no part in it; once it is gone, calls go by its copy
//! (S4, C2).

use super::Scene;
use crate::Failure;
use crate::demo::stage::{Cast, Role, Stage};
use ::phone::{Command, Event};

pub(super) const SCENE: Scene = Scene { name: "sites", title: "sites.title", play };

const ALICE: Cast = Cast {
    name: "alice",
    account: "alice-north",
    device: "alice-north-phone",
    tone: 440.0,
    answer_after: None,
};
const CAROL: Cast = Cast {
    name: "carol",
    account: "carol-south",
    device: "carol-south-phone",
    tone: 1000.0,
    answer_after: None,
};

const NORTH: &str = "3001";
const SOUTH: &str = "3002";

fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.two_exchanges()?;
    stage.person("alice-north", NORTH)?;
    let (alice, carol) = (stage.phone(&ALICE)?, stage.phone_outside(&CAROL, SOUTH)?);
    stage.wait_until_listed(SOUTH)?;

    stage.note("sites.asks");
    talk(stage, alice, carol)?;
    stage.stop_directory();
    stage.note("sites.gone");
    talk(stage, alice, carol)?;
    stage.records_of(NORTH, SOUTH, &[::calls::Cause::CallerHungUp, ::calls::Cause::CallerHungUp])
}

fn talk(stage: &mut Stage<'_>, alice: Role, carol: Role) -> Result<(), Failure> {
    stage.tell(alice, Command::call(SOUTH));
    stage.wait(carol, "it rings", |event| matches!(event, Event::Incoming { .. }))?;
    stage.let_it_ring();
    stage.tell(carol, Command::Answer { call: None });
    stage.wait(alice, "answered", |event| matches!(event, Event::Answered { .. }))?;
    for role in [alice, carol] {
        stage.forget_the_past(role);
    }
    stage.hears(carol, 440.0)?;
    stage.hears(alice, 1000.0)?;
    stage.tell(alice, Command::HangUp { call: None });
    stage.wait(carol, "the far side hung up", |event| matches!(event, Event::Ended { .. }))?;
    Ok(())
}
