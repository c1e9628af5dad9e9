//! `[background]`: how the exchange keeps calling somebody.

use exchange::BackgroundPolicy;
use serde::Deserialize;
use std::time::Duration;

/// The section.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Background {
    /// The office's own time zone.
    pub(crate) zone: Zone,
    /// How long a background call lives that says nothing itself.
    pub(crate) hours: u32,
    /// How long somebody rings before an attempt is given up.
    pub(crate) ring_seconds: u32,
    /// How long the one who answered first waits for the other.
    pub(crate) wait_seconds: u32,
    /// Calls in a row without an answer before it is offered; 0 for never.
    pub(crate) suggest_after: u8,
    /// Attempts of one background call; 0 for as many as the law allows.
    pub(crate) attempts: u16,
}

/// `Asia/Shanghai`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Zone(pub(crate) String);

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(text: String) -> Result<Zone, String> {
        match BackgroundPolicy::knows_zone(&text) {
            true => Ok(Zone(text)),
            false => Err(format!("\"{text}\" is no time zone; write one as in \"Asia/Shanghai\"")),
        }
    }
}

impl Default for Background {
    fn default() -> Background {
        Background {
            zone: Zone("UTC".into()),
            hours: 8,
            ring_seconds: 25,
            wait_seconds: 20,
            suggest_after: 3,
            attempts: 0,
        }
    }
}

impl Background {
    pub(crate) fn policy(&self) -> BackgroundPolicy {
        let seconds = |seconds: u32, most| Duration::from_secs(seconds.clamp(5, most).into());
        BackgroundPolicy {
            zone: self.zone.0.as_str().into(),
            lives: Duration::from_secs(u64::from(self.hours.clamp(1, 24 * 14)) * 3_600),
            rings: seconds(self.ring_seconds, 120),
            waits: seconds(self.wait_seconds, 60),
            suggest_after: self.suggest_after,
            attempts: (self.attempts > 0).then_some(self.attempts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_what_the_exchange_does_by_itself() {
        assert_eq!(Background::default().policy(), BackgroundPolicy::default());
        let set: Background =
            toml::from_str("zone = \"Asia/Shanghai\"\nattempts = 4\nwait_seconds = 1").expect("sound");
        let policy = set.policy();
        assert_eq!((&*policy.zone, policy.attempts), ("Asia/Shanghai", Some(4)));
        assert_eq!(policy.waits, Duration::from_secs(5), "a phone needs a moment to ring");
        let wrong = toml::from_str::<Background>("zone = \"Mars\"").unwrap_err().to_string();
        assert!(wrong.contains("Asia/Shanghai"), "{wrong}");
    }
}
