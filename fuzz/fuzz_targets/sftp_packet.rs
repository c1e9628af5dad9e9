//! Packets of an SFTP server.
#![no_main]
#![expect(dead_code, reason = "each target takes one entry, of files of which their crate uses more")]

#[path = "../../crates/transfer/tests/exercise/mod.rs"]
mod exercise;
// The files alone: the crate beside them brings TLS.
#[path = "../../crates/transfer/src/limits.rs"]
mod limits;
#[path = "../../crates/transfer/src/link.rs"]
mod link;
#[path = "../../crates/transfer/src/dhcp/message.rs"]
mod message;
#[path = "../../crates/transfer/src/ssh/packet.rs"]
mod packet;
#[path = "../../crates/transfer/src/ftp/reply.rs"]
mod reply;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| exercise::sftp_packet(bytes));
