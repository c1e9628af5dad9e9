//! Devices: the telephones of an account.

use sip::bearer::TokenHash;
use sip::digest::Secret;

/// A telephone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Whose it is.
    pub account: Box<str>,
    /// How it proves itself.
    pub secret: Secret,
    /// Where it stands, for people who must find it and for emergencies (R31).
    pub location: Box<str>,
    /// The number that an emergency service calls back; the account's first number if there is none.
    pub call_back: Option<Box<str>>,
    /// How it is told to answer by itself.
    pub auto_answer: Option<AutoAnswer>,
}

/// What the names of web phones begin with; sixteen hexadecimal digits follow.
const WEB: &str = "web-";
/// See [`WEB`].
const WEB_DIGITS: usize = 16;

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// A telephone that somebody added.
    Phone,
    /// The web phone of a session.
    Web,
}

impl DeviceKind {
    /// The kind of a device, which its name tells: names of web phones are kept for them.
    #[must_use]
    pub fn of(device: &str) -> DeviceKind {
        if is_web_name(device) { DeviceKind::Web } else { DeviceKind::Phone }
    }

    /// The name in lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DeviceKind::Phone => "phone",
            DeviceKind::Web => "web",
        }
    }
}

/// Whether a name is one of web phones, whether or not there is such a one: a stranger learns nothing by asking.
pub(crate) fn is_web_name(name: &str) -> bool {
    name.strip_prefix(WEB).is_some_and(|digits| {
        digits.len() == WEB_DIGITS && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// The name of a session's web phone: the same after a restart, so that its page only needs another token.
#[must_use]
pub fn web_name(session: &str) -> Box<str> {
    let hash = TokenHash::of(session).to_string();
    format!("{WEB}{}", &hash[..WEB_DIGITS]).into()
}

/// How a device is told to answer by itself; makers differ (R5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoAnswer {
    /// `Answer-Mode: Auto` (RFC 5373).
    AnswerMode,
    /// `Alert-Info: <...>;info=alert-autoanswer`.
    AlertInfo,
    /// `Call-Info: <...>;answer-after=0`.
    CallInfo,
}

impl AutoAnswer {
    const ALL: [AutoAnswer; 3] = [AutoAnswer::AnswerMode, AutoAnswer::AlertInfo, AutoAnswer::CallInfo];

    /// The name in commands and lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            AutoAnswer::AnswerMode => "answer-mode",
            AutoAnswer::AlertInfo => "alert-info",
            AutoAnswer::CallInfo => "call-info",
        }
    }

    /// The form of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<AutoAnswer> {
        AutoAnswer::ALL.into_iter().find(|form| form.name() == name)
    }
}

impl Device {
    /// A device of an account, with nothing else known of it.
    #[must_use]
    pub fn new(account: impl Into<Box<str>>, secret: Secret) -> Device {
        Device { account: account.into(), secret, location: "".into(), call_back: None, auto_answer: None }
    }
}
