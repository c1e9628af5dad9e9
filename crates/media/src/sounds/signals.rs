//! Beeps and call progress tones, computed.

use super::RATE;
use crate::order::Tone;
use std::f64::consts::TAU;

/// About -12 dBm0, where networks have their tones (ETSI TR 101 041-2).
const TONE_PEAK: f64 = 5700.0;
const BEEP_PEAK: f64 = 7000.0;
const BEEP_HZ: f64 = 1000.0;
/// A hard edge would click.
const EDGE_MS: f64 = 5.0;

/// One loop of a call progress tone.
pub(super) fn tone(tone: Tone) -> Vec<i16> {
    let (on, off) = match tone {
        Tone::RingBack => (1000, 4000),
        Tone::Busy => (500, 500),
        Tone::Congestion => (200, 200),
        // Whole periods of 425 Hz, so that the loop has no seam.
        Tone::Dial => return sine(425.0, TONE_PEAK, 1000).collect(),
    };
    let mut sound = burst(425.0, TONE_PEAK, on);
    sound.resize(sound.len() + samples(off), 0);
    sound
}

/// What the echo number says first.
pub(super) fn three_beeps() -> Vec<i16> {
    let mut sound = Vec::new();
    for pause in [100, 100, 300] {
        sound.extend(burst(BEEP_HZ, BEEP_PEAK, 120));
        sound.resize(sound.len() + samples(pause), 0);
    }
    sound
}

/// One beep.
pub(super) fn beep() -> Vec<i16> {
    burst(BEEP_HZ, BEEP_PEAK, 200)
}

fn burst(hertz: f64, peak: f64, ms: u32) -> Vec<i16> {
    let edge = EDGE_MS * f64::from(RATE) / 1000.0;
    let end = samples(ms) as f64;
    let shape = |n: usize| ((n as f64).min(end - 1.0 - n as f64) / edge).min(1.0);
    sine(hertz, peak, ms).enumerate().map(|(n, sample)| (f64::from(sample) * shape(n)) as i16).collect()
}

fn sine(hertz: f64, peak: f64, ms: u32) -> impl Iterator<Item = i16> {
    (0..samples(ms)).map(move |n| ((n as f64 * hertz * TAU / f64::from(RATE)).sin() * peak) as i16)
}

fn samples(ms: u32) -> usize {
    (ms * RATE / 1000) as usize
}
