//! Several values of one header: over several lines, and split at commas within a line.

use super::{HeaderName, Message, chars};

/// Iterates over the values of one header; made by [`Message::values`].
///
/// An empty line yields nothing; an empty place between commas yields an empty value.
#[derive(Clone, Debug)]
pub struct Values<'a, 'm> {
    message: &'m Message<'a>,
    name: HeaderName,
    next_line: usize,
    rest: Option<&'a [u8]>,
}

impl<'a, 'm> Values<'a, 'm> {
    pub(super) fn new(message: &'m Message<'a>, name: HeaderName) -> Self {
        Values { message, name, next_line: 0, rest: None }
    }
}

impl<'a> Iterator for Values<'a, '_> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            if let Some(rest) = self.rest {
                let (value, rest) = split_value(rest);
                self.rest = rest;
                return Some(value);
            }
            let (line, next) = self.message.next_value(self.name, self.next_line)?;
            self.next_line = next;
            self.rest = (!line.is_empty()).then_some(line);
        }
    }
}

/// Cuts at the first comma outside quotes and angle brackets; the rest is `None` when there is none.
pub(super) fn split_value(bytes: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut position = 0;
    let mut in_angle = false;
    while position < bytes.len() {
        match bytes[position] {
            b'"' if !in_angle => match super::quoted::closing_quote(bytes, position) {
                Some(end) => position = end,
                // Unbalanced: the view of this value will refuse it.
                None => break,
            },
            b'<' => in_angle = true,
            b'>' => in_angle = false,
            b',' if !in_angle => {
                return (chars::trim(&bytes[..position]), Some(chars::trim(&bytes[position + 1..])));
            }
            _ => {}
        }
        position += 1;
    }
    (chars::trim(bytes), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_split_only_outside_quotes_and_brackets() {
        let table: &[(&str, &[&str])] = &[
            ("a", &["a"]),
            ("a,b", &["a", "b"]),
            ("a , b ,c", &["a", "b", "c"]),
            ("a,,b,", &["a", "", "b", ""]),
            ("\"x, y\" <sip:a,b@c>;p=\"1,2\", d", &["\"x, y\" <sip:a,b@c>;p=\"1,2\"", "d"]),
            ("\"a\\\", b\" <sip:x>, y", &["\"a\\\", b\" <sip:x>", "y"]),
            ("\"open, a", &["\"open, a"]),
            ("<open, a", &["<open, a"]),
        ];
        for (text, expected) in table {
            let mut rest = Some(text.as_bytes());
            let mut found = Vec::new();
            while let Some(bytes) = rest {
                let (value, tail) = split_value(bytes);
                found.push(String::from_utf8_lossy(value).into_owned());
                rest = tail;
            }
            assert_eq!(&found, expected, "{text:?}");
        }
    }
}
