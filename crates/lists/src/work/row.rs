//! From a row to a task: the rules that a row's number and times are checked by when its turn comes near.

use super::Settings;
use crate::columns::Column;
use crate::limits;
use crate::list::{Entry, shortened};
use crate::refusal::Why;
use clock::Wall;
use dialing::{Basis, Consent, LegOrder, Places, Purpose, Task};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// The task of a row.
pub(crate) fn task_of(
    entry: &Entry<'_>,
    rank: u32,
    settings: &Settings,
    places: &Places,
) -> Result<Task, Why> {
    let number = settings.numbering.number(entry.get(Column::Number))?;
    let zone = entry.zone();
    let clock = match zone {
        Some(name) => TimeZone::get(name).map_err(|_| Why::BadZone(shortened(name)))?,
        None => places.zones(places.of(number).1).first().cloned().unwrap_or(TimeZone::UTC),
    };
    let made = count(entry.get(Column::Attempts))?.unwrap_or(0);
    let most = count(entry.get(Column::Most))?.map(|most: u16| most.max(1));
    let interval = count(entry.get(Column::Interval))?;
    let mut task = Task::new(entry.task(number), number, settings.owner);
    task.legs = LegOrder::OwnerFirst;
    task.purpose = Purpose::Business;
    task.not_before = time(entry.get(Column::NotBefore), &clock)?;
    task.until = time(entry.get(Column::Until), &clock)?;
    task.slot = entry.slot().span();
    task.zone = zone.map(Box::from);
    task.priority = entry.priority();
    task.rank = rank;
    task.attempts_before = made;
    task.attempts_at_most = most.or(settings.attempts);
    task.interval = interval.or(settings.interval);
    task.consent = consent(entry.get(Column::Consent)).or_else(|| settings.consent.clone());
    Ok(task)
}

/// A number that may be left out.
fn count<T: std::str::FromStr>(text: &str) -> Result<Option<T>, Why> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Why::BadCount(shortened(text))),
    }
}

/// `agreed`, `requested` or `contract`, and behind it what proves that; anything else is proof of an agreement.
fn consent(text: &str) -> Option<Consent> {
    let text = text.trim();
    if text.is_empty() || matches!(text.to_lowercase().as_str(), "no" | "none" | "0" | "false" | "否" | "无")
    {
        return None;
    }
    let (first, rest) = text.split_once([':', ' ', '：']).unwrap_or((text, ""));
    let evidence = |text: &str| text.trim().chars().take(limits::EVIDENCE).collect::<String>().into();
    Some(match Basis::by_name(&first.to_lowercase()) {
        Some(basis) => Consent { basis, evidence: evidence(rest), until: None },
        None => Consent { basis: Basis::Agreed, evidence: evidence(text), until: None },
    })
}

/// `2026-11-29 14:00`, with slashes, with `T`, with seconds, a day alone; by the callee's clock unless it says its offset.
fn time(text: &str, clock: &TimeZone) -> Result<Option<Wall>, Why> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        return Ok(Some(Wall(stamp.as_millisecond())));
    }
    let plain = text.replace('/', "-");
    let day = || Date::strptime("%Y-%m-%d", &plain).ok().map(|date| date.at(0, 0, 0, 0));
    let local = plain.parse::<DateTime>().ok();
    let local = local.or_else(|| DateTime::strptime("%Y-%m-%d %H:%M", &plain).ok()).or_else(day);
    let stamp = local.and_then(|local| clock.to_ambiguous_timestamp(local).compatible().ok());
    stamp.map(|stamp| Some(Wall(stamp.as_millisecond()))).ok_or_else(|| Why::BadTime(shortened(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_callees_clock() {
        let clock = TimeZone::get("Asia/Shanghai").unwrap();
        for (text, wanted) in [
            ("2026-11-29 14:00", "2026-11-29T06:00:00Z"),
            ("2026/11/29 14:00", "2026-11-29T06:00:00Z"),
            ("2026/1/9 14:00", "2026-01-09T06:00:00Z"),
            ("2026-11-29T14:00:30", "2026-11-29T06:00:30Z"),
            ("2026-11-29", "2026-11-28T16:00:00Z"),
            ("2026/1/9", "2026-01-08T16:00:00Z"),
            ("2026-11-29T14:00:00+01:00", "2026-11-29T13:00:00Z"),
        ] {
            let wanted: jiff::Timestamp = wanted.parse().unwrap();
            assert_eq!(time(text, &clock), Ok(Some(Wall(wanted.as_millisecond()))), "{text}");
        }
        assert_eq!(time("", &clock), Ok(None));
        for text in ["tomorrow", "2026-13-01", "14:00"] {
            assert_eq!(time(text, &clock), Err(Why::BadTime(text.into())));
        }
    }

    #[test]
    fn a_ground_for_the_call_is_read_with_its_evidence() {
        for (text, basis, evidence) in [
            ("agreed: form 2026-03", Basis::Agreed, "form 2026-03"),
            ("contract K-17", Basis::Contract, "K-17"),
            ("Requested", Basis::Requested, ""),
            ("同意书 12", Basis::Agreed, "同意书 12"),
        ] {
            let read = consent(text).unwrap();
            assert_eq!((read.basis, &*read.evidence), (basis, evidence), "{text}");
        }
        assert_eq!((consent(""), consent("No"), consent("无")), (None, None, None));
    }
}
