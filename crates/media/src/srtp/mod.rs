//! SRTP and SRTCP (RFC 3711) with AES in counter mode and HMAC-SHA1, for keys that came by SDP (RFC 4568).
//!
//! ```text
//! |V=2|P|X|CC|M|PT| sequence | timestamp | SSRC | ...   authenticated
//! | payload, padding                                 |  authenticated and encrypted
//! | tag                                              |  10 or 4 bytes
//!
//! SRTCP: | header, SSRC |  reports, encrypted  | E | index | tag |
//! ```
//!
//! A [`Sender`] and a [`Receiver`] work in place and allocate nothing for a packet. Their keys never change: another
//! key is another sender or receiver.

mod keys;
mod receiver;
mod sender;
#[cfg(test)]
mod tests;
mod window;

pub use keys::{MasterKey, SrtpKeys, Suite};
pub use receiver::{Fault, Receiver};
pub use sender::Sender;

/// What protection adds to a datagram at most: SRTCP's index and tag.
pub const OVERHEAD_MAX: usize = 4 + 10;
