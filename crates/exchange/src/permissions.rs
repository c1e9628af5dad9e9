//! Who may do what: one function, default deny.

use crate::exchange::Exchange;
use crate::limits;
use crate::numbering::Class;
use crate::people::Right;
use clock::Now;
use std::collections::BTreeMap;

/// Something that needs a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// To call a number of the outside.
    Call(Class),
    /// Anything else that has a right of its own.
    Use(Right),
}

/// Yes, or no by which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be done.
    Allow,
    /// It may not; the rule's name stands in records and facts.
    Deny(&'static str),
}

/// Calls to the outside by account, on one day of UTC.
#[derive(Debug, Default)]
pub(crate) struct DayCounts {
    day: i64,
    calls: BTreeMap<Box<str>, u32>,
}

const DAY: i64 = 24 * 3_600 * 1_000;

impl DayCounts {
    pub(crate) fn today(&mut self, now: Now) -> &mut BTreeMap<Box<str>, u32> {
        let day = now.wall.0.div_euclid(DAY);
        // A clock that is set back does not give the day's calls again (R18).
        if day > self.day {
            self.day = day;
            self.calls.clear();
        }
        &mut self.calls
    }

    /// One more call of an account.
    pub(crate) fn count(&mut self, now: Now, account: &str) {
        *self.today(now).entry(account.into()).or_default() += 1;
    }
}

impl Exchange {
    /// Whether an account may do something; `None` is somebody who has no account, as a caller from outside.
    pub(crate) fn may(&mut self, now: Now, account: Option<&str>, act: Act) -> Verdict {
        let known = account.and_then(|name| Some((name, self.people.account(name)?)));
        let Some((name, account)) = known else { return Verdict::Deny("trunk-to-trunk") };
        let right = match act {
            Act::Call(class) => class.right(),
            Act::Use(right) => right,
        };
        if !account.settings.rights.has(right) {
            return Verdict::Deny(rule(right));
        }
        let most = account.settings.calls_a_day.unwrap_or(limits::CALLS_A_DAY);
        let made = self.day_counts.today(now).get(name).copied().unwrap_or_default();
        if matches!(act, Act::Call(_)) && made >= most {
            return Verdict::Deny("calls-a-day");
        }
        Verdict::Allow
    }
}

/// The rule that denies what needs a right.
fn rule(right: Right) -> &'static str {
    match right {
        Right::National => "rights.national",
        Right::International => "rights.international",
        Right::Premium => "rights.premium",
        Right::Pickup => "rights.pickup",
        Right::Pull => "rights.pull",
        Right::Background => "rights.background",
        Right::Lists => "rights.lists",
        Right::Intercom => "rights.intercom",
    }
}
