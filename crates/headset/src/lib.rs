//! The sound of a phone beside its telephony: `ringdown phone` starts `ringdown-headset` and tells it what to do, so that neither
//! the exchange nor the phone itself links a sound library.
//!
//! ```text
//! phone -- Order: play, tone, microphone --> standard input   ringdown-headset -- loudspeaker
//! phone <-- samples while it is open ------- standard output                   -- microphone
//! ```
//!
//! Sound is PCM, 16 bits signed, little endian, one channel, at [`RATE`]. From the headset it comes in frames of [`FRAME`] samples
//! and nothing around them. To the headset it goes in [`Order`]s. When its input ends, the headset ends.

mod order;
mod pace;
mod playout;
mod tone;

pub use order::{LONGEST, Order, OrderError, read_order};
pub use pace::Pace;
pub use playout::Playout;
pub use tone::Tone;

/// Samples a second.
pub const RATE: u32 = 16_000;
/// Samples of 20 ms.
pub const FRAME: usize = RATE as usize / 50;
