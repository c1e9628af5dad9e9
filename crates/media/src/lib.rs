//! Media without sockets: offer/answer, the media graph of each leg, and the engine that plays it.
//!
//! ```text
//!            SDP text                        MediaOrder                     packets
//! leg  <-> offer_answer -- Agreed --> the owner of the legs --> engine <--> worker with the sockets
//!                                            ^                    |
//!                                            +---- MediaEvent ----+
//! ```
//!
//! * [`offer_answer`] speaks RFC 3264 for one audio stream of one leg.
//! * [`order`] is a leg's whole desired media graph as one idempotent value.
//! * [`engine`] carries orders out: relays, transcodes, plays, counts, reports. It reads no clock, takes
//!   no lock and allocates nothing for a packet.
//! * [`srtp`] protects packets under keys that came by SDP; [`webrtc`] is ICE and DTLS for browsers.
//! * [`codec`] names codecs and holds those that we can encode; [`sounds`] are encoded once at load (R3).
//!
//! What a call is, and that SIP exists, is unknown here.

mod by_leg;
pub mod codec;
pub mod engine;
pub mod offer_answer;
pub mod order;
pub mod sounds;
pub mod srtp;
pub mod webrtc;

pub use by_leg::ByLeg;
pub use codec::{Codec, CodecName, Payload};
pub use engine::{Engine, Forward, Kind};
pub use offer_answer::{
    Agreed, Direction, LocalMedia, MediaError, Negotiation, Profile, RemoteDescription, RemoteMedia,
    Security, parse_remote,
};
pub use order::{
    AcceptFrom, LegKey, MediaEvent, MediaOrder, Protection, Quality, SendTo, Source, StreamIdentity, Tone,
};
pub use sounds::{Announced, InformationTones, Prompt, SoundId, Sounds, Tongue, WavError};
