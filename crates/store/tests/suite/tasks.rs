//! Tasks to reach someone are there after the store was opened again, each attempt once, and so are messages.

use super::folder::{Answers, Folder, commit, start};
use clock::Wall;
use dialing::cause::{Finding, Outcome};
use dialing::window::Span;
use dialing::{Attempt, AttemptId, Basis, Consent, End, Number, OwnerId, Purpose, Row, Task, TaskId};
use exchange::{Change, OutboxMessage, StoreAnswer, TaskChange};
use std::time::Duration;
use store::{Delivery, MessageChange, MessageState, Outbox, PartReceipt, Store};

const DAY: i64 = 24 * 3_600 * 1_000;
const NOW: i64 = 1_800_000_000_000;

fn change(row: Row, account: &str) -> Change {
    Change::Task(Box::new(TaskChange { row, account: account.into(), at: Wall(NOW) }))
}

fn keep(store: &Store, answers: &Answers, sequence: u64, changes: Vec<Change>) {
    store.commit(commit(sequence, 1, changes)).unwrap();
    let answer = answers.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(answer, (sequence, StoreAnswer::Committed));
}

/// With everything that can be said of one.
fn whole(id: u64) -> Task {
    let consent =
        Consent { basis: Basis::Requested, evidence: "call 7".into(), until: Some(Wall(NOW + DAY)) };
    Task {
        purpose: Purpose::Business,
        asked: true,
        not_before: Some(Wall(NOW + 1)),
        until: Some(Wall(NOW + 2)),
        slot: Span::new(540, 660),
        zone: Some("Asia/Shanghai".into()),
        priority: 9,
        rank: 7,
        attempts_before: 2,
        attempts_at_most: Some(5),
        interval: Some(600),
        consent: Some(consent),
        data: "0013800138000".into(),
        ..Task::new(TaskId(id), Number::outside("+8613800138000").unwrap(), OwnerId(0))
    }
}

fn rows(changes: &[Change]) -> Vec<(Row, &str)> {
    let tasks = changes.iter().filter_map(|change| match change {
        Change::Task(change) => Some((change.row.clone(), &*change.account)),
        _ => None,
    });
    tasks.collect()
}

#[test]
fn what_is_open_comes_back_and_a_result_stands_over_its_claim() {
    let folder = Folder::new("tasks");
    let (_, store, answers) = start(&folder);
    let inside = Number::inside("0200").unwrap();
    let plain = Task { data: "0200".into(), ..Task::new(TaskId(8), inside, OwnerId(0)) };
    let claim = |task, ordinal, at| Attempt {
        id: AttemptId { task: TaskId(task), ordinal },
        number: inside,
        at: Wall(at),
        finished: None,
    };
    let doubtful = Finding { sure: false, ..Finding::sure(Outcome::Vacant) };
    let result = Attempt { finished: Some((Wall(NOW + 40), doubtful)), ..claim(8, 1, NOW) };
    keep(
        &store,
        &answers,
        1,
        vec![
            change(Row::Task(Box::new(whole(7))), "ada"),
            change(Row::Task(Box::new(plain.clone())), "bob"),
            change(Row::Task(Box::new(Task { id: TaskId(9), ..plain.clone() })), "cyd"),
            change(Row::Claim(claim(8, 1, NOW)), "bob"),
            change(Row::Claim(claim(9, 1, NOW - 3 * DAY)), "cyd"),
        ],
    );
    let (not_before, until) = (None, Some(Wall(NOW + 5)));
    let moved = Row::Changed { task: TaskId(8), owner: OwnerId(3), not_before, until, priority: 4 };
    keep(
        &store,
        &answers,
        2,
        vec![
            change(Row::Result(result), "bob"),
            change(moved, "dee"),
            change(Row::Claim(claim(8, 2, NOW + 60)), "dee"),
            change(Row::End { task: TaskId(9), at: Wall(NOW), end: End::Stopped, attempts: 1 }, "cyd"),
            change(Row::Forbidden(inside, Some(OwnerId(3))), "dee"),
            change(Row::Forbidden(inside, None), ""),
        ],
    );
    keep(&store, &answers, 3, vec![change(Row::Permitted(inside, None), "")]);
    drop(store);
    let (changes, store, answers) = start(&folder);
    let expected = vec![
        (Row::End { task: TaskId(9), at: Wall(0), end: End::Stopped, attempts: 0 }, ""),
        (Row::Task(Box::new(whole(7))), "ada"),
        (Row::Task(Box::new(Task { until, priority: 4, ..plain })), "dee"),
        (Row::Result(result), ""),
        (Row::Result(claim(8, 2, NOW + 60)), ""),
        (Row::Forbidden(inside, Some(OwnerId(0))), "dee"),
    ];
    assert_eq!(rows(&changes), expected, "the highest number, what is open, what still counts");
    // R18: what is there moves with the clock.
    keep(&store, &answers, 1, vec![change(Row::ClockSet(-1_000), "")]);
    drop(store);
    let (changes, ..) = start(&folder);
    let times: Vec<i64> = rows(&changes)
        .into_iter()
        .filter_map(|(row, _)| if let Row::Result(attempt) = row { Some(attempt.at.0) } else { None })
        .collect();
    assert_eq!(times, [NOW - 1_000, NOW + 60 - 1_000]);
}

#[test]
fn a_message_is_there_once_however_often_it_is_handed_over() {
    let folder = Folder::new("outbox");
    let (_, store, answers) = start(&folder);
    let message = |key: &str, text: &str| {
        Change::Message(Box::new(OutboxMessage {
            key: key.into(),
            account: "ada".into(),
            mobile: Some("+8613800138000".into()),
            at: Wall(NOW),
            task: 7,
            text: text.into(),
        }))
    };
    keep(&store, &answers, 1, vec![message("a", "first")]);
    keep(&store, &answers, 2, vec![message("a", "again"), message("b", "second")]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let kept = runtime.block_on(store.records().messages(7)).unwrap();
    let told: Vec<(&str, &str)> = kept.iter().map(|one| (one.key.as_str(), one.text.as_str())).collect();
    assert_eq!(told, [("a", "first"), ("b", "second")]);
}

#[test]
fn messages_that_nobody_carries_are_bounded_in_age_and_number() {
    const DAY: i64 = 24 * 3_600 * 1_000;
    let folder = Folder::new("outbox-bound");
    let (_, store, answers) = start(&folder);
    let message = |at: i64| {
        Change::Message(Box::new(OutboxMessage {
            key: at.to_string().into(),
            account: "ada".into(),
            mobile: None,
            at: Wall(at),
            task: 7,
            text: "missed".into(),
        }))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let oldest = || runtime.block_on(store.records().messages(7)).unwrap()[0].key.clone();
    keep(&store, &answers, 1, (0..10_050).map(|count| message(NOW + count)).collect());
    assert_eq!(oldest(), (NOW + 50).to_string(), "ten thousand stay");
    keep(&store, &answers, 2, vec![message(NOW + 7 * DAY + 60)]);
    assert_eq!(oldest(), (NOW + 60).to_string(), "a week stays");
}

/// A store with two messages, and a way to say what becomes of them.
struct Carried {
    runtime: tokio::runtime::Runtime,
    store: Store,
    outbox: Outbox,
    answers: Answers,
}

impl Carried {
    fn start(folder: &Folder) -> Carried {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (_, store, answers) = start(folder);
        let messages = ["a", "b"].map(|key| message(key, NOW));
        keep(&store, &answers, 1, messages.to_vec());
        let outbox = store.outbox();
        runtime.block_on(outbox.written());
        Carried { runtime, store, outbox, answers }
    }

    fn change(&self, change: MessageChange) {
        let (told, kept) = std::sync::mpsc::sync_channel(1);
        self.outbox.keep(change, Box::new(move |written| told.send(written).unwrap())).unwrap();
        kept.recv().unwrap().unwrap();
    }

    fn carried(&self, key: &str, state: MessageState, references: &[&str]) {
        let references = references.iter().map(|one| (*one).to_owned()).collect();
        self.change(MessageChange::Carried { key: key.into(), delivery: delivery(state), references });
    }

    fn receipt(&self, reference: &str, delivered: bool, at: i64) {
        let (carrier, reference, answer) = ("smpp".into(), reference.into(), "stat:DELIVRD".into());
        self.change(MessageChange::Receipt(PartReceipt { carrier, reference, delivered, answer, at }));
    }

    fn waiting(&self) -> Vec<String> {
        self.runtime.block_on(self.outbox.waiting(10)).unwrap().into_iter().map(|one| one.key).collect()
    }

    fn state(&self, key: &str) -> MessageState {
        let kept = self.runtime.block_on(self.store.records().messages(7)).unwrap();
        kept.into_iter().find(|one| one.key == key).unwrap().delivery.state
    }
}

fn message(key: &str, at: i64) -> Change {
    let (key, account, text) = (key.into(), "ada".into(), "missed".into());
    Change::Message(Box::new(OutboxMessage { key, account, mobile: None, at: Wall(at), task: 7, text }))
}

fn delivery(state: MessageState) -> Delivery {
    let (carrier, answer) = (Some("smpp".into()), "said".into());
    Delivery { state, carrier, tries: 1, attempts: 1, next: NOW + 9, changed: NOW, answer }
}

#[test]
fn a_message_is_delivered_when_all_of_its_parts_are_and_what_became_of_it_outlives_us() {
    let folder = Folder::new("outbox-parts");
    let carried = Carried::start(&folder);
    assert_eq!(carried.waiting(), ["a", "b"]);
    carried.carried("a", MessageState::Accepted, &["p1", "p2"]);
    carried.carried("b", MessageState::Waiting, &[]);
    carried.receipt("p1", true, NOW + 1);
    carried.receipt("strange", true, NOW + 1);
    assert_eq!((carried.state("a"), carried.state("b")), (MessageState::Accepted, MessageState::Waiting));
    carried.receipt("p2", true, NOW + 1);
    assert_eq!(carried.state("a"), MessageState::Delivered);
    carried.receipt("p1", false, NOW + 1);
    assert_eq!(carried.state("a"), MessageState::Delivered, "once it has reached them, it has");
    carried.store.close();
    let (_, store, _answers) = start(&folder);
    let kept = carried.runtime.block_on(store.outbox().waiting(10)).unwrap();
    assert_eq!((kept.len(), &*kept[0].key), (1, "b"));
    assert_eq!(kept[0].delivery, delivery(MessageState::Waiting));
}

#[test]
fn a_receipt_that_comes_before_the_name_it_speaks_of_waits_for_it_but_not_for_long() {
    let folder = Folder::new("outbox-early");
    let carried = Carried::start(&folder);
    carried.receipt("p1", true, NOW - 1);
    carried.receipt("old", true, NOW - 60_001);
    carried.carried("a", MessageState::Accepted, &["p1", "p2"]);
    assert_eq!(carried.state("a"), MessageState::Accepted, "one part of two");
    carried.receipt("p2", true, NOW + 1);
    assert_eq!(carried.state("a"), MessageState::Delivered);
    carried.carried("b", MessageState::Accepted, &["old"]);
    assert_eq!(carried.state("b"), MessageState::Accepted, "that one spoke of something else");
}

#[test]
fn names_go_with_their_message() {
    let folder = Folder::new("outbox-names");
    let carried = Carried::start(&folder);
    carried.carried("a", MessageState::Accepted, &["p1"]);
    keep(&carried.store, &carried.answers, 2, vec![message("c", NOW + 8 * DAY)]);
    carried.carried("a", MessageState::Accepted, &["p2"]);
    // Were the names still those of "a", these would be taken for it; so they wait for whoever gets the names.
    carried.receipt("p1", true, NOW + 8 * DAY);
    carried.receipt("p2", true, NOW + 8 * DAY);
    carried.carried("c", MessageState::Accepted, &["p1", "p2"]);
    let kept = carried.runtime.block_on(carried.store.records().messages(7)).unwrap();
    let states: Vec<_> = kept.iter().map(|one| (&*one.key, one.delivery.state)).collect();
    assert_eq!(states, [("c", MessageState::Delivered)]);
}
