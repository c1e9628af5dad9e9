//! What an SMPP server says, and texts as the parts that it is sent.
#![no_main]

#[path = "../../crates/wire/tests/exercise/mod.rs"]
#[expect(dead_code, reason = "each target takes one entry")]
mod exercise;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exercise::smpp(bytes));
