//! May this task be dialled now? All rules in one place, asked when it waits, when its turn comes, and when its claim is
//! written down.

use super::entry::{Entry, Key};
use super::{Dialing, mono, mono_at, seconds, wall_at};
use crate::history::{DAY, History};
use crate::law::{Limits, Renewal};
use crate::reason::Rule;
use crate::task::End;
use crate::window::{self, Window};
use clock::{Mono, Now, Wall};

/// What the rules say.
#[derive(Debug)]
pub(crate) enum Verdict {
    Go,
    /// Not before this moment, by the rule that holds longest.
    Wait(Mono, Rule),
    /// Not while the number is called.
    Blocked,
    Never(End, Rule),
}

/// The moment from which on all rules so far allow it.
struct Earliest {
    at: Mono,
    rule: Option<Rule>,
}

impl Earliest {
    fn not_before(&mut self, at: Mono, rule: Rule) {
        if at > self.at {
            (self.at, self.rule) = (at, Some(rule));
        }
    }
}

impl Dialing {
    pub(super) fn check(&self, now: Now, key: Key) -> Verdict {
        let entry = &self.tasks[key];
        let limits = self.policy.limits(entry.profile, entry.purpose);
        if let Some((end, rule)) = self.forbidden(now, entry) {
            return Verdict::Never(end, rule);
        }
        if entry.made >= entry.most.min(limits.per_task) {
            return Verdict::Never(End::UsedUp, Rule::TaskAttempts(entry.made));
        }
        let mut earliest = Earliest { at: now.mono, rule: None };
        earliest.not_before(mono_at(now, entry.not_before), Rule::NotBefore);
        if let Some(held) = self.held.get(&entry.number) {
            earliest.not_before(*held, Rule::Lease);
        }
        if let Some(history) = self.numbers.get(&entry.number) {
            if history.in_flight().is_some() {
                return Verdict::Blocked;
            }
            if history.is_sequence_over(limits) && limits.renewal == Renewal::ByPerson {
                return Verdict::Never(End::UsedUp, Rule::Sequence(history.failures()));
            }
            self.ask_history(now, entry, history, limits, &mut earliest);
        }
        // The hours are asked at the moment that all other rules allow.
        let window = self.window(entry, limits);
        let at = wall_at(now, earliest.at);
        match window.next_open(at) {
            None => return Verdict::Never(End::Forbidden, Rule::NeverOpen),
            Some(open) if open > at => earliest.not_before(mono_at(now, open), self.closed(entry, at)),
            Some(_) => {}
        }
        match earliest.rule {
            Some(rule) => Verdict::Wait(earliest.at, rule),
            None => Verdict::Go,
        }
    }

    /// The rules that no waiting changes.
    pub(super) fn forbidden(&self, now: Now, entry: &Entry) -> Option<(End, Rule)> {
        if (self.policy.is_emergency)(entry.number) {
            return Some((End::Forbidden, Rule::Emergency));
        }
        if let Some(list) = self.do_not_call.forbids(entry.number, entry.owner) {
            return Some((End::Forbidden, Rule::DoNotCall(list)));
        }
        let needs_consent = self.policy.limits(entry.profile, entry.purpose).consent;
        if needs_consent && (!entry.consent || entry.consent_until <= now.wall) {
            return Some((End::Forbidden, Rule::Consent));
        }
        (entry.until <= now.wall).then_some((End::Expired, Rule::Until))
    }

    /// Distances and budgets of the number, over all tasks (R26).
    fn ask_history(
        &self,
        now: Now,
        entry: &Entry,
        history: &History,
        limits: &Limits,
        earliest: &mut Earliest,
    ) {
        let last = history.last();
        let own = last.map_or(0, |last| self.policy.own(entry.profile).after(last.outcome));
        let own = if entry.made > 0 { own.max(entry.interval) } else { own };
        // Who has just become free is called at once: nobody is rung again who did not hang up in between.
        let spaced = history.spaced(limits, own).filter(|_| !entry.free);
        if let (Some(spaced), Some(last)) = (spaced, last) {
            earliest.not_before(mono(spaced), Rule::Spacing(last.outcome));
        }
        if let Some(renews) = history.renews().filter(|_| history.is_sequence_over(limits)) {
            earliest.not_before(mono(renews), Rule::Sequence(history.failures()));
        }
        if let Some(rests) = history.rests(limits) {
            earliest.not_before(mono(rests), Rule::Abandoned);
        }
        let today = seconds(now.mono);
        let made = history.since(today - DAY + 1);
        let most = usize::from(limits.per_24_hours);
        if made >= most {
            let leaves = history.nth_last(most).map_or(today + DAY, |began| began + DAY);
            earliest.not_before(mono(leaves), Rule::Per24Hours(count(made)));
        }
        let (began, ends) = self.day_of(now, entry);
        let made = history.since(began);
        if made >= usize::from(limits.per_day) {
            earliest.not_before(ends, Rule::PerDay(count(made)));
        }
    }

    /// The callee's day: where he may be in several zones, from the first midnight to the last.
    fn day_of(&self, now: Now, entry: &Entry) -> (i64, Mono) {
        let zones = self.places.zones(entry.zones);
        let began = zones.iter().map(|zone| window::start_of_day(zone, now.wall)).min();
        let ends = zones.iter().map(|zone| window::next_day(zone, now.wall)).max();
        let ago = now.wall.0.saturating_sub(began.unwrap_or(now.wall).0);
        let ago = ago.div_euclid(1_000) + i64::from(ago % 1_000 > 0);
        (seconds(now.mono) - ago, mono_at(now, ends.unwrap_or(now.wall)))
    }

    pub(super) fn window<'a>(&'a self, entry: &Entry, limits: &'a Limits) -> Window<'a> {
        Window {
            hours: [&limits.hours, &self.policy.own(entry.profile).hours],
            slot: entry.slot,
            zones: self.places.zones(entry.zones),
            holidays: self.policy.holidays.get(&entry.region),
        }
    }

    /// Why it is closed, in words.
    pub(super) fn closed(&self, entry: &Entry, at: Wall) -> Rule {
        let zones = self.places.zones(entry.zones);
        let calendar = self.policy.holidays.get(&entry.region);
        let date = zones.first().map(|zone| window::local(zone, at).date());
        let holiday = date.and_then(|date| calendar?.holiday(date));
        Rule::Window { zone: self.places.name(entry.zones).into(), holiday: holiday.map(Box::from) }
    }
}

fn count(made: usize) -> u16 {
    u16::try_from(made).unwrap_or(u16::MAX)
}
