//! What the parsers of RTP, RTCP and telephone-event must keep whatever the bytes.

use wire::rtcp::{self, Compound, is_rtcp};
use wire::rtp::{Header, Packet, rewrite};
use wire::telephone_event::{Event, code_of};

/// Parses a packet and puts it together again from its parts; a rewrite changes the header alone.
pub(crate) fn rtp(bytes: &[u8]) {
    let Ok(packet) = Packet::parse(bytes) else { return };
    let mut again = packet.header.to_bytes().to_vec();
    again[0] |= u8::from(packet.padding() > 0) << 5 | packet.csrcs().count() as u8;
    again.extend(packet.csrcs().flat_map(u32::to_be_bytes));
    if let Some((profile, extension)) = packet.extension() {
        again[0] |= 1 << 4;
        again.extend_from_slice(&profile.to_be_bytes());
        again.extend_from_slice(&((extension.len() / 4) as u16).to_be_bytes());
        again.extend_from_slice(extension);
    }
    again.extend_from_slice(packet.payload());
    again.extend_from_slice(&bytes[bytes.len() - packet.padding()..]);
    assert_eq!(again, bytes, "not lossless");

    let header = Header { marker: true, payload_type: 101, sequence: 7, timestamp: 8, ssrc: 9 };
    assert!(rewrite(&mut again, &header));
    let other = Packet::parse(&again).expect("a rewrite keeps it sound");
    assert_eq!(other.header, header);
    assert_eq!((other.payload(), other.padding()), (packet.payload(), packet.padding()));
    telephone_event(packet.payload());
}

/// Parses a compound; what we can write reads back the same, and nothing of ours is refused.
pub(crate) fn rtcp(bytes: &[u8]) {
    let Ok(compound) = Compound::parse(bytes) else { return };
    assert!(is_rtcp(bytes) && compound.packets().count() <= bytes.len() / 4);
    let mut ours = Vec::new();
    let mut expected = Vec::new();
    for packet in compound.packets() {
        if write(&packet, &mut ours) {
            expected.push(seen(&packet));
        }
    }
    if expected.is_empty() {
        return;
    }
    let again = Compound::parse(&ours).expect("our own writing");
    assert_eq!(again.packets().map(|packet| seen(&packet)).collect::<Vec<_>>(), expected);
}

/// Writes a packet of a type that we send; false for all others.
fn write(packet: &rtcp::Packet<'_>, out: &mut Vec<u8>) -> bool {
    match packet {
        rtcp::Packet::SenderReport { ssrc, info, blocks } => {
            rtcp::write_sender_report(out, *ssrc, info, &blocks.iter().collect::<Vec<_>>());
        }
        rtcp::Packet::ReceiverReport { ssrc, blocks } => {
            rtcp::write_receiver_report(out, *ssrc, &blocks.iter().collect::<Vec<_>>());
        }
        rtcp::Packet::Description { ssrc, cname: Some(name) } => match std::str::from_utf8(name) {
            Ok(name) => rtcp::write_cname(out, *ssrc, name),
            Err(_) => return false,
        },
        rtcp::Packet::Goodbye { ssrc: Some(ssrc) } => rtcp::write_goodbye(out, *ssrc),
        _ => return false,
    }
    true
}

/// Everything that a packet says, comparable.
fn seen(packet: &rtcp::Packet<'_>) -> String {
    match packet {
        rtcp::Packet::SenderReport { ssrc, info, blocks } => {
            format!("SR {ssrc} {info:?} {:?}", blocks.iter().collect::<Vec<_>>())
        }
        rtcp::Packet::ReceiverReport { ssrc, blocks } => {
            format!("RR {ssrc} {:?}", blocks.iter().collect::<Vec<_>>())
        }
        other => format!("{other:?}"),
    }
}

/// Parses an event; all but the reserved bit comes back.
pub(crate) fn telephone_event(bytes: &[u8]) {
    let Some(event) = Event::parse(bytes) else { return };
    let again = event.to_bytes();
    assert_eq!([again[0], again[1], again[2], again[3]], [bytes[0], bytes[1] & 0xbf, bytes[2], bytes[3]]);
    if let Some(digit) = event.digit() {
        assert_eq!(code_of(digit), Some(event.code));
    }
}
