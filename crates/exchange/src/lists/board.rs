//! The live board: how far a list is, and each of its agents.

use super::{CallList, Progress};
use crate::events::{Audience, Happened};
use crate::exchange::Exchange;
use clock::{Now, Wall};
use dialing::End;

/// How far a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListState {
    /// Nobody has rows of it.
    Draft,
    /// Somebody has.
    Dealt,
    /// Somebody was called.
    Worked,
    /// No row is open.
    Done,
}

impl ListState {
    /// Its name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ListState::Draft => "draft",
            ListState::Dealt => "dealt",
            ListState::Worked => "worked",
            ListState::Done => "done",
        }
    }
}

/// How far an agent is with a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentBoard {
    /// The account.
    pub account: Box<str>,
    /// Rows that are theirs.
    pub rows: usize,
    /// Those of them that are open.
    pub left: usize,
    /// Rows that ended, by how, as in [`End::ALL`].
    pub ended: [usize; End::ALL.len()],
    /// Calls that they made.
    pub attempts: usize,
    /// Seconds that they talked.
    pub talked: u64,
    /// When their last call began or ended.
    pub last: Option<Wall>,
    /// Whether a phone has a link to their rows, and which, if it is one of ours.
    pub works_at: Option<Box<str>>,
}

/// A list among the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRow {
    /// Its name.
    pub name: Box<str>,
    /// Who made it.
    pub by: Box<str>,
    /// When.
    pub at: Wall,
    /// How far it is.
    pub state: ListState,
    /// Its rows that will be, or were, called.
    pub rows: usize,
    /// Rows of its file that were skipped.
    pub skipped: u32,
    /// The first of them: line and reason.
    pub refusals: std::sync::Arc<[(u32, Box<str>)]>,
    /// Rows that are nobody's.
    pub undealt: usize,
    /// Rows that are open.
    pub left: usize,
    /// Rows that ended, by how, as in [`End::ALL`].
    pub ended: [usize; End::ALL.len()],
    /// Calls that were made.
    pub attempts: usize,
    /// Each of its agents who has rows, or had.
    pub agents: Vec<AgentBoard>,
}

impl Exchange {
    pub(super) fn list_row(&self, list: &CallList) -> ListRow {
        let named = |agent: &str| AgentBoard {
            account: agent.into(),
            works_at: self.lists.current(agent).map(|session| session.device.clone()),
            ..AgentBoard::default()
        };
        let mut agents: Vec<AgentBoard> = list.agents.iter().map(|agent| named(agent)).collect();
        let mut undealt = 0;
        for owner in list.owners.iter() {
            match owner.checked_sub(1).and_then(|place| agents.get_mut(usize::from(place))) {
                Some(board) => board.rows += 1,
                None => undealt += 1,
            }
        }
        agents.iter_mut().for_each(|board| board.left = board.rows);
        let mut ended = [0; End::ALL.len()];
        let mut attempts = 0;
        for (row, told) in &list.told {
            attempts += told.attempts.len();
            count(&mut agents, told);
            let Some((_, end)) = told.end else { continue };
            let place = End::ALL.iter().position(|known| *known == end).unwrap_or_default();
            ended[place] += 1;
            let owner = list.owners.get(*row as usize).and_then(|owner| owner.checked_sub(1));
            match owner.and_then(|place| agents.get_mut(usize::from(place))) {
                Some(board) => {
                    board.left -= 1;
                    board.ended[place] += 1;
                }
                None => undealt -= 1,
            }
        }
        let rows = list.made.sheet.0.len();
        let left = rows.saturating_sub(ended.iter().sum());
        let state = match (left, attempts, undealt == left) {
            (0, ..) => ListState::Done,
            (_, 1.., _) => ListState::Worked,
            (_, _, true) => ListState::Draft,
            _ => ListState::Dealt,
        };
        agents.retain(|board| board.rows > 0 || board.attempts > 0);
        let made = &list.made;
        ListRow {
            name: made.name.clone(),
            by: made.by.clone(),
            at: made.at,
            state,
            rows,
            skipped: made.skipped,
            refusals: made.refusals.clone(),
            undealt,
            left,
            ended,
            attempts,
            agents,
        }
    }

    /// Lists in which something happened are told of.
    pub(crate) fn tell_lists(&mut self, now: Now) {
        for key in std::mem::take(&mut self.lists.touched) {
            if let Some(row) = self.lists.by_key(key).map(|list| self.list_row(list)) {
                let what = Happened::ListChanged(Box::new(row));
                self.tell_if_heard(now, Audience::all(Vec::new()), what);
            }
        }
    }
}

/// The calls of a row belong to whoever made them.
fn count(agents: &mut [AgentBoard], told: &Progress) {
    for made in &told.attempts {
        let Some(board) = made.agent.checked_sub(1).and_then(|place| agents.get_mut(usize::from(place)))
        else {
            continue;
        };
        board.attempts += 1;
        board.talked += u64::from(made.talked);
        let at = made.ended.map_or(made.at, |(ended, _)| ended);
        board.last = board.last.max(Some(at));
    }
}
