//! Call lists that the office deals out (S3): made from a file, dealt out to agents, worked through by their phones.
//!
//! ```text
//! file --judged outside of the core--> Sheet --Make--> dealt out --> a file for each agent <--GET-- phone
//!                                                        ^   reassigned                              |
//!                                                        +--------- results, by (task, attempt) <--PUT+
//! ```
//! Nothing is in memory that is not written down: each change is handed to the store, and is in force when that has it. One
//! change is on its way at a time; who asks meanwhile waits in line.
//!
//! Who is called belongs to one phone at a time: while a number stands in the file of a session, no other file has it, in whatever
//! list. A row that is given to somebody else leaves the file at once, and enters the other when the phone says that it works
//! without it, or has been silent for a lease ([`files`]). Where an agent's phone only calls, the exchange works in its place ([`desk`]).

mod asked;
mod board;
mod deal;
mod desk;
mod files;
mod kept;
mod profile;
mod report;
mod session;
#[cfg(test)]
mod tests;

pub use asked::{Content, Ground, ListAnswer, ListAsking, NewList, Told};
pub use board::{AgentBoard, ListRow, ListState};
pub use deal::{Deal, Share};
pub use desk::{DeskAsking, DeskAttempt, DeskCounts, DeskRow, DeskSaid, DeskStep, DeskWhen, DeskWork};
pub use files::{AgentFile, FilePart, FileRequest};
pub use kept::{ListChange, MadeList, Shared};
pub use report::{Made, Progress, Results};
pub use session::Session;

pub(crate) use asked::Asker;
pub(crate) use desk::Dealt;

use clock::{Mono, Wall};
use dialing::Number;
use lists::Assignment;
use sip::bearer::TokenHash;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Where the files of agents are, below our address.
pub const FILES: &str = "/call-lists";
/// Lists at once.
pub const LISTS: usize = 200;
/// Rows of one list.
pub const ROWS: usize = 50_000;
/// Rows of all lists.
pub const ROWS_IN_ALL: usize = 250_000;
/// Rows that one phone is given; the rest waits until it has worked through some.
pub const ROWS_OF_AGENT: usize = 10_000;
/// Results of one command.
pub const RESULTS: usize = 1_000;
/// Rows that were skipped and are kept with their reason.
pub const SKIPPED: usize = 1_000;
/// Agents of one list.
pub const AGENTS: usize = 2_000;
/// Links that are not over; the oldest gives way.
pub const SESSIONS: usize = 20_000;
/// Commands that wait for the one before.
const WAITING: usize = 1_024;
/// Attempts that are kept of one row.
const ATTEMPTS: usize = 200;

/// What an office wants of lists: `[lists]` in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPolicy {
    /// How long a phone may be silent before rows that were taken from it are given to others.
    pub lease: Duration,
    /// How long a link is good.
    pub lives: Duration,
    /// Where phones reach their files, if it is not our own address.
    pub url: Option<Box<str>>,
    /// How phones work, but for whom and with what.
    pub assignment: Assignment,
}

impl Default for ListPolicy {
    fn default() -> ListPolicy {
        ListPolicy {
            lease: Duration::from_secs(90),
            lives: Duration::from_secs(24 * 3_600),
            url: None,
            assignment: Assignment::default(),
        }
    }
}

/// One list.
#[derive(Clone, Debug)]
pub(crate) struct CallList {
    /// In the names of its rows.
    pub(crate) key: u32,
    pub(crate) made: std::sync::Arc<MadeList>,
    pub(crate) agents: std::sync::Arc<[Box<str>]>,
    /// Whose each row is: nobody's, or the place in `agents` and one.
    pub(crate) owners: std::sync::Arc<[u16]>,
    /// What is known of rows that were begun.
    pub(crate) told: BTreeMap<u32, Progress>,
}

impl CallList {
    pub(crate) fn owner(&self, row: u32) -> Option<&str> {
        let place = self.owners.get(row as usize)?.checked_sub(1)?;
        self.agents.get(usize::from(place)).map(|agent| &**agent)
    }

    pub(crate) fn agent_place(&self, agent: &str) -> Option<u16> {
        let place = self.agents.iter().position(|known| **known == *agent)?;
        u16::try_from(place + 1).ok()
    }

    pub(crate) fn number(&self, row: u32) -> Option<Number> {
        self.made.sheet.0.number(row)
    }

    pub(crate) fn is_open(&self, row: u32) -> bool {
        self.told.get(&row).is_none_or(|told| told.end.is_none())
    }

    pub(crate) fn rows(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.made.sheet.0.len()).unwrap_or(u32::MAX)
    }
}

/// A row of a list, by the list's key and its place.
pub type RowName = (u32, u32);

/// What is known of a session that no restart needs.
#[derive(Debug, Default)]
pub(crate) struct Live {
    /// When its phone was heard last in this life of the exchange.
    pub(crate) seen: Mono,
    /// Something happened that may have changed its file.
    pub(crate) stale: bool,
    /// By what its phone names the files that it was given, and their versions.
    pub(crate) names: VecDeque<(Box<str>, u32)>,
}

/// All lists of the office.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    /// In the order in which they were made.
    pub(crate) lists: Vec<CallList>,
    pub(crate) sessions: BTreeMap<u32, Session>,
    pub(crate) live: BTreeMap<u32, Live>,
    by_token: BTreeMap<TokenHash, u32>,
    /// The session that an agent works by.
    current: BTreeMap<Box<str>, u32>,
    /// In whose file a number is.
    held: BTreeMap<Number, u32>,
    /// The number of each run of a phone, and its session, by what the phone calls it: an agent's file that comes by another link
    /// says nothing new.
    runs: BTreeMap<Box<str>, (u32, u32)>,
    last_run: u32,
    last_session: u32,
    waiting: VecDeque<(Asker, ListAsking)>,
    /// What the exchange itself works through.
    pub(crate) desks: desk::Desks,
    writing: bool,
    /// Rows changed hands: files are looked at, so that phones let go of what they have no more.
    dealt: bool,
    renewing: VecDeque<u32>,
    /// What proves the sessions of phones that we told it; known until the exchange ends.
    tokens: BTreeMap<u32, Box<str>>,
    /// Where we answer by HTTPS, as the shell says.
    address: Box<str>,
    /// Lists of which something is to be told.
    pub(crate) touched: std::collections::BTreeSet<u32>,
}

impl Lists {
    pub(crate) fn named(&self, name: &str) -> Option<&CallList> {
        self.lists.iter().find(|list| *list.made.name == *name)
    }

    pub(crate) fn by_key(&self, key: u32) -> Option<&CallList> {
        self.lists.iter().find(|list| list.key == key)
    }

    pub(crate) fn number(&self, (key, row): RowName) -> Option<Number> {
        self.by_key(key)?.number(row)
    }

    /// The session of a token of this agent, if it is good, or was and its phone may still bring results.
    pub(crate) fn session_of(&self, now: Wall, agent: &str, token: &TokenHash) -> Option<&Session> {
        let session = self.sessions.get(self.by_token.get(token)?)?;
        (*session.agent == *agent && session.until > now).then_some(session)
    }

    pub(crate) fn current(&self, agent: &str) -> Option<&Session> {
        self.sessions.get(self.current.get(agent)?)
    }

    fn all_stale(&mut self) {
        self.live.values_mut().for_each(|live| live.stale = true);
    }
}
