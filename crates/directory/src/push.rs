//! What goes to a device that sleeps: signed by the directory, because it may come by a broker or a service that others run.

use crate::jws::{self, Fault};
use crate::limits::{LEEWAY, PUSH_OCTETS};
use crate::names::{Fingerprint, Number, SessionHalf};
use crate::ticket::{Issuer, Ticket, TicketId};
use clock::Wall;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The type of the signed text.
const KIND: &str = "ringdown-push+jwt";

/// What a device is woken with: all it needs to go to the exchange that waits for it (S4.6, S4.24).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Where it goes: `host:port`, or the address of a WebSocket for a browser.
    pub address: Box<str>,
    /// Who that must prove to be (S4.25).
    pub fingerprint: Fingerprint,
    /// What lets it in.
    pub ticket: Ticket,
    /// Which of its numbers is called.
    pub callee: Number,
    /// Who calls, in words; empty when that is hidden or not known.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub from: Box<str>,
    /// The Session-ID half of the call.
    pub session: SessionHalf,
    /// Until when this means something, in milliseconds since 1970 of the directory's clock.
    pub expires: i64,
}

/// A message to a device that sleeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Push {
    /// A call waits for it.
    Wake(Notice),
    /// Nobody waits any more for who got this ticket.
    Withdrawn {
        /// Its name.
        ticket: TicketId,
        /// As above.
        expires: i64,
    },
}

/// Why a message is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushError {
    /// It is none.
    Malformed,
    /// Another has signed it, or it was changed.
    Altered,
    /// It came too late.
    Late,
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PushError::Malformed => "it is no message of a directory",
            PushError::Altered => "it was not signed by the directory",
            PushError::Late => "it came too late",
        })
    }
}

impl std::error::Error for PushError {}

impl Push {
    /// As it is sent.
    #[must_use]
    pub fn seal(&self, issuer: &Issuer) -> String {
        issuer.sign(KIND, self)
    }

    /// Reads one, whoever brought it; `now` is the directory's time, as far as the device knows it.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn open(public: &[u8; 32], now: Wall, text: &str) -> Result<Push, PushError> {
        if text.len() > PUSH_OCTETS {
            return Err(PushError::Malformed);
        }
        jws::verify(public, text).map_err(|fault| match fault {
            Fault::Malformed => PushError::Malformed,
            Fault::Signature => PushError::Altered,
        })?;
        let push: Push = jws::peek(KIND, text).map_err(|_| PushError::Malformed)?;
        let leeway = i64::try_from(LEEWAY.as_millis()).unwrap_or(0);
        if push.expires().saturating_add(leeway) < now.0 { Err(PushError::Late) } else { Ok(push) }
    }

    /// Until when it means something.
    #[must_use]
    pub fn expires(&self) -> i64 {
        match self {
            Push::Wake(notice) => notice.expires,
            Push::Withdrawn { expires, .. } => *expires,
        }
    }

    /// The ticket that it is about.
    #[must_use]
    pub fn ticket(&self) -> TicketId {
        match self {
            Push::Wake(notice) => notice.ticket.id,
            Push::Withdrawn { ticket, .. } => *ticket,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{ExchangeName, Named as _};
    use crate::ticket::{Claims, Confirmation, TicketKey};

    #[test]
    fn s4_6_a_device_believes_its_directory_alone_in_time_and_a_push_service_takes_the_longest() {
        let (issuer, other) = (Issuer::new(&[1; 32]), Issuer::new(&[2; 32]));
        let long = "n".repeat(128);
        let claims = Claims {
            iss: "directory".into(),
            aud: ExchangeName::parse(&long).unwrap(),
            jti: TicketId([3; 16]),
            iat: Wall(1_000),
            exp: Wall(31_000),
            orig: crate::DeviceId::parse(&long).unwrap(),
            dest: Number::parse(&long).unwrap(),
            sid: SessionHalf([5; 16]),
            cnf: Confirmation::Tls(Fingerprint([6; 32])),
        };
        let notice = Notice {
            address: "w".repeat(crate::limits::WEB_OCTETS).into(),
            fingerprint: Fingerprint([7; 32]),
            ticket: issuer.issue(&claims, &TicketKey([9; 32])),
            callee: Number::parse(&long).unwrap(),
            from: "\u{1}".repeat(crate::limits::SHOWN_OCTETS).into(),
            session: SessionHalf([5; 16]),
            expires: 31_000,
        };
        let push = Push::Wake(notice);
        let text = push.seal(&issuer);
        assert!(text.len() <= PUSH_OCTETS, "{}", text.len());
        assert_eq!(Push::open(&issuer.public(), Wall(32_000), &text), Ok(push.clone()));
        assert_eq!(Push::open(&issuer.public(), Wall(33_001), &text), Err(PushError::Late));
        assert_eq!(Push::open(&other.public(), Wall(2_000), &text), Err(PushError::Altered));
        assert_eq!(Push::open(&issuer.public(), Wall(2_000), "nothing"), Err(PushError::Malformed));
        // A ticket is signed by the same key, and is no message.
        let Push::Wake(notice) = push else { unreachable!() };
        let ticket = Push::open(&issuer.public(), Wall(2_000), &notice.ticket.token);
        assert_eq!(ticket, Err(PushError::Malformed));
    }
}
