//! Why a call ended and whose doing it was: one value picks the SIP code, the metric and the record's words.

use std::fmt;

/// Who is to blame for the end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Blame {
    /// The calling side: gave up, hung up, asked for the impossible.
    Caller,
    /// The called side: busy, declined, did not answer, hung up.
    Callee,
    /// A network or provider between us and them.
    Carrier,
    /// This exchange.
    Us,
    /// Whoever configured this exchange.
    Operator,
}

/// Why a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Talked, and the caller hung up.
    CallerHungUp,
    /// Talked, and the called side hung up.
    CalleeHungUp,
    /// One of the two sent the call on and is out.
    Transferred,
    /// The caller gave up while it rang.
    Cancelled,
    /// Busy at every device.
    Busy,
    /// Rang, and nobody answered in time.
    NoAnswer,
    /// Refused by a person or a device.
    Declined,
    /// No device of the number is reachable now.
    Offline,
    /// Nobody has this number.
    UnknownNumber,
    /// No line to the outside took the call.
    NoLine,
    /// A rule forbids the call.
    Forbidden,
    /// No codec that both sides can speak.
    NoCommonCodec,
    /// The callee's network or device failed.
    CalleeFailed,
    /// The caller's request made no sense.
    BadRequest,
    /// The call came back to us (RFC 3261 16.3 step 4, RFC 5393).
    Loop,
    /// A side vanished without a word.
    Lost {
        /// Whether it was the calling side.
        caller: bool,
    },
    /// Somebody who may do so ended it from outside: the record's detail says who.
    EndedByOperator,
    /// A side's session was ended, by its owner or by who runs the office, and its web phone with it.
    SignedOut {
        /// Whether it was the calling side.
        caller: bool,
    },
    /// No port, transaction or memory left for one more call.
    Overload,
    /// The exchange was stopped, or died, while the call was up.
    NodeLost,
}

impl Cause {
    /// All there are.
    pub const ALL: [Cause; 22] = [
        Cause::CallerHungUp,
        Cause::CalleeHungUp,
        Cause::Transferred,
        Cause::Cancelled,
        Cause::Busy,
        Cause::NoAnswer,
        Cause::Declined,
        Cause::Offline,
        Cause::UnknownNumber,
        Cause::NoLine,
        Cause::Forbidden,
        Cause::NoCommonCodec,
        Cause::CalleeFailed,
        Cause::BadRequest,
        Cause::Loop,
        Cause::Lost { caller: true },
        Cause::Lost { caller: false },
        Cause::EndedByOperator,
        Cause::SignedOut { caller: true },
        Cause::SignedOut { caller: false },
        Cause::Overload,
        Cause::NodeLost,
    ];

    /// Whose doing it was.
    #[must_use]
    pub fn blame(self) -> Blame {
        match self {
            Cause::CallerHungUp
            | Cause::Transferred
            | Cause::Cancelled
            | Cause::BadRequest
            | Cause::SignedOut { caller: true }
            | Cause::Lost { caller: true } => Blame::Caller,
            Cause::UnknownNumber => Blame::Caller,
            Cause::CalleeHungUp
            | Cause::Busy
            | Cause::NoAnswer
            | Cause::Declined
            | Cause::Offline
            | Cause::NoCommonCodec
            | Cause::CalleeFailed
            | Cause::SignedOut { caller: false }
            | Cause::Lost { caller: false } => Blame::Callee,
            Cause::NoLine => Blame::Carrier,
            Cause::Forbidden | Cause::Loop | Cause::EndedByOperator => Blame::Operator,
            Cause::Overload | Cause::NodeLost => Blame::Us,
        }
    }

    /// The final response for a caller whose call ends so before it was answered.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Cause::CallerHungUp | Cause::CalleeHungUp | Cause::Transferred => 200,
            Cause::Cancelled => 487,
            Cause::Busy => 486,
            // R31: 503 is for the whole server only.
            Cause::NoAnswer | Cause::Offline | Cause::NoLine | Cause::EndedByOperator => 480,
            Cause::Declined => 603,
            Cause::UnknownNumber => 404,
            Cause::Forbidden => 403,
            Cause::NoCommonCodec => 488,
            Cause::CalleeFailed | Cause::Lost { .. } | Cause::SignedOut { .. } => 480,
            Cause::BadRequest => 400,
            Cause::Loop => 482,
            Cause::Overload | Cause::NodeLost => 503,
        }
    }

    /// What a branch's final response says about the call, when it is the best of all branches.
    #[must_use]
    pub fn of_status(status: u16) -> Cause {
        match status {
            486 | 600 => Cause::Busy,
            408 | 480 => Cause::NoAnswer,
            404 | 410 | 484 | 604 => Cause::UnknownNumber,
            415 | 488 | 606 => Cause::NoCommonCodec,
            603 | 403 | 607 | 608 => Cause::Declined,
            482 | 483 => Cause::Loop,
            430 => Cause::Offline,
            // A 487 that we did not ask for by CANCEL is the callee's doing, too.
            _ => Cause::CalleeFailed,
        }
    }

    /// A stable name for records and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Cause::CallerHungUp => "caller hung up",
            Cause::CalleeHungUp => "callee hung up",
            Cause::Transferred => "transferred",
            Cause::Cancelled => "cancelled",
            Cause::Busy => "busy",
            Cause::NoAnswer => "no answer",
            Cause::Declined => "declined",
            Cause::Offline => "offline",
            Cause::UnknownNumber => "unknown number",
            Cause::NoLine => "no line",
            Cause::Forbidden => "forbidden",
            Cause::NoCommonCodec => "no common codec",
            Cause::CalleeFailed => "callee failed",
            Cause::BadRequest => "bad request",
            Cause::Loop => "loop",
            Cause::Lost { .. } => "lost",
            Cause::SignedOut { .. } => "signed out",
            Cause::Overload => "overload",
            Cause::EndedByOperator => "ended by an operator",
            Cause::NodeLost => "node lost",
        }
    }
}

impl Blame {
    /// A stable name for records and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Blame::Caller => "caller",
            Blame::Callee => "callee",
            Blame::Carrier => "carrier",
            Blame::Us => "us",
            Blame::Operator => "operator",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
