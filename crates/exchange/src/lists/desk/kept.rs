//! What `dialing` writes down of a row is written down in its list by the same commit, so that both say the same after any
//! death; what agents say of rows comes between, and neither undoes the other.

use super::super::{ListChange, Made, Progress, RowName};
use crate::change::{Change, Owned};
use crate::exchange::Exchange;
use clock::{Now, Wall};
use dialing::cause::Outcome;
use dialing::{Attempt, End, Row, TaskId};

impl Exchange {
    /// What a row of `dialing` means for the list that it comes from.
    pub(crate) fn list_change_of(&mut self, row: &Row) -> Option<ListChange> {
        match row {
            Row::Result(attempt) => self.attempt_for_list(attempt),
            Row::End { task, at, end, .. } => self.end_for_list(*task, *at, *end),
            _ => None,
        }
    }

    fn attempt_for_list(&self, attempt: &Attempt) -> Option<ListChange> {
        let known = self.background.tasks.get(&attempt.id.task)?;
        let dealt = known.dealt()?;
        let (ended, finding) = attempt.finished?;
        if finding.outcome == Outcome::NotDialled {
            return None;
        }
        let (key, row) = dealt.row;
        let list = self.lists.by_key(key)?;
        let before = list.told.get(&row).map_or(&[][..], |told| &told.attempts);
        let made = Made {
            run: dealt.run,
            ordinal: before.iter().map(|made| made.ordinal).max().unwrap_or(0) + 1,
            agent: list.agent_place(&known.account).unwrap_or(0),
            at: attempt.at,
            ended: Some((ended, finding.outcome)),
            talked: 0,
        };
        Some(ListChange::Attempt { key, row, made })
    }

    fn end_for_list(&mut self, task: TaskId, at: Wall, end: End) -> Option<ListChange> {
        let known = self.background.tasks.get(&task)?;
        let dealt = *known.dealt().filter(|dealt| !dealt.withdrawn)?;
        let why: Box<str> = known.why().unwrap_or_default().into();
        let end = match end {
            // Only who wants no more calls stands on the office's list after that.
            End::Forbidden if !self.is_not_called(dealt.row) => End::Stopped,
            end => end,
        };
        self.row_stands(dealt.row, |told| {
            (told.end, told.run) = (Some((at, end)), dealt.run);
            if told.note.is_empty() {
                told.note = why;
            }
        })
    }

    pub(super) fn is_not_called(&self, row: RowName) -> bool {
        let number = self.lists.number(row);
        number.is_some_and(|number| self.background.dialing.is_not_called_by_office(number))
    }

    /// How a row stands, with this changed: over what is on its way to the store.
    pub(super) fn row_stands(
        &mut self,
        (key, row): RowName,
        change: impl FnOnce(&mut Progress),
    ) -> Option<ListChange> {
        let list = self.lists.by_key(key)?;
        let known = self.lists.desks.coming.get(&(key, row)).or_else(|| list.told.get(&row));
        let mut told = Progress { attempts: Vec::new(), ..known.cloned().unwrap_or_default() };
        change(&mut told);
        self.lists.desks.coming.insert((key, row), told.clone());
        Some(ListChange::Row { key, row, told })
    }

    /// A commit of `dialing` is written: what it says of lists is in force.
    pub(crate) fn rows_kept(&mut self, now: Now, changes: &[Owned]) {
        for owned in changes {
            if let Change::List(change) = &owned.change {
                self.apply_list(now, change);
            }
        }
        self.tell_lists(now);
    }

    /// A change of lists is in force: desks that it is about look.
    pub(in crate::lists) fn desks_see(&mut self, change: &ListChange) {
        match change {
            ListChange::Row { key, row, told } => {
                let coming = &mut self.lists.desks.coming;
                if coming.get(&(*key, *row)) == Some(told) {
                    coming.remove(&(*key, *row));
                }
                // One that is open again is given once more.
                self.row_is_news(*key, *row, told.end.is_none());
            }
            ListChange::Attempt { key, row, .. } => self.row_is_news(*key, *row, false),
            ListChange::Session(session) => {
                if session.desk && session.over.is_none() {
                    self.lists.desks.desk(&session.agent);
                }
                self.lists.desks.stir(&session.agent);
            }
            ListChange::Dealt { agents, .. } => {
                // Who has rows now may begin.
                self.lists.desks.touched.extend(agents.iter().cloned());
                agents.iter().for_each(|account| self.lists.desks.stir(account));
            }
            ListChange::Gone(_) | ListChange::SessionGone(_) => {
                let all: Vec<Box<str>> = self.lists.desks.by_agent.keys().cloned().collect();
                all.iter().for_each(|account| self.lists.desks.stir(account));
            }
            ListChange::Made(_) | ListChange::Run { .. } => {}
        }
    }

    fn row_is_news(&mut self, key: u32, row: u32, opens: bool) {
        let owner = self.lists.by_key(key).and_then(|list| list.owner(row)).map(Box::<str>::from);
        let Some(owner) = owner else { return };
        if let Some(desk) = self.lists.desks.by_agent.get_mut(&owner).filter(|_| opens) {
            desk.next = 0;
        }
        self.lists.desks.stir(&owner);
    }

    /// A row can never be called: it ends, and says why.
    pub(super) fn refuse_at_desk(
        &mut self,
        now: Now,
        account: &str,
        row: RowName,
        end: End,
        why: &str,
    ) -> Vec<ListChange> {
        let run = self.lists.desk_session(account).map_or(0, |session| session.run);
        let change = self.lists.row_is_open(row).then(|| {
            self.row_stands(row, |told| {
                (told.end, told.run) = (Some((now.wall, end)), run);
                told.note = why.into();
            })
        });
        change.flatten().into_iter().collect()
    }

    /// How long the last talk of a row was.
    pub(super) fn talked_at_desk(
        &self,
        now: Now,
        (key, row): RowName,
        run: u32,
        seconds: u32,
    ) -> Vec<ListChange> {
        let told = self.lists.by_key(key).and_then(|list| list.told.get(&row));
        let last = told.and_then(|told| {
            let answered = |made: &&Made| matches!(made.ended, Some((_, Outcome::Answered)));
            told.attempts.iter().rev().filter(|made| made.run == run).find(answered)
        });
        let made =
            last.map(|made| Made { ended: Some((now.wall, Outcome::Answered)), talked: seconds, ..*made });
        made.map(|made| ListChange::Attempt { key, row, made }).into_iter().collect()
    }
}
