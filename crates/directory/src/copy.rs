//! The signed, expiring copy that each exchange keeps: while the directory is away, exchanges do C2 among themselves.

use crate::book::{Book, Kind};
use crate::jws;
use crate::limits::COPY_LIFE;
use crate::names::{AccountName, ExchangeName, Fingerprint, Named as _, Number};
use crate::ticket::Issuer;
use clock::Wall;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The type of the signed text.
const KIND: &str = "ringdown-directory+jwt";

/// What an exchange may know of the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copy {
    /// Which directory.
    pub iss: Box<str>,
    /// A later copy has a greater one.
    pub version: u64,
    /// Issued at, in milliseconds since 1970 of the directory's clock.
    pub iat: i64,
    /// Not to be believed after.
    pub exp: i64,
    /// From where pages of the office's web app come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<Box<str>>,
    /// The exchanges.
    pub exchanges: BTreeMap<ExchangeName, Listed>,
    /// Whose number has its home where.
    pub accounts: BTreeMap<AccountName, Entry>,
}

/// An exchange in the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// `host:port`.
    pub address: Box<str>,
    /// Who it must prove to be.
    pub fingerprint: Fingerprint,
}

/// An account in the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its home.
    pub home: ExchangeName,
    /// Its numbers.
    pub numbers: Vec<Number>,
    /// Whether it has apps that the directory can wake.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub apps: bool,
}

/// Why a copy is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyError {
    /// It is none.
    Malformed,
    /// Another has signed it, or it was changed.
    Altered,
    /// It is too old.
    Expired,
}

impl fmt::Display for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CopyError::Malformed => "it is no copy of a directory",
            CopyError::Altered => "it was not signed by the directory",
            CopyError::Expired => "it has expired",
        })
    }
}

impl std::error::Error for CopyError {}

impl Copy {
    pub(crate) fn of(directory: &str, version: u64, now: Wall, book: &Book, origins: &[Box<str>]) -> Copy {
        let life = i64::try_from(COPY_LIFE.as_millis()).unwrap_or(i64::MAX);
        let listed = book.exchanges().filter_map(|(name, exchange)| {
            let address = exchange.report.as_ref()?.address.clone();
            Some((name.clone(), Listed { address, fingerprint: exchange.fingerprint }))
        });
        let enabled = book.accounts().filter(|(_, account)| account.enabled);
        let entries = enabled.map(|(name, account)| {
            let apps = book.devices_of(name).any(|(_, device)| device.kind == Kind::App);
            (name.clone(), Entry { home: account.home.clone(), numbers: account.numbers.clone(), apps })
        });
        Copy {
            iss: directory.into(),
            version,
            iat: now.0,
            exp: now.0.saturating_add(life),
            origins: origins.to_vec(),
            exchanges: listed.collect(),
            accounts: entries.collect(),
        }
    }

    /// What a copy says, for who does not decide by it.
    #[must_use]
    pub fn peek(text: &str) -> Option<Copy> {
        jws::peek(KIND, text).ok()
    }

    /// Whether a number has its home anywhere.
    #[must_use]
    pub fn lists(&self, number: &str) -> bool {
        self.accounts.values().any(|entry| entry.numbers.iter().any(|known| known.as_str() == number))
    }

    /// Reads a copy that was received or kept; it is believed whoever it came from, for who signed it.
    ///
    /// # Errors
    /// Why it is not.
    pub fn open(public: &[u8; 32], now: Wall, text: &str) -> Result<Copy, CopyError> {
        jws::verify(public, text).map_err(|fault| match fault {
            jws::Fault::Malformed => CopyError::Malformed,
            jws::Fault::Signature => CopyError::Altered,
        })?;
        let copy: Copy = jws::peek(KIND, text).map_err(|_| CopyError::Malformed)?;
        if copy.exp < now.0 { Err(CopyError::Expired) } else { Ok(copy) }
    }
}

pub(crate) fn seal(issuer: &Issuer, copy: &Copy) -> String {
    issuer.sign(KIND, copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_believed_until_it_expires_and_only_from_its_directory() {
        let (issuer, other) = (Issuer::new(&[1; 32]), Issuer::new(&[2; 32]));
        let copy = Copy::of("directory", 7, Wall(1_000), &Book::default(), &["https://a.example".into()]);
        let text = seal(&issuer, &copy);
        assert_eq!(Copy::open(&issuer.public(), Wall(2_000), &text), Ok(copy.clone()));
        assert_eq!(Copy::open(&other.public(), Wall(2_000), &text), Err(CopyError::Altered));
        assert_eq!(Copy::open(&issuer.public(), Wall(copy.exp + 1), &text), Err(CopyError::Expired));
        assert_eq!(Copy::open(&issuer.public(), Wall(2_000), "nothing"), Err(CopyError::Malformed));
        // What the same key signed for another purpose is no copy.
        let ticket = issuer.sign("ringdown-ticket+jwt", &copy);
        assert_eq!(Copy::open(&issuer.public(), Wall(2_000), &ticket), Err(CopyError::Malformed));
    }
}
