//! A fuzzer without tools: seeds, changed a little, again and again. Shared by the mutation tests of the crates that read
//! what others wrote. `RINGDOWN_MUTATIONS` sets how many inputs a parser gets.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Enough for everyday runs to take seconds; `make fuzz` asks for ten million.
const DEFAULT_MUTATIONS: u64 = 200_000;

/// Gives mutated seeds to a parser. `dictionary`: what tends to matter where it lands.
pub(crate) fn run(target: &str, seeds: &[Vec<u8>], dictionary: &[&[u8]], exercise: fn(&[u8])) {
    let count = std::env::var("RINGDOWN_MUTATIONS").ok().and_then(|text| text.parse().ok());
    let mut random = Xorshift(0x9E37_79B9_7F4A_7C15);
    let mut bytes = Vec::new();
    for round in 0..count.unwrap_or(DEFAULT_MUTATIONS) {
        mutate(&mut random, seeds, dictionary, &mut bytes);
        let outcome = catch_unwind(AssertUnwindSafe(|| exercise(&bytes)));
        assert!(outcome.is_ok(), "{target}, round {round}: {:?}", String::from_utf8_lossy(&bytes));
    }
}

/// The files of folders, in the order of their paths; of those that `wanted` wants.
pub(crate) fn seeds(folders: &[impl AsRef<Path>], wanted: impl Fn(&Path) -> bool) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("seeds"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file() && wanted(path))
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a seed")).collect()
}

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

/// One of the seeds, with up to five changes.
fn mutate(random: &mut Xorshift, seeds: &[Vec<u8>], dictionary: &[&[u8]], bytes: &mut Vec<u8>) {
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
            _ => drop(bytes.splice(at..at, dictionary[random.below(dictionary.len())].iter().copied())),
        }
    }
}
