//! Tasks to reach someone: each task, each attempt, who is not to be called, and what waits to be told to people.

use crate::outbox;
use crate::sql;
use crate::sql::{Clash, Connection, insert, query};
use clock::Wall;
use dialing::cause::{Category, Finding, Outcome};
use dialing::window::Span;
use dialing::{
    Attempt, AttemptId, Basis, Consent, End, LegOrder, Number, OwnerId, Purpose, Row, Task, TaskId,
};
use exchange::{Change, OutboxMessage, TaskChange};
use std::collections::BTreeMap;

/// Rows that are read at once: each takes some kilobytes until it is a task.
const PAGE: i64 = 1_000;
/// Milliseconds of attempts that budgets still count: the longest day has 25 hours.
const COUNTED: i64 = 26 * 3_600 * 1_000;
/// Milliseconds that a task is kept after its end.
const KEPT: i64 = 90 * 24 * 3_600 * 1_000;
/// Numbers whose rows of attempts only a person ends (AS/CA S002): what was long ago still counts.
const ENDED_BY_PEOPLE: &str = "+61%";

/// What a task came to be.
struct Changed<'a> {
    account: &'a str,
    not_before: Option<Wall>,
    until: Option<Wall>,
    priority: u8,
}

/// What a group does to tasks.
#[derive(Default)]
pub(crate) struct TaskRows<'a> {
    tasks: BTreeMap<TaskId, (&'a Task, &'a str, Wall)>,
    changed: BTreeMap<TaskId, Changed<'a>>,
    ended: BTreeMap<TaskId, (Wall, End)>,
    attempts: BTreeMap<AttemptId, Attempt>,
    steps: Vec<i64>,
    not_called: BTreeMap<(String, &'a str), bool>,
    messages: Vec<&'a OutboxMessage>,
}

impl<'a> TaskRows<'a> {
    pub(crate) fn add(&mut self, change: &'a TaskChange) {
        let account = &*change.account;
        match &change.row {
            Row::Task(task) => {
                self.tasks.insert(task.id, (task, account, change.at));
            }
            Row::Changed { task, not_before, until, priority, .. } => {
                let (not_before, until, priority) = (*not_before, *until, *priority);
                self.changed.insert(*task, Changed { account, not_before, until, priority });
            }
            Row::Claim(attempt) | Row::Result(attempt) => {
                self.attempts.insert(attempt.id, *attempt);
            }
            Row::End { task, at, end, .. } => {
                self.ended.insert(*task, (*at, *end));
            }
            Row::ClockSet(step) => {
                self.steps.push(*step);
                // What came before it in this very group is moved as well.
                for attempt in self.attempts.values_mut() {
                    attempt.at.0 += step;
                    if let Some((ended, _)) = &mut attempt.finished {
                        ended.0 += step;
                    }
                }
            }
            Row::Forbidden(number, owner) => self.not_call(*number, owner.is_some(), account, true),
            Row::Permitted(number, owner) => self.not_call(*number, owner.is_some(), account, false),
            // A decision is a fact, and comes as one.
            Row::Audit(_) => {}
        }
    }

    pub(crate) fn add_message(&mut self, message: &'a OutboxMessage) {
        self.messages.push(message);
    }

    fn not_call(&mut self, number: Number, owned: bool, account: &'a str, on: bool) {
        let account = if owned { account } else { "" };
        self.not_called.insert((number.to_string(), account), on);
    }

    pub(crate) async fn write(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        self.write_tasks(connection).await?;
        for step in &self.steps {
            let set = "UPDATE attempts SET at = at + ?1, ended = ended + ?1";
            query(set).bind(*step).execute(connection).await?;
        }
        self.write_attempts(connection).await?;
        self.write_not_called(connection).await?;
        outbox::write(connection, &self.messages).await
    }

    async fn write_tasks(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        let rows: Vec<_> = self.tasks.values().collect();
        let into = (
            "tasks",
            &[
                "id",
                "account",
                "number",
                "dialled",
                "since",
                "callee_first",
                "business",
                "asked",
                "not_before",
                "until",
                "slot_from",
                "slot_to",
                "zone",
                "priority",
                "rank",
                "attempts_before",
                "attempts_at_most",
                "interval",
                "basis",
                "evidence",
                "consent_until",
                "ended",
                "outcome",
            ][..],
        );
        insert(connection, into, Clash::Replace(1), &rows, |row, (task, account, since)| {
            let consent = task.consent.as_ref();
            row.bind(id(task.id)).bind(*account).bind(task.number.to_string());
            row.bind(&*task.data).bind(since.0);
            row.bind(task.legs == LegOrder::CalleeFirst);
            row.bind(task.purpose == Purpose::Business).bind(task.asked);
            row.bind(task.not_before.map(|at| at.0)).bind(task.until.map(|at| at.0));
            row.bind(task.slot.map(Span::from)).bind(task.slot.map(Span::to));
            row.bind(task.zone.as_deref()).bind(task.priority).bind(task.rank);
            row.bind(task.attempts_before).bind(task.attempts_at_most);
            row.bind(task.interval).bind(consent.map(|consent| consent.basis.name()));
            row.bind(consent.map(|consent| &*consent.evidence));
            row.bind(consent.and_then(|consent| consent.until).map(|at| at.0));
            // One that is written again is open again.
            row.bind(None::<i64>).bind(None::<&str>);
        })
        .await?;
        for (task, changed) in &self.changed {
            let set = "UPDATE tasks SET account = ?, not_before = ?, until = ?, priority = ? WHERE id = ?";
            let query = query(set).bind(changed.account).bind(changed.not_before.map(|at| at.0));
            let query = query.bind(changed.until.map(|at| at.0)).bind(changed.priority).bind(id(*task));
            query.execute(connection).await?;
        }
        for (task, (at, end)) in &self.ended {
            let query = query("UPDATE tasks SET ended = ?, outcome = ? WHERE id = ?");
            query.bind(at.0).bind(end.name()).bind(id(*task)).execute(connection).await?;
        }
        if let Some(newest) = self.ended.values().map(|(at, _)| at.0).max() {
            // The newest stays whatever its age: a number is never given twice.
            let old = "DELETE FROM tasks WHERE ended < ? AND id < (SELECT max(id) FROM tasks)";
            query(old).bind(newest - KEPT).execute(connection).await?;
            let old = "DELETE FROM attempts WHERE at < ? AND task NOT IN (SELECT id FROM tasks)";
            query(old).bind(newest - KEPT).execute(connection).await?;
        }
        Ok(())
    }

    async fn write_attempts(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        let rows: Vec<&Attempt> = self.attempts.values().collect();
        let into =
            ("attempts", &["task", "ordinal", "number", "at", "ended", "outcome", "category", "sure"][..]);
        insert(connection, into, Clash::Replace(2), &rows, |row, attempt| {
            let finding = attempt.finished.map(|(_, finding)| finding);
            row.bind(id(attempt.id.task)).bind(attempt.id.ordinal);
            row.bind(attempt.number.to_string()).bind(attempt.at.0);
            row.bind(attempt.finished.map(|(ended, _)| ended.0));
            row.bind(finding.map(|finding| finding.outcome.name()));
            row.bind(finding.map(|finding| finding.category.name()));
            row.bind(finding.map(|finding| finding.sure));
        })
        .await?;
        Ok(())
    }

    async fn write_not_called(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        for ((number, account), on) in &self.not_called {
            let query = match on {
                true => {
                    query("INSERT INTO not_called (number, account) VALUES (?, ?) ON CONFLICT DO NOTHING")
                }
                false => query("DELETE FROM not_called WHERE number = ? AND account = ?"),
            };
            query.bind(number).bind(*account).execute(connection).await?;
        }
        Ok(())
    }
}

/// Tasks that are not over, the attempts that still count, and who is not to be called.
pub(crate) async fn read(connection: &mut Connection) -> Result<Vec<Change>, sqlx::Error> {
    let mut changes = Vec::new();
    let mut push = |row: Row, account: String, at: i64| {
        let change = TaskChange { row, account: account.into(), at: Wall(at) };
        changes.push(Change::Task(Box::new(change)));
    };
    let newest = query("SELECT max(id) AS newest FROM tasks").fetch_one(connection).await?;
    if let Some(newest) = newest.get::<Option<i64>>("newest")? {
        // Names the highest number that was ever given; if it is open, it follows.
        let task = TaskId(u64::try_from(newest).unwrap_or_default());
        push(Row::End { task, at: Wall(0), end: End::Stopped, attempts: 0 }, String::new(), 0);
    }
    let page = "SELECT * FROM tasks WHERE ended IS NULL AND id > ? ORDER BY id LIMIT ?";
    let mut last = -1_i64;
    loop {
        let rows = query(page).bind(last).bind(PAGE).fetch_all(connection).await?;
        let Some(row) = rows.last() else { break };
        last = row.get("id")?;
        for row in &rows {
            if let Some(task) = task(row)? {
                push(Row::Task(Box::new(task)), row.get("account")?, row.get("since")?);
            }
        }
    }
    let counted = "SELECT * FROM attempts WHERE (task, ordinal) > (?, ?) AND \
                   (at >= (SELECT max(at) FROM attempts) - ? OR number LIKE ? OR \
                   task IN (SELECT id FROM tasks WHERE ended IS NULL)) ORDER BY task, ordinal LIMIT ?";
    let mut last = (-1_i64, 0_i64);
    loop {
        let page = query(counted).bind(last.0).bind(last.1).bind(COUNTED).bind(ENDED_BY_PEOPLE);
        let rows = page.bind(PAGE).fetch_all(connection).await?;
        let Some(row) = rows.last() else { break };
        last = (row.get("task")?, row.get("ordinal")?);
        for row in &rows {
            if let Some(attempt) = attempt(row)? {
                push(Row::Result(attempt), String::new(), 0);
            }
        }
    }
    for row in query("SELECT number, account FROM not_called").fetch_all(connection).await? {
        let account: String = row.get("account")?;
        if let Ok(number) = Number::parse(row.get("number")?) {
            // Whoever reads it finds the owner by the account.
            let owner = (!account.is_empty()).then_some(OwnerId(0));
            push(Row::Forbidden(number, owner), account, 0);
        }
    }
    Ok(changes)
}

/// One row; `None` when its number is none that we know, as after a downgrade.
fn task(row: &sql::Row) -> Result<Option<Task>, sqlx::Error> {
    let Ok(number) = Number::parse(row.get("number")?) else { return Ok(None) };
    let wall = |column: &str| row.get::<Option<i64>>(column).map(|at| at.map(Wall));
    let flag = |column: &str| row.get::<bool>(column);
    let id: i64 = row.get("id")?;
    let slot: (Option<u16>, Option<u16>) = (row.get("slot_from")?, row.get("slot_to")?);
    let basis = row.get::<Option<&str>>("basis")?.and_then(Basis::by_name);
    let evidence: Option<String> = row.get("evidence")?;
    let until = wall("consent_until")?;
    let consent = basis.map(|basis| Consent { basis, evidence: evidence.unwrap_or_default().into(), until });
    Ok(Some(Task {
        legs: if flag("callee_first")? { LegOrder::CalleeFirst } else { LegOrder::OwnerFirst },
        purpose: if flag("business")? { Purpose::Business } else { Purpose::Personal },
        asked: flag("asked")?,
        not_before: wall("not_before")?,
        until: wall("until")?,
        slot: slot.0.zip(slot.1).and_then(|(from, to)| Span::new(from, to)),
        zone: row.get::<Option<String>>("zone")?.map(Into::into),
        priority: row.get("priority")?,
        rank: row.get("rank")?,
        attempts_before: row.get("attempts_before")?,
        attempts_at_most: row.get("attempts_at_most")?,
        interval: row.get("interval")?,
        consent,
        data: row.get::<String>("dialled")?.into(),
        ..Task::new(TaskId(u64::try_from(id).unwrap_or_default()), number, OwnerId(0))
    }))
}

fn attempt(row: &sql::Row) -> Result<Option<Attempt>, sqlx::Error> {
    let Ok(number) = Number::parse(row.get("number")?) else { return Ok(None) };
    let task: i64 = row.get("task")?;
    let id =
        AttemptId { task: TaskId(u64::try_from(task).unwrap_or_default()), ordinal: row.get("ordinal")? };
    let outcome = row.get::<Option<&str>>("outcome")?.and_then(Outcome::by_name);
    let category = row.get::<Option<&str>>("category")?.and_then(Category::by_name);
    let (ended, sure): (Option<i64>, Option<bool>) = (row.get("ended")?, row.get("sure")?);
    let finished = ended.zip(outcome).map(|(ended, outcome)| {
        let category = category.unwrap_or(outcome.category());
        (Wall(ended), Finding { outcome, category, sure: sure.unwrap_or(true) })
    });
    Ok(Some(Attempt { id, number, at: Wall(row.get("at")?), finished }))
}

fn id(task: TaskId) -> i64 {
    i64::try_from(task.0).unwrap_or(i64::MAX)
}
