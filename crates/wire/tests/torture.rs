//! The messages of RFC 4475 and RFC 5118 against our own verdicts, and the fuzz corpora, replayed.

#[path = "exercise/mod.rs"]
mod exercise;

use std::fs;
use std::path::{Path, PathBuf};

use wire::sip::{Frame, FrameError, Message, frame, parse_for_reply};

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
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_message_gets_its_verdict_on_a_stream() {
    let torture = folder("tests/torture");
    let table = fs::read_to_string(torture.join("verdicts.tsv")).expect("the table");
    for row in table.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [file, _, _, _, _, stream, _] = columns[..] else { panic!("malformed row: {row}") };
        let bytes = fs::read(torture.join(file)).expect("the message");
        let found = frame(&bytes);
        match (stream, found) {
            ("same", Frame::Complete { len }) => assert_eq!(len, bytes.len(), "{file}"),
            ("two", Frame::Complete { len }) => {
                // Empty lines stand between the two, and the second's body is longer than it says.
                let second = frame(bytes[len..].trim_ascii_start());
                assert!(matches!(second, Frame::Complete { .. }), "{file}: {second:?}");
            }
            ("wait-close", Frame::Incomplete) => {}
            ("close", Frame::Invalid(error)) => {
                use FrameError::{ContentLength, NoContentLength, NotSip};
                assert!(matches!(error, ContentLength | NoContentLength | NotSip), "{file}: {error}");
            }
            _ => panic!("{file}: {found:?}, the table says {stream}"),
        }
    }
}

#[test]
fn both_documents_are_complete() {
    let table = fs::read_to_string(folder("tests/torture/verdicts.tsv")).expect("the table");
    let rows: Vec<Vec<&str>> = table.lines().skip(1).map(|row| row.split('\t').collect()).collect();
    let sections = |prefix: &str| rows.iter().filter(|row| row[1].starts_with(prefix)).count();
    assert_eq!(
        (sections("3."), sections("5118 4."), rows.len()),
        (49, 12, 62),
        "and the one of Appendix A only"
    );
    for row in &rows {
        assert!(row[4].len() > 10, "{}: a verdict needs its reason", row[0]);
    }
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
