//! What a codec is called, when two of them are the same, and the four that we encode and decode (R3).
//!
//! ```text
//! payload -> Decoder -> i16 at 8 or 16 kHz -> Resampler -> i16 at 8 or 16 kHz -> Encoder -> payload
//! ```

mod coder;
mod conceal;
mod g711;
mod g722;
mod name;
mod resample;

pub use coder::{Decoder, Encoder, MAX_SAMPLES, Voice};
pub use name::{Codec, CodecName, Payload};
pub use resample::Resampler;
