//! The sound of a call: what is said, what is heard, and how it is measured and kept.

mod keys;
mod meter;
mod source;
mod talk;
mod wav;

pub use meter::{Heard, Meter};
pub(crate) use source::Microphone;
pub use source::Source;
pub use talk::{Arrived, Talk};
pub use wav::WavWriter;

/// Samples a second of all that is heard and kept.
pub(crate) const RATE: u32 = 16_000;
