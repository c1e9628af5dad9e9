//! Sealing what must be read again but may not lie in a file in clear: trunk passwords (sec_20).
//!
//! AES-256-GCM with a random nonce before each sealed text, under a key in a file of its own beside the database, so
//! that the database alone gives nothing away. What a password belongs to is authenticated with it: it cannot be
//! moved to another trunk.

use crate::error::StoreError;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The key's file.
pub const SEAL_KEY: &str = "seal.key";
const KEY_LENGTH: usize = 32;

/// Seals and opens.
pub(crate) struct Sealer {
    key: LessSafeKey,
}

impl Sealer {
    /// Reads the key of a data folder, and makes one at the first start.
    pub(crate) fn open(folder: &Path) -> Result<Sealer, StoreError> {
        let path = folder.join(SEAL_KEY);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => make(&path)?,
            Err(error) => return Err(StoreError::of_file(&path, error)),
        };
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| {
            StoreError::of_file(&path, "this is no key of 32 octets; restore it from a backup")
        })?;
        Ok(Sealer { key: LessSafeKey::new(key) })
    }

    pub(crate) fn seal(&self, owner: &str, text: &str) -> Result<Vec<u8>, sqlx::Error> {
        let failed = |_| sqlx::Error::Encode("cannot seal a password".into());
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).map_err(failed)?;
        let mut sealed = text.as_bytes().to_vec();
        let aad = Aad::from(owner.as_bytes());
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .map_err(failed)?;
        Ok([&nonce[..], &sealed].concat())
    }

    pub(crate) fn open_text(&self, owner: &str, sealed: &[u8]) -> Result<String, sqlx::Error> {
        let wrong = || {
            let words = format!("what belongs to \"{owner}\" was sealed under another {SEAL_KEY}");
            sqlx::Error::Decode(words.into())
        };
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or_else(wrong)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| wrong())?;
        let mut text = text.to_vec();
        let aad = Aad::from(owner.as_bytes());
        let open = self.key.open_in_place(nonce, aad, &mut text).map_err(|_| wrong())?;
        String::from_utf8(open.to_vec()).map_err(|_| wrong())
    }
}

/// 64 bits that nobody else has drawn, in hexadecimal.
pub(crate) fn random_word() -> std::io::Result<String> {
    let mut octets = [0; 8];
    rand::fill(&mut octets).map_err(|_| std::io::Error::other("the system gives no randomness"))?;
    Ok(format!("{:016x}", u64::from_le_bytes(octets)))
}

fn make(path: &Path) -> Result<Vec<u8>, StoreError> {
    let mut key = vec![0; KEY_LENGTH];
    rand::fill(&mut key).map_err(|_| StoreError::of_file(path, "the system gives no randomness"))?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.and_then(|mut file| file.write_all(&key).and_then(|()| file.sync_all()))
        .map_err(|error| StoreError::of_file(path, error))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_20_sealed_passwords_open_for_their_owner_only() {
        let key = UnboundKey::new(&AES_256_GCM, &[7; KEY_LENGTH]).unwrap();
        let sealer = Sealer { key: LessSafeKey::new(key) };
        let sealed = sealer.seal("provider", "hush").unwrap();
        assert!(!sealed.windows(4).any(|part| part == b"hush"));
        assert_eq!(sealer.open_text("provider", &sealed).unwrap(), "hush");
        assert!(sealer.open_text("other", &sealed).is_err());
        assert!(sealer.open_text("provider", &sealed[..10]).is_err());
        assert_ne!(sealed, sealer.seal("provider", "hush").unwrap());
    }
}
