//! What a remote description says, reduced to what the exchange uses.

use super::protect::{RemoteSecurity, Security, is_zero};
use super::{Direction, MediaError};
use crate::codec::{Codec, Payload};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use wire::sdp::{Media, Session};

/// The transport profile of an `m=` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// `RTP/AVP`
    Avp,
    /// `RTP/AVPF` (RFC 4585)
    Avpf,
    /// `RTP/SAVP`: SDES
    Savp,
    /// `RTP/SAVPF`
    Savpf,
    /// `UDP/TLS/RTP/SAVP` and `SAVPF`: DTLS
    Dtls,
    /// Not RTP, or none that we know.
    Other,
}

impl Profile {
    pub(super) fn parse(proto: &str) -> Profile {
        const KNOWN: [(&str, Profile); 6] = [
            ("RTP/AVP", Profile::Avp),
            ("RTP/AVPF", Profile::Avpf),
            ("RTP/SAVP", Profile::Savp),
            ("RTP/SAVPF", Profile::Savpf),
            ("UDP/TLS/RTP/SAVP", Profile::Dtls),
            ("UDP/TLS/RTP/SAVPF", Profile::Dtls),
        ];
        let known = KNOWN.iter().find(|(name, _)| name.eq_ignore_ascii_case(proto));
        known.map_or(Profile::Other, |(_, profile)| *profile)
    }

    /// As we write it in an offer of ours.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Profile::Avp | Profile::Other => "RTP/AVP",
            Profile::Avpf => "RTP/AVPF",
            Profile::Savp => "RTP/SAVP",
            Profile::Savpf => "RTP/SAVPF",
            Profile::Dtls => "UDP/TLS/RTP/SAVPF",
        }
    }

    /// Whether packets go in clear.
    #[must_use]
    pub fn is_plain(self) -> bool {
        matches!(self, Profile::Avp | Profile::Avpf)
    }

    /// Whether an answer under `other` protects as an offer under this profile asked.
    pub(super) fn protects_like(self, other: Profile) -> bool {
        let kind = |profile| match profile {
            Profile::Avp | Profile::Avpf => Some(0),
            Profile::Savp | Profile::Savpf => Some(1),
            Profile::Dtls => Some(2),
            Profile::Other => None,
        };
        kind(self).is_some() && kind(self) == kind(other)
    }
}

/// The audio stream of a remote description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteMedia {
    /// From `c=`; unspecified (0.0.0.0, ::) on hold in the manner of RFC 2543.
    pub address: IpAddr,
    /// 0 means rejected.
    pub port: u16,
    /// Where RTCP goes unless it is multiplexed.
    pub rtcp: Option<SocketAddr>,
    /// In the remote's order of preference, key presses among them.
    pub payloads: Vec<Payload>,
    /// Seen from the remote.
    pub direction: Direction,
    /// `a=ptime`, no more than `a=maxptime`.
    pub ptime_ms: Option<u16>,
    /// The remote can multiplex RTCP.
    pub rtcp_mux: bool,
    /// The remote does not want to hear us: sendonly, inactive, or an unspecified address.
    pub hold: bool,
    /// Of its `m=` line.
    pub profile: Profile,
    /// Keys, fingerprint, ICE.
    pub security: RemoteSecurity,
}

impl RemoteMedia {
    /// Where RTP goes, unless the stream is rejected or its address unspecified.
    #[must_use]
    pub fn rtp(&self) -> Option<SocketAddr> {
        let usable = self.port != 0 && !is_zero(self.address, self.profile);
        usable.then(|| SocketAddr::new(self.address, self.port))
    }
}

/// One `m=` line, kept so that an answer can mirror it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherLine {
    /// `audio`, `video`, ...
    pub kind: Box<str>,
    /// As written.
    pub proto: Box<str>,
    /// As written, separated by spaces.
    pub formats: Box<str>,
}

/// A remote description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteDescription {
    /// The stream that we use.
    pub audio: Option<RemoteMedia>,
    /// Which `m=` line it is, counted from 0.
    pub audio_index: Option<usize>,
    /// Every `m=` line, the audio one too.
    pub lines: Arc<[OtherLine]>,
    /// The `o=` version as written: the same again means that nothing changed.
    pub origin_version: Box<str>,
    /// The `o=` id as written.
    pub origin_id: Box<str>,
}

/// Reads a description.
///
/// The audio stream with a port that `security` takes most gladly is taken; without one, the first audio stream at all,
/// so that the caller can tell a rejected or encrypted stream from a description without audio.
///
/// # Errors
/// [`MediaError::Sdp`] when it is no SDP, [`MediaError::Address`] when the audio stream has no numeric
/// unicast address.
pub fn parse_remote(sdp: &[u8], security: Security) -> Result<RemoteDescription, MediaError> {
    let session = Session::parse(sdp)?;
    let origin = session.origin()?;
    let audio_index = choose_audio(&session, security);
    let audio = match audio_index.and_then(|index| session.media_at(index)) {
        Some(media) => Some(read_audio(&media)?),
        None => None,
    };
    let lines = session.media().map(|media| OtherLine {
        kind: media.kind.into(),
        proto: media.proto.into(),
        formats: joined(media.formats()),
    });
    Ok(RemoteDescription {
        audio,
        audio_index,
        lines: lines.collect(),
        origin_version: origin.version.into(),
        origin_id: origin.session_id.into(),
    })
}

fn joined<'a>(formats: impl Iterator<Item = &'a str>) -> Box<str> {
    let mut text = String::with_capacity(32);
    for format in formats {
        text.push_str(if text.is_empty() { "" } else { " " });
        text.push_str(format);
    }
    text.into()
}

fn choose_audio(session: &Session<'_>, security: Security) -> Option<usize> {
    let is_audio = |media: &Media<'_, '_>| media.kind.eq_ignore_ascii_case("audio");
    let rank = |media: &Media<'_, '_>| {
        if is_audio(media) && media.port != 0 { security.rank(Profile::parse(media.proto)) } else { None }
    };
    let ranked = session.media().enumerate().filter_map(|(index, media)| Some((rank(&media)?, index)));
    ranked.min().map(|(_, index)| index).or_else(|| session.media().position(|media| is_audio(&media)))
}

fn read_audio(media: &Media<'_, '_>) -> Result<RemoteMedia, MediaError> {
    // A declined stream needs no address (RFC 3264 section 6).
    let address = match media.connection() {
        Ok(connection) => connection.ip().ok_or(MediaError::Address)?.to_canonical(),
        Err(_) if media.port == 0 => IpAddr::from([0, 0, 0, 0]),
        Err(error) => return Err(error.into()),
    };
    if address.is_multicast() {
        return Err(MediaError::Address);
    }
    let direction = media.direction();
    let ptime_ms = match (media.ptime_ms(), media.maxptime_ms()) {
        (Some(wished), Some(most)) => Some(wished.min(most)),
        (None, Some(most)) if most < 20 => Some(most),
        (wished, _) => wished,
    };
    let profile = Profile::parse(media.proto);
    Ok(RemoteMedia {
        address,
        port: media.port,
        rtcp: rtcp_address(media, address),
        payloads: payloads(media),
        direction,
        ptime_ms,
        rtcp_mux: media.rtcp_mux(),
        hold: !direction.receives() || is_zero(address, profile),
        profile,
        security: RemoteSecurity::read(media),
    })
}

fn rtcp_address(media: &Media<'_, '_>, address: IpAddr) -> Option<SocketAddr> {
    let (ip, port) = match media.rtcp() {
        Some(rtcp) => (rtcp.ip.map_or(address, |ip| ip.to_canonical()), rtcp.port),
        // RFC 3550 section 11: the next higher port.
        None => (address, media.port.checked_add(1)?),
    };
    let usable = media.port != 0 && port != 0 && !ip.is_unspecified() && !ip.is_multicast();
    usable.then(|| SocketAddr::new(ip, port))
}

fn payloads(media: &Media<'_, '_>) -> Vec<Payload> {
    let mut payloads: Vec<Payload> = Vec::new();
    for number in media.payload_numbers() {
        let fmtp = media.fmtp(number).map(|fmtp| fmtp.parameters);
        let codec = match media.rtpmap(number) {
            Some(map) => Some(Codec::from_rtpmap(&map, fmtp)),
            None => Codec::of_static_number(number).map(|codec| Codec { fmtp: fmtp.map(Arc::from), ..codec }),
        };
        let Some(codec) = codec.filter(|codec| !codec.is_wrapper()) else { continue };
        if payloads.iter().all(|known| known.number != number) {
            payloads.push(Payload { number, codec });
        }
    }
    payloads
}
