//! What an agent says of a row: not now, later, never, what came of it.

use super::super::{ListChange, RowName};
use super::owner_of;
use crate::background::Phase;
use crate::exchange::Exchange;
use crate::people::Refusal;
use calls::Cause;
use clock::{Now, Wall};
use dialing::{End, Input, TaskId};
use jiff::{Timestamp, ToSpan as _};
use std::collections::BTreeSet;

/// Octets of a result, and of a note.
const RESULT: usize = 64;
const NOTE: usize = 1_024;
/// A row that was skipped waits so long at least.
const SKIPPED: u32 = 60;
/// A row waits no longer than this by its agent's wish.
const LATEST: i64 = 366 * 24 * 3_600_000;

/// Something about a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskSaid {
    /// Not now: what rings is given up, and the row comes again after the interval. Without a call, the one that is next.
    Skip,
    /// Then (S3.13); who was reached is called once more.
    Later(DeskWhen),
    /// This one next.
    Choose,
    /// No more.
    GiveUp,
    /// The callee wants no more calls, from anybody here.
    Forbid,
    /// What came of it.
    Mark {
        /// By one key, or in words.
        result: Box<str>,
        /// A note; what was noted before stays if it is left out.
        note: Option<Box<str>>,
    },
}

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeskWhen {
    /// In so many minutes.
    Minutes(u32),
    /// At nine, by the office's clock.
    Tomorrow,
    /// Then.
    At(Wall),
}

impl Exchange {
    pub(super) fn say_at_desk(
        &mut self,
        now: Now,
        account: &str,
        row: Option<(Box<str>, u32)>,
        said: DeskSaid,
    ) -> Result<Vec<ListChange>, Refusal> {
        if self.lists.desk_session(account).is_none() && !self.lists.desks.by_agent.contains_key(account) {
            let words = format!("the exchange does not work through a list for {account}");
            return Err(Refusal::Rule { rule: "lists.no-desk", words: words.into() });
        }
        let row = self.row_meant(account, row, &said)?;
        self.lists.desks.stir(account);
        match said {
            DeskSaid::Skip => {
                let interval = self.config.lists.assignment.interval_s.max(SKIPPED);
                let at = Wall(now.wall.0.saturating_add(i64::from(interval) * 1_000));
                if self.is_talking_about(account, row) {
                    let words = "they talk; hang up, or say when to call again".into();
                    return Err(Refusal::Rule { rule: "lists.talking", words });
                }
                let changes = self.put_off(now, account, row, at)?;
                self.give_up_ringing(now, account, row);
                Ok(changes)
            }
            DeskSaid::Later(when) => {
                let at = self.time_at_desk(now, when)?;
                let changes = self.put_off(now, account, row, at)?;
                self.give_up_ringing(now, account, row);
                Ok(changes)
            }
            DeskSaid::Choose => {
                let task = self.task_at_desk(account, row);
                let Some(task) = task else {
                    return Err(Refusal::Nonsense("this row is not among the next".into()));
                };
                self.background.dialing.handle(now, Input::Choose(task));
                Ok(Vec::new())
            }
            DeskSaid::GiveUp => Ok(self.give_row_up(now, account, row)),
            DeskSaid::Forbid => Ok(self.forbid_row(now, account, row)),
            DeskSaid::Mark { result, note } => Ok(self.mark(row, &result, note.as_deref())),
        }
    }

    /// The row that is meant: named, else that of the call that is up or was the last.
    fn row_meant(
        &self,
        account: &str,
        row: Option<(Box<str>, u32)>,
        said: &DeskSaid,
    ) -> Result<RowName, Refusal> {
        if let Some((list, line)) = row {
            let list = self.list_named(&list)?;
            let rows = list.made.sheet.0.rows_of(&BTreeSet::from([line]));
            let own = rows.into_iter().find(|row| list.owner(*row) == Some(account));
            return own
                .map(|row| (list.key, row))
                .ok_or_else(|| Refusal::Unknown("row", line.to_string().into()));
        }
        let hand = self.lists.desks.by_agent.get(account).and_then(|desk| desk.hand.as_ref());
        if matches!(said, DeskSaid::Skip) && hand.is_none_or(|hand| hand.call.is_none()) {
            let next = self.next_at_desk(account).map(|(row, _)| row);
            return next.ok_or_else(|| Refusal::Nonsense("no row is due".into()));
        }
        let row = hand.map(|hand| hand.row);
        row.ok_or_else(|| Refusal::Nonsense("no call was made yet; name a row".into()))
    }

    /// The row that is called next, and its task.
    pub(super) fn next_at_desk(&self, account: &str) -> Option<(RowName, TaskId)> {
        let owner = self.background.owners.known(&owner_of(account))?;
        let next = self.background.dialing.upcoming(owner).next()?;
        Some((self.background.tasks.get(&next)?.dealt()?.row, next))
    }

    /// The task of a row, while that goes on.
    fn task_at_desk(&self, account: &str, row: RowName) -> Option<TaskId> {
        let task = *self.lists.desks.by_agent.get(account)?.fed.get(&row)?;
        self.background.dialing.number_of(task).map(|_| task)
    }

    fn is_talking_about(&self, account: &str, row: RowName) -> bool {
        let hand = self.lists.desks.by_agent.get(account).and_then(|desk| desk.hand.as_ref());
        hand.is_some_and(|hand| hand.row == row && hand.call.is_some() && hand.answered.is_some())
    }

    /// Not before then; a row that has ended is open again, unless its callee does not want that.
    fn put_off(
        &mut self,
        now: Now,
        account: &str,
        row: RowName,
        at: Wall,
    ) -> Result<Vec<ListChange>, Refusal> {
        let end = self.end_of(row);
        if matches!(end, Some(End::Declined | End::Forbidden)) {
            let words = "they want no more calls".into();
            return Err(Refusal::Rule { rule: "lists.ended", words });
        }
        if let Some(task) = self.task_at_desk(account, row)
            && let Some(known) = self.background.tasks.get_mut(&task)
        {
            known.not_before = Some(at);
            let (until, priority) = (known.until, known.priority);
            let change = Input::Change { task, not_before: Some(at), until, priority };
            self.background.dialing.handle(now, change);
        } else {
            // It becomes a task again, from where its rows were given first.
            let desk = self.lists.desks.desk(account);
            desk.fed.remove(&row);
            desk.next = 0;
        }
        let change = self.row_stands(row, |told| (told.end, told.not_before) = (None, Some(at)));
        Ok(change.into_iter().collect())
    }

    /// How a row ended, or will have when the store has it.
    fn end_of(&self, (key, row): RowName) -> Option<End> {
        let told = self.lists.desks.coming.get(&(key, row));
        let told = told.or_else(|| self.lists.by_key(key)?.told.get(&row));
        told?.end.map(|(_, end)| end)
    }

    /// Whoever rings for a row rings no more; a talk goes on.
    fn give_up_ringing(&mut self, now: Now, account: &str, row: RowName) {
        let hand = self.lists.desks.by_agent.get(account).and_then(|desk| desk.hand.as_ref());
        let Some(call) = hand.filter(|hand| hand.row == row).and_then(|hand| hand.call) else { return };
        match self.background.trying.get(&call).map(|trying| trying.phase) {
            Some(Phase::First) => self.give_row_back(now, call, account),
            Some(Phase::Second) => self.switch.hang_up(now, call, Cause::Cancelled),
            Some(Phase::Over) | None => {}
        }
    }

    fn give_row_up(&mut self, now: Now, account: &str, row: RowName) -> Vec<ListChange> {
        if let Some(task) = self.task_at_desk(account, row) {
            // Its end is written with its task.
            self.background.dialing.handle(now, Input::Stop(task));
            return Vec::new();
        }
        if self.end_of(row).is_some() {
            return Vec::new();
        }
        self.row_stands(row, |told| told.end = Some((now.wall, End::Stopped))).into_iter().collect()
    }

    fn forbid_row(&mut self, now: Now, account: &str, row: RowName) -> Vec<ListChange> {
        let Some(number) = self.lists.number(row) else { return Vec::new() };
        let task = self.task_at_desk(account, row);
        self.background.dialing.handle(now, Input::Forbid { number, owner: None });
        self.give_up_ringing(now, account, row);
        let mut changes = self.forbidden_rows(now.wall, &BTreeSet::from([number]), |other| other == row);
        if task.is_none() && self.end_of(row).is_none() {
            changes.extend(self.row_stands(row, |told| told.end = Some((now.wall, End::Forbidden))));
        }
        changes
    }

    fn mark(&mut self, row: RowName, result: &str, note: Option<&str>) -> Vec<ListChange> {
        let mut letters = result.chars();
        let key = letters.next().filter(|_| letters.next().is_none());
        let named = key.and_then(|key| self.config.lists.assignment.keys.get(&key));
        let result = named.map_or(result, String::as_str);
        let cut = |text: &str, most: usize| -> Box<str> { text[..text.floor_char_boundary(most)].into() };
        let (result, note) = (cut(result, RESULT), note.map(|note| cut(note, NOTE)));
        let change = self.row_stands(row, |told| {
            told.result = result;
            if let Some(note) = note {
                told.note = note;
            }
        });
        change.into_iter().collect()
    }

    fn time_at_desk(&self, now: Now, when: DeskWhen) -> Result<Wall, Refusal> {
        let at = match when {
            DeskWhen::Minutes(minutes) => Wall(now.wall.0.saturating_add(i64::from(minutes) * 60_000)),
            DeskWhen::At(at) => at,
            DeskWhen::Tomorrow => {
                let bad = |_: jiff::Error| Refusal::Nonsense("there is no tomorrow by this clock".into());
                let today = Timestamp::from_millisecond(now.wall.0).map_err(bad)?;
                let zone = self.config.seats.zone.clone();
                let day = today.to_zoned(zone.clone()).date().checked_add(1.day()).map_err(bad)?;
                let nine = day.at(9, 0, 0, 0).to_zoned(zone).map_err(bad)?;
                Wall(nine.timestamp().as_millisecond())
            }
        };
        if at.0.saturating_sub(now.wall.0) > LATEST {
            return Err(Refusal::Nonsense("more than a year from now".into()));
        }
        Ok(at)
    }
}
