//! Capture files that other programs open: pcap, each message as the one packet of a made-up but valid exchange.
//!
//! ```text
//! file header (24 octets), then for each message:
//!   | seconds | microseconds | length | length | IPv4 or IPv6 header | UDP or TCP header | message |
//! ```
//! The link type is "raw IP": no Ethernet. All numbers of the file are little-endian, those of the network big-endian.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// LINKTYPE_RAW: packets begin with an IPv4 or IPv6 header.
const RAW_IP: u32 = 101;
/// The longest packet that readers expect.
const SNAP: u32 = 65_535;
/// Octets of the largest headers.
const HEADERS: usize = 40 + 20;
const UDP: u8 = 17;
const TCP: u8 = 6;
const HOPS: u8 = 64;

/// How a message travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// In a datagram.
    Datagram,
    /// As a segment of a stream.
    Stream,
}

/// Writes a capture file.
#[derive(Clone, Debug)]
pub struct PcapWriter {
    file: Vec<u8>,
    /// The next sequence number of each direction of a stream.
    sequences: BTreeMap<(SocketAddr, SocketAddr), u32>,
}

impl Default for PcapWriter {
    fn default() -> PcapWriter {
        PcapWriter::new()
    }
}

impl PcapWriter {
    /// A file without packets.
    #[must_use]
    pub fn new() -> PcapWriter {
        let mut file = Vec::with_capacity(64 * 1_024);
        file.extend(0xA1B2_C3D4_u32.to_le_bytes());
        file.extend(2u16.to_le_bytes());
        file.extend(4u16.to_le_bytes());
        file.extend([0; 8]);
        file.extend(SNAP.to_le_bytes());
        file.extend(RAW_IP.to_le_bytes());
        PcapWriter { file, sequences: BTreeMap::new() }
    }

    /// Adds a message that passed at `at_ms`, in milliseconds since 1970 UTC. What is too long for a packet is cut. Two
    /// addresses of different families cannot be in one packet: then both are written as IPv6.
    pub fn push(&mut self, at_ms: i64, from: SocketAddr, to: SocketAddr, carrier: Carrier, message: &[u8]) {
        let message = &message[..message.len().min(SNAP as usize - HEADERS)];
        let transport = match carrier {
            Carrier::Datagram => datagram(from, to, message),
            Carrier::Stream => self.segment(from, to, message),
        };
        let protocol = if carrier == Carrier::Datagram { UDP } else { TCP };
        let packet = packet(from.ip().to_canonical(), to.ip().to_canonical(), protocol, transport);
        let seconds = u32::try_from(at_ms.div_euclid(1_000)).unwrap_or(0);
        let length = (packet.len() as u32).to_le_bytes();
        self.file.extend(seconds.to_le_bytes());
        self.file.extend((at_ms.rem_euclid(1_000) as u32 * 1_000).to_le_bytes());
        self.file.extend(length);
        self.file.extend(length);
        self.file.extend(packet);
    }

    /// The whole file.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.file
    }

    /// A TCP segment that goes on where the last of its direction ended (RFC 9293 3.1).
    fn segment(&mut self, from: SocketAddr, to: SocketAddr, message: &[u8]) -> Vec<u8> {
        let acknowledged = *self.sequences.entry((to, from)).or_insert(1);
        let sequence = self.sequences.entry((from, to)).or_insert(1);
        let mut segment = Vec::with_capacity(20 + message.len());
        segment.extend(from.port().to_be_bytes());
        segment.extend(to.port().to_be_bytes());
        segment.extend(sequence.to_be_bytes());
        segment.extend(acknowledged.to_be_bytes());
        // Five words of header, PSH and ACK, the largest window, no checksum yet, nothing urgent.
        segment.extend([0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0]);
        segment.extend(message);
        *sequence = sequence.wrapping_add(message.len() as u32);
        segment
    }
}

/// A UDP datagram (RFC 768).
fn datagram(from: SocketAddr, to: SocketAddr, message: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::with_capacity(8 + message.len());
    datagram.extend(from.port().to_be_bytes());
    datagram.extend(to.port().to_be_bytes());
    datagram.extend(((8 + message.len()) as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(message);
    datagram
}

/// Puts a network header before a datagram or segment, and the checksums into both.
fn packet(from: IpAddr, to: IpAddr, protocol: u8, mut transport: Vec<u8>) -> Vec<u8> {
    let length = transport.len() as u16;
    let (mut header, pseudo) = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            // RFC 791 3.1: version and words, type of service, length, no fragment of anything.
            let mut header = vec![0x45, 0];
            header.extend((20 + length).to_be_bytes());
            header.extend([0, 0, 0x40, 0, HOPS, protocol, 0, 0]);
            header.extend(from.octets());
            header.extend(to.octets());
            let sum = checksum(&[&header]);
            header[10..12].copy_from_slice(&sum.to_be_bytes());
            let pseudo = [&from.octets()[..], &to.octets(), &[0, protocol], &length.to_be_bytes()].concat();
            (header, pseudo)
        }
        _ => {
            let (from, to) = (six(from), six(to));
            // RFC 8200 3: version, no traffic class, no label, length.
            let mut header = vec![0x60, 0, 0, 0];
            header.extend(length.to_be_bytes());
            header.extend([protocol, HOPS]);
            header.extend(from);
            header.extend(to);
            let pseudo = [&from[..], &to, &u32::from(length).to_be_bytes(), &[0, 0, 0, protocol]].concat();
            (header, pseudo)
        }
    };
    let place = if protocol == UDP { 6 } else { 16 };
    let sum = checksum(&[&pseudo, &transport]);
    // RFC 768: a sum of zero is written as all ones.
    let sum = if sum == 0 && protocol == UDP { 0xFFFF } else { sum };
    transport[place..place + 2].copy_from_slice(&sum.to_be_bytes());
    header.extend(transport);
    header
}

fn six(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// The Internet checksum (RFC 1071) over parts, of which only the last may have an odd length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0u32;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        }
    }
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    /// The packets of a file: seconds, microseconds, octets.
    fn packets(file: &[u8]) -> Vec<(u32, u32, Vec<u8>)> {
        let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four octets"));
        assert_eq!((word(0), word(16), word(20)), (0xA1B2_C3D4, SNAP, RAW_IP));
        let (mut found, mut place) = (Vec::new(), 24);
        while place < file.len() {
            let length = word(place + 8) as usize;
            assert_eq!(word(place + 12) as usize, length);
            found.push((word(place), word(place + 4), file[place + 16..place + 16 + length].to_vec()));
            place += 16 + length;
        }
        assert_eq!(place, file.len());
        found
    }

    #[test]
    fn b_datagrams_are_whole_and_their_checksums_right() {
        let mut writer = PcapWriter::new();
        writer.push(1_234_567, at("192.0.2.1:5060"), at("192.0.2.7:5062"), Carrier::Datagram, b"hello");
        writer.push(1_234_568, at("[2001:db8::1]:5060"), at("192.0.2.7:1"), Carrier::Datagram, b"six");
        let found = packets(&writer.finish());
        let (seconds, micro, four) = &found[0];
        assert_eq!((*seconds, *micro), (1_234, 567_000));
        assert_eq!((four.len(), four[0], four[9]), (33, 0x45, UDP));
        assert_eq!(checksum(&[&four[..20]]), 0, "a right header sums up to nothing");
        let pseudo = [&four[12..20], &[0, UDP, 0, 13]].concat();
        assert_eq!(checksum(&[&pseudo, &four[20..]]), 0);
        assert_eq!((&four[20..24], &four[28..]), (&[0x13, 0xC4, 0x13, 0xC6][..], &b"hello"[..]));
        let six = &found[1].2;
        assert_eq!((six.len(), six[0], six[6]), (51, 0x60, UDP));
        let pseudo = [&six[8..40], &[0, 0, 0, 11, 0, 0, 0, UDP]].concat();
        assert_eq!(checksum(&[&pseudo, &six[40..]]), 0);
    }

    #[test]
    fn b_segments_of_a_stream_follow_each_other_in_both_directions() {
        let (us, them) = (at("192.0.2.1:5060"), at("192.0.2.7:40000"));
        let mut writer = PcapWriter::new();
        writer.push(0, them, us, Carrier::Stream, b"four");
        writer.push(1, us, them, Carrier::Stream, b"sixsix");
        writer.push(2, them, us, Carrier::Stream, b"more");
        let numbers: Vec<(u32, u32)> = packets(&writer.finish())
            .iter()
            .map(|(_, _, packet)| {
                let word = |at: usize| u32::from_be_bytes(packet[at..at + 4].try_into().expect("four"));
                let pseudo = [&packet[12..20], &[0, TCP], &(packet.len() as u16 - 20).to_be_bytes()].concat();
                assert_eq!(checksum(&[&pseudo, &packet[20..]]), 0);
                (word(24), word(28))
            })
            .collect();
        assert_eq!(numbers, [(1, 1), (1, 5), (5, 7)]);
    }

    #[test]
    fn b_what_is_too_long_for_a_packet_is_cut() {
        let mut writer = PcapWriter::new();
        writer.push(-1, at("[::1]:1"), at("[::1]:2"), Carrier::Datagram, &vec![b'x'; 100_000]);
        let found = packets(&writer.finish());
        assert!(found[0].2.len() <= SNAP as usize, "{}", found[0].2.len());
    }
}
