//! A rule of repetition by year, as holidays have it: on a date, or on a weekday of a month.

use super::{FIRST, Wrong, YEARS, day};
use jiff::civil::{Date, Weekday};

/// `RRULE:FREQ=YEARLY`, and what narrows it down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    interval: i16,
    count: Option<u32>,
    until: Option<Date>,
    months: Vec<i8>,
    /// From the end of the month when negative.
    month_days: Vec<i8>,
    /// Which one of the month, from its end when negative; each when zero.
    weekdays: Vec<(i8, Weekday)>,
}

impl Rule {
    pub(super) fn parse(value: &str) -> Result<Rule, Wrong> {
        let mut rule = Rule {
            interval: 1,
            count: None,
            until: None,
            months: Vec::new(),
            month_days: Vec::new(),
            weekdays: Vec::new(),
        };
        let mut yearly = false;
        for part in value.trim().split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(Wrong::Rule)?;
            let value = value.to_ascii_uppercase();
            match &*name.to_ascii_uppercase() {
                "FREQ" => yearly = value == "YEARLY",
                "INTERVAL" => rule.interval = number(&value, 1, YEARS)?,
                "COUNT" => rule.count = Some(value.parse().map_err(|_| Wrong::Rule)?),
                "UNTIL" => rule.until = Some(day(&value)?.0),
                "BYMONTH" => rule.months = list(&value, |one| number(one, 1, 12))?,
                "BYMONTHDAY" => rule.month_days = list(&value, |one| not_zero(one, 31))?,
                "BYDAY" => rule.weekdays = list(&value, weekday)?,
                // Says where a week begins, which changes nothing in what is followed here.
                "WKST" => {}
                _ => return Err(Wrong::Rule),
            }
        }
        // "The third Monday of the year" is nobody's holiday.
        let followed = yearly && (rule.weekdays.is_empty() || !rule.months.is_empty());
        if followed { Ok(rule) } else { Err(Wrong::Rule) }
    }

    /// The days on which it begins, `start` first.
    pub(super) fn dates(&self, start: Date) -> Vec<Date> {
        let mut dates = Vec::new();
        if start < FIRST {
            return self.dates(Date::new(FIRST.year(), start.month(), start.day()).unwrap_or(FIRST));
        }
        let most = usize::try_from(self.count.unwrap_or(u32::MAX)).unwrap_or(usize::MAX);
        let mut year = start.year();
        while year < start.year() + YEARS {
            for date in self.dates_in(year, start).into_iter().filter(|date| *date >= start) {
                if dates.len() >= most || self.until.is_some_and(|until| date > until) {
                    return dates;
                }
                dates.push(date);
            }
            year += self.interval;
        }
        dates
    }

    fn dates_in(&self, year: i16, start: Date) -> Vec<Date> {
        let own = [start.month()];
        let months = if self.months.is_empty() { &own[..] } else { &self.months };
        let mut dates: Vec<Date> =
            months.iter().flat_map(|month| self.dates_of_month(year, *month, start)).collect();
        dates.sort_unstable();
        dates.dedup();
        dates
    }

    fn dates_of_month(&self, year: i16, month: i8, start: Date) -> Vec<Date> {
        let Ok(first) = Date::new(year, month, 1) else { return Vec::new() };
        let length = first.days_in_month();
        let by_day = |day: &i8| {
            let day = if *day < 0 { length + 1 + day } else { *day };
            Date::new(year, month, day).ok()
        };
        if self.weekdays.is_empty() {
            let own = [start.day()];
            let days = if self.month_days.is_empty() { &own[..] } else { &self.month_days };
            return days.iter().filter_map(by_day).collect();
        }
        let all = self.weekdays.iter().flat_map(|(ordinal, weekday)| match ordinal {
            0 => (1..=5).filter_map(|nth| first.nth_weekday_of_month(nth, *weekday).ok()).collect(),
            nth => Vec::from_iter(first.nth_weekday_of_month(*nth, *weekday).ok()),
        });
        // Both together mean the days that are both: the Tuesday after the first Monday of November.
        let days: Vec<Date> = self.month_days.iter().filter_map(by_day).collect();
        all.filter(|date| self.month_days.is_empty() || days.contains(date)).collect()
    }
}

fn number<T: std::str::FromStr + PartialOrd>(text: &str, least: T, most: T) -> Result<T, Wrong> {
    text.parse().ok().filter(|number| *number >= least && *number <= most).ok_or(Wrong::Rule)
}

fn not_zero(text: &str, most: i8) -> Result<i8, Wrong> {
    number(text, -most, most).and_then(|number| if number == 0 { Err(Wrong::Rule) } else { Ok(number) })
}

/// A list has at most as many values as a year has days.
fn list<T>(value: &str, one: impl Fn(&str) -> Result<T, Wrong>) -> Result<Vec<T>, Wrong> {
    if value.bytes().filter(|byte| *byte == b',').count() > 366 {
        return Err(Wrong::Rule);
    }
    value.split(',').map(one).collect()
}

fn weekday(text: &str) -> Result<(i8, Weekday), Wrong> {
    let at = text.len().checked_sub(2).filter(|at| text.is_char_boundary(*at)).ok_or(Wrong::Rule)?;
    let (ordinal, name) = text.split_at(at);
    let weekday = match name {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return Err(Wrong::Rule),
    };
    let ordinal = if ordinal.is_empty() { 0 } else { not_zero(ordinal, 5)? };
    Ok((ordinal, weekday))
}
