//! `[seats]`: who may sit at another's phone, and for how long.

use super::maybe;
use exchange::{SeatPolicy, TimeOfDay};
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::time::Duration;

/// The section.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Seats {
    /// Somebody may sit at several phones at once.
    pub(crate) several: bool,
    /// A seat ends by itself after so many hours; 0 for never.
    pub(crate) hours: u32,
    /// All seats end at this time of day, in the zone of whoever sits.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) sign_out_at: Option<ClockTime>,
    /// Who sits at a phone and taps there again leaves it.
    pub(crate) tap_again: bool,
    /// The calls of a phone's owner ring there while somebody else sits there.
    pub(crate) owner_rings: bool,
}

impl Default for Seats {
    fn default() -> Seats {
        Seats { several: true, hours: 12, sign_out_at: None, tap_again: true, owner_rings: true }
    }
}

/// `20:00`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockTime(TimeOfDay);

impl std::str::FromStr for ClockTime {
    type Err = String;

    fn from_str(text: &str) -> Result<ClockTime, String> {
        text.parse().map(ClockTime).map_err(|wrong| format!("\"{text}\" {wrong}"))
    }
}

impl Seats {
    pub(crate) fn policy(&self) -> SeatPolicy {
        let hours = self.hours.min(24 * 365);
        SeatPolicy {
            several: self.several,
            longest: (hours > 0).then(|| Duration::from_secs(u64::from(hours) * 3_600)),
            sign_out_at: self.sign_out_at.map(|ClockTime(time)| time),
            zone: TimeZone::system(),
            again_leaves: self.tap_again,
            owner_rings: self.owner_rings,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_what_the_exchange_does_by_itself() {
        let policy = SeatPolicy { zone: TimeZone::system(), ..SeatPolicy::default() };
        assert_eq!(Seats::default().policy(), policy);
        let seats: Seats = toml::from_str("hours = 0\nsign_out_at = \"20:00\"\nseveral = false").unwrap();
        let policy = seats.policy();
        assert_eq!((policy.longest, policy.several), (None, false));
        assert_eq!(policy.sign_out_at.map(|time| time.to_string()).as_deref(), Some("20:00"));
        let wrong = toml::from_str::<Seats>("sign_out_at = \"20:00+08:00\"").unwrap_err().to_string();
        assert!(wrong.contains("write it as in \"20:00\""), "{wrong}");
    }
}
