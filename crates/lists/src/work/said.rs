//! What the agent says of rows: later, never, what came of it.

use super::inputs::Output;
use super::journal::{self, Record};
use super::told::Told;
use super::{Work, row};
use crate::limits;
use clock::{Now, Wall};
use dialing::{End, Input as Dialled, Rule, TaskId};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

impl Work {
    /// The task that stands for a row now.
    pub(super) fn task_now(&self, task: TaskId) -> TaskId {
        self.told(task).map_or(task, |told| told.task)
    }

    pub(super) fn later(&mut self, now: Now, task: TaskId, at: Wall) {
        let task = self.task_now(task);
        if self.dialing.number_of(task).is_none() {
            self.again(now, task, at);
            return;
        }
        let row = self.row(task).and_then(|row| self.list.entry(row as usize));
        let same = row.and_then(|entry| row::task_of(&entry, 0, &self.settings, self.dialing.places()).ok());
        let (until, priority) = same.map_or((None, 0), |same| (same.until, same.priority));
        self.dialing.handle(now, Dialled::Change { task, not_before: Some(at), until, priority });
    }

    /// A callee who was reached, or whose row was given up, is called once more: a task of its own, because the first has
    /// ended.
    fn again(&mut self, now: Now, task: TaskId, at: Wall) {
        let first = self.first_of(task);
        let may = |end: End| !matches!(end, End::Declined | End::Forbidden);
        let ended = self.told.get(&first).and_then(|told| told.end).is_some_and(|(_, end)| may(end));
        let Some(mut task) = self.row(first).filter(|_| ended).and_then(|row| self.task_again(first, row))
        else {
            self.outputs.push_back(Output::Refused(task, Rule::Stopped));
            return;
        };
        task.not_before = Some(at);
        let id = task.id;
        self.dialing.handle(now, Dialled::Add(Box::new(task)));
        if let Some(rule) = self.follow_adding(now, id) {
            self.outputs.push_back(Output::Refused(id, rule));
            return;
        }
        self.came_back(first, id, at);
        self.own.records.push(Record::Again {
            task: journal::name(id),
            of: journal::name(first),
            not_before: at.0,
        });
        self.own.changed.push(id);
    }

    /// The next task of a row: its name follows from the last.
    fn task_again(&self, first: TaskId, index: u32) -> Option<dialing::Task> {
        let entry = self.list.entry(index as usize)?;
        let mut task = row::task_of(&entry, 0, &self.settings, self.dialing.places()).ok()?;
        let mut hasher = SipHasher13::new_with_keys(0, 1);
        hasher.write_u64(self.told.get(&first)?.task.0);
        task.id = TaskId(hasher.finish());
        // A person asks for it now.
        (task.asked, task.until, task.slot) = (true, None, None);
        Some(task)
    }

    fn came_back(&mut self, first: TaskId, id: TaskId, at: Wall) {
        self.first.insert(id, first);
        if let Some(told) = self.told.get_mut(&first) {
            (told.task, told.end, told.not_before) = (id, None, Some(at));
        }
    }

    pub(super) fn forbid(&mut self, now: Now, task: TaskId) {
        if let Some(number) = self.number_of(task) {
            self.dialing.handle(now, Dialled::Forbid { number, owner: None });
        }
    }

    pub(super) fn mark(&mut self, task: TaskId, result: &str, note: &str) {
        let first = self.first_of(task);
        let Some(number) = self.number_of(first) else {
            self.outputs.push_back(Output::Refused(task, Rule::Stopped));
            return;
        };
        let cut = |text: &str, most: usize| -> Box<str> { text[..text.floor_char_boundary(most)].into() };
        let told = self.told_of(first, number);
        (told.result, told.note) = (cut(result, limits::RESULT), cut(note, limits::NOTE));
        let record = Record::Mark {
            task: journal::name(first),
            result: told.result.to_string(),
            note: told.note.to_string(),
        };
        self.own.records.push(record);
        self.own.changed.push(task);
    }

    pub(super) fn told_of(&mut self, task: TaskId, number: dialing::Number) -> &mut Told {
        let first = self.first_of(task);
        let row = self.rows.get(&first).copied();
        let told = self.told.entry(first).or_insert_with(|| Told::new(first, number));
        told.row = row;
        told
    }

    pub(super) fn number_of(&self, task: TaskId) -> Option<dialing::Number> {
        let known = self.told(task).map(|told| told.number).or_else(|| self.dialing.number_of(task));
        let of_row = || {
            let entry = self.entry(task)?;
            self.settings.numbering.number(entry.get(crate::Column::Number)).ok()
        };
        known.or_else(of_row)
    }
}
