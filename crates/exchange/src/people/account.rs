//! Accounts: a person or a room, what they may do, and where their calls go when they are not there.

use std::fmt;
use std::time::Duration;

/// A person, or a room that has a telephone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The name others see.
    pub display: Box<str>,
    /// What the person and the administrator have set.
    pub settings: Settings,
    /// In the order they were added; the first is shown to those whom this account calls.
    pub numbers: Vec<Box<str>>,
    /// In the order they were added.
    pub devices: Vec<Box<str>>,
}

/// What can be set for an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The language that the exchange speaks to this person.
    pub language: Language,
    /// The IANA name of the person's time zone; the exchange's own if there is none.
    pub zone: Option<Box<str>>,
    /// The person's mobile number, in E.164.
    pub mobile: Option<Box<str>>,
    /// The PIN's hash, argon2id in PHC form; the PIN itself is never kept.
    pub pin: Option<Box<str>>,
    /// No call rings; each is treated as if the person were busy.
    pub do_not_disturb: bool,
    /// Own calls that nobody answers go on as background calls.
    pub background: bool,
    /// Where calls go instead.
    pub forwarding: Forwarding,
    /// What the person may do beyond internal and emergency calls.
    pub rights: Rights,
    /// Calls to the outside within one day; beyond, they are refused. `None` takes the exchange's limit.
    pub calls_a_day: Option<u32>,
    /// What the person may do at the pages and the API.
    pub role: Role,
    /// The telephone platform at which the person works, if it is not ours.
    pub platform: Option<Box<str>>,
    /// The person's own wrap-up; the longest of all that apply holds (S0.12).
    pub wrap_up: Option<Duration>,
    /// The password's hash, argon2id in PHC form; without one nobody signs in with a password.
    pub password: Option<Box<str>>,
}

/// What a person may do at the pages and the API; each role may what those before it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Own calls, own records, own settings.
    #[default]
    Agent,
    /// Reads people, calls and records; may end calls.
    Manager,
    /// Everything.
    Administrator,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Role; 3] = [Role::Agent, Role::Manager, Role::Administrator];

    /// The name in commands and in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Agent => "agent",
            Role::Manager => "manager",
            Role::Administrator => "administrator",
        }
    }

    /// The role of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// The languages that the exchange speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// The tag of the language (RFC 5646).
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh",
        }
    }

    /// The language of a tag.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Language> {
        match tag.split('-').next()? {
            "en" => Some(Language::English),
            "zh" => Some(Language::Chinese),
            _ => None,
        }
    }
}

/// Where an account's calls go instead of its devices; each is a number as this account would dial it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarding {
    /// All calls; no device rings.
    pub always: Option<Box<str>>,
    /// When the person is busy, declines or wants no disturbance.
    pub busy: Option<Box<str>>,
    /// When nobody answers in time.
    pub no_answer: Option<Box<str>>,
    /// When no device is registered; an account without one is always offline.
    pub offline: Option<Box<str>>,
}

/// When a forwarding applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ForwardWhen {
    /// Always.
    Always,
    /// Busy, declined, or do not disturb.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// No device is registered.
    Offline,
}

impl ForwardWhen {
    /// All of them.
    pub const ALL: [ForwardWhen; 4] =
        [ForwardWhen::Always, ForwardWhen::Busy, ForwardWhen::NoAnswer, ForwardWhen::Offline];

    /// The name in commands, records and facts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ForwardWhen::Always => "always",
            ForwardWhen::Busy => "busy",
            ForwardWhen::NoAnswer => "no-answer",
            ForwardWhen::Offline => "offline",
        }
    }
}

impl Forwarding {
    /// Where calls go in this case.
    #[must_use]
    pub fn to(&self, when: ForwardWhen) -> Option<&str> {
        match when {
            ForwardWhen::Always => self.always.as_deref(),
            ForwardWhen::Busy => self.busy.as_deref(),
            ForwardWhen::NoAnswer => self.no_answer.as_deref(),
            ForwardWhen::Offline => self.offline.as_deref(),
        }
    }

    /// Sets or clears one of them.
    pub fn set(&mut self, when: ForwardWhen, number: Option<Box<str>>) {
        match when {
            ForwardWhen::Always => self.always = number,
            ForwardWhen::Busy => self.busy = number,
            ForwardWhen::NoAnswer => self.no_answer = number,
            ForwardWhen::Offline => self.offline = number,
        }
    }
}

/// One thing that an account may be allowed; internal and emergency calls need none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Calls inside the country.
    National,
    /// Calls abroad.
    International,
    /// Calls to numbers that cost extra.
    Premium,
    /// To answer a call that rings at another's phone.
    Pickup,
    /// To pull a call of one's own to another phone.
    Pull,
    /// To have the exchange keep calling somebody.
    Background,
    /// To work through call lists.
    Lists,
    /// To call telephones that answer at once.
    Intercom,
}

impl Right {
    /// All of them.
    pub const ALL: [Right; 8] = [
        Right::National,
        Right::International,
        Right::Premium,
        Right::Pickup,
        Right::Pull,
        Right::Background,
        Right::Lists,
        Right::Intercom,
    ];

    /// The name in commands and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Right::National => "national",
            Right::International => "international",
            Right::Premium => "premium",
            Right::Pickup => "pickup",
            Right::Pull => "pull",
            Right::Background => "background",
            Right::Lists => "lists",
            Right::Intercom => "intercom",
        }
    }

    /// The right of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Right> {
        Right::ALL.into_iter().find(|right| right.name() == name)
    }
}

/// A set of rights; none at first (default deny).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(u8);

impl Rights {
    /// Whether a right is among them.
    #[must_use]
    pub fn has(self, right: Right) -> bool {
        self.0 & Rights::bit(right) != 0
    }

    /// These and one more.
    #[must_use]
    pub fn with(self, right: Right) -> Rights {
        Rights(self.0 | Rights::bit(right))
    }

    /// These in order.
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.into_iter().filter(move |right| self.has(*right))
    }

    /// Reads `national,pickup`, as [`fmt::Display`] writes it.
    ///
    /// # Errors
    /// The word that is no right.
    pub fn parse(text: &str) -> Result<Rights, &str> {
        text.split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .try_fold(Rights::default(), |rights, word| {
                Right::of_name(word).map(|r| rights.with(r)).ok_or(word)
            })
    }

    fn bit(right: Right) -> u8 {
        1 << right as u8
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, right) in self.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "," })?;
            f.write_str(right.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_denied_by_default_and_read_back_as_written() {
        assert_eq!(Right::ALL.into_iter().filter(|right| Rights::default().has(*right)).count(), 0);
        let rights = Rights::parse("pickup, national").unwrap();
        assert_eq!(rights.to_string(), "national,pickup");
        assert_eq!(Rights::parse(&rights.to_string()), Ok(rights));
        assert_eq!(Rights::parse("national,moon"), Err("moon"));
    }
}
