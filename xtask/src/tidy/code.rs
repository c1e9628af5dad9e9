//! Rust without its comments and literals, so that rules see code only and braces count.

/// Blanks comments, strings and character literals out; line ends and offsets stay.
pub(super) fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        match literal_end(bytes, at) {
            Some(end) => {
                for byte in code[at..end].iter_mut().filter(|byte| **byte != b'\n') {
                    *byte = b' ';
                }
                at = end;
            }
            None => at += 1,
        }
    }
    // Only whole characters were blanked.
    String::from_utf8(code).unwrap_or_default()
}

/// Whether a byte can be part of an identifier.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// Where the comment or literal that begins at `at` ends; `None` when none begins there.
fn literal_end(bytes: &[u8], at: usize) -> Option<usize> {
    match &bytes[at..] {
        [b'/', b'/', ..] => Some(find(bytes, at, b"\n").unwrap_or(bytes.len())),
        [b'/', b'*', ..] => Some(comment_end(bytes, at)),
        [b'"', ..] => Some(string_end(bytes, at)),
        [b'r', b'"' | b'#', ..] => raw_string_end(bytes, at),
        [b'\'', ..] => character_end(bytes, at),
        _ => None,
    }
}

/// Block comments nest.
fn comment_end(bytes: &[u8], open: usize) -> usize {
    let mut depth = 0;
    let mut at = open;
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// `r"..."` and `r#"..."#`; `None` for a raw identifier such as `r#fn`.
fn raw_string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let hashes = bytes[at + 1..].iter().take_while(|&&byte| byte == b'#').count();
    if bytes.get(at + 1 + hashes) != Some(&b'"') {
        return None;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let end = find(bytes, at + 2 + hashes, close.as_bytes());
    Some(end.map_or(bytes.len(), |end| end + close.len()))
}

/// A character literal; `None` for a lifetime.
fn character_end(bytes: &[u8], open: usize) -> Option<usize> {
    if bytes.get(open + 1) == Some(&b'\\') {
        return find(bytes, open + 3, b"'").map(|close| close + 1);
    }
    // One character, whatever its length in UTF-8, and the closing quote.
    let next = (open + 2..bytes.len()).find(|&at| bytes[at] & 0xc0 != 0x80)?;
    (bytes[next] == b'\'').then_some(next + 1)
}

fn find(bytes: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    bytes.get(from..)?.windows(needle.len()).position(|window| window == needle).map(|found| from + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left() {
        for (text, expected) in [
            ("a // {\nb", "a     \nb"),
            ("a /* { /* } */ } */ b", "a                   b"),
            ("\"{\\\"}\" b", "       b"),
            ("r\"\\\" b", "     b"),
            ("br#\"\"{\"# b", "b        b"),
            ("r#fn b", "r#fn b"),
            ("'{' b'\\'' 'a: {}", "    b     'a: {}"),
            ("'\u{e9}' <'a>", "     <'a>"),
            ("'\\u{7f}' b", "         b"),
            ("\"open {", "       "),
        ] {
            assert_eq!(blank(text), expected, "{text:?}");
        }
    }
}
