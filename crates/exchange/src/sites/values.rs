//! What the shell says of other exchanges, and what it is asked for.

use directory::{
    AccountName, Attempted, Copy, DeviceId, ExchangeName, Fingerprint, Message, Number, Request, RequestId,
    Said, SiteHealth, TicketKey,
};
use sip::Flow;

/// What this exchange is to its directory, since it joined.
#[derive(Clone, Debug)]
pub struct Membership {
    /// Its name there.
    pub name: ExchangeName,
    /// SHA-256 of its certificate.
    pub fingerprint: Fingerprint,
    /// What it shares with the directory, for the secrets of tickets.
    pub ticket_key: TicketKey,
    /// What this exchange signs its own tickets with, and makes their secrets with: 32 random octets each, of this start.
    pub seed: [u8; 32],
    /// See there.
    pub own_key: [u8; 32],
    /// What the directory's signatures are verified with.
    pub directory: [u8; 32],
}

/// What can be learned of other exchanges.
#[derive(Debug)]
pub enum SiteInput {
    /// There is a connection to the directory, which proved to be it.
    Connected,
    /// By how many milliseconds the directory's clock is before ours, as it was when its word came.
    Clock(i64),
    /// It knows us by a newer certificate of ours from now on.
    Renewed(Fingerprint),
    /// There is none any more.
    Disconnected {
        /// Why, in words.
        why: Box<str>,
    },
    /// A copy of the directory, whose signature was verified.
    Copy(Box<Copy>),
    /// The directory says how all exchanges are.
    Health(Vec<SiteHealth>),
    /// The directory says something.
    Said(Box<Message>),
    /// Who is at the other end of a connection by TLS proved to have this certificate.
    Proved {
        /// The connection.
        flow: Flow,
        /// SHA-256 of the certificate.
        fingerprint: Fingerprint,
    },
    /// A connection to an exchange, in answer to [`SiteOutput::Reach`].
    Reached {
        /// Which exchange.
        exchange: ExchangeName,
        /// The connection, or why there is none, in words.
        way: Result<Flow, String>,
    },
}

/// What the shell is asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum SiteOutput {
    /// Tell the directory. While there is no connection to it, this is for nobody.
    Tell(SiteWord),
    /// Open a connection by TLS to another exchange; one that proves to be another is none (S4.25).
    Reach {
        /// Which exchange.
        exchange: ExchangeName,
        /// Where it is: `host:port`.
        address: Box<str>,
        /// SHA-256 of the certificate that it must prove to have.
        fingerprint: Fingerprint,
    },
    /// Whose the connection to the directory is from now on; told when that changes.
    Tie(Tie),
}

/// Whose the connection to the directory is: several exchanges over one store are one exchange of the directory, and the one
/// that keeps what must happen once has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tie {
    /// This exchange's.
    #[default]
    Ours,
    /// It may be another's soon: one that is open stays open, and none is opened.
    Rests,
    /// Another's.
    Anothers,
}

/// What the directory is told.
#[derive(Debug, PartialEq, Eq)]
pub enum SiteWord {
    /// Somebody who has their home here, with their numbers; and whether they have phones here, or are no person.
    Account(AccountName, Vec<Number>, bool),
    /// Somebody is one of the office no more.
    Gone(AccountName),
    /// All have been told of who have their home here.
    Everybody,
    /// A call is asked for.
    Call(Request),
    /// Nobody wants it any more.
    Cancelled(RequestId),
    /// The answer to a request of the cloud.
    Said(DeviceId, RequestId, Said),
    /// This number is about to be called by itself; 0 for one that is being called.
    Claim(RequestId, Number),
    /// It was, and what came of it; nothing if it was not after all.
    Attempted(Number, Option<Attempted>),
    /// Somebody who has this number here, and was called in vain from elsewhere, is free.
    Free(Number),
}
