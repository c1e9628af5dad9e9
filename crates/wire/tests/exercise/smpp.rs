//! SMPP: PDUs of a server in a stream, receipts in them, and any text as parts.

use wire::smpp::{Command, message_id, receipt, split};

/// The octets of a concatenation header.
const HEADER: usize = 6;

pub(crate) fn smpp(bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok(Some((command, length))) = Command::first(rest) {
        let words = [length as u32, command.id, command.status, command.sequence].map(u32::to_be_bytes);
        assert_eq!(
            [words.as_flattened(), command.body].concat(),
            rest[..length],
            "nothing is lost or made up"
        );
        body(command.body);
        rest = &rest[length..];
    }
    body(bytes);
    text(&String::from_utf8_lossy(bytes));
}

fn body(body: &[u8]) {
    let names = [message_id(body), receipt(body).map(|receipt| receipt.message_id)];
    for name in names.into_iter().flatten() {
        assert!((1..=64).contains(&name.len()), "a name that the store can keep: {name:?}");
    }
}

/// Each part fits into a telephone's 140 octets, and no part tears a letter.
fn text(text: &str) {
    let parts = split(text, 7);
    assert!((1..=255).contains(&parts.len()));
    for (index, part) in parts.iter().enumerate() {
        let (headed, wide) = (part.esm_class != 0, part.data_coding != 0);
        assert_eq!(headed, parts.len() > 1);
        let skipped = if headed { HEADER } else { 0 };
        let letters = &part.octets[skipped..];
        let most = match (wide, headed) {
            (true, false) => 140,
            (true, true) => 134,
            (false, false) => 160,
            (false, true) => 153,
        };
        assert!(letters.len() <= most, "{} of {most}", letters.len());
        if headed {
            assert_eq!(part.octets[3..HEADER], [7, parts.len() as u8, index as u8 + 1]);
        }
        if wide {
            let units = letters.chunks(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
            assert!(char::decode_utf16(units).all(|letter| letter.is_ok()), "a letter is torn");
        } else {
            assert_ne!(letters.last(), Some(&0x1b), "an escape is torn from its letter");
        }
    }
    if parts.len() < 255 && parts[0].data_coding != 0 {
        let skipped = if parts.len() > 1 { HEADER } else { 0 };
        let whole = parts.iter().flat_map(|part| part.octets[skipped..].chunks(2));
        let units = whole.map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
        let read: String = char::decode_utf16(units).map_while(Result::ok).collect();
        assert_eq!(read, text, "nothing is lost");
    }
}
