//! Quoted strings and folds (RFC 3261 section 25.1).

use std::borrow::Cow;

/// The position of the quote that closes the one at `open`; a backslash takes the next byte along.
#[inline]
pub(super) fn closing_quote(bytes: &[u8], open: usize) -> Option<usize> {
    let mut position = open + 1;
    loop {
        position += memchr::memchr2(b'"', b'\\', bytes.get(position..)?)?;
        if bytes[position] == b'"' {
            return Some(position);
        }
        position += 2;
    }
}

/// The text of a quoted string without its quotes, backslashes resolved and folds as one space.
/// Bytes that are not quoted come back as they are, unfolded.
#[must_use]
pub fn unquote(bytes: &[u8]) -> Cow<'_, [u8]> {
    let [b'"', inner @ .., b'"'] = bytes else { return unfold(bytes) };
    if memchr::memchr(b'\\', inner).is_none() {
        return unfold(inner);
    }
    let unfolded = unfold(inner);
    let mut text = Vec::with_capacity(unfolded.len());
    let mut bytes = unfolded.iter();
    while let Some(&byte) = bytes.next() {
        if byte == b'\\' {
            text.extend(bytes.next());
        } else {
            text.push(byte);
        }
    }
    Cow::Owned(text)
}

/// The value with each fold (line end and the white space around it) as a single space
/// (RFC 3261 section 7.3.1).
#[must_use]
pub fn unfold(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\n', bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut text = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while position < bytes.len() {
        let end = super::chars::skip(bytes, position, super::chars::LWS);
        let white = &bytes[position..end];
        if white.contains(&b'\n') {
            text.push(b' ');
        } else {
            text.extend_from_slice(white);
        }
        position = end;
        if let Some(&byte) = bytes.get(position) {
            text.push(byte);
            position += 1;
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_folds_resolve() {
        let table: &[(&[u8], &[u8])] = &[
            (b"\"\"", b""),
            (b"\"a b\"", b"a b"),
            (b"\"a\\\"b\\\\\"", b"a\"b\\"),
            (b"\"\\\x00\\\x7f\"", b"\x00\x7f"),
            (b"\"one \r\n two\"", b"one two"),
            (b"plain", b"plain"),
            (b"\"", b"\""),
            (b"a \r\n\t\r\n b", b"a b"),
            (b"a  b", b"a  b"),
        ];
        for (input, expected) in table {
            assert_eq!(unquote(input).as_ref(), *expected, "{input:?}");
        }
    }

    #[test]
    fn a_backslash_never_reaches_past_the_end() {
        assert_eq!(closing_quote(b"\"abc\\\"", 0), None);
        assert_eq!(closing_quote(b"\"abc\\", 0), None);
        assert_eq!(closing_quote(b"\"", 0), None);
        assert_eq!(closing_quote(b"\"a\\\"\"", 0), Some(4));
    }
}
