//! Results that come back: what a phone wrote, read again by whoever dealt its list out.

use crate::limits;
use crate::list::shortened;
use crate::{Format, encoding};
use clock::Wall;
use dialing::cause::Outcome;
use dialing::{End, TaskId};
use std::collections::BTreeMap;
use std::fmt;

/// One row of a file of results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Names the row of the list for ever.
    pub task: TaskId,
    /// Names the attempt beside it; 0 for a row that was never called.
    pub attempt: u16,
    /// When it began.
    pub at: Option<Wall>,
    /// When and how it ended; none while it goes on.
    pub ended: Option<(Wall, Outcome)>,
    /// Seconds that were talked.
    pub talked: u32,
    /// How its row stands; only on the last line of a row.
    pub stands: Option<Stands>,
}

/// How a row stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stands {
    /// How it ended; none when it is open.
    pub end: Option<End>,
    /// What came of it, in the agent's words.
    pub result: Box<str>,
    /// A note.
    pub note: Box<str>,
    /// Not called before.
    pub not_before: Option<Wall>,
}

/// Why a file of results is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoResults {
    /// The line, from 1.
    pub line: usize,
    /// Why.
    pub why: Box<str>,
}

impl fmt::Display for NoResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for NoResults {}

/// Reads a file of results, in CSV or JSON Lines. Rows that were refused say nothing of a row of ours
/// and are left out.
///
/// # Errors
/// Which line is none, and why; nothing of such a file is taken.
pub fn reported(bytes: &[u8]) -> Result<Vec<Reported>, NoResults> {
    let wrong = |line: usize, why: &str| NoResults { line, why: shortened(why) };
    if bytes.is_empty() {
        // Nothing was begun.
        return Ok(Vec::new());
    }
    let (text, _) = encoding::text_of(bytes.to_vec()).map_err(|fault| wrong(1, &fault.to_string()))?;
    let mut rows = Vec::new();
    let mut take = |line: usize, cells: BTreeMap<String, String>| {
        if rows.len() >= limits::REPORTED {
            return Err(wrong(line, &format!("more than {} rows", limits::REPORTED)));
        }
        let row = row(&cells).map_err(|why| wrong(line, &why))?;
        rows.extend(row);
        Ok(())
    };
    match Format::of(bytes) {
        Format::Xlsx => return Err(wrong(1, "a spreadsheet; results are CSV or JSON Lines")),
        Format::JsonLines => {
            for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let cells =
                    serde_json::from_str(line).map_err(|error| wrong(index + 1, &error.to_string()))?;
                take(index + 1, cells)?;
            }
        }
        Format::Csv => {
            let mut table = csv::Reader::from_reader(text.as_bytes());
            let headers = table.headers().map_err(|error| wrong(1, &error.to_string()))?.clone();
            if !headers.iter().any(|header| header == "task") {
                return Err(wrong(1, "no column is called \"task\"; only CSV and JSON name attempts"));
            }
            for record in table.records() {
                let record = record.map_err(|error| {
                    let line = error.position().map_or(0, csv::Position::line);
                    wrong(usize::try_from(line).unwrap_or(0), &error.to_string())
                })?;
                let line = record.position().map_or(0, csv::Position::line);
                let cells = headers.iter().zip(&record).map(|(header, cell)| {
                    // What was made safe for a spreadsheet is plain again.
                    let plain =
                        cell.strip_prefix('\'').filter(|rest| crate::is_formula(rest)).unwrap_or(cell);
                    (header.to_owned(), plain.to_owned())
                });
                take(usize::try_from(line).unwrap_or(0), cells.collect())?;
            }
        }
    }
    Ok(rows)
}

fn row(cells: &BTreeMap<String, String>) -> Result<Option<Reported>, String> {
    let cell = |name: &str| cells.get(name).map_or("", |cell| cell.trim());
    let time = |name: &str| -> Result<Option<Wall>, String> {
        let text = cell(name);
        if text.is_empty() {
            return Ok(None);
        }
        let stamp: jiff::Timestamp = text.parse().map_err(|_| format!("{name}: \"{text}\" is no time"))?;
        Ok(Some(Wall(stamp.as_millisecond())))
    };
    let stands = match cell("end") {
        "refused" => return Ok(None),
        // Whoever has it no more says what he did, and not how it stands.
        "" | "withdrawn" => None,
        end => {
            let ended = End::by_name(end);
            if ended.is_none() && end != "open" {
                return Err(format!("end: \"{end}\" is none"));
            }
            let cut = |text: &str, most: usize| text[..text.floor_char_boundary(most)].into();
            Some(Stands {
                end: ended,
                result: cut(cell("result"), limits::RESULT),
                note: cut(cell("note"), limits::NOTE),
                not_before: time("next")?,
            })
        }
    };
    let task =
        u64::from_str_radix(cell("task"), 16).map_err(|_| format!("task: \"{}\" is none", cell("task")))?;
    let attempt = cell("attempt").parse().map_err(|_| format!("attempt: \"{}\" is none", cell("attempt")))?;
    let outcome = match cell("outcome") {
        "" => None,
        name => Some(Outcome::by_name(name).ok_or_else(|| format!("outcome: \"{name}\" is none"))?),
    };
    let talked = match cell("talked") {
        "" => 0,
        text => text.parse().map_err(|_| format!("talked: \"{text}\" is no number of seconds"))?,
    };
    let at = time("at")?;
    if attempt > 0 && at.is_none() {
        return Err("at: an attempt has a beginning".to_owned());
    }
    let ended = time("ended")?.zip(outcome);
    Ok(Some(Reported { task: TaskId(task), attempt, at, ended, talked, stands }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "task,attempt,at,ended,outcome,talked,end,result,note,next\n";

    #[test]
    fn a_file_of_results_is_read_as_it_was_written() {
        let text = format!(
            "{HEAD}00000000000000ff,1,2026-11-29T01:00:00Z,2026-11-29T01:00:20Z,busy,0,,,,\n\
             00000000000000ff,2,2026-11-29T02:00:00Z,2026-11-29T02:00:20Z,answered,7,reached,sold,'=1+1,\n\
             0000000000000001,0,,,,,open,,,2026-11-30T09:00:00Z\n,0,,,,,refused,,no number,\n"
        );
        let rows = reported(text.as_bytes()).unwrap();
        let short: Vec<_> = rows.iter().map(|row| (row.task.0, row.attempt, row.talked)).collect();
        assert_eq!(short, [(255, 1, 0), (255, 2, 7), (1, 0, 0)]);
        assert_eq!(rows[0].stands, None);
        let stands = rows[1].stands.as_ref().unwrap();
        assert_eq!((stands.end, &*stands.result, &*stands.note), (Some(End::Reached), "sold", "=1+1"));
        assert!(
            rows[2].stands.as_ref().is_some_and(|stands| stands.end.is_none() && stands.not_before.is_some())
        );
        let json = "{\"task\":\"ff\",\"attempt\":\"1\",\"at\":\"2026-11-29T01:00:00Z\",\"end\":\"open\"}\n";
        assert_eq!(reported(json.as_bytes()).unwrap()[0].ended, None);
        assert_eq!(reported(b""), Ok(Vec::new()), "nothing was begun");
        let given_away = json.replace("open", "withdrawn");
        let rows = reported(given_away.as_bytes()).unwrap();
        assert_eq!((rows[0].attempt, &rows[0].stands), (1, &None), "its attempts count");
    }

    #[test]
    fn what_is_no_result_is_refused_with_its_line() {
        for (text, why) in [
            ("number,name\n1,2\n", "line 1: no column is called \"task\"; only CSV and JSON name attempts"),
            ("task,attempt\nxyz,1\n", "line 2: task: \"xyz\" is none"),
            ("task,attempt\nff,1\n", "line 2: at: an attempt has a beginning"),
            ("task,attempt,end\nff,0,gone\n", "line 2: end: \"gone\" is none"),
            (
                "{\"task\":\"ff\",\"attempt\":\"0\",\"outcome\":\"bussy\"}",
                "line 1: outcome: \"bussy\" is none",
            ),
        ] {
            assert_eq!(reported(text.as_bytes()).unwrap_err().to_string(), why);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_octets_make_it_panic(bytes in proptest::collection::vec(0u8.., 0..300)) {
            for front in [&b""[..], HEAD.as_bytes(), b"{\"task\":\""] {
                let _ = reported(&[front, &bytes].concat());
            }
        }
    }
}
