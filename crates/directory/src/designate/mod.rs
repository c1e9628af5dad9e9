//! Steps A, B and C: where a request came from, what the callee is, which exchange the call goes to, and why (S4.1 to S4.15).

mod choose;
mod steps;

pub use choose::Candidate;
pub(crate) use steps::designate;

use crate::names::{AccountName, DeviceId, ExchangeName, Number, SessionHalf};
use crate::ticket::Confirmation;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Names a request for a call, for whoever asked: the number is theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u64);

/// Step A: where a request came from (S4.2, S4.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Through an exchange, which proved to be it.
    Exchange(ExchangeName),
    /// Through the cloud: this device, which proved to be it.
    Cloud(DeviceId),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Exchange(name) => write!(f, "exchange {name}"),
            Origin::Cloud(device) => write!(f, "the cloud, device {device}"),
        }
    }
}

/// A request for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub origin: Origin,
    /// Its name, chosen by who asks.
    pub id: RequestId,
    /// The device that calls.
    pub caller: DeviceId,
    /// Who is called.
    pub callee: Number,
    /// The half of the Session-ID that the call will carry.
    pub session: SessionHalf,
    /// Whose key will be at the other end: the asking exchange's certificate, or the device's own.
    pub cnf: Confirmation,
    /// How the caller is shown to whom is called, who may have to be woken; empty when that is hidden or not known.
    pub shown: Box<str>,
}

/// Step B: why there is nobody to call (S4.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invalid {
    /// Nobody has this number.
    UnknownNumber,
    /// Its owner may not be called.
    Disabled,
    /// Who calls is no device of the office.
    UnknownCaller,
    /// Its owner has neither an exchange that is up nor a device that can be woken.
    NowhereToReach,
    /// No exchange is up that could take the call.
    NoExchange,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Invalid::UnknownNumber => "nobody has this number",
            Invalid::Disabled => "its owner may not be called",
            Invalid::UnknownCaller => "who calls is no device of this office",
            Invalid::NowhereToReach => {
                "its owner is at no exchange that is up, and has no device that can be woken"
            }
            Invalid::NoExchange => "no exchange is up that could take the call",
        })
    }
}

/// Step C: what is done (S4.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// C1: the caller is an application; the chosen exchange is asked first.
    AskFirst,
    /// C2: the callee has an exchange, and the call goes there from the asking one.
    Direct,
    /// The callee is at the exchange that asks.
    Yours,
    /// C3: the callee has none; these devices are woken and come to the asking exchange.
    Wake(Vec<DeviceId>),
}

impl Form {
    /// As the requirement calls it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Form::AskFirst => "C1",
            Form::Direct => "C2",
            Form::Yours => "own",
            Form::Wake(_) => "C3",
        }
    }
}

/// What was designated, and why: the one thing to read when somebody asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whose number it is.
    pub account: AccountName,
    /// What is done.
    pub form: Form,
    /// The exchange that the call goes to.
    pub exchange: ExchangeName,
    /// All that were looked at, the chosen one first.
    pub candidates: Vec<Candidate>,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {} for {}", self.form.name(), self.exchange, self.account)?;
        for candidate in &self.candidates {
            write!(f, "; {candidate}")?;
        }
        Ok(())
    }
}
