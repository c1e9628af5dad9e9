//! Lists for desk phones and web phones: where an agent's phone only calls, the exchange works through the list itself.
//!
//! ```text
//! rows of the agent, a few ahead --> dialing --claim written--> agent reserved, their phone rings --> they are there
//!        ^                              ^                                                                  |
//!        |                              +-- result, written with the row's --<-- talk, busy, nobody <-- the callee rings
//!        +-- Skip, Later, Result, a list that changed
//! ```
//! The same `dialing` that reaches people for background calls has the rows as tasks, so that hours, budgets and the one
//! attempt at a number hold over both. What it writes down of a row is written down in the list by the same commit: after a
//! death both say the same (decision 20). Nobody is called before the agent's own leg is up, and only while they are ready.

mod attempt;
mod code;
mod feed;
mod kept;
mod said;
mod show;
mod start;

pub use said::{DeskSaid, DeskWhen};
pub use show::{DeskAttempt, DeskCounts, DeskRow, DeskStep, DeskWork};

use super::{Lists, Progress, RowName, Session};
use calls::CallId;
use clock::Mono;
use dialing::TaskId;
use std::collections::{BTreeMap, BTreeSet};

/// What can be asked of an agent's work on their lists at a phone that only calls; answered by [`super::ListAnswer::Desk`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskAsking {
    /// How it stands.
    Read(Box<str>),
    /// The exchange calls for them from now on; who is not signed in to work is.
    Start {
        /// The agent.
        account: Box<str>,
        /// The phone that rings; else the one that they signed in at, or all of theirs.
        device: Option<Box<str>>,
    },
    /// It calls for them no more; the call that is up goes on, and the rows wait.
    Stop(Box<str>),
    /// Something about a row.
    Say {
        /// The agent.
        account: Box<str>,
        /// The list and the line of its file; the call that is up, or the last, if it is left out.
        row: Option<(Box<str>, u32)>,
        /// What.
        said: DeskSaid,
    },
    /// A row that can never be called ends.
    Refuse {
        /// The agent.
        account: Box<str>,
        /// Which.
        row: RowName,
        /// How.
        end: dialing::End,
        /// Why, in words.
        why: Box<str>,
    },
    /// A talk is over.
    Talked {
        /// The row.
        row: RowName,
        /// The run that called.
        run: u32,
        /// How many seconds.
        seconds: u32,
    },
}

/// A row that is a task of `dialing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dealt {
    pub(crate) row: RowName,
    /// The run of the session by which it is called.
    pub(crate) run: u32,
    /// It is given back as it is: its end as a task is none of the row.
    pub(crate) withdrawn: bool,
}

/// The work of one agent that no restart needs.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// Rows that are tasks.
    fed: BTreeMap<RowName, TaskId>,
    /// How far the session's rows were given, and which version of them.
    next: usize,
    version: Option<u32>,
    /// The row that is called, or was called last.
    hand: Option<Hand>,
    /// The gap after a call.
    rests: Option<Mono>,
    /// When rows that others had are looked at again.
    looks: Option<Mono>,
}

/// The row that is called, or was called last.
#[derive(Clone, Debug)]
struct Hand {
    row: RowName,
    task: TaskId,
    /// While its call is up.
    call: Option<CallId>,
    answered: Option<Mono>,
    because: Vec<Box<str>>,
}

impl Desk {
    fn due(&self) -> Option<Mono> {
        [self.rests, self.looks].into_iter().flatten().min()
    }
}

/// The work of all agents.
#[derive(Debug, Default)]
pub(crate) struct Desks {
    by_agent: BTreeMap<Box<str>, Desk>,
    /// Agents of whom something is another.
    stirred: BTreeSet<Box<str>>,
    /// Agents whose work is to be told.
    touched: BTreeSet<Box<str>>,
    due: BTreeSet<(Mono, Box<str>)>,
    /// How rows will stand when the store has it.
    coming: BTreeMap<RowName, Progress>,
}

impl Desks {
    /// Something of an agent is another.
    pub(crate) fn stir(&mut self, account: &str) {
        if self.by_agent.contains_key(account) {
            self.stirred.insert(account.into());
            self.touched.insert(account.into());
        }
    }

    /// What is shown of an agent's work is another.
    pub(crate) fn touch(&mut self, account: &str) {
        if self.by_agent.contains_key(account) {
            self.touched.insert(account.into());
        }
    }

    /// When something is due.
    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.due.first().map(|(when, _)| *when)
    }

    /// The store did not take what was coming.
    pub(crate) fn nothing_comes(&mut self) {
        self.coming.clear();
    }

    fn desk(&mut self, account: &str) -> &mut Desk {
        if !self.by_agent.contains_key(account) {
            self.by_agent.insert(account.into(), Desk::default());
        }
        // It was put there a line above.
        self.by_agent.get_mut(account).expect("a desk")
    }

    /// Changes the times of a desk.
    fn time(&mut self, account: &str, change: impl FnOnce(&mut Desk)) {
        let Some(desk) = self.by_agent.get_mut(account) else { return };
        let before = desk.due();
        change(desk);
        let after = desk.due();
        if before != after {
            before.map(|when| self.due.remove(&(when, account.into())));
            after.map(|when| self.due.insert((when, account.into())));
        }
    }

    fn forget(&mut self, account: &str) {
        self.time(account, |desk| (desk.rests, desk.looks) = (None, None));
        self.by_agent.remove(account);
    }
}

impl Lists {
    /// The session by which the exchange works for an agent.
    pub(crate) fn desk_session(&self, account: &str) -> Option<&Session> {
        self.current(account).filter(|session| session.desk)
    }
}

/// No account has a space in its name.
const OWNER: &str = "list ";

/// The name under which an agent owns rows, beside the background calls that are their own.
pub(crate) fn owner_of(account: &str) -> String {
    format!("{OWNER}{account}")
}

impl Dealt {
    /// As it stands in the task: the number to dial, then the row.
    pub(crate) fn data(&self, number: &str) -> Box<str> {
        format!("{number} {} {} {}", self.row.0, self.row.1, self.run).into()
    }

    /// The row of a task that an agent owns as a row, with the number to dial and the account.
    pub(crate) fn read(owner: &str, data: &str) -> Option<(Dealt, Box<str>, Box<str>)> {
        let account = owner.strip_prefix(OWNER)?;
        let mut parts = data.split(' ');
        let mut next = || parts.next();
        let (number, list, row, run) = (next()?, next()?, next()?, next()?);
        let row = (list.parse().ok()?, row.parse().ok()?);
        let dealt = Dealt { row, run: run.parse().ok()?, withdrawn: false };
        Some((dealt, number.into(), account.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_is_written() {
        let dealt = Dealt { row: (7, 40_000), run: 3, withdrawn: false };
        let data = dealt.data("+8613800138000");
        let read = Dealt::read(&owner_of("ada"), &data);
        assert_eq!(read, Some((dealt, "+8613800138000".into(), "ada".into())));
        for (owner, data) in [("ada", "200 1 1 1"), ("list ada", "200"), ("list ada", "200 x 1 1")] {
            assert_eq!(Dealt::read(owner, data), None, "{owner} {data}");
        }
    }
}
