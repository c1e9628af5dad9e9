//! The file of an agent: which rows it has, and who else may not have them.
//!
//! A file counts the attempts of all phones but the one that it is for, which knows its own from its journal. So it stays the
//! same while that phone works, and changes when somebody else does something to its rows.

use super::session::Session;
use super::{ListAnswer, ListChange, Lists, Live, ROWS_OF_AGENT, RowName, Shared};
use crate::exchange::Exchange;
use clock::Now;
use dialing::Number;
use lists::RowNow;
use sip::bearer::TokenHash;
use std::collections::BTreeSet;
use std::time::Duration;

/// Files of one session of which it is remembered how its phone names them.
const NAMES: usize = 16;

/// Who asks for a file, or brings one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRequest {
    /// Whose it is.
    pub agent: Box<str>,
    /// What proves that.
    pub token: TokenHash,
    /// Its phone is heard by this. A file that lies at another server says nothing of the phone that reads it there.
    pub by_phone: bool,
}

/// Rows of one list in an agent's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePart {
    /// The list.
    pub sheet: Shared,
    /// Its rows, in order.
    pub rows: Vec<RowNow>,
}

/// An agent's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentFile {
    /// Whose.
    pub agent: Box<str>,
    /// By which session.
    pub session: u32,
    /// Grows whenever it changes.
    pub version: u32,
    /// What it is put together of.
    pub parts: Vec<FilePart>,
}

impl AgentFile {
    /// What it is called until it changes.
    #[must_use]
    pub fn tag(&self) -> String {
        tag(self.session, self.version)
    }
}

fn tag(session: u32, version: u32) -> String {
    format!("{session}.{version}")
}

/// FNV-1a: only distinctness is wanted of it.
fn content(rows: impl Iterator<Item = (RowName, RowNow)>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for ((key, row), now) in rows {
        let not_before = now.not_before.map_or(0, |at| at.0.cast_unsigned());
        for word in [u64::from(key), u64::from(row), u64::from(now.attempts), not_before] {
            for octet in word.to_le_bytes() {
                hash = (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    hash
}

impl Lists {
    pub(super) fn row_is_open(&self, (key, row): RowName) -> bool {
        self.by_key(key).is_some_and(|list| list.is_open(row))
    }

    /// The numbers of a session are its own: those of its file, and those that its phone may still be calling.
    pub(super) fn hold(&mut self, id: u32) {
        let Some(session) = self.sessions.get(&id) else { return };
        let open = session.served.iter().filter(|row| self.row_is_open(**row));
        let mut wanted: BTreeSet<Number> = open.filter_map(|row| self.number(*row)).collect();
        wanted.extend(session.dropping.iter().map(|(number, _)| *number));
        let before = self.held.len();
        self.held.retain(|number, holder| *holder != id || wanted.contains(number));
        let let_go = self.held.len() < before;
        for number in wanted {
            // Who takes over has looked whether the other lets go.
            self.held.insert(number, id);
        }
        if let_go {
            self.all_stale();
        }
    }

    /// A row ended: its number is free, unless the same file has another row of it.
    pub(super) fn let_go_if_done(&mut self, number: Number) {
        let Some(holder) = self.held.get(&number) else { return };
        let Some(session) = self.sessions.get(holder) else { return };
        let same = |row: &RowName| self.number(*row) == Some(number) && self.row_is_open(*row);
        let dropping = session.dropping.iter().any(|(dropped, _)| *dropped == number);
        if !dropping && !session.served.iter().any(same) {
            self.held.remove(&number);
            self.all_stale();
        }
    }

    /// Whether a row belongs into the file of this session: open, or ended by the very phone that it is for.
    fn belongs(&self, session: &Session, (key, row): RowName) -> bool {
        let Some(list) = self.by_key(key) else { return false };
        let known = |run: u32| run != 0 && run == session.run;
        list.told.get(&row).is_none_or(|told| told.end.is_none() || known(told.run))
    }
}

impl Exchange {
    /// The file of a link: as it is for its phone now.
    pub(super) fn list_file(
        &mut self,
        now: Now,
        request: &FileRequest,
        known: Option<&str>,
    ) -> Option<(Vec<ListChange>, ListAnswer)> {
        let session = self.session_for(now, request)?;
        let (session, changes) = match session.over {
            // Nothing is in it any more: its phone calls nobody, and says so.
            Some(_) => (session, Vec::new()),
            None => self.renewed(now, session),
        };
        let named = |live: &Live| live.names.iter().any(|(_, version)| *version == session.version);
        let is_named = self.lists.live.get(&session.id).is_some_and(named);
        let same = known.is_some_and(|known| *known == tag(session.id, session.version));
        if same && is_named && changes.is_empty() {
            return Some((changes, ListAnswer::Same));
        }
        let file = self.file_of(&session);
        Some((changes, ListAnswer::File(Box::new(file))))
    }

    /// What is left, for a phone that has no journal of its own: all attempts count, and from now on the file counts them, too.
    pub(super) fn list_left(
        &mut self,
        now: Now,
        request: &FileRequest,
        known: Option<&str>,
    ) -> Option<(Vec<ListChange>, ListAnswer)> {
        let mut session = self.session_for(now, request)?;
        if session.run == 0 || session.over.is_some() {
            return Some((Vec::new(), ListAnswer::Missing));
        }
        if known.is_some_and(|known| !known.is_empty() && *known == *session.left) {
            return Some((Vec::new(), ListAnswer::Same));
        }
        session.run = 0;
        session.left = Box::default();
        // Attempts come into it even where no row leaves.
        session.version += 1;
        let (session, _) = self.refreshed(now, session);
        let file = self.file_of(&session);
        Some((vec![ListChange::Session(Box::new(session))], ListAnswer::File(Box::new(file))))
    }

    /// The phone was given this version, and calls it so.
    pub(super) fn list_given(&mut self, session: u32, version: u32, name: &str) {
        let Some(live) = self.lists.live.get_mut(&session) else { return };
        if !live.names.iter().any(|known| known.1 == version) {
            if live.names.len() >= NAMES {
                live.names.pop_front();
            }
            live.names.push_back((name.into(), version));
        }
    }

    /// The phone works with the file of this name: what left before is nobody's any more.
    pub(super) fn acknowledged(&self, session: &mut Session, name: &str) -> bool {
        let names = self.lists.live.get(&session.id).map(|live| &live.names);
        let Some(version) = names.and_then(|names| names.iter().rfind(|(known, _)| **known == *name)) else {
            return false;
        };
        let before = session.dropping.len();
        session.dropping.retain(|(_, dropped)| *dropped > version.1);
        session.dropping.len() < before
    }

    pub(super) fn renewed(&mut self, now: Now, session: Session) -> (Session, Vec<ListChange>) {
        let stale = self.lists.live.get(&session.id).is_none_or(|live| live.stale);
        if !stale && session.version > 0 {
            return (session, Vec::new());
        }
        let (session, changed) = self.refreshed(now, session);
        let change = changed.then(|| ListChange::Session(Box::new(session.clone())));
        (session, change.into_iter().collect())
    }

    /// Looks at all rows of the agent.
    fn refreshed(&mut self, now: Now, mut session: Session) -> (Session, bool) {
        let mut served: Vec<RowName> = Vec::new();
        let (mut blocked, mut count) = (false, 0);
        let lists = &self.lists;
        for list in &lists.lists {
            let Some(place) = list.agent_place(&session.agent) else { continue };
            let own = list.rows().filter(|row| list.owners.get(*row as usize) == Some(&place));
            for row in own.map(|row| (list.key, row)).filter(|row| lists.belongs(&session, *row)) {
                let free = !list.is_open(row.1)
                    || list.number(row.1).is_some_and(|number| self.may_hold(now, &session, number));
                let open = list.is_open(row.1);
                let fits = !open || count < ROWS_OF_AGENT;
                blocked |= !free || !fits;
                if free && fits {
                    count += usize::from(open);
                    served.push(row);
                }
            }
        }
        let content = content(served.iter().map(|row| (*row, self.row_now(&session, *row))));
        let changed = content != session.content || session.version == 0;
        if changed {
            session.version += 1;
            session.content = content;
            let stays: BTreeSet<Number> = served.iter().filter_map(|row| lists.number(*row)).collect();
            let left = session.served.iter().filter_map(|row| lists.number(*row));
            let gone: BTreeSet<Number> = left.filter(|number| !stays.contains(number)).collect();
            let version = session.version;
            session.dropping.retain(|(number, _)| !stays.contains(number) && !gone.contains(number));
            session.dropping.extend(gone.into_iter().map(|number| (number, version)));
            session.served = served;
        }
        if let Some(live) = self.lists.live.get_mut(&session.id) {
            // What waits for another phone is looked at again with each request.
            live.stale = blocked;
        }
        (session, changed)
    }

    /// Whether a number may stand in the file of a session: nobody else's phone can be calling it.
    fn may_hold(&self, now: Now, session: &Session, number: Number) -> bool {
        let Some(holder) = self.lists.held.get(&number).filter(|holder| **holder != session.id) else {
            return true;
        };
        let Some(holder) = self.lists.sessions.get(holder) else { return true };
        let dropping = holder.dropping.iter().any(|(dropped, _)| *dropped == number);
        if !dropping {
            return false;
        }
        if holder.desk {
            // What we call ourselves we know; two desks are kept apart by `dialing`.
            return session.desk || !self.calls_for_a_list(number);
        }
        if self.is_on_call(&holder.device) {
            return false;
        }
        let over = holder.over.is_some();
        if over && !holder.device.is_empty() {
            // One of our phones, which was told that it works for nobody, and is in no call.
            return true;
        }
        let policy = &self.config.lists;
        // A phone that works looks at its file; one that has missed two looks has been signed out.
        let looks = Duration::from_secs(u64::from(policy.assignment.refresh_s) * 2 + 1);
        let moved = over && *holder.agent == *session.agent;
        let lease = if moved { policy.lease.min(looks) } else { policy.lease };
        let seen = self.lists.live.get(&holder.id).map_or(now.mono, |live| live.seen);
        now.mono.since(seen) >= lease
    }

    fn file_of(&self, session: &Session) -> AgentFile {
        let mut parts: Vec<FilePart> = Vec::new();
        let mut last = None;
        for (key, row) in &session.served {
            let Some(list) = self.lists.by_key(*key) else { continue };
            if last != Some(*key) {
                parts.push(FilePart { sheet: list.made.sheet.clone(), rows: Vec::new() });
                last = Some(*key);
            }
            if let Some(part) = parts.last_mut() {
                part.rows.push(self.row_now(session, (*key, *row)));
            }
        }
        AgentFile { agent: session.agent.clone(), session: session.id, version: session.version, parts }
    }

    /// What the file of a session says of a row: nothing that its own phone has told.
    fn row_now(&self, session: &Session, (key, row): RowName) -> RowNow {
        let told = self.lists.by_key(key).and_then(|list| list.told.get(&row));
        let others =
            told.map_or(0, |told| told.attempts.iter().filter(|made| made.run != session.run).count());
        let not_before = told.filter(|told| told.run != session.run).and_then(|told| told.not_before);
        RowNow { row, attempts: u16::try_from(others).unwrap_or(u16::MAX), not_before }
    }
}
