//! Digest authentication, both ways (RFC 7616, RFC 8760, R10).
//!
//! ```text
//! phone                      exchange
//!   | REGISTER                  |
//!   |-------------------------->|   no credentials
//!   |<--------------------------|   401, nonce = time + MAC: nothing is kept
//!   | REGISTER, Authorization   |
//!   |-------------------------->|   MAC, age, count and response are checked
//! ```
//!
//! * [`Verifier`] challenges and checks (the server's side);
//! * [`answer`] makes the credentials for somebody else's challenge (the client's side);
//! * [`Secret`] is what is kept of a password.

mod answer;
mod counts;
mod verifier;

pub use answer::{Login, answer};
pub use verifier::{ChallengePolicy, Credentials, Verdict, Verifier};

use md5::Md5;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A hash that digest authentication may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RFC 2617's; weak, and all that many phones can do.
    Md5,
    /// RFC 8760.
    Sha256,
}

impl Algorithm {
    /// As written in a challenge.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    /// The algorithm of a challenge or of credentials; one that is not named is MD5 (RFC 7616 3.3).
    #[must_use]
    pub fn parse(name: Option<&str>) -> Option<Algorithm> {
        match name {
            None => Some(Algorithm::Md5),
            Some(name) if name.eq_ignore_ascii_case("MD5") => Some(Algorithm::Md5),
            Some(name) if name.eq_ignore_ascii_case("SHA-256") => Some(Algorithm::Sha256),
            Some(_) => None,
        }
    }

    /// The hash of parts joined by colons, in hexadecimal.
    fn hash(self, parts: &[&[u8]]) -> Hex {
        match self {
            Algorithm::Md5 => hash_with(Md5::new(), parts),
            Algorithm::Sha256 => hash_with(Sha256::new(), parts),
        }
    }
}

fn hash_with<D: sha2::Digest>(mut hasher: D, parts: &[&[u8]]) -> Hex {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hasher.update(b":");
        }
        hasher.update(part);
    }
    Hex::of(&hasher.finalize())
}

/// A hash in lower-case hexadecimal, without an allocation.
#[derive(Clone, Copy)]
struct Hex {
    digits: [u8; 64],
    length: usize,
}

impl Hex {
    fn of(bytes: &[u8]) -> Hex {
        let mut hex = Hex { digits: [0; 64], length: 0 };
        for (pair, byte) in hex.digits.chunks_exact_mut(2).zip(bytes) {
            pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
            pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
        }
        hex.length = 2 * bytes.len().min(32);
        hex
    }

    fn as_bytes(&self) -> &[u8] {
        &self.digits[..self.length]
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

/// What is kept of a password: HA1 for each algorithm, in hexadecimal. The password itself is never kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// `MD5(user:realm:password)`.
    pub md5: Box<str>,
    /// `SHA-256(user:realm:password)`.
    pub sha256: Box<str>,
}

impl Secret {
    /// From a password, for one user in one realm.
    #[must_use]
    pub fn new(user: &str, realm: &str, password: &str) -> Secret {
        let parts = [user.as_bytes(), realm.as_bytes(), password.as_bytes()];
        Secret {
            md5: Algorithm::Md5.hash(&parts).as_str().into(),
            sha256: Algorithm::Sha256.hash(&parts).as_str().into(),
        }
    }

    fn ha1(&self, algorithm: Algorithm) -> &str {
        match algorithm {
            Algorithm::Md5 => &self.md5,
            Algorithm::Sha256 => &self.sha256,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The response for `qop=auth` (RFC 7616 3.4.1).
fn response(algorithm: Algorithm, ha1: &str, method: &str, uri: &str, sent: &Sent<'_>) -> Hex {
    let ha2 = algorithm.hash(&[method.as_bytes(), uri.as_bytes()]);
    match sent.qop {
        Some((nc, cnonce)) => algorithm.hash(&[
            ha1.as_bytes(),
            sent.nonce.as_bytes(),
            nc.as_bytes(),
            cnonce.as_bytes(),
            b"auth",
            ha2.as_bytes(),
        ]),
        // RFC 2069: servers of others may still ask so.
        None => algorithm.hash(&[ha1.as_bytes(), sent.nonce.as_bytes(), ha2.as_bytes()]),
    }
}

/// What goes into a response beside the secret and the request.
struct Sent<'a> {
    nonce: &'a str,
    /// Count and client nonce, when qop is in use.
    qop: Option<(&'a str, &'a str)>,
}

/// A value between quotes; what could end them is escaped (RFC 3261 25.1).
pub(crate) fn quote(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars().filter(|c| !c.is_control()) {
        if matches!(character, '"' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
}

/// Appends `name="value"`.
fn parameter(text: &mut String, name: &str, value: &str) {
    text.push_str(", ");
    text.push_str(name);
    text.push('=');
    quote(text, value);
}

/// Whether two texts are the same, in a time that does not tell where they differ.
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_7616_3_9_1_examples() {
        let uri = "/dir/index.html";
        let cases = [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ];
        let secret = Secret::new("Mufasa", "http-auth@example.org", "Circle of Life");
        for (algorithm, expected) in cases {
            let sent = Sent {
                nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                qop: Some(("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")),
            };
            let made = response(algorithm, secret.ha1(algorithm), "GET", uri, &sent);
            assert_eq!(made.as_str(), expected);
        }
    }

    #[test]
    fn a_secret_never_shows_itself() {
        assert_eq!(format!("{:?}", Secret::new("a", "b", "c")), "Secret");
    }
}
