//! A small authority for the exchanges of one office: it vouches for them and for its directory, and for nobody else (RFC 5280).

use crate::tls::{TlsError, write_private};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long it vouches for somebody (S4).
pub const LEAF_LIFE: Duration = Duration::from_secs(90 * 86_400);
/// How long it lives itself.
const ROOT_LIFE: Duration = Duration::from_secs(20 * 365 * 86_400);
/// Clocks may differ by so much.
const BEFORE: Duration = Duration::from_secs(3_600);
/// A point on the curve, uncompressed (SEC 1 2.3.3).
const POINT_OCTETS: usize = 65;

/// The authority, with its key.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: String,
}

/// The key of somebody else, of whom the authority knows the public half alone.
struct Public(Vec<u8>);

impl PublicKeyData for Public {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl Authority {
    /// The authority in this folder, made now if there is none; `seconds` is the time since 1970.
    ///
    /// # Errors
    /// With the file's name.
    pub fn open(folder: &Path, seconds: u64) -> Result<Authority, TlsError> {
        let (key_path, root_path) = (folder.join("authority-key.pem"), folder.join("authority.pem"));
        let at = |path: &PathBuf, what: String| TlsError::new(path, what);
        if !key_path.exists() || !root_path.exists() {
            let (key, root) = Authority::make(seconds).map_err(|what| at(&key_path, what))?;
            write_private(&key_path, key.as_bytes())?;
            write_private(&root_path, root.as_bytes())?;
        }
        let read = |path: &PathBuf| fs::read_to_string(path).map_err(|error| at(path, error.to_string()));
        Authority::read(&read(&key_path)?, &read(&root_path)?).map_err(|what| at(&key_path, what))
    }

    /// A new one: its key and its own certificate, PEM both.
    ///
    /// # Errors
    /// In the library's words.
    pub fn make(seconds: u64) -> Result<(String, String), String> {
        let key = KeyPair::generate().map_err(|error| error.to_string())?;
        let root = root_params(seconds).self_signed(&key).map_err(|error| error.to_string())?;
        Ok((key.serialize_pem(), root.pem()))
    }

    /// One that was [made](Authority::make).
    ///
    /// # Errors
    /// When the key is none.
    pub fn read(key: &str, root: &str) -> Result<Authority, String> {
        let key = KeyPair::from_pem(key).map_err(|error| error.to_string())?;
        // The name and the key are what a certificate of ours points to; its times are in its own.
        Ok(Authority { issuer: Issuer::new(root_params(0), key), root: root.to_owned() })
    }

    /// Its own certificate, PEM.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Vouches for the holder of a public key (P-256, uncompressed) under these names; PEM.
    ///
    /// # Errors
    /// When the key or a name is none.
    pub fn vouch(&self, names: &[&str], public_key: &[u8], seconds: u64) -> Result<String, String> {
        if public_key.len() != POINT_OCTETS || public_key[0] != 4 {
            return Err("the public key is no uncompressed point of P-256".into());
        }
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names.clone()).map_err(|error| error.to_string())?;
        params.distinguished_name = name_of(names.first().map_or("", String::as_str));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        (params.not_before, params.not_after) = span(&params, seconds, LEAF_LIFE);
        let made = params
            .signed_by(&Public(public_key.to_vec()), &self.issuer)
            .map_err(|error| error.to_string())?;
        Ok(made.pem())
    }
}

/// A key for oneself: PEM to keep, and the public half to be vouched for.
///
/// # Errors
/// In the library's words.
pub fn new_key() -> Result<(String, Vec<u8>), String> {
    let key = KeyPair::generate().map_err(|error| error.to_string())?;
    Ok((key.serialize_pem(), key.public_key_raw().to_vec()))
}

fn root_params(seconds: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name_of("Ringdown office authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = span(&params, seconds, ROOT_LIFE);
    params
}

/// The library's own type of time, got from its own values.
fn span<T>(_: &CertificateParams, seconds: u64, life: Duration) -> (T, T)
where
    T: From<std::time::SystemTime>,
{
    let at = std::time::UNIX_EPOCH + Duration::from_secs(seconds);
    ((at - BEFORE.min(Duration::from_secs(seconds))).into(), (at + life).into())
}

fn name_of(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate;

    #[test]
    fn an_authority_is_made_once_and_vouches_for_ninety_days() {
        let folder = std::env::temp_dir().join(format!("ringdown-authority-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let first = Authority::open(&folder, 1_800_000_000).unwrap();
        let again = Authority::open(&folder, 1_900_000_000).unwrap();
        assert_eq!(first.root(), again.root());
        let (_, public) = new_key().unwrap();
        let leaf = again.vouch(&["exchange-1"], &public, 1_800_000_000).unwrap();
        let path = folder.join("leaf.pem");
        fs::write(&path, leaf).unwrap();
        let validity = certificate::validity(&path).unwrap();
        assert_eq!(validity.until, 1_800_000_000 + 90 * 86_400);
        assert_eq!(validity.from, 1_800_000_000 - 3_600);
        assert!(again.vouch(&["x"], &public[1..], 0).is_err());
        assert!(again.vouch(&["x"], &[5; 65], 0).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
