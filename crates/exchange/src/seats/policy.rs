//! What the office wants of seats: `[seats]` in the configuration.

use clock::Wall;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan as _};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The policy; all of it can change while people sit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatPolicy {
    /// Somebody may sit at several phones at once; otherwise the last one counts.
    pub several: bool,
    /// A seat ends by itself after so long.
    pub longest: Option<Duration>,
    /// All seats end at this time of day, in the time zone of whoever sits.
    pub sign_out_at: Option<TimeOfDay>,
    /// The office's time zone, of those who have none of their own.
    pub zone: TimeZone,
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
            zone: TimeZone::UTC,
            again_leaves: true,
            owner_rings: true,
        }
    }
}

impl SeatPolicy {
    /// When a seat that is taken now ends by itself, for somebody of this time zone.
    #[must_use]
    pub fn end(&self, now: Wall, zone: Option<&str>) -> Option<Wall> {
        let longest = self.longest.map(|longest| {
            Wall(now.0.saturating_add(i64::try_from(longest.as_millis()).unwrap_or(i64::MAX)))
        });
        let day = self.sign_out_at.and_then(|time| {
            let own = zone.and_then(zone_named);
            time.after(now, own.as_ref().unwrap_or(&self.zone))
        });
        [longest, day].into_iter().flatten().min()
    }
}

/// A zone by its IANA name. The rules come with the program, and no file is read.
fn zone_named(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// A time of day by the clock on the wall, as in `20:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay {
    hour: i8,
    minute: i8,
}

impl TimeOfDay {
    /// The next such moment in a zone. A time that summer time leaves out comes when the clock has passed it; one that
    /// comes twice counts the first time.
    fn after(self, now: Wall, zone: &TimeZone) -> Option<Wall> {
        let today = Timestamp::from_millisecond(now.0).ok()?.to_zoned(zone.clone()).date();
        let days = today.series(1.day());
        let moments = days.take(3).filter_map(|day| {
            let at = zone.to_ambiguous_timestamp(day.at(self.hour, self.minute, 0, 0)).compatible().ok()?;
            Some(Wall(at.as_millisecond()))
        });
        moments.into_iter().find(|at| *at > now)
    }
}

impl FromStr for TimeOfDay {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<TimeOfDay, &'static str> {
        let part = |text: &str, most: i8| {
            let right = text.len() == 2 && text.bytes().all(|octet| octet.is_ascii_digit());
            text.parse().ok().filter(|value| right && *value <= most)
        };
        let parts =
            text.split_once(':').and_then(|(hour, minute)| Some((part(hour, 23)?, part(minute, 59)?)));
        let (hour, minute) = parts.ok_or("is no time of day; write it as in \"20:00\"")?;
        Ok(TimeOfDay { hour, minute })
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(text: &str) -> Wall {
        Wall(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    fn next(time: &str, zone: &str, now: &str) -> String {
        let zone = zone_named(zone).unwrap();
        let at = time.parse::<TimeOfDay>().unwrap().after(wall(now), &zone).unwrap();
        Timestamp::from_millisecond(at.0).unwrap().to_string()
    }

    #[test]
    fn a_time_of_day_comes_once_a_day_where_the_person_is() {
        for (time, zone, now, at) in [
            ("20:00", "Asia/Shanghai", "2026-11-28T11:59:59Z", "2026-11-28T12:00:00Z"),
            // A seat that is taken then lasts a day.
            ("20:00", "Asia/Shanghai", "2026-11-28T12:00:00Z", "2026-11-29T12:00:00Z"),
            ("01:30", "Asia/Shanghai", "2026-11-28T12:00:00Z", "2026-11-28T17:30:00Z"),
            ("23:00", "America/New_York", "2026-11-28T12:00:00Z", "2026-11-29T04:00:00Z"),
            // Summer time begins and ends: 20:00 is 20:00.
            ("20:00", "Europe/Berlin", "2026-03-28T20:00:00Z", "2026-03-29T18:00:00Z"),
            ("20:00", "Europe/Berlin", "2026-10-24T20:00:00Z", "2026-10-25T19:00:00Z"),
            // What it leaves out comes an hour later; what comes twice counts the first time, and then tomorrow.
            ("02:30", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z"),
            ("02:30", "Europe/Berlin", "2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z"),
            ("02:30", "Europe/Berlin", "2026-10-25T00:45:00Z", "2026-10-26T01:30:00Z"),
            ("18:30", "UTC", "2026-11-28T12:00:00Z", "2026-11-28T18:30:00Z"),
        ] {
            assert_eq!(next(time, zone, now), at, "{time} {zone} {now}");
        }
        assert_eq!("08:05".parse::<TimeOfDay>().unwrap().to_string(), "08:05");
        for wrong in ["", "24:00", "2:00", "20:60", "20:00Z", "20:00+08:00", "+2:00", "20:0", "中:00"] {
            assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_seat_ends_by_what_comes_first_in_the_zone_of_whoever_sits() {
        let noon = wall("2026-11-28T12:00:00Z");
        let office = zone_named("Europe/Berlin").unwrap();
        let policy =
            SeatPolicy { sign_out_at: Some("22:00".parse().unwrap()), zone: office, ..SeatPolicy::default() };
        assert_eq!(policy.end(noon, None), Some(wall("2026-11-28T21:00:00Z")));
        assert_eq!(policy.end(noon, Some("Asia/Shanghai")), Some(wall("2026-11-28T14:00:00Z")));
        assert_eq!(policy.end(noon, Some("Mars/Base")), Some(wall("2026-11-28T21:00:00Z")));
        let policy = SeatPolicy { longest: Some(Duration::from_secs(3_600)), ..policy };
        assert_eq!(policy.end(noon, None), Some(wall("2026-11-28T13:00:00Z")));
        let policy = SeatPolicy { longest: None, sign_out_at: None, ..policy };
        assert_eq!(policy.end(noon, None), None);
    }
}
