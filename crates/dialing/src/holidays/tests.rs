//! Calendars as public offices and calendar programs write them, and files that are none.

use super::*;
use proptest::prelude::*;

fn calendar(events: &str) -> Result<Calendar, NotACalendar> {
    Calendar::parse(&format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n"))
}

fn event(lines: &str) -> String {
    format!("BEGIN:VEVENT\r\nUID:1\r\n{lines}\r\nEND:VEVENT\r\n")
}

fn days(lines: &str) -> Vec<String> {
    let calendar = calendar(&event(lines)).expect("sound");
    calendar.days.keys().take(4).map(Date::to_string).collect()
}

#[test]
fn days_are_read_with_their_names() {
    let national = event("DTSTART;VALUE=DATE:20261001\r\nDTEND;VALUE=DATE:20261008\r\nSUMMARY:国庆节");
    let christmas = event("DTSTART;VALUE=DATE:20261225\r\nSUMMARY:Christmas\\, first\r\n  day");
    let calendar = calendar(&(national + &christmas)).expect("sound");
    assert_eq!(calendar.len(), 8);
    assert_eq!(calendar.holiday(date(2026, 9, 30)), None);
    assert_eq!(calendar.holiday(date(2026, 10, 1)), Some("国庆节"));
    assert_eq!(calendar.holiday(date(2026, 10, 7)), Some("国庆节"));
    assert_eq!(calendar.holiday(date(2026, 10, 8)), None);
    assert_eq!(calendar.holiday(date(2026, 12, 25)), Some("Christmas, first day"));
}

#[test]
fn a_day_is_written_in_many_ways() {
    let one = ["2026-05-01"];
    for lines in [
        "DTSTART;VALUE=DATE:20260501",
        "DTSTART;VALUE=DATE:20260501\r\nDTEND;VALUE=DATE:20260501",
        "DTSTART;VALUE=DATE:20260501\r\nDTEND;VALUE=DATE:20260502",
        "DTSTART;TZID=\"Europe:Berlin\":20260501T000000\r\nDTEND;TZID=Europe/Berlin:20260501T235959",
        "DTSTART:20260501T000000\r\nDTEND:20260502T000000",
        "DTSTART:20260501T080000Z\r\nDTEND:20260501T200000Z",
        "DTSTART:20260501\r\nDURATION:P1D",
        "DTSTART:20260501\r\nDURATION:PT8H",
    ] {
        assert_eq!(days(lines), one, "{lines}");
    }
    assert_eq!(days("DTSTART:20260501\r\nDURATION:P1W").len(), 4);
    assert_eq!(days("DTSTART:20260501\r\nRDATE;VALUE=DATE:20270503,20280501").len(), 3);
}

#[test]
fn rules_by_year_are_followed() {
    for (lines, expected) in [
        ("DTSTART:20241225\r\nRRULE:FREQ=YEARLY;COUNT=3", vec!["2024-12-25", "2025-12-25", "2026-12-25"]),
        (
            "DTSTART:20240229\r\nRRULE:FREQ=YEARLY;UNTIL=20330101",
            vec!["2024-02-29", "2028-02-29", "2032-02-29"],
        ),
        // Thanksgiving, Memorial Day, the day of elections.
        (
            "DTSTART:20251127\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=2",
            vec!["2025-11-27", "2026-11-26"],
        ),
        (
            "DTSTART:20250526\r\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;COUNT=2",
            vec!["2025-05-26", "2026-05-25"],
        ),
        (
            "DTSTART:20241105\r\nRRULE:FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=2",
            vec!["2024-11-05", "2028-11-07"],
        ),
        (
            "DTSTART:20251231\r\nRRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=-1;COUNT=3\r\nEXDATE:20261231",
            vec!["2025-12-31", "2027-12-31"],
        ),
    ] {
        assert_eq!(days(lines), expected, "{lines}");
    }
    let old = calendar(&event("DTSTART:16010501\r\nRRULE:FREQ=YEARLY")).expect("sound");
    assert!(old.holiday(date(2026, 5, 1)).is_some() && old.holiday(date(2100, 5, 1)).is_some());
}

#[test]
fn what_is_no_holiday_is_passed_over() {
    let zone = "BEGIN:VTIMEZONE\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n\
                END:STANDARD\r\nEND:VTIMEZONE\r\n";
    let cancelled = event("DTSTART:20260501\r\nSTATUS:CANCELLED");
    let alarm = event("DTSTART:20260502\r\nBEGIN:VALARM\r\nDTSTART:20260601\r\nEND:VALARM");
    let calendar = calendar(&format!("{zone}{cancelled}{alarm}")).expect("sound");
    assert_eq!(calendar.days.keys().collect::<Vec<_>>(), [&date(2026, 5, 2)]);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (events, line, what) in [
        (event("SUMMARY:x"), 6, Wrong::Event),
        (event("DTSTART:20260230"), 5, Wrong::Date),
        (event("DTSTART:2026中0"), 5, Wrong::Date),
        (event("DTSTART:20260501\r\nDTEND:20260401"), 7, Wrong::Event),
        (event("DTSTART:20260501\r\nDTEND:20270501"), 7, Wrong::TooLong),
        (event("DTSTART:20260501\r\nRRULE:FREQ=WEEKLY"), 6, Wrong::Rule),
        (event("DTSTART:20260501\r\nRRULE:FREQ=YEARLY;BYEASTER=0"), 6, Wrong::Rule),
        (event("DTSTART:20260501\r\nRRULE:FREQ=YEARLY;BYDAY=中"), 6, Wrong::Rule),
        (event("DTSTART:20260501\r\nDURATION:1D"), 6, Wrong::Date),
    ] {
        assert_eq!(calendar(&events), Err(NotACalendar { line, what }), "{events}");
    }
    for (text, line) in
        [("", 1), ("BEGIN:VCALENDAR\r\n", 1), ("BEGIN:VCARD\r\n", 1), ("BEGIN:VCALENDAR\nX:\n", 2)]
    {
        assert_eq!(Calendar::parse(text), Err(NotACalendar { line, what: Wrong::NoCalendar }), "{text}");
    }
    let large = "x".repeat(OCTETS + 1);
    assert_eq!(Calendar::parse(&large).map_err(|wrong| wrong.what), Err(Wrong::TooLarge));
}

#[test]
fn a_file_cannot_make_more_days_than_the_bound() {
    let each = event("DTSTART:19000101\r\nDURATION:P60D\r\nRRULE:FREQ=YEARLY;BYMONTH=1,3,5,7,9,11");
    assert_eq!(calendar(&each).map_err(|wrong| wrong.what), Err(Wrong::TooManyDays));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 400 } else { 4_000 }))]

    #[test]
    fn no_text_panics(lines in proptest::collection::vec(
        prop_oneof![
            "(BEGIN|END):(VCALENDAR|VEVENT|VALARM|X)",
            "(DTSTART|DTEND|DURATION|RRULE|RDATE|EXDATE|SUMMARY)[;:].{0,12}",
            "(DTSTART|DTEND|EXDATE):[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9])(T[0-9]{6}Z?)?",
            "RRULE:FREQ=YEARLY(;(BYMONTH|BYMONTHDAY|BYDAY|INTERVAL|COUNT)=-?[0-9]{1,2}(MO|,3)?){0,3}",
            "DURATION:P[0-9]{1,3}[DWX]",
            ".{0,20}",
        ], 0..24)) {
        let _ = Calendar::parse(&lines.join("\n"));
        let _ = calendar(&event(&lines.join("\r\n")));
    }
}
