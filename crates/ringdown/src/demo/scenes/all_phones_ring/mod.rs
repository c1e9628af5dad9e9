//! One number, three phones: all ring, one answers, the others are told that it was answered elsewhere (S1.1).

use super::Scene;
use crate::Failure;
use crate::demo::stage::{Cast, Stage};
use ::phone::{Cause, Command, Event};

pub(super) const SCENE: Scene = Scene { name: "all_phones_ring", title: "all_phones_ring.title", play };

const ALICE: Cast =
    Cast { name: "alice", account: "alice-all", device: "alice-all-phone", tone: 440.0, answer_after: None };

fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.person("alice-all", "2101")?;
    stage.person("bob-all", "2102")?;
    let alice = stage.phone(&ALICE)?;
    let mut phones = Vec::new();
    for (name, device) in [("bob.desk", "bob-desk"), ("bob.lab", "bob-lab"), ("bob.home", "bob-home")] {
        phones.push(stage.phone(&Cast {
            name,
            account: "bob-all",
            device,
            tone: 1000.0,
            answer_after: None,
        })?);
    }
    stage.tell(alice, Command::call("2102"));
    for role in &phones {
        stage.wait(*role, "it rings", |event| matches!(event, Event::Incoming { .. }))?;
    }
    stage.let_it_ring();
    stage.tell(phones[1], Command::Answer { call: None });
    stage.wait(alice, "answered", |event| matches!(event, Event::Answered { .. }))?;
    for role in [phones[0], phones[2]] {
        let (at, event) = stage.wait(role, "ended", |event| matches!(event, Event::Ended { .. }))?;
        match event {
            Event::Ended { cause, .. } if cause.cause == Cause::AnsweredElsewhere => {
                stage.note_about("told_elsewhere", role, at);
            }
            other => return Err(format!("a phone that lost was told {other:?}").into()),
        }
    }
    stage.hears(phones[1], 440.0)?;
    stage.hears(alice, 1000.0)?;
    stage.tell(phones[1], Command::HangUp { call: None });
    stage.wait(alice, "the far side hung up", |event| matches!(event, Event::Ended { .. }))?;
    stage.record("2101", "2102", ::calls::Cause::CalleeHungUp)?;
    Ok(())
}
