//! A leg's whole desired media graph as one idempotent value, and the sparse events that come back (R22).
//!
//! The owner of the legs never tells the engine what to *do*, only how a leg shall *be*. Orders may be
//! repeated or overtaken: the newest epoch wins, and what did not change goes on undisturbed.

use crate::codec::Payload;
use crate::offer_answer::Agreed;
use crate::sounds::SoundId;
use crate::srtp::SrtpKeys;
use crate::webrtc::WebrtcLink;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Names a leg for its whole life; drawn by the owner of the legs, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegKey(pub u64);

/// How a leg's media shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaOrder {
    /// Whose.
    pub leg: LegKey,
    /// Grows with each order of this leg; an order that is not newer is ignored.
    pub epoch: u32,
    /// Where and how we send; `None` sends nothing, neither RTP nor RTCP.
    pub send: Option<SendTo>,
    /// Whose packets are taken.
    pub accept: AcceptFrom,
    /// How packets are protected on the wire.
    pub protection: Protection,
    /// What may arrive; packets with another number are dropped.
    pub receive: Vec<Payload>,
    /// What the leg hears.
    pub source: Source,
    /// The outgoing stream, the same for the leg's whole life (R2); later orders cannot change it.
    pub identity: StreamIdentity,
    /// Report key presses as [`MediaEvent::Dtmf`].
    pub events: bool,
}

/// Where and how a leg is sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendTo {
    /// RTP, as signalled; a learned address takes its place ([`AcceptFrom::Learn`]).
    pub remote: SocketAddr,
    /// RTCP, as signalled; `None` sends none.
    pub rtcp: Option<SocketAddr>,
    /// RTCP shares the RTP port.
    pub rtcp_mux: bool,
    /// The codec that we send.
    pub payload: Payload,
    /// Others that the remote takes: a source that changes among them is relayed, not transcoded.
    pub also: Vec<Payload>,
    /// How key presses are sent; `None` sends none.
    pub telephone_event: Option<Payload>,
    /// Sound in a packet of our own making, 10 to 60.
    pub ptime_ms: u16,
}

impl Agreed {
    /// Where and how to send under this agreement; `None` on hold.
    #[must_use]
    pub fn send_to(&self) -> Option<SendTo> {
        Some(SendTo {
            remote: self.remote.filter(|_| self.send)?,
            // R15: there RTCP ends at the socket.
            rtcp: self.remote_rtcp.filter(|_| !matches!(self.protection, Protection::Webrtc(_))),
            rtcp_mux: self.rtcp_mux,
            payload: self.codec.clone(),
            also: self.also.clone(),
            telephone_event: self.telephone_event.clone(),
            ptime_ms: self.ptime_ms,
        })
    }
}

/// How the packets of a leg are protected on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Not at all.
    Clear,
    /// SRTP under keys that came by SDP (R14). While a key stays, its rollover counter goes on.
    Srtp(Box<SrtpKeys>),
    /// DTLS-SRTP over ICE (R15). Whoever owns the socket does it: the engine sees packets in clear.
    Webrtc(Box<WebrtcLink>),
}

/// Whose packets are taken (R16).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcceptFrom {
    /// Nobody's: on hold, or nothing agreed yet.
    Nobody,
    /// The signalled address is reachable as signalled: that IP only. Packets go to the signalled port
    /// whatever the remote's source port is.
    Exact(IpAddr),
    /// The remote is behind a NAT: only the IP that its signalling came from, any port, learned from its
    /// first [`LEARN_PACKETS`] packets within [`LEARN_WINDOW`], then pinned.
    Learn {
        /// Where the signalling came from.
        ip: IpAddr,
        /// Grows with each authenticated offer or answer, which alone may start learning again.
        generation: u32,
    },
    /// A peer that lists where its media may come from, as a trunk: those IPs only, one source at a time. If it receives
    /// at one of them, packets go where it says; else its source is learned as behind a NAT.
    Listed {
        /// The IPs; the one that the remote signalled is among them if it may be.
        ips: Arc<[IpAddr]>,
        /// As in [`AcceptFrom::Learn`].
        generation: u32,
    },
    /// SRTP: whoever has the key, wherever from; the newest authentic packet moves the address.
    Authentic,
    /// ICE: the owner of the socket takes from checked addresses only, and knows where to send to.
    Checked,
}

/// How many packets may move a learned address.
pub const LEARN_PACKETS: u8 = 5;
/// How long after the order packets may move a learned address.
pub const LEARN_WINDOW: Duration = Duration::from_secs(3);

/// What a leg hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nothing: no packets.
    Nothing,
    /// That leg, relayed or transcoded.
    Leg(LegKey),
    /// A recording, from its beginning.
    Prompt {
        /// Which.
        sound: SoundId,
        /// What the leg hears when it ended, without waiting for anybody.
        then: Option<Box<Source>>,
        /// Again and again; `then` is never reached.
        repeat: bool,
    },
    /// A recording in a loop that all who listen hear at the same place.
    Music(SoundId),
    /// Itself.
    Echo,
    /// A call progress tone, in a loop.
    Tone(Tone),
}

/// Call progress tones, with the frequencies of ETSI TR 101 041-2 (most of Europe).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// 425 Hz, 1 s on, 4 s off.
    RingBack,
    /// 425 Hz, 0.5 s on, 0.5 s off.
    Busy,
    /// 425 Hz, 0.2 s on, 0.2 s off.
    Congestion,
    /// 425 Hz without a break.
    Dial,
}

/// The outgoing stream of a leg; drawn at random by the owner of the legs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamIdentity {
    /// Our synchronisation source.
    pub ssrc: u32,
    /// The sequence number of the first packet.
    pub first_sequence: u16,
    /// The timestamp of the first packet.
    pub first_timestamp: u32,
    /// Our canonical name in RTCP (RFC 7022): no user name, no host name.
    pub cname: Arc<str>,
}

/// What the engine saw.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaEvent {
    /// A key was pressed and is up again; once for each press.
    Dtmf {
        /// Where.
        leg: LegKey,
        /// `0` to `9`, `*`, `#`, `A` to `D`.
        digit: char,
        /// How long it was down.
        duration_ms: u32,
    },
    /// A prompt without `repeat` played to its end.
    SoundEnded {
        /// Where.
        leg: LegKey,
        /// The newest order of the leg when it ended: an older one than the order of a sound tells of the
        /// sound before.
        epoch: u32,
    },
    /// The first valid packet since the leg exists, since its address had to be learned anew, or after
    /// [`MediaEvent::Silence`].
    FirstPacket {
        /// Where.
        leg: LegKey,
        /// Whence.
        from: SocketAddr,
    },
    /// No packet for a while although the leg may send; said once for each silence. Never a reason to end
    /// a call, only to probe (R7).
    Silence {
        /// Where.
        leg: LegKey,
        /// How long already.
        since_ms: u32,
    },
    /// How the leg fares: after [`crate::engine::REPORT_FIRST`], every [`crate::engine::REPORT_EVERY`], and when it is
    /// released.
    Report {
        /// Where.
        leg: LegKey,
        /// The figures since the leg began.
        quality: Quality,
    },
}

/// The figures of one leg since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// Valid RTP packets that came.
    pub received: u64,
    /// Missing from their numbering; 0 when duplicates make up for them (RFC 3550 A.3).
    pub lost: u64,
    /// Interarrival jitter (RFC 3550 A.8).
    pub jitter_ms: f32,
    /// RTP packets that we sent.
    pub sent: u64,
    /// What the remote reported lost of our stream, 0.0 to 1.0, last report.
    pub remote_loss: Option<f32>,
    /// What the remote reported as jitter of our stream, last report.
    pub remote_jitter_ms: Option<f32>,
    /// From RTCP, last report.
    pub round_trip_ms: Option<f32>,
    /// Estimated listening quality of what came, 1.0 to 4.5 (ITU-T G.107, simplified); `None` when
    /// nothing came.
    pub mos: Option<f32>,
    /// We send and nothing comes, or the remote says that nothing of ours arrives.
    pub one_way: bool,
    /// Packets come, but they carry digital silence.
    pub muted: bool,
    /// Packets dropped: from strangers, malformed, or of an unknown payload number.
    pub refused: u64,
}
