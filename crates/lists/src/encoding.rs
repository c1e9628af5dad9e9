//! Which encoding a file has, found by itself: UTF-8 with and without BOM, UTF-16, GB18030.

use crate::refusal::{Fault, FaultKind};
use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};

/// Octets that are looked at to tell UTF-16 without a mark.
const SAMPLE: usize = 4_096;

/// The encoding of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-16, the low octet first.
    Utf16Le,
    /// UTF-16, the high octet first.
    Utf16Be,
    /// GB18030, which contains GBK and GB2312.
    Gb18030,
}

/// The text of a file, without its byte order mark.
///
/// # Errors
/// When it is text in none of the encodings.
pub fn text_of(mut bytes: Vec<u8>) -> Result<(String, Encoding), Fault> {
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        bytes.drain(..3);
    }
    if let Some((encoding, front)) = utf16(&bytes) {
        let decoder = if encoding == Encoding::Utf16Le { UTF_16LE } else { UTF_16BE };
        let (text, wrong) = decoder.decode_without_bom_handling(&bytes[front..]);
        return if wrong { Err(none()) } else { Ok((text.into_owned(), encoding)) };
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((text, Encoding::Utf8)),
        Err(error) => match GB18030.decode_without_bom_handling_and_without_replacement(error.as_bytes()) {
            Some(text) => Ok((text.into_owned(), Encoding::Gb18030)),
            None => Err(none()),
        },
    }
}

fn none() -> Fault {
    Fault::new(FaultKind::Encoding)
}

/// By its mark; or by zeros, which text of no other encoding has, and which stand beside every Latin letter, digit and
/// comma. The octets of the mark are told, too.
fn utf16(bytes: &[u8]) -> Option<(Encoding, usize)> {
    match bytes {
        [0xFF, 0xFE, ..] => return Some((Encoding::Utf16Le, 2)),
        [0xFE, 0xFF, ..] => return Some((Encoding::Utf16Be, 2)),
        _ => {}
    }
    let mut zeros = [0usize; 2];
    for (at, octet) in bytes.iter().take(SAMPLE).enumerate() {
        zeros[at % 2] += usize::from(*octet == 0);
    }
    match zeros {
        [0, 0] => None,
        [high, low] if low > high => Some((Encoding::Utf16Le, 0)),
        _ => Some((Encoding::Utf16Be, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "号码,姓名\r\n+8613800138000,王芳\r\n";

    fn utf16_of(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn each_encoding_is_found_by_itself() {
        let gb = GB18030.encode(TEXT).0.into_owned();
        assert!(std::str::from_utf8(&gb).is_err());
        let marked = |mark: &[u8], rest: Vec<u8>| [mark, &rest].concat();
        for (bytes, encoding) in [
            (TEXT.as_bytes().to_vec(), Encoding::Utf8),
            (marked(b"\xEF\xBB\xBF", TEXT.as_bytes().to_vec()), Encoding::Utf8),
            (marked(b"\xFF\xFE", utf16_of(TEXT, u16::to_le_bytes)), Encoding::Utf16Le),
            (marked(b"\xFE\xFF", utf16_of(TEXT, u16::to_be_bytes)), Encoding::Utf16Be),
            (utf16_of(TEXT, u16::to_le_bytes), Encoding::Utf16Le),
            (utf16_of(TEXT, u16::to_be_bytes), Encoding::Utf16Be),
            (gb, Encoding::Gb18030),
        ] {
            assert_eq!(text_of(bytes), Ok((TEXT.to_owned(), encoding)));
        }
    }

    #[test]
    fn what_is_text_in_no_encoding_is_refused() {
        for bytes in [&b"number\n\xFF\xFF\xFF"[..], b"\xFF\xFE\x00\xD8", b"\xFF\xFEa"] {
            assert_eq!(text_of(bytes.to_vec()), Err(none()), "{bytes:?}");
        }
        assert_eq!(text_of(Vec::new()), Ok((String::new(), Encoding::Utf8)));
    }
}
