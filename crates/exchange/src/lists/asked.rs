//! What is asked of lists, one thing after another.

use super::board::ListRow;
use super::deal::{Deal, Share};
use super::desk::{DeskAsking, DeskWork};
use super::files::{AgentFile, FileRequest};
use super::report::Results;
use super::{CallList, LISTS, ListChange, MadeList, Progress, ROWS_IN_ALL, Shared, WAITING};
use crate::background::BackgroundPolicy;
use crate::command::Answer;
use crate::events::{Audience, Happened};
use crate::exchange::{Exchange, Promise};
use crate::input::CommandId;
use crate::numbering::Numbering;
use crate::people::{Refusal, is_name};
use calls::CallId;
use clock::Now;
use dialing::{Input, Number};
use lists::Assignment;
use media::Prompt;
use sip::bearer::TokenHash;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a new list is judged by, outside of the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ground {
    /// The office's zone and rules.
    pub background: BackgroundPolicy,
    /// Numbers that are never dialled by themselves.
    pub emergency: Vec<Box<str>>,
    /// How numbers are dialled here.
    pub numbering: Numbering,
    /// Who is not called.
    pub forbidden: Vec<Number>,
}

/// A list that was judged.
#[derive(Clone, Debug)]
pub struct NewList {
    /// In the names of its rows; of no other list.
    pub key: u32,
    /// Its name.
    pub name: Box<str>,
    /// Who makes it.
    pub by: Box<str>,
    /// Its rows, as [`lists::Sheet::judge`] wrote them.
    pub text: Arc<[u8]>,
    /// The same, to be looked at.
    pub sheet: Shared,
    /// Rows that are skipped.
    pub skipped: u32,
    /// The first of them: line and reason.
    pub refusals: Arc<[(u32, Box<str>)]>,
}

/// What can be asked of lists.
#[derive(Clone, Debug)]
pub enum ListAsking {
    /// What a new list is judged by.
    Ground,
    /// Keep a new list.
    Make(Box<NewList>),
    /// All lists.
    All,
    /// One list.
    One(Box<str>),
    /// A list with all its rows.
    Content(Box<str>),
    /// Deal out the rows that are nobody's.
    Deal {
        /// Of which list.
        list: Box<str>,
        /// How.
        deal: Deal,
    },
    /// Give open rows to others.
    Reassign {
        /// Of which list.
        list: Box<str>,
        /// Of these lines of its file; of all if there is none.
        lines: Option<BTreeSet<u32>>,
        /// Of this agent; of all if there is none.
        from: Option<Box<str>>,
        /// To whom; nobody takes them back.
        to: Vec<Share>,
    },
    /// Forget a list.
    Remove(Box<str>),
    /// Where we answer by HTTPS.
    Address(Box<str>),
    /// A new link for an agent, in the place of the one before.
    Link(Box<str>),
    /// The link by which an agent's file lies at another server.
    Outside {
        /// The agent.
        agent: Box<str>,
        /// What proves the one that is known.
        mine: Option<TokenHash>,
    },
    /// A link for whoever works at this phone, which asked for its profile.
    Serve(Box<str>),
    /// Rows changed hands: the file of this session lets go of what it has no more.
    Renew(u32),
    /// An agent's links open nothing any more.
    Revoke(Box<str>),
    /// The file behind a link.
    File {
        /// Who asks.
        from: FileRequest,
        /// The version that they have.
        known: Option<Box<str>>,
    },
    /// What is left of it, for a phone without a journal.
    Left {
        /// Who asks.
        from: FileRequest,
        /// By what they name what they said is left.
        known: Option<Box<str>>,
    },
    /// A file was given, and its phone names it so.
    Given {
        /// By which session.
        session: u32,
        /// Which version.
        version: u32,
        /// The name.
        name: Box<str>,
    },
    /// Whether this link is good for anything: before what may be long is read.
    Knows(FileRequest),
    /// Results.
    Results(Box<Results>),
    /// Something of the work at a phone that only calls.
    Desk(DeskAsking),
    /// A phone said what is left.
    SaidLeft {
        /// Who.
        from: FileRequest,
        /// By what it names the file that it works with.
        file: Box<str>,
        /// Names what it said.
        hash: Box<str>,
    },
}

/// A row that was begun, and who made its attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Which.
    pub row: u32,
    /// What is known.
    pub told: Progress,
}

/// A list with all its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its name.
    pub name: Box<str>,
    /// Its rows.
    pub sheet: Shared,
    /// All its agents.
    pub agents: Arc<[Box<str>]>,
    /// For each row nobody, or the place of its agent and one.
    pub owners: Arc<[u16]>,
    /// What is known of rows that were begun, in order.
    pub told: Vec<Told>,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListAnswer {
    /// To [`ListAsking::Ground`].
    Ground(Box<Ground>),
    /// Lists, in the order in which they were made.
    Rows(Vec<ListRow>),
    /// One list, as it is then.
    Row(Box<ListRow>),
    /// To [`ListAsking::Content`].
    Content(Box<Content>),
    /// To [`ListAsking::Link`]: what a phone is given; its token is shown only now.
    Link(Box<Assignment>),
    /// A file.
    File(Box<AgentFile>),
    /// It is the one that they have.
    Same,
    /// There is none.
    Missing,
    /// Results are taken.
    Taken {
        /// Attempts that were not known.
        new: usize,
        /// Rows that said nothing new.
        known: usize,
        /// Rows of no list.
        unknown: usize,
    },
    /// A phone is to be told its profile.
    Served(Box<str>),
    /// An agent's work at a phone that only calls.
    Desk(Box<DeskWork>),
    /// It is done.
    Done,
}

/// Who asked, and hears what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Nobody waits.
    Nobody,
    /// A command.
    Command(CommandId),
    /// Who dialled a code.
    Call(CallId),
}

type Asked = Result<(Vec<ListChange>, ListAnswer), Refusal>;

impl Exchange {
    /// A command about lists.
    pub(crate) fn ask_lists(&mut self, now: Now, id: Option<CommandId>, asking: ListAsking) {
        self.ask_lists_by(now, id.map_or(Asker::Nobody, Asker::Command), asking);
    }

    /// Something is asked of lists; it waits while a change of lists is on its way to the store.
    pub(crate) fn ask_lists_by(&mut self, now: Now, by: Asker, asking: ListAsking) {
        if self.lists.writing {
            if self.lists.waiting.len() < WAITING {
                self.lists.waiting.push_back((by, asking));
            } else {
                self.lists_unavailable(now, by, "too many changes of lists wait");
            }
            return;
        }
        match self.carry_out_on_lists(now, asking) {
            Ok((changes, answer)) if changes.is_empty() => self.lists_answered(now, by, answer),
            Ok((changes, answer)) => {
                self.lists.writing = true;
                let changes = changes.into_iter().map(|change| crate::change::Change::List(Box::new(change)));
                self.commit(now, changes.collect(), Promise::Lists { by, answer: Box::new(answer) });
            }
            Err(refusal) => match by {
                Asker::Nobody => {}
                Asker::Command(id) => self.answer(id, Answer::Refused(refusal)),
                Asker::Call(call) => self.say_why(now, call, Prompt::NotAllowed, &refusal.to_string()),
            },
        }
    }

    /// A change is written down: it is in force, and whoever asked is told.
    pub(crate) fn lists_kept(&mut self, now: Now, by: Asker, answer: ListAnswer) {
        self.lists_answered(now, by, answer);
        self.tell_lists(now);
        self.tell_profiles(now);
        self.lists_go_on(now);
    }

    fn lists_answered(&mut self, now: Now, by: Asker, answer: ListAnswer) {
        // As it is now.
        let answer = match answer {
            ListAnswer::Row(row) => match self.lists.named(&row.name) {
                Some(list) => ListAnswer::Row(Box::new(self.list_row(list))),
                None => ListAnswer::Row(row),
            },
            ListAnswer::Desk(work) => match self.desk_work(now, &work.account) {
                Some(work) => ListAnswer::Desk(Box::new(work)),
                None => ListAnswer::Desk(work),
            },
            other => other,
        };
        match (by, answer) {
            (_, ListAnswer::Served(device)) => self.notify_profile(now, &device),
            (Asker::Command(id), answer) => self.answer(id, Answer::Lists(Box::new(answer))),
            (Asker::Call(call), _) => self.say_done(now, call, Vec::new()),
            (Asker::Nobody, _) => {}
        }
    }

    /// A change could not be written down, and nothing has changed.
    pub(crate) fn lists_not_kept(&mut self, now: Now, by: Asker, why: &str) {
        self.lists.desks.nothing_comes();
        self.lists_unavailable(now, by, why);
        self.lists_go_on(now);
    }

    fn lists_unavailable(&mut self, now: Now, by: Asker, why: &str) {
        match by {
            Asker::Nobody => {}
            Asker::Command(id) => self.answer(id, Answer::Unavailable(why.to_owned())),
            Asker::Call(call) => self.say_not_stored(now, call, why),
        }
    }

    fn lists_go_on(&mut self, now: Now) {
        self.lists.writing = false;
        if std::mem::take(&mut self.lists.dealt) {
            let served = self.lists.sessions.values().filter(|session| !session.served.is_empty());
            self.lists.renewing = served.map(|session| session.id).collect();
        }
        while !self.lists.writing {
            let renew = || Some((Asker::Nobody, ListAsking::Renew(self.lists.renewing.pop_front()?)));
            let Some((by, asking)) = self.lists.waiting.pop_front().or_else(renew) else { break };
            self.ask_lists_by(now, by, asking);
        }
    }

    /// A change of lists that is in force now.
    pub(crate) fn apply_list(&mut self, now: Now, change: &ListChange) {
        let gone = match change {
            ListChange::Gone(key) => self.lists.by_key(*key).map(|list| list.made.name.clone()),
            ListChange::Row { key, row, told } if matches!(told.end, Some((_, dialing::End::Forbidden))) => {
                // Whoever wants no more calls gets none from anybody here.
                if let Some(number) = self.lists.number((*key, *row)) {
                    self.background.dialing.handle(now, Input::Forbid { number, owner: None });
                }
                None
            }
            _ => None,
        };
        self.lists.apply(now.mono, change);
        self.desks_see(change);
        if let Some(name) = gone {
            self.tell_if_heard(now, Audience::all(Vec::new()), Happened::ListRemoved(name));
        }
    }

    fn carry_out_on_lists(&mut self, now: Now, asking: ListAsking) -> Asked {
        let stranger = || Refusal::Rule { rule: "lists.link", words: "this link opens nothing".into() };
        let plain = |answer: ListAnswer| Ok((Vec::new(), answer));
        match asking {
            ListAsking::Ground => plain(ListAnswer::Ground(Box::new(self.ground()))),
            ListAsking::All => {
                plain(ListAnswer::Rows(self.lists.lists.iter().map(|list| self.list_row(list)).collect()))
            }
            ListAsking::One(name) => plain(ListAnswer::Row(Box::new(self.list_row(self.list_named(&name)?)))),
            ListAsking::Content(name) => {
                plain(ListAnswer::Content(Box::new(content(self.list_named(&name)?))))
            }
            ListAsking::Make(new) => self.make_list(now, *new),
            ListAsking::Deal { list, deal } => Ok((self.deal(&list, &deal)?, self.row_answer(&list)?)),
            ListAsking::Reassign { list, lines, from, to } => {
                let changes = self.reassign(&list, lines.as_ref(), from.as_deref(), &to)?;
                Ok((changes, self.row_answer(&list)?))
            }
            ListAsking::Remove(name) => {
                let key = self.list_named(&name)?.key;
                Ok((vec![ListChange::Gone(key)], ListAnswer::Done))
            }
            ListAsking::Address(address) => {
                self.lists.address = address;
                plain(ListAnswer::Done)
            }
            ListAsking::Link(agent) => {
                if self.people.account(&agent).is_none() {
                    return Err(Refusal::Unknown("account", agent));
                }
                Ok(self.open_link(now, &agent, ""))
            }
            ListAsking::Outside { agent, mine } => {
                if self.people.account(&agent).is_none() {
                    return Err(Refusal::Unknown("account", agent));
                }
                Ok(self.outside_link(now, &agent, mine.as_ref()))
            }
            ListAsking::Renew(id) => {
                match self.lists.sessions.get(&id).filter(|session| session.over.is_none()) {
                    Some(session) => Ok((self.renewed(now, session.clone()).1, ListAnswer::Done)),
                    None => plain(ListAnswer::Done),
                }
            }
            ListAsking::Serve(device) => Ok(self.serve(now, &device)),
            ListAsking::Revoke(agent) => Ok((self.revoke_link(&agent), ListAnswer::Done)),
            ListAsking::File { from, known } => {
                self.list_file(now, &from, known.as_deref()).ok_or_else(stranger)
            }
            ListAsking::Left { from, known } => {
                self.list_left(now, &from, known.as_deref()).ok_or_else(stranger)
            }
            ListAsking::Given { session, version, name } => {
                self.list_given(session, version, &name);
                plain(ListAnswer::Done)
            }
            ListAsking::Knows(from) => {
                self.session_for(now, &from).ok_or_else(stranger)?;
                plain(ListAnswer::Done)
            }
            ListAsking::Results(results) => self.take_results(now, &results).ok_or_else(stranger),
            ListAsking::Desk(asking) => self.ask_desk(now, asking),
            ListAsking::SaidLeft { from, file, hash } => {
                self.take_left(now, &from, &file, &hash).ok_or_else(stranger)
            }
        }
    }

    fn row_answer(&self, name: &str) -> Result<ListAnswer, Refusal> {
        Ok(ListAnswer::Row(Box::new(self.list_row(self.list_named(name)?))))
    }

    fn ground(&self) -> Ground {
        Ground {
            background: self.config.background.clone(),
            emergency: self.config.emergency.numbers.clone(),
            numbering: self.config.numbering.clone(),
            forbidden: self.background.dialing.not_called_by_office().collect(),
        }
    }

    fn make_list(&self, now: Now, new: NewList) -> Asked {
        let NewList { key, name, by, text, sheet, skipped, refusals } = new;
        if !is_name(&name) {
            return Err(Refusal::BadName("list", name));
        }
        if self.lists.named(&name).is_some() || self.lists.by_key(key).is_some() {
            return Err(Refusal::Exists("list", name));
        }
        let rows: usize = self.lists.lists.iter().map(|list| list.made.sheet.0.len()).sum();
        if self.lists.lists.len() >= LISTS || rows + sheet.0.len() > ROWS_IN_ALL {
            return Err(Refusal::TooMany("lists"));
        }
        let made = Arc::new(MadeList { key, name, by, at: now.wall, text, sheet, skipped, refusals });
        // As it will be.
        let owners = vec![0; made.sheet.len()].into();
        let list =
            CallList { key, made: made.clone(), agents: Arc::default(), owners, told: Default::default() };
        let row = self.list_row(&list);
        Ok((vec![ListChange::Made(made)], ListAnswer::Row(Box::new(row))))
    }
}

fn content(list: &CallList) -> Content {
    Content {
        name: list.made.name.clone(),
        sheet: list.made.sheet.clone(),
        agents: Arc::clone(&list.agents),
        owners: Arc::clone(&list.owners),
        told: list.told.iter().map(|(row, told)| Told { row: *row, told: told.clone() }).collect(),
    }
}
