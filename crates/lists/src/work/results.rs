//! Results out (S3.18), and what is left for whoever goes on (S3.19, S3.20). Both are whole files: written again they say the
//! same, so an upload that came twice changes nothing.

use super::Work;
use super::inputs::Subject;
use super::told::{Told, Try};
use crate::columns::Column;
use crate::list::Entry;
use crate::results::{Callee, Made, Shape, time, write};
use dialing::TaskId;
use serde_json::{Map, Value};
use std::io::{self, Write};

impl Work {
    /// Writes what is known of all rows that were begun, and of those that were refused.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn results(&self, out: &mut impl Write, shape: Shape) -> io::Result<()> {
        let mut all: Vec<(&TaskId, &Told)> = self.told.iter().collect();
        all.sort_unstable_by_key(|(task, told)| (told.row.unwrap_or(u32::MAX), **task));
        let callees = all.into_iter().map(|(task, told)| self.callee(*task, told));
        let refusals = self.list().refusals().iter().chain(self.refusals());
        let Subject { agent, list, .. } = &self.settings.subject;
        write(out, shape, callees, refusals.map(|refusal| (&**agent, &**list, refusal)))
    }

    fn callee<'a>(&'a self, task: TaskId, told: &'a Told) -> Callee<'a> {
        let entry = told.row.and_then(|row| self.list.entry(row as usize));
        let made = |attempt: &Try| Made {
            agent: &self.settings.subject.agent,
            ordinal: self.ordinal(told, attempt),
            at: attempt.at,
            ended: attempt.finished.map(|(ended, finding)| (ended, finding.outcome)),
            talked: attempt.talked,
        };
        Callee {
            task,
            list: &self.settings.subject.list,
            agent: &self.settings.subject.agent,
            line: entry.map(|entry| entry.line()),
            id: entry.map_or("", |entry| entry.get(Column::Id)),
            entry,
            number: told.number,
            attempts: told.attempts.iter().map(made).collect(),
            state: match (told.end, told.row) {
                (Some((_, end)), _) => end.name(),
                (None, Some(_)) => "open",
                (None, None) => "withdrawn",
            },
            ended: told.end.is_some(),
            result: &told.result,
            note: &told.note,
            not_before: told.not_before,
        }
    }

    /// Attempts count on when a row came back.
    fn ordinal(&self, told: &Told, attempt: &Try) -> usize {
        let before = told.attempts.iter().take_while(|made| made.id != attempt.id);
        before.filter(|made| made.id.task != attempt.id.task).count() + usize::from(attempt.id.ordinal)
    }

    /// Writes the rows that are open, as a list in JSON Lines that any phone can go on with; tells how many. Attempts travel
    /// along, so that no budget begins anew.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn left(&self, out: &mut impl Write) -> io::Result<usize> {
        let mut count = 0;
        for rank in 0..self.list.len() {
            let index =
                self.order.as_ref().map_or(rank, |order| order.get(rank).map_or(rank, |row| *row as usize));
            let Some(entry) = self.list.entry(index) else { continue };
            let Some(told) = self.is_open(&entry, index, rank) else { continue };
            let mut object: Map<String, Value> = entry
                .fields()
                .filter(|(_, meaning, field)| {
                    !field.is_empty() && !matches!(meaning, Column::Attempts | Column::NotBefore)
                })
                .map(|(header, _, field)| (header.to_owned(), Value::from(field)))
                .collect();
            let before: u32 = entry.get(Column::Attempts).parse().unwrap_or(0);
            let made = told.map_or(0, |told| told.attempts.len());
            let not_before = told.and_then(|told| told.not_before).map(time);
            let not_before = not_before.unwrap_or_else(|| entry.get(Column::NotBefore).to_owned());
            let header = |column: Column| {
                let place = self.list.columns().place(column);
                place
                    .and_then(|place| self.list.columns().iter().nth(place))
                    .map_or(column.name(), |(name, _)| name)
            };
            object.insert(header(Column::Attempts).to_owned(), Value::from(before as usize + made));
            if !not_before.is_empty() {
                object.insert(header(Column::NotBefore).to_owned(), Value::from(not_before));
            }
            serde_json::to_writer(&mut *out, &object)?;
            out.write_all(b"\n")?;
            count += 1;
        }
        Ok(count)
    }

    /// What is known of a row that is open; nothing for one that ended or was refused.
    #[expect(clippy::option_option, reason = "open, and what is known of it, if anything")]
    fn is_open(&self, entry: &Entry<'_>, index: usize, rank: usize) -> Option<Option<&Told>> {
        let number = self.settings.numbering.number(entry.get(Column::Number));
        let task = number.ok().map(|number| entry.task(number));
        let known = task.and_then(|task| self.rows.get(&task).map(|row| (*row as usize, task)));
        match known {
            Some((row, task)) if row == index => {
                let told = self.told.get(&task);
                told.is_none_or(|told| told.end.is_none()).then_some(told)
            }
            // Looked at and not known: it was refused. Not looked at yet: it is as it came.
            _ => (rank >= self.next && known.is_none()).then_some(None),
        }
    }
}
