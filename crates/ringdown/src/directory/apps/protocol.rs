//! What apps and their directory say to each other: one JSON object a text, over a WebSocket by TLS.

use directory::{AccountName, DeviceId, Fingerprint, Message, Number, RequestId, SessionHalf, TicketId, Way};
use serde::{Deserialize, Serialize};

/// Where the WebSocket is.
pub(crate) const PATH: &str = "/app";
/// The longest text, in octets, either way.
pub(crate) const LONGEST: usize = 16 << 10;

/// What an app says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum FromApp {
    /// It is new, and has an invitation; it made a key, which it proves to have.
    Enrol {
        /// The one-time key of the invitation.
        key: String,
        /// Its public key: P-256, uncompressed, in hexadecimal.
        public_key: String,
        /// By that key, of [`challenged`], in hexadecimal (ASN.1 DER).
        signature: String,
    },
    /// It enrolled before.
    Prove {
        /// Its name.
        device: DeviceId,
        /// As above.
        signature: String,
    },
    /// It is a page in a browser, whose media show the certificate of this SHA-256; its tickets are for that from now on.
    Media(Fingerprint),
    /// How it is woken while it has no connection, the preferred first.
    Ways(Vec<Way>),
    /// A call is asked for (S4.3).
    Call {
        /// Its name, chosen by the app.
        id: RequestId,
        callee: Number,
        /// The half of the Session-ID that the call will carry.
        session: SessionHalf,
    },
    /// Nobody wants it any more.
    Cancel { id: RequestId },
    /// Instead of waiting for somebody, it wants to be called when they are free: its person's home keeps calling.
    WhenFree {
        /// Its name, chosen by the app; no call of the app has the same.
        id: RequestId,
        callee: Number,
    },
    /// It was woken and does not come.
    Decline { ticket: TicketId },
}

/// What a directory says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum ToApp {
    /// The first text: what the app signs.
    Challenge(String),
    /// It is enrolled; a welcome follows.
    Enrolled(Enrolled),
    /// It is known.
    Welcome {
        /// The directory's clock, in milliseconds since 1970.
        time: i64,
        /// The key with which a browser subscribes at its push service (RFC 8292 4.2), in base64url.
        web_push: String,
        /// A newer certificate of the app, PEM, when its last is about to end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        certificate: Option<String>,
    },
    /// Tickets of the app are for this certificate of its media.
    Media(Fingerprint),
    /// So many ways to wake the app are kept.
    Ways(usize),
    /// A signed message, the same that comes by a broker or a push service.
    Push(Box<str>),
    /// The answer to a call.
    Told(Message),
    /// What the app said is refused; in words.
    Error(String),
}

/// What an app gets when it enrols.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrolled {
    /// Its name.
    pub(crate) device: DeviceId,
    /// Whose it is.
    pub(crate) account: AccountName,
    /// Its certificate, PEM.
    pub(crate) certificate: String,
    /// The office's authority, PEM.
    pub(crate) root: String,
    /// The key that the directory signs with, in hexadecimal.
    pub(crate) directory: String,
}

/// What is signed for a challenge, by this key and for this purpose alone.
pub(crate) fn challenged(challenge: &str, public_key: &str) -> Vec<u8> {
    format!("ringdown app {challenge} {public_key}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_as_the_document_shows_them() {
        let document = include_str!("../../../../../docs/directory-protocol.md");
        let (_, apps) = document.split_once("## Apps").expect("a chapter on apps");
        let lines = apps.lines().map(str::trim).filter(|line| line.starts_with('{'));
        let (mut from, mut to) = (0, 0);
        for line in lines {
            let read = serde_json::from_str::<FromApp>(line).map(|_| from += 1);
            let other = serde_json::from_str::<ToApp>(line).map(|_| to += 1);
            assert!(read.is_ok() || other.is_ok(), "{line}: {read:?}, {other:?}");
        }
        assert!(from >= 6 && to >= 6, "{from} and {to} examples");
    }
}
