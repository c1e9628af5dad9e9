//! Whether what comes is digital silence: a phone that is muted, or whose microphone is not there.
//!
//! A few packets a second are looked at; a single sound in one of them and the leg is not muted.

use crate::codec::Voice;

/// One packet in so many is looked at.
const EVERY: u16 = 16;
/// So many in a row make a muted leg: about five seconds.
const ENOUGH: u8 = 16;

/// A packet of Opus that is no longer has nothing to say.
const OPUS_SILENT: usize = 10;

/// What was seen of one leg.
#[derive(Debug, Default)]
pub(super) struct Mute {
    silent: u8,
}

impl Mute {
    /// Whether the packet of this number is one to look at.
    #[inline]
    pub(super) fn wants(sequence: u16) -> bool {
        sequence.is_multiple_of(EVERY)
    }

    /// Looks at a payload.
    pub(super) fn look(&mut self, voice: Option<Voice>, payload: &[u8]) {
        let silent = match voice {
            // The two smallest steps of either sign.
            Some(Voice::Pcmu) => payload.iter().all(|octet| octet & 0x7e == 0x7e),
            Some(Voice::Pcma) => payload.iter().all(|octet| octet & 0x7e == 0x54),
            // 8 octets were measured of digital silence with FEC, at most 3 where transmission is cut
            // (RFC 6716 2.1.9); any room takes more.
            Some(Voice::Opus) => payload.len() <= OPUS_SILENT,
            // Its predictor makes noise of silence.
            Some(Voice::G722) | None => false,
        };
        self.silent = if silent { (self.silent + 1).min(ENOUGH) } else { 0 };
    }

    pub(super) fn is_muted(&self) -> bool {
        self.silent == ENOUGH
    }
}
