//! Mutated messages: a fuzzer without tools. `RINGDOWN_MUTATIONS` sets how many a parser gets.

#[path = "exercise/mod.rs"]
mod exercise;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Enough for everyday runs to take seconds; `make fuzz` asks for ten million.
const DEFAULT_MUTATIONS: u64 = 200_000;

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
];

struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("../../fuzz/corpus").join(target)];
    folders.extend(samples(target).iter().map(|folder| root.join("tests").join(folder)));
    let mut paths: Vec<_> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("seeds"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file() && !path.extension().is_some_and(|kind| kind == "md" || kind == "tsv"))
        // RTP and RTCP samples stand in one folder.
        .filter(|path| !path.starts_with(root.join("tests/rtp")) || is_sample(path, target))
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a seed")).collect()
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

fn mutate(random: &mut Xorshift, seeds: &[Vec<u8>], bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.extend_from_slice(&seeds[random.below(seeds.len())]);
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = at + random.below(16).min(bytes.len() - at);
        match random.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = random.next() as u8,
            2 => drop(bytes.drain(at..end)),
            3 => {
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            4 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len() + 1);
                let until = from + random.below(200).min(other.len() - from);
                bytes.splice(at..end, other[from..until].iter().copied());
            }
            5 => bytes.truncate(at),
            _ => drop(bytes.splice(at..at, DICTIONARY[random.below(DICTIONARY.len())].iter().copied())),
        }
    }
}

fn run(target: &str) {
    let (_, exercise) = exercise::ENTRIES.into_iter().find(|(name, _)| *name == target).expect("a target");
    let count = std::env::var("RINGDOWN_MUTATIONS").ok().and_then(|text| text.parse().ok());
    let seeds = seeds(target);
    let mut random = Xorshift(0x9E37_79B9_7F4A_7C15);
    let mut bytes = Vec::new();
    for round in 0..count.unwrap_or(DEFAULT_MUTATIONS) {
        mutate(&mut random, &seeds, &mut bytes);
        let outcome = catch_unwind(AssertUnwindSafe(|| exercise(&bytes)));
        assert!(outcome.is_ok(), "{target}, round {round}: {:?}", String::from_utf8_lossy(&bytes));
    }
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
