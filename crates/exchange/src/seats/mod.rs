//! Seats: numbers follow people. Somebody sits at a phone that is perhaps not theirs, and takes calls with one tap
//! (S1.5, S1.6, S1.10 to S1.15).
//!
//! ```text
//! badge, number and PIN, code, button --> take(account, phone):
//!     rings for them elsewhere     the call comes to this phone (R5)
//!     they talk elsewhere          the talk comes to this phone (R6)
//!     neither                      they sit here from now on, or no more
//! ```
//! A seat is a line in a table of ours: nothing is written into a phone and none restarts (S1.12). Live state is applied
//! first, and whoever was promised something waits for the store (R20). Decision 9 says whose calls a phone takes while
//! somebody sits there.

mod chosen;
mod codes;
mod command;
mod elsewhere;
mod follow;
mod give_back;
mod missed;
mod notice;
mod policy;
mod ring;
mod table;
mod take;

pub use policy::{SeatPolicy, TimeOfDay};
pub use take::{Means, Taken};

pub(crate) use ring::form_at_once;
pub(crate) use table::Seats;

use clock::Wall;

/// Somebody sits at a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Who.
    pub account: Box<str>,
    /// Since when.
    pub since: Wall,
    /// When it ends by itself; `None` when nothing ends it but the person.
    pub until: Option<Wall>,
}

/// A seat in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatRow {
    /// The phone.
    pub device: Box<str>,
    /// Whose phone it is.
    pub owner: Box<str>,
    /// Who sits there, and since when.
    pub seat: Seat,
}
