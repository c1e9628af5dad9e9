//! Special information tones: three rising tones, one after another, before a network's announcement that a call was not put
//! through (ITU-T E.180 6, Q.35 5.2). North American networks say by the height of the first two what is the matter.
//!
//! ```text
//! 950, 1400, 1800 Hz, each within 50 Hz, 330 ms each within 70 ms, at most 30 ms between
//!          985.2 1370.6  vacant code       913.8 1428.5  reorder
//!          913.8 1370.6  intercept         985.2 1428.5  no circuit        the third is 1776.7 Hz
//! ```

use super::RATE;
use std::f64::consts::TAU;

/// What a network announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    /// Nobody has that number; also by networks that do not say what is the matter.
    Vacant,
    /// No way there is free.
    Congestion,
}

/// Samples that are judged together, 40 ms, at each [`STEP`].
const WINDOW: usize = RATE as usize / 25;
const STEP: usize = WINDOW / 2;
/// What of a window's power a tone has at least that is alone in it.
const ALONE: f64 = 0.7;
/// Mean square of samples below which nothing is heard: about -55 dBm0, well under the tone's -24 (Q.35).
const QUIET: f64 = 100.0 * 100.0 / 4.0;
/// Steps of one tone: 230 to 430 ms, with windows that reach beyond its edges.
const SHORTEST: u32 = 9;
const LONGEST: u32 = 23;
/// Steps between two tones in which neither is alone.
const GAP: u32 = 4;
/// The tones, what each may be off, and the distance at which a window is asked for it.
const TONES: [f64; 3] = [950.0, 1_400.0, 1_800.0];
const OFF: i32 = 52;
const EVERY: usize = 13;
/// From here on it is the low or the high one of two.
const HEIGHT: f64 = 14.0;

/// Listens for them in sound at 16 kHz.
#[derive(Clone, Debug, Default)]
pub struct InformationTones {
    window: Vec<f64>,
    /// Which tone has been heard last, for how many steps, and how many steps ago it ended.
    tone: usize,
    steps: u32,
    since: u32,
    /// By tone, how often each height was heard.
    heights: [[u32; 3]; 3],
}

impl InformationTones {
    /// Takes samples; says once, at the end of the third tone, what they announce.
    pub fn take(&mut self, samples: &[i16]) -> Option<Announced> {
        let mut found = None;
        for &sample in samples {
            self.window.push(f64::from(sample));
            if self.window.len() == WINDOW {
                let heard = tone_in(&self.window);
                self.window.drain(..STEP);
                found = self.step(heard).or(found);
            }
        }
        found
    }

    fn step(&mut self, heard: Option<(usize, usize)>) -> Option<Announced> {
        match heard {
            Some((tone, height)) if self.goes_on(tone) => {
                if tone != self.tone || self.steps == 0 {
                    (self.tone, self.steps) = (tone, 0);
                }
                self.steps = self.steps.saturating_add(1);
                self.since = 0;
                self.heights[tone][height] += 1;
                None
            }
            Some((0, height)) => {
                *self = InformationTones { window: std::mem::take(&mut self.window), ..Self::default() };
                self.steps = 1;
                self.heights[0][height] = 1;
                None
            }
            Some(_) => self.forget(),
            None => {
                self.since += 1;
                let whole = self.tone == 2 && self.is_long_enough();
                if whole {
                    let announced = self.announced();
                    self.forget();
                    return Some(announced);
                }
                if self.since > GAP { self.forget() } else { None }
            }
        }
    }

    /// The same tone once more, or the next after one that was long enough.
    fn goes_on(&self, tone: usize) -> bool {
        let same = tone == self.tone && self.steps > 0 && self.since == 0;
        same || (tone == self.tone + 1 && self.is_long_enough())
    }

    fn is_long_enough(&self) -> bool {
        (SHORTEST..=LONGEST).contains(&self.steps)
    }

    fn forget(&mut self) -> Option<Announced> {
        *self = InformationTones { window: std::mem::take(&mut self.window), ..Self::default() };
        None
    }

    /// A reorder and a lack of circuits both have the second tone high. Where a tone stands between the heights, nothing is said
    /// by it.
    fn announced(&self) -> Announced {
        let [low, plain, high] = self.heights[1];
        if high > low && high > plain { Announced::Congestion } else { Announced::Vacant }
    }
}

/// Which tone is alone in a window, and how high it is.
fn tone_in(window: &[f64]) -> Option<(usize, usize)> {
    let power = window.iter().map(|sample| sample * sample).sum::<f64>() / window.len() as f64;
    if power < QUIET {
        return None;
    }
    let near = |middle: f64| (-OFF..=OFF).step_by(EVERY).map(move |off| (middle, middle + f64::from(off)));
    let all = TONES.iter().enumerate().flat_map(|(tone, middle)| near(*middle).map(move |near| (tone, near)));
    let shares = all.map(|(tone, (middle, hertz))| (tone, hertz - middle, share(window, hertz) / power));
    let (tone, off, share) = shares.max_by(|(.., one), (.., other)| one.total_cmp(other))?;
    let height = if off < -HEIGHT { 0 } else { 1 + usize::from(off > HEIGHT) };
    (share >= ALONE).then_some((tone, height))
}

/// The power of one frequency in a window (Goertzel).
fn share(window: &[f64], hertz: f64) -> f64 {
    let step = TAU * hertz / f64::from(RATE);
    let twice = 2.0 * step.cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in window {
        (last, before) = (sample + twice * last - before, last);
    }
    let count = window.len() as f64;
    2.0 * (last * last + before * before - twice * last * before) / (count * count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tones by hertz and milliseconds; silence is 0 Hz.
    fn sound(parts: &[(f64, u32)], peak: f64) -> Vec<i16> {
        let mut all = Vec::new();
        for (hertz, ms) in parts {
            let count = ms * RATE / 1_000;
            all.extend(
                (0..count).map(|n| ((f64::from(n) * hertz * TAU / f64::from(RATE)).sin() * peak) as i16),
            );
        }
        all
    }

    fn heard(parts: &[(f64, u32)], peak: f64) -> Option<Announced> {
        let mut tones = InformationTones::default();
        let sound = [sound(&[(0.0, 130)], 0.0), sound(parts, peak), sound(&[(0.0, 200)], 0.0)].concat();
        let mut found = Vec::new();
        // In packets of 20 ms.
        for packet in sound.chunks(320) {
            found.extend(tones.take(packet));
        }
        assert!(found.len() <= 1, "{found:?}");
        found.pop()
    }

    #[test]
    fn each_of_the_tones_is_known() {
        for (parts, announced) in [
            ([(950.0, 330), (1_400.0, 330), (1_800.0, 330)], Announced::Vacant),
            ([(950.0, 260), (1_400.0, 260), (1_800.0, 260)], Announced::Vacant),
            ([(950.0, 400), (1_400.0, 400), (1_800.0, 400)], Announced::Vacant),
            ([(985.2, 380), (1_370.6, 274), (1_776.7, 380)], Announced::Vacant),
            ([(913.8, 274), (1_370.6, 274), (1_776.7, 380)], Announced::Vacant),
            ([(913.8, 274), (1_428.5, 380), (1_776.7, 380)], Announced::Congestion),
            ([(985.2, 380), (1_428.5, 380), (1_776.7, 380)], Announced::Congestion),
            // Within the 50 Hz.
            ([(905.0, 330), (1_360.0, 330), (1_755.0, 330)], Announced::Vacant),
            ([(965.0, 330), (1_410.0, 330), (1_835.0, 330)], Announced::Vacant),
        ] {
            for peak in [700.0, 3_000.0, 20_000.0] {
                assert_eq!(heard(&parts, peak), Some(announced), "{parts:?} {peak}");
            }
            let [one, two, three] = parts;
            let apart = [one, (0.0, 30), two, (0.0, 30), three];
            assert_eq!(heard(&apart, 3_000.0), Some(announced), "{apart:?}");
        }
    }

    #[test]
    fn what_is_no_such_tone_is_none() {
        for parts in [
            &[(950.0, 330), (1_400.0, 330)][..],
            &[(1_400.0, 330), (950.0, 330), (1_800.0, 330)],
            &[(950.0, 330), (1_400.0, 100), (1_800.0, 330)],
            &[(950.0, 330), (1_400.0, 330), (1_800.0, 60)],
            &[(950.0, 330), (0.0, 300), (1_400.0, 330), (1_800.0, 330)],
            &[(950.0, 900), (1_400.0, 330), (1_800.0, 330)],
            &[(440.0, 1_000), (0.0, 4_000)],
            &[(1_100.0, 330), (1_400.0, 330), (1_800.0, 330)],
        ] {
            assert_eq!(heard(parts, 3_000.0), None, "{parts:?}");
        }
        assert_eq!(heard(&[(950.0, 330), (1_400.0, 330), (1_800.0, 330)], 40.0), None, "too soft");
    }

    #[test]
    fn it_is_heard_twice_when_it_comes_twice_and_not_in_two_voices() {
        let one = sound(&[(950.0, 330), (1_400.0, 330), (1_800.0, 330), (0.0, 1_500)], 3_000.0);
        let mut tones = InformationTones::default();
        assert_eq!(
            [one.clone(), one.clone()].concat().chunks(160).filter_map(|part| tones.take(part)).count(),
            2
        );
        // A voice at the same time: nothing is alone.
        let voice = sound(&[(300.0, 2_490)], 3_000.0);
        let mixed: Vec<i16> = one.iter().zip(&voice).map(|(one, other)| one + other).collect();
        assert_eq!(InformationTones::default().take(&mixed), None);
    }
}
