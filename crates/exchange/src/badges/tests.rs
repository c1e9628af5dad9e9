//! An office with one reader and a badge of each kind, its store in the test's hand.

use super::badge::{Badge, BadgeKeys, BadgeKind, Issue, Mark, Uid};
use super::policy::{BadgePolicy, WeekTime};
use super::reading::{Reading, text_hash};
use super::secure::{self, Told};
use super::verdict::{Tap, TapVerdict};
use super::{Reader, TapRequest};
use crate::change::{Change, Commit, StoreAnswer};
use crate::command::{Answer, Command};
use crate::exchange::{Config, Exchange, Snapshot};
use crate::input::{CommandId, Input, Output};
use crate::limits;
use crate::people::{Device, PeopleChange, Settings};
use crate::pin::{Pin, PinCheck};
use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt as _, KeyInit as _};
use clock::{Mono, Now, Wall};
use sip::bearer::TokenHash;
use sip::digest::Secret;
use std::collections::BTreeMap;
use std::time::Duration;

const KEYS: BadgeKeys = BadgeKeys { meta: [1; 16], master: [2; 16] };
const ISSUE: Issue = Issue([3; 16]);
const CHIP: &str = "04DE5F1EACC040";
const CARD: &str = "DEADBEEF";

struct Office {
    exchange: Exchange,
    now: Now,
    asked: u64,
    answers: BTreeMap<u64, TapVerdict>,
    /// What waits for the store.
    commits: Vec<Commit>,
    /// What the store has.
    kept: Vec<Change>,
    checks: Vec<PinCheck>,
}

fn people() -> Vec<Change> {
    let settings = Settings { pin: Some("hash".into()), ..Settings::default() };
    let badge = |name: &str, mark| {
        let (account, label) = ("ada".into(), "".into());
        let badge = Box::new(Badge { account, label, mark, made: Wall(0), revoked: None });
        PeopleChange::PutBadge { name: name.into(), badge }
    };
    let uid = |text: &str| Uid::parse(text).unwrap();
    [
        PeopleChange::PutAccount { name: "ada".into(), display: "Ada".into(), settings: Box::new(settings) },
        PeopleChange::PutDevice {
            name: "desk-3".into(),
            device: Device::new("ada", Secret::new("desk-3", "office", "secret")),
        },
        PeopleChange::PutBadgeKeys(Box::new(KEYS)),
        badge("chip", Mark::Secure(uid(CHIP), ISSUE)),
        badge("card", Mark::Uid(uid(CARD))),
        badge("watch", Mark::Ndef(text_hash("ada"))),
        PeopleChange::PutReader {
            name: "reader-3".into(),
            reader: Reader { device: "desk-3".into(), key: TokenHash::of("rdr_key") },
        },
    ]
    .into_iter()
    .map(Change::People)
    .collect()
}

impl Office {
    /// All kinds are allowed and no PIN is asked for.
    fn new() -> Office {
        Office::with(BadgePolicy {
            allow: BadgeKind::ALL.to_vec(),
            pin: Vec::new(),
            ..BadgePolicy::default()
        })
    }

    fn with(badges: BadgePolicy) -> Office {
        Office::of(badges, Vec::new())
    }

    fn of(badges: BadgePolicy, kept: Vec<Change>) -> Office {
        let now = Now { mono: Mono(1_000_000_000), wall: Wall(1_700_000_000_000) };
        let config = Config { badges, ..Config::new("office", Vec::new()) };
        let changes = people().into_iter().chain(kept.iter().cloned()).collect();
        let exchange = Exchange::new(now, config, [7; 32], Snapshot { changes, sequence: 0 });
        let (answers, commits, checks) = (BTreeMap::new(), Vec::new(), Vec::new());
        Office { exchange, now, asked: 0, answers, commits, kept, checks }
    }

    /// The same office after it was killed: what the store does not have is gone.
    fn killed(self) -> Office {
        let policy = self.exchange.config.badges.clone();
        Office::of(policy, self.kept)
    }

    fn pass(&mut self, time: Duration) {
        self.now.mono = self.now.mono + time;
    }

    fn handle(&mut self, input: Input<'_>) {
        self.exchange.handle(self.now, input);
        while let Some(output) = self.exchange.next_output() {
            match output {
                Output::Answer { id, answer: Answer::Tapped(answer) } => {
                    assert!(self.answers.insert(id.0, answer.verdict).is_none(), "one answer a request");
                }
                Output::Answer { answer: Answer::Taken(_), .. } => {}
                Output::Answer { id, answer } => assert_eq!(answer, Answer::Done, "{id:?}"),
                Output::Commit(commit) => self.commits.push(commit),
                Output::VerifyPin { check, .. } => self.checks.push(check),
                _ => {}
            }
        }
    }

    fn command(&mut self, command: Command) -> u64 {
        self.asked += 1;
        self.handle(Input::Command { id: CommandId(self.asked), command });
        self.asked
    }

    /// Asks, and returns before the store has answered.
    fn ask(&mut self, id: Option<&str>, reading: &Reading, pin: Option<&str>) -> u64 {
        let request = TapRequest {
            reader: TokenHash::of("rdr_key"),
            source: [192, 0, 2, 66].into(),
            id: id.map(Into::into),
            reading: reading.clone(),
            pin: pin.and_then(Pin::of),
            at: WeekTime { day: 2, minute: 720 },
        };
        self.command(Command::Tap(Box::new(request)))
    }

    fn store(&mut self, takes: bool) {
        for commit in std::mem::take(&mut self.commits) {
            let answer = if takes {
                self.kept.extend(commit.changes.iter().map(|owned| owned.change.clone()));
                StoreAnswer::Committed
            } else {
                StoreAnswer::Unavailable { why: "full".into() }
            };
            self.handle(Input::Stored { sequence: commit.sequence, answer });
        }
    }

    fn tap(&mut self, id: &str, reading: &Reading) -> TapVerdict {
        let asked = self.ask(Some(id), reading, None);
        self.settle();
        self.answers[&asked]
    }

    /// Told again with a PIN, which the shell finds right or wrong.
    fn tap_with_pin(&mut self, id: &str, reading: &Reading, right: bool) -> TapVerdict {
        let asked = self.ask(Some(id), reading, Some("4711"));
        if let Some(check) = self.checks.pop() {
            self.handle(Input::PinVerified { check, right });
        }
        self.settle();
        self.answers[&asked]
    }

    /// What is stored may bring more to be stored.
    fn settle(&mut self) {
        while !self.commits.is_empty() {
            self.store(true);
        }
    }

    fn taps(&self) -> Vec<&Tap> {
        fn tap(change: &Change) -> Option<&Tap> {
            if let Change::Tap(tap) = change { Some(tap) } else { None }
        }
        self.kept.iter().filter_map(tap).collect()
    }
}

/// What the chip of the issue tells at a tap, as its record says it.
fn secure_of(issue: Issue, counter: u32) -> Reading {
    let told = Told { uid: Uid::parse(CHIP).unwrap(), counter };
    let [low, middle, high, _] = counter.to_le_bytes();
    let plain = [&[0xC7], told.uid.octets(), &[low, middle, high], &[9; 5]].concat();
    let mut block = Array::try_from(&plain[..]).unwrap();
    Aes128::new(&Array::from(KEYS.meta)).encrypt_block(&mut block);
    let mac = secure::sign(&KEYS.of_badge(&told.uid, &issue), &told);
    let text = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02X}")).collect::<String>();
    let record = format!("https://x.example/badge?picc_data={}&cmac={}", text(&block), text(&mac));
    Reading::of(Some(CHIP), Some(&record)).unwrap()
}

fn secure(counter: u32) -> Reading {
    secure_of(ISSUE, counter)
}

fn card() -> Reading {
    Reading::of(Some(CARD), None).unwrap()
}

fn watch() -> Reading {
    Reading::of(None, Some("ada")).unwrap()
}

#[test]
fn s1_8_each_kind_of_badge_is_known_and_what_became_of_it_is_kept() {
    let mut office = Office::new();
    for (id, reading) in [("1", secure(5)), ("2", card()), ("3", watch())] {
        assert_eq!(office.tap(id, &reading), TapVerdict::Accepted, "{id}");
    }
    let rows: Vec<_> = office.taps().iter().map(|tap| (tap.kind, &*tap.account, &*tap.reader)).collect();
    let kinds = [BadgeKind::Secure, BadgeKind::Uid, BadgeKind::Ndef];
    assert_eq!(rows, kinds.map(|kind| (Some(kind), "ada", "reader-3")));
    // A card with another's text on it is known by its UID.
    let both = Reading::of(Some(CARD), Some("https://example.com")).unwrap();
    assert_eq!(office.tap("4", &both), TapVerdict::Accepted);
}

#[test]
fn r21_the_first_secure_tap_waits_for_the_disk_and_those_after_it_do_not() {
    let mut office = Office::new();
    let asked = office.ask(Some("1"), &secure(5), None);
    assert!(!office.answers.contains_key(&asked), "not before the store has it");
    assert_eq!(office.commits.len(), 1);
    assert!(office.commits[0].urgent);
    office.settle();
    assert_eq!(office.answers[&asked], TapVerdict::Accepted);
    for (id, counter) in [("2", 5), ("3", 4), ("4", 0)] {
        assert_eq!(office.tap(id, &secure(counter)), TapVerdict::Replayed, "{counter}");
    }
    // A call that comes promises nothing, a seat does (R20): this one is at home and only told.
    let bounds = |office: &Office| {
        let all = office.commits.iter().flat_map(|commit| commit.changes.iter());
        all.filter(|owned| matches!(owned.change, Change::TapCounter { .. })).count()
    };
    for counter in 6..6 + limits::TAP_STEP {
        office.pass(Duration::from_secs(10));
        office.ask(Some(&format!("n{counter}")), &secure(counter), None);
        assert!(office.commits.iter().all(|commit| {
            !commit.urgent
                || !commit.changes.iter().any(|owned| matches!(owned.change, Change::TapCounter { .. }))
        }));
        assert!(bounds(&office) <= 1, "{counter}");
        office.settle();
        assert_eq!(office.tap(&format!("r{counter}"), &secure(counter)), TapVerdict::Replayed);
    }
    assert!(office.answers.values().filter(|verdict| **verdict == TapVerdict::Accepted).count() > 64);
}

#[test]
fn r21_whoever_has_no_pin_leaves_no_doubt_because_each_tap_waits() {
    let mut office = Office::new();
    let settings = Box::new(Settings::default());
    office.command(Command::Change(PeopleChange::PutAccount {
        name: "ada".into(),
        display: "Ada".into(),
        settings,
    }));
    office.settle();
    for counter in 5..9 {
        let asked = office.ask(Some(&format!("t{counter}")), &secure(counter), None);
        assert!(!office.answers.contains_key(&asked), "{counter} waits for the disk");
        office.settle();
        office.pass(Duration::from_secs(10));
    }
    let mut office = office.killed();
    assert_eq!(office.tap("1", &secure(8)), TapVerdict::Replayed);
    assert_eq!(office.tap("2", &secure(9)), TapVerdict::Accepted);
}

#[test]
fn r21_an_orderly_end_leaves_no_doubt() {
    let mut office = Office::new();
    for counter in [5, 6, 7] {
        assert_eq!(office.tap(&format!("t{counter}"), &secure(counter)), TapVerdict::Accepted);
    }
    office.exchange.close(office.now);
    office.handle(Input::Timeout);
    office.settle();
    let mut office = office.killed();
    assert_eq!(office.tap("1", &secure(7)), TapVerdict::Replayed);
    assert_eq!(office.tap("2", &secure(8)), TapVerdict::Accepted, "and nobody is asked for a PIN");
}

#[test]
fn r21_a_replay_after_kill_9_is_refused_wherever_it_struck() {
    // Before the write: nobody was told that it counts, so it may count now.
    let mut office = Office::new();
    office.ask(Some("1"), &secure(5), None);
    let mut office = office.killed();
    assert_eq!(office.tap("1", &secure(5)), TapVerdict::Accepted);
    // After the write, before the answer: it was used up.
    let mut office = Office::new();
    let asked = office.ask(Some("1"), &secure(5), None);
    let written: Vec<Change> = office.commits[0].changes.iter().map(|owned| owned.change.clone()).collect();
    office.kept.extend(written);
    assert!(!office.answers.contains_key(&asked));
    let mut office = office.killed();
    assert_eq!(office.tap("1", &secure(5)), TapVerdict::Replayed);
    // What may have been heard needs the PIN, once.
    assert_eq!(office.tap("2", &secure(6)), TapVerdict::PinNeeded);
    assert_eq!(office.tap_with_pin("2", &secure(6), false), TapVerdict::WrongPin);
    assert_eq!(office.tap_with_pin("3", &secure(6), true), TapVerdict::Replayed);
    assert_eq!(office.tap("4", &secure(7)), TapVerdict::PinNeeded, "a wrong PIN ends no doubt");
    assert_eq!(office.tap_with_pin("4", &secure(7), true), TapVerdict::Accepted);
    office.pass(Duration::from_secs(10));
    assert_eq!(office.tap("5", &secure(8)), TapVerdict::Accepted);
    // After the answer, which did not wait for the write.
    let mut office = office.killed();
    office.pass(Duration::from_secs(10));
    assert_eq!(office.tap("6", &secure(8)), TapVerdict::PinNeeded);
    assert_eq!(office.tap("7", &secure(6)), TapVerdict::Replayed, "the store had heard of it");
}

#[test]
fn sec_09_of_a_hundred_who_tell_one_tap_one_is_heard() {
    let mut office = Office::new();
    let mut verdicts = Vec::new();
    let asked: Vec<u64> = (0..100)
        .map(|index| {
            // The reader's own pace is another test's.
            office.pass(Duration::from_millis(100));
            office.ask(Some(&format!("id-{index}")), &secure(5), None)
        })
        .collect();
    office.settle();
    verdicts.extend(asked.iter().map(|id| office.answers[id]));
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == TapVerdict::Accepted).count(), 1);
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == TapVerdict::Replayed).count(), 99);
}

#[test]
fn a_tap_that_is_told_again_is_counted_once_and_gets_the_same_answer() {
    let mut office = Office::new();
    let first = office.ask(Some("1"), &secure(5), None);
    let again = office.ask(Some("1"), &secure(5), None);
    assert_eq!(office.commits.len(), 1, "it waits with the first");
    office.settle();
    let late = office.ask(Some("1"), &secure(5), None);
    let other = office.ask(Some("1"), &secure(6), None);
    office.settle();
    let verdict = |id: u64| office.answers[&id];
    assert_eq!([first, again, late].map(verdict), [TapVerdict::Accepted; 3]);
    assert_eq!(verdict(other), TapVerdict::IdUsed);
    assert_eq!(office.taps().len(), 1);
    // A reader without ids: the same reading is the same tap for a moment, and then another.
    let asked = [(); 2].map(|()| office.ask(None, &card(), None));
    office.pass(limits::TAP_AGAIN);
    let later = office.ask(None, &card(), None);
    office.settle();
    assert!(asked.iter().chain([&later]).all(|id| office.answers[id] == TapVerdict::Accepted));
    assert_eq!(office.taps().len(), 3);
}

#[test]
fn the_chip_that_was_read_last_and_is_no_badge_s_is_known_for_a_while() {
    let mut office = Office::new();
    let last = |office: &Office, reader: &str| office.exchange.badges.last_read(office.now.mono, reader);
    assert_eq!(last(&office, "reader-3"), None);
    // A badge's UID is not told, of whatever kind the badge is.
    for known in [CHIP, CARD] {
        office.tap(known, &Reading::of(Some(known), None).unwrap());
        assert_eq!(last(&office, "reader-3"), None, "{known}");
    }
    let other = Reading::of(Some("04AABBCCDDEE80"), None).unwrap();
    assert_eq!(office.tap("3", &other), TapVerdict::UnknownBadge);
    let found = last(&office, "reader-3").map(|(uid, at)| (uid.to_string(), at));
    assert_eq!(found, Some(("04AABBCCDDEE80".into(), office.now.wall)));
    assert_eq!(last(&office, "reader-4"), None);
    office.pass(limits::LAST_READ + Duration::from_secs(1));
    assert_eq!(last(&office, "reader-3"), None);
}

#[test]
fn sec_09_a_copy_of_a_secure_badge_opens_nothing() {
    let mut office = Office::new();
    // Its UID alone, its record in another's words, its record cut short, the keys of an issue before.
    let uid = Reading::of(Some(CHIP), None).unwrap();
    assert_eq!(office.tap("1", &uid), TapVerdict::UnknownBadge);
    let forged = Reading::of(
        Some(CARD),
        Some("https://x.example/badge?picc_data=EF963FF7828658A599F3041510671E88&cmac=94EED9EE65337086"),
    );
    assert_eq!(
        office.tap("2", &forged.unwrap()),
        TapVerdict::UnknownBadge,
        "the UID beside it opens nothing"
    );
    let cut = Reading::of(Some(CARD), Some("https://x.example/badge?picc_data=EF96&cmac=94EE")).unwrap();
    assert_eq!(office.tap("3", &cut), TapVerdict::Forged);
    assert_eq!(office.tap("4", &secure_of(Issue([4; 16]), 9)), TapVerdict::Forged);
    assert_eq!(
        office.taps().last().map(|tap| &*tap.badge),
        Some("chip"),
        "its owner sees that somebody tried"
    );
    assert_eq!(office.tap("5", &secure(1)), TapVerdict::Accepted);
}

#[test]
fn sec_24_guessing_at_a_reader_is_slowed_and_a_secure_badge_is_heard_all_the_same() {
    let mut office = Office::new();
    let mut heard = 0;
    for index in 0..400u32 {
        office.pass(Duration::from_millis(200));
        let guess = Reading::of(Some(&format!("{index:08X}")), None).unwrap();
        heard += u32::from(office.tap(&format!("guess-{index}"), &guess) == TapVerdict::UnknownBadge);
    }
    assert!((limits::READER_STRIKES..limits::READER_STRIKES + 10).contains(&heard), "{heard} in 80 s");
    assert_eq!(office.tap("card", &card()), TapVerdict::Locked);
    assert_eq!(office.tap("chip", &secure(1)), TapVerdict::Accepted);
    assert!(office.taps().len() < 200, "what is not listened to does not fill the store");
    office.pass(limits::IGNORED_MOST);
    assert_eq!(office.tap("later", &card()), TapVerdict::Accepted);
}

#[test]
fn sec_24_keys_of_readers_are_not_guessed_and_taps_have_a_pace() {
    let mut office = Office::new();
    let by_badge = (0..20).filter(|index| office.tap(&format!("b{index}"), &card()) == TapVerdict::Accepted);
    assert_eq!(by_badge.count(), limits::BADGE_BURST as usize);
    let asked = office.ask(Some("beyond"), &watch(), None);
    assert_eq!(office.answers[&asked], TapVerdict::TooFast, "the reader's own pace");
    office.pass(Duration::from_secs(10));
    assert_eq!(office.tap("b0", &card()), TapVerdict::Accepted, "told again");
    assert_eq!(office.tap("later", &card()), TapVerdict::Accepted);
    let at = &office.exchange.badges.readers["reader-3"];
    assert!(at.taps.len() <= limits::TAPS_REMEMBERED);
    let mut verdicts = Vec::new();
    for index in 0..100 {
        let request = TapRequest {
            reader: TokenHash::of(&format!("rdr_{index}")),
            source: [192, 0, 2, 66].into(),
            id: None,
            reading: card(),
            pin: None,
            at: WeekTime { day: 0, minute: 0 },
        };
        let asked = office.command(Command::Tap(Box::new(request)));
        verdicts.push(office.answers[&asked]);
    }
    let tried = verdicts.iter().filter(|verdict| **verdict == TapVerdict::UnknownReader).count();
    assert_eq!(tried, limits::STRIKES_OF_PAIR as usize);
    office.pass(Duration::from_secs(5));
    assert_eq!(
        office.tap("neighbour", &card()),
        TapVerdict::Accepted,
        "a right key is heard from there all the same"
    );
}

#[test]
fn what_can_be_copied_is_allowed_by_policy_and_asks_for_the_pin() {
    let mut office = Office::with(BadgePolicy::default());
    assert_eq!(office.tap("1", &card()), TapVerdict::KindNotAllowed);
    assert_eq!(office.tap("2", &secure(1)), TapVerdict::Accepted);
    let mut office = Office::with(BadgePolicy { allow: BadgeKind::ALL.to_vec(), ..BadgePolicy::default() });
    assert_eq!(office.tap("1", &card()), TapVerdict::PinNeeded);
    let asked = office.ask(Some("1"), &card(), Some("4711"));
    let check = office.checks.pop().unwrap();
    office.handle(Input::PinVerified { check, right: true });
    office.settle();
    assert_eq!(office.answers[&asked], TapVerdict::Accepted, "told again with the PIN");
    let mut wrong = 0;
    for index in 0..50 {
        office.pass(Duration::from_secs(1));
        let asked = office.ask(Some(&format!("w{index}")), &watch(), Some("0000"));
        if let Some(check) = office.checks.pop() {
            office.handle(Input::PinVerified { check, right: false });
            assert_eq!(office.answers[&asked], TapVerdict::WrongPin);
            wrong += 1;
        }
    }
    assert!(wrong <= limits::PIN_STRIKES_OF_PAIR + 2, "{wrong} PINs were tried in 50 s");
}

#[test]
fn sec_24_a_secure_tap_has_one_try_at_the_pin() {
    let always = super::PinWhen::Always;
    let mut office = Office::with(BadgePolicy { pin: vec![always], ..BadgePolicy::default() });
    assert_eq!(office.tap("1", &secure(5)), TapVerdict::PinNeeded);
    let asked = office.ask(Some("2"), &secure(5), Some("0000"));
    let check = office.checks.pop().unwrap();
    office.handle(Input::PinVerified { check, right: false });
    office.settle();
    assert_eq!(office.answers[&asked], TapVerdict::WrongPin);
    let asked = office.ask(Some("3"), &secure(5), Some("4711"));
    assert_eq!(office.answers[&asked], TapVerdict::Replayed);
    let mut office = office.killed();
    let asked = office.ask(Some("4"), &secure(5), Some("4711"));
    assert_eq!(office.answers[&asked], TapVerdict::Replayed, "also after a restart");
}

#[test]
fn a_revoked_badge_opens_nothing_also_when_it_was_tapped_before() {
    let mut office = Office::new();
    let asked = office.ask(Some("1"), &secure(5), None);
    let tapped = office.commits.remove(0);
    office.command(Command::RevokeBadge("chip".into()));
    office.settle();
    office.handle(Input::Stored { sequence: tapped.sequence, answer: StoreAnswer::Committed });
    office.settle();
    assert_eq!(office.answers[&asked], TapVerdict::Revoked);
    assert_eq!(office.tap("2", &secure(6)), TapVerdict::Revoked);
    // Once more, and it is forgotten.
    office.command(Command::RevokeBadge("chip".into()));
    office.settle();
    assert_eq!(office.tap("3", &secure(7)), TapVerdict::UnknownBadge);
}

#[test]
fn s1_13_who_leaves_takes_badges_and_readers_along() {
    let mut office = Office::new();
    office.command(Command::Change(PeopleChange::RemoveDevice { name: "desk-3".into() }));
    office.settle();
    let asked = office.ask(Some("1"), &card(), None);
    assert_eq!(office.answers[&asked], TapVerdict::UnknownReader);
    office.command(Command::Change(PeopleChange::RemoveAccount { name: "ada".into() }));
    office.settle();
    assert!(["chip", "card", "watch"].iter().all(|name| office.exchange.people().badge(name).is_none()));
    assert!(office.kept.contains(&Change::ForgetTaps { account: "ada".into() }));
}

#[test]
fn r20_without_a_store_no_secure_tap_counts_and_the_same_may_be_told_again() {
    let mut office = Office::new();
    let asked = office.ask(Some("1"), &secure(5), None);
    office.store(false);
    assert_eq!(office.answers[&asked], TapVerdict::NotStored);
    office.pass(limits::STORE_RETRY * 2);
    office.handle(Input::Timeout);
    office.settle();
    assert_eq!(office.tap("1", &secure(5)), TapVerdict::Accepted);
    assert_eq!(office.tap("2", &secure(5)), TapVerdict::Replayed);
    // Below the bound that the store has, a tap takes a call also while it is away.
    office.pass(Duration::from_secs(10));
    office.ask(Some("3"), &secure(6), None);
    office.store(false);
    assert_eq!(office.exchange.badges.counters.raise(ISSUE, 6), None, "it was heard");
}
