//! How lists and their rows look.

use super::super::page::Items;
use super::super::time;
use dialing::End;
use exchange::lists::{AgentBoard, Content, ListRow, Progress};
use lists::results::{Callee, Made};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Rows of one page.
const ROWS: usize = 200;

/// A call list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListShape {
    /// Its name.
    pub name: String,
    /// Who made it.
    pub by: String,
    /// When.
    #[schema(format = DateTime)]
    pub made: String,
    /// `draft` before anybody has rows, `dealt`, `worked` when somebody was called, `done` when no row is open.
    pub state: String,
    /// Rows that are, or were, to be called.
    pub rows: usize,
    /// Rows of its file that were skipped.
    pub skipped: u32,
    /// The first of them.
    pub refusals: Vec<RefusalShape>,
    /// Rows that are nobody's.
    pub undealt: usize,
    /// Rows that are open.
    pub left: usize,
    /// Rows that ended, by how: `reached`, `declined`, `vacant`, `used_up`, `expired`, `stopped`, `forbidden`, `abandoned`.
    pub ended: BTreeMap<String, usize>,
    /// Calls that were made.
    pub attempts: usize,
    /// Each agent who has rows of it, or called.
    pub agents: Vec<BoardShape>,
}

/// How far an agent is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BoardShape {
    /// The account.
    pub account: String,
    /// Rows that are theirs.
    pub rows: usize,
    /// Those of them that are open.
    pub left: usize,
    /// Those that ended, by how.
    pub ended: BTreeMap<String, usize>,
    /// Calls that they made.
    pub attempts: usize,
    /// Seconds that they talked.
    pub talked_s: u64,
    /// When their last call ended; null before the first.
    #[schema(format = DateTime)]
    pub last: Option<String>,
    /// The phone that has a link to their rows, empty if we do not know which; null if none has.
    pub works_at: Option<String>,
}

/// A row of a file that is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusalShape {
    /// Its line.
    pub line: u32,
    /// Why, in words.
    pub why: String,
}

impl ListShape {
    pub(crate) fn of(row: &ListRow) -> ListShape {
        let refusal = |(line, why): &(u32, Box<str>)| RefusalShape { line: *line, why: why.to_string() };
        ListShape {
            name: row.name.to_string(),
            by: row.by.to_string(),
            made: time(row.at.0),
            state: row.state.name().into(),
            rows: row.rows,
            skipped: row.skipped,
            refusals: row.refusals.iter().take(100).map(refusal).collect(),
            undealt: row.undealt,
            left: row.left,
            ended: ended(&row.ended),
            attempts: row.attempts,
            agents: row.agents.iter().map(BoardShape::of).collect(),
        }
    }
}

impl BoardShape {
    fn of(board: &AgentBoard) -> BoardShape {
        BoardShape {
            account: board.account.to_string(),
            rows: board.rows,
            left: board.left,
            ended: ended(&board.ended),
            attempts: board.attempts,
            talked_s: board.talked,
            last: board.last.map(|at| time(at.0)),
            works_at: board.works_at.as_deref().map(Into::into),
        }
    }
}

fn ended(counts: &[usize]) -> BTreeMap<String, usize> {
    let named = End::ALL.iter().zip(counts).filter(|(_, count)| **count > 0);
    named.map(|(end, count)| (end.name().to_owned(), *count)).collect()
}

/// Which rows are wanted.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowsWanted {
    /// From this one on, in the order of the calls; the first is 0.
    #[serde(default)]
    from: usize,
    /// Only rows with this text.
    find: Option<String>,
    /// Only rows of this agent.
    agent: Option<String>,
}

/// A row of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct RowShape {
    /// Its line in the file; names it.
    line: u32,
    /// Whom it calls.
    number: String,
    /// Their name.
    name: String,
    /// Whose it is; null if nobody's.
    agent: Option<String>,
    /// `open`, or how it ended.
    state: String,
    /// Calls that were made.
    attempts: usize,
    /// What the last came to, as in docs/causes.md; null before the first.
    outcome: Option<String>,
    /// When the last ended.
    #[schema(format = DateTime)]
    at: Option<String>,
    /// What came of it, in the agent's words.
    result: String,
    /// A note.
    note: String,
    /// Not called before; null when it may be.
    #[schema(format = DateTime)]
    next: Option<String>,
}

/// The rows from one on.
pub(super) fn page(content: &Content, wanted: &RowsWanted) -> Items<RowShape> {
    let told: BTreeMap<u32, &Progress> = content.told.iter().map(|told| (told.row, &told.told)).collect();
    let find = wanted.find.as_deref().map(str::to_lowercase).filter(|text| !text.is_empty());
    let rows = 0..u32::try_from(content.sheet.len()).unwrap_or(u32::MAX);
    let fits = |shape: &RowShape| {
        let text =
            || format!("{} {} {} {}", shape.number, shape.name, shape.result, shape.state).to_lowercase();
        let agent = wanted.agent.as_deref().is_none_or(|agent| shape.agent.as_deref() == Some(agent));
        agent && find.as_deref().is_none_or(|find| text().contains(find))
    };
    let mut all =
        rows.filter_map(|row| shape(content, row, told.get(&row).copied())).filter(fits).skip(wanted.from);
    let items: Vec<RowShape> = all.by_ref().take(ROWS).collect();
    let next = all.next().map(|_| (wanted.from + items.len()).to_string());
    Items { items, next }
}

fn agent(content: &Content, row: u32) -> Option<&str> {
    let place = content.owners.get(row as usize)?.checked_sub(1)?;
    content.agents.get(usize::from(place)).map(|agent| &**agent)
}

fn shape(content: &Content, row: u32, told: Option<&Progress>) -> Option<RowShape> {
    let last = told.and_then(|told| told.attempts.iter().rev().find_map(|made| made.ended));
    Some(RowShape {
        line: content.sheet.line(row)?,
        number: content.sheet.number(row)?.to_string(),
        name: content.sheet.entry(row)?.name(),
        agent: agent(content, row).map(Into::into),
        state: told.and_then(|told| told.end).map_or("open", |(_, end)| end.name()).into(),
        attempts: told.map_or(0, |told| told.attempts.len()),
        outcome: last.map(|(_, outcome)| outcome.name().to_owned()),
        at: last.map(|(at, _)| time(at.0)),
        result: told.map(|told| told.result.to_string()).unwrap_or_default(),
        note: told.map(|told| told.note.to_string()).unwrap_or_default(),
        next: told.and_then(|told| told.not_before.filter(|_| told.end.is_none())).map(|at| time(at.0)),
    })
}

/// The rows that were begun, for a file of results.
pub(super) fn callees(content: &Content) -> impl Iterator<Item = Callee<'_>> {
    content.told.iter().filter_map(|told| {
        let (row, told) = (told.row, &told.told);
        let number = content.sheet.number(row)?;
        let entry = content.sheet.entry(row)?;
        let named =
            |place: u16| place.checked_sub(1).and_then(|place| content.agents.get(usize::from(place)));
        let made = |(index, made): (usize, &exchange::lists::Made)| Made {
            agent: named(made.agent).map_or("", |agent| agent),
            // Two phones may have counted alike; together they count on.
            ordinal: index + 1,
            at: made.at,
            ended: made.ended,
            talked: made.talked,
        };
        Some(Callee {
            task: entry.task(number),
            list: &content.name,
            agent: agent(content, row).unwrap_or(""),
            line: content.sheet.line(row),
            id: content.sheet.own_id(row),
            entry: Some(entry),
            number,
            attempts: told.attempts.iter().enumerate().map(made).collect(),
            state: told.end.map_or("open", |(_, end)| end.name()),
            ended: told.end.is_some(),
            result: &told.result,
            note: &told.note,
            not_before: told.not_before,
        })
    })
}
