//! Checking and opening what a leg sends.

use super::keys::{MasterKey, RTCP, RTP, SessionKeys};
use super::sender::{RTCP_HEADER, RTCP_INDEX, RTCP_TAG};
use super::window::Window;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use wire::rtp;

/// Streams of one remote that are told apart at the same time; a phone has one, and a new one after a transfer.
const STREAMS: usize = 8;

/// Why a packet was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No packet of this kind at all.
    Malformed,
    /// Its tag is wrong: a forger's, or another key's.
    Forged,
    /// It came before, or is too old to know.
    Replayed,
}

/// All incoming streams under one key.
#[derive(Debug)]
pub struct Receiver {
    rtp: SessionKeys,
    rtcp: SessionKeys,
    tag_len: usize,
    identifier_len: usize,
    streams: [Option<Stream>; STREAMS],
    /// The stream that is replaced next.
    next: usize,
}

#[derive(Clone, Copy, Debug)]
struct Stream {
    ssrc: u32,
    rtp: Window,
    rtcp: Window,
}

impl Receiver {
    /// Nothing came yet under this key.
    #[must_use]
    pub fn new(key: &MasterKey) -> Receiver {
        Receiver {
            rtp: SessionKeys::derive(key, RTP),
            rtcp: SessionKeys::derive(key, RTCP),
            tag_len: key.suite.tag_len(),
            identifier_len: key.identifier_len.into(),
            streams: [None; STREAMS],
            next: 0,
        }
    }

    /// Checks an RTP packet and opens it in place. Returns its length without the tag, and whether it is newer than all
    /// before it.
    ///
    /// # Errors
    /// Why it is not to be taken; the buffer is unchanged then.
    #[inline]
    pub fn open(&mut self, packet: &mut [u8]) -> Result<(usize, bool), Fault> {
        let tag_at = packet.len().checked_sub(self.tag_len).ok_or(Fault::Malformed)?;
        let end = tag_at.checked_sub(self.identifier_len).ok_or(Fault::Malformed)?;
        let (header, body) = rtp::read_protected(&packet[..end]).map_err(|_| Fault::Malformed)?;
        let known = self.stream(header.ssrc);
        let window = known.map_or_else(Window::default, |stream| stream.rtp);
        let index = window.index_of(header.sequence);
        if !window.is_fresh(index) {
            return Err(Fault::Replayed);
        }
        // RFC 3711 section 4.2: the rollover counter is authenticated too, and no key identifier.
        let tag = self.rtp.tag(&packet[..end], &((index >> 16) as u32).to_be_bytes());
        verify_slices_are_equal(&tag.as_ref()[..self.tag_len], &packet[tag_at..])
            .map_err(|_| Fault::Forged)?;
        self.rtp.apply(header.ssrc, index, &mut packet[body..end]);
        let newest = window.is_newest(index);
        self.note(header.ssrc, |stream| stream.rtp.note(index));
        Ok((end, newest))
    }

    /// Checks an RTCP compound and opens it in place. Returns its length without index and tag.
    ///
    /// # Errors
    /// Why it is not to be taken; the buffer is unchanged then.
    pub fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Fault> {
        let tag_at = packet.len().checked_sub(RTCP_TAG).ok_or(Fault::Malformed)?;
        let index_end = tag_at.checked_sub(self.identifier_len).ok_or(Fault::Malformed)?;
        let end = index_end.checked_sub(RTCP_INDEX).ok_or(Fault::Malformed)?;
        let ssrc = packet[..end].get(4..RTCP_HEADER).and_then(<[u8]>::first_chunk::<4>);
        let ssrc = u32::from_be_bytes(*ssrc.ok_or(Fault::Malformed)?);
        let word = packet[end..index_end].first_chunk::<4>().ok_or(Fault::Malformed)?;
        let word = u32::from_be_bytes(*word);
        let index = u64::from(word & 0x7fff_ffff);
        let known = self.stream(ssrc);
        if known.is_some_and(|stream| !stream.rtcp.is_fresh(index)) {
            return Err(Fault::Replayed);
        }
        let tag = self.rtcp.tag(&packet[..index_end], &[]);
        verify_slices_are_equal(&tag.as_ref()[..RTCP_TAG], &packet[tag_at..]).map_err(|_| Fault::Forged)?;
        if word >> 31 == 1 {
            self.rtcp.apply(ssrc, index, &mut packet[RTCP_HEADER..end]);
        }
        self.note(ssrc, |stream| stream.rtcp.note(index));
        Ok(end)
    }

    #[inline]
    fn stream(&self, ssrc: u32) -> Option<&Stream> {
        self.streams.iter().flatten().find(|stream| stream.ssrc == ssrc)
    }

    /// Only an authentic packet may make a stream.
    #[inline]
    fn note(&mut self, ssrc: u32, note: impl FnOnce(&mut Stream)) {
        if let Some(stream) = self.streams.iter_mut().flatten().find(|stream| stream.ssrc == ssrc) {
            return note(stream);
        }
        let mut stream = Stream { ssrc, rtp: Window::default(), rtcp: Window::default() };
        note(&mut stream);
        self.streams[self.next] = Some(stream);
        self.next = (self.next + 1) % STREAMS;
    }
}
