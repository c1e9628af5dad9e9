//! Proofs by a key of P-256 that a device made itself: it signs what it is asked to (FIPS 186-5 6, RFC 5480).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

/// Signs with a private key, PEM; with it comes the public one, uncompressed.
///
/// # Errors
/// When the key is none.
pub fn sign(key: &str, what: &[u8]) -> Result<(Vec<u8>, Vec<u8>), String> {
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| error.to_string())?;
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.secret_der())
        .map_err(|error| error.to_string())?;
    let signature = key.sign(&SystemRandom::new(), what).map_err(|error| error.to_string())?;
    Ok((signature.as_ref().to_vec(), key.public_key().as_ref().to_vec()))
}

/// Whether the holder of a key has signed this.
#[must_use]
pub fn is_signed_by(public_key: &[u8], what: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public_key).verify(what, signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_proves_what_it_signed_and_nothing_else() {
        let (key, public) = crate::new_key().unwrap();
        let (signature, shown) = sign(&key, b"challenge").unwrap();
        assert_eq!(shown, public);
        assert!(is_signed_by(&public, b"challenge", &signature));
        assert!(!is_signed_by(&public, b"another", &signature));
        let (_, other) = crate::new_key().unwrap();
        assert!(!is_signed_by(&other, b"challenge", &signature));
        assert!(!is_signed_by(&[], b"challenge", &[]));
        assert!(sign("no key", b"").is_err());
    }
}
