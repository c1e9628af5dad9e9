//! Queues and agents on the control socket, and what becomes of their fields in the exchange.

use exchange::{
    AgentRow, CallbackFirst, Hours, Queue, QueueCallback, QueueMember, QueueRow, QueueStrategy, Started,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A queue; of its times, those that are zero stand for what is usual, and `longest_wait_seconds` for no end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueueItem {
    /// Its name.
    pub name: String,
    /// What callers and agents see.
    pub display: String,
    /// The number that is dialled.
    pub number: String,
    /// `longest-idle`, `round-robin` or `all`.
    pub strategy: String,
    /// Its accounts, each alone or as `account:priority`.
    pub members: Vec<String>,
    /// The wrap-up after its calls.
    pub wrap_up_ms: u32,
    /// How long it rings at an agent.
    pub ring_ms: u32,
    /// How long a caller waits at most.
    pub longest_wait_ms: u32,
    /// Callers who wait at most.
    pub most_waiting: u16,
    /// Where calls go that it does not take; empty if they end.
    pub overflow: String,
    /// As in `mon-fri 08:00-19:00`; always if there is none.
    pub hours: Vec<String>,
    /// As in `2026-12-25`.
    pub holidays: Vec<String>,
    /// After so long a waiting caller is answered with music.
    pub answer_after_ms: Option<u32>,
    /// How often a caller hears their place; never if zero.
    pub announce_ms: Option<u32>,
    /// Whoever is answered within so long was served well.
    pub service_level_ms: u32,
    /// Numbers whose callers come first.
    pub preferred: Vec<String>,
    /// How callers are called back; nothing if they are not.
    pub callback: Option<CallbackItem>,
    /// How it stands.
    pub now: Option<QueueNow>,
}

/// How callers of a queue are called back; what is left out is what is usual.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallbackItem {
    /// The key that asks for it.
    pub key: String,
    /// `agent` or `caller`.
    pub first: String,
    /// Attempts at most.
    pub attempts: u8,
    /// Whether numbers abroad are called.
    pub abroad: bool,
}

/// How a queue stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueueNow {
    /// Whether it takes callers.
    pub open: bool,
    /// Its callers hear a recording of its own.
    pub own_music: bool,
    /// Callers in it, also those who are called back.
    pub waiting: usize,
    /// Those of them who are called back.
    pub callbacks: usize,
    /// Since when the first of them waits, in milliseconds since 1970.
    pub first_since: Option<i64>,
    /// How long a caller who came now would wait, if enough was measured.
    pub expected_wait_ms: Option<u32>,
    /// Agents who are ready.
    pub ready: usize,
    /// Callers since the start of the exchange, those answered, those answered in time, those who gave up, and those who
    /// went elsewhere.
    pub counts: [u64; 5],
    /// Callers who asked to be called back, those who were, and those with whom it came to nothing.
    pub callback_counts: [u64; 3],
    /// Of a hundred callers, those answered in time.
    pub service_level: Option<u8>,
}

/// An agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentItem {
    /// The account.
    pub account: String,
    /// As in `ready`.
    pub state: String,
    /// The state with its cause, its rule and its end.
    pub words: String,
    /// The rule's name.
    pub rule: String,
    /// Since when, in milliseconds since 1970.
    pub since: i64,
    /// Where callers ring; empty for all phones.
    pub device: String,
    /// The queues that are worked for.
    pub queues: Vec<String>,
    /// What their phone was started with.
    pub profile: Option<StartedItem>,
}

/// What a phone was started with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StartedItem {
    /// The profile.
    pub name: String,
    /// The version that it was given last.
    pub version: String,
    /// The version that it has loaded, if it said so; start-up is complete when it is the one above.
    pub loaded: Option<String>,
    /// When it said so, in milliseconds since 1970.
    pub since: Option<i64>,
}

/// Reads a queue.
///
/// # Errors
/// The field, and what is wrong with it in words.
pub(crate) fn queue(item: &QueueItem) -> Result<Queue, (&'static str, String)> {
    let usual = Queue::new(&item.name, &item.number);
    let or = |millis: u32, usual: Duration| if millis == 0 { usual } else { time(millis) };
    let strategy = if item.strategy.is_empty() { "longest-idle" } else { &item.strategy };
    let ring = or(item.ring_ms, usual.ring);
    if !(5..=600).contains(&ring.as_secs()) {
        return Err((
            "ring_ms",
            format!("{} s are too short or too long: 5 to 600 are right", ring.as_secs()),
        ));
    }
    let hours = item.hours.iter().map(|text| {
        Hours::parse(text).ok_or_else(|| {
            ("hours", format!("\"{text}\" are no hours; write them as in \"mon-fri 08:00-19:00\""))
        })
    });
    let holidays = item.holidays.iter().map(|text| {
        text.parse().map_err(|_| ("holidays", format!("\"{text}\" is no day; write it as in \"2026-12-25\"")))
    });
    Ok(Queue {
        display: exchange::clean_display(if item.display.is_empty() { &item.name } else { &item.display }),
        strategy: QueueStrategy::of_name(strategy).ok_or_else(|| {
            ("strategy", format!("\"{strategy}\" is no strategy: longest-idle, round-robin and all are"))
        })?,
        members: item.members.iter().map(|text| member(text)).collect::<Result<_, _>>()?,
        wrap_up: time(item.wrap_up_ms),
        ring,
        longest_wait: (item.longest_wait_ms > 0).then(|| time(item.longest_wait_ms)),
        most_waiting: if item.most_waiting == 0 { usual.most_waiting } else { item.most_waiting },
        overflow: Some(item.overflow.as_str()).filter(|number| !number.is_empty()).map(Into::into),
        hours: hours.collect::<Result<_, _>>()?,
        holidays: holidays.collect::<Result<_, _>>()?,
        answer_after: item.answer_after_ms.map(time),
        announce: item.announce_ms.map_or(usual.announce, time),
        service_level: or(item.service_level_ms, usual.service_level),
        preferred: item.preferred.iter().map(|number| number.as_str().into()).collect(),
        callback: item.callback.as_ref().map(callback).transpose()?,
        ..usual
    })
}

fn callback(item: &CallbackItem) -> Result<QueueCallback, (&'static str, String)> {
    let usual = QueueCallback::USUAL;
    let wrong = |field, why: String| Err((field, why));
    let key = match item.key.as_str() {
        "" => usual.key,
        key => match (key.len(), key.parse::<u8>()) {
            (1, Ok(digit)) => char::from(b'0' + digit),
            _ => return wrong("callback/key", format!("\"{key}\" is no key: a digit is")),
        },
    };
    let first = match item.first.as_str() {
        "" => usual.first,
        name => match CallbackFirst::of_name(name) {
            Some(first) => first,
            None => {
                return wrong("callback/first", format!("\"{name}\" is nobody: agent and caller are"));
            }
        },
    };
    let attempts = if item.attempts == 0 { usual.attempts } else { item.attempts };
    if !QueueCallback::ATTEMPTS.contains(&attempts) {
        return wrong("callback/attempts", format!("{attempts} attempts are too many: 1 to 10 are right"));
    }
    Ok(QueueCallback { key, first, attempts, abroad: item.abroad })
}

fn callback_item(callback: QueueCallback) -> CallbackItem {
    CallbackItem {
        key: callback.key.to_string(),
        first: callback.first.name().into(),
        attempts: callback.attempts,
        abroad: callback.abroad,
    }
}

/// `ada`, or `ada:2`.
fn member(text: &str) -> Result<QueueMember, (&'static str, String)> {
    let (account, priority) = text.rsplit_once(':').unwrap_or((text, "1"));
    let priority = priority.parse().map_err(|_| {
        ("members", format!("\"{text}\" is no member: write the account, or account:priority from 0 to 255"))
    })?;
    Ok(QueueMember { account: account.into(), priority })
}

pub(crate) fn queue_item(name: &str, queue: &Queue) -> QueueItem {
    let texts = |items: &[Box<str>]| items.iter().map(ToString::to_string).collect();
    let member = |member: &QueueMember| match member.priority {
        1 => member.account.to_string(),
        priority => format!("{}:{priority}", member.account),
    };
    QueueItem {
        name: name.into(),
        display: queue.display.to_string(),
        number: queue.number.to_string(),
        strategy: queue.strategy.name().into(),
        members: queue.members.iter().map(member).collect(),
        wrap_up_ms: millis(queue.wrap_up),
        ring_ms: millis(queue.ring),
        longest_wait_ms: queue.longest_wait.map_or(0, millis),
        most_waiting: queue.most_waiting,
        overflow: queue.overflow.as_deref().unwrap_or_default().into(),
        hours: queue.hours.iter().map(ToString::to_string).collect(),
        holidays: queue.holidays.iter().map(ToString::to_string).collect(),
        answer_after_ms: queue.answer_after.map(millis),
        announce_ms: Some(millis(queue.announce)),
        service_level_ms: millis(queue.service_level),
        preferred: texts(&queue.preferred),
        callback: queue.callback.map(callback_item),
        now: None,
    }
}

pub(crate) fn queue_row(row: &QueueRow) -> QueueItem {
    let counts = row.counts;
    let now = QueueNow {
        open: row.open,
        own_music: row.own_music,
        waiting: row.waiting,
        callbacks: row.callbacks,
        first_since: row.first_since.map(|since| since.0),
        expected_wait_ms: row.expected.map(millis),
        ready: row.ready,
        counts: [counts.offered, counts.answered, counts.in_time, counts.abandoned, counts.overflowed],
        callback_counts: [counts.callbacks, counts.called_back, counts.callbacks_lost],
        service_level: counts.service_level(),
    };
    QueueItem { now: Some(now), ..queue_item(&row.name, &row.queue) }
}

pub(crate) fn agent_item(row: &AgentRow) -> AgentItem {
    AgentItem {
        account: row.account.to_string(),
        state: row.state.name().into(),
        words: row.words.to_string(),
        rule: row.rule.into(),
        since: row.since.0,
        device: row.device.as_deref().unwrap_or_default().into(),
        queues: row.queues.iter().map(ToString::to_string).collect(),
        profile: row.profile.as_ref().map(started_item),
    }
}

pub(crate) fn started_item(started: &Started) -> StartedItem {
    StartedItem {
        name: started.profile.to_string(),
        version: started.version.to_string(),
        loaded: started.loaded.as_ref().map(|(version, _)| version.to_string()),
        since: started.loaded.as_ref().map(|(_, at)| at.0),
    }
}

fn time(milliseconds: u32) -> Duration {
    Duration::from_millis(milliseconds.into())
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_read_as_it_is_written() {
        let item = QueueItem {
            name: "sales".into(),
            number: "800".into(),
            members: vec!["ada".into(), "bob:2".into()],
            wrap_up_ms: 30_000,
            hours: vec!["mon-fri 08:00-19:00".into()],
            holidays: vec!["2026-12-25".into()],
            answer_after_ms: Some(0),
            callback: Some(CallbackItem::default()),
            ..QueueItem::default()
        };
        let read = queue(&item).unwrap();
        assert_eq!((&*read.display, read.members[0].priority, read.members[1].priority), ("sales", 1, 2));
        assert_eq!((read.answer_after, read.longest_wait), (Some(Duration::ZERO), None));
        assert_eq!(read.callback, Some(QueueCallback::USUAL));
        let callback = CallbackItem { key: "5".into(), first: "caller".into(), attempts: 2, abroad: true };
        assert_eq!(callback_item(super::callback(&callback).unwrap()), callback);
        let written = queue_item("sales", &read);
        assert_eq!((&written.members, written.ring_ms), (&item.members, 20_000));
        assert_eq!(queue(&written).unwrap(), read);
        for (wrong, field) in [
            (QueueItem { strategy: "fair".into(), ..item.clone() }, "strategy"),
            (QueueItem { members: vec!["ada:x".into()], ..item.clone() }, "members"),
            (QueueItem { hours: vec!["always".into()], ..item.clone() }, "hours"),
            (QueueItem { holidays: vec!["xmas".into()], ..item.clone() }, "holidays"),
            (QueueItem { ring_ms: 1_000, ..item }, "ring_ms"),
        ] {
            assert_eq!(queue(&wrong).unwrap_err().0, field);
        }
        for (wrong, field) in [
            (CallbackItem { key: "#".into(), ..callback.clone() }, "callback/key"),
            (CallbackItem { key: "12".into(), ..callback.clone() }, "callback/key"),
            (CallbackItem { first: "me".into(), ..callback.clone() }, "callback/first"),
            (CallbackItem { attempts: 99, ..callback }, "callback/attempts"),
        ] {
            assert_eq!(super::callback(&wrong).unwrap_err().0, field);
        }
    }
}
