//! `a=crypto`: keys of SRTP in a description (RFC 4568), for signalling that is encrypted itself.
//!
//! ```text
//! a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4
//!          tag suite                        key and salt in base 64          lifetime | MKI:length
//! ```

use super::number::decimal;

/// A line longer than this is no key.
const KEY_MAX: usize = 64;

/// One `a=crypto` line.
#[derive(Clone, PartialEq, Eq)]
pub struct Crypto<'a> {
    /// Names the line; an answer repeats the one that it takes.
    pub tag: u32,
    /// The cryptographic suite; compare as written.
    pub suite: &'a str,
    /// Master key and master salt, one after the other.
    pub key: Vec<u8>,
    /// How many bytes of key identifier follow the payload of each packet; 0 for none.
    pub identifier_len: u8,
    /// What else the line demands, separated by spaces. Whoever does not know a demand may not take the line
    /// (RFC 4568 section 6.3), unless its name begins with `-`.
    pub demands: &'a str,
}

impl<'a> Crypto<'a> {
    /// Parses the attribute's value. Lines of several keys are not read.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Crypto<'a>> {
        let text = std::str::from_utf8(value).ok()?.trim_ascii();
        let (tag, rest) = text.split_once(' ')?;
        let (suite, rest) = rest.trim_ascii_start().split_once(' ')?;
        let rest = rest.trim_ascii_start();
        let (parameter, demands) = rest.split_once(' ').unwrap_or((rest, ""));
        let inline = parameter.strip_prefix("inline:").filter(|inline| !inline.contains(';'))?;
        let mut parts = inline.split('|');
        let key = decode(parts.next()?)?;
        let mut identifier_len = 0;
        for part in parts {
            // A lifetime has no colon, and nobody talks for 2^48 packets.
            if let Some((_, length)) = part.split_once(':') {
                identifier_len = decimal(length).filter(|length| (1..=128).contains(length))?;
            }
        }
        Some(Crypto { tag: decimal(tag)?, suite, key, identifier_len, demands: demands.trim_ascii() })
    }
}

// A key in a log would be a key given away.
impl std::fmt::Debug for Crypto<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crypto").field("tag", &self.tag).field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// The value of an `a=crypto` line of ours.
#[must_use]
pub fn write_crypto(tag: u32, suite: &str, key: &[u8]) -> String {
    format!("{tag} {suite} inline:{}", encode(key))
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .enumerate()
            .fold(0, |word, (place, byte)| word | u32::from(*byte) << (16 - 8 * place));
        for place in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    if digits.len() > KEY_MAX * 4 / 3 || text.len() - digits.len() > 2 || digits.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut word, mut bits) = (0_u32, 0);
    for digit in digits {
        let value = DIGITS.iter().position(|known| known == digit)?;
        word = word << 6 | u32::try_from(value).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits & 0xff) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 4568 section 4.1 and 9.1.
    const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    #[test]
    fn lines_of_rfc_4568() {
        let line = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4 FEC_ORDER=FEC_SRTP");
        let crypto = Crypto::parse(line.as_bytes()).unwrap();
        assert_eq!((crypto.tag, crypto.suite, crypto.key.len()), (1, "AES_CM_128_HMAC_SHA1_80", 30));
        assert_eq!((crypto.identifier_len, crypto.demands), (4, "FEC_ORDER=FEC_SRTP"));
        assert_eq!(&crypto.key[..16], b"YS___semctl () {");
        let written = write_crypto(1, crypto.suite, &crypto.key);
        assert_eq!(written, format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"));
        assert!(!format!("{crypto:?}").contains("inline"), "no key in a log");
    }

    #[test]
    fn what_is_no_key() {
        for line in [
            "",
            "1",
            "1 AES_CM_128_HMAC_SHA1_80",
            "1 AES_CM_128_HMAC_SHA1_80 uri:https://keys.example",
            "x AES_CM_128_HMAC_SHA1_80 inline:AAAA",
            "+1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
            "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA;inline:BBBB",
            "1 AES_CM_128_HMAC_SHA1_80 inline:A*AA",
            "1 AES_CM_128_HMAC_SHA1_80 inline:AAAAA",
            "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA|1:0",
            "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA|1:999",
        ] {
            assert!(Crypto::parse(line.as_bytes()).is_none(), "{line}");
        }
        let long = format!("1 S inline:{}", "A".repeat(400));
        assert!(Crypto::parse(long.as_bytes()).is_none());
    }

    #[test]
    fn base_64_goes_both_ways() {
        for length in 0..40_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37)).collect();
            assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        }
        assert_eq!(encode(b"Man"), "TWFu");
        assert_eq!(encode(b"Ma"), "TWE=");
        assert_eq!(encode(b"M"), "TQ==");
    }
}
