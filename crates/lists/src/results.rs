//! A file of results: a row for each attempt, or for each callee, in one of three shapes. Both who worked and who dealt out write
//! it from here, so that it is the same file.

use crate::columns::Column;
use crate::list::Entry;
use crate::refusal::Refusal;
use crate::spreadsheet::is_formula;
use clock::Wall;
use dialing::cause::Outcome;
use dialing::{Number, TaskId};
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

impl Shape {
    /// By its name in assignments: `csv`, `json` or `uccx`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Shape> {
        Some(match name {
            "csv" => Shape::Csv,
            "json" => Shape::JsonLines,
            "uccx" => Shape::Uccx,
            _ => return None,
        })
    }
}

/// The columns of [`Shape::Csv`]; `task` and `attempt` name a row for ever. Attempt 0 is a row that was never called.
pub(crate) const COLUMNS: [&str; 17] = [
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

/// One attempt.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    /// Who made it.
    pub agent: &'a str,
    /// Names it beside its task.
    pub ordinal: usize,
    /// When it began.
    pub at: Wall,
    /// When and how it ended; none while it goes on, or when a crash cut it off.
    pub ended: Option<(Wall, Outcome)>,
    /// Seconds that were talked.
    pub talked: u32,
}

/// What is known of one row that was begun.
#[derive(Clone, Debug)]
pub struct Callee<'a> {
    /// Names the row for ever.
    pub task: TaskId,
    /// The list's name.
    pub list: &'a str,
    /// Whose row it is now.
    pub agent: &'a str,
    /// Where it stood in the file.
    pub line: Option<u32>,
    /// What its list calls it.
    pub id: &'a str,
    /// Its fields; none when a newer list has it no more.
    pub entry: Option<Entry<'a>>,
    /// Who was called.
    pub number: Number,
    /// In order.
    pub attempts: Vec<Made<'a>>,
    /// How it stands, in a word.
    pub state: &'static str,
    /// Whether it has ended.
    pub ended: bool,
    /// What came of it.
    pub result: &'a str,
    /// A note.
    pub note: &'a str,
    /// Not called before.
    pub not_before: Option<Wall>,
}

type Cells<'a> = Vec<Cow<'a, str>>;

/// Writes callees, and the rows that were refused, each with its agent and its list.
///
/// # Errors
/// Those of the writer.
pub fn write<'a>(
    out: &mut impl Write,
    shape: Shape,
    callees: impl Iterator<Item = Callee<'a>>,
    refusals: impl Iterator<Item = (&'a str, &'a str, &'a Refusal)>,
) -> io::Result<()> {
    match shape {
        Shape::JsonLines => each_attempt(callees, refusals, |cells| {
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
            each_attempt(callees, refusals, |cells| Ok(table.write_record(cells.iter().map(safe))?))?;
            table.flush()
        }
        Shape::Uccx => {
            let mut table = csv::Writer::from_writer(out);
            table.write_record(UCCX)?;
            for callee in callees {
                table.write_record(uccx(&callee).iter().map(safe))?;
            }
            table.flush()
        }
    }
}

fn each_attempt<'a>(
    callees: impl Iterator<Item = Callee<'a>>,
    refusals: impl Iterator<Item = (&'a str, &'a str, &'a Refusal)>,
    mut take: impl FnMut(Cells<'_>) -> io::Result<()>,
) -> io::Result<()> {
    for callee in callees {
        if callee.attempts.is_empty() {
            take(cells(&callee, None, true))?;
        }
        for (index, attempt) in callee.attempts.iter().enumerate() {
            take(cells(&callee, Some(attempt), index + 1 == callee.attempts.len()))?;
        }
    }
    for (agent, list, refusal) in refusals {
        let mut cells: Cells<'_> = vec![Cow::Borrowed(""); COLUMNS.len()];
        cells[1] = "0".into();
        cells[2] = Cow::Borrowed(agent);
        cells[3] = Cow::Borrowed(list);
        cells[4] = refusal.line.to_string().into();
        cells[13] = "refused".into();
        cells[15] = refusal.why.to_string().into();
        take(cells)?;
    }
    Ok(())
}

fn cells<'a>(callee: &'a Callee<'_>, attempt: Option<&'a Made<'_>>, last: bool) -> Cells<'a> {
    let field = |column| Cow::Borrowed(callee.entry.map_or("", |entry| entry.get(column)));
    let ended = attempt.and_then(|attempt| attempt.ended);
    let time = |at: Option<Wall>| at.map(time).unwrap_or_default().into();
    let text = |text: &'a str| Cow::Borrowed(if last { text } else { "" });
    vec![
        format!("{:016x}", callee.task.0).into(),
        attempt.map_or(0, |attempt| attempt.ordinal).to_string().into(),
        Cow::Borrowed(attempt.map_or(callee.agent, |attempt| attempt.agent)),
        Cow::Borrowed(callee.list),
        callee.line.map(|line| line.to_string()).unwrap_or_default().into(),
        Cow::Borrowed(callee.id),
        callee.number.to_string().into(),
        callee.entry.map(|entry| entry.name()).unwrap_or_default().into(),
        field(Column::Service),
        // Beginnings are kept in whole seconds, upwards, for the budgets.
        time(attempt.map(|attempt| ended.map_or(attempt.at, |(ended, _)| attempt.at.min(ended)))),
        time(ended.map(|(ended, _)| ended)),
        // An attempt without an end is on its way, or was cut off by a crash.
        ended.map_or("", |(_, outcome)| outcome.name()).into(),
        attempt.map(|attempt| attempt.talked.to_string()).unwrap_or_default().into(),
        text(callee.state),
        text(callee.result),
        text(callee.note),
        time(callee.not_before.filter(|_| last && !callee.ended)),
    ]
}

fn uccx<'a>(callee: &'a Callee<'_>) -> Cells<'a> {
    let field = |column| callee.entry.map_or("", |entry| entry.get(column));
    let (given, family) = match (field(Column::GivenName), field(Column::FamilyName)) {
        ("", "") => (callee.entry.map(|entry| entry.name()).unwrap_or_default(), ""),
        (given, family) => (given.to_owned(), family),
    };
    let result = |made: &Made<'_>| made.ended.map_or("", |(_, outcome)| uccx_result(outcome));
    let mut outcomes = callee.attempts.iter().rev().map(result);
    let last = callee.attempts.iter().rev().find(|made| made.ended.is_some()).map_or("", result);
    let mut outcome = || Cow::Borrowed(outcomes.next().unwrap_or(""));
    let (first, second, third) = (outcome(), outcome(), outcome());
    let status = match (callee.ended, callee.not_before) {
        (true, _) => "Closed",
        (false, Some(_)) => "Callback",
        (false, None) => "Retry",
    };
    let at = callee.attempts.last().map(|made| time(made.at)).unwrap_or_default();
    vec![
        Cow::Borrowed(callee.id),
        given.into(),
        family.into(),
        callee.number.to_string().into(),
        at.into(),
        last.into(),
        callee.not_before.map(|_| callee.number.to_string()).unwrap_or_default().into(),
        status.into(),
        first,
        second,
        third,
        callee.number.to_string().into(),
        callee.attempts.len().to_string().into(),
    ]
}

/// RFC 3339, in UTC.
pub(crate) fn time(at: Wall) -> String {
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
