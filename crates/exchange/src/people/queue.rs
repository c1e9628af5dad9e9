//! Queues: one number, callers who wait in order, and the agents who take them.

use super::Strategy;
use crate::badges::{Hours, WeekTime};
use clock::Wall;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::time::Duration;

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The name that callers and agents see.
    pub display: Box<str>,
    /// The number that is dialled.
    pub number: Box<str>,
    /// Which agent is next.
    pub strategy: QueueStrategy,
    /// Who may work for it.
    pub members: Vec<QueueMember>,
    /// The wrap-up after its calls.
    pub wrap_up: Duration,
    /// How long it rings at an agent.
    pub ring: Duration,
    /// How long a caller waits before the call goes to `overflow`; for ever if not said.
    pub longest_wait: Option<Duration>,
    /// Callers who wait at most; the next go to `overflow`.
    pub most_waiting: u16,
    /// Where calls go that the queue does not take, or keeps no longer; they end if there is none.
    pub overflow: Option<Box<str>>,
    /// When it is open, by the office's clock; always if there is none.
    pub hours: Vec<Hours>,
    /// Days on which it is closed.
    pub holidays: Vec<Date>,
    /// After so long a waiting caller is answered with music; R8 if not said.
    pub answer_after: Option<Duration>,
    /// How often a caller hears their place; never if zero.
    pub announce: Duration,
    /// Whoever is answered within so long was served well.
    pub service_level: Duration,
    /// Numbers whose callers come before all others.
    pub preferred: Vec<Box<str>>,
    /// Whether callers may ask to be called back, and keep their place.
    pub callback: Option<QueueCallback>,
}

/// How callers of a queue are called back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueCallback {
    /// The key that asks for it.
    pub key: char,
    /// Who is called first, once an agent is reserved.
    pub first: CallbackFirst,
    /// Attempts at most; laws may allow less.
    pub attempts: u8,
    /// Whether numbers abroad are called; those that cost extra never are.
    pub abroad: bool,
}

/// Who is called first when a caller is called back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackFirst {
    /// The agent, who hears it ring at the caller: nobody answers into silence.
    Agent,
    /// The caller, who hears music until the agent answers.
    Caller,
}

impl QueueCallback {
    /// As it is where nothing else is said.
    pub const USUAL: QueueCallback =
        QueueCallback { key: '1', first: CallbackFirst::Agent, attempts: 3, abroad: false };
    /// Attempts that may be set.
    pub const ATTEMPTS: std::ops::RangeInclusive<u8> = 1..=10;
}

impl CallbackFirst {
    /// The name in commands and lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CallbackFirst::Agent => "agent",
            CallbackFirst::Caller => "caller",
        }
    }

    /// The one of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<CallbackFirst> {
        [CallbackFirst::Agent, CallbackFirst::Caller].into_iter().find(|first| first.name() == name)
    }
}

/// An account that may work for a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueMember {
    /// The account.
    pub account: Box<str>,
    /// Callers come to the least first.
    pub priority: u8,
}

/// Which agent of a queue is next, among those of the least priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueStrategy {
    /// The one who has been ready the longest.
    LongestIdle,
    /// The one whose last turn is the longest ago.
    RoundRobin,
    /// All at once.
    All,
}

impl QueueStrategy {
    /// All of them.
    pub const ALL: [QueueStrategy; 3] =
        [QueueStrategy::LongestIdle, QueueStrategy::RoundRobin, QueueStrategy::All];

    /// The name in commands and lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            QueueStrategy::LongestIdle => "longest-idle",
            QueueStrategy::RoundRobin => "round-robin",
            QueueStrategy::All => Strategy::All.name(),
        }
    }

    /// The strategy of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<QueueStrategy> {
        QueueStrategy::ALL.into_iter().find(|strategy| strategy.name() == name)
    }
}

impl Queue {
    /// One of this number that nobody works for yet.
    #[must_use]
    pub fn new(display: &str, number: &str) -> Queue {
        Queue {
            display: display.into(),
            number: number.into(),
            strategy: QueueStrategy::LongestIdle,
            members: Vec::new(),
            wrap_up: Duration::ZERO,
            ring: Duration::from_secs(20),
            longest_wait: None,
            most_waiting: 100,
            overflow: None,
            hours: Vec::new(),
            holidays: Vec::new(),
            answer_after: None,
            announce: Duration::from_secs(45),
            service_level: Duration::from_secs(20),
            preferred: Vec::new(),
            callback: None,
        }
    }

    /// Whether it takes callers at a time of day in the office's zone.
    pub(crate) fn is_open(&self, now: Wall, zone: &TimeZone) -> bool {
        if self.hours.is_empty() && self.holidays.is_empty() {
            return true;
        }
        let Ok(at) = Timestamp::from_millisecond(now.0).map(|at| at.to_zoned(zone.clone())) else {
            return true;
        };
        // A day of the week and a minute of the day fit.
        let day = at.weekday().to_monday_zero_offset() as u8;
        let minute = at.hour() as u16 * 60 + at.minute() as u16;
        let works =
            self.hours.is_empty() || self.hours.iter().any(|hours| hours.has(WeekTime { day, minute }));
        works && !self.holidays.contains(&at.date())
    }
}

/// The longest holiday of a calendar, in days.
const LONGEST_HOLIDAY: usize = 366;

/// The days of the events of an iCal calendar (RFC 5545), each once and in order.
///
/// # Errors
/// In words, with the line: a date that is none, or an event that recurs.
pub fn holidays_of_calendar(text: &str) -> Result<Vec<Date>, String> {
    let mut days = Vec::new();
    // Time zones and alarms have dates and rules of their own.
    let mut inside: Vec<String> = Vec::new();
    let (mut start, mut end) = (None, None);
    for (number, line) in text.lines().enumerate() {
        let Some((name, value)) = line.trim_end().split_once(':') else { continue };
        let at = |why: String| format!("line {}: {why}", number + 1);
        let event = inside.last().is_some_and(|part| part == "VEVENT");
        match name.split(';').next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "BEGIN" => {
                inside.push(value.to_ascii_uppercase());
                if value.eq_ignore_ascii_case("VEVENT") {
                    (start, end) = (None, None);
                }
            }
            "DTSTART" if event => start = Some(date_of(value).map_err(at)?.0),
            "DTEND" if event => end = Some(date_of(value).map_err(at)?),
            "RRULE" if event => {
                return Err(at("an event that recurs is not read; export each day of it".to_owned()));
            }
            "END" => {
                inside.pop();
                if !event {
                    continue;
                }
                let first = start.ok_or_else(|| at("an event without DTSTART".to_owned()))?;
                // 3.6.1: what is told is the first moment after it; without one it is a single day.
                let last = match end {
                    Some((day, true)) => day,
                    Some((day, false)) => day.yesterday().unwrap_or(day),
                    None => first,
                };
                let last = last.max(first);
                let span = first.series(jiff::Span::new().days(1)).take(LONGEST_HOLIDAY);
                days.extend(span.take_while(|day| *day <= last));
            }
            _ => {}
        }
    }
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

/// The day of a DATE or DATE-TIME value, and whether something of that day is before it.
fn date_of(value: &str) -> Result<(Date, bool), String> {
    let digits = value.get(..8).filter(|digits| digits.bytes().all(|octet| octet.is_ascii_digit()));
    let part = |range: std::ops::Range<usize>| digits.and_then(|digits| digits.get(range));
    let date =
        || Date::new(part(0..4)?.parse().ok()?, part(4..6)?.parse().ok()?, part(6..8)?.parse().ok()?).ok();
    let later = value.get(9..).is_some_and(|time| time.bytes().any(|octet| matches!(octet, b'1'..=b'9')));
    date().map(|date| (date, later)).ok_or_else(|| format!("\"{value}\" is no date"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALENDAR: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:National Day\r\n\
        DTSTART;VALUE=DATE:20261001\r\nDTEND;VALUE=DATE:20261004\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\n\
        DTSTART:20261225T000000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn holidays_are_the_days_of_a_calendar() {
        let days: Vec<String> =
            holidays_of_calendar(CALENDAR).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(days, ["2026-10-01", "2026-10-02", "2026-10-03", "2026-12-25"]);
        for (text, words) in [
            ("BEGIN:VEVENT\nDTSTART:20261301\n", "line 2: \"20261301\" is no date"),
            ("BEGIN:VEVENT\nDTSTART:2026\n", "line 2: \"2026\" is no date"),
            ("BEGIN:VEVENT\nEND:VEVENT\n", "line 2: an event without DTSTART"),
            ("BEGIN:VEVENT\nRRULE:FREQ=YEARLY\n", "line 2: an event that recurs"),
        ] {
            let refused = holidays_of_calendar(text).unwrap_err();
            assert!(refused.starts_with(words), "{refused}");
        }
        assert_eq!(holidays_of_calendar("").unwrap(), []);
    }

    /// As Outlook writes it: a time zone with rules of its own, times of day, and an alarm.
    #[test]
    fn only_events_count_in_a_calendar() {
        let text = "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Berlin\nBEGIN:STANDARD\nDTSTART:16011028T030000\n\
            RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\n\
            DTSTART;TZID=Berlin:20261224T120000\nDTEND;TZID=Berlin:20261226T180000\nBEGIN:VALARM\nTRIGGER:-PT15M\n\
            END:VALARM\nEND:VEVENT\nBEGIN:VEVENT\nDTSTART:20261231T000000\nDTEND:20270101T000000\nEND:VEVENT\n\
            END:VCALENDAR\n";
        let days: Vec<String> = holidays_of_calendar(text).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(days, ["2026-12-24", "2026-12-25", "2026-12-26", "2026-12-31"]);
    }

    #[test]
    fn a_queue_is_open_in_its_hours_and_closed_on_holidays() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        let mut queue = Queue::new("Sales", "800");
        let at = |text: &str| Wall(text.parse::<Timestamp>().unwrap().as_millisecond());
        // A Thursday, 09:30 in the office.
        let morning = at("2026-10-01T01:30:00Z");
        assert!(queue.is_open(morning, &zone));
        queue.hours = vec![Hours::parse("mon-fri 09:00-18:00").unwrap()];
        assert!(queue.is_open(morning, &zone) && !queue.is_open(at("2026-10-01T10:00:00Z"), &zone));
        queue.holidays = holidays_of_calendar(CALENDAR).unwrap();
        assert!(!queue.is_open(morning, &zone) && queue.is_open(at("2026-10-05T01:30:00Z"), &zone));
    }

    #[test]
    fn strategies_are_known_by_their_names() {
        for strategy in QueueStrategy::ALL {
            assert_eq!(QueueStrategy::of_name(strategy.name()), Some(strategy));
        }
    }
}
