//! What is refused when there is more to do than can be done: new calls first, calls that are up never (R17, R23).
//!
//! ```text
//! how late the core is    what is refused with 503 and Retry-After
//! 0 .. LATE               nothing
//! LATE .. VERY_LATE       new calls without credentials; strangers' other requests
//! VERY_LATE .. TOO_LATE   all new calls, texts and watchers; phones still register with credentials
//! TOO_LATE ..             everything that is new
//! no room                 calls in emergency, too: every transaction that there may be is in use (R31)
//! ```
//!
//! A refused INVITE costs a small part of a call, so what can be done is done: the calls that are let in complete.
//! Whatever belongs to a call (ACK, BYE, CANCEL, PRACK, UPDATE, INFO, re-INVITE) never comes here.

use crate::exchange::Exchange;
use crate::limits;
use crate::sources::{Room, Source};
use clock::Now;
use sip::Flow;
use std::time::Duration;
use wire::sip::{HeaderName, Message, Method, Uri};

/// How the office bears its load.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// How late the core takes what came for it, as the shell last measured.
    pub(crate) lag: Duration,
    /// Requests that were refused because of it.
    pub(crate) shed: u64,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strain {
    Calm,
    Late,
    VeryLate,
    TooLate,
    /// Not late, but without room.
    Full,
}

impl Strain {
    fn of(lag: Duration, transactions: usize) -> Strain {
        if transactions >= limits::TRANSACTIONS_IN_ALL {
            Strain::Full
        } else if lag >= limits::TOO_LATE {
            Strain::TooLate
        } else if lag >= limits::VERY_LATE || transactions >= limits::TRANSACTIONS {
            Strain::VeryLate
        } else if lag >= limits::LATE {
            Strain::Late
        } else {
            Strain::Calm
        }
    }
}

/// What a new request is, as far as shedding goes.
#[derive(Clone, Copy, Debug)]
struct Newcomer {
    call: bool,
    registers: bool,
    /// It has credentials, or comes from a trunk.
    vouched: bool,
    /// A device proved its secret from there not long ago.
    known: bool,
}

/// Whether a new request is refused under a strain.
fn sheds(strain: Strain, new: Newcomer) -> bool {
    match strain {
        Strain::Calm => false,
        Strain::Late => !new.vouched && (new.call || !new.known),
        Strain::VeryLate => !(new.registers && (new.vouched || new.known)),
        Strain::TooLate | Strain::Full => true,
    }
}

impl Exchange {
    /// Whether there is room for a request that belongs to nothing that is up; if not, it has its answer, or gets none.
    /// `uri` is where it goes, if that can be read.
    pub(crate) fn has_room(
        &mut self,
        now: Now,
        flow: Flow,
        message: &Message<'_>,
        uri: Option<&Uri<'_>>,
    ) -> bool {
        let method = message.method();
        let call = method == Method::Invite;
        let emergency = call && uri.is_some_and(|uri| self.emergency(uri).is_some());
        let credentials = message.value(HeaderName::Authorization).is_some() && needs_proof(method);
        let trunk = method != Method::Register
            && self.people.trunk_at(flow.remote.ip(), flow.remote.port()).is_some();
        let (clients, servers) = self.switch.transactions();
        let strain = Strain::of(self.load.lag, clients + servers);
        // Whoever has a tag of ours is in the middle of something.
        let fresh = message.to().is_ok_and(|to| to.tag().is_none());
        if strain > Strain::Calm && fresh {
            let known = self.sources.is_known(now.mono, Source::of(flow.remote.ip()));
            let registers = method == Method::Register;
            let new = Newcomer { call, registers, vouched: credentials || trunk, known };
            if sheds(strain, new) && (!emergency || strain == Strain::Full) {
                self.load.shed += 1;
                self.refuse(flow, message, 503);
                return false;
            }
        }
        if trunk || emergency {
            return true;
        }
        let room = self.sources.ask(now.mono, flow.remote.ip());
        // Credentials may be right, and who is right is served; if they are not, that counts once more.
        if room == Room::Answer || credentials {
            return true;
        }
        self.refuse_flood(flow, message, room);
        false
    }

    /// Refuses a new call before anything else is done with it, when all of them are refused anyway: what a refusal
    /// costs is missing for the calls that were let in. False when it is not that, and takes the long way. It is not in
    /// the ladders, either, which then keep the calls that are up.
    pub(crate) fn sheds_at_the_door(&mut self, flow: Flow, bytes: &[u8]) -> bool {
        let (clients, servers) = self.switch.transactions();
        if Strain::of(self.load.lag, clients + servers) < Strain::VeryLate || !bytes.starts_with(b"INVITE ") {
            return false;
        }
        let Ok(message) = Message::parse(bytes) else { return false };
        let fresh = message.to().is_ok_and(|to| to.tag().is_none());
        if !fresh || self.switch.endpoint().knows(&message) {
            return false;
        }
        let Ok(uri) = Uri::parse(message.request_uri().unwrap_or_default()) else { return false };
        if self.emergency(&uri).is_some() {
            return false;
        }
        self.load.shed += 1;
        self.refuse(flow, &message, 503);
        true
    }

    /// Too much from one source.
    pub(crate) fn refuse_flood(&mut self, flow: Flow, message: &Message<'_>, room: Room) {
        if room == Room::Busy {
            self.refuse(flow, message, 503);
        }
    }
}

/// The methods that are answered only to who proves their identity.
fn needs_proof(method: Method<'_>) -> bool {
    matches!(method, Method::Register | Method::Invite | Method::Message | Method::Subscribe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r17_strain_follows_lag_and_transactions() {
        let millis = Duration::from_millis;
        for (lag, transactions, strain) in [
            (millis(0), 0, Strain::Calm),
            (limits::LATE - millis(1), limits::TRANSACTIONS - 1, Strain::Calm),
            (limits::LATE, 0, Strain::Late),
            (limits::VERY_LATE, 0, Strain::VeryLate),
            (millis(0), limits::TRANSACTIONS, Strain::VeryLate),
            (limits::TOO_LATE, 0, Strain::TooLate),
            (limits::TOO_LATE, limits::TRANSACTIONS_IN_ALL - 1, Strain::TooLate),
            (millis(0), limits::TRANSACTIONS_IN_ALL, Strain::Full),
        ] {
            assert_eq!(Strain::of(lag, transactions), strain, "{lag:?} {transactions}");
        }
    }

    #[test]
    fn r17_new_calls_without_credentials_go_first_and_registrations_last() {
        let stranger = Newcomer { call: true, registers: false, vouched: false, known: false };
        let device = Newcomer { known: true, ..stranger };
        let proved = Newcomer { vouched: true, ..device };
        let phone = Newcomer { call: false, registers: true, ..proved };
        let shed_at = |new: Newcomer| {
            [Strain::Calm, Strain::Late, Strain::VeryLate, Strain::TooLate, Strain::Full]
                .map(|strain| sheds(strain, new))
        };
        assert_eq!(shed_at(stranger), [false, true, true, true, true]);
        assert_eq!(shed_at(device), [false, true, true, true, true]);
        assert_eq!(shed_at(proved), [false, false, true, true, true]);
        assert_eq!(shed_at(phone), [false, false, false, true, true]);
        assert_eq!(shed_at(Newcomer { vouched: false, ..phone }), [false, false, false, true, true]);
    }
}
