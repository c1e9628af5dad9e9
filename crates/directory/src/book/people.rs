//! Accounts with their home, and devices: their kind, where they are, how they are woken.

use crate::names::{AccountName, ExchangeName, Number};
use crate::ticket::Confirmation;
use serde::{Deserialize, Serialize};

/// A person, at one exchange by choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Their home.
    pub home: ExchangeName,
    /// Their numbers.
    pub numbers: Vec<Number>,
    /// Whether they may be called.
    pub enabled: bool,
    /// Whether they have phones at their home, or are no person: a call goes there, and their apps are woken by it.
    pub phones: bool,
}

/// What a device is (S4.4, S4.7, S4.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It registers at an exchange and stays there.
    DeskPhone,
    /// A page in a browser that registers at an exchange while it is open.
    WebPhone,
    /// An application that sleeps: it is woken, and connects to where it is told.
    App,
}

/// How a sleeping device is woken: the parameters of RFC 8599 4.1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Way {
    /// `pn-provider`.
    pub provider: Wake,
    /// `pn-param`: what the provider wants to know of the application.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub param: Box<str>,
    /// `pn-prid`: which device.
    pub prid: Box<str>,
}

/// Who wakes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wake {
    /// A Web Push service (RFC 8030): `prid` is its address, `param` the keys.
    WebPush,
    /// A broker of the office: `prid` is the topic.
    Mqtt,
}

impl Wake {
    /// `pn-provider`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Wake::WebPush => "webpush",
            Wake::Mqtt => "mqtt",
        }
    }
}

/// One device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Whose it is.
    pub account: AccountName,
    /// What it is.
    pub kind: Kind,
    /// The exchange whose flow it has.
    pub at: Option<ExchangeName>,
    /// How it is woken, the preferred first.
    pub ways: Vec<Way>,
    /// What it proves with that it is it.
    pub key: Option<Confirmation>,
    /// Whether it has a connection to the directory now.
    pub connected: bool,
}

impl Device {
    /// Whether it can be woken, where it has no exchange.
    #[must_use]
    pub fn wakes(&self) -> bool {
        self.kind == Kind::App && self.key.is_some() && (self.connected || !self.ways.is_empty())
    }
}
