//! Mutated NDEF records.

mod exercise;
#[path = "../../wire/tests/mutate/mod.rs"]
mod mutate;

const DICTIONARY: &[&[u8]] = &[
    b"\xd1\x01",
    b"\xc1\x01\x00\x00\x00",
    b"U",
    b"T",
    b"\x02en",
    b"\x82en",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xff\xff\xff\xff",
    b"\x00",
    b"\x04",
    b"\x23",
    b"\x24",
    b"\x3f",
    b"\xd8\x00",
    b"picc_data=",
];

#[test]
fn mutated_records_of_tags() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/ndef");
    mutate::run("ndef", &mutate::seeds(&[corpus], |_| true), DICTIONARY, |bytes| {
        exercise::ndef(tap::ndef::first_text, bytes);
    });
}
