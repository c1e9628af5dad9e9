//! What an office wants of its agents: `[agents]` in the configuration.

use super::interval::{By, CallKind};
use std::time::Duration;

/// The policy; all of it can change while agents work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentPolicy {
    /// Who signs in again elsewhere takes over; otherwise they are refused while they are signed in.
    pub take_over: bool,
    /// The least wrap-up after calls of queues, calls that came, and calls that were made.
    pub wrap_up: [Duration; 3],
    /// By how much one extension makes a wrap-up longer.
    pub extension: Duration,
    /// Extensions of one wrap-up.
    pub extensions: u8,
    /// Calls of queues missed in a row until the agent is paused; zero for never.
    pub missed: u8,
    /// How long no caller comes after one that was missed.
    pub rest: Duration,
    /// The reasons for a break, each with its planned length if it has one; a phone picks one by its digit, from 1.
    pub reasons: Vec<(Box<str>, Option<Duration>)>,
    /// How long somebody may leave the question unanswered whose break is over.
    pub patience: Duration,
    /// What becomes of them then.
    pub forgotten: Forgotten,
}

/// What becomes of somebody whose break is over, and who does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// They stay as they are.
    Stay,
    /// They are ready.
    Ready,
    /// They are signed out.
    SignOut,
}

impl Forgotten {
    /// All of them.
    pub const ALL: [Forgotten; 3] = [Forgotten::Stay, Forgotten::Ready, Forgotten::SignOut];

    /// The name in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Forgotten::Stay => "stay",
            Forgotten::Ready => "ready",
            Forgotten::SignOut => "sign-out",
        }
    }

    /// The case of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Forgotten> {
        Forgotten::ALL.into_iter().find(|case| case.name() == name)
    }
}

impl Default for AgentPolicy {
    fn default() -> AgentPolicy {
        let minutes = |minutes: u64| Some(Duration::from_secs(60 * minutes));
        AgentPolicy {
            take_over: true,
            wrap_up: [Duration::ZERO; 3],
            extension: Duration::from_secs(30),
            extensions: 3,
            missed: 3,
            rest: Duration::from_secs(10),
            reasons: vec![
                ("break".into(), minutes(15)),
                ("lunch".into(), minutes(60)),
                ("meeting".into(), None),
                ("training".into(), None),
                ("paperwork".into(), minutes(30)),
            ],
            patience: Duration::from_secs(60),
            forgotten: Forgotten::Stay,
        }
    }
}

impl AgentPolicy {
    /// What the office says of the wrap-up after a call of this kind.
    pub(crate) fn interval(&self, kind: &CallKind) -> (Duration, By) {
        let place = match kind {
            CallKind::Queue(_) | CallKind::Platform => 0,
            CallKind::Incoming => 1,
            CallKind::Outgoing => 2,
        };
        (self.wrap_up[place], By::Kind)
    }

    /// The planned length of a break for this reason.
    pub(crate) fn planned(&self, reason: &str) -> Option<Duration> {
        self.reasons.iter().find(|(name, _)| **name == *reason).and_then(|(_, planned)| *planned)
    }

    /// The reason of a digit, from 1; none for a digit that has none.
    pub(crate) fn reason(&self, digit: &str) -> Option<&str> {
        let place: usize = digit.parse().ok()?;
        self.reasons.get(place.checked_sub(1)?).map(|(name, _)| &**name)
    }
}
