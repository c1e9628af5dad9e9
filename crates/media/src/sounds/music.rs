//! Music on hold, composed here so that nobody's rights are touched: soft chords, and an arpeggio above.
//!
//! ```text
//! Cmaj7   Am7   Fmaj7   Gsus   Em7   Am7   Dm7   G        3 s each; what rings on past the end is
//!                                                         heard at the beginning, so the loop has no seam
//! ```

use super::RATE;
use std::f64::consts::TAU;

const CHORD_S: f64 = 3.0;
/// Each as MIDI notes, the bass first.
const CHORDS: [[u8; 5]; 8] = [
    [48, 60, 64, 67, 71],
    [45, 57, 60, 64, 67],
    [41, 57, 60, 64, 65],
    [43, 55, 60, 62, 67],
    [40, 59, 62, 64, 67],
    [45, 57, 60, 64, 69],
    [50, 57, 60, 62, 65],
    [43, 55, 59, 62, 67],
];
/// The notes of a chord in the order in which they are plucked, eight a chord.
const ARPEGGIO: [usize; 8] = [1, 3, 2, 4, 3, 2, 4, 3];
/// The loudest sample: about 12 dB below the top, where speech is.
const PEAK: f32 = 9000.0;

/// One loop at [`RATE`].
pub(super) fn compose() -> Vec<i16> {
    let length = (CHORDS.len() as f64 * CHORD_S * f64::from(RATE)) as usize;
    let mut sound = vec![0.0_f32; length];
    for (number, chord) in CHORDS.iter().enumerate() {
        let start = number as f64 * CHORD_S;
        for (place, &note) in chord.iter().enumerate() {
            let loud = if place == 0 { 0.20 } else { 0.09 };
            // Two voices a little apart make it warm.
            for detune in [0.9985, 1.0015] {
                pad(&mut sound, start, pitch(note) * detune, loud);
            }
        }
        let step = CHORD_S / ARPEGGIO.len() as f64;
        for (beat, &place) in ARPEGGIO.iter().enumerate() {
            let loud = if beat % 4 == 0 { 0.24 } else { 0.16 };
            pluck(&mut sound, start + beat as f64 * step, pitch(chord[place] + 12), loud);
        }
    }
    let loudest = sound.iter().fold(1e-9_f32, |most, sample| most.max(sample.abs()));
    sound.iter().map(|sample| (sample / loudest * PEAK) as i16).collect()
}

fn pitch(note: u8) -> f64 {
    440.0 * ((f64::from(note) - 69.0) / 12.0).exp2()
}

/// A note that swells, stays for its chord, and fades into the next one.
fn pad(sound: &mut [f32], start: f64, hertz: f64, loud: f32) {
    let (swell, fade) = (0.8, 1.2);
    let rate = f64::from(RATE);
    let held = (CHORD_S * rate) as usize;
    let (swell, fade) = ((swell * rate) as usize, (fade * rate) as usize);
    let shape = |n: usize| {
        let rise = (n as f32 / swell as f32).min(1.0);
        let fall = ((held + fade - n) as f32 / fade as f32).min(1.0);
        loud * rise * rise * fall * fall
    };
    add(sound, start, hertz, held + fade, shape);
}

/// A note that is struck and dies away, with two partials that die sooner.
fn pluck(sound: &mut [f32], start: f64, hertz: f64, loud: f32) {
    for (partial, part, decay_s) in [(1.0, 1.0, 0.55), (2.0, 0.28, 0.30), (3.0, 0.10, 0.16)] {
        let length = decay_s * 5.0 * f64::from(RATE);
        let fall = (-1.0 / (decay_s * f64::from(RATE))).exp() as f32;
        let (mut level, attack) = (loud * part, 0.006 * RATE as f32);
        let shape = move |n: usize| {
            level *= fall;
            level * (n as f32 / attack).min(1.0)
        };
        add(sound, start, hertz * partial, length as usize, shape);
    }
}

/// Adds a sine under an envelope; what does not fit before the end goes to the beginning.
fn add(sound: &mut [f32], start: f64, hertz: f64, length: usize, mut shape: impl FnMut(usize) -> f32) {
    let turn = hertz * TAU / f64::from(RATE);
    // y[n] = 2 cos(w) y[n-1] - y[n-2] is a sine without a call of sin() a sample.
    let factor = 2.0 * turn.cos();
    let (mut before, mut now) = (-turn.sin(), 0.0_f64);
    let mut place = (start * f64::from(RATE)) as usize % sound.len();
    for n in 0..length {
        sound[place] += now as f32 * shape(n);
        (before, now) = (now, factor * now - before);
        place += 1;
        if place == sound.len() {
            place = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_piece_is_calm_and_has_no_seam() {
        let music = compose();
        assert_eq!(music.len(), 24 * RATE as usize);
        let level = |part: &[i16]| {
            (part.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / part.len() as f64).sqrt()
        };
        let levels: Vec<f64> = music.chunks(RATE as usize).map(level).collect();
        let (softest, loudest) = levels.iter().fold((f64::MAX, 0.0_f64), |(a, b), &l| (a.min(l), b.max(l)));
        assert!(softest > 500.0 && loudest < 4.0 * softest, "{levels:?}");
        let step = |a: i16, b: i16| (i32::from(a) - i32::from(b)).abs();
        let steepest = music.windows(2).map(|pair| step(pair[0], pair[1])).max().unwrap();
        assert!(step(music[0], music[music.len() - 1]) <= steepest);
        assert_eq!(music, compose(), "the same each time");
    }
}
