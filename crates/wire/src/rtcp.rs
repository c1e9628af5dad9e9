//! RTCP (RFC 3550 section 6): compound and reduced-size (RFC 5506) packets, read and written.
//!
//! ```text
//! |V=2|P|  count  |  packet type  |   length in words, minus one  |
//! |                    body, 4 * length bytes                     |   and the next packet follows
//! ```
//!
//! Only what a telephone uses is typed: SR, RR, SDES CNAME, BYE. The rest is handed out as bytes.

use std::fmt;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const CNAME: u8 = 1;
const BLOCK_LEN: usize = 24;

/// Why a datagram is no RTCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtcpError {
    /// A packet is shorter than its header says.
    Short,
    /// Not version 2.
    Version,
    /// A packet type outside 192 to 223 (RFC 5761 section 4).
    Type,
    /// The padding count is not a multiple of four, or longer than the packet.
    Padding,
}

impl fmt::Display for RtcpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RtcpError::Short => "RTCP packet too short",
            RtcpError::Version => "not RTCP version 2",
            RtcpError::Type => "no RTCP packet type",
            RtcpError::Padding => "bad RTCP padding",
        })
    }
}

impl std::error::Error for RtcpError {}

/// Tells RTCP from RTP on a shared port by the second byte (RFC 5761 section 4).
#[must_use]
#[inline]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.len() >= 4 && matches!(datagram[1], 192..=223)
}

/// One reception report block (RFC 3550 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// Whom it is about.
    pub ssrc: u32,
    /// Lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Lost since the start, clamped to 24 bits signed; negative with duplicates.
    pub cumulative_lost: i32,
    /// The highest sequence number with its count of wraps above.
    pub extended_highest_sequence: u32,
    /// In ticks of the RTP clock.
    pub jitter: u32,
    /// The middle 32 bits of the last SR's NTP time, 0 when there was none.
    pub last_sender_report: u32,
    /// Since that SR arrived, in 1/65536 s.
    pub delay_since_last_sender_report: u32,
}

impl ReportBlock {
    fn parse(bytes: &[u8; BLOCK_LEN]) -> ReportBlock {
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        ReportBlock {
            ssrc: word(0),
            fraction_lost: bytes[4],
            // Shifting left and right again extends the sign of the 24 bits.
            cumulative_lost: (word(4) << 8).cast_signed() >> 8,
            extended_highest_sequence: word(8),
            jitter: word(12),
            last_sender_report: word(16),
            delay_since_last_sender_report: word(20),
        }
    }

    fn write_to(&self, out: &mut Vec<u8>) {
        let lost = self.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff).cast_unsigned() & 0x00ff_ffff;
        for word in [
            self.ssrc,
            u32::from(self.fraction_lost) << 24 | lost,
            self.extended_highest_sequence,
            self.jitter,
            self.last_sender_report,
            self.delay_since_last_sender_report,
        ] {
            out.extend_from_slice(&word.to_be_bytes());
        }
    }
}

/// What a sender says of its own stream (RFC 3550 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    /// NTP format: seconds above, fractions below; any clock, as long as it is the sender's own.
    pub ntp: u64,
    /// The RTP timestamp of the same instant.
    pub rtp_timestamp: u32,
    /// Packets since the start, wraps.
    pub packets: u32,
    /// Payload bytes since the start, wraps.
    pub octets: u32,
}

impl SenderInfo {
    /// The middle 32 bits of the NTP time, as report blocks quote them.
    #[must_use]
    pub fn ntp_middle(&self) -> u32 {
        (self.ntp >> 16) as u32
    }
}

/// One packet of a datagram.
#[derive(Clone, Copy, Debug)]
pub enum Packet<'a> {
    /// A report with the sender's own counters.
    SenderReport {
        /// Who reports.
        ssrc: u32,
        /// Of its own stream.
        info: SenderInfo,
        /// What it receives.
        blocks: Blocks<'a>,
    },
    /// A report of one who sends nothing.
    ReceiverReport {
        /// Who reports.
        ssrc: u32,
        /// What it receives.
        blocks: Blocks<'a>,
    },
    /// The first chunk of a source description.
    Description {
        /// Whom it names.
        ssrc: u32,
        /// Its canonical name, if one is given.
        cname: Option<&'a [u8]>,
    },
    /// Sources that leave.
    Goodbye {
        /// The first of them; a BYE may be empty.
        ssrc: Option<u32>,
    },
    /// Application-defined, feedback, extended reports and whatever comes.
    Other {
        /// 192 to 223.
        packet_type: u8,
        /// The five bits beside the version.
        count: u8,
        /// What follows the four header bytes.
        body: &'a [u8],
    },
}

/// The report blocks of one packet.
#[derive(Clone, Copy, Debug)]
pub struct Blocks<'a>(&'a [[u8; BLOCK_LEN]]);

impl Blocks<'_> {
    /// Each block in its order.
    pub fn iter(&self) -> impl Iterator<Item = ReportBlock> {
        self.0.iter().map(ReportBlock::parse)
    }
}

/// A datagram whose framing was checked; one packet suffices (RFC 5506).
#[derive(Clone, Copy, Debug)]
pub struct Compound<'a> {
    bytes: &'a [u8],
}

impl<'a> Compound<'a> {
    /// Checks the framing and every typed packet.
    ///
    /// # Errors
    /// Says what is wrong; such a datagram is counted and dropped.
    pub fn parse(bytes: &'a [u8]) -> Result<Compound<'a>, RtcpError> {
        if bytes.is_empty() {
            return Err(RtcpError::Short);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let (_, after) = cut(rest)?;
            rest = after;
        }
        Ok(Compound { bytes })
    }

    /// The packets in their order.
    pub fn packets(&self) -> impl Iterator<Item = Packet<'a>> + use<'a> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            let (packet, after) = cut(rest).ok()?;
            rest = after;
            Some(packet)
        })
    }
}

fn cut(bytes: &[u8]) -> Result<(Packet<'_>, &[u8]), RtcpError> {
    let (&[first, packet_type, high, low], _) = bytes.split_first_chunk::<4>().ok_or(RtcpError::Short)?;
    if first >> 6 != 2 {
        return Err(RtcpError::Version);
    }
    if !matches!(packet_type, 192..=223) {
        return Err(RtcpError::Type);
    }
    let length = 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
    let (packet, rest) = bytes.split_at_checked(length).ok_or(RtcpError::Short)?;
    let mut body = &packet[4..];
    if first & 0x20 != 0 {
        let padding = usize::from(packet[length - 1]);
        if padding == 0 || padding % 4 != 0 || padding > body.len() {
            return Err(RtcpError::Padding);
        }
        body = &body[..body.len() - padding];
    }
    Ok((typed(packet_type, first & 0x1f, body)?, rest))
}

fn typed(packet_type: u8, count: u8, body: &[u8]) -> Result<Packet<'_>, RtcpError> {
    match packet_type {
        SENDER_REPORT => {
            let ssrc = word(body, 0)?;
            let (high, low) = (word(body, 4)?, word(body, 8)?);
            let info = SenderInfo {
                ntp: u64::from(high) << 32 | u64::from(low),
                rtp_timestamp: word(body, 12)?,
                packets: word(body, 16)?,
                octets: word(body, 20)?,
            };
            Ok(Packet::SenderReport { ssrc, info, blocks: blocks(&body[24..], count)? })
        }
        RECEIVER_REPORT => {
            let ssrc = word(body, 0)?;
            Ok(Packet::ReceiverReport { ssrc, blocks: blocks(&body[4..], count)? })
        }
        SOURCE_DESCRIPTION if count > 0 => description(body, count),
        GOODBYE => goodbye(body, count),
        _ => Ok(Packet::Other { packet_type, count, body }),
    }
}

fn word(body: &[u8], at: usize) -> Result<u32, RtcpError> {
    let bytes = body.get(at..).and_then(<[u8]>::first_chunk).ok_or(RtcpError::Short)?;
    Ok(u32::from_be_bytes(*bytes))
}

fn blocks(bytes: &[u8], count: u8) -> Result<Blocks<'_>, RtcpError> {
    let (all, _profile_extension) = bytes.as_chunks::<BLOCK_LEN>();
    all.get(..usize::from(count)).map(Blocks).ok_or(RtcpError::Short)
}

/// Checks every chunk and reads the first.
fn description(body: &[u8], count: u8) -> Result<Packet<'_>, RtcpError> {
    let (ssrc, cname, mut rest) = chunk(body)?;
    for _ in 1..count {
        (_, _, rest) = chunk(rest)?;
    }
    Ok(Packet::Description { ssrc, cname })
}

type Chunk<'a> = (u32, Option<&'a [u8]>, &'a [u8]);

/// One chunk of SDES: its source, its CNAME, and what follows it (RFC 3550 6.5).
///
/// ```text
/// | ssrc | type length text | type length text | 0, and zeros up to the word |
/// ```
fn chunk(bytes: &[u8]) -> Result<Chunk<'_>, RtcpError> {
    let ssrc = word(bytes, 0)?;
    let mut cname = None;
    let mut at = 4;
    loop {
        match bytes[at..] {
            // Lenient: the packet's end may stand for the zero.
            [] => return Ok((ssrc, cname, &[])),
            [0, ..] => return Ok((ssrc, cname, bytes.get(at / 4 * 4 + 4..).unwrap_or_default())),
            [kind, length, ref rest @ ..] => {
                let text = rest.get(..usize::from(length)).ok_or(RtcpError::Short)?;
                if kind == CNAME && cname.is_none() {
                    cname = Some(text);
                }
                at += 2 + text.len();
            }
            [_] => return Err(RtcpError::Short),
        }
    }
}

/// Sources, and perhaps a reason: its length and its text (RFC 3550 6.6).
fn goodbye(body: &[u8], count: u8) -> Result<Packet<'_>, RtcpError> {
    let reason = body.get(4 * usize::from(count)..).ok_or(RtcpError::Short)?;
    if let [length, text @ ..] = reason
        && text.len() < usize::from(*length)
    {
        return Err(RtcpError::Short);
    }
    Ok(Packet::Goodbye { ssrc: if count > 0 { Some(word(body, 0)?) } else { None } })
}

/// Appends a sender report. At most 31 blocks are written.
pub fn write_sender_report(out: &mut Vec<u8>, ssrc: u32, info: &SenderInfo, blocks: &[ReportBlock]) {
    let blocks = &blocks[..blocks.len().min(31)];
    header(out, blocks.len(), SENDER_REPORT, 6 + 6 * blocks.len());
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&info.ntp.to_be_bytes());
    for word in [info.rtp_timestamp, info.packets, info.octets] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    blocks.iter().for_each(|block| block.write_to(out));
}

/// Appends a receiver report. At most 31 blocks are written.
pub fn write_receiver_report(out: &mut Vec<u8>, ssrc: u32, blocks: &[ReportBlock]) {
    let blocks = &blocks[..blocks.len().min(31)];
    header(out, blocks.len(), RECEIVER_REPORT, 1 + 6 * blocks.len());
    out.extend_from_slice(&ssrc.to_be_bytes());
    blocks.iter().for_each(|block| block.write_to(out));
}

/// Appends a source description with a CNAME, cut at 255 bytes (RFC 3550 6.5.1).
pub fn write_cname(out: &mut Vec<u8>, ssrc: u32, name: &str) {
    let name = &name.as_bytes()[..name.len().min(255)];
    // ssrc, type, length, text, and one to four zero bytes up to the word: the list must end in a zero.
    let chunk = (4 + 2 + name.len()) / 4 * 4 + 4;
    header(out, 1, SOURCE_DESCRIPTION, chunk / 4);
    let start = out.len();
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.push(CNAME);
    out.push(name.len() as u8);
    out.extend_from_slice(name);
    out.resize(start + chunk, 0);
}

/// Appends a BYE without a reason (RFC 3550 6.6).
pub fn write_goodbye(out: &mut Vec<u8>, ssrc: u32) {
    header(out, 1, GOODBYE, 1);
    out.extend_from_slice(&ssrc.to_be_bytes());
}

fn header(out: &mut Vec<u8>, count: usize, packet_type: u8, words: usize) {
    debug_assert!(count < 32 && words <= usize::from(u16::MAX));
    out.extend_from_slice(&[2 << 6 | count as u8, packet_type]);
    out.extend_from_slice(&(words as u16).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block() -> ReportBlock {
        ReportBlock { ssrc: 7, fraction_lost: 25, cumulative_lost: -3, jitter: 99, ..ReportBlock::default() }
    }

    #[test]
    fn a_compound_reads_back() {
        let info = SenderInfo { ntp: 0x0001_0002_0003_0004, rtp_timestamp: 5, packets: 6, octets: 7 };
        let mut bytes = Vec::new();
        write_sender_report(&mut bytes, 1, &info, &[block()]);
        write_cname(&mut bytes, 1, "abc@host");
        write_goodbye(&mut bytes, 1);
        let compound = Compound::parse(&bytes).unwrap();
        let packets: Vec<_> = compound.packets().collect();
        assert_eq!(packets.len(), 3);
        let Packet::SenderReport { ssrc, info: read, blocks } = packets[0] else { panic!("{packets:?}") };
        assert_eq!((ssrc, read, blocks.iter().next()), (1, info, Some(block())));
        assert_eq!(read.ntp_middle(), 0x0002_0003);
        assert!(matches!(packets[1], Packet::Description { ssrc: 1, cname: Some(b"abc@host") }));
        assert!(matches!(packets[2], Packet::Goodbye { ssrc: Some(1) }));
    }

    #[test]
    fn every_cname_length_ends_in_a_zero_on_a_word() {
        for length in 0..=300 {
            let mut bytes = Vec::new();
            write_cname(&mut bytes, 9, &"n".repeat(length));
            assert_eq!((bytes.len() % 4, bytes.last()), (0, Some(&0)), "{length}");
            let name = "n".repeat(length.min(255));
            let packet = Compound::parse(&bytes).unwrap().packets().next();
            assert!(
                matches!(packet, Some(Packet::Description { cname: Some(read), .. }) if read == name.as_bytes())
            );
        }
    }

    #[test]
    fn a_description_may_hold_several_chunks() {
        // Two sources: one with a NAME before its CNAME, one that ends with the packet instead of a zero.
        let first = [0, 0, 0, 1, 2, 1, b'n', 1, 2, b'c', b'n', 0];
        let second = [0, 0, 0, 2, 1, 2, b'x', b'y'];
        let bytes = [&[0x82, 202, 0, 5][..], &first, &second].concat();
        let packet = Compound::parse(&bytes).unwrap().packets().next();
        assert!(matches!(packet, Some(Packet::Description { ssrc: 1, cname: Some(b"cn") })));
    }

    #[test]
    fn padding_may_stand_in_any_packet() {
        let padded = [0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4];
        let bytes = [&padded[..], &[0x80, 201, 0, 1, 0, 0, 0, 2]].concat();
        let packets: Vec<_> = Compound::parse(&bytes).unwrap().packets().collect();
        assert!(matches!(
            packets[..],
            [Packet::ReceiverReport { ssrc: 1, .. }, Packet::ReceiverReport { ssrc: 2, .. }]
        ));
    }

    #[test]
    fn a_reduced_size_packet_stands_alone() {
        // Generic NACK (RFC 4585), type 205, alone in its datagram.
        let bytes = [0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 5, 0, 0];
        let packet = Compound::parse(&bytes).unwrap().packets().next();
        assert!(matches!(packet, Some(Packet::Other { packet_type: 205, count: 1, .. })));
    }

    #[test]
    fn bad_datagrams_are_named() {
        let table: [(&[u8], RtcpError); 13] = [
            (&[], RtcpError::Short),
            (&[0x80, 201, 0], RtcpError::Short),
            (&[0x80, 201, 0, 1], RtcpError::Short),
            (&[0x00, 201, 0, 1, 0, 0, 0, 0], RtcpError::Version),
            (&[0x80, 96, 0, 1, 0, 0, 0, 0], RtcpError::Type),
            // A report block promised, none there.
            (&[0x81, 201, 0, 1, 0, 0, 0, 0], RtcpError::Short),
            (&[0xa0, 201, 0, 1, 0, 0, 0, 8], RtcpError::Padding),
            (&[0xa0, 201, 0, 0], RtcpError::Padding),
            // SDES: an item beyond its chunk, a type without a length, two chunks promised.
            (&[0x81, 202, 0, 2, 0, 0, 0, 1, 1, 3, b'a', b'b'], RtcpError::Short),
            (&[0x81, 202, 0, 2, 0, 0, 0, 1, 1, 1, b'a', 1], RtcpError::Short),
            (&[0x82, 202, 0, 2, 0, 0, 0, 1, 1, 1, b'a', 0], RtcpError::Short),
            // BYE: two sources promised, a reason beyond the packet.
            (&[0x82, 203, 0, 1, 0, 0, 0, 1], RtcpError::Short),
            (&[0x81, 203, 0, 2, 0, 0, 0, 1, 4, b'b', b'y', b'e'], RtcpError::Short),
        ];
        for (bytes, error) in table {
            assert_eq!(Compound::parse(bytes).unwrap_err(), error, "{bytes:02x?}");
        }
    }

    #[test]
    fn the_ports_are_told_apart() {
        assert!(is_rtcp(&[0x80, 200, 0, 6]) && is_rtcp(&[0x80, 206, 0, 6]));
        // RTP with payload 0 and the marker is 128, with payload 127 and the marker 255.
        assert!(!is_rtcp(&[0x80, 0, 0, 6]) && !is_rtcp(&[0x80, 128, 0, 6]) && !is_rtcp(&[0x80, 255, 0, 6]));
        assert!(!is_rtcp(&[0x80, 200]));
    }

    proptest! {
        #[test]
        fn sec_22_any_rtcp_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
            if let Ok(compound) = Compound::parse(&bytes) {
                for packet in compound.packets() {
                    if let Packet::SenderReport { blocks, .. } | Packet::ReceiverReport { blocks, .. } = packet {
                        prop_assert!(blocks.iter().count() < 32);
                    }
                }
            }
        }

        #[test]
        fn blocks_read_back(ssrc: u32, fraction_lost: u8, cumulative_lost in -0x80_0000..0x80_0000_i32,
                            sequence: u32, jitter: u32, lsr: u32, dlsr: u32) {
            let block = ReportBlock { ssrc, fraction_lost, cumulative_lost, extended_highest_sequence: sequence,
                jitter, last_sender_report: lsr, delay_since_last_sender_report: dlsr };
            let mut bytes = Vec::new();
            write_receiver_report(&mut bytes, 3, &[block, block]);
            let Some(Packet::ReceiverReport { ssrc: 3, blocks }) =
                Compound::parse(&bytes).unwrap().packets().next() else { return Err(TestCaseError::fail("type")) };
            prop_assert_eq!(blocks.iter().collect::<Vec<_>>(), vec![block, block]);
        }
    }
}
