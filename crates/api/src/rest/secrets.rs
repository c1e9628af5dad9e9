//! Secrets: drawn at random, kept only as hashes, compared without telling where they differ.

use super::problem::Problem;
use crate::pin::{self, verify_pin};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The shortest password, in characters.
pub(crate) const PASSWORD_LEAST: usize = 8;
/// The longest password, in octets.
pub(crate) const PASSWORD_MOST: usize = 256;
/// Passwords that are hashed at once: each takes 19 MiB and some ten milliseconds of a core.
const AT_ONCE: usize = 2;
/// Who may wait for that; more are told to come back.
const WAITING: usize = 64;
/// Octets as lower-case hexadecimal digits.
pub(crate) fn hex(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    octets.iter().flat_map(|octet| [digit(octet >> 4), digit(*octet)]).collect()
}

/// What is kept of a secret of 128 bits or more: its SHA-256. Such a secret cannot be guessed, so it needs no slow hash.
pub(crate) fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// A fingerprint of several texts, for what has to change when one of them does.
pub(crate) fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part);
    }
    hex(&hasher.finalize()[..16])
}

/// Whether two texts are the same, in a time that does not tell where they differ.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// Hashes and compares passwords on threads of their own, few at a time (R17).
#[derive(Clone, Debug)]
pub(crate) struct Passwords {
    at_once: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Passwords {
        Passwords { at_once: Arc::new(Semaphore::new(AT_ONCE)), waiting: Arc::new(Semaphore::new(WAITING)) }
    }
}

/// The right to hash one password now.
pub(crate) struct Turn {
    _places: [tokio::sync::OwnedSemaphorePermit; 2],
}

impl Passwords {
    /// Waits for a turn.
    ///
    /// # Errors
    /// 503 when too many wait already.
    pub(crate) async fn turn(&self) -> Result<Turn, Problem> {
        let busy = |_| Problem::unavailable("too many people sign in at once");
        let waiting = Arc::clone(&self.waiting).try_acquire_owned().map_err(busy)?;
        let turn = Arc::clone(&self.at_once).acquire_owned().await.map_err(|_| Problem::gone())?;
        Ok(Turn { _places: [waiting, turn] })
    }

    /// Whether a password fits a hash; without a hash it never does, and takes as long.
    ///
    /// # Errors
    /// 503 when no thread can be had.
    pub(crate) async fn fits(
        &self,
        turn: &Turn,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Problem> {
        let _ = turn;
        let fits = move || verify_pin(hash.as_deref(), &password);
        tokio::task::spawn_blocking(fits).await.map_err(|_| Problem::gone())
    }

    /// The hash of a password (argon2id, PHC form).
    ///
    /// # Errors
    /// 422 when it is too short or too long, 503 when too many wait already.
    pub(crate) async fn hash(&self, password: &str, salt: [u8; 32]) -> Result<Box<str>, Problem> {
        check(password).map_err(Problem::nonsense)?;
        let _turn = self.turn().await?;
        let password = password.to_owned();
        let hash = tokio::task::spawn_blocking(move || hash(&password, &salt)).await;
        hash.map_err(|_| Problem::gone())?.map_err(|why| Problem::unavailable(&why)).map(Into::into)
    }
}

/// Whether it can be a password.
///
/// # Errors
/// Why not, in words.
pub(crate) fn check(password: &str) -> Result<(), String> {
    if password.chars().count() < PASSWORD_LEAST {
        return Err(format!("A password has at least {PASSWORD_LEAST} characters."));
    }
    if password.len() > PASSWORD_MOST {
        return Err(format!("A password has at most {PASSWORD_MOST} octets."));
    }
    Ok(())
}

/// The hash of a secret that people choose (argon2id, PHC form); takes some ten milliseconds.
///
/// # Errors
/// Why it cannot be kept, in words.
pub(crate) fn hash(secret: &str, salt: &[u8]) -> Result<String, String> {
    pin::hash(secret, &hex(salt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_20_what_is_kept_does_not_tell_the_secret() {
        let kept = hash("correct horse", &[7; 32]).unwrap();
        assert!(kept.starts_with("$argon2id$") && !kept.contains("correct"));
        assert_ne!(kept, hash("correct horse", &[8; 32]).unwrap());
        assert_eq!(digest("x").len(), 64);
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("abc", "ab"));
        assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
    }

    #[test]
    fn passwords_have_bounds() {
        assert!(check("1234567").is_err() && check("12345678").is_ok() && check("密码密码密码密码").is_ok());
        assert!(check(&"x".repeat(257)).is_err());
    }
}
