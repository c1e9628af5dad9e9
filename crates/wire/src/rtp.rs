//! RTP (RFC 3550 section 5.1): a checked header view, and the in-place rewrite of a relay.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//! |                           timestamp                           |
//! |                              SSRC                             |
//! |                    CSRC, CC times 32 bits                     |
//! |   profile of the extension    |     its length in words       |  only when X
//! |                  extension, payload, padding                  |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use std::fmt;

/// The fixed part of the header, in bytes.
pub const HEADER_LEN: usize = 12;

/// Why a datagram is no RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtpError {
    /// Shorter than its header, CSRC list or extension says.
    Short,
    /// Not version 2.
    Version,
    /// The padding count is zero or longer than what follows the header.
    Padding,
}

impl fmt::Display for RtpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RtpError::Short => "RTP packet too short",
            RtpError::Version => "not RTP version 2",
            RtpError::Padding => "bad RTP padding",
        })
    }
}

impl std::error::Error for RtpError {}

/// The five fields that a relay reads and rewrites.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The marker bit: the first packet of a talk spurt, for audio.
    pub marker: bool,
    /// The payload number, 0 to 127.
    pub payload_type: u8,
    /// Counts packets, wraps.
    pub sequence: u16,
    /// Counts ticks of the codec's RTP clock, wraps.
    pub timestamp: u32,
    /// The synchronisation source.
    pub ssrc: u32,
}

impl Header {
    /// The 12 bytes of a packet without CSRC, extension and padding.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[0] = 2 << 6;
        self.fill(&mut bytes);
        bytes
    }

    fn fill(&self, bytes: &mut [u8; HEADER_LEN]) {
        bytes[1] = u8::from(self.marker) << 7 | self.payload_type & 0x7f;
        bytes[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
    }
}

/// A checked packet; borrows the datagram.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    bytes: &'a [u8],
    /// The fixed fields.
    pub header: Header,
    body: usize,
    end: usize,
}

/// The fixed fields and the length of the whole header, CSRC list and extension included: all that can be read of a
/// packet whose payload and padding are encrypted (RFC 3711 section 3.1).
///
/// # Errors
/// Says what is wrong with the header.
#[inline]
pub fn read_protected(bytes: &[u8]) -> Result<(Header, usize), RtpError> {
    let Some(fixed) = bytes.first_chunk::<HEADER_LEN>() else { return Err(RtpError::Short) };
    let body = body_offset(bytes, fixed)?;
    Ok((read_header(fixed), body))
}

#[inline]
fn body_offset(bytes: &[u8], fixed: &[u8; HEADER_LEN]) -> Result<usize, RtpError> {
    if fixed[0] >> 6 != 2 {
        return Err(RtpError::Version);
    }
    let mut body = HEADER_LEN + 4 * usize::from(fixed[0] & 0x0f);
    if fixed[0] & 0x10 != 0 {
        let words = bytes.get(body + 2..body + 4).ok_or(RtpError::Short)?;
        body += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    if body > bytes.len() { Err(RtpError::Short) } else { Ok(body) }
}

impl<'a> Packet<'a> {
    /// Checks every length in the datagram.
    ///
    /// # Errors
    /// Says what is wrong; such a datagram is counted and dropped, never answered.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Packet<'a>, RtpError> {
        let Some(fixed) = bytes.first_chunk::<HEADER_LEN>() else { return Err(RtpError::Short) };
        let body = body_offset(bytes, fixed)?;
        let mut end = bytes.len();
        if fixed[0] & 0x20 != 0 {
            let padding = usize::from(bytes[end - 1]);
            if padding == 0 || padding > end - body {
                return Err(RtpError::Padding);
            }
            end -= padding;
        }
        Ok(Packet { bytes, header: read_header(fixed), body, end })
    }

    /// What the codec made, without padding.
    #[must_use]
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[self.body..self.end]
    }

    /// The contributing sources.
    pub fn csrcs(&self) -> impl Iterator<Item = u32> + use<'a> {
        let count = usize::from(self.bytes[0] & 0x0f);
        self.bytes[HEADER_LEN..HEADER_LEN + 4 * count]
            .as_chunks::<4>()
            .0
            .iter()
            .map(|word| u32::from_be_bytes(*word))
    }

    /// The extension's profile and its bytes (RFC 3550 5.3.1).
    #[must_use]
    pub fn extension(&self) -> Option<(u16, &'a [u8])> {
        if self.bytes[0] & 0x10 == 0 {
            return None;
        }
        let start = HEADER_LEN + 4 * usize::from(self.bytes[0] & 0x0f);
        let profile = u16::from_be_bytes([self.bytes[start], self.bytes[start + 1]]);
        Some((profile, &self.bytes[start + 4..self.body]))
    }

    /// How many bytes of padding end the packet, their count included.
    #[must_use]
    pub fn padding(&self) -> usize {
        self.bytes.len() - self.end
    }
}

#[inline]
fn read_header(fixed: &[u8; HEADER_LEN]) -> Header {
    Header {
        marker: fixed[1] & 0x80 != 0,
        payload_type: fixed[1] & 0x7f,
        sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
        timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
        ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
    }
}

/// Gives a packet new fixed fields in place and leaves CSRC, extension, payload and padding alone.
/// Returns whether it was long enough.
#[inline]
pub fn rewrite(packet: &mut [u8], header: &Header) -> bool {
    match packet.first_chunk_mut::<HEADER_LEN>() {
        Some(fixed) => {
            header.fill(fixed);
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain() -> Vec<u8> {
        let header =
            Header { marker: true, payload_type: 8, sequence: 0xfffe, timestamp: 0x0102_0304, ssrc: 9 };
        [&header.to_bytes()[..], b"sound"].concat()
    }

    #[test]
    fn reads_what_it_wrote() {
        let bytes = plain();
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!(packet.header.sequence, 0xfffe);
        assert_eq!(packet.header.timestamp, 0x0102_0304);
        assert!(packet.header.marker);
        assert_eq!(packet.payload(), b"sound");
        assert_eq!((packet.padding(), packet.extension(), packet.csrcs().count()), (0, None, 0));
    }

    #[test]
    fn csrc_extension_and_padding_are_kept_apart() {
        let mut bytes = plain()[..12].to_vec();
        bytes[0] = 0x80 | 0x20 | 0x10 | 2;
        bytes.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 2]);
        bytes.extend_from_slice(&[0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0]);
        bytes.extend_from_slice(b"abc\0\0\x03");
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!(packet.csrcs().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(packet.extension(), Some((0xbede, &[0x10, 0xff, 0, 0][..])));
        assert_eq!((packet.payload(), packet.padding()), (&b"abc"[..], 3));
    }

    #[test]
    fn bad_packets_are_named() {
        let mut table: Vec<(Vec<u8>, RtpError)> = vec![
            (Vec::new(), RtpError::Short),
            (plain()[..11].to_vec(), RtpError::Short),
            ([&[0x40], &plain()[1..]].concat(), RtpError::Version),
            // Fifteen CSRC promised, five bytes there.
            ([&[0x8f], &plain()[1..]].concat(), RtpError::Short),
            ([&[0x90], &plain()[1..12]].concat(), RtpError::Short),
        ];
        let mut padded = plain();
        padded[0] |= 0x20;
        for count in [0, 6, 255] {
            *padded.last_mut().unwrap() = count;
            table.push((padded.clone(), RtpError::Padding));
        }
        // Padding promised in a packet that is only a header.
        table.push(([&[0xa0], &plain()[1..12]].concat(), RtpError::Padding));
        for (bytes, error) in table {
            assert_eq!(Packet::parse(&bytes).unwrap_err(), error, "{bytes:02x?}");
        }
    }

    proptest! {
        #[test]
        fn sec_22_any_rtp_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(packet) = Packet::parse(&bytes) {
                let parts = packet.payload().len() + packet.padding();
                prop_assert!(parts + HEADER_LEN <= bytes.len());
                prop_assert_eq!(packet.csrcs().count(), usize::from(bytes[0] & 15));
                let _ = packet.extension();
            }
        }

        #[test]
        fn a_rewrite_changes_only_the_twelve_bytes(
            marker: bool, payload_type in 0_u8..128, sequence: u16, timestamp: u32, ssrc: u32,
        ) {
            let header = Header { marker, payload_type, sequence, timestamp, ssrc };
            let mut bytes = plain();
            bytes[0] |= 0x20;
            *bytes.last_mut().unwrap() = 2;
            prop_assert!(rewrite(&mut bytes, &header));
            let packet = Packet::parse(&bytes).unwrap();
            prop_assert_eq!(packet.header, header);
            prop_assert_eq!((packet.payload(), packet.padding()), (&b"sou"[..], 2));
        }
    }
}
