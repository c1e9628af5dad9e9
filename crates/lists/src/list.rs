//! A list in memory: the text of all rows in one piece, and twenty octets a row beside it.
//!
//! ```text
//! text:  [fields: u8][ends: u16 x fields][field][field]...   [fields: u8]...
//!        ^ Row::at
//! ```

use crate::columns::{Column, Columns, Mapping};
use crate::limits;
use crate::refusal::{Fault, FaultKind, Refusal, Refused, Why};
use dialing::window::Span;
use std::hash::Hasher;

/// One row.
#[derive(Clone, Copy, Debug)]
struct Row {
    at: u32,
    line: u32,
    slot: Slot,
    priority: u8,
}

/// The time of day that was suggested for a call, in minutes of the callee's day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// The minute after the last; it stands first, because the slot that ends sooner comes first.
    to: u16,
    from: u16,
}

impl Slot {
    /// No slot was suggested; comes after all others.
    pub const NONE: Slot = Slot { to: u16::MAX, from: u16::MAX };

    /// As in `09:00-11:30`, `9-11` or `9:00~11:00`, and a zone behind it, which is left out here.
    #[must_use]
    pub fn parse(text: &str) -> Option<Slot> {
        let text = text.trim();
        let slot = text.split_once(' ').map_or(text, |(slot, zone)| {
            // A blank may also stand around the dash.
            if zone.starts_with(|first: char| first.is_ascii_alphabetic()) { slot } else { text }
        });
        let (from, to) = slot.split_once(['-', '~', '–', '—', '～', '至', '到'])?;
        let span = Span::new(minute(from)?, minute(to)?).filter(|span| span.from() < span.to())?;
        Some(Slot { to: span.to(), from: span.from() })
    }

    /// The zone that stands behind a slot.
    #[must_use]
    pub fn zone(text: &str) -> Option<&str> {
        let (_, zone) = text.trim().rsplit_once(' ')?;
        zone.starts_with(|first: char| first.is_ascii_alphabetic()).then_some(zone)
    }

    /// As a span of the day.
    #[must_use]
    pub fn span(self) -> Option<Span> {
        Span::new(self.from, self.to)
    }
}

/// `9`, `09`, `9:30` or `24:00`.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once([':', '：']).unwrap_or((text.trim(), "0"));
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour <= 24 && minute < 60).then(|| hour * 60 + minute).filter(|minute| *minute <= 24 * 60)
}

/// The rows of a file that were taken, and what is known of the others.
#[derive(Clone, Debug, Default)]
pub struct List {
    text: Vec<u8>,
    rows: Vec<Row>,
    columns: Columns,
    refused: Refused,
}

impl List {
    /// An empty list with room for a file of so many octets.
    pub(crate) fn with(columns: Columns, octets: usize) -> List {
        let text = Vec::with_capacity(octets + octets / 4);
        List { text, columns, ..List::default() }
    }

    /// Its columns.
    #[must_use]
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// How many rows were taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The first rows that were refused, in the order of the file.
    #[must_use]
    pub fn refusals(&self) -> &[Refusal] {
        &self.refused.first
    }

    /// How many were refused in all.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.refused.count
    }

    /// A row by its place among those that were taken.
    #[must_use]
    pub fn entry(&self, index: usize) -> Option<Entry<'_>> {
        self.rows.get(index).map(|row| Entry { list: self, row: *row })
    }

    /// All rows that were taken, in the order of the file (S3.6).
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.rows.iter().map(|row| Entry { list: self, row: *row })
    }

    /// Octets that it holds.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.text.capacity() + self.rows.capacity() * size_of::<Row>()
    }

    pub(crate) fn add_column(&mut self, header: &str, mapping: &Mapping) -> Result<usize, FaultKind> {
        self.columns.add(header, mapping)
    }

    pub(crate) fn refuse(&mut self, line: u32, why: Why) {
        self.refused.push(line, why);
    }

    /// Takes a row: its fields one after another, and where each ends. What it looks like is checked here; whether its
    /// number can be called only when its turn comes near.
    pub(crate) fn push(
        &mut self,
        line: u32,
        fields: &[u8],
        ends: &[usize],
        agent: Option<&str>,
    ) -> Result<(), Fault> {
        if self.rows.len() >= limits::ROWS {
            return Err(Fault { line: Some(line), kind: FaultKind::Rows });
        }
        if fields.len() > limits::ROW {
            self.refuse(line, Why::Long(fields.len()));
            return Ok(());
        }
        match self.shape(fields, ends, agent) {
            Ok((slot, priority)) => {
                let at = u32::try_from(self.text.len());
                let Ok(at) = at else { return Err(Fault { line: Some(line), kind: FaultKind::Rows }) };
                // Both fit: COLUMNS and ROW are below.
                self.text.push(ends.len() as u8);
                self.text.extend(ends.iter().flat_map(|end| (*end as u16).to_le_bytes()));
                self.text.extend_from_slice(fields);
                self.rows.push(Row { at, line, slot, priority });
            }
            Err(why) => self.refuse(line, why),
        }
        Ok(())
    }

    fn shape(&self, fields: &[u8], ends: &[usize], agent: Option<&str>) -> Result<(Slot, u8), Why> {
        let text = |column: Column| {
            let place = self.columns.place(column)?;
            let start = if place == 0 { 0 } else { *ends.get(place - 1)? };
            let field = fields.get(start..*ends.get(place)?)?;
            Some(std::str::from_utf8(field).unwrap_or_default().trim())
        };
        let number = text(Column::Number).unwrap_or_default();
        if number.is_empty() {
            return Err(Why::NoNumber);
        }
        if !looks_like_a_number(number.as_bytes()) {
            return Err(Why::BadNumber(shortened(number)));
        }
        if let (Some(agent), Some(theirs)) = (agent, text(Column::Agent))
            && !theirs.is_empty()
            && theirs != agent
        {
            return Err(Why::OtherAgent(shortened(theirs)));
        }
        let slot = match text(Column::Slot) {
            None | Some("") => Slot::NONE,
            Some(text) => Slot::parse(text).ok_or_else(|| Why::BadSlot(shortened(text)))?,
        };
        let priority = match text(Column::Priority) {
            None | Some("") => 0,
            Some(text) => text.parse().map_err(|_| Why::BadPriority(shortened(text)))?,
        };
        Ok((slot, priority))
    }
}

fn looks_like_a_number(text: &[u8]) -> bool {
    let fits = |octet: &u8| {
        matches!(octet, b'0'..=b'9' | b'+' | b' ' | b'-' | b'(' | b')' | b'.' | b'/' | b'*' | b'#')
    };
    text.len() <= limits::NUMBER && text.iter().all(fits) && text.iter().any(u8::is_ascii_digit)
}

/// What strangers wrote, for a message: not endless, and without controls.
pub(crate) fn shortened(text: &str) -> Box<str> {
    text.chars().filter(|letter| !letter.is_control()).take(60).collect::<String>().into()
}

/// One row of a list.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    list: &'a List,
    row: Row,
}

impl<'a> Entry<'a> {
    /// Where it stands in the file.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.row.line
    }

    /// The time of day that was suggested.
    #[must_use]
    pub fn slot(&self) -> Slot {
        self.row.slot
    }

    /// The columns of its list.
    #[must_use]
    pub fn columns(&self) -> &'a Columns {
        &self.list.columns
    }

    /// Its priority; higher comes first.
    #[must_use]
    pub fn priority(&self) -> u8 {
        self.row.priority
    }

    /// A field by its column's place; empty when the row has none.
    #[must_use]
    pub fn field(&self, place: usize) -> &'a str {
        let text = &self.list.text[self.row.at as usize..];
        let count = usize::from(text[0]);
        if place >= count {
            return "";
        }
        let end = |index: usize| usize::from(u16::from_le_bytes([text[1 + 2 * index], text[2 + 2 * index]]));
        let start = if place == 0 { 0 } else { end(place - 1) };
        let fields = 1 + 2 * count;
        std::str::from_utf8(&text[fields + start..fields + end(place)]).unwrap_or_default().trim()
    }

    /// A field by its meaning; empty when there is none.
    #[must_use]
    pub fn get(&self, column: Column) -> &'a str {
        self.list.columns.place(column).map_or("", |place| self.field(place))
    }

    /// The callee's name; of two parts, when they stand apart.
    #[must_use]
    pub fn name(&self) -> String {
        match (self.get(Column::Name), self.get(Column::GivenName), self.get(Column::FamilyName)) {
            ("", "", family) => family.to_owned(),
            ("", given, "") => given.to_owned(),
            ("", given, family) if family.is_ascii() => format!("{given} {family}"),
            ("", given, family) => format!("{family}{given}"),
            (name, ..) => name.to_owned(),
        }
    }

    /// The zone that was told for the callee, beside the slot or in a column of its own.
    #[must_use]
    pub fn zone(&self) -> Option<&'a str> {
        let own = self.get(Column::Zone);
        if own.is_empty() { Slot::zone(self.get(Column::Slot)) } else { Some(own) }
    }

    /// All fields with their headers.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, Column, &'a str)> + use<'a> {
        let entry = *self;
        entry
            .list
            .columns
            .iter()
            .enumerate()
            .map(move |(place, (header, meaning))| (header, meaning, entry.field(place)))
    }

    /// The name of the task for ever: by its own, else by the number and what is said about it, so that the same row in
    /// the file of tomorrow is the same task.
    #[must_use]
    pub fn task(&self, number: dialing::Number) -> dialing::TaskId {
        // Only distinctness is wanted of it, and the same name on every machine.
        let mut hasher = siphasher::sip::SipHasher13::new_with_keys(0, 0);
        let own = self.get(Column::Id);
        if own.is_empty() {
            hasher.write(number.to_string().as_bytes());
            hasher.write(b"\0");
            hasher.write(self.get(Column::Service).as_bytes());
        } else {
            hasher.write(b"id\0");
            hasher.write(own.as_bytes());
        }
        dialing::TaskId(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(headers: &[&str], rows: &[&[&str]]) -> List {
        let columns = Columns::of(headers.iter().copied(), &Mapping::new(), 1).unwrap();
        let mut list = List::with(columns, 0);
        for (index, row) in rows.iter().enumerate() {
            let ends: Vec<usize> = row
                .iter()
                .scan(0, |end, field| {
                    *end += field.len();
                    Some(*end)
                })
                .collect();
            list.push(2 + index as u32, row.concat().as_bytes(), &ends, Some("ada")).unwrap();
        }
        list
    }

    #[test]
    fn a_row_is_taken_or_refused_with_its_line_and_its_reason() {
        let headers = ["number", "name", "slot", "priority", "agent"];
        let list = list(
            &headers,
            &[
                &["+86 138-0013-8000", "王芳", "9:00~11:00 Asia/Shanghai", "8", "ada"],
                &["", "nobody", "", "", ""],
                &["call me", "", "", "", ""],
                &["2041", "", "noon", "", ""],
                &["2041", "", "", "256", ""],
                &["2041", "", "", "", "bob"],
                &["2042", "", "", "", ""],
            ],
        );
        let first = list.entry(0).unwrap();
        assert_eq!((first.name(), first.priority(), first.line()), ("王芳".to_owned(), 8, 2));
        assert_eq!(first.slot().span().map(|span| (span.from(), span.to())), Some((540, 660)));
        assert_eq!((first.zone(), first.get(Column::History)), (Some("Asia/Shanghai"), ""));
        let told: Vec<String> = list.refusals().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "line 3: no number",
                "line 4: \"call me\" is no number",
                "line 5: \"noon\" is no time slot such as 09:00-11:30",
                "line 6: \"256\" is no priority from 0 to 255",
                "line 7: for the agent \"bob\"",
            ]
        );
        assert_eq!((list.len(), list.refused()), (2, 5));
    }

    #[test]
    fn slots_are_written_in_many_ways() {
        for (text, minutes) in [
            ("09:00-11:30", Some((540, 690))),
            ("9-11", Some((540, 660))),
            ("9:00 - 11:00", Some((540, 660))),
            ("14：00至15：30", Some((840, 930))),
            ("22:00–24:00 Europe/Berlin", Some((1320, 1440))),
            ("11-9", None),
            ("9-9", None),
            ("9:60-10", None),
            ("25-26", None),
            ("", None),
        ] {
            let parsed = Slot::parse(text).and_then(Slot::span).map(|span| (span.from(), span.to()));
            assert_eq!(parsed, minutes, "{text}");
        }
    }

    #[test]
    fn names_of_two_parts_stand_in_the_order_of_their_language() {
        let list = list(
            &["phone", "first name", "last name"],
            &[&["1", "Ada", "King"], &["2", "芳", "王"], &["3", "", "Wu"]],
        );
        let names: Vec<String> = list.iter().map(|entry| entry.name()).collect();
        assert_eq!(names, ["Ada King", "王芳", "Wu"]);
    }

    #[test]
    fn the_same_row_is_the_same_task_wherever_it_stands() {
        let rows: &[&[&str]] = &[&["1", "a", "x"], &["2", "a", ""], &["3", "", "x"], &["1", "b", ""]];
        let list = list(&["number", "name", "id"], rows);
        let task = |index: usize| {
            let entry = list.entry(index).unwrap();
            entry.task(dialing::Number::inside(entry.get(Column::Number)).unwrap())
        };
        assert_eq!(task(0), task(2), "by its own name");
        assert_ne!(task(0), task(3), "which is not the number's");
        assert_ne!(task(1), task(3));
    }
}
