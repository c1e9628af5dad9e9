//! Holidays from iCal files (RFC 5545): the part that calendars of holidays use.
//!
//! Read are VEVENTs with DTSTART as date or date and time, DTEND or DURATION in days or weeks, RRULE by year (BYMONTH,
//! BYMONTHDAY, BYDAY, INTERVAL, COUNT, UNTIL), RDATE, EXDATE, STATUS:CANCELLED and SUMMARY. What else stands there is passed
//! over, except a rule that we cannot follow: a holiday that is silently missing would be a call on that day.

mod rule;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use rule::Rule;
use std::collections::BTreeMap;
use std::fmt;

/// Octets of a file.
pub const OCTETS: usize = 4 << 20;
/// Days that a calendar may hold, in all its years.
pub const DAYS: usize = 50_000;
/// Days that one event may last.
pub const LASTS: i64 = 60;
/// Years that a rule is followed from its beginning: from 1900 into the next century.
pub const YEARS: i16 = 250;
/// Characters of a name that are kept.
const NAME: usize = 80;

/// The holidays of one region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    days: BTreeMap<Date, u16>,
    names: Vec<Box<str>>,
}

/// Why a file was not taken, with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotACalendar {
    /// Counted from one; that on which a folded line begins.
    pub line: usize,
    /// What is wrong there.
    pub what: Wrong,
}

/// What is wrong with a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Larger than [`OCTETS`].
    TooLarge,
    /// It does not begin with `BEGIN:VCALENDAR`, or has no end.
    NoCalendar,
    /// More than [`DAYS`] days.
    TooManyDays,
    /// No date can be read here.
    Date,
    /// An event without a beginning, or that ends before it.
    Event,
    /// It lasts more than [`LASTS`] days.
    TooLong,
    /// A rule that is not followed here.
    Rule,
}

impl Calendar {
    /// Reads a file.
    ///
    /// # Errors
    /// The first thing that is wrong; nothing of the file is taken then.
    pub fn parse(text: &str) -> Result<Calendar, NotACalendar> {
        if text.len() > OCTETS {
            return Err(NotACalendar { line: 1, what: Wrong::TooLarge });
        }
        let mut calendar = Calendar::default();
        let mut reading = Reading::default();
        let mut last = 1;
        for (line, content) in unfolded(text) {
            last = line;
            let fault = |what| NotACalendar { line, what };
            if let Some(event) = reading.take(&content).map_err(fault)? {
                calendar.add(event).map_err(fault)?;
            }
        }
        if reading.state == State::After {
            Ok(calendar)
        } else {
            Err(NotACalendar { line: last, what: Wrong::NoCalendar })
        }
    }

    /// A calendar of these days.
    #[must_use]
    pub fn of(days: &[(Date, &str)]) -> Calendar {
        let mut calendar = Calendar::default();
        for (day, name) in days.iter().take(DAYS) {
            let name = calendar.name(name);
            calendar.days.insert(*day, name);
        }
        calendar
    }

    /// The name of the holiday on this day.
    #[must_use]
    pub fn holiday(&self, day: Date) -> Option<&str> {
        let name = self.days.get(&day)?;
        self.names.get(usize::from(*name)).map(|name| &**name)
    }

    /// How many days are holidays.
    #[must_use]
    pub fn len(&self) -> usize {
        self.days.len()
    }

    /// Whether no day is one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    fn add(&mut self, event: Event) -> Result<(), Wrong> {
        let start = event.start.ok_or(Wrong::Event)?;
        let lasts = event.lasts(start)?;
        if event.cancelled {
            return Ok(());
        }
        let mut starts = match event.rule {
            Some(rule) => rule.dates(start),
            None => vec![start],
        };
        starts.extend(event.more);
        let name = self.name(&event.name);
        for start in starts.into_iter().filter(|start| !event.except.contains(start)) {
            for day in 0..lasts {
                let Ok(day) = start.checked_add(day.days()) else { break };
                self.days.insert(day, name);
            }
            if self.days.len() > DAYS {
                return Err(Wrong::TooManyDays);
            }
        }
        Ok(())
    }

    /// The place of a name; when there are too many, that of the last.
    fn name(&mut self, name: &str) -> u16 {
        let kept: Box<str> = name.chars().take(NAME).collect();
        let known = self.names.iter().rposition(|known| *known == kept);
        let place = known.unwrap_or_else(|| {
            if self.names.len() <= usize::from(u16::MAX) {
                self.names.push(kept);
            }
            self.names.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }
}

/// An event while it is read.
#[derive(Debug, Default)]
struct Event {
    start: Option<Date>,
    end: Option<Date>,
    /// DTEND is not included when it is a date, and includes its day when it has a time other than midnight.
    end_included: bool,
    duration: Option<i64>,
    rule: Option<Rule>,
    more: Vec<Date>,
    except: Vec<Date>,
    cancelled: bool,
    name: String,
}

impl Event {
    fn lasts(&self, start: Date) -> Result<i64, Wrong> {
        let days = match (self.end, self.duration) {
            (Some(end), _) => {
                let until = start.until(end).map_err(|_| Wrong::Event)?;
                // Some calendars write a day that ends where it begins.
                (i64::from(until.get_days()) + i64::from(self.end_included)).max(i64::from(end == start))
            }
            (None, Some(days)) => days.max(1),
            (None, None) => 1,
        };
        match days {
            1..=LASTS => Ok(days),
            ..1 => Err(Wrong::Event),
            _ => Err(Wrong::TooLong),
        }
    }

    fn property(&mut self, name: &str, value: &str) -> Result<(), Wrong> {
        match name {
            "DTSTART" => self.start = Some(day(value)?.0),
            "DTEND" => {
                let (end, time) = day(value)?;
                (self.end, self.end_included) = (Some(end), time.is_some_and(|time| time != "000000"));
            }
            "DURATION" => self.duration = Some(duration(value)?),
            "RRULE" => self.rule = Some(Rule::parse(value)?),
            "RDATE" => add_days(&mut self.more, value)?,
            "EXDATE" => add_days(&mut self.except, value)?,
            "STATUS" => self.cancelled = value.eq_ignore_ascii_case("CANCELLED"),
            "SUMMARY" => self.name = unescaped(value),
            _ => {}
        }
        Ok(())
    }
}

/// Where in the file we are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Before,
    Inside,
    After,
}

#[derive(Debug, Default)]
struct Reading {
    state: State,
    event: Option<Event>,
    /// Components inside an event, or beside it: alarms and time zones have a DTSTART that is none of ours.
    depth: usize,
}

impl Reading {
    /// Takes a line; gives an event at its end.
    fn take(&mut self, line: &str) -> Result<Option<Event>, Wrong> {
        let Some((head, value)) = split(line) else { return Ok(None) };
        let name = head.split(';').next().unwrap_or_default().to_ascii_uppercase();
        let component = value.trim().to_ascii_uppercase();
        match (self.state, &*name) {
            (State::Before, "BEGIN") if component == "VCALENDAR" => self.state = State::Inside,
            (State::Before, _) => return Err(Wrong::NoCalendar),
            (State::After, "BEGIN") => self.state = State::Inside,
            (State::After, _) => {}
            (State::Inside, "BEGIN") if component == "VEVENT" && self.depth == 0 && self.event.is_none() => {
                self.event = Some(Event::default());
            }
            (State::Inside, "BEGIN") => self.depth += 1,
            (State::Inside, "END") if self.depth > 0 => self.depth -= 1,
            (State::Inside, "END") if component == "VEVENT" => return Ok(self.event.take()),
            (State::Inside, "END") if component == "VCALENDAR" => self.state = State::After,
            (State::Inside, _) => {
                if let Some(event) = self.event.as_mut().filter(|_| self.depth == 0) {
                    event.property(&name, value)?;
                }
            }
        }
        Ok(None)
    }
}

/// Lines with their number; what is folded is one line (RFC 5545 3.1).
fn unfolded(text: &str) -> impl Iterator<Item = (usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate().peekable();
    std::iter::from_fn(move || {
        let (number, first) = lines.next()?;
        let mut whole = first.to_owned();
        while let Some((_, more)) = lines.next_if(|(_, line)| line.starts_with([' ', '\t'])) {
            whole.push_str(&more[1..]);
        }
        Some((number + 1, whole))
    })
}

/// Name with parameters, and value; a colon inside quotes parts nothing.
fn split(line: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let at = line.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b':' && !quoted
    })?;
    Some((&line[..at], &line[at + 1..]))
}

/// The day of a date or of a date and time, by the clock that it was written for, and that time.
fn day(value: &str) -> Result<(Date, Option<&str>), Wrong> {
    let value = value.trim().trim_end_matches(['Z', 'z']);
    let (day, time) = value.split_once(['T', 't']).map_or((value, None), |(day, time)| (day, Some(time)));
    if day.len() != 8 || !day.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Wrong::Date);
    }
    let number = |from: usize, to: usize| day[from..to].parse::<i16>().map_err(|_| Wrong::Date);
    let small = |from, to| i8::try_from(number(from, to)?).map_err(|_| Wrong::Date);
    let day = Date::new(number(0, 4)?, small(4, 6)?, small(6, 8)?).map_err(|_| Wrong::Date)?;
    Ok((day, time))
}

fn add_days(days: &mut Vec<Date>, value: &str) -> Result<(), Wrong> {
    for part in value.split(',') {
        if days.len() >= DAYS {
            return Err(Wrong::TooManyDays);
        }
        // A period is a beginning and an end.
        days.push(day(part.split('/').next().unwrap_or_default())?.0);
    }
    Ok(())
}

/// Whole days; a part of a day is that day.
fn duration(value: &str) -> Result<i64, Wrong> {
    let value = value.trim().trim_start_matches('+').strip_prefix(['P', 'p']).ok_or(Wrong::Date)?;
    let whole = value.split(['T', 't']).next().unwrap_or_default();
    let number = |text: &str| text.parse::<u16>().map(i64::from).map_err(|_| Wrong::Date);
    match whole.to_ascii_uppercase() {
        days if days.is_empty() => Ok(1),
        days if days.ends_with('D') => number(&days[..days.len() - 1]),
        weeks if weeks.ends_with('W') => Ok(number(&weeks[..weeks.len() - 1])? * 7),
        _ => Err(Wrong::Date),
    }
}

fn unescaped(value: &str) -> String {
    let mut plain = String::new();
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.push(match characters.next() {
                Some('n' | 'N') | None => ' ',
                Some(other) => other,
            }),
            other => plain.push(other),
        }
    }
    plain
}

/// The first and the last day that are thought about.
const FIRST: Date = date(1900, 1, 1);

impl fmt::Display for NotACalendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            Wrong::TooLarge => "the calendar is larger than 4 MiB",
            Wrong::NoCalendar => "no calendar that begins and ends",
            Wrong::TooManyDays => "too many days",
            Wrong::Date => "no date or duration",
            Wrong::Event => "an event without a beginning, or that ends before it",
            Wrong::TooLong => "a holiday of more than 60 days",
            Wrong::Rule => "a rule of repetition that is not followed here",
        };
        write!(f, "line {}: {what}", self.line)
    }
}

impl std::error::Error for NotACalendar {}

#[cfg(test)]
mod tests;
