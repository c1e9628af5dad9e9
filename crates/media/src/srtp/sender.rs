//! Protecting what a leg is sent.

use super::keys::{MasterKey, RTCP, RTP, SessionKeys};
use super::window::Window;
use wire::rtp;

/// The tag of RTCP in bytes.
pub(super) const RTCP_TAG: usize = 10;
/// The index of RTCP in bytes, with the flag that says that it is encrypted.
pub(super) const RTCP_INDEX: usize = 4;
/// The header of RTCP that stays readable: its first word and the sender's SSRC.
pub(super) const RTCP_HEADER: usize = 8;

/// One outgoing stream: one SSRC, one key.
#[derive(Debug)]
pub struct Sender {
    rtp: SessionKeys,
    rtcp: SessionKeys,
    tag_len: usize,
    sent: Window,
    rtcp_index: u32,
}

impl Sender {
    /// A stream that starts with this key; its rollover counter is zero.
    #[must_use]
    pub fn new(key: &MasterKey) -> Sender {
        Sender {
            rtp: SessionKeys::derive(key, RTP),
            rtcp: SessionKeys::derive(key, RTCP),
            tag_len: key.suite.tag_len(),
            sent: Window::default(),
            rtcp_index: 0,
        }
    }

    /// Protects the RTP packet in the first `length` bytes of `buffer` in place. Returns its new length; `None` when
    /// there is no room for the tag, or when a packet of this number went out already: the same key stream must not
    /// cover two packets (RFC 3711 section 9.1).
    #[inline]
    pub fn protect(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        let end = length + self.tag_len;
        if buffer.len() < end {
            return None;
        }
        let (header, body) = rtp::read_protected(&buffer[..length]).ok()?;
        let index = self.sent.index_of(header.sequence);
        if !self.sent.is_fresh(index) {
            return None;
        }
        self.sent.note(index);
        self.rtp.apply(header.ssrc, index, &mut buffer[body..length]);
        let tag = self.rtp.tag(&buffer[..length], &((index >> 16) as u32).to_be_bytes());
        buffer[length..end].copy_from_slice(&tag.as_ref()[..self.tag_len]);
        Some(end)
    }

    /// Protects an RTCP compound.
    pub fn protect_rtcp(&mut self, packet: &mut Vec<u8>) {
        let Some(ssrc) = packet.get(4..RTCP_HEADER).and_then(<[u8]>::first_chunk::<4>) else { return };
        let ssrc = u32::from_be_bytes(*ssrc);
        // RFC 3711 section 3.4: the index is raised before each packet, modulo 2^31.
        self.rtcp_index = self.rtcp_index.wrapping_add(1) & 0x7fff_ffff;
        self.rtcp.apply(ssrc, self.rtcp_index.into(), &mut packet[RTCP_HEADER..]);
        packet.extend_from_slice(&(self.rtcp_index | 1 << 31).to_be_bytes());
        let tag = self.rtcp.tag(packet, &[]);
        packet.extend_from_slice(&tag.as_ref()[..RTCP_TAG]);
    }
}
