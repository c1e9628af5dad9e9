//! `[agents]`: what holds for those who work for queues (S0).

use exchange::{AgentPolicy, Forgotten};
use serde::Deserialize;
use std::fmt;
use std::time::Duration;

/// The section.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Agents {
    /// Who signs in again elsewhere takes over.
    pub(crate) take_over: bool,
    /// The least wrap-up after calls of queues, in seconds.
    pub(crate) wrap_up: u32,
    /// The same after calls that came to the person.
    pub(crate) wrap_up_incoming: u32,
    /// The same after calls that the person made.
    pub(crate) wrap_up_outgoing: u32,
    /// By how much an extension makes a wrap-up longer, in seconds.
    pub(crate) extension: u32,
    /// Extensions of one wrap-up.
    pub(crate) extensions: u8,
    /// Calls of queues missed in a row until somebody is paused; 0 for never.
    pub(crate) missed: u8,
    /// How long no caller comes after one that was missed, in seconds.
    pub(crate) rest: u32,
    /// The reasons for a break in the order of their digits, each alone or as `lunch 60` with its planned minutes.
    pub(crate) reasons: Vec<Reason>,
    /// How long the question may stay unanswered whether a break is over, in seconds.
    pub(crate) patience: u32,
    /// What becomes of somebody then: `stay`, `ready` or `sign-out`.
    pub(crate) forgotten: AfterBreak,
}

/// `lunch`, or `lunch 60`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Reason {
    name: String,
    minutes: Option<u32>,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.minutes.map_or(Ok(()), |minutes| write!(f, " {minutes}"))
    }
}

impl TryFrom<String> for Reason {
    type Error = String;

    fn try_from(text: String) -> Result<Reason, String> {
        let (name, minutes) = match text.trim().rsplit_once(' ') {
            Some((name, last)) if last.bytes().all(|octet| octet.is_ascii_digit()) => {
                (name, last.parse().ok())
            }
            _ => (text.trim(), None),
        };
        if name.is_empty() || name.len() > 64 || minutes == Some(0) {
            return Err(format!("\"{text}\" is no reason; write it as in \"lunch\" or \"lunch 60\""));
        }
        Ok(Reason { name: name.into(), minutes })
    }
}

/// The name of a [`Forgotten`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct AfterBreak(Forgotten);

impl TryFrom<String> for AfterBreak {
    type Error = String;

    fn try_from(text: String) -> Result<AfterBreak, String> {
        let names: Vec<&str> = Forgotten::ALL.iter().map(|case| case.name()).collect();
        let unknown = || format!("\"{text}\" cannot be done; {} can", names.join(", "));
        Forgotten::of_name(&text).map(AfterBreak).ok_or_else(unknown)
    }
}

impl Default for Agents {
    fn default() -> Agents {
        let reason = |name: &str, minutes| Reason { name: name.into(), minutes };
        Agents {
            take_over: true,
            wrap_up: 0,
            wrap_up_incoming: 0,
            wrap_up_outgoing: 0,
            extension: 30,
            extensions: 3,
            missed: 3,
            rest: 10,
            reasons: vec![
                reason("break", Some(15)),
                reason("lunch", Some(60)),
                reason("meeting", None),
                reason("training", None),
                reason("paperwork", Some(30)),
            ],
            patience: 60,
            forgotten: AfterBreak(Forgotten::Stay),
        }
    }
}

/// The longest wrap-up, in seconds: an hour is work, and no wrap-up.
const LONGEST: u32 = 3_600;

impl Agents {
    pub(crate) fn policy(&self) -> AgentPolicy {
        let seconds = |seconds: u32| Duration::from_secs(seconds.min(LONGEST).into());
        let reasons = self.reasons.iter().map(|reason| {
            let planned =
                reason.minutes.map(|minutes| Duration::from_secs(u64::from(minutes.min(24 * 60)) * 60));
            (reason.name.as_str().into(), planned)
        });
        AgentPolicy {
            take_over: self.take_over,
            wrap_up: [self.wrap_up, self.wrap_up_incoming, self.wrap_up_outgoing].map(seconds),
            extension: seconds(self.extension.max(1)),
            extensions: self.extensions,
            missed: self.missed,
            rest: seconds(self.rest.max(1)),
            reasons: reasons.collect(),
            patience: seconds(self.patience.max(5)),
            forgotten: self.forgotten.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_what_the_exchange_does_by_itself() {
        assert_eq!(Agents::default().policy(), AgentPolicy::default());
        let set: Agents =
            toml::from_str("wrap_up = 20\nreasons = [\"tea break 10\", \"lunch\"]\nforgotten = \"sign-out\"")
                .expect("sound");
        let policy = set.policy();
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        assert_eq!(policy.reasons, [("tea break".into(), Some(minutes(10))), ("lunch".into(), None)]);
        assert_eq!((policy.wrap_up[0], policy.forgotten), (Duration::from_secs(20), Forgotten::SignOut));
        for wrong in ["forgotten = \"nap\"", "reasons = [\"\"]", "reasons = [\"lunch 0\"]"] {
            assert!(toml::from_str::<Agents>(wrong).is_err(), "{wrong}");
        }
    }
}
