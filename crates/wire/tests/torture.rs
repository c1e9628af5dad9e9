//! The messages of RFC 4475 and RFC 5118 against our own verdicts, and the fuzz corpora, replayed.

#[path = "exercise/mod.rs"]
mod exercise;

use std::fs;
use std::path::{Path, PathBuf};

use wire::sip::{Message, parse_for_reply};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The whole verdict of the parser: framing, mandatory headers, and the views that routing needs.
fn verdict(bytes: &[u8]) -> Result<(), u16> {
    let message = Message::parse(bytes).map_err(|error| error.code())?;
    message.check().map_err(|_| 400)
}

#[test]
fn every_message_gets_its_verdict() {
    let torture = folder("tests/torture");
    let table = fs::read_to_string(torture.join("verdicts.tsv")).expect("the table");
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in table.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [file, _, parse, layer, ..] = columns[..] else { panic!("malformed row: {row}") };
        let bytes = fs::read(torture.join(file)).expect("the message");
        let found = verdict(&bytes);
        if found.is_ok() != (parse == "ok") {
            wrong.push(format!("{file}: {found:?}, the table says {parse}"));
        }
        if let (Err(code), Ok(expected)) = (found, layer.parse::<u16>()) {
            if code != expected {
                wrong.push(format!("{file}: answered {code}, the table says {expected}"));
            }
            assert!(parse_for_reply(&bytes).is_some(), "{file}: nothing to answer with");
        }
        if parse == "error" && layer == "drop" && Message::parse(&bytes).is_err() {
            assert!(parse_for_reply(&bytes).is_none(), "{file}: must not be answered");
        }
        exercise::message(&bytes);
        exercise::stream(&bytes);
        count += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count >= 61, "only {count} rows");
}

#[test]
fn every_file_has_a_row() {
    let torture = folder("tests/torture");
    let table = fs::read_to_string(torture.join("verdicts.tsv")).expect("the table");
    for set in ["", "5118/"] {
        for entry in fs::read_dir(torture.join(set)).expect("the folder") {
            let name = entry.expect("an entry").file_name();
            let name = format!("{set}{}", name.to_string_lossy());
            if name.ends_with(".dat") {
                assert!(table.lines().any(|row| row.split('\t').next() == Some(&name)), "{name} has no row");
            }
        }
    }
}

#[test]
fn fuzz_corpora_replayed() {
    for (target, run) in exercise::ENTRIES {
        let corpus = folder("../../fuzz/corpus").join(target);
        let mut seeds = 0;
        for entry in fs::read_dir(&corpus).expect("a corpus for each target") {
            let path = entry.expect("an entry").path();
            run(&fs::read(&path).expect("a seed"));
            seeds += 1;
        }
        assert!(seeds > 0, "{target} has no seeds");
    }
}
