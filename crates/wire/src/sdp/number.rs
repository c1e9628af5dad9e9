//! Numbers of SDP: digits and nothing else.

use std::str::FromStr;

/// A decimal number. `str::parse` alone would take a plus sign, which no grammar of SDP has.
pub(super) fn decimal<T: FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// An RTP payload number, 0 to 127.
pub(super) fn payload(text: &str) -> Option<u8> {
    decimal(text).filter(|&number| number < 128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_22_numbers_are_digits_only_and_in_range() {
        for (text, expected) in [
            ("0", Some(0)),
            ("008", Some(8)),
            ("127", Some(127)),
            ("128", None),
            ("256", None),
            ("", None),
            ("+8", None),
            ("-8", None),
            ("8 ", None),
        ] {
            assert_eq!(payload(text), expected, "{text:?}");
        }
        assert_eq!((decimal::<u16>("65535"), decimal::<u16>("65536")), (Some(65_535), None));
    }
}
