//! An app that belongs to no exchange: woken for a call by the directory (C3), and calling through it, where the callee's exchange is
//! asked first (C1; S4).

use super::Scene;
use crate::Failure;
use crate::demo::stage::{Cast, Stage};
use ::phone::{Command, Event};
use serde_json::json;

pub(super) const SCENE: Scene = Scene { name: "apps", title: "apps.title", play };

const ALICE: Cast = Cast {
    name: "alice",
    account: "alice-desk",
    device: "alice-desk-phone",
    tone: 440.0,
    answer_after: None,
};
/// What the app says, in hertz.
const APP: f64 = 700.0;
const ALICES: &str = "3101";
/// Of a person who has an app alone.
const CLEOS: &str = "3102";

fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.two_exchanges()?;
    stage.person("alice-desk", ALICES)?;
    stage.person_far("cleo", CLEOS)?;
    let alice = stage.phone(&ALICE)?;
    stage.wait_until_listed(CLEOS)?;
    let mut app = stage.app("cleo", APP)?;

    stage.note("apps.woken");
    stage.tell(alice, Command::call(CLEOS));
    app.wait("woken", |_| true)?;
    app.wait("incoming", |event| event["number"] == ALICES)?;
    stage.wait(alice, "it rings there", |event| matches!(event, Event::Ringing { status: 180, .. }))?;
    stage.let_it_ring();
    app.tell(&json!({"do": "answer"}))?;
    stage.wait(alice, "answered", |event| matches!(event, Event::Answered { .. }))?;
    stage.hears(alice, APP)?;
    app.hears(440.0)?;
    stage.note_heard_by("apps.cleo", 440.0);
    stage.tell(alice, Command::HangUp { call: None });
    app.wait("left", |_| true)?;
    stage.note("apps.left");

    stage.note("apps.asks");
    app.tell(&json!({"do": "call", "number": ALICES}))?;
    stage.wait(alice, "it rings", |event| matches!(event, Event::Incoming { .. }))?;
    app.wait("designated", |_| true)?;
    stage.let_it_ring();
    stage.tell(alice, Command::Answer { call: None });
    app.wait("answered", |_| true)?;
    stage.forget_the_past(alice);
    stage.hears(alice, APP)?;
    app.hears(440.0)?;
    stage.note_heard_by("apps.cleo", 440.0);
    app.tell(&json!({"do": "hang_up"}))?;
    stage.wait(alice, "the far side hung up", |event| matches!(event, Event::Ended { .. }))?;
    stage.records_of(ALICES, CLEOS, &[::calls::Cause::CallerHungUp])?;
    stage.records_of(CLEOS, ALICES, &[::calls::Cause::CallerHungUp])
}
