//! The journal: one line for each commit, in JSON, so that a line that was cut off by a crash is seen and left out.
//!
//! ```text
//! {"at":...,"records":[{"list":{...}}]}
//! {"at":...,"records":[{"claim":{"task":"00c0ffee00c0ffee","attempt":1,"number":"+86...","at":...}},{"audit":{...}}]}
//! {"at":...,"records":[{"result":{...,"outcome":"busy","category":"busy","sure":true,"talked":0}}]}
//! ```
//!
//! The rows of the list are not in it: they come from the list itself.

use super::told::Try;
use clock::Wall;
use dialing::cause::{Category, Finding, Outcome};
use dialing::{Attempt, AttemptId, Audit, Decision, End, Number, Row, TaskId};
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) records: Vec<Record>,
}

/// One thing that was written down. Times are milliseconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    /// A list was loaded.
    List {
        agent: String,
        list: String,
        run: String,
        rows: usize,
    },
    /// An attempt of another run, whose budget goes on.
    Before(Made),
    Claim(Made),
    /// The callee of an attempt answered.
    Answered {
        task: String,
        attempt: u16,
        at: i64,
    },
    Result(Made),
    End {
        task: String,
        at: i64,
        end: String,
    },
    Changed {
        task: String,
        not_before: Option<i64>,
    },
    /// A row that had ended is called once more, by this name.
    Again {
        task: String,
        of: String,
        not_before: i64,
    },
    Mark {
        task: String,
        result: String,
        note: String,
    },
    Forbidden {
        number: String,
    },
    Audit {
        at: i64,
        task: String,
        number: String,
        decision: String,
        rule: String,
    },
    ClockSet(i64),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Made {
    task: String,
    attempt: u16,
    number: String,
    at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sure: Option<bool>,
    #[serde(default, skip_serializing_if = "is_none")]
    talked: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
fn is_none(seconds: &u32) -> bool {
    *seconds == 0
}

impl Made {
    pub(super) fn of(attempt: &Attempt, talked: u32) -> Made {
        let finding = attempt.finished.map(|(_, finding)| finding);
        Made {
            task: name(attempt.id.task),
            attempt: attempt.id.ordinal,
            number: attempt.number.to_string(),
            at: attempt.at.0,
            ended: attempt.finished.map(|(ended, _)| ended.0),
            outcome: finding.map(|finding| finding.outcome.name().to_owned()),
            category: finding.map(|finding| finding.category.name().to_owned()),
            sure: finding.map(|finding| finding.sure),
            talked,
        }
    }

    /// As it was; `None` when somebody wrote into the file.
    pub(super) fn read(&self) -> Option<(Number, Try)> {
        let outcome = self.outcome.as_deref().and_then(Outcome::by_name);
        let finished = self.ended.zip(outcome).map(|(ended, outcome)| {
            let category = self.category.as_deref().and_then(Category::by_name);
            let category = category.unwrap_or(outcome.category());
            (Wall(ended), Finding { outcome, category, sure: self.sure.unwrap_or(true) })
        });
        let id = AttemptId { task: task(&self.task)?, ordinal: self.attempt };
        let made = Try { id, at: Wall(self.at), finished, talked: self.talked };
        Some((Number::parse(&self.number).ok()?, made))
    }
}

/// A task as files write it.
pub(super) fn name(task: TaskId) -> String {
    format!("{:016x}", task.0)
}

pub(super) fn task(name: &str) -> Option<TaskId> {
    u64::from_str_radix(name, 16).ok().map(TaskId)
}

/// What a row of a commit leaves in the journal. Rows of the list come from the list.
pub(super) fn record(row: &Row, talked: impl Fn(AttemptId) -> u32) -> Option<Record> {
    Some(match row {
        Row::Task(_) | Row::Permitted(..) => return None,
        Row::Changed { task, not_before, .. } => {
            Record::Changed { task: name(*task), not_before: not_before.map(|at| at.0) }
        }
        Row::Claim(attempt) => Record::Claim(Made::of(attempt, 0)),
        Row::Result(attempt) => Record::Result(Made::of(attempt, talked(attempt.id))),
        Row::End { task, at, end, .. } => {
            Record::End { task: name(*task), at: at.0, end: end.name().to_owned() }
        }
        Row::Audit(audit) => audited(audit),
        Row::ClockSet(step) => Record::ClockSet(*step),
        Row::Forbidden(number, _) => Record::Forbidden { number: number.to_string() },
    })
}

fn audited(audit: &Audit) -> Record {
    let decision = match audit.decision {
        Decision::Allowed => "allowed",
        Decision::PutOff => "put_off",
        Decision::Refused => "refused",
    };
    Record::Audit {
        at: audit.at.0,
        task: name(audit.task),
        number: audit.number.to_string(),
        decision: decision.to_owned(),
        rule: audit.rule.to_string(),
    }
}

pub(super) fn end(name: &str) -> Option<End> {
    End::by_name(name)
}

/// A line of these records.
pub(super) fn line(records: Vec<Record>) -> Vec<u8> {
    let mut line = serde_json::to_vec(&Line { records }).unwrap_or_default();
    line.push(b'\n');
    line
}

/// All whole lines of a journal, and how many octets they are: what is behind them was cut off, and is to be cut away
/// before anything is appended.
///
/// # Errors
/// The number of a line that is none and is not the last: somebody wrote into the file.
pub(super) fn lines(text: &[u8]) -> Result<(Vec<Line>, usize), usize> {
    let mut lines = Vec::new();
    let mut sound = 0;
    for (index, line) in text.split_inclusive(|octet| *octet == b'\n').enumerate() {
        let whole = line.ends_with(b"\n");
        match serde_json::from_slice(line) {
            Ok(read) if whole => lines.push(read),
            _ if sound + line.len() == text.len() => break,
            _ => return Err(index + 1),
        }
        sound += line.len();
    }
    Ok((lines, sound))
}
