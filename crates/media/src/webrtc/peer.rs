//! One browser: the only file that calls str0m, in the only ways that are safe.
//!
//! str0m's direct interface panics when it is used out of order (a stream without its media, `write` in RTP mode). Here
//! nothing can be called out of order: a peer is whole when it is made, and takes packets, datagrams and time. What
//! still panics is caught, and the peer is gone.

use super::{Identity, WebrtcLink};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::config::{DtlsCert, Fingerprint};
use str0m::format::{Codec, FormatParams};
use str0m::media::{Frequency, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, SeqNo, Ssrc};
use str0m::{Candidate, Event, IceCreds, Input, Output, Rtc, RtcConfig};
use wire::rtp::{HEADER_LEN, Header};

/// How often str0m tells what the remote reported.
const STATS_EVERY: Duration = Duration::from_secs(5);
/// Outputs of one input at most: more would be a loop.
const OUTPUTS_MAX: usize = 256;
/// Sources of one remote that are told apart; the oldest gives way.
const SOURCES_MAX: usize = 8;
/// The name of the one audio stream inside str0m; it never reaches the wire.
const MID: &str = "0";

/// What the remote said of our stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RemoteReport {
    /// 0.0 to 1.0.
    pub loss: f32,
    /// In ticks of the stream's clock.
    pub jitter_ticks: u32,
    /// From RTCP.
    pub round_trip: Option<Duration>,
}

/// What a peer has to say.
#[derive(Debug)]
pub(super) enum Said {
    /// Send this there.
    Send(SocketAddr, Vec<u8>),
    /// This came, authentic and in clear.
    Packet(Vec<u8>),
    /// The handshake is done.
    Connected,
    /// What the remote reported.
    Report(RemoteReport),
}

/// Why a peer is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// A wrong fingerprint, a failed handshake, or the remote's own good-bye.
    Closed,
    /// A fault of str0m or ours.
    Panicked,
}

pub(super) struct Peer {
    rtc: Rtc,
    local: SocketAddr,
    link: WebrtcLink,
    ssrc: u32,
    /// The whole number of the last packet sent: the rollover counter goes with it.
    sent: Option<u64>,
    sources: Vec<u32>,
    deadline: Option<Instant>,
}

impl Peer {
    /// A peer on the port `local`; `ssrc` is the leg's outgoing stream.
    pub(super) fn new(
        now: Instant,
        identity: &Identity,
        local: SocketAddr,
        link: &WebrtcLink,
        ssrc: u32,
    ) -> Option<Peer> {
        let made = catch_unwind(AssertUnwindSafe(|| Peer::build(now, identity, local, link, ssrc)));
        made.ok().flatten()
    }

    fn build(
        now: Instant,
        identity: &Identity,
        local: SocketAddr,
        link: &WebrtcLink,
        ssrc: u32,
    ) -> Option<Peer> {
        let certificate =
            DtlsCert { certificate: identity.certificate.clone(), private_key: identity.private_key.clone() };
        let provider = Arc::new(str0m::crypto::from_feature_flags());
        let mut config = RtcConfig::new()
            .set_crypto_provider(provider)
            .set_dtls_cert(certificate)
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .set_stats_interval(Some(STATS_EVERY))
            .clear_codecs()
            .clear_extension_map();
        let codecs = config.codec_config();
        for number in 0..128_u8 {
            let (codec, rate) = match number {
                0 => (Codec::PCMU, Frequency::EIGHT_KHZ),
                8 => (Codec::PCMA, Frequency::EIGHT_KHZ),
                9 => (Codec::G722, Frequency::EIGHT_KHZ),
                13 | 18 => (Codec::PCMU, Frequency::EIGHT_KHZ),
                // RFC 5761 section 4: what would look like RTCP is no payload number.
                64..=95 => continue,
                // What a number means is the engine's business; here it only has to be a number.
                _ => (Codec::Opus, Frequency::FORTY_EIGHT_KHZ),
            };
            codecs.add_config(Pt::from(number), None, codec, rate, None, FormatParams::default());
        }
        let mut rtc = config.build(now);
        rtc.add_local_candidate(Candidate::host(local, Protocol::Udp).ok()?)?;
        let mut api = rtc.direct_api();
        api.set_ice_controlling(false);
        api.set_local_ice_credentials(credentials(&link.local));
        api.set_remote_ice_credentials(credentials(&link.remote));
        api.set_remote_fingerprint(Fingerprint {
            hash_func: "sha-256".into(),
            bytes: link.fingerprint.0.to_vec(),
        });
        api.start_dtls(link.active).ok()?;
        let mid = Mid::from(MID);
        api.declare_media(mid, MediaKind::Audio);
        api.declare_stream_tx(Ssrc::from(ssrc), None, mid, None);
        let mut peer =
            Peer { rtc, local, link: link.clone(), ssrc, sent: None, sources: Vec::new(), deadline: None };
        for source in &link.sources {
            peer.expect(*source);
        }
        Some(peer)
    }

    /// Takes over a later description of the same association; false when it needs another peer: its keys or its
    /// certificate are others.
    pub(super) fn follow(&mut self, link: &WebrtcLink, ssrc: u32) -> bool {
        if self.link == *link && self.ssrc == ssrc {
            return true;
        }
        if link.fingerprint != self.link.fingerprint || link.active != self.link.active || ssrc != self.ssrc {
            return false;
        }
        let done = catch_unwind(AssertUnwindSafe(|| {
            let mut api = self.rtc.direct_api();
            api.set_local_ice_credentials(credentials(&link.local));
            api.set_remote_ice_credentials(credentials(&link.remote));
            for source in &link.sources {
                self.expect(*source);
            }
        }));
        self.link = link.clone();
        done.is_ok()
    }

    /// Takes a datagram.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        from: SocketAddr,
        datagram: &[u8],
        said: &mut Vec<Said>,
    ) -> Result<(), Gone> {
        self.guarded(|peer| {
            if let Ok((header, _)) = wire::rtp::read_protected(datagram)
                && !wire::rtcp::is_rtcp(datagram)
            {
                peer.expect(header.ssrc);
            }
            let Ok(receive) = Receive::new(Protocol::Udp, from, peer.local, datagram) else { return Ok(()) };
            // What is wrong with one datagram is no reason to end a call; what is wrong with the peer shows below.
            let _ = peer.rtc.handle_input(Input::Receive(now, receive));
            peer.drain(said)
        })
    }

    /// Time has passed.
    pub(super) fn handle_timeout(&mut self, now: Instant, said: &mut Vec<Said>) -> Result<(), Gone> {
        self.guarded(|peer| {
            let _ = peer.rtc.handle_input(Input::Timeout(now));
            peer.drain(said)
        })
    }

    /// Sends an RTP packet in clear.
    pub(super) fn send(&mut self, now: Instant, packet: &[u8], said: &mut Vec<Said>) -> Result<(), Gone> {
        self.guarded(|peer| {
            let Ok(parsed) = wire::rtp::Packet::parse(packet) else { return Ok(()) };
            let Header { marker, payload_type, sequence, timestamp, .. } = parsed.header;
            let number = extend(peer.sent, sequence);
            let ssrc = Ssrc::from(peer.ssrc);
            let mut api = peer.rtc.direct_api();
            let Some(stream) = api.stream_tx(&ssrc) else { return Ok(()) };
            let write =
                RtpWrite::new(Pt::from(payload_type), SeqNo::from(number), timestamp, now, parsed.payload());
            stream.write_rtp(write.marker(marker));
            peer.sent = Some(peer.sent.map_or(number, |sent| sent.max(number)));
            let _ = peer.rtc.handle_input(Input::Timeout(now));
            peer.drain(said)
        })
    }

    /// When it wants to be told of time.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// A panic inside str0m ends this peer only (R15).
    fn guarded(&mut self, act: impl FnOnce(&mut Peer) -> Result<(), Gone>) -> Result<(), Gone> {
        catch_unwind(AssertUnwindSafe(|| act(self))).unwrap_or(Err(Gone::Panicked))
    }

    #[cfg(test)]
    pub(super) fn panic(&mut self) -> Result<(), Gone> {
        self.guarded(|_| panic!("as a fault of str0m would"))
    }

    /// Hands out all that str0m has.
    fn drain(&mut self, said: &mut Vec<Said>) -> Result<(), Gone> {
        for _ in 0..OUTPUTS_MAX {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.deadline = Some(at);
                    break;
                }
                Ok(Output::Transmit(send)) => said.push(Said::Send(send.destination, send.contents.into())),
                Ok(Output::Event(event)) => said.extend(heard(event)),
                // A handshake that failed, or a wrong fingerprint: str0m has closed itself, or will not.
                Err(_) if self.rtc.is_alive() => break,
                Err(_) => return Err(Gone::Closed),
            }
        }
        if self.rtc.is_alive() { Ok(()) } else { Err(Gone::Closed) }
    }

    /// Lets packets of this source in, once their tags are right.
    fn expect(&mut self, source: u32) {
        if self.sources.contains(&source) {
            return;
        }
        let mid = Mid::from(MID);
        let mut api = self.rtc.direct_api();
        if self.sources.len() == SOURCES_MAX {
            api.remove_stream_rx(Ssrc::from(self.sources.remove(0)));
        }
        api.expect_stream_rx(Ssrc::from(source), None, mid, None);
        self.sources.push(source);
    }
}

fn credentials(of: &super::Credentials) -> IceCreds {
    IceCreds { ufrag: of.fragment.to_string(), pass: of.password.to_string() }
}

fn heard(event: Event) -> Option<Said> {
    match event {
        Event::Connected => Some(Said::Connected),
        Event::RtpPacket(packet) => {
            let header = Header {
                marker: packet.header.marker,
                payload_type: *packet.header.payload_type,
                sequence: packet.header.sequence_number,
                timestamp: packet.header.timestamp,
                ssrc: *packet.header.ssrc,
            };
            let mut bytes = Vec::with_capacity(HEADER_LEN + packet.payload.len());
            bytes.extend_from_slice(&header.to_bytes());
            bytes.extend_from_slice(&packet.payload);
            Some(Said::Packet(bytes))
        }
        Event::MediaEgressStats(stats) => {
            let remote = stats.remote?;
            Some(Said::Report(RemoteReport {
                loss: stats.loss.unwrap_or(0.0),
                jitter_ticks: remote.jitter,
                round_trip: stats.rtt,
            }))
        }
        _ => None,
    }
}

/// The whole number of a packet that goes out, near the last one. The first has no rollover (RFC 3711 3.3.1).
fn extend(last: Option<u64>, sequence: u16) -> u64 {
    let Some(last) = last else { return sequence.into() };
    let ahead = sequence.wrapping_sub(last as u16).cast_signed();
    last.checked_add_signed(ahead.into()).unwrap_or(sequence.into())
}
