//! What a codec is called, when two of them are the same, and which ones we can encode ourselves.

mod name;

pub use name::{Codec, CodecName, Payload};
