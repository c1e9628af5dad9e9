//! What a phone says: silence, a tone, or a recording over and over.

use super::RATE;
use crate::limits::MICROPHONE;
use media::{WavError, sounds};
use std::collections::VecDeque;
use std::f64::consts::TAU;
use std::sync::{Arc, Mutex, PoisonError};

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
    /// Whatever a person says.
    Microphone(Microphone),
}

/// What a microphone hears, at 16 kHz, between the thread that reads it and the one that sends it.
#[derive(Clone, Debug, Default)]
pub struct Microphone {
    waiting: Arc<Mutex<VecDeque<i16>>>,
}

impl Microphone {
    /// It heard this. Of more than 200 ms that wait, the newest are kept: old sound is only delay.
    pub fn push(&self, samples: impl IntoIterator<Item = i16>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(samples);
        let over = waiting.len().saturating_sub(MICROPHONE);
        waiting.drain(..over);
    }

    /// Nothing of what waits is for the next call.
    pub fn clear(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What is there; silence after it.
    fn fill(&self, out: &mut [i16]) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let there = waiting.len().min(out.len());
        for (sample, heard) in out.iter_mut().zip(waiting.drain(..there)) {
            *sample = heard;
        }
        out[there..].fill(0);
    }
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
            Source::Microphone(microphone) => microphone.fill(out),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_microphone_is_never_far_behind_and_silent_when_it_says_nothing() {
        let microphone = Microphone::default();
        let mut out = [7; 320];
        microphone.fill(&mut out);
        assert_eq!(out, [0; 320]);
        microphone.push((0..10_000).map(|place| place as i16));
        microphone.fill(&mut out);
        assert_eq!(out[0], 10_000 - MICROPHONE as i16, "the newest 200 ms");
        microphone.clear();
        microphone.push([5; 100]);
        microphone.fill(&mut out);
        assert_eq!((out[99], out[100]), (5, 0));
    }
}
