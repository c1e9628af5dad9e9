//! A call list: Ada's phone calls the people of a list for her, one after another. She is there before anybody is called, and
//! who was busy is called again (S3).

use super::Scene;
use crate::Failure;
use crate::demo::stage::{Cast, Role, Stage};
use ::phone::work::{Assignment, Fetched, News, Want, What, Wish, Worker};
use ::phone::{Cause, Command, Event};
use net::Clock;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) const SCENE: Scene = Scene { name: "list", title: "list.title", play };

const ADA: Cast =
    Cast { name: "ada", account: "ada-list", device: "ada-list-phone", tone: 440.0, answer_after: None };
const BOB: Cast =
    Cast { name: "bob", account: "bob-list", device: "bob-list-phone", tone: 1000.0, answer_after: None };
const CAROL: Cast = Cast {
    name: "carol",
    account: "carol-list",
    device: "carol-list-phone",
    tone: 660.0,
    answer_after: None,
};

const LIST: &str = "number,name,service\n2902,Bob,renewal\n2903,Carol,renewal\n";

/// Ada's phone, and what it works by.
struct Desk {
    ada: Role,
    worker: RefCell<Worker>,
    clock: Clock,
    folder: PathBuf,
    results: String,
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    for (account, number) in [("ada-list", "2901"), ("bob-list", "2902"), ("carol-list", "2903")] {
        stage.person(account, number)?;
    }
    let (ada, bob, carol) = (stage.phone(&ADA)?, stage.phone(&BOB)?, stage.phone(&CAROL)?);
    let mut desk = Desk::open(ada)?;
    let incoming = |event: &Event| matches!(event, Event::Incoming { .. });

    desk.wish(stage, Wish::SignIn);
    desk.wish(stage, Wish::Online);
    stage.wait(bob, "it rings", incoming)?;
    stage.let_it_ring();
    stage.tell(bob, Command::Reject { call: None, status: Some(486) });
    desk.wait(stage, "the call ends", |event| matches!(event, Event::Ended { .. }))?;
    stage.note("list.busy");

    // The next one, at once.
    stage.wait(carol, "it rings", incoming)?;
    stage.let_it_ring();
    talk(stage, &mut desk, carol, 660.0)?;
    stage.note("list.again");
    desk.rest()?;
    desk.follow(stage);
    stage.wait(bob, "it rings again", incoming)?;
    stage.let_it_ring();
    talk(stage, &mut desk, bob, 1000.0)?;

    desk.wish(stage, Wish::SignOut);
    if !desk.results.contains("2902,Bob,renewal") || desk.results.matches(",reached,").count() != 2 {
        return Err(format!("the results are not those of this list:\n{}", desk.results).into());
    }
    for row in desk.results.lines().skip(1) {
        stage.note_said("list.result", row);
    }
    stage.records_of("2901", "2902", &[::calls::Cause::Busy, ::calls::Cause::CalleeHungUp])
}

/// The callee answers, the two hear each other, and the callee hangs up.
fn talk(stage: &mut Stage<'_>, desk: &mut Desk, callee: Role, tone: f64) -> Result<(), Failure> {
    stage.tell(callee, Command::Answer { call: None });
    desk.wait(stage, "answered", |event| matches!(event, Event::Answered { .. }))?;
    stage.forget_the_past(callee);
    stage.hears(desk.ada, tone)?;
    stage.hears(callee, 440.0)?;
    stage.tell(callee, Command::HangUp { call: None });
    desk.wait(
        stage,
        "the far side hung up",
        |event| matches!(event, Event::Ended { cause, .. } if cause.cause == Cause::TheyHungUp),
    )
}

impl Desk {
    fn open(ada: Role) -> Result<Desk, Failure> {
        let clock = Clock::start();
        let folder = std::env::temp_dir().join(format!("ringdown-demo-list-{}", std::process::id()));
        let assignment = Assignment {
            agent: "ada".into(),
            list: "ada.csv".into(),
            gap_s: 0,
            interval_s: 0,
            ..Assignment::default()
        };
        let worker = Worker::new(assignment, folder.clone(), false)?;
        Ok(Desk { ada, worker: RefCell::new(worker), clock, folder, results: String::new() })
    }

    fn wish(&mut self, stage: &mut Stage<'_>, wish: Wish) {
        self.worker.get_mut().wish(self.clock.now(), wish);
        self.follow(stage);
    }

    /// The next event of Ada's phone that fits; the worker hears them all.
    fn wait(
        &mut self,
        stage: &mut Stage<'_>,
        what: &str,
        fits: impl Fn(&Event) -> bool,
    ) -> Result<(), Failure> {
        let (worker, clock) = (&self.worker, self.clock);
        let hear = |event: &Event| {
            worker.borrow_mut().hear(clock.now(), event);
            fits(event)
        };
        stage.wait(self.ada, what, hear)?;
        self.follow(stage);
        Ok(())
    }

    /// Until the next attempt is due.
    fn rest(&mut self) -> Result<(), Failure> {
        let limit = self.clock.now().mono + Duration::from_secs(20);
        while self.worker.get_mut().next_want_is_none() {
            let now = self.clock.now();
            let due =
                self.worker.get_mut().next_deadline().filter(|at| *at < limit).ok_or("nothing is due")?;
            std::thread::sleep(due.since(now.mono) + Duration::from_millis(5));
            self.worker.get_mut().turn(self.clock.now());
        }
        Ok(())
    }

    /// Does what the worker wants.
    fn follow(&mut self, stage: &mut Stage<'_>) {
        while let Some(want) = self.worker.get_mut().next_want() {
            let now = self.clock.now();
            match want {
                Want::Tell(command) => stage.tell(self.ada, command),
                Want::Fetch { what, .. } => {
                    let file = match what {
                        What::List => Fetched::Bytes { bytes: LIST.as_bytes().to_vec(), tag: None },
                        What::Left => Fetched::Missing,
                    };
                    self.worker.get_mut().fetched(now, what, Ok(file));
                }
                Want::Put { link, file } => {
                    self.keep(&link, &file);
                    self.worker.get_mut().uploaded(now, &link, Ok(()));
                }
                Want::News(News::Dialling { callee, .. }) => stage.note_said("list.dialling", &callee.name),
                Want::News(_) => {}
            }
        }
    }

    fn keep(&mut self, link: &str, file: &Path) {
        if link.ends_with(".results.csv") {
            self.results = std::fs::read_to_string(file).unwrap_or_default();
        }
    }
}
