//! The names of things, each of its own type, and checked when they come in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// The longest name of anything, in octets.
const LONGEST: usize = 128;

/// What all names are: a short text without blanks or control characters.
pub trait Named: Sized {
    /// The name, if it is one.
    ///
    /// # Errors
    /// In words.
    fn parse(text: &str) -> Result<Self, String>;
    /// As it is written.
    fn as_str(&self) -> &str;
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl Named for $name {
            fn parse(text: &str) -> Result<Self, String> {
                check(text).map(|text| $name(text.into()))
            }

            fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(from)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

name!(
    /// An exchange of the office.
    ExchangeName
);
name!(
    /// A person, or what has numbers as a person has.
    AccountName
);
name!(
    /// A device: its identifier is the same at whichever exchange it is.
    DeviceId
);
name!(
    /// What is dialled.
    Number
);

fn check(text: &str) -> Result<&str, String> {
    if text.is_empty() {
        return Err("a name is empty".into());
    }
    if text.len() > LONGEST {
        return Err(format!("a name has {} octets, and may have {LONGEST}", text.len()));
    }
    match text.chars().find(|letter| letter.is_control() || letter.is_whitespace()) {
        Some(letter) => Err(format!("a name holds {letter:?}")),
        None => Ok(text),
    }
}

/// The SHA-256 of a certificate, or of a key: who holds the other half is who they say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Reads [`fmt::Display`], in either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Fingerprint> {
        let octet = |pair: &str| (pair.len() == 2).then(|| u8::from_str_radix(pair, 16).ok()).flatten();
        let octets: Vec<u8> = text.split(':').map(octet).collect::<Option<_>>()?;
        octets.try_into().ok().map(Fingerprint)
    }
}

/// As browsers and SDP show it: `AB:CD:…` (RFC 8122 5).
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, octet) in self.0.iter().enumerate() {
            write!(f, "{}{octet:02X}", if place == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// As JOSE has it: base64url (RFC 8705 3.1).
impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        let octets = URL_SAFE_NO_PAD.decode(text.as_bytes()).ok().and_then(|octets| octets.try_into().ok());
        octets
            .map(Fingerprint)
            .ok_or_else(|| serde::de::Error::custom("a thumbprint has 32 octets in base64url"))
    }
}

/// One half of a Session-ID (RFC 7989 5): the one that who asked for the call has chosen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionHalf(pub [u8; 16]);

impl SessionHalf {
    /// 32 hexadecimal digits in lower case; the half of all zeros is nobody's.
    #[must_use]
    pub fn parse(text: &str) -> Option<SessionHalf> {
        let digits = text.len() == 32 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let half = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten()?;
        (half != 0).then(|| SessionHalf(half.to_be_bytes()))
    }
}

impl fmt::Display for SessionHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for SessionHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for SessionHalf {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionHalf {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        SessionHalf::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("half a Session-ID has 32 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_hold_nothing_that_breaks_a_line() {
        assert_eq!(DeviceId::parse("desk-2041").unwrap().as_str(), "desk-2041");
        for bad in ["", "a b", "a\r\nb", "a\u{7f}", &"x".repeat(LONGEST + 1)] {
            assert!(DeviceId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(serde_json::from_str::<Number>("\"a\\nb\"").is_err());
    }

    #[test]
    fn fingerprints_and_session_halves_are_read_as_they_are_written() {
        let print = Fingerprint([0xAB; 32]);
        assert_eq!(Fingerprint::parse(&print.to_string()), Some(print));
        assert_eq!(
            serde_json::from_str::<Fingerprint>(&serde_json::to_string(&print).unwrap()).unwrap(),
            print
        );
        for bad in ["", "AB", "AB:", "GG:00"] {
            assert_eq!(Fingerprint::parse(bad), None, "{bad:?}");
        }
        let half = SessionHalf([1; 16]);
        assert_eq!(SessionHalf::parse(&half.to_string()), Some(half));
        for bad in [
            "00000000000000000000000000000000",
            "0101",
            "+1010101010101010101010101010101",
            "ABABABABABABABABABABABABABABABAB",
        ] {
            assert_eq!(SessionHalf::parse(bad), None, "{bad:?}");
        }
    }
}
