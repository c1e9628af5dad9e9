//! Tickets: what lets one call in at one exchange, once, for seconds (R27).
//!
//! A ticket has two parts. The *token* says what it is for and is signed; it may be seen by anybody. The *secret* is what its
//! holder proves with by digest and never sends: it is derived from the token's name under a key that only issuer and audience
//! share, so that the audience knows it without having been told, and asks nobody.

mod issue;
mod redeem;

pub use issue::{Issuer, Ticket};
pub use redeem::{Checked, IssuerKeys, Presented, Redeemer, TicketRefusal};

use crate::names::{DeviceId, ExchangeName, Fingerprint, Number, SessionHalf};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clock::Wall;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The type of the signed text.
const KIND: &str = "ringdown-ticket+jwt";

/// Names a ticket; the user of its digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketId(pub [u8; 16]);

impl TicketId {
    /// 32 hexadecimal digits in lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<TicketId> {
        let digits = text.len() == 32 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        digits.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(|id| TicketId(id.to_be_bytes()))
    }
}

impl fmt::Display for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for TicketId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TicketId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        TicketId::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("a ticket's name has 32 hexadecimal digits"))
    }
}

/// What a ticket is for. The names are those of RFC 7519 4.1, RFC 8225 5.2 and RFC 7800 3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Who issued it: the directory, or an exchange.
    pub iss: Box<str>,
    /// The one exchange that takes it.
    pub aud: ExchangeName,
    /// Its name.
    pub jti: TicketId,
    /// Issued at, in milliseconds since 1970 of the directory's clock.
    #[serde(with = "millis")]
    pub iat: Wall,
    /// Works until then.
    #[serde(with = "millis")]
    pub exp: Wall,
    /// The device that calls.
    pub orig: DeviceId,
    /// The device, or the number, that is called.
    pub dest: Number,
    /// The half of the Session-ID that who asked has chosen.
    pub sid: SessionHalf,
    /// Whose key is at the other end.
    pub cnf: Confirmation,
}

/// RFC 7800 3.1: the holder proves to have the key of this certificate, whose SHA-256 it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Confirmation {
    /// In TLS (RFC 8705 3.1): an exchange, or an app that is a program.
    #[serde(rename = "x5t#S256")]
    Tls(Fingerprint),
    /// In the DTLS of its media (RFC 8122, RFC 8225 5.2.2): a browser, whose pages can show no certificate in TLS.
    #[serde(rename = "mky#S256")]
    Media(Fingerprint),
}

/// What who presents a ticket has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// This.
    Key(Confirmation),
    /// Nothing yet: a browser that waits for an offer. Its answer names the certificate, and is refused if that is another.
    WithItsAnswer,
}

impl Shown {
    fn is_of(self, cnf: Confirmation) -> bool {
        match self {
            Shown::Key(key) => key == cnf,
            Shown::WithItsAnswer => matches!(cnf, Confirmation::Media(_)),
        }
    }
}

mod millis {
    use clock::Wall;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub(super) fn serialize<S: Serializer>(wall: &Wall, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(wall.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Wall, D::Error> {
        i64::deserialize(from).map(Wall)
    }
}

/// What an issuer and one exchange share, so that both know the secrets of tickets between them.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketKey(pub [u8; 32]);

impl TicketKey {
    /// The secret of a ticket.
    pub(crate) fn secret(&self, id: TicketId) -> Secret {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), &id.0);
        Secret(URL_SAFE_NO_PAD.encode(tag.as_ref()).into())
    }
}

/// Says nothing.
impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketKey")
    }
}

/// The password of a ticket's digest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(Box<str>);

impl Secret {
    /// From who was told it.
    #[must_use]
    pub fn new(text: &str) -> Secret {
        Secret(text.into())
    }

    /// For the digest, and for telling it over a connection that is its holder's.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Says nothing: it stands in no log.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
