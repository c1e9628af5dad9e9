//! One profile, and the written rule by which a start-up instruction picks one (S0.5): docs/profiles.md.

use crate::people::Language;
use std::fmt;
use std::time::Duration;

/// The profile of whoever is named by no other.
pub(super) const DEFAULT: &str = "default";

/// What a phone starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name: that of its file.
    pub name: Box<str>,
    /// A hash of what it says.
    pub version: Box<str>,
    /// For whom it is.
    pub selectors: Vec<Selector>,
    /// How the phone sounds.
    pub audio: Audio,
    /// The codecs that are offered and taken, the best first; the phone's own if none is named.
    pub codecs: Vec<Box<str>>,
    /// Calls are answered as they come, while no other is up.
    pub auto_answer: bool,
    /// The queues that a sign-in works for if it names none.
    pub queues: Vec<Box<str>>,
    /// The wrap-up after calls; the longest of all that apply holds.
    pub wrap_up: Option<Duration>,
    /// The page's language.
    pub language: Option<Language>,
    /// How the page looks.
    pub look: Look,
    /// Whoever sits down at a phone is signed in to work, too.
    pub join_seat: bool,
    /// Whoever signs in to work has their call list called at this phone, if they have one.
    pub call_list: bool,
}

/// How a phone sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audio {
    /// How loud it rings, in percent.
    pub ring: u8,
    /// How loud the other side is, in percent.
    pub volume: u8,
    /// Whether the browser takes out the echo of its loudspeaker.
    pub echo_cancellation: bool,
    /// Whether it takes out noise.
    pub noise_suppression: bool,
    /// Whether it levels how loud one speaks.
    pub gain_control: bool,
}

impl Default for Audio {
    fn default() -> Audio {
        Audio { ring: 100, volume: 100, echo_cancellation: true, noise_suppression: true, gain_control: true }
    }
}

/// How a page looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    /// As the reader's system does.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Look {
    /// All of them.
    pub const ALL: [Look; 3] = [Look::System, Look::Light, Look::Dark];

    /// The name in files and in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Look::System => "system",
            Look::Light => "light",
            Look::Dark => "dark",
        }
    }
}

/// Whom a profile is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector {
    /// An account.
    User(Box<str>),
    /// A phone, or the name that a terminal has.
    Terminal(Box<str>),
    /// An office, by the name that its terminals tell.
    Office(Box<str>),
}

impl Selector {
    /// Reads `user ada`, `terminal desk-1` or `office shanghai`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Selector> {
        let (kind, name) = text.trim().split_once(' ')?;
        let name: Box<str> = name.trim().into();
        match kind {
            _ if name.is_empty() || name.len() > 64 => None,
            "user" => Some(Selector::User(name)),
            "terminal" => Some(Selector::Terminal(name)),
            "office" => Some(Selector::Office(name)),
            _ => None,
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selector::User(name) => write!(f, "user {name}"),
            Selector::Terminal(name) => write!(f, "terminal {name}"),
            Selector::Office(name) => write!(f, "office {name}"),
        }
    }
}

/// What a terminal says when it starts (S0.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instruction {
    /// Who is there.
    pub user: Box<str>,
    /// The phone, and the terminal's own name if it has one.
    pub terminals: Vec<Box<str>>,
    /// The office in which it stands, if it knows.
    pub office: Option<Box<str>>,
}

impl Profile {
    /// What there is without any file.
    #[must_use]
    pub fn built_in() -> Profile {
        Profile {
            name: DEFAULT.into(),
            version: "built-in".into(),
            selectors: Vec::new(),
            audio: Audio::default(),
            codecs: Vec::new(),
            auto_answer: false,
            queues: Vec::new(),
            wrap_up: None,
            language: None,
            look: Look::default(),
            join_seat: false,
            call_list: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_selector_may_be() {
        assert_eq!(Selector::parse("user  ada"), Some(Selector::User("ada".into())));
        for wrong in ["", "ada", "user", "user ", "group ada", "User ada"] {
            assert_eq!(Selector::parse(wrong), None, "{wrong:?}");
        }
    }
}
