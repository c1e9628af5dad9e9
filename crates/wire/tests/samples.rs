//! Samples of SDP, RTP and RTCP: those that are sound parse and are written back octet for octet.

#[path = "exercise/mod.rs"]
#[expect(dead_code, reason = "the tests of SIP use the rest")]
mod exercise;

use std::fs;
use std::path::{Path, PathBuf};

use wire::rtcp::Compound;
use wire::rtp::Packet;
use wire::sdp::Session;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

fn files(name: &str, kind: &str) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder(name)).expect("the folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|found| found == kind)).collect();
    files.sort();
    files
}

#[test]
fn every_description_is_read_and_written_back() {
    let files = files("sdp", "sdp");
    assert!(files.len() >= 19, "only {} files", files.len());
    for path in files {
        let bytes = fs::read(&path).expect("a sample");
        let session = Session::parse(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(session.origin().is_ok() && session.media_count() > 0, "{}", path.display());
        for media in session.media().filter(|media| media.port > 0) {
            assert!(media.connection().is_ok(), "{}", path.display());
        }
        exercise::sdp(&bytes);
    }
}

#[test]
fn every_packet_gets_its_verdict() {
    let table = fs::read_to_string(folder("rtp/manifest.tsv")).expect("the table");
    let rows: Vec<Vec<&str>> = table.lines().skip(1).map(|row| row.split('\t').collect()).collect();
    let mut wrong = Vec::new();
    for row in &rows {
        let [file, kind, parse, what] = row[..] else { panic!("malformed row: {row:?}") };
        let bytes = fs::read(folder("rtp").join(file)).expect("a sample");
        let sound = match kind {
            "rtp" => Packet::parse(&bytes).is_ok(),
            _ => Compound::parse(&bytes).is_ok(),
        };
        if sound != (parse == "ok") {
            wrong.push(format!("{file}: {what}: the table says {parse}"));
        }
        exercise::rtp(&bytes);
        exercise::rtcp(&bytes);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for path in files("rtp", "bin") {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        assert!(rows.iter().any(|row| row[0] == name), "{name} has no row");
    }
}
