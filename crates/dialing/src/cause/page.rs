//! `docs/causes.md`, made from the tables.

use super::{Category, TABLE};
use crate::law::{Limits, Profile, Renewal, of};
use crate::task::Purpose;
use crate::window::{Day, Hours};
use std::fmt::Write;

fn page() -> String {
    let mut page = String::from(HEAD);
    for row in &TABLE {
        if row.q850.is_empty() && row.status.is_empty() {
            continue;
        }
        let list = |signs: &[u16]| signs.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        let (q850, status) = (list(row.q850), list(row.status));
        writeln!(page, "| {} | {q850} | {status} | {} |", row.outcome, category(row.category))
            .expect("memory");
    }
    page.push_str(SPACING);
    for profile in Profile::ALL {
        for purpose in [Purpose::Personal, Purpose::Business] {
            line(&mut page, profile, purpose, of(profile, purpose));
        }
    }
    page.push_str(TAIL);
    page
}

fn category(category: Category) -> &'static str {
    match category {
        Category::Busy => "busy",
        Category::Temporary => "temporary",
        Category::Permanent => "permanent",
    }
}

fn line(page: &mut String, profile: Profile, purpose: Purpose, limits: &Limits) {
    let purpose = match purpose {
        Purpose::Personal => "personal",
        Purpose::Business => "business",
    };
    let gaps = limits.gaps;
    let renewal = match limits.renewal {
        Renewal::AfterDay => "a day",
        Renewal::ByPerson => "a person",
    };
    writeln!(
        page,
        "| {}, {purpose} | {}, {}, {} s | {} / {} | {renewal} | {} | {} / {} | {} | {} s | {} | {} h |",
        profile.name(),
        gaps.first,
        gaps.next,
        gaps.late,
        limits.sequence,
        limits.permanent,
        limits.per_task,
        limits.per_day,
        limits.per_24_hours,
        hours(&limits.hours),
        limits.ring,
        if limits.consent { "needed" } else { "" },
        limits.after_abandoned / 3_600,
    )
    .expect("memory");
}

fn hours(hours: &Hours) -> String {
    if *hours == Hours::ALWAYS {
        return "always".to_owned();
    }
    let day = |day: &Day| {
        let open: Vec<String> =
            day.iter().filter(|span| span.from() < span.to()).map(ToString::to_string).collect();
        if open.is_empty() { "closed".to_owned() } else { open.join(" ") }
    };
    let [monday, .., saturday, sunday] = &hours.week;
    if monday == saturday && monday == sunday && *monday == hours.holiday {
        return day(monday);
    }
    let rest = format!("Sat {}, Sun {}, holidays {}", day(saturday), day(sunday), day(&hours.holiday));
    format!("{}; {rest}", day(monday))
}

const HEAD: &str = "\
# Causes

What the end of an attempt means for the next one. This page is made from the tables in `crates/dialing`; renew it with
`RENEW=1 cargo test -p dialing causes`.

Looked at in this order: the rules of the trunk, our own time to ring (no answer), the causes of Q.850 in Reason, the
status in Reason, the final status. What stands nowhere is a network failure.

| meaning | Q.850 | SIP | category (3GPP TS 22.001) |
|---|---|---|---|
";

const SPACING: &str = "
* **404** inside the office is vacant. From a trunk it is no proof alone: a second attempt must find the same.
* **An announcement** that says vacant proves it only with a cause, or the second time. It is known by the three rising tones before
  it (ITU-T E.180; `vacant`, or `congestion` where their heights say so). A cause of the telephone network, busy and declined say
  more than they do.
* **Suspended** comes from the rules of a trunk alone; no status says it.
* **Declined** ends the task. **Vacant** ends it and stays in the results, where it can be taken back.
* **Unfinished** attempts, of which a crash left nothing but their claim, count, and are spaced like a network failure.

A trunk may have up to 64 rules of its own: status, Reason, a header, a text, an announcement; the first whose signs are
all there decides.

## How often

By the callee's region. An office may be stricter, never laxer. Distances are those after the first attempt, after the
second to fourth, and from the fifth on; a permanent failure has the last of them. Counts are over all users, tasks and reasons.

| profile and purpose | distance | in a row / permanent | begins anew after | per task | per day / 24 h | hours there | rings | consent | after silence |
|---|---|---|---|---|---|---|---|---|---|
";

const TAIL: &str = "
Sources stand beside the figures in `crates/dialing/src/law/table.rs`. They are no legal advice.
";

#[test]
fn causes_on_the_page_are_those_of_the_tables() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/causes.md");
    let made = page();
    if std::env::var_os("RENEW").is_some() {
        std::fs::write(path, &made).expect("a page to write");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == made, "docs/causes.md is old: renew it with `RENEW=1 cargo test -p dialing causes`");
}
