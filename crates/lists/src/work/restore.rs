//! A start from the journal: every attempt is known, none is made twice.

use super::inputs::Settings;
use super::journal::{self, Record};
use super::told::{Told, Try};
use super::{Work, row};
use crate::list::List;
use crate::order::NoOrder;
use clock::{Now, Wall};
use dialing::cause::{Finding, Outcome};
use dialing::{Attempt, AttemptId, Number, Places, Policy, Saved, TaskId};
use std::collections::BTreeMap;
use std::fmt;

/// Why a journal is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoJournal {
    /// The line that cannot be read.
    pub line: usize,
}

/// Why the work cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRestored {
    /// Its journal is none.
    Journal(NoJournal),
    /// Its order names no column of the list.
    Order(NoOrder),
}

impl fmt::Display for NotRestored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotRestored::Journal(NoJournal { line }) => {
                write!(
                    f,
                    "line {line} of the journal cannot be read; nothing is dialled, so that nobody is called twice"
                )
            }
            NotRestored::Order(order) => order.fmt(f),
        }
    }
}

impl std::error::Error for NotRestored {}

/// What a journal says.
#[derive(Default)]
struct Past {
    told: BTreeMap<TaskId, Told>,
    first: BTreeMap<TaskId, TaskId>,
    before: Vec<(Number, Try)>,
    forbidden: Vec<Number>,
}

impl Work {
    /// Goes on with a list where its journal ends. The list may be newer than the one it was begun with: rows that are the
    /// same go on, and rows that it has no more are not called.
    ///
    /// The octets of the journal that are sound come back with it: what stands behind them was cut off by a crash, and is to be
    /// cut away before anything is appended.
    ///
    /// # Errors
    /// When a line in the middle of the journal cannot be read, or the order names no column.
    pub fn restore(
        now: Now,
        list: List,
        settings: Settings,
        policy: Policy,
        places: Places,
        text: &[u8],
    ) -> Result<(Work, usize), NotRestored> {
        let (lines, sound) = journal::lines(text).map_err(|line| NotRestored::Journal(NoJournal { line }))?;
        let mut past = Past::default();
        for record in lines.into_iter().flat_map(|line| line.records) {
            past.learn(record);
        }
        let rows = rows_of(&list, &settings, &places, &past);
        for (task, told) in &mut past.told {
            told.row = rows.get(task).copied();
        }
        let saved = saved(&list, &settings, &places, &past);
        let mut work = Work::with(now, list, settings, policy, places, saved).map_err(NotRestored::Order)?;
        (work.told, work.first, work.rows) = (past.told, past.first, rows);
        work.write_head();
        Ok((work, sound))
    }
}

impl Past {
    fn learn(&mut self, record: Record) {
        match record {
            Record::List { .. } | Record::Audit { .. } => {}
            Record::Before(made) => self.before.extend(made.read()),
            Record::Claim(made) => {
                if let Some((number, made)) = made.read() {
                    self.told_of(made.id.task, number).attempts.push(made);
                }
            }
            Record::Result(made) => {
                let Some((number, made)) = made.read() else { return };
                let told = self.told_of(made.id.task, number);
                match told.attempts.iter_mut().rfind(|known| known.id == made.id) {
                    Some(known) => *known = made,
                    None => told.attempts.push(made),
                }
            }
            Record::Answered { task, attempt, at } => {
                let answered = (Wall(at), Finding::sure(Outcome::Answered));
                let Some(id) = journal::task(&task).map(|task| AttemptId { task, ordinal: attempt }) else {
                    return;
                };
                let made =
                    self.known(&task).and_then(|told| told.attempts.iter_mut().rfind(|made| made.id == id));
                if let Some(made) = made {
                    // Its result, if it was written, follows and says the same with its time.
                    made.finished.get_or_insert(answered);
                }
            }
            Record::End { task, at, end } => {
                if let (Some(told), Some(end)) = (self.known(&task), journal::end(&end)) {
                    told.end = Some((Wall(at), end));
                }
            }
            Record::Changed { task, not_before } => {
                if let Some(told) = self.known(&task) {
                    told.not_before = not_before.map(Wall);
                }
            }
            Record::Again { task, of, not_before } => {
                let (Some(task), Some(of)) = (journal::task(&task), journal::task(&of)) else { return };
                self.first.insert(task, of);
                if let Some(told) = self.told.get_mut(&of) {
                    (told.task, told.end, told.not_before) = (task, None, Some(Wall(not_before)));
                }
            }
            Record::Mark { task, result, note } => {
                if let Some(told) = self.known(&task) {
                    (told.result, told.note) = (result.into(), note.into());
                }
            }
            Record::Forbidden { number } => self.forbidden.extend(Number::parse(&number)),
            Record::ClockSet(step) => self.clock_set(step),
        }
    }

    /// What was written before with times of this clock was that much off (R18).
    fn clock_set(&mut self, step: i64) {
        let moved = |at: &mut Wall| at.0 = at.0.saturating_add(step);
        let told = self.told.values_mut().flat_map(|told| told.attempts.iter_mut());
        for made in told.chain(self.before.iter_mut().map(|(_, made)| made)) {
            moved(&mut made.at);
            if let Some((ended, _)) = &mut made.finished {
                moved(ended);
            }
        }
    }

    fn attempts(&self) -> Vec<Attempt> {
        let told = self.told.values().flat_map(|told| told.attempts.iter().map(|made| (told.number, made)));
        let all = told.chain(self.before.iter().map(|(number, made)| (*number, made)));
        all.map(|(number, made)| Attempt { id: made.id, number, at: made.at, finished: made.finished })
            .collect()
    }

    fn first_of(&self, task: TaskId) -> TaskId {
        self.first.get(&task).copied().unwrap_or(task)
    }

    fn told_of(&mut self, task: TaskId, number: Number) -> &mut Told {
        let first = self.first_of(task);
        self.told.entry(first).or_insert_with(|| Told::new(first, number))
    }

    fn known(&mut self, task: &str) -> Option<&mut Told> {
        let first = self.first_of(journal::task(task)?);
        // A row that a rule ended before it was ever called has only its end; it is asked anew, and ends anew.
        self.told.get_mut(&first)
    }
}

/// The attempts in a journal, for the budgets of their numbers in another run; what cannot be read is left out.
#[must_use]
pub fn attempts_of(text: &[u8]) -> Vec<Attempt> {
    let mut past = Past::default();
    let lines = journal::lines(text).map(|(lines, _)| lines).unwrap_or_default();
    for record in lines.into_iter().flat_map(|line| line.records) {
        past.learn(record);
    }
    past.attempts()
}

/// The rows of all tasks that the journal knows; looks no further than it must.
fn rows_of(list: &List, settings: &Settings, places: &Places, past: &Past) -> BTreeMap<TaskId, u32> {
    let mut rows = BTreeMap::new();
    for (index, entry) in list.iter().enumerate() {
        if rows.len() == past.told.len() {
            break;
        }
        let Ok(task) = row::task_of(&entry, 0, settings, places) else { continue };
        if let (true, Ok(index)) = (past.told.contains_key(&task.id), u32::try_from(index)) {
            rows.entry(task.id).or_insert(index);
        }
    }
    rows
}

fn saved(list: &List, settings: &Settings, places: &Places, past: &Past) -> Saved {
    let mut saved = Saved { attempts: past.attempts(), ..Saved::default() };
    let ranks = settings.order.of(list).ok().flatten().map(|order| inverse(&order));
    let rank_of =
        |row: u32| ranks.as_ref().map_or(row, |ranks| ranks.get(row as usize).copied().unwrap_or(row));
    for told in past.told.values() {
        let (Some(row), None) = (told.row, told.end) else { continue };
        let task = list.entry(row as usize).map(|entry| row::task_of(&entry, rank_of(row), settings, places));
        let Some(Ok(mut task)) = task else { continue };
        if task.id != told.task {
            (task.id, task.asked, task.until, task.slot) = (told.task, true, None, None);
        }
        task.not_before = told.not_before.or(task.not_before);
        saved.tasks.push(task);
    }
    saved.forbidden.extend(past.forbidden.iter().map(|number| (*number, None)));
    saved
}

/// The rank of each row.
fn inverse(order: &[u32]) -> Vec<u32> {
    let mut ranks = vec![0; order.len()];
    for (rank, row) in (0..).zip(order) {
        if let Some(of_row) = ranks.get_mut(*row as usize) {
            *of_row = rank;
        }
    }
    ranks
}
