//! The first record of an NDEF message: read or not, and never more than there is.
#![no_main]

#[path = "../../crates/tap/tests/exercise/mod.rs"]
mod exercise;
// The file alone: the crate beside it brings TLS.
#[path = "../../crates/tap/src/ndef.rs"]
mod ndef;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exercise::ndef(ndef::first_text, bytes));
