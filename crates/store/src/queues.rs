//! Queues in the database: few rows, written one by one.

use crate::group::delete;
use crate::outside::{Rows, words};
use exchange::{
    CallbackFirst, Change, Hours, PeopleChange, Queue, QueueCallback, QueueMember, QueueStrategy,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use std::time::Duration;

pub(crate) async fn write(
    connection: &mut SqliteConnection,
    queues: &Rows<'_, Queue>,
) -> Result<(), sqlx::Error> {
    delete(connection, "DELETE FROM queues WHERE name IN ", queues.keys().copied().collect()).await?;
    for (name, queue) in queues {
        let Some(queue) = queue else { continue };
        let callback = queue.callback.unwrap_or(QueueCallback::USUAL);
        let members = queue.members.iter().map(|member| format!("{} {}", member.account, member.priority));
        sqlx::query(
            "INSERT INTO queues (name, display, number, strategy, members, wrap_up_ms, ring_ms, longest_ms, \
             most_waiting, overflow, hours, holidays, answer_ms, announce_ms, level_ms, preferred, \
             callback_key, callback_first, callback_attempts, callback_abroad) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(*name)
        .bind(&*queue.display)
        .bind(&*queue.number)
        .bind(queue.strategy.name())
        .bind(members.collect::<Vec<_>>().join("\n"))
        .bind(milliseconds(queue.wrap_up))
        .bind(milliseconds(queue.ring))
        .bind(queue.longest_wait.map(milliseconds))
        .bind(queue.most_waiting)
        .bind(queue.overflow.as_deref())
        .bind(queue.hours.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        .bind(words(queue.holidays.iter().map(ToString::to_string)))
        .bind(queue.answer_after.map(milliseconds))
        .bind(milliseconds(queue.announce))
        .bind(milliseconds(queue.service_level))
        .bind(words(queue.preferred.iter().map(ToString::to_string)))
        .bind(queue.callback.map(|callback| callback.key.to_string()))
        .bind(callback.first.name())
        .bind(callback.attempts)
        .bind(callback.abroad)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

pub(crate) async fn read(connection: &mut SqliteConnection) -> Result<Vec<Change>, sqlx::Error> {
    let mut changes = Vec::new();
    for row in sqlx::query("SELECT * FROM queues ORDER BY name").fetch_all(connection).await? {
        let (name, queue) = (row.try_get::<String, _>("name")?.into(), Box::new(queue(&row)?));
        changes.push(Change::People(PeopleChange::PutQueue { name, queue }));
    }
    Ok(changes)
}

fn queue(row: &SqliteRow) -> Result<Queue, sqlx::Error> {
    let time = |column: &str| row.try_get::<i64, _>(column).map(span);
    let maybe = |column: &str| row.try_get::<Option<i64>, _>(column).map(|time| time.map(span));
    let member = |line: Box<str>| {
        let (account, priority) = line.split_once(' ')?;
        Some(QueueMember { account: account.into(), priority: priority.parse().ok()? })
    };
    Ok(Queue {
        display: row.try_get::<String, _>("display")?.into(),
        number: row.try_get::<String, _>("number")?.into(),
        strategy: QueueStrategy::of_name(row.try_get("strategy")?).unwrap_or(QueueStrategy::LongestIdle),
        members: lines(row.try_get("members")?, '\n').into_iter().filter_map(member).collect(),
        wrap_up: time("wrap_up_ms")?,
        ring: time("ring_ms")?,
        longest_wait: maybe("longest_ms")?,
        most_waiting: row.try_get("most_waiting")?,
        overflow: row.try_get::<Option<String>, _>("overflow")?.map(Into::into),
        hours: lines(row.try_get("hours")?, '\n').iter().filter_map(|hours| Hours::parse(hours)).collect(),
        holidays: lines(row.try_get("holidays")?, ' ').iter().filter_map(|day| day.parse().ok()).collect(),
        answer_after: maybe("answer_ms")?,
        announce: time("announce_ms")?,
        service_level: time("level_ms")?,
        preferred: lines(row.try_get("preferred")?, ' '),
        callback: callback(row)?,
    })
}

fn callback(row: &SqliteRow) -> Result<Option<QueueCallback>, sqlx::Error> {
    let key: Option<String> = row.try_get("callback_key")?;
    let Some(key) = key.and_then(|key| key.chars().next()) else { return Ok(None) };
    let usual = QueueCallback::USUAL;
    Ok(Some(QueueCallback {
        key,
        first: CallbackFirst::of_name(row.try_get("callback_first")?).unwrap_or(usual.first),
        attempts: row.try_get("callback_attempts")?,
        abroad: row.try_get("callback_abroad")?,
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
