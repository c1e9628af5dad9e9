//! Signed texts: JSON Web Signature, compact form, with Ed25519 (RFC 7515 3.1, RFC 8037 3.1).
//!
//! One algorithm, told by the type of what is signed. What a header asks for is never followed; it must be the one that we write.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a signed text is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is no such text.
    Malformed,
    /// It was signed by somebody else, or changed.
    Signature,
}

/// The header of one type of text, in base64url.
fn header(kind: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{{\"alg\":\"EdDSA\",\"typ\":\"{kind}\"}}"))
}

pub(crate) fn sign(key: &Ed25519KeyPair, kind: &str, payload: &impl Serialize) -> String {
    let mut text = header(kind);
    text.push('.');
    // Our own types, whose keys are texts.
    let payload = serde_json::to_vec(payload).unwrap_or_default();
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    let signature = key.sign(text.as_bytes());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut text);
    text
}

/// What it says, before anybody knows whether it is true: only to find the key that tells.
pub(crate) fn peek<T: DeserializeOwned>(kind: &str, text: &str) -> Result<T, Fault> {
    let (signed, _) = text.rsplit_once('.').ok_or(Fault::Malformed)?;
    let payload =
        signed.strip_prefix(&header(kind)).and_then(|rest| rest.strip_prefix('.')).ok_or(Fault::Malformed)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| Fault::Malformed)?;
    serde_json::from_slice(&payload).map_err(|_| Fault::Malformed)
}

pub(crate) fn verify(public: &[u8; 32], text: &str) -> Result<(), Fault> {
    let (signed, signature) = text.rsplit_once('.').ok_or(Fault::Malformed)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Fault::Malformed)?;
    UnparsedPublicKey::new(&ED25519, public)
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| Fault::Signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::KeyPair as _;

    /// RFC 8037 A.1 and A.4, except that our header names the type as well.
    #[test]
    fn the_key_of_the_standard_signs_and_any_other_text_is_refused() {
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let public = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        assert_eq!(key.public_key().as_ref(), public);
        let public: [u8; 32] = public.try_into().unwrap();
        let example = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        assert_eq!(verify(&public, example), Ok(()));
        assert_eq!(peek::<serde_json::Value>("test", example), Err(Fault::Malformed), "another type");

        let text = sign(&key, "test", &serde_json::json!({"a": 1}));
        assert_eq!(verify(&public, &text), Ok(()));
        assert_eq!(peek::<serde_json::Value>("test", &text).unwrap()["a"], 1);
        for place in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[place] = if other[place] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            // The last letter of a signature holds bits that stand for nothing; they must be zero.
            assert!(verify(&public, &other).is_err(), "changed at {place}");
        }
        assert_eq!(verify(&public, "no signature"), Err(Fault::Malformed));
    }
}
