//! Percent escapes of URIs (RFC 3261 section 19.1.2).

use std::borrow::Cow;

/// Whether every `%` begins an escape and the resolved text is UTF-8.
#[inline]
pub(super) fn is_sound(text: &str) -> bool {
    if memchr::memchr(b'%', text.as_bytes()).is_none() {
        return true;
    }
    resolve(text.as_bytes()).is_some_and(|bytes| std::str::from_utf8(&bytes).is_ok())
}

/// Resolves all escapes; text with an unsound escape comes back as it is.
#[must_use]
pub fn decode(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'%', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    match resolve(text.as_bytes()).map(String::from_utf8) {
        Some(Ok(decoded)) => Cow::Owned(decoded),
        _ => Cow::Borrowed(text),
    }
}

/// Escapes everything but unreserved characters, so that the text may stand anywhere in a URI.
#[must_use]
pub fn encode(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()+".contains(&byte);
    if text.bytes().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut encoded = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    Cow::Owned(encoded)
}

fn resolve(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut resolved = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        if byte == b'%' {
            resolved.push(hex(*bytes.get(position + 1)?)? << 4 | hex(*bytes.get(position + 2)?)?);
            position += 3;
        } else {
            resolved.push(byte);
            position += 1;
        }
    }
    Some(resolved)
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_resolve_or_are_refused() {
        for (text, expected) in
            [("a", Some("a")), ("%61%42", Some("aB")), ("%c3%BC", Some("\u{fc}")), ("%00", Some("\0"))]
        {
            assert!(is_sound(text));
            assert_eq!(Some(decode(text).as_ref()), expected, "{text:?}");
        }
        for text in ["%", "%4", "%4g", "%%41", "%ff", "a%"] {
            assert!(!is_sound(text), "{text:?}");
            assert_eq!(decode(text), text);
        }
    }

    #[test]
    fn encoding_is_undone_by_decoding() {
        for text in ["plain-1", "+49 89", "a@b;c?d&e=\u{fc}%\r\n\0"] {
            let encoded = encode(text);
            assert!(encoded.bytes().all(|byte| byte > 0x20 && byte < 0x7f && byte != b'@'));
            assert_eq!(decode(&encoded), text);
        }
    }
}
