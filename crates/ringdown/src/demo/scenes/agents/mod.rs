//! Agent states that come back by themselves: Bob works for a queue; after the call his wrap-up runs to the moment that is
//! shown, and nobody touches anything (S0).

use super::Scene;
use crate::Failure;
use crate::demo::stage::{Cast, Stage};
use crate::talk;
use ::phone::{Command, Event};
use api::control::{AgentItem, QueueItem, Request, Response};
use std::time::{Duration, Instant};

pub(super) const SCENE: Scene = Scene { name: "agents", title: "agents.title", play };

const ALICE: Cast =
    Cast { name: "alice", account: "alice-q", device: "alice-q-phone", tone: 440.0, answer_after: None };
const BOB: Cast =
    Cast { name: "bob", account: "bob-q", device: "bob-q-phone", tone: 1000.0, answer_after: None };
const WRAP_UP_MS: u32 = 3_000;
/// What is shown and what happens may be this far apart, in milliseconds.
const NEAR_MS: i64 = 200;

fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    for (account, number) in [("alice-q", "2701"), ("bob-q", "2702")] {
        stage.person(account, number)?;
    }
    let queue = QueueItem {
        name: "sales".into(),
        display: "Sales".into(),
        number: "2700".into(),
        members: vec!["bob-q".into()],
        wrap_up_ms: WRAP_UP_MS,
        answer_after_ms: Some(0),
        ..QueueItem::default()
    };
    stage.ask(&Request::QueueAdd { queue: Box::new(queue) })?;
    let (alice, bob) = (stage.phone(&ALICE)?, stage.phone(&BOB)?);

    // Nobody works yet: Alice waits with music.
    stage.tell(alice, Command::call("2700"));
    stage.wait(alice, "answered", |event| matches!(event, Event::Answered { .. }))?;
    stage.note("agents.waits");
    stage.hears_other(alice, &[1000.0])?;
    let sign_in = Request::AgentSignIn { name: "bob-q".into(), device: None, queues: Vec::new() };
    stage.ask(&sign_in)?;
    stage.note("agents.signs_in");
    stage.wait(bob, "it rings", |event| matches!(event, Event::Incoming { .. }))?;
    stage.let_it_ring();
    stage.tell(bob, Command::Answer { call: None });
    stage.forget_the_past(alice);
    stage.hears(alice, 1000.0)?;
    stage.hears(bob, 440.0)?;

    stage.tell(alice, Command::HangUp { call: None });
    stage.wait(bob, "the call ends", |event| matches!(event, Event::Ended { .. }))?;
    let wrap_up = until(stage, "wrap-up")?;
    stage.note_said("agents.stands", &wrap_up.words);
    let ready = until(stage, "ready")?;
    stage.note_said("agents.stands", &ready.words);
    let took = ready.since - wrap_up.since;
    if (took - i64::from(WRAP_UP_MS)).abs() > NEAR_MS {
        return Err(format!("the wrap-up took {took} ms, not {WRAP_UP_MS}").into());
    }
    stage.record("2701", "2700", ::calls::Cause::CallerHungUp).map(drop)
}

/// Bob, as soon as he stands so.
fn until(stage: &Stage<'_>, state: &str) -> Result<AgentItem, Failure> {
    let limit = Instant::now() + Duration::from_secs(8);
    loop {
        match stage.ask(&Request::AgentShow { name: "bob-q".into() })? {
            Response::Agents(items) => match items.into_iter().find(|item| item.state == state) {
                Some(item) => return Ok(item),
                None if Instant::now() > limit => return Err(format!("Bob is not \"{state}\"").into()),
                None => std::thread::sleep(Duration::from_millis(20)),
            },
            other => return Err(talk::unexpected(&other)),
        }
    }
}
