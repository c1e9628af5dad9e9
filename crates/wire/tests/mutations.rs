//! Mutated messages, for each parser of ours.

#[path = "exercise/mod.rs"]
mod exercise;
#[path = "mutate/mod.rs"]
mod mutate;

use std::path::Path;

/// What tends to matter where it lands: line ends, delimiters, numbers at their bounds, and the words of SIP,
/// SDP and RTCP.
const DICTIONARY: &[&[u8]] = &[
    b"\r\n",
    b"\r",
    b"\n",
    b"\r\n ",
    b"\r\n\r\n",
    b"\0",
    b":",
    b";",
    b",",
    b"\"",
    b"\\",
    b"<",
    b">",
    b"@",
    b"%",
    b"%00",
    b"[",
    b"]",
    b" ",
    b"\t",
    b"=",
    b"?",
    b"&",
    b"*",
    b"0",
    b"-1",
    b"4294967296",
    b"99999999999999999999",
    b"\xff\xfe",
    b"Content-Length: 0\r\n",
    b"l: 5\r\n",
    b"SIP/2.0",
    b"z9hG4bK",
    b";tag=",
    b";branch=",
    b"sip:",
    b"tel:",
    b"[::1]",
    b"Via: SIP/2.0/UDP h\r\n",
    b"ACK",
    b"CSeq: 1 INVITE\r\n",
    b"\xc3\xbc",
    b"/",
    b"Digest ",
    b"v=0\r\n",
    b"m=audio 9 RTP/AVP 0\r\n",
    b"m=video 0 RTP/AVP 31\n",
    b"a=rtpmap:0 PCMU/8000",
    b"c=IN IP4 0.0.0.0",
    b"a=",
    b"+1",
    b"127",
    b"65536",
    b"\x80\xc8\x00\x06",
    b"\x81\xca\x00\x02",
    b"\xa0",
    b"\xff\xff",
    b"\x00\x00\x00\x01",
    b"\x00\x1e\x00\x04",
    b"stat:DELIVRD ",
];

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("../../fuzz/corpus").join(target)];
    folders.extend(samples(target).iter().map(|folder| root.join("tests").join(folder)));
    mutate::seeds(&folders, |path| {
        let is_note = path.extension().is_some_and(|kind| kind == "md" || kind == "tsv");
        // RTP and RTCP samples stand in one folder.
        !is_note && (!path.starts_with(root.join("tests/rtp")) || is_sample(path, target))
    })
}

/// The folders of `tests/` whose files are seeds too.
fn samples(target: &str) -> &'static [&'static str] {
    match target {
        "sip_message" | "sip_frame" => &["torture", "torture/5118"],
        "sdp" => &["sdp"],
        "rtp" | "rtcp" => &["rtp"],
        _ => &[],
    }
}

fn is_sample(path: &Path, target: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{target}-")))
}

fn run(target: &str) {
    let (_, exercise) = exercise::ENTRIES.into_iter().find(|(name, _)| *name == target).expect("a target");
    mutate::run(target, &seeds(target), DICTIONARY, exercise);
}

#[test]
fn mutated_messages() {
    run("sip_message");
}

#[test]
fn mutated_streams() {
    run("sip_frame");
}

#[test]
fn mutated_uris() {
    run("sip_uri");
}

#[test]
fn mutated_headers() {
    run("sip_header");
}

#[test]
fn mutated_descriptions() {
    run("sdp");
}

#[test]
fn mutated_rtp() {
    run("rtp");
}

#[test]
fn mutated_rtcp() {
    run("rtcp");
}

#[test]
fn mutated_events() {
    run("telephone_event");
}

#[test]
fn mutated_smpp() {
    run("smpp");
}
