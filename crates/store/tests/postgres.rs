//! The store on a PostgreSQL server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "engines/cluster.rs"]
mod cluster;
#[path = "engines/postgres.rs"]
mod engine;
#[path = "engines/homes.rs"]
mod homes;
mod suite;
#[path = "engines/wire.rs"]
mod wire;

use cluster::Cluster;
use engine::{database, place_on};
use exchange::{Change, Commit, Epoch, Owned, Shard, StoreAnswer, StoredBinding};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use store::{Joining, News, Opened, Peer, Place, Store};
use suite::documents::{document, keep};
use suite::folder::{Answers, Folder, commit, start, start_at};
use suite::keeping::{account, open_call, record};
use wire::{Cut, Wire};

const WAIT: Duration = Duration::from_secs(60);

fn refused(place: &Place) -> String {
    Opened::open(place).err().expect("refused").to_string()
}

/// Lets the lease of an office run out without waiting for it.
fn end_lease(folder: &Folder) {
    cluster::shared().sql(&database(folder), "UPDATE writers SET until = 1");
}

#[test]
fn r19_a_second_exchange_is_told_who_has_the_office_and_the_first_is_fenced_when_it_is_late() {
    let (folder, other) = (Folder::new("lease"), Folder::new("lease-other"));
    let second =
        Place::server(&other.0, &cluster::shared().url("ringdown", &database(&folder)), None).unwrap();
    let (_, store, answers) = start(&folder);
    let late = commit(2, 1, vec![account("late")]);
    store.commit(commit(1, 1, vec![account("alice")])).unwrap();
    assert_eq!(answers.recv_timeout(WAIT).unwrap(), (1, StoreAnswer::Committed));
    let told = refused(&second);
    assert!(told.contains(folder.0.to_str().unwrap()) && told.contains("has this office until"), "{told}");
    assert!(store::examine(&second).unwrap().unwrap().contains("has this office until"));
    assert_eq!(store::examine(&folder.place()).unwrap(), None, "we may start again");
    end_lease(&folder);
    let (changes, new, new_answers) = start_at(&second);
    assert_eq!(changes, [account("alice")]);
    store.commit(late).unwrap();
    assert!(matches!(answers.recv_timeout(WAIT).unwrap(), (2, StoreAnswer::Fenced { .. })));
    new.commit(commit(1, 1, vec![account("bob")])).unwrap();
    assert_eq!(new_answers.recv_timeout(WAIT).unwrap(), (1, StoreAnswer::Committed));
    // Who comes back in order gives it back, and the next need not wait.
    new.close();
    store.close();
    assert_eq!(start(&folder).0, [account("alice"), account("bob")]);
}

#[test]
fn r19_a_lease_is_renewed_and_our_own_next_start_takes_it_at_once() {
    let folder = Folder::new("renewed");
    let opened = Opened::open(&folder.place()).unwrap();
    let first = opened.epoch();
    // As after a kill: it was not given back.
    drop(opened);
    let opened = Opened::open(&folder.place()).unwrap();
    assert!(opened.epoch() > first);
    let store = opened.start(|_, _| {}).unwrap();
    let until = || -> i64 {
        cluster::shared().sql(&database(&folder), "SELECT max(until) FROM writers").parse().unwrap()
    };
    let (before, begun) = (until(), Instant::now());
    while until() == before {
        assert!(begun.elapsed() < WAIT, "nobody renews");
        std::thread::sleep(Duration::from_millis(100));
    }
    store.close();
    assert_eq!(until(), 0, "given back");
}

#[test]
fn two_exchanges_that_start_at_once_make_one_office() {
    let folder = Folder::new("both");
    let others: Vec<Folder> = (0..4).map(|number| Folder::new(&format!("both-{number}"))).collect();
    let open = |other: &Folder| {
        let url = cluster::shared().url("ringdown", &database(&folder));
        Opened::open(&Place::server(&other.0, &url, None).unwrap()).map(|opened| opened.epoch())
    };
    let opened: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = others.iter().map(|other| scope.spawn(|| open(other))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(opened.iter().filter(|opened| opened.is_ok()).count(), 1, "{opened:?}");
}

#[test]
fn a_database_that_is_not_as_we_left_it_gets_nothing_more() {
    let folder = Folder::new("stranger");
    let (_, store, answers) = start(&folder);
    store.commit(commit(1, 1, vec![account("alice")])).unwrap();
    assert_eq!(answers.recv_timeout(WAIT).unwrap(), (1, StoreAnswer::Committed));
    // An earlier state, as after a fail-over to a copy that was behind.
    cluster::shared().sql(&database(&folder), "UPDATE writers SET mark = mark - 1");
    store.commit(commit(2, 1, vec![account("bob")])).unwrap();
    let (_, answer) = answers.recv_timeout(WAIT).unwrap();
    assert!(matches!(answer, StoreAnswer::Unavailable { why } if why.contains("not as we left it")));
}

#[test]
fn an_octet_0_of_the_wire_does_not_keep_the_rest_from_being_stored() {
    let folder = Folder::new("octet-0");
    let (_, store, answers) = start(&folder);
    store.commit(commit(1, 1, vec![record("a\0b"), account("alice")])).unwrap();
    assert_eq!(answers.recv_timeout(WAIT).unwrap(), (1, StoreAnswer::Committed));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(store.records().newest(1)).unwrap()[0].caller_name, "a\u{FFFD}b");
}

#[test]
fn an_office_moves_from_a_file_to_a_server_and_back() {
    let (folder, server, back) =
        (Folder::new("move-file"), Folder::new("move-server"), Folder::new("move-back"));
    let file = |folder: &Folder| Place::folder(&folder.0);
    let (_, store, answers) = start_at(&file(&folder));
    let changes = vec![account("alice"), suite::keeping::trunk(), record("x"), record("y")];
    store.commit(commit(1, 1, changes)).unwrap();
    assert_eq!(answers.recv_timeout(WAIT).unwrap(), (1, StoreAnswer::Committed));
    store.close();
    let kept = folder.0.join("kept");
    store::backup(&file(&folder), &kept, false).unwrap();
    store::restore(&kept, &server.place()).unwrap();
    let (changes, store, answers) = start(&server);
    assert_eq!(changes, [account("alice"), suite::keeping::trunk()]);
    store.commit(commit(1, 1, vec![record("z")])).unwrap();
    assert_eq!(answers.recv_timeout(WAIT).unwrap(), (1, StoreAnswer::Committed), "numbers of rows go on");
    // While it runs.
    let kept = server.0.join("kept");
    store::backup(&server.place(), &kept, false).unwrap();
    let told = store::restore(&kept, &server.place()).unwrap_err().to_string();
    assert!(told.contains("is not empty"), "{told}");
    let empty = Folder::new("move-empty");
    let full = Place::server(&empty.0, &cluster::shared().url("ringdown", &database(&server)), None).unwrap();
    let told = store::restore(&kept, &full).unwrap_err().to_string();
    assert!(told.contains("has this office until"), "{told}");
    store.close();
    let told = store::restore(&kept, &full).unwrap_err().to_string();
    assert!(told.contains("is not empty (it has rows in accounts)"), "{told}");
    store::restore(&kept, &file(&back)).unwrap();
    let (changes, store, _answers) = start_at(&file(&back));
    assert_eq!(changes, [account("alice"), suite::keeping::trunk()]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let names: Vec<String> = runtime
        .block_on(store.records().newest(9))
        .unwrap()
        .into_iter()
        .map(|record| record.caller_name)
        .collect();
    assert_eq!(names, ["x", "y", "z"]);
}

#[test]
fn what_keeps_a_server_from_being_used_is_said() {
    let cluster = Cluster::start("refusals");
    let folder = Folder::new("refusals");
    let at = |user: &str, database: &str, password: Option<&str>| {
        Place::server(&folder.0, &cluster.url(user, database), password).unwrap()
    };
    let owner = |database: &str| at("ringdown", database, None);
    assert!(refused(&owner("nowhere")).contains("CREATE DATABASE"), "{}", refused(&owner("nowhere")));
    cluster.sql("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    assert!(refused(&owner("latin")).contains("encoding is LATIN1"));
    cluster.sql("postgres", "CREATE ROLE guarded LOGIN PASSWORD 'right'");
    cluster.sql("postgres", "CREATE DATABASE office OWNER guarded");
    cluster.let_in("local all guarded scram-sha-256");
    let told = refused(&at("guarded", "office", Some("wr0ng-hush")));
    assert!(told.contains("does not let us in") && !told.contains("wr0ng-hush"), "{told}");
    Opened::open(&at("guarded", "office", Some("right"))).unwrap().close();
    cluster.sql("postgres", "CREATE ROLE stranger LOGIN");
    cluster.sql("postgres", "CREATE DATABASE theirs OWNER guarded");
    cluster.let_in("local all all trust");
    let told = refused(&at("stranger", "theirs", None));
    assert!(told.contains("must own the database"), "{told}");
    // A default that loses is overridden, in each session.
    cluster.sql("postgres", "ALTER ROLE guarded SET synchronous_commit = off");
    Opened::open(&at("guarded", "office", None)).unwrap().close();
    cluster.stop();
    for setting in ["fsync=off", "full_page_writes=off"] {
        cluster.run(&[setting]);
        let told = store::examine(&owner("postgres")).unwrap_err().to_string();
        assert!(told.contains("would lose what it has acknowledged"), "{told}");
        cluster.stop();
    }
    assert!(
        refused(&owner("postgres")).contains("is PostgreSQL running?"),
        "{}",
        refused(&owner("postgres"))
    );
}

/// Commits as fast as it is let, and what it was told of each.
struct Load {
    store: Store,
    answers: Answers,
    next: u64,
    kept: BTreeSet<u64>,
    refused: BTreeSet<u64>,
}

impl Load {
    fn start(place: &Place) -> Load {
        let (_, store, answers) = start_at(place);
        Load { store, answers, next: 0, kept: BTreeSet::new(), refused: BTreeSet::new() }
    }

    /// Some at once, and all their answers.
    fn commit(&mut self, count: u64) {
        for _ in 0..count {
            self.next += 1;
            self.store.commit(commit(self.next, 1, vec![record(&self.next.to_string())])).unwrap();
        }
        for _ in 0..count {
            match self.answers.recv_timeout(WAIT).unwrap() {
                (sequence, StoreAnswer::Committed) => self.kept.insert(sequence),
                (sequence, StoreAnswer::Unavailable { .. }) => self.refused.insert(sequence),
                other => panic!("{other:?}"),
            };
        }
    }

    /// Nothing that was kept is missing, nothing that was refused is there, nothing is there twice.
    fn judge(self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let records = runtime.block_on(self.store.records().after(0, u32::MAX)).unwrap();
        let there: Vec<u64> = records.iter().map(|record| record.caller_name.parse().unwrap()).collect();
        assert_eq!(there, self.kept.iter().copied().collect::<Vec<_>>());
        assert_eq!(self.kept.len() + self.refused.len(), usize::try_from(self.next).unwrap());
    }
}

#[test]
fn r20_a_server_that_is_killed_under_load_loses_nothing_and_has_nothing_twice() {
    let cluster = Cluster::start("killed");
    let folder = Folder::new("killed");
    cluster.make_database(&database(&folder));
    let mut load = Load::start(&place_on(&cluster, &folder));
    for round in 0..5 {
        let done = Arc::new(AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(30 + round * 17));
                cluster.kill();
                std::thread::sleep(Duration::from_millis(50));
                cluster.run(&[]);
                done.store(true, Ordering::Release);
            });
            while !done.load(Ordering::Acquire) {
                load.commit(5);
            }
        });
        let before = load.kept.len();
        let begun = Instant::now();
        while load.kept.len() == before {
            assert!(begun.elapsed() < WAIT, "it does not come back");
            load.commit(1);
        }
    }
    assert!(load.kept.len() > 20 && !load.refused.is_empty(), "{} {}", load.kept.len(), load.refused.len());
    load.judge();
}

#[test]
fn r20_a_connection_that_is_cut_under_load_loses_nothing_and_has_nothing_twice() {
    let folder = Folder::new("cut");
    let mut load = Load::start(&folder.place());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..20 {
                std::thread::sleep(Duration::from_millis(40));
                let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() \
                           AND pid <> pg_backend_pid()";
                cluster::shared().sql(&database(&folder), cut);
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            load.commit(5);
        }
    });
    load.commit(1);
    assert!(load.kept.len() > 20, "{}", load.kept.len());
    load.judge();
}

/// One commit whose COMMIT gets no answer, then one that comes meanwhile; what both were told, and what is there at the end.
fn in_doubt(name: &str, cut: Cut) -> (Vec<(u64, bool)>, Vec<String>) {
    let folder = Folder::new(name);
    let wire = Wire::to(cluster::shared().folder(), name);
    let place = Place::server(&folder.0, &wire.url(&database(&folder)), None).unwrap();
    let (_, store, answers) = start_at(&place);
    wire.set(cut);
    store.commit(commit(1, 1, vec![record("1")])).unwrap();
    assert!(answers.recv_timeout(Duration::from_millis(700)).is_err(), "nobody knows");
    store.commit(commit(2, 1, vec![record("2")])).unwrap();
    let mut told = vec![answers.recv_timeout(WAIT).unwrap()];
    assert!(
        matches!(&told[0].1, StoreAnswer::Unavailable { why } if why.contains("not known yet")),
        "{told:?}"
    );
    wire.set(Cut::Whole);
    told.push(answers.recv_timeout(WAIT).unwrap());
    store.commit(commit(3, 1, vec![record("3")])).unwrap();
    told.push(answers.recv_timeout(WAIT).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let there = runtime.block_on(store.records().newest(9)).unwrap();
    let told = told.into_iter().map(|(sequence, answer)| (sequence, answer == StoreAnswer::Committed));
    (told.collect(), there.into_iter().map(|record| record.caller_name).collect())
}

#[test]
fn r20_a_commit_whose_answer_is_lost_is_told_when_it_was_read_back() {
    let (told, there) = in_doubt("answer-lost", Cut::After);
    assert_eq!((told, there), (vec![(2, false), (1, true), (3, true)], vec!["1".into(), "3".into()]));
}

#[test]
fn r20_a_commit_that_never_arrived_is_refused_when_that_is_known() {
    let (told, there) = in_doubt("commit-lost", Cut::Before);
    assert_eq!((told, there), (vec![(2, false), (1, false), (3, true)], vec!["3".into()]));
}

#[test]
fn r20_a_commit_that_is_still_on_its_way_is_waited_for() {
    let (told, there) = in_doubt("commit-late", Cut::Late(Duration::from_secs(2)));
    assert_eq!((told, there), (vec![(2, false), (1, true), (3, true)], vec!["1".into(), "3".into()]));
}

#[test]
fn r20_a_document_whose_answer_is_lost_is_told_when_it_was_read_back() {
    let folder = Folder::new("document-lost");
    let wire = Wire::to(cluster::shared().folder(), "document-lost");
    let place = Place::server(&folder.0, &wire.url(&database(&folder)), None).unwrap();
    let (_, store, _answers) = start_at(&place);
    let (sender, kept) = std::sync::mpsc::sync_channel(1);
    let document = store::Document { kind: "session".into(), id: "1".into(), text: Some("x".into()) };
    wire.set(Cut::After);
    store.documents().keep(vec![document.clone()], Box::new(move |told| sender.send(told).unwrap())).unwrap();
    assert!(kept.recv_timeout(Duration::from_millis(700)).is_err(), "nobody knows");
    wire.set(Cut::Whole);
    assert_eq!(kept.recv_timeout(WAIT).unwrap(), Ok(()));
    store.close();
    assert_eq!(Opened::open(&folder.place()).unwrap().documents, [document]);
}

/// One of several exchanges over the database of a folder, and what it hears of the others.
struct Among {
    store: Store,
    answers: Answers,
    news: std::sync::mpsc::Receiver<News>,
    epoch: Epoch,
    number: u8,
    folder: Folder,
}

fn join(database_of: &Folder, name: &str) -> Among {
    join_by(&cluster::shared().url("ringdown", &database(database_of)), database_of, name)
}

fn join_by(url: &str, database_of: &Folder, name: &str) -> Among {
    let folder = Folder::new(name);
    std::fs::copy(database_of.0.join(store::SEAL_KEY), folder.0.join(store::SEAL_KEY)).ok();
    let place = Place::server(&folder.0, url, None).unwrap();
    let told = Joining { name: name.into(), ..Joining::default() };
    let opened = Opened::join(&place, &told).unwrap();
    let (number, ..) = opened.place_among_others().unwrap();
    let epoch = opened.epoch();
    let (answered, answers) = std::sync::mpsc::sync_channel(1_000);
    let (telling, news) = std::sync::mpsc::sync_channel(1_000);
    let store = opened
        .start_among_others(
            move |sequence, answer| answered.send((sequence, answer)).unwrap(),
            move |news| drop(telling.send(news)),
        )
        .unwrap();
    Among { store, answers, news, epoch, number: number.get(), folder }
}

impl Among {
    fn commit(&self, sequence: u64, position: u64, change: Change) -> StoreAnswer {
        let owned = Owned { shard: Shard(7), epoch: self.epoch, change };
        self.store.commit(Commit { sequence, urgent: true, position, changes: [owned].into() }).unwrap();
        self.answers.recv_timeout(WAIT).unwrap().1
    }

    /// The next documents that others kept, or ended.
    fn next_documents(&self) -> Vec<store::Document> {
        self.hears(|news| match news {
            News::Documents(documents) => Some(documents),
            _ => None,
        })
    }

    /// The first news that this picks.
    fn hears<T>(&self, pick: impl Fn(News) -> Option<T>) -> T {
        let until = Instant::now() + WAIT;
        loop {
            let news = self.news.recv_timeout(until.saturating_duration_since(Instant::now())).unwrap();
            if let Some(picked) = pick(news) {
                return picked;
            }
        }
    }
}

fn bound(device: &str) -> Change {
    let flow = sip::Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.7:5060".parse().unwrap());
    let binding = StoredBinding {
        contact: "sip:x@192.0.2.7".into(),
        instance: None,
        reg_id: 0,
        q: 1_000,
        path: Vec::new(),
        flow,
        behind_nat: false,
        expires: clock::Wall(4_000_000_000_000),
        call_id: "c".into(),
        sequence: 1,
    };
    Change::Bindings { device: device.into(), bindings: vec![binding] }
}

#[test]
fn r20_what_one_commits_the_others_are_told_and_what_contradicts_is_not_taken() {
    let folder = Folder::new("feed");
    let (north, south) = (join(&folder, "feed-north"), join(&folder, "feed-south"));
    assert_eq!((north.number, south.number), (1, 2));
    assert_eq!(north.commit(1, 0, account("alice")), StoreAnswer::Committed);
    let fed = |news| match news {
        News::Fed(position, changes) if !changes.is_empty() => Some((position, changes)),
        _ => None,
    };
    let (position, changes) = south.hears(fed);
    assert_eq!(changes, [account("alice")]);
    // Who did not know that is told to look again; who does is not.
    assert!(matches!(south.commit(1, 0, account("bob")), StoreAnswer::Conflict { .. }));
    assert_eq!(south.commit(2, position, account("bob")), StoreAnswer::Committed);
    assert_eq!(north.hears(fed).1, [account("bob")]);
    // A phone at one door is nothing that the other has written.
    assert_eq!(south.commit(3, position, bound("desk")), StoreAnswer::Committed);
    match north.hears(fed).1.as_slice() {
        [Change::BindingsElsewhere { device, bindings }] => {
            assert_eq!((&**device, bindings.len()), ("desk", 1));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        north.commit(2, u64::MAX, Change::Bindings { device: "desk".into(), bindings: Vec::new() }),
        StoreAnswer::Committed
    );
    let left = cluster::shared().sql(&database(&folder), "SELECT count(*) FROM bindings");
    assert_eq!(left, "1", "each removes its own alone");
    // What must happen once is the keeper's alone.
    let task = || Change::Agent { account: "alice".into(), kept: None };
    assert!(matches!(south.commit(4, u64::MAX, task()), StoreAnswer::Fenced { .. }));
    assert_eq!(north.commit(3, u64::MAX, task()), StoreAnswer::Committed);
}

#[test]
fn r20_a_hint_brings_what_was_told_before_the_next_look() {
    let folder = Folder::new("hint");
    let (north, south) = (join(&folder, "hint-north"), join(&folder, "hint-south"));
    // Of itself south looks each 500 ms: so many in a row would not be so soon by chance. A busy machine may miss some.
    let mut soon = 0;
    for (sequence, name) in (1..).zip(["ann", "bob", "cyd", "dan", "eve", "fay", "gus", "hal"]) {
        assert_eq!(north.commit(sequence, u64::MAX, account(name)), StoreAnswer::Committed);
        north.hears(|news| matches!(news, News::Told).then_some(()));
        let told = Instant::now();
        south.store.look();
        south.hears(|news| match news {
            News::Fed(_, changes) if changes == [account(name)] => Some(()),
            _ => None,
        });
        soon += usize::from(told.elapsed() < Duration::from_millis(100));
    }
    assert!(soon >= 6, "{soon} of 8 within 100 ms");
    // What is nobody else's says nothing.
    let agent = Change::Agent { account: "ann".into(), kept: None };
    assert_eq!(north.commit(100, u64::MAX, agent), StoreAnswer::Committed);
    let said: Vec<News> = north.news.try_iter().collect();
    assert!(!said.iter().any(|news| matches!(news, News::Told)), "{said:?}");
}

/// A document of a session.
fn session(text: Option<&str>) -> store::Document {
    store::Document { kind: "session".into(), id: "1".into(), text: text.map(Into::into) }
}

/// Hands documents over and waits until they are written.
fn written(hand: impl FnOnce(store::Kept) -> Result<(), store::StoreError>) {
    let (sender, kept) = std::sync::mpsc::sync_channel(1);
    hand(Box::new(move |told| sender.send(told).unwrap())).unwrap();
    assert_eq!(kept.recv_timeout(WAIT).unwrap(), Ok(()));
}

/// Who signed in at one is signed in at all, and out at all: the note of a last use by another does not bring an end back.
#[test]
fn sec_11_documents_are_told_and_what_ended_at_one_is_not_renewed_by_another() {
    let folder = Folder::new("documents-among");
    let north = join(&folder, "documents-north");
    // Documents are sealed: each exchange of an office has the key of the first.
    std::fs::copy(north.folder.0.join(store::SEAL_KEY), folder.0.join(store::SEAL_KEY)).unwrap();
    let south = join(&folder, "documents-south");
    written(|kept| north.store.documents().keep(vec![session(Some("first"))], kept));
    assert_eq!(south.next_documents(), [session(Some("first"))]);
    written(|kept| south.store.documents().renew(vec![session(Some("used"))], kept));
    assert_eq!(north.next_documents(), [session(Some("used"))]);
    written(|kept| north.store.documents().keep(vec![session(None)], kept));
    written(|kept| south.store.documents().renew(vec![session(Some("used again"))], kept));
    assert_eq!(south.next_documents(), [session(None)]);
    // What two use at once is used by one.
    let link = |text: Option<&str>| store::Document {
        kind: "link".into(),
        id: "l".into(),
        text: text.map(Into::into),
    };
    written(|kept| north.store.documents().keep(vec![link(Some("once"))], kept));
    let (sender, answers) = std::sync::mpsc::sync_channel(2);
    for one in [&north, &south] {
        let sender = sender.clone();
        let kept = Box::new(move |kept| sender.send(kept).unwrap());
        one.store.documents().spend(link(None), vec![session(None)], kept).unwrap();
    }
    let mut answers: Vec<Result<(), String>> = answers.iter().take(2).collect();
    answers.sort();
    assert_eq!(answers, [Ok(()), Err("this link was used".to_owned())]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(south.store.documents().all()).unwrap(), []);
    south.store.close();
    north.store.close();
}

#[test]
fn r25_the_next_keeps_what_must_happen_once_when_the_first_is_silent_and_that_one_may_come_back() {
    let folder = Folder::new("keeper");
    let wire = Wire::to(cluster::shared().folder(), "keeper");
    let north = join_by(&wire.url(&database(&folder)), &folder, "keeper-north");
    let south = join(&folder, "keeper-south");
    north.hears(|news| matches!(news, News::Keep(Epoch(1), _, None)).then_some(()));
    let known = |news| match news {
        News::Peers(peers) => Some(peers).filter(|peers| !peers.is_empty()),
        _ => None,
    };
    let peers = south.hears(known);
    assert!(peers[0].keeps && peers[0].lives && peers[0].told.name == "keeper-north", "{peers:?}");
    assert_eq!(north.commit(1, 0, account("alice")), StoreAnswer::Committed);
    assert_eq!(north.commit(2, u64::MAX, bound("desk")), StoreAnswer::Committed);
    assert_eq!(north.commit(5, u64::MAX, open_call("goes on", Some(2_000))), StoreAnswer::Committed);
    assert_eq!(north.commit(6, u64::MAX, open_call("was lost", Some(2_000))), StoreAnswer::Committed);
    let began = Instant::now();
    wire.set(Cut::Before);
    let (epoch, changes) = south.hears(|news| match news {
        News::Keep(epoch, _, changes) => Some((epoch, changes)),
        _ => None,
    });
    assert_eq!(epoch, Epoch(2));
    assert!(changes.is_some(), "with all there is of it");
    let took = began.elapsed();
    assert!(took < Duration::from_secs(9), "{took:?}");
    let gone = |news| match news {
        News::Fed(_, changes) => {
            changes.into_iter().find(|change| matches!(change, Change::BindingsElsewhere { .. }))
        }
        _ => None,
    };
    assert!(matches!(south.hears(gone), Change::BindingsElsewhere { bindings, .. } if bindings.is_empty()));
    // It was cut off, not dead: it finds that out, and is one of them again.
    wire.set(Cut::Whole);
    north.hears(|news| matches!(news, News::Forgotten).then_some(()));
    north.hears(|news| matches!(news, News::Lose).then_some(()));
    assert!(matches!(
        north.commit(3, u64::MAX, Change::Agent { account: "alice".into(), kept: None }),
        StoreAnswer::Fenced { .. }
    ));
    assert_eq!(north.commit(4, u64::MAX, bound("desk")), StoreAnswer::Committed);
    // A call that was not lost after all has no record that says so.
    let lost = || {
        cluster::shared()
            .sql(&database(&folder), "SELECT string_agg(session_id, ',' ORDER BY session_id) FROM records")
    };
    assert_eq!(lost(), "goes on,was lost");
    assert_eq!(north.commit(7, u64::MAX, open_call("goes on", Some(2_000))), StoreAnswer::Committed);
    assert_eq!(lost(), "was lost");
}

#[test]
fn r20_a_server_that_is_silent_is_away_for_all_who_wait_at_once_and_then_there_again() {
    let folder = Folder::new("silent");
    let wire = Wire::to(cluster::shared().folder(), "silent");
    let north = join_by(&wire.url(&database(&folder)), &folder, "silent-north");
    assert_eq!(north.commit(1, 0, account("alice")), StoreAnswer::Committed);
    wire.set(Cut::Silent);
    let began = Instant::now();
    for sequence in 2..7 {
        let refused = north.commit(sequence, u64::MAX, account("bob"));
        assert!(matches!(refused, StoreAnswer::Unavailable { .. }), "{refused:?}");
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?}");
    wire.set(Cut::Whole);
    let began = Instant::now();
    let mut sequence = 7;
    while north.commit(sequence, u64::MAX, account("bob")) != StoreAnswer::Committed {
        assert!(began.elapsed() < Duration::from_secs(5), "it is there again");
        std::thread::sleep(Duration::from_millis(100));
        sequence += 1;
    }
}

#[test]
fn r19_one_that_is_cut_off_in_a_transaction_holds_the_others_up_for_less_than_they_wait() {
    let folder = Folder::new("held");
    let wire = Wire::to(cluster::shared().folder(), "held");
    let north = join_by(&wire.url(&database(&folder)), &folder, "held-north");
    let south = join(&folder, "held-south");
    assert_eq!(north.commit(1, 0, bound("desk")), StoreAnswer::Committed);
    wire.set(Cut::SilentAtCommit);
    let owned = Owned { shard: Shard(7), epoch: north.epoch, change: bound("desk-2") };
    let commit = Commit { sequence: 2, urgent: true, position: u64::MAX, changes: [owned].into() };
    north.store.commit(commit).unwrap();
    let until = Instant::now() + WAIT;
    while wire.cut() != Cut::Silent {
        assert!(Instant::now() < until, "it is in its transaction");
        std::thread::sleep(Duration::from_millis(10));
    }
    let began = Instant::now();
    assert_eq!(south.commit(1, u64::MAX, bound("phone")), StoreAnswer::Committed);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(4), "{took:?}");
    let keeps = |news| if let News::Keep(epoch, ..) = news { Some(epoch) } else { None };
    assert_eq!(south.hears(keeps), Epoch(2));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?}");
    // What did not arrive is refused, and is not there.
    wire.set(Cut::Whole);
    let (_, answer) = north.answers.recv_timeout(WAIT).unwrap();
    assert!(matches!(answer, StoreAnswer::Unavailable { .. }), "{answer:?}");
    let there =
        cluster::shared().sql(&database(&folder), "SELECT count(*) FROM bindings WHERE device = 'desk-2'");
    assert_eq!(there, "0");
}

#[test]
fn r24_one_that_takes_long_to_start_is_not_taken_for_dead() {
    let folder = Folder::new("slow");
    let north = join(&folder, "slow-north");
    let other = Folder::new("slow-south");
    let url = cluster::shared().url("ringdown", &database(&folder));
    let place = Place::server(&other.0, &url, None).unwrap();
    let told = Joining { name: "slow-south".into(), ..Joining::default() };
    let opened = Opened::join(&place, &told).unwrap();
    let peers = |news| if let News::Peers(peers) = news { Some(peers) } else { None };
    let is_there = |peers: Vec<Peer>| peers.iter().any(|peer| peer.told.name == "slow-south" && peer.lives);
    north.hears(|news| peers(news).filter(|peers| is_there(peers.clone())));
    // Longer than a lease lasts, and what is granted after it.
    std::thread::sleep(Duration::from_secs(6));
    let changed = north.news.try_iter().filter_map(peers).find(|peers| !is_there(peers.clone()));
    assert!(changed.is_none(), "{changed:?}");
    opened.close();
}

#[test]
fn r20_what_was_told_long_ago_is_forgotten_and_who_missed_it_is_told_so() {
    let folder = Folder::new("forget");
    let (north, south) = (join(&folder, "forget-north"), join(&folder, "forget-south"));
    assert_eq!(north.commit(1, 0, account("alice")), StoreAnswer::Committed);
    let fed = |news| match news {
        News::Fed(_, changes) if !changes.is_empty() => Some(()),
        News::Missed => panic!("nothing was missed"),
        _ => None,
    };
    south.hears(fed);
    // A gap where a transaction was given up is nothing that was missed.
    let sql = |text: &str| cluster::shared().sql(&database(&folder), text);
    sql("SELECT nextval(pg_get_serial_sequence('feed', 'position'))");
    assert_eq!(north.commit(2, u64::MAX, account("bob")), StoreAnswer::Committed);
    south.hears(fed);
    sql("DELETE FROM feed; SELECT nextval(pg_get_serial_sequence('feed', 'position'))");
    assert_eq!(north.commit(3, u64::MAX, account("carl")), StoreAnswer::Committed);
    south.hears(|news| matches!(news, News::Missed).then_some(()));
}

#[test]
fn r24_one_that_has_the_office_for_itself_is_not_joined_and_does_not_join() {
    let folder = Folder::new("alone");
    let (_, store, _) = start(&folder);
    let other = Folder::new("alone-other");
    let url = cluster::shared().url("ringdown", &database(&folder));
    let place = Place::server(&other.0, &url, None).unwrap();
    let told = Joining { name: "south".into(), ..Joining::default() };
    let refused = Opened::join(&place, &told).err().expect("refused").to_string();
    assert!(refused.contains("has this office for itself"), "{refused}");
    store.close();
    let member = join(&folder, "alone-third");
    assert!(self::refused(&place).contains("has this office until"));
    drop(member);
}

#[test]
fn r19_whoever_was_taken_over_keeps_no_documents_and_hears_of_it() {
    let (folder, other) = (Folder::new("taken-over"), Folder::new("taken-over-other"));
    let second =
        Place::server(&other.0, &cluster::shared().url("ringdown", &database(&folder)), None).unwrap();
    let (sender, held) = std::sync::mpsc::sync_channel(100);
    let opened = Opened::open(&folder.place()).unwrap();
    let store = opened.start_alone(|_, _| {}, move |told| sender.send(told).unwrap()).unwrap();
    keep(&store, document("1", Some("ours"))).unwrap();
    assert!(
        matches!(held.recv_timeout(WAIT).unwrap(), store::Held::For(time) if time > Duration::from_secs(10))
    );
    end_lease(&folder);
    std::fs::copy(folder.0.join("seal.key"), other.0.join("seal.key")).unwrap();
    let new = Opened::open(&second).unwrap();
    assert_eq!(new.documents, [document("1", Some("ours"))]);
    let told = keep(&store, document("2", Some("late"))).unwrap_err();
    assert!(told.contains("taken this over"), "{told}");
    while held.recv_timeout(WAIT).unwrap() != store::Held::Lost {}
    new.close();
    store.close();
}

#[test]
fn sec_20_a_visitor_with_another_key_is_told_so() {
    let (folder, other) = (Folder::new("visitor"), Folder::new("visitor-other"));
    let (_, store, _answers) = start(&folder);
    keep(&store, document("1", Some("ours"))).unwrap();
    let place =
        Place::server(&other.0, &cluster::shared().url("ringdown", &database(&folder)), None).unwrap();
    let told = store::Visitor::open(&place).unwrap().find("note", None).unwrap_err().to_string();
    assert!(told.contains("sealed under another seal.key"), "{told}");
    store.close();
}

#[test]
fn r20_what_one_shares_at_its_start_those_who_run_hear_and_those_who_come_find() {
    let folder = Folder::new("sharing");
    let north = join(&folder, "sharing-north");
    let other = Folder::new("sharing-south");
    std::fs::copy(north.folder.0.join(store::SEAL_KEY), other.0.join(store::SEAL_KEY)).unwrap();
    let url = cluster::shared().url("ringdown", &database(&folder));
    let place = Place::server(&other.0, &url, None).unwrap();
    let told = Joining { name: "south".into(), ..Joining::default() };
    let mut opened = Opened::join(&place, &told).unwrap();
    let shared = document("", Some("ours"));
    assert_eq!(opened.share(&shared, |_| true).unwrap(), shared);
    assert_eq!(north.next_documents(), std::slice::from_ref(&shared));
    opened.close();
    let mut opened = Opened::join(&place, &told).unwrap();
    assert_eq!(opened.documents, std::slice::from_ref(&shared));
    assert_eq!(opened.share(&document("", Some("mine")), |there| *there == shared).unwrap(), shared);
    opened.close();
}
