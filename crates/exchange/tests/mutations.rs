//! Mutated readings of badges: UIDs, records with the parameters of secure dynamic messaging, PINs.

#[path = "../../wire/tests/mutate/mod.rs"]
mod mutate;

use exchange::{Pin, Reading, TokenHash};

const DICTIONARY: &[&[u8]] = &[
    b"\n",
    b"?",
    b"&",
    b"=",
    b"#",
    b"%",
    b"picc_data=",
    b"cmac=",
    b"&e=",
    b"&c=",
    b"EF963FF7828658A599F3041510671E88",
    b"94EED9EE65337086",
    b"04DE5F1EACC040",
    b"00000000000000000000000000000000",
    b"\xc3\xa9",
    b"\xe5\xb0\x8f",
    b"0",
    b"g",
    b" ",
];

#[test]
fn mutated_readings() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/readings");
    mutate::run("badge_reading", &mutate::seeds(&[corpus], |_| true), DICTIONARY, badge_reading);
}

/// Up to three lines: a UID, the text of a record, a PIN; an empty one was not told.
fn badge_reading(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.splitn(3, '\n').map(|line| Some(line).filter(|line| !line.is_empty()));
    let (uid, record, pin) = (lines.next().flatten(), lines.next().flatten(), lines.next().flatten());
    let read = Reading::of(uid, record);
    // The same is the same again, and whoever tells nothing tells nothing.
    assert_eq!(read, Reading::of(uid, record));
    assert!(read.is_none() || uid.is_some() || record.is_some());
    // Any text can stand on a badge; only how long it is counts.
    if let Some(record) = record {
        assert_eq!(Reading::of(None, Some(record)).is_some(), record.len() <= 512);
    }
    if let Some(pin) = pin.and_then(Pin::of) {
        assert!(
            (1..=12).contains(&pin.reveal().len())
                && pin.reveal().bytes().all(|digit| digit.is_ascii_digit())
        );
    }
    let _ = TokenHash::of(&text);
}
