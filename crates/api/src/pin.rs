//! PINs as they are kept: argon2id in PHC form. Guessing one costs the guesser; one hash costs us some ten milliseconds,
//! here and never on the core (R17).

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};

/// What a PIN is compared with where there is none, so that it takes the same time; no PIN has this hash.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5MTIzNA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The hash of a PIN; `salt` is at least 16 random octets of text.
///
/// # Errors
/// In words, when it cannot be hashed.
pub(crate) fn hash(pin: &str, salt: &str) -> Result<String, String> {
    let salt = SaltString::encode_b64(&salt.as_bytes()[..salt.len().min(16)]);
    let hash = salt
        .and_then(|salt| Argon2::default().hash_password(pin.as_bytes(), &salt).map(|hash| hash.to_string()));
    hash.map_err(|error| format!("the PIN cannot be kept: {error}"))
}

/// Whether a PIN has this hash. It takes as long without one.
#[must_use]
pub fn verify_pin(hash: Option<&str>, pin: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(NOBODY)) else { return false };
    Argon2::default().verify_password(pin.as_bytes(), &parsed).is_ok() && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn sec_20_a_pin_is_kept_as_a_hash_with_salt_and_compared_with_it() {
        let (one, other) =
            (hash("4711", "0123456789abcdef").unwrap(), hash("4711", "fedcba9876543210").unwrap());
        assert!(one.starts_with("$argon2id$") && !one.contains("4711"));
        assert_ne!(one, other);
        for kept in [&one, &other] {
            assert!(verify_pin(Some(kept), "4711") && !verify_pin(Some(kept), "4712"));
        }
        assert!(!verify_pin(Some("4711"), "4711"), "what is no hash is nobody's");
    }

    #[test]
    fn sec_24_nobodys_pin_takes_as_long_as_a_wrong_one() {
        let kept = hash("4711", "0123456789abcdef").unwrap();
        let best = |hash: Option<&str>| {
            let one = || {
                let began = Instant::now();
                assert!(!verify_pin(hash, "0000"));
                began.elapsed()
            };
            (0..5).map(|_| one()).min().unwrap_or(Duration::MAX)
        };
        let (somebody, nobody) = (best(Some(&kept)), best(None));
        assert!(nobody * 3 > somebody && somebody * 3 > nobody, "{somebody:?} {nobody:?}");
    }
}
