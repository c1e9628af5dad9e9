//! `[badges]`: which badges open anything, and when the PIN is asked for as well.

use super::many::Many;
use exchange::{BadgeKind, BadgePolicy, Hours, PinWhen};
use serde::Deserialize;
use std::str::FromStr;

/// `[badges]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Badges {
    /// The kinds that open anything.
    pub(crate) allow: Many<Kind>,
    /// When the PIN is asked for.
    pub(crate) pin: Many<When>,
    /// The office's hours.
    pub(crate) hours: Many<OfficeHours>,
}

/// `secure`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind(BadgeKind);

impl FromStr for Kind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Kind, &'static str> {
        BadgeKind::of_name(text).map(Kind).ok_or("is no kind of badge; \"secure\", \"ndef\" and \"uid\" are")
    }
}

/// `out-of-hours`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct When(PinWhen);

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<When, &'static str> {
        let wrong = "is no case for the PIN; \"clonable\", \"out-of-hours\" and \"always\" are";
        PinWhen::of_name(text).map(When).ok_or(wrong)
    }
}

/// `mon-fri 08:00-19:00`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OfficeHours(Hours);

impl FromStr for OfficeHours {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<OfficeHours, &'static str> {
        Hours::parse(text).map(OfficeHours).ok_or("are no hours; write them as in \"mon-fri 08:00-19:00\"")
    }
}

impl Default for Badges {
    fn default() -> Badges {
        let BadgePolicy { allow, pin, hours } = BadgePolicy::default();
        Badges {
            allow: Many(allow.into_iter().map(Kind).collect()),
            pin: Many(pin.into_iter().map(When).collect()),
            hours: Many(hours.into_iter().map(OfficeHours).collect()),
        }
    }
}

impl Badges {
    pub(crate) fn policy(&self) -> BadgePolicy {
        BadgePolicy {
            allow: self.allow.0.iter().map(|kind| kind.0).collect(),
            pin: self.pin.0.iter().map(|when| when.0).collect(),
            hours: self.hours.0.iter().map(|hours| hours.0).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn badges_are_allowed_by_kind_and_hours_by_day() {
        let read = |text: &str| toml::from_str::<Badges>(text).map(|badges| badges.policy());
        assert_eq!(read("").unwrap(), BadgePolicy::default());
        let policy =
            read("allow = [\"secure\", \"uid\"]\npin = []\nhours = \"mon-fri 08:00-19:00\"").unwrap();
        assert_eq!(policy.allow, [BadgeKind::Secure, BadgeKind::Uid]);
        assert!(policy.pin.is_empty() && policy.hours.len() == 1);
        for (wrong, words) in [
            ("allow = \"rfid\"", "no kind of badge"),
            ("pin = [\"sometimes\"]", "no case for the PIN"),
            ("hours = \"9 to 5\"", "are no hours"),
        ] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
