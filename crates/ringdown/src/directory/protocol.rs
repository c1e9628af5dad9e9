//! What exchanges and their directory say to each other: one JSON object a line, over TLS in which both have proved themselves.

use directory::{
    AccountName, Attempted, DeviceId, ExchangeName, Message, Number, RequestId, Said, SessionHalf, SiteHealth,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name under which a directory's certificate is vouched for.
pub(crate) const NAME: &str = "directory";
/// The longest line of an exchange, in octets.
pub(crate) const LONGEST: u64 = 64 << 10;
/// The longest line of a directory: a copy holds all accounts.
pub(crate) const LONGEST_COPY: u64 = 256 << 20;

/// What an exchange says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum FromExchange {
    /// It wants to join, with the one-time key of its invitation. It has no certificate yet.
    Join {
        /// The key.
        key: String,
        /// Its public key: P-256, uncompressed, in hexadecimal.
        public_key: String,
    },
    /// It wants a newer certificate under its name; it proved to hold the last.
    Renew {
        /// Its new public key: P-256, uncompressed, in hexadecimal.
        public_key: String,
    },
    /// How it is; each second.
    Report {
        /// `host:port`, where other exchanges reach it by SIP over TLS.
        address: Box<str>,
        /// Where browsers reach it, the address of a WebSocket.
        #[serde(default, skip_serializing_if = "str::is_empty")]
        web: Box<str>,
        region: Box<str>,
        version: Box<str>,
        /// In thousandths of what it can carry.
        load: u16,
        draining: bool,
        /// How many of its calls go to or come from which other exchange.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        calls: BTreeMap<ExchangeName, u32>,
    },
    /// Somebody who has their home there; without numbers nobody can call them.
    Account {
        name: AccountName,
        numbers: Vec<Number>,
        /// Whether they have phones there, or are no person.
        phones: bool,
    },
    /// Somebody is one of the office no more, nor are their apps.
    Gone { name: AccountName },
    /// It has told of all, at the beginning of a connection: whoever else had their home there is gone.
    Everybody {},
    /// A call is asked for.
    Call {
        id: RequestId,
        caller: DeviceId,
        callee: Number,
        session: SessionHalf,
        /// How the caller is shown to whom has to be woken; none when that is hidden.
        #[serde(default, skip_serializing_if = "str::is_empty")]
        shown: Box<str>,
    },
    /// Nobody wants it any more.
    Cancelled { id: RequestId },
    /// The answer to a request of the cloud.
    Said { caller: DeviceId, id: RequestId, said: Said },
    /// It is about to call a number by itself: for a task, or a row of a list. 0 for one that it is calling.
    Claim { id: RequestId, number: Number },
    /// It has called, and what came of it; nothing if it has not after all.
    Attempted { number: Number, attempted: Option<Attempted> },
    /// Somebody of its own, who was called in vain from another exchange, is free.
    Free { number: Number },
}

/// What a directory says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum ToExchange {
    /// It joined; the connection ends.
    Joined(Joined),
    /// Its newer certificate, PEM. The last one is good until this one is shown for the first time.
    Renewed(String),
    /// It is not let in, or did not join; in words. The connection ends.
    Refused(String),
    /// It is known. The directory's clock, in milliseconds since 1970.
    Welcome {
        time: i64,
    },
    /// The same clock again, now and then.
    Clock {
        time: i64,
    },
    /// The signed copy.
    Copy(String),
    /// How all exchanges are, when that is different from what was told last.
    Health(Vec<SiteHealth>),
    Told(Message),
}

/// What an exchange gets when it joins.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Joined {
    /// Its name.
    pub(crate) exchange: ExchangeName,
    /// Its certificate, PEM.
    pub(crate) certificate: String,
    /// The office's authority, PEM.
    pub(crate) root: String,
    /// The key that the directory signs with, in hexadecimal.
    pub(crate) directory: String,
    /// What both share for the secrets of tickets, in hexadecimal.
    pub(crate) ticket_key: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use directory::between::{Question, Reply};

    #[test]
    fn lines_are_as_the_document_shows_them() {
        let document = include_str!("../../../../docs/directory-protocol.md");
        let (exchanges, _) = document.split_once("## Apps").expect("apps have a chapter of their own");
        let lines = exchanges.lines().map(str::trim).filter(|line| line.starts_with('{'));
        let (mut from, mut to) = (0, 0);
        for line in lines {
            let read = serde_json::from_str::<FromExchange>(line).map(|_| from += 1);
            let other = serde_json::from_str::<ToExchange>(line).map(|_| to += 1);
            let direct =
                Question::parse(line.as_bytes()).is_some() || Reply::parse(line.as_bytes()).is_some();
            assert!(read.is_ok() || other.is_ok() || direct, "{line}: {read:?}, {other:?}");
        }
        assert!(from >= 6 && to >= 8, "{from} and {to} examples");
    }
}
