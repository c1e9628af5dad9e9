//! What is to be written down: one commit on its way, the next gathers (R21).

use super::inputs::{Commit, Row};
use crate::limits;
use clock::Mono;
use std::collections::VecDeque;
use std::sync::Arc;

#[derive(Debug, Default)]
pub(crate) struct Journal {
    gathered: VecDeque<Row>,
    on_its_way: Option<(u64, Arc<[Row]>)>,
    sequence: u64,
    retry: Option<Mono>,
}

impl Journal {
    pub(crate) fn push(&mut self, row: Row) {
        self.gathered.push_back(row);
    }

    /// Whether the store takes what is given to it, as far as we know.
    pub(crate) fn is_well(&self) -> bool {
        self.retry.is_none()
    }

    /// Whether something new may be promised. What is in flight can be written down beyond.
    pub(crate) fn has_room(&self) -> bool {
        self.gathered.len() < limits::BACKLOG_ROWS / 2
    }

    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.retry
    }

    /// The commit to make now, if one is due.
    pub(crate) fn next(&mut self, now: Mono, epoch: u64) -> Option<Commit> {
        if let Some((sequence, rows)) = &self.on_its_way {
            self.retry.take_if(|when| *when <= now)?;
            return Some(Commit { sequence: *sequence, epoch, rows: rows.clone() });
        }
        if self.gathered.is_empty() {
            return None;
        }
        let count = self.gathered.len().min(limits::COMMIT_ROWS);
        let rows: Arc<[Row]> = self.gathered.drain(..count).collect();
        self.sequence += 1;
        self.on_its_way = Some((self.sequence, rows.clone()));
        Some(Commit { sequence: self.sequence, epoch, rows })
    }

    /// The rows of the commit that is done.
    pub(crate) fn committed(&mut self, sequence: u64) -> Option<Arc<[Row]>> {
        let (_, rows) = self.on_its_way.take_if(|(known, _)| *known == sequence)?;
        self.retry = None;
        Some(rows)
    }

    /// The store is away: the same again, later. Nothing that was promised is lost.
    pub(crate) fn unavailable(&mut self, now: Mono, sequence: u64) {
        if self.on_its_way.as_ref().is_some_and(|(known, _)| *known == sequence) {
            self.retry = Some(now + limits::STORE_RETRY);
        }
    }

    /// Forgets what was to be written: somebody else's writing counts.
    pub(crate) fn drop_all(&mut self) {
        *self = Journal { sequence: self.sequence, ..Journal::default() };
    }
}
