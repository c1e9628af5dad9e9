//! What a small computer beside a phone does with a badge: it asks the card, reads its NDEF record, and tells the exchange.
//!
//! ```text
//! card --APDUs--> card.rs --bytes--> ndef.rs --Reading--> telling.rs --POST /api/v1/taps--> exchange
//!                                                            ^--- again with the same id, until there is an answer
//! ```
//!
//! Nothing here touches a reader or a socket but `line.rs`; the command in `main.rs` brings the reader.

pub mod card;
pub mod line;
pub mod ndef;
pub mod telling;

/// What was read from a badge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The UID, in hexadecimal digits.
    pub uid: Option<String>,
    /// What the first NDEF record says.
    pub ndef: Option<String>,
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}
