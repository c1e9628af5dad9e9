//! What must hold of lists: each attempt once, each callee in one hand, nothing accepted that is not kept.

use super::*;
use crate::command::{Answer, Command};
use crate::exchange::{Config, Exchange, Snapshot};
use crate::input::{CommandId, Input, Output};
use crate::people::Refusal;
use crate::{Change, StoreAnswer};
use clock::Now;
use dialing::cause::Outcome;
use dialing::{End, Places, Policy};
use lists::work::Settings;
use lists::{Headers, Judging, Reading, Reported, Sheet, Stands};
use std::sync::Arc;

/// Monday, 30 November 2026, 10:00 in Shanghai.
const NOW: Now = Now { mono: Mono(1_000_000), wall: Wall(1_796_004_000_000) };

/// An office with a store in memory, which may be away.
struct Office {
    exchange: Exchange,
    now: Now,
    kept: Vec<Change>,
    away: bool,
    id: u64,
}

impl Office {
    fn new() -> Office {
        let exchange = Exchange::new(NOW, Config::new("test", Vec::new()), [7; 32], Snapshot::default());
        let mut office = Office { exchange, now: NOW, kept: Vec::new(), away: false, id: 0 };
        for name in ["ada", "bob", "cy"] {
            let add = Command::AddAccount { name: name.into(), display: name.into(), edits: Vec::new() };
            assert_eq!(office.command(add), Answer::Done);
        }
        office
    }

    fn command(&mut self, command: Command) -> Answer {
        self.id += 1;
        self.exchange.handle(self.now, Input::Command { id: CommandId(self.id), command });
        let mut found = None;
        while let Some(output) = self.exchange.next_output() {
            match output {
                Output::Commit(commit) => {
                    let answer = if self.away {
                        StoreAnswer::Unavailable { why: "away".into() }
                    } else {
                        self.kept.extend(commit.changes.iter().map(|owned| owned.change.clone()));
                        StoreAnswer::Committed
                    };
                    self.exchange.handle(self.now, Input::Stored { sequence: commit.sequence, answer });
                }
                Output::Answer { id, answer } if id.0 == self.id => found = Some(answer),
                _ => {}
            }
        }
        found.expect("an answer")
    }

    fn ask(&mut self, asking: ListAsking) -> ListAnswer {
        match self.command(Command::Lists(Box::new(asking))) {
            Answer::Lists(answer) => *answer,
            other => panic!("{other:?}"),
        }
    }

    fn unknown_agent(&mut self, asking: ListAsking) {
        let answer = self.command(Command::Lists(Box::new(asking)));
        assert!(matches!(answer, Answer::Refused(Refusal::Unknown("account", _))), "{answer:?}");
    }

    fn after(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    /// Dies, and comes back with what was kept.
    fn die(&mut self) {
        let snapshot = Snapshot { changes: self.kept.clone(), sequence: 0 };
        self.exchange = Exchange::new(self.now, Config::new("test", Vec::new()), [8; 32], snapshot);
    }

    fn make(&mut self, name: &str, key: u32, numbers: &[&str]) {
        let text = format!("number\n{}\n", numbers.join("\n"));
        let settings = Settings::default();
        let policy = Policy::new(Box::new(|_| false));
        let places = Places::new("Asia/Shanghai").unwrap();
        let judging = Judging { settings: &settings, policy, places, forbidden: &[], most: ROWS };
        let judged = Sheet::judge(NOW, text.into_bytes(), &Reading::default(), judging, key);
        let (text, _) = judged.unwrap();
        let sheet = Shared(Arc::new(Sheet::read(&text).unwrap()));
        let new = NewList {
            key,
            name: name.into(),
            by: "boss".into(),
            text: text.into(),
            sheet,
            skipped: 0,
            refusals: Arc::default(),
        };
        assert!(matches!(self.ask(ListAsking::Make(Box::new(new))), ListAnswer::Row(_)));
    }

    fn deal(&mut self, list: &str, agents: &[&str]) -> ListRow {
        let deal = Deal::Share(shares(agents));
        row(self.ask(ListAsking::Deal { list: list.into(), deal }))
    }

    fn give(&mut self, list: &str, from: Option<&str>, lines: Option<&[u32]>, to: &[&str]) -> ListRow {
        let lines = lines.map(|lines| lines.iter().copied().collect());
        let (list, from, to) = (list.into(), from.map(Into::into), shares(to));
        row(self.ask(ListAsking::Reassign { list, lines, from, to }))
    }

    fn link(&mut self, agent: &str) -> FileRequest {
        match self.ask(ListAsking::Link(agent.into())) {
            ListAnswer::Link(assignment) => {
                let Assignment { agent, token, .. } = *assignment;
                FileRequest { agent: agent.into(), token: TokenHash::of(&token), by_phone: true }
            }
            other => panic!("{other:?}"),
        }
    }

    /// What is in a file: the number of each row and the attempts.
    fn file(&mut self, from: &FileRequest) -> Vec<(String, u16)> {
        match self.ask(ListAsking::File { from: from.clone(), known: None }) {
            ListAnswer::File(file) => {
                let (session, version) = (file.session, file.version);
                // A phone names it by its content; here its version does.
                let name = version.to_string().into();
                self.ask(ListAsking::Given { session, version, name });
                rows(&file)
            }
            other => panic!("{other:?}"),
        }
    }

    fn left(&mut self, from: &FileRequest, known: &str) -> Option<Vec<(String, u16)>> {
        match self.ask(ListAsking::Left { from: from.clone(), known: Some(known.into()) }) {
            ListAnswer::File(file) => Some(rows(&file)),
            ListAnswer::Same | ListAnswer::Missing => None,
            other => panic!("{other:?}"),
        }
    }

    fn version(&self, from: &FileRequest) -> Box<str> {
        self.exchange
            .lists
            .session_of(self.now.wall, &from.agent, &from.token)
            .unwrap()
            .version
            .to_string()
            .into()
    }

    fn report(&mut self, from: &FileRequest, run: &str, rows: Vec<Reported>) -> (usize, usize, usize) {
        let file = self.version(from);
        let results = Results { from: from.clone(), file, run: run.into(), rows };
        match self.ask(ListAsking::Results(Box::new(results))) {
            ListAnswer::Taken { new, known, unknown } => (new, known, unknown),
            other => panic!("{other:?}"),
        }
    }

    fn says_left(&mut self, from: &FileRequest, hash: &str) {
        let file = self.version(from);
        self.ask(ListAsking::SaidLeft { from: from.clone(), file, hash: hash.into() });
    }

    fn called(&self, list: &str, number: &str, attempt: u16, outcome: Outcome, end: Option<End>) -> Reported {
        let list = self.exchange.lists.named(list).unwrap();
        let sheet = &list.made.sheet.0;
        let row = list.rows().find(|row| sheet.number(*row).unwrap().to_string() == number).unwrap();
        Reported {
            task: sheet.entry(row).unwrap().task(sheet.number(row).unwrap()),
            attempt,
            at: Some(self.now.wall),
            ended: Some((self.now.wall, outcome)),
            talked: 3,
            stands: Some(Stands { end, result: "".into(), note: "".into(), not_before: None }),
        }
    }
}

fn shares(agents: &[&str]) -> Vec<Share> {
    agents.iter().map(|agent| Share { account: (*agent).into(), weight: 1 }).collect()
}

fn row(answer: ListAnswer) -> ListRow {
    match answer {
        ListAnswer::Row(row) => *row,
        other => panic!("{other:?}"),
    }
}

fn rows(file: &AgentFile) -> Vec<(String, u16)> {
    let of = |part: &FilePart| {
        let sheet = part.sheet.clone();
        part.rows
            .clone()
            .into_iter()
            .map(move |row| (sheet.number(row.row).unwrap().to_string(), row.attempts))
    };
    file.parts.iter().flat_map(of).collect()
}

fn plain(rows: &[(&str, u16)]) -> Vec<(String, u16)> {
    rows.iter().map(|(number, attempts)| ((*number).to_owned(), *attempts)).collect()
}

#[test]
fn a_list_is_dealt_in_shares_and_the_same_callee_to_one_agent() {
    let mut office = Office::new();
    office.make("autumn", 1, &["2001", "2002", "2003", "2004", "2005", "2006"]);
    let deal = Deal::Share(vec![
        Share { account: "ada".into(), weight: 2 },
        Share { account: "bob".into(), weight: 1 },
    ]);
    let dealt = row(office.ask(ListAsking::Deal { list: "autumn".into(), deal }));
    let boards: Vec<(&str, usize)> = dealt.agents.iter().map(|board| (&*board.account, board.rows)).collect();
    assert_eq!((boards, dealt.undealt, dealt.state), (vec![("ada", 4), ("bob", 2)], 0, ListState::Dealt));
    let unknown = Deal::Share(shares(&["eve"]));
    let asking = ListAsking::Deal { list: "autumn".into(), deal: unknown };
    let refused = office.command(Command::Lists(Box::new(asking)));
    assert_eq!(refused, Answer::Refused(Refusal::Unknown("account", "eve".into())));
}

#[test]
fn uploads_twice_count_once_and_a_phone_is_not_told_what_it_told() {
    let mut office = Office::new();
    office.make("autumn", 1, &["2001", "2002", "2003"]);
    office.deal("autumn", &["ada"]);
    let link = office.link("ada");
    assert_eq!(office.file(&link), plain(&[("2001", 0), ("2002", 0), ("2003", 0)]));
    let busy = office.called("autumn", "2001", 1, Outcome::Busy, None);
    let reached = office.called("autumn", "2002", 1, Outcome::Answered, Some(End::Reached));
    assert_eq!(office.report(&link, "r1", vec![busy.clone(), reached.clone()]), (2, 0, 0));
    assert_eq!(office.report(&link, "r1", vec![busy, reached]), (0, 2, 0));
    office.says_left(&link, "h1");
    // Its journal has it; the file stays as it was.
    let asking = ListAsking::File { from: link.clone(), known: Some("1.1".into()) };
    assert_eq!(office.ask(asking), ListAnswer::Same);
    assert_eq!(office.left(&link, "h1"), None, "whoever said it knows it");
    // Another phone by the same link goes on with the rest, and from then on the file has it, too.
    assert_eq!(office.left(&link, ""), Some(plain(&[("2001", 1), ("2003", 0)])));
    assert_eq!(office.file(&link), plain(&[("2001", 1), ("2003", 0)]));
    // What the first phone brings late is taken, and counts for the other.
    let late = office.called("autumn", "2003", 1, Outcome::Answered, Some(End::Reached));
    assert_eq!(office.report(&link, "r1", vec![late]), (1, 0, 0));
    assert_eq!(office.file(&link), plain(&[("2001", 1)]));
    let listed = row(office.ask(ListAsking::One("autumn".into())));
    assert_eq!((listed.left, listed.attempts, listed.agents[0].talked), (1, 3, 9));
}

#[test]
fn s3_19_the_rest_follows_its_agent_to_another_phone() {
    let mut office = Office::new();
    office.make("autumn", 1, &["2001", "2002", "2003"]);
    office.deal("autumn", &["ada"]);
    let first = office.link("ada");
    office.file(&first);
    let reached = office.called("autumn", "2001", 1, Outcome::Answered, Some(End::Reached));
    let busy = office.called("autumn", "2002", 1, Outcome::Busy, None);
    office.report(&first, "r1", vec![reached, busy]);
    let second = office.link("ada");
    assert_eq!(office.file(&second), [], "the first phone may be calling");
    // It looks, and works with a file that has nothing any more.
    assert_eq!(office.file(&first), []);
    office.says_left(&first, "h");
    assert_eq!(office.file(&second), plain(&[("2002", 1), ("2003", 0)]));
    let late = office.called("autumn", "2003", 1, Outcome::Busy, None);
    assert_eq!(office.report(&first, "r1", vec![late]), (1, 0, 0));
    assert_eq!(office.file(&second), plain(&[("2002", 1), ("2003", 1)]));
    // A phone that was signed out looks no more.
    let third = office.link("ada");
    assert_eq!(office.file(&third), []);
    office.after(60);
    assert_eq!(office.file(&third), plain(&[("2002", 1), ("2003", 1)]));
    office.ask(ListAsking::Revoke("ada".into()));
    let refused = office.command(Command::Lists(Box::new(ListAsking::File { from: second, known: None })));
    assert!(matches!(refused, Answer::Refused(_)));
}

#[test]
fn s3_20_a_row_that_is_given_away_waits_for_the_phone_that_may_be_calling_it() {
    let mut office = Office::new();
    office.make("autumn", 1, &["2001", "2002"]);
    office.deal("autumn", &["ada"]);
    let (ada, bob) = (office.link("ada"), office.link("bob"));
    office.file(&ada);
    office.give("autumn", None, Some(&[2]), &["bob"]);
    assert_eq!(office.file(&bob), [], "ada's phone does not know yet");
    assert_eq!(office.file(&ada), plain(&[("2002", 0)]));
    assert_eq!(office.file(&bob), [], "it may be calling");
    // It called while the row left, and says so with the file that it works with now.
    let busy = office.called("autumn", "2001", 1, Outcome::Busy, None);
    assert_eq!(office.report(&ada, "r1", vec![busy.clone()]), (1, 0, 0));
    assert_eq!(office.file(&bob), plain(&[("2001", 1)]), "attempts travel along");
    assert_eq!(office.report(&ada, "r1", vec![busy]), (0, 1, 0), "once");
    // A phone that died lets go after the lease.
    office.give("autumn", Some("ada"), None, &["bob"]);
    office.after(60);
    assert_eq!(office.file(&bob), plain(&[("2001", 1)]));
    office.after(60);
    assert_eq!(office.file(&bob), plain(&[("2001", 1), ("2002", 0)]));
}

#[test]
fn one_callee_is_in_one_file_over_all_lists() {
    let mut office = Office::new();
    office.make("autumn", 1, &["2001", "2002"]);
    office.make("winter", 2, &["2001", "2003"]);
    office.deal("autumn", &["ada"]);
    office.deal("winter", &["bob"]);
    let (ada, bob) = (office.link("ada"), office.link("bob"));
    assert_eq!(office.file(&ada), plain(&[("2001", 0), ("2002", 0)]));
    assert_eq!(office.file(&bob), plain(&[("2003", 0)]));
    office.die();
    assert_eq!(office.file(&bob), plain(&[("2003", 0)]), "after a restart as well");
    let reached = office.called("autumn", "2001", 1, Outcome::Answered, Some(End::Reached));
    office.report(&ada, "r1", vec![reached]);
    assert_eq!(office.file(&bob), plain(&[("2001", 0), ("2003", 0)]));
}

#[test]
fn a_killed_exchange_keeps_what_it_accepted_and_nothing_is_accepted_without_a_store() {
    let mut office = Office::new();
    office.make("autumn", 1, &["2001", "2002", "2003"]);
    office.deal("autumn", &["ada"]);
    let link = office.link("ada");
    office.file(&link);
    let busy = office.called("autumn", "2001", 1, Outcome::Busy, None);
    office.report(&link, "r1", vec![busy.clone()]);
    office.die();
    assert_eq!(office.report(&link, "r1", vec![busy]), (0, 1, 0));
    let asking = ListAsking::File { from: link.clone(), known: Some("1.1".into()) };
    // It has forgotten how the phone names it, and asks that anew.
    assert!(matches!(office.ask(asking), ListAnswer::File(file) if file.tag() == "1.1"));
    office.away = true;
    let reached = office.called("autumn", "2002", 1, Outcome::Answered, Some(End::Reached));
    let results =
        Results { from: link.clone(), file: "1".into(), run: "r1".into(), rows: vec![reached.clone()] };
    let answer = office.command(Command::Lists(Box::new(ListAsking::Results(Box::new(results)))));
    assert!(matches!(answer, Answer::Unavailable(_)), "{answer:?}");
    assert_eq!(row(office.ask(ListAsking::One("autumn".into()))).attempts, 1);
}

#[test]
fn a_phone_that_starts_anew_brings_the_same_attempts_once() {
    let mut office = Office::new();
    office.make("autumn", 1, &["2001", "2002"]);
    office.deal("autumn", &["ada"]);
    let link = office.link("ada");
    office.file(&link);
    let begun =
        Reported { ended: None, stands: None, ..office.called("autumn", "2001", 1, Outcome::Busy, None) };
    let reached = office.called("autumn", "2002", 1, Outcome::Answered, Some(End::Reached));
    assert_eq!(office.report(&link, "r1", vec![begun, reached.clone()]), (2, 0, 0));
    // Its journal goes on in another run, which knows all of the first, and how the one that was cut off ended.
    office.after(60);
    let lost = office.called("autumn", "2001", 1, Outcome::Lost, None);
    assert_eq!(office.report(&link, "r2", vec![lost, reached]), (0, 2, 0));
    let asking = ListAsking::File { from: link.clone(), known: Some("1.1".into()) };
    assert_eq!(office.ask(asking), ListAnswer::Same, "nothing that it does not know");
    assert_eq!(row(office.ask(ListAsking::One("autumn".into()))).attempts, 2);
    let told = &office.exchange.lists.named("autumn").unwrap().told[&0];
    assert_eq!(told.attempts[0].ended.map(|(_, outcome)| outcome), Some(Outcome::Lost));
}

#[test]
fn who_wants_no_more_calls_is_on_the_offices_list() {
    let mut office = Office::new();
    office.make("autumn", 1, &["2001", "2002"]);
    office.make("winter", 2, &["2001"]);
    office.deal("autumn", &["ada"]);
    let link = office.link("ada");
    office.file(&link);
    let never = office.called("autumn", "2001", 1, Outcome::Declined, Some(End::Forbidden));
    office.report(&link, "r1", vec![never]);
    assert_eq!(row(office.ask(ListAsking::One("winter".into()))).left, 0, "by no other row either");
    let ListAnswer::Ground(ground) = office.ask(ListAsking::Ground) else { panic!() };
    assert_eq!(ground.forbidden.iter().map(ToString::to_string).collect::<Vec<_>>(), ["2001"]);
}

#[test]
fn a_list_is_forgotten_with_all_its_rows() {
    let mut office = Office::new();
    office.make("autumn", 1, &["2001"]);
    office.deal("autumn", &["ada"]);
    let link = office.link("ada");
    assert_eq!(office.file(&link), plain(&[("2001", 0)]));
    assert_eq!(office.ask(ListAsking::Remove("autumn".into())), ListAnswer::Done);
    assert_eq!(office.file(&link), []);
    assert_eq!(office.ask(ListAsking::All), ListAnswer::Rows(Vec::new()));
    let mut headers = Headers::default();
    let mut out = Vec::new();
    Sheet::default().write(&lists::RowNow::default(), "ada", &mut headers, &mut out);
    assert!(out.is_empty());
}

#[test]
fn a_file_at_another_server_is_nothing_that_a_phone_is_heard_by() {
    let mut office = Office::new();
    office.make("autumn", 1, &["2001"]);
    office.deal("autumn", &["ada"]);
    let asking = |mine| ListAsking::Outside { agent: "ada".into(), mine };
    let ListAnswer::Link(assignment) = office.ask(asking(None)) else { panic!("a link") };
    let token = TokenHash::of(&assignment.token);
    let carried = FileRequest { agent: "ada".into(), token, by_phone: false };
    assert_eq!(office.ask(asking(Some(carried.token))), ListAnswer::Done, "it is still that");
    assert_eq!(office.ask(asking(None)), ListAnswer::Missing, "nobody else gets one beside it");
    assert_eq!(office.file(&carried), plain(&[("2001", 0)]));
    // Its rows go to somebody else once its phone was silent, however often we looked at the file.
    office.give("autumn", None, None, &["bob"]);
    let bob = office.link("bob");
    assert_eq!(office.file(&bob), []);
    for _ in 0..10 {
        office.after(10);
        assert_eq!(office.file(&carried), []);
    }
    assert_eq!(office.file(&bob), plain(&[("2001", 0)]));
    // She works at a phone of the office meanwhile; when she has left, there is a link again.
    let phone = office.link("ada");
    assert_eq!(office.ask(asking(Some(carried.token))), ListAnswer::Missing);
    office.ask(ListAsking::Revoke("ada".into()));
    assert!(matches!(office.ask(asking(Some(carried.token))), ListAnswer::Link(_)));
    drop(phone);
    office.unknown_agent(ListAsking::Outside { agent: "nobody".into(), mine: None });
}
