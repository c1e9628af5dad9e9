//! Results out (S3.18), and what is left for whoever goes on (S3.19, S3.20). Both are whole files: written again they say the
//! same, so an upload that came twice changes nothing.

use super::told::{Told, Try};
use super::{Work, journal};
use crate::columns::Column;
use crate::list::Entry;
use crate::spreadsheet::is_formula;
use clock::Wall;
use dialing::TaskId;
use dialing::cause::Outcome;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::io::{self, Write};

/// The shape of a file of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A row for each attempt, safe to be opened in a spreadsheet.
    Csv,
    /// The same, one object a line.
    JsonLines,
    /// A row for each callee, in the columns of Cisco's Unified Contact Center Express.
    Uccx,
}

/// The columns of [`Shape::Csv`]; `task` and `attempt` name a row for ever. Attempt 0 is a row that was never called.
pub(super) const COLUMNS: [&str; 17] = [
    "task", "attempt", "agent", "list", "line", "id", "number", "name", "service", "at", "ended", "outcome",
    "talked", "end", "result", "note", "next",
];

const UCCX: [&str; 13] = [
    "Account Number",
    "First Name",
    "Last Name",
    "Phone 1",
    "Dial Time",
    "Call Result",
    "Callback Number",
    "Call Status",
    "Call Result 01",
    "Call Result 02",
    "Call Result 03",
    "Last Number Dialed",
    "Calls Made To Phone 01",
];

type Cells<'a> = Vec<Cow<'a, str>>;

impl Work {
    /// Writes what is known of all rows that were begun, and of those that were refused.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn results(&self, out: &mut impl Write, shape: Shape) -> io::Result<()> {
        let mut all: Vec<(&TaskId, &Told)> = self.told.iter().collect();
        all.sort_unstable_by_key(|(task, told)| (told.row.unwrap_or(u32::MAX), **task));
        match shape {
            Shape::JsonLines => self.each_attempt(&all, |cells| {
                let object: Map<String, Value> = COLUMNS
                    .iter()
                    .zip(cells)
                    .map(|(name, cell)| ((*name).to_owned(), Value::from(cell.into_owned())))
                    .collect();
                serde_json::to_writer(&mut *out, &object)?;
                out.write_all(b"\n")
            }),
            Shape::Csv => {
                let mut table = csv::Writer::from_writer(out);
                table.write_record(COLUMNS)?;
                self.each_attempt(&all, |cells| Ok(table.write_record(cells.iter().map(safe))?))?;
                table.flush()
            }
            Shape::Uccx => {
                let mut table = csv::Writer::from_writer(out);
                table.write_record(UCCX)?;
                for (_, told) in &all {
                    table.write_record(self.uccx(told).iter().map(safe))?;
                }
                table.flush()
            }
        }
    }

    fn each_attempt<'a>(
        &'a self,
        all: &[(&'a TaskId, &'a Told)],
        mut take: impl FnMut(Cells<'a>) -> io::Result<()>,
    ) -> io::Result<()> {
        for (task, told) in all {
            let state = self.state(told);
            if told.attempts.is_empty() {
                take(self.cells(**task, told, None, state))?;
            }
            for (index, attempt) in told.attempts.iter().enumerate() {
                let is_last = index + 1 == told.attempts.len();
                take(self.cells(**task, told, Some(attempt), if is_last { state } else { "" }))?;
            }
        }
        for refusal in self.list().refusals().iter().chain(self.refusals()) {
            let mut cells: Cells<'a> = vec![Cow::Borrowed(""); COLUMNS.len()];
            cells[1] = "0".into();
            cells[2] = Cow::Borrowed(&self.settings.subject.agent);
            cells[3] = Cow::Borrowed(&self.settings.subject.list);
            cells[4] = refusal.line.to_string().into();
            cells[13] = "refused".into();
            cells[15] = refusal.why.to_string().into();
            take(cells)?;
        }
        Ok(())
    }

    /// How a row stands: how it ended, that it is open, or that a newer list has it no more.
    fn state(&self, told: &Told) -> &'static str {
        match (told.end, told.row) {
            (Some((_, end)), _) => end.name(),
            (None, Some(_)) => "open",
            (None, None) => "withdrawn",
        }
    }

    fn cells<'a>(&'a self, task: TaskId, told: &'a Told, attempt: Option<&Try>, state: &'a str) -> Cells<'a> {
        let entry = told.row.and_then(|row| self.list.entry(row as usize));
        let field = |column| Cow::Borrowed(entry.map_or("", |entry: Entry<'a>| entry.get(column)));
        let finished = attempt.and_then(|attempt| attempt.finished);
        let time = |at: Option<Wall>| at.map(time).unwrap_or_default().into();
        let last = !state.is_empty();
        let text = |text: &'a str| Cow::Borrowed(if last { text } else { "" });
        vec![
            journal::name(task).into(),
            attempt.map_or(0, |attempt| self.ordinal(told, attempt)).to_string().into(),
            Cow::Borrowed(&*self.settings.subject.agent),
            Cow::Borrowed(&*self.settings.subject.list),
            entry.map(|entry| entry.line().to_string()).unwrap_or_default().into(),
            field(Column::Id),
            told.number.to_string().into(),
            entry.map(|entry| entry.name()).unwrap_or_default().into(),
            field(Column::Service),
            // Beginnings are kept in whole seconds, upwards, for the budgets.
            time(attempt.map(|attempt| finished.map_or(attempt.at, |(ended, _)| attempt.at.min(ended)))),
            time(finished.map(|(ended, _)| ended)),
            // An attempt without an end is on its way, or was cut off by a crash.
            finished.map_or("", |(_, finding)| finding.outcome.name()).into(),
            attempt.map(|attempt| attempt.talked.to_string()).unwrap_or_default().into(),
            Cow::Borrowed(state),
            text(&told.result),
            text(&told.note),
            time(told.not_before.filter(|_| last && told.end.is_none())),
        ]
    }

    /// Attempts count on when a row came back.
    fn ordinal(&self, told: &Told, attempt: &Try) -> usize {
        let before = told.attempts.iter().take_while(|made| made.id != attempt.id);
        before.filter(|made| made.id.task != attempt.id.task).count() + usize::from(attempt.id.ordinal)
    }

    fn uccx<'a>(&'a self, told: &'a Told) -> Cells<'a> {
        let entry = told.row.and_then(|row| self.list.entry(row as usize));
        let field = |column| entry.map_or("", |entry: Entry<'a>| entry.get(column));
        let (given, family) = match (field(Column::GivenName), field(Column::FamilyName)) {
            ("", "") => (entry.map(|entry| entry.name()).unwrap_or_default(), ""),
            (given, family) => (given.to_owned(), family),
        };
        let mut outcomes = told
            .attempts
            .iter()
            .rev()
            .map(|made| made.finished.map_or("", |(_, finding)| uccx_result(finding.outcome)));
        let mut outcome = || Cow::Borrowed(outcomes.next().unwrap_or(""));
        let (last, first, second, third) = {
            let last = told.last().map_or("", |finding| uccx_result(finding.outcome));
            (Cow::Borrowed(last), outcome(), outcome(), outcome())
        };
        let status = match told.end {
            Some(_) => "Closed",
            None if told.not_before.is_some() => "Callback",
            None => "Retry",
        };
        let at = told.attempts.last().map(|made| time(made.at)).unwrap_or_default();
        vec![
            Cow::Borrowed(field(Column::Id)),
            given.into(),
            family.into(),
            told.number.to_string().into(),
            at.into(),
            last,
            told.not_before.map(|_| told.number.to_string()).unwrap_or_default().into(),
            status.into(),
            first,
            second,
            third,
            told.number.to_string().into(),
            told.attempts.len().to_string().into(),
        ]
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

/// RFC 3339, in UTC.
fn time(at: Wall) -> String {
    jiff::Timestamp::from_millisecond(at.0).map(|stamp| stamp.to_string()).unwrap_or_default()
}

/// An apostrophe before what a spreadsheet would take for a formula (sec_17).
fn safe<'a>(cell: &'a Cow<'a, str>) -> Cow<'a, [u8]> {
    if is_formula(cell) { format!("'{cell}").into_bytes().into() } else { Cow::Borrowed(cell.as_bytes()) }
}

fn uccx_result(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "Voice",
        Outcome::Busy => "Busy",
        Outcome::NoAnswer => "No answer",
        Outcome::Vacant => "Invalid",
        Outcome::Declined => "Do not call",
        Outcome::Abandoned => "Abandoned",
        _ => "Failed",
    }
}
