//! Call lists, what became of their rows, and the links of agents are there after the store was opened again (S3).

use super::folder::{Folder, commit, start};
use clock::Wall;
use dialing::cause::Outcome;
use dialing::{End, Number};
use exchange::lists::{ListChange, Made, MadeList, Progress, Session, Shared};
use exchange::{Change, StoreAnswer, TokenHash};
use std::sync::Arc;
use std::time::Duration;

fn made(key: u32) -> ListChange {
    ListChange::Made(Arc::new(MadeList {
        key,
        name: format!("list {key}").into(),
        by: "boss".into(),
        at: Wall(5),
        text: Arc::default(),
        sheet: Shared(Arc::default()),
        skipped: 2,
        refusals: vec![(7, "no number".into())].into(),
    }))
}

fn row(key: u32, run: u32) -> ListChange {
    let told = Progress {
        attempts: Vec::new(),
        end: Some((Wall(9), End::Stopped)),
        run,
        result: "sold".into(),
        note: "'; --".into(),
        not_before: Some(Wall(11)),
    };
    ListChange::Row { key, row: 3, told }
}

fn attempt(key: u32, ended: Option<(Wall, Outcome)>) -> ListChange {
    let made = Made { run: 4, ordinal: 1, agent: 2, at: Wall(8), ended, talked: 30 };
    ListChange::Attempt { key, row: 3, made }
}

fn session(id: u32, version: u32) -> ListChange {
    ListChange::Session(Box::new(Session {
        id,
        agent: "ada".into(),
        device: "".into(),
        desk: true,
        token: TokenHash::of("token"),
        since: Wall(1),
        until: Wall(2),
        over: Some(Wall(3)),
        run: 4,
        left: "names".into(),
        version,
        content: u64::MAX - 1,
        served: vec![(1, 0), (u32::MAX, 7)],
        dropping: vec![(Number::outside("+8613800138000").unwrap(), 6)],
    }))
}

#[test]
fn s3_lists_and_links_come_back_and_go_with_all_that_is_known_of_them() {
    let folder = Folder::new("lists");
    let (_, store, answers) = start(&folder);
    let run = |run, session| ListChange::Run { run, session, name: "phone".into() };
    let dealt = ListChange::Dealt { key: 1, agents: vec!["ada".into()].into(), owners: Arc::default() };
    let first = vec![
        made(1),
        dealt.clone(),
        made(2),
        row(1, 1),
        row(2, 1),
        attempt(1, None),
        session(1, 1),
        session(2, 1),
    ];
    let ended = attempt(1, Some((Wall(10), Outcome::Vacant)));
    let second =
        vec![row(1, 5), ended.clone(), attempt(2, None), session(1, 2), run(4, 1), run(5, 2), run(4, 1)];
    let third = vec![ListChange::Gone(2), ListChange::SessionGone(2)];
    for (sequence, changes) in [(1, first), (2, second), (3, third)] {
        let changes = changes.into_iter().map(|change| Change::List(Box::new(change))).collect();
        store.commit(commit(sequence, 1, changes)).unwrap();
        assert_eq!(
            answers.recv_timeout(Duration::from_secs(10)).unwrap(),
            (sequence, StoreAnswer::Committed)
        );
    }
    drop(store);
    let expected = [made(1), dealt, row(1, 5), ended, session(1, 2), run(4, 1)];
    // The rows of a list are the same only when they are one; as they are shown they can be compared.
    let expected = expected.map(|change| Change::List(Box::new(change)));
    assert_eq!(format!("{:?}", start(&folder).0), format!("{expected:?}"));
}
