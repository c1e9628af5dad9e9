//! A URI: equal to itself.
#![no_main]

#[path = "../../crates/wire/tests/exercise/mod.rs"]
#[allow(dead_code)]
mod exercise;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exercise::uri(bytes));
