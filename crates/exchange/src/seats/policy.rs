//! What the office wants of seats: `[seats]` in the configuration.

use clock::Wall;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const MINUTE: i64 = 60 * 1_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// The policy; all of it can change while people sit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatPolicy {
    /// Somebody may sit at several phones at once; otherwise the last one counts.
    pub several: bool,
    /// A seat ends by itself after so long.
    pub longest: Option<Duration>,
    /// All seats end at this time of day.
    pub sign_out_at: Option<TimeOfDay>,
    /// Who sits at a phone and identifies there again leaves it.
    pub again_leaves: bool,
    /// The calls of a phone's owner ring there while somebody else sits there.
    pub owner_rings: bool,
}

impl Default for SeatPolicy {
    fn default() -> SeatPolicy {
        SeatPolicy {
            several: true,
            longest: Some(Duration::from_secs(12 * 3_600)),
            sign_out_at: None,
            again_leaves: true,
            owner_rings: true,
        }
    }
}

impl SeatPolicy {
    /// When a seat that is taken now ends by itself.
    #[must_use]
    pub fn end(&self, now: Wall) -> Option<Wall> {
        let longest = self.longest.map(|longest| {
            Wall(now.0.saturating_add(i64::try_from(longest.as_millis()).unwrap_or(i64::MAX)))
        });
        let day = self.sign_out_at.map(|time| time.after(now));
        [longest, day].into_iter().flatten().min()
    }
}

/// A time of day with its distance from UTC, as in `20:00+08:00`: the exchange knows no rules of summer time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay {
    /// Minutes since midnight there.
    minute: u16,
    /// How far there is ahead of UTC, in minutes.
    ahead: i16,
}

impl TimeOfDay {
    /// The next such moment.
    fn after(self, now: Wall) -> Wall {
        let of_day = (i64::from(self.minute) - i64::from(self.ahead)) * MINUTE;
        let today = now.0.div_euclid(DAY) * DAY + of_day.rem_euclid(DAY);
        Wall(if today > now.0 { today } else { today + DAY })
    }
}

impl FromStr for TimeOfDay {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<TimeOfDay, &'static str> {
        let wrong =
            "is no time of day; write it with its distance from UTC, as in \"20:00+08:00\" or \"18:30Z\"";
        let of = |text: &str, hours: u16| {
            let (hour, minute) = text.split_once(':')?;
            let right = hour.len() == 2 && minute.len() == 2;
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            (right && hour <= hours && minute < 60).then_some(hour * 60 + minute)
        };
        let (time, zone) = text.split_at_checked(5).ok_or(wrong)?;
        let minute = of(time, 23).ok_or(wrong)?;
        let distance = |zone: &str| of(zone, 14).and_then(|minutes| i16::try_from(minutes).ok());
        let ahead = match (zone, zone.strip_prefix('+'), zone.strip_prefix('-')) {
            ("Z", ..) => Some(0),
            (_, Some(ahead), _) => distance(ahead),
            (_, _, Some(behind)) => distance(behind).map(|minutes| -minutes),
            _ => None,
        };
        Ok(TimeOfDay { minute, ahead: ahead.ok_or(wrong)? })
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.ahead < 0 { '-' } else { '+' };
        let (hour, minute) = (self.minute / 60, self.minute % 60);
        let ahead = self.ahead.unsigned_abs();
        write!(f, "{hour:02}:{minute:02}{sign}{:02}:{:02}", ahead / 60, ahead % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_comes_once_a_day_where_the_office_is() {
        let at: TimeOfDay = "20:00+08:00".parse().unwrap();
        // 12:00 UTC.
        let noon = Wall(20_000 * DAY + DAY / 2);
        assert_eq!(at.after(Wall(noon.0 - 1)), noon);
        assert_eq!(at.after(noon), Wall(noon.0 + DAY), "a seat that is taken then lasts a day");
        let early: TimeOfDay = "01:30+08:00".parse().unwrap();
        assert_eq!(early.after(noon).0 - noon.0, (5 * 60 + 30) * MINUTE);
        let behind: TimeOfDay = "23:00-05:00".parse().unwrap();
        assert_eq!(behind.after(noon).0 - noon.0, 16 * 60 * MINUTE);
        assert_eq!(at.to_string(), "20:00+08:00");
        assert_eq!("18:30Z".parse::<TimeOfDay>().unwrap().to_string(), "18:30+00:00");
        for wrong in ["", "20:00", "24:00Z", "2:00Z", "20:60Z", "20:00+15:00", "20:00+8", "20:00Zx", "中:00Z"]
        {
            assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_seat_ends_by_what_comes_first() {
        let noon = Wall(20_000 * DAY + DAY / 2);
        let policy = SeatPolicy { sign_out_at: Some("14:00Z".parse().unwrap()), ..SeatPolicy::default() };
        assert_eq!(policy.end(noon), Some(Wall(noon.0 + 120 * MINUTE)));
        let policy = SeatPolicy { longest: Some(Duration::from_secs(3_600)), ..policy };
        assert_eq!(policy.end(noon), Some(Wall(noon.0 + 60 * MINUTE)));
        let policy = SeatPolicy { longest: None, sign_out_at: None, ..policy };
        assert_eq!(policy.end(noon), None);
    }
}
