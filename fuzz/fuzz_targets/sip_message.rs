//! A datagram: every view, written again, the same back.
#![no_main]

#[path = "../../crates/wire/tests/exercise/mod.rs"]
#[expect(dead_code, reason = "each target takes one entry")]
mod exercise;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exercise::message(bytes));
