//! Keys: the two master keys of a stream, and the session keys that RFC 3711 section 4.3 derives from one.

use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use std::fmt;
use wire::sdp::Crypto;

const KEY_LEN: usize = 16;
const SALT_LEN: usize = 14;
const AUTH_LEN: usize = 20;

/// Which ciphers protect a stream (RFC 4568 section 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Suite {
    /// `AES_CM_128_HMAC_SHA1_80`
    Sha1Tag80,
    /// `AES_CM_128_HMAC_SHA1_32`: shorter tags on RTP, the same on RTCP.
    Sha1Tag32,
}

impl Suite {
    /// The suite of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Suite> {
        [Suite::Sha1Tag80, Suite::Sha1Tag32].into_iter().find(|suite| suite.as_str() == name)
    }

    /// As written in `a=crypto`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Suite::Sha1Tag80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::Sha1Tag32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    /// The tag of an RTP packet in bytes; RTCP always has 10 (RFC 4568 section 6.2.2).
    pub(super) fn tag_len(self) -> usize {
        match self {
            Suite::Sha1Tag80 => 10,
            Suite::Sha1Tag32 => 4,
        }
    }
}

/// A master key with its salt.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    /// What it is used with.
    pub suite: Suite,
    bytes: [u8; MasterKey::LEN],
    /// How many bytes of key identifier stand before the tag of each packet (RFC 3711 section 3.1); 0 for none.
    pub(super) identifier_len: u8,
}

impl MasterKey {
    /// Bytes of a key and its salt together.
    pub const LEN: usize = KEY_LEN + SALT_LEN;

    /// A key of ours; the bytes are random.
    #[must_use]
    pub fn new(suite: Suite, bytes: [u8; MasterKey::LEN]) -> MasterKey {
        MasterKey { suite, bytes, identifier_len: 0 }
    }

    /// The key of a line of theirs; `None` for a suite that we do not have, a key of the wrong length, or a demand that
    /// we do not meet.
    #[must_use]
    pub fn of(line: &Crypto<'_>) -> Option<MasterKey> {
        let suite = Suite::parse(line.suite)?;
        let bytes = line.key.as_slice().try_into().ok()?;
        // RFC 4568 section 6.3: what is declined unless it is understood.
        let met = line.demands.split_ascii_whitespace().all(|demand| demand.starts_with('-'));
        met.then_some(MasterKey { suite, bytes, identifier_len: line.identifier_len })
    }

    /// Key and salt, to be written into a description.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

// A key in a log would be a key given away.
impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// Both keys of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrtpKeys {
    /// What we send with.
    pub send: MasterKey,
    /// What the remote sends with.
    pub receive: MasterKey,
}

/// The keys of RTP or of RTCP, derived from a master key.
pub(super) struct SessionKeys {
    cipher: EncryptingKey,
    auth: hmac::Key,
    salt: [u8; SALT_LEN],
}

/// The labels of RFC 3711 section 4.3.2: encryption, authentication, salt.
pub(super) const RTP: [u8; 3] = [0, 1, 2];
pub(super) const RTCP: [u8; 3] = [3, 4, 5];

impl SessionKeys {
    /// Derives at rate 0: once for all packets.
    pub(super) fn derive(master: &MasterKey, labels: [u8; 3]) -> SessionKeys {
        let (key, salt) = master.bytes.split_at(KEY_LEN);
        let deriving = aes(key);
        let mut cipher_key = [0; KEY_LEN];
        let mut auth_key = [0; AUTH_LEN];
        let mut session_salt = [0; SALT_LEN];
        for (label, out) in labels.into_iter().zip([&mut cipher_key[..], &mut auth_key, &mut session_salt]) {
            let mut iv = [0; 16];
            iv[..SALT_LEN].copy_from_slice(salt);
            // x = label * 2^48 XOR master salt; with rate 0 the index counts nothing (RFC 3711 section 4.3.1).
            iv[7] ^= label;
            counter_mode(&deriving, iv, out);
        }
        SessionKeys {
            cipher: aes(&cipher_key),
            auth: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &auth_key),
            salt: session_salt,
        }
    }

    /// Encrypts or decrypts in place (RFC 3711 section 4.1.1).
    #[inline]
    pub(super) fn apply(&self, ssrc: u32, index: u64, body: &mut [u8]) {
        let mut iv = [0; 16];
        iv[..SALT_LEN].copy_from_slice(&self.salt);
        for (place, byte) in ssrc.to_be_bytes().into_iter().enumerate() {
            iv[4 + place] ^= byte;
        }
        for (place, byte) in index.to_be_bytes()[2..].iter().enumerate() {
            iv[8 + place] ^= byte;
        }
        counter_mode(&self.cipher, iv, body);
    }

    /// The whole tag of a packet; `suffix` is authenticated after it.
    #[inline]
    pub(super) fn tag(&self, packet: &[u8], suffix: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.auth);
        context.update(packet);
        context.update(suffix);
        context.sign()
    }
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKeys")
    }
}

#[expect(clippy::expect_used, reason = "only a key of another length than 16 is refused")]
fn aes(key: &[u8]) -> EncryptingKey {
    let key = UnboundCipherKey::new(&AES_128, key).expect("a key of 16 bytes");
    EncryptingKey::ctr(key).expect("AES-128 has a counter mode")
}

#[inline]
fn counter_mode(key: &EncryptingKey, iv: [u8; 16], body: &mut [u8]) {
    // Counter mode takes any length, so nothing can be refused here; a body that was not encrypted would not be
    // authentic at the other end, and nothing else.
    let encrypted = key.less_safe_encrypt(body, EncryptionContext::Iv128(FixedLength::from(iv)));
    debug_assert!(encrypted.is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn r14_counter_mode_of_rfc_3711_b_2() {
        let mut salt = [0; SALT_LEN];
        salt.copy_from_slice(&bytes("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"));
        let keys = SessionKeys {
            cipher: aes(&bytes("2B7E151628AED2A6ABF7158809CF4F3C")),
            auth: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &[0; 20]),
            salt,
        };
        let mut stream = vec![0; 0xff02 * 16];
        keys.apply(0, 0, &mut stream);
        assert_eq!(stream[..16], bytes("E03EAD0935C95E80E166B16DD92B4EB4"));
        assert_eq!(stream[16..32], bytes("D23513162B02D0F72A43A2FE4A5F97AB"));
        assert_eq!(stream[32..48], bytes("41E95B3BB0A2E8DD477901E4FCA894C0"));
        assert_eq!(stream[0xfeff * 16..][..16], bytes("EC8CDF7398607CB0F2D21675EA9EA1E4"));
        assert_eq!(stream[0xff00 * 16..][..16], bytes("362B7C3C6773516318A077D7FC5073AE"));
        assert_eq!(stream[0xff01 * 16..][..16], bytes("6A2CC3787889374FBEB4C81B17BA6C44"));
    }

    #[test]
    fn r14_derivation_of_rfc_3711_b_3() {
        let master = bytes("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
        let (key, salt) = master.split_at(KEY_LEN);
        let derive = |label: u8, length: usize| {
            let mut iv = [0; 16];
            iv[..SALT_LEN].copy_from_slice(salt);
            iv[7] ^= label;
            let mut out = vec![0; length];
            counter_mode(&aes(key), iv, &mut out);
            out
        };
        assert_eq!(derive(0, 16), bytes("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(derive(2, 14), bytes("30CBBC08863D8C85D49DB34A9AE1"));
        assert_eq!(derive(1, 20), bytes("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
    }

    #[test]
    fn keys_of_theirs() {
        let key = "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
        let table = [
            (format!("1 AES_CM_128_HMAC_SHA1_80 {key}|2^31"), true),
            (format!("1 AES_CM_128_HMAC_SHA1_32 {key}|1:4"), true),
            (format!("1 AES_CM_128_HMAC_SHA1_80 {key} -NEW"), true),
            (format!("1 AES_CM_128_HMAC_SHA1_80 {key} UNENCRYPTED_SRTP"), false),
            (format!("1 F8_128_HMAC_SHA1_80 {key}"), false),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:AAAA".into(), false),
        ];
        for (line, taken) in table {
            let parsed = Crypto::parse(line.as_bytes()).unwrap();
            assert_eq!(MasterKey::of(&parsed).is_some(), taken, "{line}");
        }
    }
}
