//! Badges, readers, counters and taps are there after the store was opened again.

use super::folder::{Answers, Folder, commit, start};
use clock::Wall;
use exchange::{
    Badge, BadgeKeys, BadgeKind, Change, Issue, Mark, PeopleChange, Reader, StoreAnswer, Tap, TapVerdict,
    TokenHash, Uid,
};
use std::time::Duration;
use store::{KeptTap, Store};

const ISSUE: Issue = Issue([7; 16]);

fn badge(name: &str, mark: Mark) -> Change {
    let badge =
        Badge { account: "ada".into(), label: "blue".into(), mark, made: Wall(5), revoked: Some(Wall(9)) };
    Change::People(PeopleChange::PutBadge { name: name.into(), badge: Box::new(badge) })
}

fn chip() -> Change {
    badge("chip", Mark::Secure(Uid::parse("04DE5F1EACC040").unwrap(), ISSUE))
}

fn counter(heard: u32, bound: u32) -> Change {
    Change::TapCounter { account: "ada".into(), issue: ISSUE, heard, bound }
}

fn tap(account: &str, time: i64) -> Change {
    Change::Tap(Box::new(Tap {
        time: Wall(time),
        account: account.into(),
        badge: "chip".into(),
        kind: Some(BadgeKind::Secure),
        reader: "reader-3".into(),
        device: "desk-3".into(),
        verdict: TapVerdict::Accepted,
        words: "accepted".into(),
    }))
}

fn keep(store: &Store, answers: &Answers, sequence: u64, changes: Vec<Change>) {
    store.commit(commit(sequence, 1, changes)).unwrap();
    let answer = answers.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(answer, (sequence, StoreAnswer::Committed));
}

fn taps(store: &Store, account: Option<&str>, before: Option<i64>, most: u32) -> Vec<KeptTap> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(store.records().taps(account, before, most)).unwrap()
}

#[test]
fn badges_come_back_and_the_last_of_their_counters() {
    let folder = Folder::new("badges");
    let (_, store, answers) = start(&folder);
    let keys = BadgeKeys { meta: [1; 16], master: [2; 16] };
    let keys = Change::People(PeopleChange::PutBadgeKeys(Box::new(keys)));
    let reader = Reader { device: "desk-3".into(), key: TokenHash::of("rdr_1") };
    let reader = Change::People(PeopleChange::PutReader { name: "reader-3".into(), reader });
    let card = badge("card", Mark::Uid(Uid::parse("DEADBEEF").unwrap()));
    let watch = badge("watch", Mark::Ndef(TokenHash::of("ada")));
    let all = vec![
        keys.clone(),
        watch.clone(),
        chip(),
        card.clone(),
        reader.clone(),
        counter(4, 68),
        counter(9, 73),
    ];
    keep(&store, &answers, 1, all);
    keep(&store, &answers, 2, vec![counter(11, 11)]);
    drop(store);
    assert!(folder.holds("ada") && !folder.holds("0202020202020202"), "sec_20: keys are sealed");
    let (after, store, answers) = start(&folder);
    assert_eq!(after, [keys.clone(), card, chip(), watch, reader, counter(11, 11)]);
    let gone = |name: &str| Change::People(PeopleChange::RemoveBadge { name: name.into() });
    let left = Change::People(PeopleChange::RemoveReader { name: "reader-3".into() });
    keep(&store, &answers, 1, vec![gone("chip"), gone("card"), gone("watch"), left]);
    drop(store);
    assert_eq!(start(&folder).0, [keys], "an issue that is gone takes its counter along");
}

#[test]
fn taps_are_read_newest_first_forgotten_by_account_and_kept_for_thirty_days() {
    let folder = Folder::new("taps");
    let (_, store, answers) = start(&folder);
    let day = 24 * 3_600 * 1_000;
    keep(&store, &answers, 1, vec![tap("ada", day), tap("bob", day), tap("ada", 2 * day), tap("", 2 * day)]);
    let times = |account, before, most| {
        taps(&store, account, before, most).iter().map(|tap| tap.time / day).collect::<Vec<_>>()
    };
    assert_eq!(times(Some("ada"), None, 10), [2, 1]);
    assert_eq!(times(None, None, 3), [2, 2, 1]);
    assert_eq!(times(None, Some(3), 10), [1, 1]);
    // What was judged after it was asked for stays.
    let forget = Change::ForgetTaps { account: "ada".into() };
    keep(&store, &answers, 2, vec![tap("ada", 3 * day), forget, tap("ada", 4 * day)]);
    assert_eq!(times(Some("ada"), None, 10), [4]);
    assert_eq!(times(Some("bob"), None, 10), [1]);
    keep(&store, &answers, 3, vec![tap("ada", 32 * day)]);
    assert_eq!(times(None, None, 10), [32, 4, 2]);
    let row = &taps(&store, Some("ada"), None, 1)[0];
    assert_eq!((&*row.rule, &*row.kind, &*row.badge), ("tap.accepted", "secure", "chip"));
}
