//! Tasks to reach someone are there after the store was opened again, each attempt once, and so are messages.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod folder;

use clock::Wall;
use dialing::cause::{Finding, Outcome};
use dialing::window::Span;
use dialing::{Attempt, AttemptId, Basis, Consent, End, Number, OwnerId, Purpose, Row, Task, TaskId};
use exchange::{Change, OutboxMessage, StoreAnswer, TaskChange};
use folder::{Answers, Folder, commit, start};
use std::time::Duration;
use store::Store;

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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let kept = runtime.block_on(store.records().outbox()).unwrap();
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let oldest = || runtime.block_on(store.records().outbox()).unwrap()[0].key.clone();
    keep(&store, &answers, 1, (0..10_050).map(|count| message(NOW + count)).collect());
    assert_eq!(oldest(), (NOW + 50).to_string(), "ten thousand stay");
    keep(&store, &answers, 2, vec![message(NOW + 7 * DAY + 60)]);
    assert_eq!(oldest(), (NOW + 60).to_string(), "a week stays");
}
