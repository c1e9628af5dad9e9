//! What was committed is there after the store was opened again (R19, R20, R21).

use super::folder::{Folder, commit, start};
use clock::{Now, Wall};
use exchange::{
    AutoAnswer, Change, Device, Epoch, ForwardWhen, Group, Host, Language, PeopleChange, Right, Rights,
    Route, Seat, Secret, Settings, Shard, StoreAnswer, StoredBinding, Strategy, Trunk, TrunkLogin,
};
use sip::Flow;
use std::time::Duration;
use store::Opened;

pub(crate) fn account(name: &str) -> Change {
    Change::People(PeopleChange::PutAccount {
        name: name.into(),
        display: "Name \u{4F60}\u{597D} '; --".into(),
        settings: Box::new(settings()),
    })
}

fn settings() -> Settings {
    let mut settings = Settings {
        language: Language::Chinese,
        zone: Some("Asia/Shanghai".into()),
        pin: Some("$argon2id$...".into()),
        do_not_disturb: true,
        rights: Rights::default().with(Right::National).with(Right::Pull),
        calls_a_day: Some(30),
        ..Settings::default()
    };
    settings.forwarding.set(ForwardWhen::NoAnswer, Some("+8613800000000".into()));
    settings
}

pub(crate) fn trunk() -> Change {
    let mut trunk = Trunk::at(Host::Name("sip.provider.example".into()), Some(5_080));
    trunk.login = Some(TrunkLogin { user: "us".into(), password: "hush".into(), realm: Some("r".into()) });
    trunk.channels = Some(4);
    trunk.sources = vec!["2001:db8::1".parse().unwrap(), "192.0.2.9".parse().unwrap()];
    trunk.prepend = "+86".into();
    Change::People(PeopleChange::PutTrunk { name: "provider".into(), trunk: Box::new(trunk) })
}

fn route() -> Change {
    let route = Route {
        prefix: "+86".into(),
        strip: 3,
        prepend: "0".into(),
        trunks: vec!["provider".into()],
        caller: None,
    };
    Change::People(PeopleChange::PutRoute { name: "home".into(), route: Box::new(route) })
}

fn group() -> Change {
    let group = Group {
        display: "Sales".into(),
        number: "700".into(),
        strategy: Strategy::Turn,
        members: vec!["alice".into(), "bob".into()],
        ring: Duration::from_secs(15),
        overflow: Some("9".into()),
    };
    Change::People(PeopleChange::PutGroup { name: "sales".into(), group: Box::new(group) })
}

fn number(number: &str, account: &str) -> Change {
    Change::People(PeopleChange::PutNumber { number: number.into(), account: account.into() })
}

fn device(name: &str) -> Change {
    let device = Device {
        location: "Room 3".into(),
        auto_answer: Some(AutoAnswer::CallInfo),
        ..Device::new("alice", Secret::new(name, "office", "pass"))
    };
    Change::People(PeopleChange::PutDevice { name: name.into(), device })
}

fn bindings(device: &str, count: u32) -> Change {
    let binding = |place: u32| StoredBinding {
        contact: format!("sip:{device}@192.0.2.7:{place}").into(),
        instance: Some("<urn:uuid:1>".into()),
        reg_id: place,
        q: 500,
        path: vec!["<sip:one;lr>".into(), "<sip:two;lr>".into()],
        flow: Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.7:5060".parse().unwrap()),
        behind_nat: true,
        expires: Wall(1_000),
        call_id: "c".into(),
        sequence: 4_000_000_000,
    };
    Change::Bindings { device: device.into(), bindings: (0..count).map(binding).collect() }
}

#[test]
fn everything_comes_back_in_its_order() {
    let folder = Folder::new("order");
    let (before, store, answers) = start(&folder);
    assert!(before.is_empty());
    store
        .commit(commit(
            1,
            1,
            vec![account("alice"), account("bob"), number("9", "alice"), number("1", "alice")],
        ))
        .unwrap();
    store
        .commit(commit(2, 1, vec![device("z"), device("a"), trunk(), route(), group(), bindings("a", 2)]))
        .unwrap();
    store
        .commit(commit(3, 1, vec![Change::People(PeopleChange::RemoveAccount { name: "bob".into() })]))
        .unwrap();
    for sequence in 1..=3 {
        let answer = answers.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(answer, (sequence, StoreAnswer::Committed));
    }
    store.close();
    let (after, _store, _answers) = start(&folder);
    let expected = [
        account("alice"),
        number("9", "alice"),
        number("1", "alice"),
        device("z"),
        device("a"),
        trunk(),
        route(),
        group(),
        bindings("a", 2),
    ];
    assert_eq!(after, expected);
}

#[test]
fn s1_2_who_sits_where_is_there_after_a_restart_and_an_empty_commit_is_answered() {
    let folder = Folder::new("seats");
    let (_, store, answers) = start(&folder);
    let seat = |account: &str, until| Seat { account: account.into(), since: Wall(5), until };
    let put = |device: &str, seat| Change::Seat { device: device.into(), seat };
    let ada = put("d1", Some(seat("ada", Some(Wall(9)))));
    let first = vec![ada.clone(), put("d2", Some(seat("bob", None)))];
    let second =
        vec![put("d2", None), put("d3", Some(seat("eve", None))), put("d3", Some(seat("bob", None)))];
    for (sequence, changes) in [(1, first), (2, second), (3, Vec::new())] {
        store.commit(commit(sequence, 1, changes)).unwrap();
    }
    let told: Vec<(u64, StoreAnswer)> = answers.iter().take(3).collect();
    assert!(told.iter().all(|(_, answer)| *answer == StoreAnswer::Committed), "{told:?}");
    drop(store);
    let (changes, _store, _answers) = start(&folder);
    assert_eq!(changes, [ada, put("d3", Some(seat("bob", None)))]);
}

#[test]
fn the_last_word_on_a_key_counts_and_a_removed_device_takes_its_bindings_along() {
    let folder = Folder::new("last");
    let (_, store, answers) = start(&folder);
    store
        .commit(commit(1, 1, vec![account("alice"), device("a"), bindings("a", 2), bindings("a", 1)]))
        .unwrap();
    store.commit(commit(2, 1, vec![device("b"), bindings("b", 1)])).unwrap();
    store
        .commit(commit(3, 1, vec![Change::People(PeopleChange::RemoveDevice { name: "b".into() })]))
        .unwrap();
    for _ in 0..3 {
        answers.recv_timeout(Duration::from_secs(10)).unwrap();
    }
    drop(store);
    assert_eq!(start(&folder).0, [account("alice"), device("a"), bindings("a", 1)]);
}

#[test]
fn r21_a_thousand_commits_are_answered_in_order() {
    let folder = Folder::new("group");
    let (_, store, answers) = start(&folder);
    for sequence in 1..=1_000 {
        store.commit(commit(sequence, 1, vec![account(&format!("a{sequence}"))])).unwrap();
    }
    for sequence in 1..=1_000 {
        let answer = answers.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(answer, (sequence, StoreAnswer::Committed), "answers come in order");
    }
    drop(store);
    assert_eq!(start(&folder).0.len(), 1_000);
}

#[test]
fn r19_an_older_owner_is_fenced_and_changes_nothing() {
    let folder = Folder::new("fence");
    let (_, store, answers) = start(&folder);
    store.take_shard(Shard(7), Epoch(2)).unwrap();
    store.commit(commit(1, 1, vec![account("alice")])).unwrap();
    store.commit(commit(2, 2, vec![account("bob")])).unwrap();
    let wait = Duration::from_secs(10);
    assert_eq!(answers.recv_timeout(wait).unwrap(), (1, StoreAnswer::Fenced { shard: Shard(7) }));
    assert_eq!(answers.recv_timeout(wait).unwrap(), (2, StoreAnswer::Committed));
    drop(store);
    assert_eq!(start(&folder).0, [account("bob")]);
}

#[test]
fn settings_stay_and_a_newer_form_is_refused() {
    let folder = Folder::new("settings");
    let mut opened = Opened::open(&folder.place()).unwrap();
    assert_eq!(opened.setting("realm"), None);
    opened.keep_setting("realm", "office").unwrap();
    opened.close();
    let opened = Opened::open(&folder.place()).unwrap();
    assert_eq!(opened.setting("realm"), Some("office"));
    opened.close();
    crate::engine::be_of_form(&folder, 99);
    let error = Opened::open(&folder.place()).err().unwrap().to_string();
    assert!(
        error.contains(&folder.place().to_string()) && error.contains("newer Ringdown (form 99"),
        "{error}"
    );
}

/// The record of a call by somebody of this name.
pub(crate) fn record(name: &str) -> Change {
    Change::Record(Box::new(calls::CallRecord {
        call: calls::CallId::default(),
        session_id: "s".into(),
        caller: calls::Party { number: "1".into(), name: name.into() },
        dialled: "2".into(),
        answered_by: "".into(),
        started: Now::default().wall,
        answered: None,
        ended: Wall(5),
        ringing: Duration::from_millis(1_500),
        talking: Duration::ZERO,
        cause: calls::Cause::Busy,
        blame: calls::Blame::Callee,
        status: 486,
        detail: "".into(),
        task: Some(7),
    }))
}

#[test]
fn records_are_read_newest_last() {
    let folder = Folder::new("records");
    let (_, store, answers) = start(&folder);
    let record = |number: i64| match record("'; DROP TABLE records; --") {
        Change::Record(mut record) => {
            (record.dialled, record.ended) = (number.to_string().into(), Wall(number));
            Change::Record(record)
        }
        other => other,
    };
    store.commit(commit(1, 1, (1..=2_500).map(record).collect())).unwrap();
    answers.recv_timeout(Duration::from_secs(10)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let newest = runtime.block_on(store.records().newest(3)).unwrap();
    let dialled: Vec<&str> = newest.iter().map(|record| record.dialled.as_str()).collect();
    assert_eq!(dialled, ["2498", "2499", "2500"]);
    assert_eq!((newest[0].cause.as_str(), newest[0].status, newest[0].ringing_ms), ("busy", 486, 1_500));
    assert_eq!(newest[0].caller_name, "'; DROP TABLE records; --", "sec_01: names are data");
    assert_eq!(runtime.block_on(store.records().after(2_499, 10)).unwrap().len(), 1);
}

pub(crate) fn open_call(session: &str, answered: Option<i64>) -> Change {
    Change::OpenCall(std::sync::Arc::new(exchange::OpenCall {
        session_id: session.into(),
        dialled: "102".into(),
        caller: calls::Party { number: "101".into(), name: "Alice".into() },
        answered_by: answered.map(|_| "bob-desk".into()).unwrap_or_default(),
        started: Wall(1_000),
        answered: answered.map(Wall),
        task: Some(9),
    }))
}

#[test]
fn r20_calls_that_died_with_the_exchange_get_their_record() {
    let folder = Folder::new("open-calls");
    let (_, store, answers) = start(&folder);
    store.commit(commit(1, 1, vec![open_call("a", None), open_call("b", None)])).unwrap();
    store.commit(commit(2, 1, vec![open_call("b", Some(3_000))])).unwrap();
    for _ in 0..2 {
        answers.recv_timeout(Duration::from_secs(10)).unwrap();
    }
    store.close();
    let mut opened = Opened::open(&folder.place()).unwrap();
    assert_eq!(opened.close_open_calls().unwrap(), 2);
    assert_eq!(opened.close_open_calls().unwrap(), 0, "once");
    let store = opened.start(|_, _| {}).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let records = runtime.block_on(store.records().newest(10)).unwrap();
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| record.cause == "node lost" && record.blame == "us"));
    let answered = records.iter().find(|record| record.session_id == "b").unwrap();
    assert_eq!((answered.answered, answered.ringing_ms, answered.status), (Some(3_000), 2_000, 200));
    assert_eq!((&*answered.answered_by, answered.talking_ms), ("bob-desk", answered.ended - 3_000));
}

#[test]
fn a_backup_is_whole_private_and_restored_into_an_empty_folder_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, target) = (Folder::new("backup"), Folder::new("restore"));
    let file = folder.0.join("kept");
    assert!(store::backup(&folder.place(), &file, false).unwrap_err().to_string().contains("no office"));
    let (_, store, answers) = start(&folder);
    std::fs::write(folder.0.join("key.pem"), "a key").unwrap();
    store.commit(commit(1, 1, vec![account("alice"), number("101", "alice"), open_call("a", None)])).unwrap();
    answers.recv_timeout(Duration::from_secs(10)).unwrap();
    store::backup(&folder.place(), &file, false).unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(store::backup(&folder.place(), &file, false).unwrap_err().to_string().contains("--force"));
    store::backup(&folder.place(), &file, true).unwrap();
    let told = store::restore(&file, &folder.place()).unwrap_err().to_string();
    assert!(told.contains("is not empty"), "{told}");
    let damaged = folder.0.join("damaged");
    let mut bytes = std::fs::read(&file).unwrap();
    let half = bytes.len() / 2;
    bytes.truncate(half);
    std::fs::write(&damaged, &bytes).unwrap();
    let told = store::restore(&damaged, &target.place()).unwrap_err().to_string();
    assert!(told.contains("damaged"), "{told}");
    assert_eq!(std::fs::read_dir(&target.0).unwrap().count(), 0, "nothing is left behind");
    store::restore(&file, &target.place()).unwrap();
    assert_eq!(std::fs::read(target.0.join("key.pem")).unwrap(), b"a key");
    let mut opened = Opened::open(&target.place()).unwrap();
    assert_eq!(opened.snapshot.changes.len(), 2);
    assert_eq!(opened.close_open_calls().unwrap(), 0, "its exchange did not die");
}

#[test]
fn sec_20_a_trunk_password_lies_in_no_file_in_clear_and_needs_its_key() {
    let folder = Folder::new("sealed");
    let (_, store, answers) = start(&folder);
    store.commit(commit(1, 1, vec![trunk()])).unwrap();
    answers.recv_timeout(Duration::from_secs(10)).unwrap();
    store.close();
    assert!(folder.holds("provider") && !folder.holds("hush"));
    std::fs::write(folder.0.join(store::SEAL_KEY), [0; 32]).unwrap();
    let error = Opened::open(&folder.place()).err().expect("the wrong key opens nothing").to_string();
    assert!(error.contains("another seal.key"), "{error}");
}

#[test]
fn facts_are_found_by_the_first_digits_of_a_session_and_old_ones_leave() {
    let folder = Folder::new("facts");
    let (_, store, answers) = start(&folder);
    let fact = |time: i64, subject: &str| {
        Change::Fact(Box::new(exchange::Fact {
            time: Wall(time),
            kind: exchange::FactKind::Call,
            subject: subject.into(),
            rule: "rights.national".into(),
            words: "alice may not call there".into(),
        }))
    };
    let month = 31 * 24 * 3_600 * 1_000;
    store.commit(commit(1, 1, vec![fact(5, "00ff00ff11")])).unwrap();
    store.commit(commit(2, 1, vec![fact(month, "00ff00aa22"), fact(month + 1, "ab")])).unwrap();
    for _ in 0..2 {
        answers.recv_timeout(Duration::from_secs(10)).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let about = |subject: &str| runtime.block_on(store.records().facts("call", subject)).unwrap();
    assert_eq!(about("00ff00").len(), 1, "the one of a month ago is gone");
    assert_eq!(about("00ff00")[0].rule.as_str(), "rights.national");
    assert_eq!((about("ab").len(), about("00").len()), (1, 0), "a few digits name nothing but a whole name");
}
