//! A text as the parts that are sent: the 7-bit alphabet of 3GPP TS 23.038 where it has all letters, else UCS-2.

/// Septets and UTF-16 units of a text in one part, and of one part of several (3GPP TS 23.040 9.2.3.24.1).
const SEPTETS: (usize, usize) = (160, 153);
const UNITS: (usize, usize) = (70, 67);
/// Parts of one text: the header counts them in an octet.
const PARTS: usize = 255;
/// `esm_class` of a part that begins with a header (SMPP 5.2.12).
const HEADED: u8 = 0x40;
/// `data_coding` (SMPP 5.2.19).
const DEFAULT: u8 = 0;
const UCS2: u8 = 8;
/// Goes before a letter of the extension table.
const ESCAPE: u8 = 0x1b;

/// 3GPP TS 23.038 6.2.1; the place of the escape is held by one that is never looked for.
const ALPHABET: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// 3GPP TS 23.038 6.2.1.1.
const EXTENSION: [(char, u8); 9] = [
    ('^', 0x14),
    ('{', 0x28),
    ('}', 0x29),
    ('\\', 0x2f),
    ('[', 0x3c),
    ('~', 0x3d),
    (']', 0x3e),
    ('|', 0x40),
    ('€', 0x65),
];

/// One part of a text, as it goes into a PDU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Whether it begins with a header.
    pub esm_class: u8,
    /// How its letters are written.
    pub data_coding: u8,
    /// At most 140 octets of UCS-2, or 160 of one septet each.
    pub octets: Vec<u8>,
}

/// The parts of a text. `reference` tells the parts of one text from those of another to the same telephone.
#[must_use]
pub fn split(text: &str, reference: u8) -> Vec<Part> {
    match text.chars().map(septets).collect::<Option<Vec<_>>>() {
        Some(letters) => parts(&letters, DEFAULT, SEPTETS, 1, reference),
        None => {
            let letters: Vec<Vec<u8>> = text.chars().map(units).collect();
            parts(&letters, UCS2, UNITS, 2, reference)
        }
    }
}

fn septets(letter: char) -> Option<Vec<u8>> {
    if let Some((_, code)) = EXTENSION.iter().find(|(known, _)| *known == letter) {
        return Some(vec![ESCAPE, *code]);
    }
    let place = ALPHABET.chars().position(|known| known == letter && known != '\u{1b}')?;
    u8::try_from(place).ok().map(|code| vec![code])
}

fn units(letter: char) -> Vec<u8> {
    letter.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()).collect()
}

/// No letter is cut in two: not one that is escaped, not one of two UTF-16 units.
fn parts(
    letters: &[Vec<u8>],
    data_coding: u8,
    limits: (usize, usize),
    width: usize,
    reference: u8,
) -> Vec<Part> {
    if letters.iter().map(Vec::len).sum::<usize>() <= limits.0 * width {
        return vec![Part { esm_class: 0, data_coding, octets: letters.concat() }];
    }
    let mut bodies = vec![Vec::new()];
    for letter in letters {
        if bodies.last().is_some_and(|body: &Vec<u8>| body.len() + letter.len() > limits.1 * width) {
            bodies.push(Vec::new());
        }
        if let Some(body) = bodies.last_mut() {
            body.extend(letter);
        }
    }
    bodies.truncate(PARTS);
    let count = u8::try_from(bodies.len()).unwrap_or(u8::MAX);
    let part = |(index, body): (u8, Vec<u8>)| {
        // Length of the header, concatenation, its length, reference, parts, this part.
        let mut octets = vec![5, 0, 3, reference, count, index];
        octets.extend(body);
        Part { esm_class: HEADED, data_coding, octets }
    };
    (1..=count).zip(bodies).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_of_23_038() {
        assert_eq!(ALPHABET.chars().count(), 128);
        let part = |text| split(text, 0).remove(0);
        assert_eq!(part("@Az{€").octets, [0, 0x41, 0x7a, 0x1b, 0x28, 0x1b, 0x65]);
        assert_eq!((part("Hi").data_coding, part("您好").data_coding), (DEFAULT, UCS2));
        assert_eq!(part("您好").octets, [0x60, 0xa8, 0x59, 0x7d]);
        assert_eq!(part("\u{1b}").data_coding, UCS2, "the escape is no letter");
        assert_eq!(split("", 0).len(), 1);
    }

    #[test]
    fn long_texts_are_cut_between_letters_and_counted() {
        for (text, sizes) in [
            ("a".repeat(160), vec![160]),
            ("a".repeat(161), vec![6 + 153, 6 + 8]),
            ("{".repeat(80), vec![160]),
            // An escape and its letter stay together: 76 pairs and not 76 and a half.
            ("{".repeat(81), vec![6 + 152, 6 + 10]),
            ("王".repeat(70), vec![140]),
            ("王".repeat(71), vec![6 + 134, 6 + 8]),
            // Two units each: 33 of them and not 33 and a half.
            ("😀".repeat(36), vec![6 + 132, 6 + 12]),
        ] {
            let parts = split(&text, 9);
            assert_eq!(parts.iter().map(|part| part.octets.len()).collect::<Vec<_>>(), sizes, "{text}");
            if parts.len() > 1 {
                assert_eq!(parts[1].octets[..6], [5, 0, 3, 9, 2, 2]);
                assert_eq!(parts[0].esm_class, HEADED);
            }
        }
        assert_eq!(split(&"王".repeat(100_000), 0).len(), PARTS);
    }
}
