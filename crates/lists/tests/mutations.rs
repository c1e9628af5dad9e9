//! Mutated call lists in each of their formats (S3.3): a list or a fault, and never more than there was.

#[path = "../../wire/tests/mutate/mod.rs"]
mod mutate;

use lists::{Format, Reading};

const DICTIONARY: &[&[u8]] = &[
    b"number",
    b"\n",
    b"\r\n",
    b",",
    b";",
    b"\t",
    b"\"",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"{\"number\":",
    b"}",
    b"[]",
    b"\\u0000",
    b"=1+1",
    b"+86138",
    b"25:00-24:00",
    b"priority",
    b"\xba\xc5\xc2\xeb",
    b"PK\x03\x04",
    b"<c r=\"A1\"",
    b"<v>",
    b"\0",
];

fn exercise(bytes: &[u8]) {
    let format = Format::of(bytes);
    if let Ok(list) = lists::read(bytes.to_vec(), format, &Reading::default()) {
        // A spreadsheet is a compressed file.
        let most = if bytes.starts_with(b"PK") { usize::MAX } else { 1 + bytes.len() };
        assert!(list.len() + list.refused() <= most, "{} rows of {} octets", list.len(), bytes.len());
        for entry in list.iter().take(100) {
            let _ = (entry.name(), entry.priority(), entry.slot(), entry.zone(), entry.fields().count());
        }
    }
}

#[test]
fn mutated_call_lists() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/call_list");
    mutate::run("call_list", &mutate::seeds(&[corpus], |_| true), DICTIONARY, exercise);
}
