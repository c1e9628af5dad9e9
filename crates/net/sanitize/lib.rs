//! The files of this house that have unsafe code, with their own tests and no other dependencies; built by
//! `scripts/sanitize` only. Without a sanitizer it does not build, so that it cannot pass for nothing.
#![feature(cfg_sanitize)]

#[path = "../src/batch.rs"]
pub mod batch;

#[cfg(not(sanitize = "address"))]
compile_error!("run scripts/sanitize: the address sanitizer is off");
