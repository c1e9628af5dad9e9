//! A phone with its disk and its network, in a world of their own.

use super::*;
use crate::{Column, Format, Numbering, Order, Reading, read};
use clock::Wall;
use dialing::cause::{Finding, Outcome};
use dialing::{Basis, Consent};
use std::collections::BTreeMap;
use std::time::Duration;

/// 2026-11-30, a Monday, 10:00 in Shanghai.
const MONDAY: Wall = Wall(1_796_004_000_000);

fn policy() -> Policy {
    Policy::new(Box::new(|number| number == dialing::Number::inside("112").unwrap()))
}

fn places() -> Places {
    Places::new("Asia/Shanghai").unwrap()
}

fn settings() -> Settings {
    Settings {
        subject: Subject { agent: "ada".into(), list: "debts".into(), run: "1".into() },
        numbering: Numbering { country: "86".into(), ..Numbering::default() },
        consent: Some(Consent { basis: Basis::Contract, evidence: "K".into(), until: None }),
        ..Settings::default()
    }
}

fn list(text: &str) -> List {
    read(text.as_bytes().to_vec(), Format::of(text.as_bytes()), &Reading::default()).unwrap()
}

/// What a network answers at each attempt at a number.
type Script = fn(number: &str, nth: usize) -> Finding;

/// A phone with its disk, in a world of its own.
struct Phone {
    work: Work,
    now: Now,
    journal: Vec<u8>,
    script: Script,
    /// When the call ends, and how.
    call: Option<(Mono, AttemptId, Finding)>,
    dialled: Vec<(AttemptId, String)>,
    tried: BTreeMap<String, usize>,
    disk_full: bool,
    told: Vec<String>,
}

impl Phone {
    fn begin(text: &str, settings: Settings, script: Script) -> Phone {
        let now = Now { mono: Mono(1_000_000_000_000), wall: MONDAY };
        let work = Work::begin(now, list(text), settings, policy(), places(), Vec::new()).unwrap();
        Phone {
            work,
            now,
            journal: Vec::new(),
            script,
            call: None,
            dialled: Vec::new(),
            tried: BTreeMap::new(),
            disk_full: false,
            told: Vec::new(),
        }
    }

    fn give(&mut self, input: Input) {
        self.work.handle(self.now, input);
        while self.one() {}
    }

    /// One output; false when there is none.
    fn one(&mut self) -> bool {
        let Some(output) = self.work.next_output() else { return false };
        match output {
            Output::Write { sequence, line } => {
                let answer = if self.disk_full {
                    Input::NotWritten(sequence)
                } else {
                    self.journal.extend_from_slice(&line);
                    Input::Written(sequence)
                };
                self.work.handle(self.now, answer);
            }
            Output::Dial(call) => {
                assert!(self.call.is_none(), "one call at a time");
                let number = call.number.to_string();
                let nth = self.tried.entry(number.clone()).or_default();
                *nth += 1;
                let finding = (self.script)(&number, *nth);
                self.call = Some((self.now.mono + Duration::from_secs(20), call.attempt, finding));
                self.dialled.push((call.attempt, number));
            }
            Output::Cancel(attempt) => {
                let finding = Finding::sure(Outcome::Withdrawn);
                self.call = None;
                self.work.handle(self.now, Input::Finished { attempt, finding, talked: 0 });
            }
            Output::Done => self.told.push("done".to_owned()),
            Output::Paused => self.told.push("paused".to_owned()),
            Output::Refused(_, rule) => self.told.push(rule.to_string()),
            Output::Changed(_) => {}
        }
        true
    }

    /// The next thing that happens, if it does before this many seconds have passed.
    fn step(&mut self, until: Mono) -> bool {
        let ends = self.call.map(|(ends, ..)| ends);
        let next = [ends, self.work.next_deadline()].into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next <= until) else { return false };
        self.now = self.now.after(next.since(self.now.mono));
        match self.call.take_if(|(ends, ..)| *ends <= next) {
            Some((_, attempt, finding)) => self.give(Input::Finished { attempt, finding, talked: 5 }),
            None => self.give(Input::Timeout),
        }
        true
    }

    fn run(&mut self, seconds: u64) {
        let until = self.now.mono + Duration::from_secs(seconds);
        let mut steps = 0;
        while self.step(until) {
            steps += 1;
            assert!(steps < 200_000, "it spins");
        }
        self.now = self.now.after(until.since(self.now.mono));
    }

    fn results(&self, shape: Shape) -> String {
        let mut out = Vec::new();
        self.work.results(&mut out, shape).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Number, attempts and state of each row, from the results.
    fn outcome(&self) -> Vec<(String, String, String)> {
        let text = self.results(Shape::Csv);
        let mut table = csv::Reader::from_reader(text.as_bytes());
        let rows = table.records().map(Result::unwrap).filter(|row| !row[13].is_empty());
        rows.map(|row| (row[6].to_owned(), row[1].to_owned(), row[13].to_owned())).collect()
    }

    fn left(&self) -> String {
        let mut out = Vec::new();
        self.work.left(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn task(&self, number: &str) -> TaskId {
        let entry = self.work.list.iter().find(|entry| entry.get(Column::Number) == number).unwrap();
        entry.task(self.work.settings.numbering.number(number).unwrap())
    }
}

/// By the last digit: 1 answers, 2 is busy twice, 3 never answers, 4 is vacant, 5 declines.
fn by_last_digit(number: &str, nth: usize) -> Finding {
    Finding::sure(match (number.as_bytes()[number.len() - 1], nth) {
        (b'2', 1 | 2) => Outcome::Busy,
        (b'3', _) => Outcome::NoAnswer,
        (b'4', _) => Outcome::Vacant,
        (b'5', _) => Outcome::Declined,
        _ => Outcome::Answered,
    })
}

fn answers(_: &str, _: usize) -> Finding {
    Finding::sure(Outcome::Answered)
}

fn triple(number: &str, attempts: &str, state: &str) -> (String, String, String) {
    (number.to_owned(), attempts.to_owned(), state.to_owned())
}

const FIVE: &str = "number,name,slot\n2001,Ann,\n2002,Bob,\n2003,Cy,\n2004,Dee,\n2005,Eve,\n";

#[test]
fn s3_13_to_s3_15_a_list_is_worked_to_its_end_and_the_results_say_how() {
    let settings = Settings { attempts: Some(3), ..settings() };
    let mut phone = Phone::begin(FIVE, settings, by_last_digit);
    phone.run(60);
    assert!(phone.dialled.is_empty(), "S3.17: nobody is dialled for who has not said that he is there");
    phone.give(Input::Presence(Presence::Online));
    phone.run(3_600 * 8);
    assert_eq!(
        phone.outcome(),
        [
            triple("2001", "1", "reached"),
            triple("2002", "3", "reached"),
            triple("2003", "3", "used_up"),
            triple("2004", "1", "vacant"),
            triple("2005", "1", "declined"),
        ]
    );
    assert_eq!((phone.told.as_slice(), phone.left().as_str()), (&["done".to_owned()][..], ""));
    let counts = phone.work.counts();
    assert_eq!((counts.open, counts.ended, counts.reached, counts.attempts), (0, 5, 2, 9));
}

#[test]
fn s3_16_the_gap_is_kept_and_a_call_that_comes_in_goes_first() {
    let settings = Settings { gap: 30, ..settings() };
    let mut phone = Phone::begin("number\n2011\n2021\n2031\n", settings, answers);
    phone.give(Input::Presence(Presence::Online));
    phone.run(49);
    assert_eq!(phone.dialled.len(), 1, "twenty seconds of talk, and thirty of rest");
    phone.run(2);
    assert_eq!(phone.dialled.len(), 2);
    // Somebody calls while the next claim is on its way to the disk.
    phone.run(48);
    let (sequence, line) = loop {
        phone.now = phone.now.after(phone.work.next_deadline().unwrap().since(phone.now.mono));
        phone.work.handle(phone.now, Input::Timeout);
        match phone.work.next_output() {
            Some(Output::Write { sequence, line }) => break (sequence, line),
            Some(other) => panic!("the claim comes first: {other:?}"),
            None => {}
        }
    };
    phone.journal.extend_from_slice(&line);
    phone.work.handle(phone.now, Input::OnHook(false));
    phone.give(Input::Written(sequence));
    phone.run(600);
    assert_eq!(phone.dialled.len(), 2, "who talks is not given a call");
    assert_eq!(phone.work.counts().attempts, 2, "and what never left counts nowhere");
    phone.give(Input::OnHook(true));
    phone.run(600);
    assert_eq!(phone.dialled.len(), 3);
}

#[test]
fn s3_17_away_and_a_pause_after_the_call() {
    let mut phone = Phone::begin("number\n2011\n2021\n2031\n", settings(), answers);
    phone.give(Input::Presence(Presence::Online));
    phone.run(1);
    phone.give(Input::PauseAfterCall);
    phone.run(600);
    assert_eq!((phone.dialled.len(), phone.work.presence()), (1, Presence::Away));
    assert_eq!(phone.told, ["paused"]);
    phone.give(Input::Presence(Presence::Online));
    phone.run(1);
    phone.give(Input::Presence(Presence::SignedOut));
    phone.run(600);
    assert_eq!(phone.dialled.len(), 2, "the call that was up is finished, and none follows");
    let left = list(&phone.left());
    assert_eq!(left.iter().map(|entry| entry.get(Column::Number)).collect::<Vec<_>>(), ["2031"]);
}

#[test]
fn a_full_disk_stops_the_dialling_and_nothing_is_lost() {
    let mut phone = Phone::begin(FIVE, settings(), by_last_digit);
    phone.give(Input::Presence(Presence::Online));
    phone.disk_full = true;
    phone.run(60);
    assert_eq!(phone.dialled.len(), 1, "what was written down before");
    phone.disk_full = false;
    phone.run(3_600 * 8);
    assert!(phone.outcome().iter().all(|(_, _, state)| state != "open"), "{:?}", phone.outcome());
    let claims = phone.journal.windows(9).filter(|window| window == b"{\"claim\":").count();
    assert_eq!(claims, phone.dialled.len(), "each claim once");
}

/// Dies after each output in turn, with and without a torn line, and goes on from the journal.
#[test]
fn a_crash_at_any_moment_dials_nobody_twice_for_one_attempt() {
    for death in 1.. {
        let limited = Settings { attempts: Some(3), ..settings() };
        let mut phone = Phone::begin(FIVE, limited.clone(), by_last_digit);
        phone.work.handle(phone.now, Input::Presence(Presence::Online));
        let mut outputs = 0;
        let until = phone.now.mono + Duration::from_secs(3_600 * 8);
        let died = loop {
            if phone.one() {
                outputs += 1;
                if outputs == death {
                    break true;
                }
            } else if !phone.step_quietly(until) {
                break false;
            }
        };
        let before = phone.dialled.clone();
        if death % 2 == 0 {
            phone.journal.extend_from_slice(b"{\"records\":[{\"claim\":{\"task\":\"00");
        }
        let (work, sound) =
            Work::restore(phone.now, list(FIVE), limited, policy(), places(), &phone.journal).unwrap();
        phone.journal.truncate(sound);
        (phone.work, phone.call) = (work, None);
        phone.give(Input::Presence(Presence::Online));
        phone.run(3_600 * 24);
        let mut names: Vec<AttemptId> = phone.dialled.iter().map(|(attempt, _)| *attempt).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), phone.dialled.len(), "dead after {death}: an attempt was dialled twice");
        assert!(phone.dialled.starts_with(&before));
        let states = phone.outcome();
        assert_eq!(states.len(), 5, "dead after {death}: {states:?}");
        for (number, attempts, state) in &states {
            assert_ne!(state, "open", "dead after {death}: {number}");
            assert!(attempts.parse::<usize>().unwrap() <= 3, "dead after {death}: {number} {attempts}");
        }
        if !died {
            assert!(death > 30, "there was nothing to die in");
            break;
        }
    }
}

impl Phone {
    /// As [`Phone::step`], without taking the outputs.
    fn step_quietly(&mut self, until: Mono) -> bool {
        let ends = self.call.map(|(ends, ..)| ends);
        let next = [ends, self.work.next_deadline()].into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next <= until) else { return false };
        self.now = self.now.after(next.since(self.now.mono));
        match self.call.take_if(|(ends, ..)| *ends <= next) {
            Some((_, attempt, finding)) => {
                self.work.handle(self.now, Input::Finished { attempt, finding, talked: 5 });
            }
            None => self.work.handle(self.now, Input::Timeout),
        }
        true
    }
}

#[test]
fn who_dies_in_the_middle_of_a_talk_has_talked() {
    let mut phone = Phone::begin("number\n2001\n2003\n", settings(), by_last_digit);
    phone.give(Input::Presence(Presence::Online));
    phone.run(5);
    let (attempt, number) = phone.dialled[0].clone();
    assert_eq!((number.as_str(), phone.dialled.len()), ("2001", 1));
    phone.give(Input::Answered(attempt));
    let text = "number\n2001\n2003\n";
    let (work, _) =
        Work::restore(phone.now, list(text), settings(), policy(), places(), &phone.journal).unwrap();
    (phone.work, phone.call) = (work, None);
    phone.give(Input::Presence(Presence::Online));
    phone.run(60);
    assert_eq!(phone.tried["2001"], 1);
    assert_eq!(phone.outcome()[0], triple("2001", "1", "reached"));
}

#[test]
fn a_journal_that_somebody_changed_is_refused_with_its_line() {
    let mut phone = Phone::begin(FIVE, settings(), by_last_digit);
    phone.give(Input::Presence(Presence::Online));
    phone.run(600);
    let text = String::from_utf8(phone.journal.clone()).unwrap();
    let broken = text.replacen("\"claim\"", "\"clam\"", 1);
    let restored = Work::restore(phone.now, list(FIVE), settings(), policy(), places(), broken.as_bytes());
    let told = restored.err().map(|error| error.to_string()).unwrap();
    assert!(told.starts_with("line 1 of the journal cannot be read"), "{told}");
}

#[test]
fn s3_13_a_row_is_called_when_its_agent_wants_it() {
    let mut phone = Phone::begin("number\n2003\n2013\n2011\n", settings(), by_last_digit);
    phone.give(Input::Presence(Presence::Online));
    phone.run(1);
    // While it rings: at noon.
    let noon = Wall(MONDAY.0 + 2 * 3_600_000);
    phone.give(Input::Later { task: phone.task("2003"), at: noon });
    phone.give(Input::Choose(phone.task("2011")));
    phone.run(60);
    let numbers: Vec<&str> = phone.dialled.iter().map(|(_, number)| &**number).collect();
    assert_eq!(numbers[..2], ["2003", "2011"], "the one that was picked, then the rest");
    phone.run(3_600);
    assert_eq!(phone.tried["2003"], 1);
    phone.run(3_570);
    assert_eq!(phone.tried["2003"], 2, "at noon");
    // Reached, and to be called once more tomorrow: after a crash, too.
    let tomorrow = Wall(MONDAY.0 + 24 * 3_600_000);
    phone.give(Input::Mark { task: phone.task("2011"), result: "sold".into(), note: "two".into() });
    phone.give(Input::Later { task: phone.task("2011"), at: tomorrow });
    phone.give(Input::GiveUp(phone.task("2003")));
    assert_eq!(phone.outcome()[2], triple("2011", "1", "open"));
    let (work, _) = Work::restore(
        phone.now,
        list("number\n2003\n2013\n2011\n"),
        settings(),
        policy(),
        places(),
        &phone.journal,
    )
    .unwrap();
    phone.work = work;
    phone.give(Input::Presence(Presence::Online));
    phone.run(3_600 * 20);
    assert_eq!(phone.tried["2011"], 1);
    phone.run(3_600 * 4);
    assert_eq!(phone.tried["2011"], 2);
    assert_eq!(
        phone.outcome(),
        [triple("2003", "2", "stopped"), triple("2013", "30", "used_up"), triple("2011", "2", "reached")]
    );
    assert!(phone.results(Shape::Csv).contains("reached,sold,two,"), "{}", phone.results(Shape::Csv));
}

#[test]
fn who_wants_no_more_calls_gets_none() {
    let mut phone = Phone::begin("number,id\n2003,a\n2003,b\n2011,c\n", settings(), by_last_digit);
    phone.give(Input::Presence(Presence::Online));
    phone.run(1);
    phone.give(Input::Forbid(phone.dialled[0].0.task));
    phone.run(3_600 * 8);
    assert_eq!(phone.tried["2003"], 1);
    let states: Vec<_> = phone.outcome().into_iter().map(|(_, _, state)| state).collect();
    assert_eq!(states, ["forbidden", "forbidden", "reached"]);
}

#[test]
fn s3_19_and_s3_20_what_is_left_goes_on_at_another_phone() {
    let text = "number,name,debt,attempts\n2003,Cy,7,1\n2002,Bob,=1+1,\n2001,Ann,,\n";
    let limited = Settings { attempts: Some(3), ..settings() };
    let mut phone = Phone::begin(text, limited.clone(), by_last_digit);
    phone.give(Input::Presence(Presence::Online));
    phone.run(1);
    phone.give(Input::Presence(Presence::SignedOut));
    phone.run(60);
    let left = phone.left();
    let mut other = Phone::begin(&left, limited, by_last_digit);
    other.tried = phone.tried.clone();
    let all = other.work.list.iter();
    let rows: Vec<(&str, &str)> =
        all.map(|entry| (entry.get(Column::Number), entry.get(Column::Attempts))).collect();
    assert_eq!(rows, [("2003", "2"), ("2002", "0"), ("2001", "0")], "{left}");
    assert!(left.contains("\"debt\":\"=1+1\""), "as it was: {left}");
    other.give(Input::Presence(Presence::Online));
    other.run(3_600 * 8);
    assert_eq!(
        other.outcome(),
        [triple("2003", "3", "used_up"), triple("2002", "3", "reached"), triple("2001", "1", "reached")]
    );
}

#[test]
fn a_newer_list_goes_on_with_the_rows_that_are_the_same() {
    let mut phone = Phone::begin("number\n2001\n2003\n2013\n", settings(), by_last_digit);
    phone.give(Input::Presence(Presence::Online));
    phone.run(45);
    let newer = list("number\n2011\n2013\n2001\n");
    let (work, _) = Work::restore(phone.now, newer, settings(), policy(), places(), &phone.journal).unwrap();
    (phone.work, phone.call) = (work, None);
    phone.give(Input::Presence(Presence::Online));
    phone.run(60);
    assert_eq!((phone.tried["2001"], phone.tried["2003"], phone.tried["2011"]), (1, 1, 1));
    let states = phone.outcome();
    assert_eq!(states[0], triple("2011", "1", "reached"));
    assert_eq!(states[3], triple("2003", "1", "withdrawn"), "no longer in the list");
}

#[test]
fn a_row_that_is_found_wrong_when_its_turn_comes_is_refused_with_its_line() {
    let text = "number,zone,not_before\n2001,,\n2001,,\n12345678901234567890,,\n2011,Mars/Phobos,\n112,,\n2021,,soon\n";
    let mut phone = Phone::begin(text, settings(), answers);
    phone.give(Input::Presence(Presence::Online));
    phone.run(600);
    let told: Vec<String> = phone.work.refusals().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "line 3: stands further up already",
            "line 4: \"12345678901234567890\" is no number",
            "line 5: \"Mars/Phobos\" is no time zone such as Asia/Shanghai",
            "line 6: a number of emergency is never dialled by itself",
            "line 7: \"soon\" is no time such as 2026-11-29 14:00",
        ]
    );
    assert_eq!(phone.dialled.len(), 1);
    assert_eq!((phone.work.counts().open, phone.work.counts().refused), (0, 5));
    assert_eq!(phone.left(), "");
    let preview = Preview::of(phone.now, &list(text), &settings(), policy(), places(), &[]);
    assert_eq!((preview.rows, preview.now, preview.refusals.len()), (6, 1, 5));
    assert_eq!(preview.skipped["dialing.rule.emergency"], 1);
    let forbidden = [dialing::Number::inside("2001").unwrap()];
    let preview = Preview::of(phone.now, &list(text), &settings(), policy(), places(), &forbidden);
    assert_eq!((preview.now, preview.skipped["dialing.rule.do_not_call"], preview.taken.len()), (0, 1, 0));
}

#[test]
fn business_hours_of_the_callee_and_his_slot_are_kept() {
    let text = "number,slot,priority\n13800138000,14:00-15:00,1\n13900139000,,9\n+442079460018,,5\n";
    let mut phone = Phone::begin(text, settings(), answers);
    phone.give(Input::Presence(Presence::Online));
    phone.run(60);
    let numbers = |phone: &Phone| phone.dialled.iter().map(|(_, number)| number.clone()).collect::<Vec<_>>();
    assert_eq!(numbers(&phone), ["+8613900139000"], "at ten the slot is closed, and London sleeps");
    let preview = Preview::of(phone.now, phone.work.list(), &settings(), policy(), places(), &[]);
    assert_eq!((preview.now, preview.later["dialing.rule.window"]), (1, 2));
    phone.run(3_600 * 5);
    assert_eq!(numbers(&phone), ["+8613900139000", "+8613800138000"]);
    phone.run(3_600 * 16);
    assert_eq!(numbers(&phone).len(), 3);
}

#[test]
fn s3_7_the_order_of_its_keys_is_the_order_of_the_calls_and_it_says_why() {
    let text = "number,priority\n2001,1\n2011,9\n2021,5\n";
    let by_priority = Settings { order: Order::parse("priority").unwrap(), ..settings() };
    let mut phone = Phone::begin(text, by_priority, answers);
    phone.run(1);
    let next: Vec<TaskId> = phone.work.upcoming().collect();
    assert_eq!(next[0], phone.task("2011"));
    let (explanation, place) = phone.work.explain(phone.now, next[1]).unwrap();
    assert_eq!((explanation.task, place.as_str()), (phone.task("2021"), "priority 5"));
    phone.give(Input::Presence(Presence::Online));
    phone.run(600);
    let numbers: Vec<&str> = phone.dialled.iter().map(|(_, number)| &**number).collect();
    assert_eq!(numbers, ["2011", "2021", "2001"]);
}

#[test]
fn sec_17_results_are_safe_in_a_spreadsheet_and_plain_elsewhere() {
    let text = "number,name,id\n2001,\"=cmd|' /C calc'!A0\",7\n2011,@x,-1\n";
    let mut phone = Phone::begin(text, settings(), answers);
    phone.give(Input::Presence(Presence::Online));
    phone.run(600);
    let results = phone.results(Shape::Csv);
    assert!(results.contains("'=cmd|' /C calc'!A0") && results.contains(",'@x,"), "{results}");
    assert!(results.contains(",-1,2011,"), "a number is one: {results}");
    assert!(phone.results(Shape::JsonLines).contains("\"name\":\"=cmd|' /C calc'!A0\""));
    let uccx = phone.results(Shape::Uccx);
    assert!(
        uccx.starts_with("Account Number,First Name,") && uccx.contains(",Voice,,Closed,Voice,"),
        "{uccx}"
    );
    // The same again, octet by octet: an upload that comes twice changes nothing.
    assert_eq!(results, phone.results(Shape::Csv));
}

#[test]
fn attempts_of_an_earlier_run_count_for_the_budgets() {
    let mut phone = Phone::begin("number\n13800138003\n", settings(), by_last_digit);
    phone.give(Input::Presence(Presence::Online));
    phone.run(3_600 * 8);
    assert_eq!(phone.tried["+8613800138003"], 3, "three in 24 hours are allowed");
    let before = phone.work.recent(phone.now);
    let text = "number,service\n13800138003,another\n";
    let work = Work::begin(phone.now, list(text), settings(), policy(), places(), before).unwrap();
    (phone.work, phone.journal) = (work, Vec::new());
    phone.give(Input::Presence(Presence::Online));
    phone.run(3_600 * 2);
    assert_eq!(phone.tried["+8613800138003"], 3);
    // And after a crash of this run, too.
    let (work, _) =
        Work::restore(phone.now, list(text), settings(), policy(), places(), &phone.journal).unwrap();
    phone.work = work;
    phone.give(Input::Presence(Presence::Online));
    phone.run(3_600);
    assert_eq!(phone.tried["+8613800138003"], 3);
    phone.run(3_600 * 24);
    assert!(phone.tried["+8613800138003"] > 3);
}

#[test]
fn the_name_of_a_file_is_no_path() {
    let subject = Subject { agent: "../../etc".into(), list: "a/b c".into(), run: "1".into() };
    assert_eq!(subject.file("results.csv"), "_.._etc-a_b_c-1.results.csv");
}
