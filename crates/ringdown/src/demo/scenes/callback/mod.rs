//! A queue's callback: nobody is free, so Alice presses a key and hangs up; her place stays, and when it is her turn the
//! queue's agent is called, and then she (S2, S0).

use super::Scene;
use crate::Failure;
use crate::demo::stage::{Cast, Stage};
use crate::talk;
use ::phone::{Cause, Command, Event, KeyStyle};
use api::control::{CallbackItem, QueueItem, Request, Response};
use std::time::{Duration, Instant};

pub(super) const SCENE: Scene = Scene { name: "callback", title: "callback.title", play };

const ALICE: Cast =
    Cast { name: "alice", account: "alice-cb", device: "alice-cb-phone", tone: 440.0, answer_after: None };
const BOB: Cast =
    Cast { name: "bob", account: "bob-cb", device: "bob-cb-phone", tone: 1000.0, answer_after: None };

fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    for (account, number) in [("alice-cb", "2801"), ("bob-cb", "2802")] {
        stage.person(account, number)?;
    }
    let queue = QueueItem {
        name: "service".into(),
        display: "Service".into(),
        number: "2800".into(),
        members: vec!["bob-cb".into()],
        answer_after_ms: Some(0),
        callback: Some(CallbackItem { key: "1".into(), first: "agent".into(), attempts: 3, abroad: false }),
        ..QueueItem::default()
    };
    stage.ask(&Request::QueueAdd { queue: Box::new(queue) })?;
    let (alice, bob) = (stage.phone(&ALICE)?, stage.phone(&BOB)?);
    let incoming = |event: &Event| matches!(event, Event::Incoming { .. });
    let answered = |event: &Event| matches!(event, Event::Answered { .. });

    stage.tell(alice, Command::call("2800"));
    stage.wait(alice, "answered", answered)?;
    stage.tell(alice, Command::Dtmf { call: None, keys: "1".into(), style: KeyStyle::Rtp });
    // It is stored before it is promised, so she may hang up in the middle of the promise.
    kept(stage)?;
    stage.note("callback.kept");
    stage.tell(alice, Command::HangUp { call: None });
    stage.wait(alice, "the call ends", |event| matches!(event, Event::Ended { .. }))?;

    // Her turn comes with the first agent, who is reserved for her and called first.
    let sign_in = Request::AgentSignIn { name: "bob-cb".into(), device: None, queues: Vec::new() };
    stage.ask(&sign_in)?;
    stage.wait(bob, "it rings", incoming)?;
    stage.let_it_ring();
    stage.tell(bob, Command::Answer { call: None });
    stage.note("callback.agent");
    stage.wait(alice, "it rings", incoming)?;
    stage.let_it_ring();
    stage.tell(alice, Command::Answer { call: None });
    stage.wait(alice, "answered", answered)?;
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
    stage.records_of("2800", "2801", &[::calls::Cause::CalleeHungUp])
}

/// The place in the line, once it is stored.
fn kept(stage: &Stage<'_>) -> Result<(), Failure> {
    let limit = Instant::now() + Duration::from_secs(8);
    loop {
        match stage.ask(&Request::TaskList { account: None })? {
            Response::Tasks(items) if items.iter().any(|item| item.number == "2801") => return Ok(()),
            Response::Tasks(_) if Instant::now() > limit => return Err("her place is not kept".into()),
            Response::Tasks(_) => std::thread::sleep(Duration::from_millis(20)),
            other => return Err(talk::unexpected(&other)),
        }
    }
}
