//! Offer and answer (RFC 3264) for one audio stream of one leg, which is always anchored here: whatever
//! the other leg says, this leg's descriptions carry our own address, port and origin.
//!
//! [`Negotiation`] keeps the discipline that phones check: the `o=` version grows by one when and only
//! when something changed, a payload number never changes its codec within the leg, the number and order
//! of `m=` lines stays, and a refused offer leaves the last agreement in force.

mod describe;
mod negotiation;
mod protect;
mod remote;

pub use negotiation::Negotiation;
pub use protect::{RemoteSecurity, Security, Setup};
pub use remote::{OtherLine, Profile, RemoteDescription, RemoteMedia, parse_remote};
pub use wire::sdp::Direction;

use crate::codec::Payload;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use wire::sdp::SdpError;

/// Our end of a leg, as its descriptions show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalMedia {
    /// In `o=` and `c=`; of the family that the route to this leg selects (R13).
    pub address: IpAddr,
    /// Where we receive RTP; RTCP comes to the next one unless it is multiplexed.
    pub port: u16,
    /// The `o=` id, drawn by the owner of the leg.
    pub session_id: u64,
}

/// What an offer and its answer came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// What we send, numbered as the remote asked.
    pub codec: Payload,
    /// Further voice codecs and comfort noise that the remote takes, numbered as it asked.
    pub also: Vec<Payload>,
    /// All that may arrive, numbered as we asked; key presses too.
    pub receive: Vec<Payload>,
    /// How we send key presses, if the remote takes them.
    pub telephone_event: Option<Payload>,
    /// Where RTP goes; `None` on hold by 0.0.0.0.
    pub remote: Option<SocketAddr>,
    /// Where RTCP goes: the RTP address when multiplexed.
    pub remote_rtcp: Option<SocketAddr>,
    /// Whether we may send.
    pub send: bool,
    /// Whether the remote may send to us.
    pub receive_allowed: bool,
    /// RTP and RTCP share a port (RFC 5761).
    pub rtcp_mux: bool,
    /// How much sound the remote wants in a packet.
    pub ptime_ms: u16,
    /// How packets are protected.
    pub protection: crate::Protection,
}

/// Why a description could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaError {
    /// Not SDP; the sender is to blame (400).
    Sdp(SdpError),
    /// A host name or multicast address where an address is needed (488).
    Address,
    /// No usable audio stream: none at all, or declined with port 0 (488).
    NoAudio,
    /// Audio, but only under a profile that this leg's signalling does not allow, or without a key that we can use
    /// (488).
    Profile,
    /// The media would be protected by another's certificate than the one that was named beforehand (488).
    OtherKey,
    /// Both speak, but no codec in common (488).
    NoCommonCodec,
    /// An answer to nothing, or with other `m=` lines than the offer (the sender is to blame).
    UnexpectedAnswer,
    /// An offer while ours waits for its answer (491).
    Glare,
    /// `answer` without an offer: a fault of our own.
    NoOffer,
}

impl fmt::Display for MediaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MediaError::Sdp(error) => error.fmt(f),
            MediaError::Address => f.write_str("no usable media address"),
            MediaError::NoAudio => f.write_str("no audio stream"),
            MediaError::Profile => f.write_str("no audio stream of a profile that we speak here"),
            MediaError::OtherKey => f.write_str("another certificate than the one that was named"),
            MediaError::NoCommonCodec => f.write_str("no codec in common"),
            MediaError::UnexpectedAnswer => f.write_str("an answer that fits no offer"),
            MediaError::Glare => f.write_str("an offer while ours is unanswered"),
            MediaError::NoOffer => f.write_str("nothing to answer"),
        }
    }
}

impl std::error::Error for MediaError {}

impl From<SdpError> for MediaError {
    fn from(error: SdpError) -> Self {
        MediaError::Sdp(error)
    }
}

#[cfg(test)]
mod protect_tests;
#[cfg(test)]
mod tests;
