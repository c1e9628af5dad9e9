//! How our side of a negotiation becomes a description.

use super::protect::OurSecurity;
use super::remote::OtherLine;
use super::{Direction, LocalMedia};
use crate::codec::{Codec, CodecName, Payload};
use std::fmt::Write as _;
use wire::sdp::{Attribute, Description, MediaDescription};
use wire::text::Short;

/// The events that we can make: sixteen keys and flash (RFC 4733 section 7).
const EVENTS: &str = "0-16";

/// The audio stream of a description of ours.
pub(super) struct Stream<'a> {
    pub(super) payloads: &'a [Payload],
    pub(super) direction: Direction,
    pub(super) proto: &'a str,
    pub(super) ptime_ms: u16,
    pub(super) rtcp_mux: bool,
    pub(super) security: &'a OurSecurity,
}

/// A whole description: our audio at `audio_index`, every other line declined with port 0.
pub(super) fn describe(
    local: &LocalMedia,
    version: u64,
    lines: &[OtherLine],
    audio_index: usize,
    stream: &Stream<'_>,
) -> Description {
    // RFC 3264 section 6: as many m= lines as the offer, in the same order.
    let count = lines.len().max(audio_index + 1);
    let media = (0..count).map(|index| match lines.get(index) {
        Some(line) if index != audio_index => decline(line),
        _ => audio(local, stream),
    });
    Description {
        session_id: local.session_id,
        version,
        address: local.address,
        attributes: stream.security.session(),
        media: media.collect(),
    }
}

fn decline(line: &OtherLine) -> MediaDescription {
    MediaDescription {
        kind: String::from(&*line.kind).into(),
        port: 0,
        proto: line.proto.clone(),
        formats: String::from(&*line.formats).into(),
        connection: None,
        attributes: Vec::new(),
        direction: None,
    }
}

fn audio(local: &LocalMedia, stream: &Stream<'_>) -> MediaDescription {
    let mut attributes = Vec::with_capacity(2 * stream.payloads.len() + 2);
    let mut formats = String::with_capacity(4 * stream.payloads.len());
    for Payload { number, codec } in stream.payloads {
        let mut digits = Short::<5>::new();
        digits.push_decimal((*number).into());
        formats.push_str(if formats.is_empty() { "" } else { " " });
        formats.push_str(&digits);
        attributes.push(Attribute::new("rtpmap", rtpmap(&digits, codec)));
        let fmtp = match (&codec.fmtp, &codec.name) {
            (_, CodecName::TelephoneEvent) => Some(EVENTS),
            (fmtp, _) => fmtp.as_deref(),
        };
        if let Some(parameters) = fmtp {
            attributes.push(Attribute::new("fmtp", [&digits, " ", parameters].concat()));
        }
    }
    attributes.push(Attribute::new("ptime", stream.ptime_ms.to_string()));
    if stream.rtcp_mux {
        attributes.push(Attribute::flag("rtcp-mux"));
    }
    stream.security.write(local, &mut attributes);
    MediaDescription {
        kind: "audio".into(),
        port: local.port,
        proto: stream.proto.into(),
        formats: formats.into(),
        connection: None,
        attributes,
        direction: Some(stream.direction),
    }
}

fn rtpmap(number: &str, codec: &Codec) -> String {
    let mut text = String::with_capacity(32);
    // Writing into a String does not fail.
    let _ = write!(text, "{number} {codec}");
    text
}
