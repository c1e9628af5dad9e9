//! A list as whoever deals it out keeps it: the rows that will be called, in the order of the calls, with numbers that are one
//! spelling each and names that no other list has. From it come the files of agents.

use crate::columns::Column;
use crate::list::{Entry, List};
use crate::order::NoOrder;
use crate::refusal::{Fault, FaultKind, Why};
use crate::results::time;
use crate::work::{Preview, Settings};
use crate::{Format, Reading};
use clock::{Now, Wall};
use dialing::{Number, Places, Policy, Task, TaskId};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Columns of a file that is put together of several lists; what is beyond is left out.
const COLUMNS: usize = 60;

/// How the rows of a new list are meant.
#[derive(Debug)]
pub struct Judging<'a> {
    /// The order, numbering, attempts, interval and consent.
    pub settings: &'a Settings,
    /// The law, and what the office adds to it.
    pub policy: Policy,
    /// Where numbers are.
    pub places: Places,
    /// Who is not called.
    pub forbidden: &'a [Number],
    /// Rows at most.
    pub most: usize,
}

/// Why a list is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoSheet {
    /// Its file is none.
    Fault(Fault),
    /// Its order names no column.
    Order(NoOrder),
    /// More rows than are taken here.
    Rows(usize),
}

impl fmt::Display for NoSheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoSheet::Fault(fault) => fault.fmt(f),
            NoSheet::Order(order) => order.fmt(f),
            NoSheet::Rows(most) => write!(f, "more than {most} rows; deal out a part at a time"),
        }
    }
}

impl std::error::Error for NoSheet {}

impl From<Fault> for NoSheet {
    fn from(fault: Fault) -> NoSheet {
        NoSheet::Fault(fault)
    }
}

/// The rows.
#[derive(Debug, Default)]
pub struct Sheet {
    list: List,
    numbers: Box<[Number]>,
    /// Sorted.
    tasks: Box<[(TaskId, u32)]>,
}

/// What is said of a row beside what its list says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowNow {
    /// Which.
    pub row: u32,
    /// Attempts that were made since.
    pub attempts: u16,
    /// Not called before.
    pub not_before: Option<Wall>,
}

/// How the columns of a file are called that is put together of several lists: each meaning has one name.
#[derive(Debug, Default)]
pub struct Headers {
    meanings: BTreeMap<Column, String>,
    others: BTreeSet<String>,
}

impl Sheet {
    /// Judges the file of a new list: what will be called, and what is skipped and why. `key` is in the name of each row, so that
    /// no other list has it. The text is what is kept of the list.
    ///
    /// # Errors
    /// Why nothing of the file is taken.
    pub fn judge(
        now: Now,
        bytes: Vec<u8>,
        reading: &Reading,
        judging: Judging<'_>,
        key: u32,
    ) -> Result<(Vec<u8>, Preview), NoSheet> {
        let Judging { settings, policy, places, forbidden, most } = judging;
        let format = Format::of(&bytes);
        let list = crate::read(bytes, format, reading)?;
        if list.len() > most {
            return Err(NoSheet::Rows(most));
        }
        let order = settings.order.of(&list).map_err(NoSheet::Order)?;
        let preview = Preview::of(now, &list, settings, policy, places, forbidden);
        let mut text = Vec::new();
        let taken: BTreeMap<u32, Number> = preview.taken.iter().copied().collect();
        let names = Names::of(&list);
        for rank in 0..u32::try_from(list.len()).unwrap_or(u32::MAX) {
            let place = order.as_ref().map_or(Some(rank), |order| order.get(rank as usize).copied());
            let row = place.and_then(|place| Some((list.entry(place as usize)?, *taken.get(&place)?)));
            if let Some((entry, number)) = row {
                names.write(&entry, number, settings, key, &mut text)?;
            }
        }
        Ok((text, preview))
    }

    /// From the text that [`Sheet::judge`] gave.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(text: &[u8]) -> Result<Sheet, Fault> {
        if text.is_empty() {
            return Ok(Sheet::default());
        }
        let list = crate::read(text.to_vec(), Format::JsonLines, &Reading::default())?;
        if let Some(refusal) = list.refusals().first() {
            return Err(Fault {
                line: Some(refusal.line),
                kind: FaultKind::Spreadsheet(refusal.why.to_string().into()),
            });
        }
        let mut numbers = Vec::with_capacity(list.len());
        let mut tasks = Vec::with_capacity(list.len());
        for (row, entry) in (0..).zip(list.iter()) {
            let number = Number::parse(entry.get(Column::Number));
            let number = number.map_err(|_| Fault { line: Some(entry.line()), kind: FaultKind::Encoding })?;
            numbers.push(number);
            tasks.push((entry.task(number), row));
        }
        tasks.sort_unstable();
        Ok(Sheet { list, numbers: numbers.into(), tasks: tasks.into() })
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Octets that it holds.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.list.octets() + self.numbers.len() * (size_of::<Number>() + size_of::<(TaskId, u32)>())
    }

    /// Whom a row calls.
    #[must_use]
    pub fn number(&self, row: u32) -> Option<Number> {
        self.numbers.get(row as usize).copied()
    }

    /// The row of a task.
    #[must_use]
    pub fn row(&self, task: TaskId) -> Option<u32> {
        let at = self.tasks.binary_search_by_key(&task, |(task, _)| *task).ok()?;
        self.tasks.get(at).map(|(_, row)| *row)
    }

    /// The fields of a row.
    #[must_use]
    pub fn entry(&self, row: u32) -> Option<Entry<'_>> {
        self.list.entry(row as usize)
    }

    /// The name of a row, and the line of its file that is in it.
    #[must_use]
    pub fn line(&self, row: u32) -> Option<u32> {
        self.entry(row)?.get(Column::Id).rsplit_once('-')?.1.parse().ok()
    }

    /// The rows of these lines of the file; a line that no row has is left out.
    #[must_use]
    pub fn rows_of(&self, lines: &BTreeSet<u32>) -> Vec<u32> {
        let all = 0..u32::try_from(self.len()).unwrap_or(u32::MAX);
        all.filter(|row| self.line(*row).is_some_and(|line| lines.contains(&line))).collect()
    }

    /// A row as a task: for whoever works through the list without a file of its own. It comes after all rows before it.
    ///
    /// # Errors
    /// Why it is none.
    pub fn task(&self, row: u32, settings: &Settings, places: &Places) -> Result<Task, Why> {
        let entry = self.entry(row).ok_or(Why::Twice)?;
        crate::work::task_of(&entry, row, settings, places)
    }

    /// The column of this header, or of this meaning.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.list.columns().named(name)
    }

    /// The fields of a row for people: without the name that only we gave it.
    pub fn fields(&self, row: u32) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.entry(row).into_iter().flat_map(|entry| entry.fields());
        let own = |column: &Column| matches!(column, Column::Id | Column::Most | Column::Interval);
        fields
            .filter(move |(_, column, field)| !own(column) && !field.is_empty())
            .map(|(header, _, field)| (header, field))
    }

    /// What the list itself called a row, before we named it.
    #[must_use]
    pub fn own_id(&self, row: u32) -> &str {
        let named = self.entry(row).into_iter().flat_map(|entry| entry.fields());
        named.filter(|(header, ..)| header.ends_with(OWN)).map(|(_, _, field)| field).next().unwrap_or("")
    }

    /// Writes one row of an agent's file.
    pub fn write(&self, now: &RowNow, agent: &str, headers: &mut Headers, out: &mut Vec<u8>) {
        let Some(entry) = self.entry(now.row) else { return };
        let before: u32 = entry.get(Column::Attempts).parse().unwrap_or(0);
        let mut object = Map::new();
        for (header, meaning, field) in entry.fields() {
            let replaced = matches!(meaning, Column::Attempts | Column::NotBefore | Column::Agent);
            if !field.is_empty()
                && !replaced
                && let Some(name) = headers.name(header, meaning)
            {
                object.insert(name, Value::from(field));
            }
        }
        let not_before = now.not_before.map_or_else(|| entry.get(Column::NotBefore).to_owned(), time);
        let attempts = before + u32::from(now.attempts);
        let said = [
            (Column::Agent, agent.to_owned()),
            (Column::Attempts, if attempts == 0 { String::new() } else { attempts.to_string() }),
            (Column::NotBefore, not_before),
        ];
        for (meaning, text) in said.into_iter().filter(|(_, text)| !text.is_empty()) {
            object.insert(meaning.name().to_owned(), Value::from(text));
        }
        line(&object, out);
    }
}

impl Headers {
    fn name(&mut self, header: &str, meaning: Column) -> Option<String> {
        if meaning != Column::Other {
            return Some(self.meanings.entry(meaning).or_insert_with(|| header.to_owned()).clone());
        }
        if !self.others.contains(header) {
            if self.others.len() + self.meanings.len() >= COLUMNS {
                return None;
            }
            self.others.insert(header.to_owned());
        }
        Some(header.to_owned())
    }
}

/// Behind the header of a column that would be taken for another.
const OWN: &str = " (list)";

/// What the columns of a new list are called in its text, so that nobody needs a mapping.
struct Names {
    headers: Vec<String>,
    id: &'static str,
}

impl Names {
    fn of(list: &List) -> Names {
        let headers: Vec<String> = list
            .columns()
            .iter()
            .map(|(header, meaning)| match (meaning, Column::by_name(header)) {
                (Column::Id, _) | (Column::Other, Some(_)) => format!("{header}{OWN}"),
                (Column::Other, None) => header.to_owned(),
                (meaning, Some(known)) if known == meaning => header.to_owned(),
                (meaning, _) => meaning.name().to_owned(),
            })
            .collect();
        Names { headers, id: Column::Id.name() }
    }

    fn write(
        &self,
        entry: &Entry<'_>,
        number: Number,
        settings: &Settings,
        key: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), NoSheet> {
        let mut object = Map::new();
        object.insert(self.id.to_owned(), Value::from(format!("{key:08x}-{}", entry.line())));
        let mut known = BTreeSet::new();
        for (header, (_, meaning, field)) in self.headers.iter().zip(entry.fields()) {
            if field.is_empty() {
                continue;
            }
            known.insert(meaning);
            let text = if meaning == Column::Number { number.to_string() } else { field.to_owned() };
            if object.insert(header.clone(), Value::from(text)).is_some() {
                return Err(Fault::new(FaultKind::SameColumn(header.as_str().into())).into());
            }
        }
        let consent = settings
            .consent
            .as_ref()
            .map(|consent| format!("{} {}", consent.basis.name(), consent.evidence).trim().to_owned());
        let said = [
            (Column::Most, settings.attempts.map(|most| most.to_string())),
            (Column::Interval, settings.interval.map(|seconds| seconds.to_string())),
            (Column::Consent, consent),
        ];
        for (meaning, text) in said {
            if let Some(text) = text.filter(|_| !known.contains(&meaning)) {
                object.insert(meaning.name().to_owned(), Value::from(text));
            }
        }
        line(&object, out);
        Ok(())
    }
}

fn line(object: &Map<String, Value>, out: &mut Vec<u8>) {
    // Writing into memory does not fail.
    let _ = serde_json::to_writer(&mut *out, object);
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Numbering, Order};
    use clock::Mono;
    use dialing::{Basis, Consent};

    /// Monday, 30 November 2026, 10:00 in Shanghai.
    const NOW: Now = Now { mono: Mono(1), wall: Wall(1_796_004_000_000) };

    fn judged(text: &str, settings: &Settings, key: u32) -> Result<(Vec<u8>, Preview), NoSheet> {
        let policy = Policy::new(Box::new(|number| number.to_string() == "112"));
        let places = Places::new("Asia/Shanghai").unwrap();
        let forbidden = [Number::inside("2009").unwrap()];
        let judging = Judging { settings, policy, places, forbidden: &forbidden, most: 6 };
        let mapping = [("Rufnummer".into(), "number".into())].into();
        Sheet::judge(NOW, text.as_bytes().to_vec(), &Reading { mapping, agent: None }, judging, key)
    }

    #[test]
    fn a_list_keeps_the_rows_that_will_be_called_in_the_order_of_their_calls() {
        let numbering = Numbering { country: "86".into(), ..Numbering::default() };
        let settings = Settings {
            numbering,
            order: Order::parse("priority").unwrap(),
            attempts: Some(3),
            interval: Some(600),
            consent: Some(Consent { basis: Basis::Agreed, evidence: "form 7".into(), until: None }),
            ..Settings::default()
        };
        let text =
            "Rufnummer,id,priority,Farbe\n2001,7,1,red\n138 0013 8000,8,9,\n2009,9,,\n112,10,,\nx,11,,\n";
        let (text, preview) = judged(text, &settings, 0xA1).unwrap();
        let skipped: Vec<(&str, usize)> = preview.skipped.iter().map(|(key, count)| (*key, *count)).collect();
        assert_eq!(
            skipped,
            [("dialing.rule.do_not_call", 1), ("dialing.rule.emergency", 1), ("lists.why.bad_number", 1)]
        );
        let lines: Vec<u32> = preview.refusals.iter().map(|refusal| refusal.line).collect();
        assert_eq!(lines, [4, 5, 6]);
        let sheet = Sheet::read(&text).unwrap();
        let rows: Vec<_> = (0..2)
            .map(|row| (sheet.number(row).unwrap().to_string(), sheet.line(row), sheet.own_id(row)))
            .collect();
        assert_eq!(rows, [("+8613800138000".to_owned(), Some(3), "8"), ("2001".to_owned(), Some(2), "7")]);
        assert_eq!((sheet.len(), sheet.rows_of(&[2, 4].into())), (2, vec![1]));
        let task = sheet.entry(1).unwrap().task(sheet.number(1).unwrap());
        assert_eq!((sheet.row(task), sheet.row(TaskId(1))), (Some(1), None));
        let (mut out, mut headers) = (Vec::new(), Headers::default());
        let now = RowNow { row: 1, attempts: 2, not_before: Some(Wall(1_796_004_000_000)) };
        sheet.write(&now, "ada", &mut headers, &mut out);
        let written: Map<String, Value> = serde_json::from_slice(&out).unwrap();
        for (key, value) in [
            ("id", "000000a1-2"),
            ("number", "2001"),
            ("agent", "ada"),
            ("attempts", "2"),
            ("mostattempts", "3"),
            ("interval", "600"),
            ("consent", "agreed form 7"),
            ("Farbe", "red"),
            ("id (list)", "7"),
            ("notbefore", "2026-11-30T02:00:00Z"),
        ] {
            assert_eq!(written.get(key).and_then(Value::as_str), Some(value), "{key}: {written:?}");
        }
        // A phone reads it without a mapping, and keeps what the list set.
        let read =
            crate::read(out, Format::JsonLines, &Reading { agent: Some("ada".into()), ..Reading::default() });
        let task = crate::work::task_of(
            &read.unwrap().entry(0).unwrap(),
            0,
            &Settings::default(),
            &Places::new("UTC").unwrap(),
        );
        let task = task.unwrap();
        assert_eq!((task.attempts_before, task.attempts_at_most, task.interval), (2, Some(3), Some(600)));
    }

    #[test]
    fn files_of_several_lists_have_one_column_for_each_meaning() {
        let of = |text: &str, key| Sheet::read(&judged(text, &Settings::default(), key).unwrap().0).unwrap();
        let (first, second) = (of("phone,name\n2001,Ann\n", 1), of("号码,姓名\n2002,王芳\n", 2));
        let (mut out, mut headers) = (Vec::new(), Headers::default());
        first.write(&RowNow::default(), "ada", &mut headers, &mut out);
        second.write(&RowNow::default(), "ada", &mut headers, &mut out);
        let list = crate::read(out, Format::JsonLines, &Reading::default()).unwrap();
        let names: Vec<String> = list.iter().map(|entry| entry.name()).collect();
        assert_eq!((names, list.refused()), (vec!["Ann".to_owned(), "王芳".to_owned()], 0));
        assert_ne!(first.tasks[0].0, second.tasks[0].0);
    }

    #[test]
    fn what_cannot_be_a_list_is_told() {
        let plain = Settings::default();
        assert_eq!(judged("number\n1\n2\n3\n4\n5\n6\n7\n", &plain, 1).unwrap_err(), NoSheet::Rows(6));
        let by = Settings { order: Order::parse("city").unwrap(), ..Settings::default() };
        assert!(judged("number\n1\n", &by, 1).unwrap_err().to_string().contains("\"city\""));
        assert!(judged("name\nx\n", &plain, 1).unwrap_err().to_string().contains("no column is called"));
        let (text, preview) = judged("number\n112\n", &plain, 1).unwrap();
        assert_eq!((Sheet::read(&text).unwrap().len(), preview.rows), (0, 1));
        assert!(Sheet::read(b"{\"number\":\"x\"}\n").is_err());
    }
}
