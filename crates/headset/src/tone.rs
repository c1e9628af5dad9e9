//! Sounds that a phone makes itself (ITU-T E.180: 425 Hz, and how long it sounds and is silent).

use crate::RATE;
use std::f64::consts::TAU;

const HERTZ: f64 = 425.0;
/// About -23 dBFS: heard, and nothing to start at.
const PEAK: f64 = 3_000.0;
/// The bell is louder, and moves between two pitches, so that nobody takes it for a tone of the network.
const BELL: (f64, f64, f64) = (784.0, 988.0, 8_000.0);
/// How long each pitch of the bell lasts, in samples.
const BELL_STEP: u64 = RATE as u64 / 20;

/// A sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Silence.
    #[default]
    None,
    /// It rings here.
    Ring,
    /// It rings there.
    Ringback,
    /// The far side is busy.
    Busy,
}

impl Tone {
    pub(crate) fn letter(self) -> u8 {
        match self {
            Tone::None => b'-',
            Tone::Ring => b'R',
            Tone::Ringback => b'A',
            Tone::Busy => b'B',
        }
    }

    pub(crate) fn of_letter(letter: u8) -> Option<Tone> {
        [Tone::None, Tone::Ring, Tone::Ringback, Tone::Busy].into_iter().find(|tone| tone.letter() == letter)
    }

    /// Milliseconds of sound, and of silence after it.
    fn rhythm(self) -> (u64, u64) {
        match self {
            Tone::None => (0, 1_000),
            Tone::Ring => (1_000, 3_000),
            Tone::Ringback => (1_000, 4_000),
            Tone::Busy => (500, 500),
        }
    }

    /// Fills `out`, which begins `position` samples after the tone did.
    pub fn fill(self, position: u64, out: &mut [i16]) {
        let milliseconds = u64::from(RATE) / 1_000;
        let (on, off) = self.rhythm();
        let (on, period) = (on * milliseconds, (on + off) * milliseconds);
        for (offset, sample) in (position..).zip(out) {
            *sample = if offset % period < on { self.sample(offset) } else { 0 };
        }
    }

    fn sample(self, offset: u64) -> i16 {
        let (hertz, peak) = match self {
            Tone::Ring if (offset / BELL_STEP).is_multiple_of(2) => (BELL.0, BELL.2),
            Tone::Ring => (BELL.1, BELL.2),
            _ => (HERTZ, PEAK),
        };
        let turns = offset as f64 * hertz / f64::from(RATE);
        ((turns.fract() * TAU).sin() * peak).round() as i16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loud(tone: Tone, second: u64, tenth: u64) -> bool {
        let mut out = [0; 160];
        tone.fill(u64::from(RATE) * second + u64::from(RATE) / 10 * tenth, &mut out);
        out.iter().any(|sample| sample.unsigned_abs() > 1_000)
    }

    #[test]
    fn each_tone_has_its_rhythm() {
        for (tone, second, tenth, wanted) in [
            (Tone::None, 0, 1, false),
            (Tone::Ring, 0, 5, true),
            (Tone::Ring, 2, 0, false),
            (Tone::Ring, 4, 5, true),
            (Tone::Ringback, 0, 9, true),
            (Tone::Ringback, 4, 9, false),
            (Tone::Ringback, 5, 1, true),
            (Tone::Busy, 0, 2, true),
            (Tone::Busy, 0, 7, false),
            (Tone::Busy, 1, 2, true),
        ] {
            assert_eq!(loud(tone, second, tenth), wanted, "{tone:?} at {second}.{tenth} s");
        }
    }
}
