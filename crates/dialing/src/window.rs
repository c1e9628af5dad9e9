//! When the callee may be called, by the clock on his own wall.
//!
//! Whether an instant is inside is a question of the local date and minute alone. So a day of 23 or 25 hours needs no rule
//! of its own: what the callee's clock shows twice is open twice, what it never shows is never open.

use crate::holidays::Calendar;
use clock::Wall;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

/// How far ahead an opening is looked for: every week and every holiday comes within it.
pub const HORIZON_DAYS: i64 = 370;

/// Minutes of a local day, the second not included; empty when they are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    from: u16,
    to: u16,
}

impl Span {
    /// From this minute of the day to that one; `None` when they are no minutes of one day in this order.
    #[must_use]
    pub const fn new(from: u16, to: u16) -> Option<Span> {
        if from <= to && to <= 24 * 60 { Some(Span { from, to }) } else { None }
    }

    /// Whole hours, for tables.
    pub(crate) const fn hours(from: u16, to: u16) -> Span {
        assert!(from <= to && to <= 24, "hours of one day in this order");
        Span { from: from * 60, to: to * 60 }
    }

    /// The first minute.
    #[must_use]
    pub fn from(self) -> u16 {
        self.from
    }

    /// The minute after the last.
    #[must_use]
    pub fn to(self) -> u16 {
        self.to
    }

    fn has(self, minute: u16) -> bool {
        self.from <= minute && minute < self.to
    }
}

/// `09:00-17:30`.
impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (from, to) = (self.from, self.to);
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// The spans of one day.
pub type Day = [Span; 3];

/// A day that is closed.
pub const CLOSED: Day = [Span { from: 0, to: 0 }; 3];

/// A day that is never closed.
pub const WHOLE_DAY: Day = one(Span::hours(0, 24));

pub(crate) const fn one(span: Span) -> Day {
    [span, CLOSED[0], CLOSED[0]]
}

/// The hours of a week, and those of a holiday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// From Monday on.
    pub week: [Day; 7],
    /// On a holiday, whatever its day of the week.
    pub holiday: Day,
}

impl Hours {
    /// Never closed.
    pub const ALWAYS: Hours = Hours { week: [WHOLE_DAY; 7], holiday: WHOLE_DAY };

    /// The same on each day of the week and another on holidays.
    #[must_use]
    pub const fn daily(day: Day, holiday: Day) -> Hours {
        Hours { week: [day; 7], holiday }
    }

    fn on(&self, date: Date, holidays: Option<&Calendar>) -> &Day {
        if holidays.is_some_and(|calendar| calendar.holiday(date).is_some()) {
            return &self.holiday;
        }
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or_default();
        &self.week[weekday]
    }
}

/// All that must be open for one callee at once: in each zone where he may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    /// The law's hours and the office's.
    pub(crate) hours: [&'a Hours; 2],
    /// What the task itself asks for.
    pub(crate) slot: Option<Span>,
    pub(crate) zones: &'a [TimeZone],
    pub(crate) holidays: Option<&'a Calendar>,
}

impl Window<'_> {
    /// Whether the callee may be called at this instant.
    pub(crate) fn is_open(&self, at: Wall) -> bool {
        self.zones.iter().all(|zone| {
            let local = local(zone, at);
            let minute = minute_of(local);
            let open =
                |hours: &&Hours| hours.on(local.date(), self.holidays).iter().any(|span| span.has(minute));
            self.hours.iter().all(open) && self.slot.is_none_or(|slot| slot.has(minute))
        })
    }

    /// The first instant from `at` on at which it is open; `None` when there is none within [`HORIZON_DAYS`].
    pub(crate) fn next_open(&self, at: Wall) -> Option<Wall> {
        let last = at.0.saturating_add(HORIZON_DAYS * 86_400_000);
        let mut at = at;
        while at.0 <= last {
            if self.is_open(at) {
                return Some(at);
            }
            at = self.next_edge(at)?;
        }
        None
    }

    /// The first instant after `at` at which it is closed, when it is open at `at`.
    pub(crate) fn closes(&self, at: Wall) -> Option<Wall> {
        let last = at.0.saturating_add(2 * 86_400_000);
        let mut edge = at;
        while edge.0 <= last {
            edge = self.next_edge(edge)?;
            if !self.is_open(edge) {
                return Some(edge);
            }
        }
        None
    }

    /// The next instant at which anything may change: a span begins or ends, a day begins, a clock is put forward or
    /// back.
    fn next_edge(&self, at: Wall) -> Option<Wall> {
        self.zones.iter().filter_map(|zone| self.next_edge_in(zone, at)).min()
    }

    fn next_edge_in(&self, zone: &TimeZone, at: Wall) -> Option<Wall> {
        let here = local(zone, at);
        let transition = zone.following(timestamp(at)).next().map(|change| wall(change.timestamp()));
        let tomorrow = here.date().checked_add(1.day()).ok()?;
        let midnight = first_after(zone, tomorrow.at(0, 0, 0, 0), at);
        let spans = self.hours.iter().flat_map(|hours| hours.on(here.date(), self.holidays));
        let minutes = spans.chain(&self.slot).flat_map(|span| [span.from, span.to]);
        let edges = minutes.filter_map(|minute| {
            let hour = i8::try_from(minute / 60).ok().filter(|hour| *hour < 24)?;
            let minute = i8::try_from(minute % 60).ok()?;
            first_after(zone, here.date().at(hour, minute, 0, 0), at)
        });
        edges.chain(midnight).chain(transition).filter(|edge| *edge > at).min()
    }
}

/// The first instant after `at` at which the clock on the wall shows this; `None` when it never does.
fn first_after(zone: &TimeZone, shown: DateTime, at: Wall) -> Option<Wall> {
    let ambiguous = zone.to_ambiguous_timestamp(shown);
    let offsets = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } => [offset, offset],
        AmbiguousOffset::Fold { before, after } => [before, after],
        // The transition itself is an edge.
        AmbiguousOffset::Gap { .. } => return None,
    };
    let instants = offsets.into_iter().filter_map(|offset| offset.to_timestamp(shown).ok()).map(wall);
    instants.filter(|instant| *instant > at).min()
}

/// When the local day of `at` began.
pub(crate) fn start_of_day(zone: &TimeZone, at: Wall) -> Wall {
    let start = local(zone, at).date().to_zoned(zone.clone());
    start.map_or(at, |zoned| wall(zoned.timestamp()))
}

/// When the next local day begins.
pub(crate) fn next_day(zone: &TimeZone, at: Wall) -> Wall {
    let tomorrow = local(zone, at).date().checked_add(1.day());
    let start = tomorrow.and_then(|date| date.to_zoned(zone.clone()));
    start.map_or(Wall(at.0.saturating_add(86_400_000)), |zoned| wall(zoned.timestamp()))
}

/// What the clock on the wall shows.
pub(crate) fn local(zone: &TimeZone, at: Wall) -> DateTime {
    zone.to_datetime(timestamp(at))
}

pub(crate) fn minute_of(local: DateTime) -> u16 {
    u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or_default()
}

/// Beyond the years that the calendar knows, its last instant.
fn timestamp(at: Wall) -> Timestamp {
    Timestamp::from_millisecond(at.0).unwrap_or(if at.0 < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

fn wall(at: Timestamp) -> Wall {
    // Upwards: an instant that is handed out is never before the edge that it stands for.
    let millis = at.as_millisecond();
    Wall(if at.subsec_nanosecond() % 1_000_000 > 0 { millis + 1 } else { millis })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENING: Hours = Hours::daily(one(Span::hours(1, 4)), CLOSED);

    fn zone(name: &str) -> TimeZone {
        jiff::tz::TimeZoneDatabase::bundled().get(name).expect("bundled")
    }

    fn at(text: &str) -> Wall {
        Wall(text.parse::<Timestamp>().expect("sound").as_millisecond())
    }

    fn next(hours: &Hours, slot: Option<Span>, zones: &[&str], from: &str) -> Option<Wall> {
        let zones: Vec<TimeZone> = zones.iter().map(|name| zone(name)).collect();
        Window { hours: [hours, &Hours::ALWAYS], slot, zones: &zones, holidays: None }.next_open(at(from))
    }

    #[test]
    fn a_slot_opens_by_the_callees_clock() {
        let slot = Span::new(9 * 60, 11 * 60);
        let shanghai = ["Asia/Shanghai"];
        for (from, opens) in [
            ("2026-11-28T00:59:59Z", "2026-11-28T01:00:00Z"),
            ("2026-11-28T01:00:00Z", "2026-11-28T01:00:00Z"),
            ("2026-11-28T02:59:59Z", "2026-11-28T02:59:59Z"),
            ("2026-11-28T03:00:00Z", "2026-11-29T01:00:00Z"),
        ] {
            assert_eq!(next(&Hours::ALWAYS, slot, &shanghai, from), Some(at(opens)), "{from}");
        }
    }

    #[test]
    fn clocks_that_are_put_forward_open_what_is_left() {
        // New York, 8 March 2026: 02:00 becomes 03:00 at 07:00 UTC.
        let half_past_two = Span::new(2 * 60 + 30, 3 * 60 + 30);
        for (slot, from, opens) in [
            (half_past_two, "2026-03-08T06:59:00Z", "2026-03-08T07:00:00Z"),
            (half_past_two, "2026-03-08T07:29:00Z", "2026-03-08T07:29:00Z"),
            (half_past_two, "2026-03-08T07:30:00Z", "2026-03-09T06:30:00Z"),
            // What the clock never shows is never open on that day.
            (Span::new(120, 180), "2026-03-08T05:00:00Z", "2026-03-09T06:00:00Z"),
        ] {
            assert_eq!(next(&Hours::ALWAYS, slot, &["America/New_York"], from), Some(at(opens)), "{from}");
        }
    }

    #[test]
    fn clocks_that_are_put_back_open_twice() {
        // New York, 1 November 2026: 02:00 becomes 01:00 at 06:00 UTC.
        let slot = Span::new(60 + 15, 60 + 30);
        for (from, opens) in [
            ("2026-11-01T05:00:00Z", "2026-11-01T05:15:00Z"),
            ("2026-11-01T05:30:00Z", "2026-11-01T06:15:00Z"),
            ("2026-11-01T06:30:00Z", "2026-11-02T06:15:00Z"),
        ] {
            assert_eq!(next(&EVENING, slot, &["America/New_York"], from), Some(at(opens)), "{from}");
        }
    }

    #[test]
    fn whoever_may_be_in_two_zones_is_called_when_both_are_awake() {
        let hours = Hours::daily(one(Span::hours(8, 21)), CLOSED);
        let both = ["America/New_York", "America/Los_Angeles"];
        assert_eq!(next(&hours, None, &both, "2026-11-28T12:00:00Z"), Some(at("2026-11-28T16:00:00Z")));
        assert_eq!(next(&hours, None, &both, "2026-11-29T02:00:00Z"), Some(at("2026-11-29T16:00:00Z")));
        // A pair that is never awake together.
        let apart = ["Pacific/Kiritimati", "Pacific/Pago_Pago"];
        let noon = Hours::daily(one(Span::hours(12, 13)), CLOSED);
        let zones = ["Asia/Shanghai", "America/New_York"];
        assert_eq!(next(&noon, None, &zones, "2026-11-28T12:00:00Z"), None);
        assert!(next(&hours, None, &apart, "2026-11-28T12:00:00Z").is_some());
    }

    #[test]
    fn it_tells_when_it_closes() {
        let hours = Hours::daily(one(Span::hours(8, 21)), CLOSED);
        let zones = [zone("Asia/Shanghai")];
        let window = Window { hours: [&hours, &Hours::ALWAYS], slot: None, zones: &zones, holidays: None };
        assert_eq!(window.closes(at("2026-11-28T02:00:00Z")), Some(at("2026-11-28T13:00:00Z")));
        let always = Window { hours: [&Hours::ALWAYS; 2], ..window };
        assert_eq!(always.closes(at("2026-11-28T02:00:00Z")), None);
    }

    /// All zones of the world over a year's changes of the clock: what is found is what looking at each minute finds.
    #[test]
    fn in_every_zone_the_next_opening_is_the_first_open_minute() {
        let database = jiff::tz::TimeZoneDatabase::bundled();
        let names: Vec<String> = database.available().map(|name| name.as_str().to_owned()).collect();
        let late =
            Hours::daily([Span::hours(1, 2), Span { from: 150, to: 185 }, Span::hours(22, 24)], CLOSED);
        let mut changes = 0;
        for name in &names {
            let zones = [zone(name)];
            let year = timestamp(at("2026-01-01T00:00:00Z"))..timestamp(at("2027-01-01T00:00:00Z"));
            let of_year = zones[0].following(year.start).take_while(|change| change.timestamp() < year.end);
            let mut days: Vec<Wall> = of_year.map(|change| wall(change.timestamp())).collect();
            changes += days.len();
            days.push(at("2026-07-15T00:00:00Z"));
            for day in days {
                for slot in [None, Span::new(100, 160)] {
                    let window =
                        Window { hours: [&late, &Hours::ALWAYS], slot, zones: &zones, holidays: None };
                    looks_like_each_minute(&window, Wall(day.0 - 5 * 3_600_000), name);
                }
            }
        }
        assert!(names.len() > 400 && changes > 200, "{} zones, {changes} changes", names.len());
    }

    fn looks_like_each_minute(window: &Window<'_>, start: Wall, name: &str) {
        let minute = |nth: i64| Wall(start.0 + nth * 60_000);
        let open: Vec<bool> = (0..30 * 60).map(|nth| window.is_open(minute(nth))).collect();
        for nth in (0..open.len()).step_by(97) {
            let first = open[nth..].iter().position(|open| *open).map(|ahead| (nth + ahead) as i64);
            let found = window.next_open(minute(nth as i64));
            match first {
                Some(first) => assert_eq!(found, Some(minute(first)), "{name} from {nth}"),
                None => assert!(found > Some(minute(open.len() as i64 - 1)), "{name} from {nth}"),
            }
        }
    }
}
