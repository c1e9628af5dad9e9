//! Why something is so, as values: which rule allowed, put off or refused an attempt, and why this task is next. The
//! texts here are English; a catalogue above has the same under each key.

use crate::cause::Outcome;
use crate::do_not_call::ListName;
use crate::law::Profile;
use crate::number::Number;
use crate::task::{OwnerId, TaskId};
use crate::window::Span;
use clock::Wall;
use std::fmt;

/// What decided about an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// All rules of this profile allow it.
    Within(Profile),
    /// A number of emergency is never dialled by itself.
    Emergency,
    /// It stands on this list.
    DoNotCall(ListName),
    /// There is no basis for the call, or it has lapsed.
    Consent,
    /// Its time is over.
    Until,
    /// The task made as many attempts as it may.
    TaskAttempts(u16),
    /// So many attempts in a row found nobody.
    Sequence(u16),
    /// It shall not be tried before.
    NotBefore,
    /// An attempt at this number is in flight.
    InFlight,
    /// The last attempt was a moment ago, and came to this.
    Spacing(Outcome),
    /// Its owner answered, and nobody was there.
    Abandoned,
    /// So many attempts today.
    PerDay(u16),
    /// So many attempts in 24 hours.
    Per24Hours(u16),
    /// It is no time to call there.
    Window {
        /// The zone whose clock counts.
        zone: Box<str>,
        /// The holiday that it is.
        holiday: Option<Box<str>>,
    },
    /// There is no time at all at which it may be called.
    NeverOpen,
    /// The zone that it names does not exist.
    NoZone,
    /// A task of this name is there.
    Known,
    /// There is no room for more.
    Full,
    /// Its owner is away, or has as many calls as he wants.
    Owner,
    /// Others come first.
    Turn,
    /// The store is away: what cannot be written down is not done.
    Store,
    /// Another exchange has these numbers.
    Lease,
    /// Its owner stopped it before it left.
    Stopped,
}

impl Rule {
    /// Names the rule in audit rows and catalogues.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Rule::Within(_) => "dialing.rule.within",
            Rule::Emergency => "dialing.rule.emergency",
            Rule::DoNotCall(_) => "dialing.rule.do_not_call",
            Rule::Consent => "dialing.rule.consent",
            Rule::Until => "dialing.rule.until",
            Rule::TaskAttempts(_) => "dialing.rule.task_attempts",
            Rule::Sequence(_) => "dialing.rule.sequence",
            Rule::NotBefore => "dialing.rule.not_before",
            Rule::InFlight => "dialing.rule.in_flight",
            Rule::Spacing(_) => "dialing.rule.spacing",
            Rule::Abandoned => "dialing.rule.abandoned",
            Rule::PerDay(_) => "dialing.rule.per_day",
            Rule::Per24Hours(_) => "dialing.rule.per_24_hours",
            Rule::Window { .. } => "dialing.rule.window",
            Rule::NeverOpen => "dialing.rule.never_open",
            Rule::NoZone => "dialing.rule.no_zone",
            Rule::Known => "dialing.rule.known",
            Rule::Full => "dialing.rule.full",
            Rule::Owner => "dialing.rule.owner",
            Rule::Turn => "dialing.rule.turn",
            Rule::Store => "dialing.rule.store",
            Rule::Lease => "dialing.rule.lease",
            Rule::Stopped => "dialing.rule.stopped",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Within(profile) => write!(f, "within the rules of {}", profile.name()),
            Rule::Emergency => f.write_str("a number of emergency is never dialled by itself"),
            Rule::DoNotCall(list) => write!(f, "the number is on {list} of those who are not called"),
            Rule::Consent => f.write_str("no consent, or it has lapsed"),
            Rule::Until => f.write_str("its time is over"),
            Rule::TaskAttempts(made) => write!(f, "{made} attempts were made, as many as it may"),
            Rule::Sequence(made) => write!(f, "{made} attempts in a row found nobody"),
            Rule::NotBefore => f.write_str("not before the time that was set"),
            Rule::InFlight => f.write_str("the number is being called"),
            Rule::Spacing(outcome) => write!(f, "the last attempt is too near: {outcome}"),
            Rule::Abandoned => f.write_str("the callee answered and nobody was there; he is left alone"),
            Rule::PerDay(made) => write!(f, "{made} attempts today"),
            Rule::Per24Hours(made) => write!(f, "{made} attempts within 24 hours"),
            Rule::Window { zone, holiday: None } => write!(f, "no time to call in {zone}"),
            Rule::Window { zone, holiday: Some(name) } => write!(f, "a holiday in {zone}: {name}"),
            Rule::NeverOpen => f.write_str("there is no time at which it may be called"),
            Rule::NoZone => f.write_str("there is no such time zone"),
            Rule::Known => f.write_str("there is a task of this name"),
            Rule::Full => f.write_str("there is no room for more"),
            Rule::Owner => f.write_str("its owner is away, or has calls enough"),
            Rule::Turn => f.write_str("others come first"),
            Rule::Store => f.write_str("the store is away"),
            Rule::Lease => f.write_str("another exchange has this number"),
            Rule::Stopped => f.write_str("stopped by its owner"),
        }
    }
}

/// One reason why this task is next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// Its first attempt.
    First,
    /// Another attempt is due.
    Again {
        /// Which one it is.
        ordinal: u16,
        /// What the last one at this number came to.
        after: Outcome,
    },
    /// The callee has just become free.
    Free,
    /// Its owner picked it.
    Chosen,
    /// Its priority, when it has one.
    Priority(u8),
    /// The slot that it asks for is open.
    Slot {
        /// By the callee's clock.
        span: Span,
        /// The zone of that clock.
        zone: Box<str>,
    },
    /// It may be called until then.
    OpenUntil {
        /// When it closes.
        closes: Wall,
        /// The minute of the day at which the callee's clock shows that.
        minute: u16,
        /// The zone of that clock.
        zone: Box<str>,
    },
    /// It is its owner's turn among so many.
    Turn(u32),
}

impl Because {
    /// The key of its words in a catalogue.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Because::First => "dialing.because.first",
            Because::Again { .. } => "dialing.because.again",
            Because::Free => "dialing.because.free",
            Because::Chosen => "dialing.because.chosen",
            Because::Priority(_) => "dialing.because.priority",
            Because::Slot { .. } => "dialing.because.slot",
            Because::OpenUntil { .. } => "dialing.because.open_until",
            Because::Turn(_) => "dialing.because.turn",
        }
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Because::First => f.write_str("first attempt"),
            Because::Again { ordinal, after } => write!(f, "attempt {ordinal} is due after: {after}"),
            Because::Free => f.write_str("the callee has just become free"),
            Because::Chosen => f.write_str("picked by its owner"),
            Because::Priority(priority) => write!(f, "priority {priority}"),
            Because::Slot { span, zone } => write!(f, "slot {span} is open in {zone}"),
            Because::OpenUntil { minute, zone, .. } => {
                write!(f, "may be called until {:02}:{:02} in {zone}", minute / 60, minute % 60)
            }
            Because::Turn(owners) => write!(f, "its owner's turn among {owners}"),
        }
    }
}

/// What was decided about an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may be dialled.
    Allowed,
    /// Not now.
    PutOff,
    /// Never.
    Refused,
}

/// One decision, to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// When.
    pub at: Wall,
    /// About which task.
    pub task: TaskId,
    /// Whose.
    pub owner: OwnerId,
    /// To call whom.
    pub number: Number,
    /// What.
    pub decision: Decision,
    /// By which rule.
    pub rule: Rule,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_words() {
        let zone: Box<str> = "Asia/Shanghai".into();
        let span = Span::new(540, 660).expect("a span");
        for (because, words) in [
            (Because::Again { ordinal: 2, after: Outcome::Busy }, "attempt 2 is due after: busy"),
            (Because::Slot { span, zone: zone.clone() }, "slot 09:00-11:00 is open in Asia/Shanghai"),
            (
                Because::OpenUntil { closes: Wall(0), minute: 1_230, zone: zone.clone() },
                "may be called until 20:30 in Asia/Shanghai",
            ),
            (Because::Turn(3), "its owner's turn among 3"),
        ] {
            assert_eq!(because.to_string(), words);
        }
        let closed = Rule::Window { zone, holiday: Some("国庆节".into()) };
        assert_eq!(closed.to_string(), "a holiday in Asia/Shanghai: 国庆节");
        let listed = Rule::DoNotCall(ListName::Office);
        assert_eq!(listed.to_string(), "the number is on the office's list of those who are not called");
    }
}
