//! What a phone says: silence, a tone, or a recording over and over.

use super::RATE;
use media::{WavError, sounds};
use std::f64::consts::TAU;
use std::sync::Arc;

/// RMS -9 dBFS: loud and far from clipping.
const TONE_PEAK: f64 = 32_768.0 * 0.354_8 * std::f64::consts::SQRT_2;

/// What a phone says.
#[derive(Clone, Debug, Default)]
pub enum Source {
    /// Nothing.
    #[default]
    Silence,
    /// A sine of so many hertz.
    Tone(f64),
    /// A recording at 16 kHz, looped.
    Recording(Arc<[i16]>),
}

impl Source {
    /// A RIFF file with 16-bit PCM, mono or stereo, of any usual rate.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn wav(file: &[u8]) -> Result<Source, WavError> {
        Ok(Source::Recording(sounds::read_wav(file)?.into()))
    }

    /// Fills `out`, which begins `position` samples after the start, at 16 kHz.
    pub(super) fn fill(&self, position: u64, out: &mut [i16]) {
        match self {
            Source::Silence => out.fill(0),
            Source::Tone(hertz) => {
                for (offset, sample) in out.iter_mut().enumerate() {
                    let turns = (position + offset as u64) as f64 * hertz / f64::from(RATE);
                    *sample = ((turns.fract() * TAU).sin() * TONE_PEAK).round() as i16;
                }
            }
            Source::Recording(sound) => {
                for (offset, sample) in out.iter_mut().enumerate() {
                    let place = (position + offset as u64) % sound.len().max(1) as u64;
                    *sample = sound.get(place as usize).copied().unwrap_or(0);
                }
            }
        }
    }
}
