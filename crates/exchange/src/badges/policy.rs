//! Which badges open anything, and when the PIN is asked for as well.

use super::badge::BadgeKind;
use std::fmt;

/// What the office allows; `[badges]` in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadgePolicy {
    /// The kinds that open anything.
    pub allow: Vec<BadgeKind>,
    /// When the PIN is asked for beside the badge; never if there is none.
    pub pin: Vec<PinWhen>,
    /// Outside of all of these it is out of hours.
    pub hours: Vec<Hours>,
}

/// When the PIN is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinWhen {
    /// For badges that can be copied.
    Clonable,
    /// Outside of the office's hours.
    OutOfHours,
    /// At every tap.
    Always,
}

/// The office's hours, in its own time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// From Monday on.
    pub days: [bool; 7],
    /// The first minute of the day, and the one after the last; past midnight if that comes first.
    pub minutes: (u16, u16),
}

/// A moment of the week in the office's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeekTime {
    /// From 0 for Monday.
    pub day: u8,
    /// Of the day.
    pub minute: u16,
}

/// Only badges that cannot be copied: who allows more has thought of it, and has the PIN asked for unless told otherwise.
impl Default for BadgePolicy {
    fn default() -> BadgePolicy {
        BadgePolicy {
            allow: vec![BadgeKind::Secure],
            pin: vec![PinWhen::Clonable, PinWhen::OutOfHours],
            hours: vec![Hours::default()],
        }
    }
}

/// Always.
impl Default for Hours {
    fn default() -> Hours {
        Hours { days: [true; 7], minutes: (0, DAY) }
    }
}

const DAY: u16 = 24 * 60;

impl BadgePolicy {
    pub(crate) fn allows(&self, kind: BadgeKind) -> bool {
        self.allow.contains(&kind)
    }

    /// Whether this kind of badge needs the PIN now.
    pub(crate) fn asks_pin(&self, kind: BadgeKind, at: WeekTime) -> bool {
        self.pin.iter().any(|when| match when {
            PinWhen::Clonable => kind.is_clonable(),
            PinWhen::OutOfHours => !self.hours.iter().any(|hours| hours.has(at)),
            PinWhen::Always => true,
        })
    }
}

impl PinWhen {
    const ALL: [PinWhen; 3] = [PinWhen::Clonable, PinWhen::OutOfHours, PinWhen::Always];

    /// The name in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            PinWhen::Clonable => "clonable",
            PinWhen::OutOfHours => "out-of-hours",
            PinWhen::Always => "always",
        }
    }

    /// The case of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<PinWhen> {
        PinWhen::ALL.into_iter().find(|when| when.name() == name)
    }
}

impl Hours {
    const DAYS: [&'static str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    pub(crate) fn has(&self, at: WeekTime) -> bool {
        let on = |day: u8| self.days.get(usize::from(day)).is_some_and(|on| *on);
        let (from, to) = self.minutes;
        if from <= to {
            return on(at.day) && (from..to).contains(&at.minute);
        }
        // What begins in the evening belongs to the day that it began on.
        (on(at.day) && at.minute >= from) || (on((at.day + 6) % 7) && at.minute < to)
    }

    /// Reads `mon-fri 08:00-19:00`, or the times alone for every day.
    #[must_use]
    pub fn parse(text: &str) -> Option<Hours> {
        let (days, times) = text.trim().rsplit_once(' ').unwrap_or(("", text));
        let (from, to) = times.trim().split_once('-')?;
        let minutes = (minute(from)?, minute(to)?);
        let mut on = [days.trim().is_empty(); 7];
        for part in days.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let day = |name: &str| Hours::DAYS.iter().position(|known| known.eq_ignore_ascii_case(name));
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (day(first.trim())?, day(last.trim())?);
            for step in 0..=(last + 7 - first) % 7 {
                *on.get_mut((first + step) % 7)? = true;
            }
        }
        Some(Hours { days: on, minutes })
    }
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let plain = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    let (hour, minute): (u16, u16) =
        (hour.parse().ok().filter(|_| plain(hour))?, minute.parse().ok().filter(|_| plain(minute))?);
    Some(hour * 60 + minute).filter(|at| minute < 60 && *at <= DAY)
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days != [true; 7] {
            let on = Hours::DAYS.iter().zip(self.days).filter_map(|(name, on)| on.then_some(*name));
            write!(f, "{} ", on.collect::<Vec<_>>().join(","))?;
        }
        let (from, to) = self.minutes;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_shown_and_kept() {
        for (text, shown, inside, outside) in [
            ("00:00-24:00", Some("00:00-24:00"), Some((6, 1_439)), None),
            ("08:00-19:00", Some("08:00-19:00"), Some((6, 480)), Some((0, 1_140))),
            (
                "mon-fri 08:00-19:00",
                Some("mon,tue,wed,thu,fri 08:00-19:00"),
                Some((4, 1_139)),
                Some((5, 600)),
            ),
            ("sat-mon,wed 09:30-10:00", Some("mon,wed,sat,sun 09:30-10:00"), Some((0, 570)), Some((1, 570))),
            // Into the morning after a day that is on, and not after one that is off.
            ("fri 22:00-06:00", Some("fri 22:00-06:00"), Some((5, 359)), Some((4, 359))),
            ("moon 08:00-19:00", None, None, None),
            ("8-19", None, None, None),
            ("08:60-19:00", None, None, None),
            ("08:00-24:01", None, None, None),
            ("+8:00-19:00", None, None, None),
            ("", None, None, None),
        ] {
            let hours = Hours::parse(text);
            assert_eq!(hours.map(|hours| hours.to_string()).as_deref(), shown, "{text}");
            let has = |at: Option<(u8, u16)>| {
                at.zip(hours).map(|((day, minute), hours)| hours.has(WeekTime { day, minute }))
            };
            assert_eq!((has(inside), has(outside)), (inside.map(|_| true), outside.map(|_| false)), "{text}");
        }
    }

    #[test]
    fn what_can_be_copied_is_off_until_somebody_allows_it_and_then_asks_for_the_pin() {
        let policy = BadgePolicy::default();
        let noon = WeekTime { day: 2, minute: 720 };
        assert!(policy.allows(BadgeKind::Secure) && !policy.asks_pin(BadgeKind::Secure, noon));
        assert!(!policy.allows(BadgeKind::Ndef) && !policy.allows(BadgeKind::Uid));
        assert!(policy.asks_pin(BadgeKind::Ndef, noon) && policy.asks_pin(BadgeKind::Uid, noon));
        let nights = BadgePolicy { hours: vec![Hours::parse("08:00-19:00").unwrap()], ..policy };
        assert!(nights.asks_pin(BadgeKind::Secure, WeekTime { day: 2, minute: 1_300 }));
        let always = BadgePolicy { pin: vec![PinWhen::Always], ..nights };
        assert!(always.asks_pin(BadgeKind::Secure, noon));
    }
}
