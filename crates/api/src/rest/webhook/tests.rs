//! The queue, step by step with times as inputs; and what is left of webhooks over a restart.

use super::courier::judge;
use super::queue::{EVENT, Event, Input, LETTER, Output, Queue, Schedule, WAITING};
use super::{Change, Settings, Webhooks};
use crate::backend::{Document, Reply};
use clock::{Mono, Now, Wall};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
/// In the middle: neither more nor less.
const MIDDLE: u8 = 128;

/// A queue, its time, and what is kept of it.
struct Bench {
    queue: Queue,
    now: Now,
    kept: BTreeMap<(String, String), String>,
    dead: usize,
    told: u64,
}

impl Bench {
    fn new() -> Bench {
        let schedule =
            Schedule { first: SECOND, longest: 60 * SECOND, lives: 600 * SECOND, letters: 6_000 * SECOND };
        let now = Now { mono: Mono(0), wall: Wall(1_700_000_000_000) };
        Bench { queue: Queue::new("w", schedule, true), now, kept: BTreeMap::new(), dead: 0, told: 0 }
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.after(time);
    }

    /// What is sent for an input; what is kept is remembered.
    fn give(&mut self, input: Input) -> Vec<(u64, String)> {
        let mut sent = Vec::new();
        for output in self.queue.handle(self.now, input) {
            match output {
                Output::Keep(Document { kind, id, text: Some(text) }) => {
                    drop(self.kept.insert((kind, id), text));
                }
                Output::Keep(Document { kind, id, text: None }) => {
                    assert!(self.kept.remove(&(kind, id)).is_some(), "only what is kept is taken away");
                }
                Output::Died => self.dead += 1,
                Output::Send { place, event } => {
                    let id = format!("w/{place:012}");
                    assert!(self.kept.contains_key(&(EVENT.into(), id)), "kept before it is tried");
                    sent.push((place, event.id.clone()));
                }
                Output::Replayed(_) | Output::Gone => {}
            }
        }
        sent
    }

    fn event(&mut self) {
        self.told += 1;
        let id = format!("e{}", self.told);
        let event = Event { id, kind: "call.ended".into(), subject: "s".into(), body: "{}".into() };
        assert_eq!(self.give(Input::Event(Arc::new(event))), []);
    }

    fn events(&mut self, count: usize) {
        (0..count).for_each(|_| self.event());
    }

    /// What a tick sends.
    fn tick(&mut self) -> Option<(u64, String)> {
        let sent = self.give(Input::Tick);
        assert!(sent.len() <= 1, "one in flight");
        sent.into_iter().next()
    }

    fn fail(&mut self, place: u64, retry_after: Option<Duration>) {
        let why = "it answered 500".into();
        self.give(Input::Failed { place, why, retry_after, gone: false, dice: MIDDLE });
    }

    fn wait(&self) -> Option<Duration> {
        self.queue.next_deadline(self.now)
    }

    fn count(&self, kind: &str) -> usize {
        self.kept.keys().filter(|(known, _)| known == kind).count()
    }
}

#[test]
fn b_one_is_in_flight_and_the_head_goes_first_until_it_is_delivered() {
    let mut bench = Bench::new();
    assert_eq!((bench.wait(), bench.tick()), (None, None));
    bench.events(2);
    assert_eq!(bench.wait(), Some(Duration::ZERO));
    let (place, id) = bench.tick().unwrap();
    assert_eq!((place, id.as_str()), (1, "e1"));
    assert_eq!((bench.wait(), bench.tick()), (None, None), "it waits for the answer");
    bench.fail(place, None);
    bench.pass(SECOND * 2);
    assert_eq!(bench.tick().unwrap(), (1, "e1".into()), "the same once more");
    bench.give(Input::Delivered(1));
    assert_eq!(bench.tick().unwrap(), (2, "e2".into()), "and the next at once");
    bench.give(Input::Delivered(9));
    assert_eq!(bench.tick(), None, "an answer to something else changes nothing");
    bench.give(Input::Delivered(2));
    assert!(bench.kept.is_empty() && bench.wait().is_none(), "nothing is left behind");
}

#[test]
fn b_pauses_double_up_to_a_bound_with_dice_and_retry_after_within_bounds() {
    let mut bench = Bench::new();
    bench.event();
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let (place, _) = bench.tick().unwrap();
        bench.fail(place, None);
        pauses.push(bench.wait().unwrap().as_secs_f64().round() as u64);
        bench.pass(bench.wait().unwrap());
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    for (asked, waits) in [(30, 30), (0, 1), (86_400, 60)] {
        let (place, _) = bench.tick().unwrap();
        bench.fail(place, Some(SECOND * asked));
        assert_eq!(bench.wait().unwrap(), SECOND * waits, "Retry-After: {asked}");
        bench.pass(bench.wait().unwrap());
    }
    let (place, _) = bench.tick().unwrap();
    let failed = |dice| Input::Failed { place, why: "x".into(), retry_after: None, gone: false, dice };
    let wait = |dice| {
        let mut queue = bench.queue.clone();
        queue.handle(bench.now, failed(dice));
        queue.next_deadline(bench.now).unwrap()
    };
    assert_eq!((wait(0), wait(255)), (SECOND * 48, SECOND * 72), "a fifth less and a fifth more");
}

#[test]
fn b_after_its_life_an_event_is_a_dead_letter_with_all_that_are_as_old() {
    let mut bench = Bench::new();
    bench.events(3);
    let mut attempts = 0;
    while bench.dead == 0 {
        let (place, _) = bench.tick().unwrap();
        bench.fail(place, None);
        attempts += 1;
        if bench.dead == 0 {
            bench.pass(bench.wait().unwrap());
        }
        if attempts == 10 {
            bench.event();
        }
    }
    assert_eq!((bench.dead, bench.queue.waiting()), (3, 1), "the younger one has its time still");
    assert_eq!((bench.count(LETTER), bench.count(EVENT)), (3, 1));
    let letters: Vec<_> =
        bench.queue.letters().iter().map(|one| (one.event.id.as_str(), one.attempts)).collect();
    assert_eq!(letters, [("e1", attempts), ("e2", 0), ("e3", 0)]);
    bench.pass(SECOND * 6_000);
    bench.tick();
    assert_eq!((bench.count(LETTER), bench.queue.letters().len()), (0, 0), "letters are kept for their time");
}

#[test]
fn b_a_full_queue_gives_its_oldest_to_the_dead_letters_which_are_bounded_too() {
    let mut bench = Bench::new();
    bench.event();
    let (place, _) = bench.tick().unwrap();
    bench.events(WAITING + 4);
    assert_eq!((bench.queue.waiting(), bench.dead), (WAITING, 5));
    assert_eq!(bench.queue.letters()[0].event.id, "e2", "what is in flight may arrive at this moment");
    assert_eq!(bench.queue.letters()[0].why, "the queue was full");
    bench.give(Input::Delivered(place));
    bench.events(WAITING * 3);
    assert_eq!((bench.queue.waiting(), bench.queue.letters().len()), (WAITING, WAITING));
    assert_eq!((bench.count(EVENT), bench.count(LETTER)), (WAITING, WAITING));
}

#[test]
fn b_dead_letters_wait_again_as_the_last_one_or_all_for_which_there_is_room() {
    let mut bench = Bench::new();
    bench.events(WAITING + 3);
    let letters: Vec<u64> = bench.queue.letters().iter().map(|one| one.place).collect();
    assert_eq!(letters, [1, 2, 3]);
    assert_eq!(
        bench.queue.clone().handle(bench.now, Input::Replay(Some(2))),
        [Output::Replayed(0)],
        "no room"
    );
    for _ in 0..2 {
        let (place, _) = bench.tick().unwrap();
        bench.give(Input::Delivered(place));
    }
    bench.give(Input::Replay(Some(2)));
    bench.give(Input::Replay(None));
    assert_eq!(bench.queue.letters().iter().map(|one| one.place).collect::<Vec<_>>(), [3], "no room for it");
    let mut order = Vec::new();
    while let Some((place, id)) = bench.tick() {
        order.push(id);
        bench.give(Input::Delivered(place));
    }
    assert_eq!(order[order.len() - 2..], ["e2", "e1"]);
    assert_eq!((bench.count(EVENT), bench.count(LETTER)), (0, 1));
}

#[test]
fn b_410_and_a_pause_stop_it_and_a_start_tries_what_waits_at_once() {
    let mut bench = Bench::new();
    bench.events(2);
    let (place, _) = bench.tick().unwrap();
    let gone = judge(answer(410, None), place, 0, MIDDLE);
    assert!(bench.queue.clone().handle(bench.now, gone.clone()).contains(&Output::Gone));
    bench.give(gone);
    assert_eq!((bench.wait(), bench.tick()), (None, None));
    bench.event();
    assert_eq!(bench.queue.waiting(), 2, "while it is off nothing is queued");
    bench.give(Input::Start);
    assert_eq!(bench.tick().unwrap().1, "e1");
    bench.give(Input::Pause);
    bench.give(Input::Delivered(1));
    assert_eq!((bench.wait(), bench.queue.waiting()), (None, 1), "what was in flight arrived");
}

#[test]
fn r18_a_jump_of_the_wall_clock_makes_nobody_wait() {
    let mut bench = Bench::new();
    bench.event();
    let (place, _) = bench.tick().unwrap();
    bench.fail(place, None);
    bench.now.wall.0 -= 86_400_000;
    bench.pass(SECOND * 2);
    assert_eq!((bench.wait(), bench.tick().map(|(place, _)| place)), (Some(Duration::ZERO), Some(1)));
}

fn answer(status: u16, retry_after: Option<&str>) -> Result<Reply, String> {
    Ok(Reply { status, retry_after: retry_after.map(str::to_owned), body: String::new() })
}

#[test]
fn answers_are_judged() {
    // 2023-11-14T22:13:20Z
    let now = 1_700_000_000_000;
    for (status, after, waits) in [
        (500, None, None),
        (429, Some("7"), Some(7)),
        (503, Some("Tue, 14 Nov 2023 22:14:20 GMT"), Some(60)),
        (503, Some("Tue, 14 Nov 2022 22:14:20 GMT"), None),
        (503, Some("Tue, 14 Nov 2023 22:13:00 GMT"), Some(0)),
        (503, Some("soon"), None),
    ] {
        let Input::Failed { retry_after, gone, .. } = judge(answer(status, after), 1, now, 0) else {
            panic!("{status}")
        };
        assert_eq!((retry_after, gone), (waits.map(Duration::from_secs), false), "{status} {after:?}");
    }
    for status in [200, 202, 204, 299] {
        assert!(matches!(judge(answer(status, None), 3, now, 0), Input::Delivered(3)), "{status}");
    }
    for (status, words) in [(302, "redirects are not followed"), (101, "101"), (404, "404"), (410, "410")] {
        let judged = judge(answer(status, None), 3, now, 0);
        assert!(matches!(judged, Input::Failed { why, .. } if why.contains(words)), "{status}");
    }
    assert!(matches!(judge(Err("x".into()), 3, now, 0), Input::Failed { why, .. } if why == "x"));
}

fn settings() -> Settings {
    Settings {
        url: "https://hooks.example/".into(),
        types: vec!["call.ended".into()],
        enabled: true,
        secret: "rdwh_x".into(),
        created: 0,
        stopped: None,
    }
}

#[test]
fn b_what_was_kept_is_there_after_a_restart_and_what_belongs_to_nobody_goes() {
    let mut bench = Bench::new();
    bench.events(WAITING + 2);
    let mut change = Change::of(BTreeMap::new(), bench.now);
    change.add("w", settings(), 42).map_err(|problem| problem.detail).unwrap();
    let mut documents = change.documents;
    let kept = bench.kept.iter().rev();
    documents.extend(kept.map(|((kind, id), text)| Document {
        kind: kind.clone(),
        id: id.clone(),
        text: Some(text.clone()),
    }));
    let strange = Document { kind: EVENT.into(), id: "other/000000000001".into(), text: Some("{}".into()) };
    documents.push(strange.clone());
    let webhooks = Webhooks::load(&documents);
    let webhook = webhooks.one("w").map_err(|problem| problem.detail).unwrap();
    assert_eq!((webhook.waiting(), webhook.letters().len(), webhook.cursor), (WAITING, 2, 42));
    assert!(webhook.settings == settings());
    let left = webhooks.left.lock().unwrap().clone();
    assert_eq!(left, [Document { text: None, ..strange }]);
    let mut queue = webhook.queue.clone();
    let first = queue.handle(bench.now, Input::Tick);
    assert!(matches!(&first[..], [Output::Send { place: 3, event }] if event.id == "e3"), "in their order");
    let next = Event { id: "e".into(), kind: "k".into(), subject: String::new(), body: String::new() };
    let places = queue.handle(bench.now, Input::Event(Arc::new(next)));
    assert!(places.iter().any(|one| matches!(one, Output::Keep(kept) if kept.id == "w/000000001003")));
}

#[test]
fn b_webhooks_are_bounded_and_the_end_of_one_is_the_end_of_all_that_was_its_own() {
    let bench = Bench::new();
    let mut change = Change::of(BTreeMap::new(), bench.now);
    for count in 0..super::MOST {
        change.add(&format!("w{count}"), settings(), 0).map_err(|problem| problem.detail).unwrap();
    }
    assert_eq!(change.add("more", settings(), 0).map_err(|problem| problem.status), Err(409));
    let event = Event { id: "e".into(), kind: "k".into(), subject: String::new(), body: String::new() };
    change.feed("w0", Input::Event(Arc::new(event)));
    let kept = std::mem::take(&mut change.documents);
    let own = |list: &[Document]| -> Vec<(String, String)> {
        let own = list.iter().filter(|one| one.id == "w0" || one.id.starts_with("w0/"));
        let mut keys: Vec<_> = own.map(|one| (one.kind.clone(), one.id.clone())).collect();
        keys.sort();
        keys
    };
    change.remove("w0");
    assert!(change.documents.iter().all(|one| one.text.is_none()));
    assert_eq!((own(&kept), own(&change.documents).len()), (own(&change.documents), 3));
}
