//! What the store keeps of lists, and how a change comes into force.

use super::session::Session;
use super::{CallList, Lists, Live, Made, Progress};
use clock::{Mono, Wall};
use lists::Sheet;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The rows of a list, which never change; two are the same when they are one.
#[derive(Clone)]
pub struct Shared(pub Arc<Sheet>);

impl PartialEq for Shared {
    fn eq(&self, other: &Shared) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Shared {}

impl Deref for Shared {
    type Target = Sheet;

    fn deref(&self) -> &Sheet {
        &self.0
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows", self.0.len())
    }
}

/// What of a list never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeList {
    /// In the names of its rows.
    pub key: u32,
    /// Its name.
    pub name: Box<str>,
    /// Who made it.
    pub by: Box<str>,
    /// When.
    pub at: Wall,
    /// Its rows as [`lists::Sheet::judge`] wrote them.
    pub text: Arc<[u8]>,
    /// The same, to be looked at.
    pub sheet: Shared,
    /// Rows of its file that are skipped, in all.
    pub skipped: u32,
    /// The first of them: line and reason.
    pub refusals: Arc<[(u32, Box<str>)]>,
}

/// One thing of lists to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListChange {
    /// A new list.
    Made(Arc<MadeList>),
    /// Whose each row is from now on.
    Dealt {
        /// Of which list.
        key: u32,
        /// All agents of it.
        agents: Arc<[Box<str>]>,
        /// For each row nobody, or the place of its agent and one.
        owners: Arc<[u16]>,
    },
    /// How a row stands.
    Row {
        /// Of which list.
        key: u32,
        /// Which.
        row: u32,
        /// How; its attempts are kept one by one.
        told: Progress,
    },
    /// An attempt.
    Attempt {
        /// Of which list.
        key: u32,
        /// Of which row.
        row: u32,
        /// The attempt, in the place of what was known of it.
        made: Made,
    },
    /// A list with all that is known of it is forgotten.
    Gone(u32),
    /// A session as it is now.
    Session(Box<Session>),
    /// A session is forgotten.
    SessionGone(u32),
    /// A phone began to work.
    Run {
        /// Its number.
        run: u32,
        /// By which session.
        session: u32,
        /// What the phone calls it.
        name: Box<str>,
    },
}

impl ListChange {
    /// What it belongs to (R19).
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            ListChange::Made(made) => made.key.to_string(),
            ListChange::Dealt { key, .. }
            | ListChange::Row { key, .. }
            | ListChange::Attempt { key, .. }
            | ListChange::Gone(key) => key.to_string(),
            ListChange::Session(session) => session.agent.to_string(),
            ListChange::SessionGone(id) | ListChange::Run { session: id, .. } => id.to_string(),
        }
    }
}

impl Lists {
    /// A change that is written down.
    pub(crate) fn apply(&mut self, now: Mono, change: &ListChange) {
        match change {
            ListChange::Made(made) => {
                let owners = vec![0; made.sheet.len()].into();
                let told = BTreeMap::new();
                let list =
                    CallList { key: made.key, made: Arc::clone(made), agents: Arc::default(), owners, told };
                self.lists.push(list);
                self.touched.insert(made.key);
            }
            ListChange::Dealt { key, agents, owners } => {
                if let Some(list) = self.list_mut(*key) {
                    (list.agents, list.owners) = (Arc::clone(agents), Arc::clone(owners));
                }
                self.dealt = true;
                self.all_stale();
            }
            ListChange::Row { key, row, told } => {
                let number = self.number((*key, *row));
                if let Some(list) = self.list_mut(*key) {
                    let known = list.told.entry(*row).or_default();
                    let attempts = std::mem::take(&mut known.attempts);
                    *known = Progress { attempts, ..told.clone() };
                }
                if let Some(number) = number.filter(|_| told.end.is_some()) {
                    self.let_go_if_done(number);
                }
                self.told_by(*key, *row, told.run);
            }
            ListChange::Attempt { key, row, made } => {
                if let Some(list) = self.list_mut(*key) {
                    list.told.entry(*row).or_default().put(*made);
                }
                self.told_by(*key, *row, made.run);
            }
            ListChange::Gone(key) => {
                self.lists.retain(|list| list.key != *key);
                self.dealt = true;
                self.all_stale();
            }
            ListChange::Session(session) => self.apply_session(now, session),
            ListChange::SessionGone(id) => self.forget_session(*id),
            ListChange::Run { run, session, name } => {
                self.last_run = self.last_run.max(*run);
                self.runs.insert(name.clone(), (*run, *session));
            }
        }
    }

    fn list_mut(&mut self, key: u32) -> Option<&mut CallList> {
        self.touched.insert(key);
        self.lists.iter_mut().find(|list| list.key == key)
    }

    /// A run told of a row: the file of its agent is another, unless it is that run's own.
    fn told_by(&mut self, key: u32, row: u32, run: u32) {
        let owner = self.by_key(key).and_then(|list| list.owner(row));
        let session = owner.and_then(|owner| self.current(owner)).filter(|session| session.run != run);
        if let Some(live) = session.map(|session| session.id).and_then(|id| self.live.get_mut(&id)) {
            live.stale = true;
        }
    }

    fn apply_session(&mut self, now: Mono, session: &Session) {
        self.last_session = self.last_session.max(session.id);
        if let Some(known) = self.sessions.get(&session.id) {
            self.by_token.remove(&known.token);
        }
        self.by_token.insert(session.token, session.id);
        if session.over.is_none() {
            self.current.insert(session.agent.clone(), session.id);
        } else if self.current.get(&session.agent) == Some(&session.id) {
            self.current.remove(&session.agent);
        }
        let other = self.sessions.get(&session.id).is_none_or(|known| known.run != session.run);
        let live = self.live.entry(session.id).or_insert_with(|| Live { seen: now, ..Live::default() });
        live.stale |= other;
        self.sessions.insert(session.id, session.clone());
        self.hold(session.id);
    }

    fn forget_session(&mut self, id: u32) {
        if let Some(session) = self.sessions.remove(&id) {
            self.by_token.remove(&session.token);
            if self.current.get(&session.agent) == Some(&id) {
                self.current.remove(&session.agent);
            }
        }
        self.live.remove(&id);
        self.tokens.remove(&id);
        self.held.retain(|_, holder| *holder != id);
        self.runs.retain(|_, (_, session)| *session != id);
        self.all_stale();
    }
}
