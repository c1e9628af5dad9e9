//! Descriptions, packets and reports of ours: whatever is written is read back the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_oneof, proptest};

use wire::rtcp::{self, Compound, Packet, ReportBlock, SenderInfo, is_rtcp};
use wire::rtp;
use wire::sdp::{Attribute, Description, Direction, Media, MediaDescription, Session};

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| IpAddr::V4(Ipv4Addr::from(octets))),
        any::<[u8; 16]>().prop_map(|octets| IpAddr::V6(Ipv6Addr::from(octets))),
    ]
}

fn direction() -> impl Strategy<Value = Direction> {
    (any::<bool>(), any::<bool>()).prop_map(|(sends, receives)| Direction::new(sends, receives))
}

/// "x-" keeps an invented attribute from being a direction.
fn attribute() -> impl Strategy<Value = Attribute> {
    let value = proptest::option::of("[ -~\u{80}-\u{fff}]{1,40}");
    ("x-[a-z0-9-]{1,12}", value).prop_map(|(name, value)| match value {
        Some(value) => Attribute::new(name, value),
        None => Attribute::flag(name),
    })
}

fn media() -> impl Strategy<Value = MediaDescription> {
    let formats = vec((0_u8..128).prop_map(|number| number.to_string()), 1..10);
    let line = ("(audio|video|image)", any::<u16>(), "(RTP/AVP|RTP/SAVP|UDP/TLS/RTP/SAVPF|udptl)", formats);
    let rest = (proptest::option::of(address()), vec(attribute(), 0..8), proptest::option::of(direction()));
    (line, rest).prop_map(|((kind, port, proto, formats), (connection, attributes, direction))| {
        MediaDescription {
            kind: kind.into(),
            port,
            proto: proto.into(),
            formats: formats.join(" ").into(),
            connection,
            attributes,
            direction,
        }
    })
}

fn description() -> impl Strategy<Value = Description> {
    (any::<u64>(), any::<u64>(), address(), vec(attribute(), 0..6), vec(media(), 0..6)).prop_map(
        |(session_id, version, address, attributes, media)| Description {
            session_id,
            version,
            address,
            attributes,
            media,
        },
    )
}

/// What a reader finds of one section, in the form in which it was written.
fn read_back(media: &Media<'_, '_>) -> MediaDescription {
    let own = media.lines().iter().any(|line| line.kind == b'c');
    let named = media.lines().iter().filter_map(|line| line.attribute());
    let attributes = named.filter(|(name, _)| name.starts_with("x-"));
    MediaDescription {
        kind: media.kind.to_owned().into(),
        port: media.port,
        proto: media.proto.into(),
        formats: media.formats().collect::<Vec<_>>().join(" ").into(),
        connection: media.connection().ok().filter(|_| own).and_then(|connection| connection.ip()),
        attributes: attributes
            .map(|(name, value)| match std::str::from_utf8(value).expect("text") {
                "" => Attribute::flag(name.to_owned()),
                value => Attribute::new(name.to_owned(), value.to_owned()),
            })
            .collect(),
        direction: [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive]
            .into_iter()
            .find(|direction| media.has(direction.as_str())),
    }
}

fn block() -> impl Strategy<Value = ReportBlock> {
    (any::<[u32; 5]>(), any::<u8>(), -0x80_0000..0x80_0000_i32).prop_map(|(words, fraction_lost, lost)| {
        ReportBlock {
            ssrc: words[0],
            fraction_lost,
            cumulative_lost: lost,
            extended_highest_sequence: words[1],
            jitter: words[2],
            last_sender_report: words[3],
            delay_since_last_sender_report: words[4],
        }
    })
}

/// What we can send in a compound.
#[derive(Clone, Debug, PartialEq)]
enum Sent {
    Sender(u32, SenderInfo, Vec<ReportBlock>),
    Receiver(u32, Vec<ReportBlock>),
    Cname(u32, String),
    Goodbye(u32),
}

fn sent() -> impl Strategy<Value = Sent> {
    let info = (any::<u64>(), any::<[u32; 3]>()).prop_map(|(ntp, [rtp_timestamp, packets, octets])| {
        SenderInfo { ntp, rtp_timestamp, packets, octets }
    });
    prop_oneof![
        (any::<u32>(), info, vec(block(), 0..32))
            .prop_map(|(ssrc, info, blocks)| Sent::Sender(ssrc, info, blocks)),
        (any::<u32>(), vec(block(), 0..32)).prop_map(|(ssrc, blocks)| Sent::Receiver(ssrc, blocks)),
        (any::<u32>(), "[ -~]{0,255}").prop_map(|(ssrc, name)| Sent::Cname(ssrc, name)),
        any::<u32>().prop_map(Sent::Goodbye),
    ]
}

fn write(sent: &Sent, out: &mut Vec<u8>) {
    match sent {
        Sent::Sender(ssrc, info, blocks) => rtcp::write_sender_report(out, *ssrc, info, blocks),
        Sent::Receiver(ssrc, blocks) => rtcp::write_receiver_report(out, *ssrc, blocks),
        Sent::Cname(ssrc, name) => rtcp::write_cname(out, *ssrc, name),
        Sent::Goodbye(ssrc) => rtcp::write_goodbye(out, *ssrc),
    }
}

fn read(packet: &Packet<'_>) -> Option<Sent> {
    Some(match packet {
        Packet::SenderReport { ssrc, info, blocks } => Sent::Sender(*ssrc, *info, blocks.iter().collect()),
        Packet::ReceiverReport { ssrc, blocks } => Sent::Receiver(*ssrc, blocks.iter().collect()),
        Packet::Description { ssrc, cname } => {
            Sent::Cname(*ssrc, String::from_utf8((*cname)?.to_vec()).ok()?)
        }
        Packet::Goodbye { ssrc } => Sent::Goodbye((*ssrc)?),
        Packet::Other { .. } => return None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_description_is_read_back(description in description()) {
        let mut bytes = Vec::new();
        description.write_to(&mut bytes);
        let session = Session::parse(&bytes).expect("our own writing");
        let origin = session.origin().expect("our own o=");
        assert_eq!(origin.session_id, description.session_id.to_string());
        assert_eq!(origin.version, description.version.to_string());
        let connection = session.connection().expect("our own c=").and_then(|connection| connection.ip());
        assert_eq!(connection, Some(description.address));
        let media: Vec<_> = session.media().map(|media| read_back(&media)).collect();
        assert_eq!(media, description.media);
        let mut again = Vec::new();
        session.write_to(&mut again);
        assert_eq!(again, bytes);
    }

    #[test]
    fn a_compound_is_read_back(sent in vec(sent(), 1..6)) {
        let mut bytes = Vec::new();
        sent.iter().for_each(|packet| write(packet, &mut bytes));
        assert!(is_rtcp(&bytes) && bytes.len() % 4 == 0);
        let compound = Compound::parse(&bytes).expect("our own writing");
        let found: Vec<_> = compound.packets().filter_map(|packet| read(&packet)).collect();
        assert_eq!(found, sent);
    }

    #[test]
    fn a_compound_cut_short_is_refused_or_shorter(sent in vec(sent(), 1..4), cut in any::<proptest::sample::Index>()) {
        let mut bytes = Vec::new();
        sent.iter().for_each(|packet| write(packet, &mut bytes));
        let length = cut.index(bytes.len());
        if let Ok(compound) = Compound::parse(&bytes[..length]) {
            let found: Vec<_> = compound.packets().filter_map(|packet| read(&packet)).collect();
            assert!(found.len() < sent.len() && sent.starts_with(&found));
        }
    }

    #[test]
    fn a_packet_is_read_back(
        marker in any::<bool>(), payload_type in 0_u8..128, sequence in any::<u16>(), words in any::<[u32; 2]>(),
        payload in vec(any::<u8>(), 0..200),
    ) {
        let [timestamp, ssrc] = words;
        let header = rtp::Header { marker, payload_type, sequence, timestamp, ssrc };
        let bytes = [&header.to_bytes()[..], &payload].concat();
        let packet = rtp::Packet::parse(&bytes).expect("our own writing");
        assert_eq!((packet.header, packet.payload()), (header, &payload[..]));
    }
}
