//! Web Push: a payload that only the browser can read (RFC 8291), and who we are for the push service (VAPID, RFC 8292).

use aws_lc_rs::agreement::{self, ECDH_P256, ParsedPublicKey, UnparsedPublicKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use aws_lc_rs::{aead, hmac};
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::json;

/// Base64 for URLs: written without padding, read with or without.
pub const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Octets of a point of P-256, not compressed.
const POINT: usize = 65;
/// Octets of a subscription's secret (RFC 8291 3.2).
pub const AUTH: usize = 16;
/// Octets of a record; we send one (RFC 8291 4).
const RECORD: u32 = 4_096;
/// Octets of text that go into it: its head, the delimiter and the tag take the rest.
pub const TEXT: usize = 3_993;
/// How long a proof of who we are is good, in seconds; at most a day (RFC 8292 2).
const PROOF: i64 = 12 * 3_600;

/// What of this exchange is to stay the same: push services know it by its key, and dismissals are proved with the other.
pub struct Keys {
    vapid: EcdsaKeyPair,
    dismissals: hmac::Key,
}

impl Keys {
    /// New ones, as they are kept: the pair in PKCS 8, and octets that nobody can guess.
    #[must_use]
    pub fn make(random: &[u8; 32]) -> Option<String> {
        let pair =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).ok()?;
        Some(json!({"vapid": BASE64.encode(pair.as_ref()), "dismissals": BASE64.encode(random)}).to_string())
    }

    /// What was kept.
    #[must_use]
    pub fn read(text: &str) -> Option<Keys> {
        let kept: serde_json::Value = serde_json::from_str(text).ok()?;
        let part = |name: &str| kept.get(name)?.as_str().and_then(|text| BASE64.decode(text).ok());
        let vapid = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &part("vapid")?).ok()?;
        Some(Keys { vapid, dismissals: hmac::Key::new(hmac::HMAC_SHA256, &part("dismissals")?) })
    }

    /// The key that a browser subscribes with.
    #[must_use]
    pub fn public(&self) -> String {
        BASE64.encode(self.vapid.public_key().as_ref())
    }

    /// What a wearable sends to dismiss a notice: nobody else knows it.
    #[must_use]
    pub fn dismissal(&self, wearable: &str, call: &str) -> String {
        let tag = hmac::sign(&self.dismissals, format!("{wearable}\n{call}").as_bytes());
        BASE64.encode(&tag.as_ref()[..16])
    }

    /// The value of `Authorization` for an endpoint (RFC 8292 3). `now` in milliseconds.
    #[must_use]
    pub fn proof(&self, endpoint: &str, contact: Option<&str>, now: i64) -> Option<String> {
        let mut claims = json!({"aud": origin(endpoint)?, "exp": now.div_euclid(1_000) + PROOF});
        if let (Some(contact), Some(claims)) = (contact, claims.as_object_mut()) {
            claims.insert("sub".into(), contact.into());
        }
        let head = BASE64.encode(br#"{"typ":"JWT","alg":"ES256"}"#);
        let signed = format!("{head}.{}", BASE64.encode(claims.to_string().as_bytes()));
        let signature = self.vapid.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        Some(format!("vapid t={signed}.{}, k={}", BASE64.encode(signature.as_ref()), self.public()))
    }
}

/// The origin of a URL (RFC 6454 6.2); browsers give no port where it is the usual one.
#[must_use]
pub fn origin(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    (end > 0).then(|| &url[..url.len() - rest.len() + end])
}

/// Whether these are a browser's key: a point of P-256, not compressed.
#[must_use]
pub fn is_point(octets: &[u8]) -> bool {
    octets.len() == POINT && ParsedPublicKey::try_from(UnparsedPublicKey::new(&ECDH_P256, octets)).is_ok()
}

/// A text for one subscription, as the body of a request with `Content-Encoding: aes128gcm`.
#[must_use]
pub fn encrypt(browser: &[u8], auth: &[u8], salt: [u8; 16], text: &[u8]) -> Option<Vec<u8>> {
    encrypt_as(&agreement::PrivateKey::generate(&ECDH_P256).ok()?, browser, auth, salt, text)
}

fn encrypt_as(
    own: &agreement::PrivateKey,
    browser: &[u8],
    auth: &[u8],
    salt: [u8; 16],
    text: &[u8],
) -> Option<Vec<u8>> {
    if text.len() > TEXT || browser.len() != POINT {
        return None;
    }
    let public = own.compute_public_key().ok()?;
    let public = public.as_ref();
    // RFC 8291 3.3 and 3.4.
    let key = agreement::agree(own, UnparsedPublicKey::new(&ECDH_P256, browser), (), |shared| {
        expand::<32>(auth, shared, &[b"WebPush: info\0", browser, public]).ok_or(())
    });
    let key = key.ok()?;
    // RFC 8188 2.2 and 2.3.
    let content = expand::<16>(&salt, &key, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce = expand::<12>(&salt, &key, &[b"Content-Encoding: nonce\0"])?;
    let sealing = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_128_GCM, &content).ok()?);
    let mut record = text.to_vec();
    // RFC 8188 2: the delimiter of the last record.
    record.push(2);
    let nonce = aead::Nonce::assume_unique_for_key(nonce);
    sealing.seal_in_place_append_tag(nonce, aead::Aad::empty(), &mut record).ok()?;
    let mut body = salt.to_vec();
    body.extend(RECORD.to_be_bytes());
    body.push(u8::try_from(public.len()).ok()?);
    body.extend(public);
    body.extend(record);
    Some(body)
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF with SHA-256 (RFC 5869).
fn expand<const N: usize>(salt: &[u8], key: &[u8], info: &[&[u8]]) -> Option<[u8; N]> {
    let mut out = [0; N];
    Salt::new(HKDF_SHA256, salt).extract(key).expand(info, Length(N)).ok()?.fill(&mut out).ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    /// RFC 8291, appendix A.
    #[test]
    fn s1_7_the_example_of_the_standard_is_encrypted_as_it_stands_there() {
        let octets = |text: &str| BASE64.decode(text).unwrap();
        let own = octets("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let own = agreement::PrivateKey::from_private_key(&ECDH_P256, &own).unwrap();
        let browser =
            octets("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let auth = octets("BTBZMqHH6r4Tts7J_aSIgg");
        let salt = octets("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let body = encrypt_as(&own, &browser, &auth, salt, b"When I grow up, I want to be a watermelon");
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz\
                        AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(BASE64.encode(body.unwrap()), expected);
        assert_eq!(encrypt(&browser, &auth, salt, &[b'x'; TEXT]).map(|body| body.len()), Some(4_096));
        assert_eq!(encrypt(&browser, &auth, salt, &[b'x'; TEXT + 1]), None);
        assert_eq!(encrypt(&[4; POINT], &auth, salt, b"x"), None, "no point of the curve");
        assert!(is_point(&browser) && !is_point(&[4; POINT]) && !is_point(&browser[1..]));
        assert_eq!(encrypt(&browser[..64], &auth, salt, b"x"), None);
    }

    #[test]
    fn s1_7_the_proof_is_signed_for_the_origin_of_the_endpoint() {
        let kept = Keys::make(&[7; 32]).unwrap();
        let keys = Keys::read(&kept).unwrap();
        assert_eq!(keys.public(), Keys::read(&kept).unwrap().public(), "the same after a restart");
        let proof =
            keys.proof("https://push.example:8443/x/y?z", Some("mailto:a@b"), 1_700_000_000_000).unwrap();
        let (token, key) = proof.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let claims = BASE64.decode(signed.split_once('.').unwrap().1).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(
            claims,
            json!({"aud": "https://push.example:8443", "exp": 1_700_043_200_i64, "sub": "mailto:a@b"})
        );
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, BASE64.decode(key).unwrap());
        assert!(key.verify(signed.as_bytes(), &BASE64.decode(signature).unwrap()).is_ok());
        assert!(keys.proof("http://push.example/", None, 0).is_none() && origin("https:///x").is_none());
        assert_ne!(keys.dismissal("w", "c"), keys.dismissal("w", "d"));
        assert!(Keys::read("{}").is_none());
    }
}
