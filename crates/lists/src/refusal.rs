//! Why a row, or a whole file, is not taken.

use crate::limits;
use std::fmt;

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where it stands in the file; the first line is 1.
    pub line: u32,
    /// Why.
    pub why: Why,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// Why a row is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It has fewer fields than the header, or more.
    Fields(usize, usize),
    /// It is longer than a row may be.
    Long(usize),
    /// There is no number in it.
    NoNumber,
    /// What stands there is none.
    BadNumber(Box<str>),
    /// A time slot that is none.
    BadSlot(Box<str>),
    /// A priority that is no number from 0 to 255.
    BadPriority(Box<str>),
    /// A time that is none.
    BadTime(Box<str>),
    /// A zone that nobody knows.
    BadZone(Box<str>),
    /// It is for another agent.
    OtherAgent(Box<str>),
    /// A line of JSON that is none, or no object.
    Json(Box<str>),
    /// The same callee, or the same name of a task, stands further up.
    Twice,
    /// An office's rule forbids it, in its words.
    Rule(Box<str>),
}

impl Why {
    /// The key of its words in a catalogue.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Why::Fields(..) => "lists.why.fields",
            Why::Long(_) => "lists.why.long",
            Why::NoNumber => "lists.why.no_number",
            Why::BadNumber(_) => "lists.why.bad_number",
            Why::BadSlot(_) => "lists.why.bad_slot",
            Why::BadPriority(_) => "lists.why.bad_priority",
            Why::BadTime(_) => "lists.why.bad_time",
            Why::BadZone(_) => "lists.why.bad_zone",
            Why::OtherAgent(_) => "lists.why.other_agent",
            Why::Json(_) => "lists.why.json",
            Why::Twice => "lists.why.twice",
            Why::Rule(_) => "lists.why.rule",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Fields(has, wanted) => write!(f, "{has} fields where the header has {wanted}"),
            Why::Long(octets) => write!(f, "{octets} octets, at most {} are taken", limits::ROW),
            Why::NoNumber => f.write_str("no number"),
            Why::BadNumber(text) => write!(f, "\"{text}\" is no number"),
            Why::BadSlot(text) => write!(f, "\"{text}\" is no time slot such as 09:00-11:30"),
            Why::BadPriority(text) => write!(f, "\"{text}\" is no priority from 0 to 255"),
            Why::BadTime(text) => write!(f, "\"{text}\" is no time such as 2026-11-29 14:00"),
            Why::BadZone(text) => write!(f, "\"{text}\" is no time zone such as Asia/Shanghai"),
            Why::OtherAgent(agent) => write!(f, "for the agent \"{agent}\""),
            Why::Json(why) => write!(f, "no object in JSON: {why}"),
            Why::Twice => f.write_str("stands further up already"),
            Why::Rule(rule) => f.write_str(rule),
        }
    }
}

/// Why a file is not taken at all, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, if it has one.
    pub line: Option<u32>,
    /// Why.
    pub kind: FaultKind,
}

/// Why a file is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Nothing is in it.
    Empty,
    /// No encoding that we know gives text.
    Encoding,
    /// No column has numbers; these there are.
    NoNumbers(Box<str>),
    /// Two columns mean the same.
    SameColumn(Box<str>),
    /// More columns than are taken, or one with an endless name.
    Columns,
    /// More rows than are taken.
    Rows,
    /// The file is larger than is taken.
    Large(usize),
    /// One line is longer than is looked at.
    LongLine,
    /// It ends inside of quotation marks: the rest is missing.
    Truncated,
    /// It is no spreadsheet, or a broken one.
    Spreadsheet(Box<str>),
    /// It would unpack to more than is taken.
    Bomb,
    /// All of it is for another agent.
    OtherAgent(Box<str>),
}

impl Fault {
    pub(crate) fn new(kind: FaultKind) -> Fault {
        Fault { line: None, kind }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        match &self.kind {
            FaultKind::Empty => f.write_str("the list is empty"),
            FaultKind::Encoding => f.write_str("this is no text in UTF-8, UTF-16 or GB18030"),
            FaultKind::NoNumbers(columns) => {
                write!(f, "no column is called \"number\"; there are: {columns}")
            }
            FaultKind::SameColumn(name) => write!(f, "a second column means \"{name}\""),
            FaultKind::Columns => write!(f, "more than {} columns", limits::COLUMNS),
            FaultKind::Rows => write!(f, "more than {} rows", limits::ROWS),
            FaultKind::Large(octets) => write!(f, "{octets} octets, at most {} are taken", limits::FILE),
            FaultKind::LongLine => write!(f, "longer than {} octets", limits::LINE),
            FaultKind::Truncated => f.write_str("the file ends inside of quotation marks"),
            FaultKind::Spreadsheet(why) => write!(f, "no spreadsheet that can be read: {why}"),
            FaultKind::Bomb => f.write_str("the spreadsheet would unpack to far more than its size"),
            FaultKind::OtherAgent(agent) => write!(f, "this list is for the agent \"{agent}\""),
        }
    }
}

impl std::error::Error for Fault {}

/// Rows that were refused: the first of them, and how many in all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refused {
    pub(crate) first: Vec<Refusal>,
    pub(crate) count: usize,
}

impl Refused {
    pub(crate) fn push(&mut self, line: u32, why: Why) {
        self.count += 1;
        if self.first.len() < limits::REFUSALS {
            self.first.push(Refusal { line, why });
        }
    }
}
