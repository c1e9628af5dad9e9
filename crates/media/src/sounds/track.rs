//! One sound in the four codecs.
//!
//! The three codecs of 64 kbit/s have eight octets a millisecond and are cut where a packet ends; Opus has
//! packets of 20 ms.

use super::RATE;
use crate::codec::{Encoder, Resampler, Voice};

/// The three of 64 kbit/s.
const OCTETS_PER_MS: usize = 8;
/// The packets of Opus, and what every length is a multiple of.
const STEP_MS: usize = 20;

/// A sound, encoded.
#[derive(Debug)]
pub(crate) struct Track {
    length_ms: u32,
    pcmu: Box<[u8]>,
    pcma: Box<[u8]>,
    g722: Box<[u8]>,
    opus: Box<[u8]>,
    /// Where each packet of `opus` ends.
    opus_ends: Box<[u32]>,
}

impl Track {
    /// Encodes sound at [`RATE`].
    pub(super) fn new(sound: &[i16]) -> Track {
        let step = STEP_MS * RATE as usize / 1000;
        let mut wide = sound.to_vec();
        wide.resize(sound.len().next_multiple_of(step), 0);
        let mut narrow = Vec::with_capacity(wide.len() / 2 + 1);
        if let Some(mut resampler) = Resampler::new(RATE, 8000) {
            resampler.convert(&wide, &mut narrow);
        }
        let (opus, opus_ends) = opus(&wide, step);
        Track {
            length_ms: (wide.len() / (RATE as usize / 1000)) as u32,
            pcmu: whole(Voice::Pcmu, &narrow),
            pcma: whole(Voice::Pcma, &narrow),
            g722: whole(Voice::G722, &wide),
            opus,
            opus_ends,
        }
    }

    pub(crate) fn length_ms(&self) -> u32 {
        self.length_ms
    }

    /// Appends the payload of the packet that begins at `at_ms` and returns how many ms it has: `ms`, less
    /// at the end of the sound unless it is in a loop, always 20 for Opus.
    pub(crate) fn cut(&self, voice: Voice, at_ms: u32, ms: u32, looped: bool, out: &mut Vec<u8>) -> u32 {
        let octets = match voice {
            Voice::Pcmu => &self.pcmu,
            Voice::Pcma => &self.pcma,
            Voice::G722 => &self.g722,
            Voice::Opus => return self.cut_opus(at_ms, out),
        };
        let start = (at_ms as usize * OCTETS_PER_MS).min(octets.len());
        let wanted = ms as usize * OCTETS_PER_MS;
        let first = &octets[start..octets.len().min(start + wanted)];
        out.extend_from_slice(first);
        let rest = &octets[..if looped { (wanted - first.len()).min(octets.len()) } else { 0 }];
        out.extend_from_slice(rest);
        ((first.len() + rest.len()) / OCTETS_PER_MS) as u32
    }

    fn cut_opus(&self, at_ms: u32, out: &mut Vec<u8>) -> u32 {
        let number = at_ms as usize / STEP_MS;
        let end = self.opus_ends.get(number).copied().unwrap_or(0) as usize;
        let start = number.checked_sub(1).and_then(|before| self.opus_ends.get(before)).map_or(0, |&end| end);
        out.extend_from_slice(self.opus.get(start as usize..end).unwrap_or(&[]));
        STEP_MS as u32
    }
}

fn whole(voice: Voice, sound: &[i16]) -> Box<[u8]> {
    let mut out = Vec::with_capacity(sound.len());
    if let Some(mut encoder) = Encoder::of_recordings(voice) {
        encoder.encode(sound, &mut out);
    }
    out.into()
}

fn opus(sound: &[i16], step: usize) -> (Box<[u8]>, Box<[u32]>) {
    let mut out = Vec::new();
    let Some(mut encoder) = Encoder::of_recordings(Voice::Opus) else { return Default::default() };
    let mut ends = Vec::with_capacity(sound.len() / step);
    for frame in sound.chunks_exact(step) {
        encoder.encode(frame, &mut out);
        ends.push(out.len() as u32);
    }
    (out.into(), ends.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Decoder, MAX_SAMPLES};

    #[test]
    fn every_codec_plays_the_whole_sound() {
        let sound: Vec<i16> =
            (0..16_000_u32).map(|n| (f64::from(n) * 0.3).sin().mul_add(8000.0, 0.0) as i16).collect();
        let track = Track::new(&sound[..15_900]);
        assert_eq!(track.length_ms(), 1000);
        for (voice, ms) in Voice::ALL.into_iter().flat_map(|voice| [10, 20, 30, 60].map(|ms| (voice, ms))) {
            let ms = voice.packet_ms(ms);
            let mut decoder = Decoder::new(voice).unwrap();
            let (mut at, mut samples, mut energy, mut out) = (0, 0, 0.0, [0; MAX_SAMPLES]);
            while at < track.length_ms() {
                let mut payload = Vec::new();
                at += track.cut(voice, at, ms, false, &mut payload);
                let count = decoder.decode(&payload, &mut out);
                samples += count;
                energy += out[..count].iter().map(|&s| f64::from(s).powi(2)).sum::<f64>();
            }
            assert_eq!(samples, voice.sample_rate() as usize, "{voice:?} {ms}");
            let level = 20.0 * ((energy / samples as f64).sqrt() / 5657.0).log10();
            assert!(level.abs() < 1.0, "{voice:?} {level}");
        }
    }

    #[test]
    fn a_loop_has_no_short_packet() {
        let track = Track::new(&[100; 640]);
        let mut payload = Vec::new();
        assert_eq!(track.cut(Voice::Pcmu, 20, 30, true, &mut payload), 30);
        assert_eq!(payload.len(), 240);
        assert_eq!(track.cut(Voice::Pcmu, 20, 30, false, &mut payload), 20);
        // Past the end there is nothing, and no panic.
        assert_eq!(track.cut(Voice::Pcma, 9000, 20, false, &mut payload), 0);
        track.cut(Voice::Opus, 9000, 20, false, &mut payload);
    }
}
