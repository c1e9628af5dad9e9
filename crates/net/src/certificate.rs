//! From when to when a certificate is valid: the one thing in it that an administrator must be warned of.

use crate::tls::TlsError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// A span of wall-clock time, in seconds since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Not valid before.
    pub from: i64,
    /// Not valid after.
    pub until: i64,
}

/// The validity of the first certificate in a PEM file.
///
/// # Errors
/// With the file's name: missing, unreadable, or no certificate.
pub fn validity(path: &Path) -> Result<Validity, TlsError> {
    let der = CertificateDer::from_pem_file(path).map_err(|error| TlsError::new(path, error.to_string()))?;
    read(&der).ok_or_else(|| TlsError::new(path, "holds something that is no X.509 certificate".into()))
}

/// When the first certificate in a text is good; none if it holds none.
#[must_use]
pub fn validity_of_pem(text: &str) -> Option<Validity> {
    read(&CertificateDer::from_pem_slice(text.as_bytes()).ok()?)
}

/// The SHA-256 of the first certificate in a PEM file, as browsers show it: `AB:CD:…`.
///
/// # Errors
/// With the file's name: missing, unreadable, or no certificate.
pub fn fingerprint(path: &Path) -> Result<String, TlsError> {
    let der = CertificateDer::from_pem_file(path).map_err(|error| TlsError::new(path, error.to_string()))?;
    let octets: Vec<String> = Sha256::digest(&der).iter().map(|octet| format!("{octet:02X}")).collect();
    Ok(octets.join(":"))
}

/// RFC 5280 4.1.
///
/// ```text
/// Certificate SEQUENCE { tbs SEQUENCE { [0] version?, serial INTEGER, signature SEQUENCE, issuer SEQUENCE,
///                                       validity SEQUENCE { notBefore Time, notAfter Time }, ... } ... }
/// ```
fn read(der: &[u8]) -> Option<Validity> {
    let (_, certificate, _) = element(der)?;
    let (_, mut rest, _) = element(certificate)?;
    if rest.first() == Some(&0xA0) {
        rest = element(rest)?.2;
    }
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (_, span, _) = element(rest)?;
    let (kind, from, rest) = element(span)?;
    let from = time(kind, from)?;
    let (kind, until, _) = element(rest)?;
    Some(Validity { from, until: time(kind, until)? })
}

/// One element: its tag, what it holds, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ` (RFC 5280 4.1.2.5).
fn time(kind: u8, text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest): (i64, &str) = match (kind, text.len()) {
        (0x17, 12) => {
            let year: i64 = text[..2].parse().ok()?;
            (if year < 50 { 2_000 + year } else { 1_900 + year }, &text[2..])
        }
        (0x18, 14) => (text[..4].parse().ok()?, &text[4..]),
        _ => return None,
    };
    let part = |at: usize| rest[at..at + 2].parse::<i64>().ok();
    let (month, day) = (part(0)?, part(2)?);
    if !(1..=12).contains(&month) {
        return None;
    }
    Some(days(year, month, day) * 86_400 + part(4)? * 3_600 + part(6)? * 60 + part(8)?)
}

/// Days since 1970-01-01 of a day in the Gregorian calendar, counted from the first of March so that leap days come
/// last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let months = (month + 9) % 12;
    let day_of_year = (153 * months + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_lengths() {
        for (kind, text, seconds) in [
            (0x17, "700101000000Z", Some(0)),
            (0x17, "000229120000Z", Some(951_825_600)),
            (0x18, "20500101000000Z", Some(2_524_608_000)),
            (0x18, "99991231235959Z", Some(253_402_300_799)),
            (0x17, "20500101000000Z", None),
            (0x17, "700101000000", None),
            (0x17, "701301000000Z", None),
        ] {
            assert_eq!(time(kind, text.as_bytes()), seconds, "{text}");
        }
        assert_eq!(element(&[0x30, 0x81, 1, 7, 9]), Some((0x30, &[7u8][..], &[9u8][..])));
        for short in [&[][..], &[0x30], &[0x30, 5, 1], &[0x30, 0x82, 1], &[0x30, 0x80]] {
            assert_eq!(element(short), None);
        }
    }

    #[test]
    fn a_certificate_of_our_own_is_valid_now() {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let validity = read(made.cert.der()).unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let now = i64::try_from(now).unwrap();
        assert!(validity.from < now && now < validity.until);
    }
}
