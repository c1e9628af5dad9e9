//! Base64 for URLs, without padding (RFC 4648 section 5).

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Octets as text.
pub(super) fn write(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for part in octets.chunks(3) {
        let bits = part
            .iter()
            .enumerate()
            .fold(0, |bits, (place, octet)| bits | u32::from(*octet) << (16 - 8 * place));
        for place in 0..=part.len() {
            // Six bits at a time.
            let letter = (bits >> (18 - 6 * place) & 63) as usize;
            text.push(char::from(LETTERS[letter]));
        }
    }
    text
}

/// Text as octets, with padding or without; `None` if it is none.
pub(super) fn read(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    if text.len() % 4 == 1 {
        return None;
    }
    let mut octets = Vec::with_capacity(text.len() * 3 / 4);
    for part in text.chunks(4) {
        let mut bits = 0_u32;
        for (place, letter) in part.iter().enumerate() {
            let value = LETTERS.iter().position(|known| known == letter)?;
            bits |= u32::try_from(value).ok()? << (18 - 6 * place);
        }
        octets.extend(bits.to_be_bytes().into_iter().skip(1).take(part.len() - 1));
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_none_is_known() {
        for (octets, text) in
            [(&b""[..], ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"\xfb\xff", "-_8")]
        {
            assert_eq!(write(octets), text);
            assert_eq!(read(text).as_deref(), Some(octets));
        }
        assert_eq!(read("Zg==").as_deref(), Some(&b"f"[..]));
        for bad in ["A", "Zm9vA", "Zg+", "Z g", "é"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(read(&write(&all)), Some(all));
    }
}
