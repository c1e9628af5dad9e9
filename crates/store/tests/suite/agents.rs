//! Who works, and the queues that they work for, are there after a restart (R20).

use super::folder::{Folder, commit, start};
use clock::Wall;
use exchange::{
    By, CallbackFirst, Change, Hours, KeptPause, KeptSignIn, KeptWrapUp, PeopleChange, Queue, QueueCallback,
    QueueMember, QueueStrategy, SignIn, StoreAnswer,
};
use std::time::Duration;

fn agent(account: &str, kept: Option<KeptSignIn>) -> Change {
    Change::Agent { account: account.into(), kept: kept.map(Box::new) }
}

fn queue() -> Queue {
    let member = |account: &str, priority| QueueMember { account: account.into(), priority };
    Queue {
        strategy: QueueStrategy::RoundRobin,
        members: vec![member("ada", 1), member("bob", 7)],
        wrap_up: Duration::from_secs(30),
        longest_wait: Some(Duration::from_secs(300)),
        overflow: Some("900".into()),
        hours: vec![Hours::parse("mon-fri 08:00-19:00").unwrap(), Hours::parse("10:00-12:00").unwrap()],
        holidays: vec!["2026-10-01".parse().unwrap(), "2026-12-25".parse().unwrap()],
        answer_after: Some(Duration::ZERO),
        preferred: vec!["+4930123".into(), "901".into()],
        callback: Some(QueueCallback { key: '7', first: CallbackFirst::Caller, attempts: 5, abroad: true }),
        ..Queue::new("Sales; '--", "800")
    }
}

#[test]
fn r20_agents_and_queues_are_there_after_a_restart() {
    let folder = Folder::new("agents");
    let (_, store, answers) = start(&folder);
    let plain =
        KeptSignIn { sign_in: SignIn { since: Wall(5), ..SignIn::default() }, pause: None, wrap_up: None };
    let full = KeptSignIn {
        sign_in: SignIn {
            device: Some("desk-1".into()),
            queues: vec!["sales".into(), "support".into()],
            interval: Some(Duration::from_millis(45_500)),
            since: Wall(7),
        },
        pause: Some(KeptPause {
            reason: "tea break".into(),
            rule: "agents.hand".into(),
            since: Wall(8),
            planned: Some(Wall(9)),
        }),
        wrap_up: Some(KeptWrapUp {
            interval: Duration::from_secs(30),
            by: By::Queue("Sales".into()),
            ends: Wall(12_000),
            extensions: 2,
        }),
    };
    let put = |name: &str, queue: Queue| {
        Change::People(PeopleChange::PutQueue { name: name.into(), queue: Box::new(queue) })
    };
    let (ada, bob) = (agent("ada", Some(full)), agent("bob", Some(plain.clone())));
    let sales = put("sales", queue());
    let first = vec![sales.clone(), put("old", Queue::new("Old", "801")), agent("bob", Some(plain.clone()))];
    let second = vec![agent("eve", Some(plain)), ada.clone()];
    let third = vec![
        agent("eve", None),
        Change::People(PeopleChange::RemoveQueue { name: "old".into() }),
        sales.clone(),
    ];
    for (sequence, changes) in [(1, first), (2, second), (3, third)] {
        store.commit(commit(sequence, 1, changes)).unwrap();
    }
    let told: Vec<(u64, StoreAnswer)> = answers.iter().take(3).collect();
    assert!(told.iter().all(|(_, answer)| *answer == StoreAnswer::Committed), "{told:?}");
    drop(store);
    let (changes, _store, _answers) = start(&folder);
    assert_eq!(changes, [sales, ada, bob]);
}
