//! Queues in the database: few rows, written one by one.

use crate::outside::{Rows, words};
use crate::sql::{Clash, Connection, Row, delete, insert_one, query};
use exchange::{
    CallbackFirst, Change, Hours, PeopleChange, Queue, QueueCallback, QueueMember, QueueStrategy,
};
use std::time::Duration;

const COLUMNS: [&str; 20] = [
    "name",
    "display",
    "number",
    "strategy",
    "members",
    "wrap_up_ms",
    "ring_ms",
    "longest_ms",
    "most_waiting",
    "overflow",
    "hours",
    "holidays",
    "answer_ms",
    "announce_ms",
    "level_ms",
    "preferred",
    "callback_key",
    "callback_first",
    "callback_attempts",
    "callback_abroad",
];

pub(crate) async fn write(connection: &mut Connection, queues: &Rows<'_, Queue>) -> Result<(), sqlx::Error> {
    delete(connection, "DELETE FROM queues WHERE name IN ", queues.keys().copied().collect()).await?;
    for (name, queue) in queues {
        let Some(queue) = queue else { continue };
        let callback = queue.callback.unwrap_or(QueueCallback::USUAL);
        let members = queue.members.iter().map(|member| format!("{} {}", member.account, member.priority));
        insert_one(connection, ("queues", &COLUMNS), Clash::Refuse, |row| {
            row.bind(*name);
            row.bind(&*queue.display);
            row.bind(&*queue.number);
            row.bind(queue.strategy.name());
            row.bind(members.collect::<Vec<_>>().join("\n"));
            row.bind(milliseconds(queue.wrap_up));
            row.bind(milliseconds(queue.ring));
            row.bind(queue.longest_wait.map(milliseconds));
            row.bind(queue.most_waiting);
            row.bind(queue.overflow.as_deref());
            row.bind(queue.hours.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
            row.bind(words(queue.holidays.iter().map(ToString::to_string)));
            row.bind(queue.answer_after.map(milliseconds));
            row.bind(milliseconds(queue.announce));
            row.bind(milliseconds(queue.service_level));
            row.bind(words(queue.preferred.iter().map(ToString::to_string)));
            row.bind(queue.callback.map(|callback| callback.key.to_string()));
            row.bind(callback.first.name());
            row.bind(callback.attempts);
            row.bind(callback.abroad);
        })
        .await?;
    }
    Ok(())
}

pub(crate) async fn read(connection: &mut Connection) -> Result<Vec<Change>, sqlx::Error> {
    let mut changes = Vec::new();
    for row in query("SELECT * FROM queues ORDER BY name").fetch_all(connection).await? {
        let (name, queue) = (row.get::<String>("name")?.into(), Box::new(queue(&row)?));
        changes.push(Change::People(PeopleChange::PutQueue { name, queue }));
    }
    Ok(changes)
}

fn queue(row: &Row) -> Result<Queue, sqlx::Error> {
    let time = |column: &str| row.get::<i64>(column).map(span);
    let maybe = |column: &str| row.get::<Option<i64>>(column).map(|time| time.map(span));
    let member = |line: Box<str>| {
        let (account, priority) = line.split_once(' ')?;
        Some(QueueMember { account: account.into(), priority: priority.parse().ok()? })
    };
    Ok(Queue {
        display: row.get::<String>("display")?.into(),
        number: row.get::<String>("number")?.into(),
        strategy: QueueStrategy::of_name(row.get("strategy")?).unwrap_or(QueueStrategy::LongestIdle),
        members: lines(row.get("members")?, '\n').into_iter().filter_map(member).collect(),
        wrap_up: time("wrap_up_ms")?,
        ring: time("ring_ms")?,
        longest_wait: maybe("longest_ms")?,
        most_waiting: row.get("most_waiting")?,
        overflow: row.get::<Option<String>>("overflow")?.map(Into::into),
        hours: lines(row.get("hours")?, '\n').iter().filter_map(|hours| Hours::parse(hours)).collect(),
        holidays: lines(row.get("holidays")?, ' ').iter().filter_map(|day| day.parse().ok()).collect(),
        answer_after: maybe("answer_ms")?,
        announce: time("announce_ms")?,
        service_level: time("level_ms")?,
        preferred: lines(row.get("preferred")?, ' '),
        callback: callback(row)?,
    })
}

fn callback(row: &Row) -> Result<Option<QueueCallback>, sqlx::Error> {
    let key: Option<String> = row.get("callback_key")?;
    let Some(key) = key.and_then(|key| key.chars().next()) else { return Ok(None) };
    let usual = QueueCallback::USUAL;
    Ok(Some(QueueCallback {
        key,
        first: CallbackFirst::of_name(row.get("callback_first")?).unwrap_or(usual.first),
        attempts: row.get("callback_attempts")?,
        abroad: row.get("callback_abroad")?,
    }))
}

pub(crate) fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) fn span(milliseconds: i64) -> Duration {
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default())
}

/// The items of a text that have this between them.
pub(crate) fn lines(text: &str, between: char) -> Vec<Box<str>> {
    text.split(between).filter(|item| !item.is_empty()).map(Box::from).collect()
}
