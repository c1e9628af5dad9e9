//! Legs of browsers: ICE-lite, DTLS-SRTP, RTP on one port for all of them (R15), by str0m without its SDP.
//!
//! ```text
//! datagram -> Hub: first byte (RFC 7983)
//!               STUN  by the user fragment; authentic and answered: its address is checked
//!               DTLS  from a checked address only (sec_04) --+
//!               RTP   from a checked address only -----------+--> Peer -> RTP in clear -> engine
//! engine -> RTP in clear -> Hub -> Peer -> datagram
//! ```
//!
//! The [`Hub`] is the only one who talks to str0m. A peer that panics is gone, and with it the media of its leg only.

mod hub;
mod peer;
#[cfg(test)]
mod tests;

pub use hub::{Counters, Hub, Output};
pub use peer::RemoteReport;

use aws_lc_rs::digest::{SHA256, digest};
use std::fmt;
use std::fmt::Write as _;

/// What a worker proves itself with: one certificate for all its legs.
#[derive(Clone)]
pub struct Identity {
    certificate: Vec<u8>,
    private_key: Vec<u8>,
}

impl Identity {
    /// A certificate and its private key (PKCS #8), both DER; ECDSA with P-256, as browsers expect (RFC 8827 6.5).
    #[must_use]
    pub fn new(certificate: Vec<u8>, private_key: Vec<u8>) -> Identity {
        Identity { certificate, private_key }
    }

    /// What goes into descriptions.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, &self.certificate).as_ref());
        Fingerprint(bytes)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.fingerprint()).finish()
    }
}

/// The SHA-256 of a certificate (RFC 8122 section 5). Older hashes are not taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Reads `sha-256 AA:BB:...`; `None` for another hash or other digits.
    #[must_use]
    pub fn parse(value: &str) -> Option<Fingerprint> {
        let (hash, digits) = value.trim().split_once(' ')?;
        if !hash.eq_ignore_ascii_case("sha-256") {
            return None;
        }
        let mut bytes = [0; 32];
        let mut pairs = digits.trim().split(':');
        for byte in &mut bytes {
            let pair =
                pairs.next().filter(|pair| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()))?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        pairs.next().is_none().then_some(Fingerprint(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha-256 ")?;
        for (place, byte) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_char(':')?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One end's user fragment and password (RFC 8839 section 5.4).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `a=ice-ufrag`
    pub fragment: Box<str>,
    /// `a=ice-pwd`
    pub password: Box<str>,
}

impl Credentials {
    /// From a description; `None` when a length is not that of RFC 8839 section 5.4 or a character is none of ICE.
    #[must_use]
    pub fn parse(fragment: &str, password: &str) -> Option<Credentials> {
        let clean = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'));
        let right = (4..=256).contains(&fragment.len()) && (22..=256).contains(&password.len());
        (right && clean(fragment) && clean(password))
            .then(|| Credentials { fragment: fragment.into(), password: password.into() })
    }
}

// A password in a log would be a password given away.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("fragment", &self.fragment).finish_non_exhaustive()
    }
}

/// All that a worker must know of a browser's leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebrtcLink {
    /// Ours.
    pub local: Credentials,
    /// Theirs.
    pub remote: Credentials,
    /// What their certificate must hash to.
    pub fingerprint: Fingerprint,
    /// We begin the DTLS handshake; else they do.
    pub active: bool,
    /// The sources that they announced; others are learned from authentic packets.
    pub sources: Vec<u32>,
}
