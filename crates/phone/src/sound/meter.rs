//! Measuring what is heard: level and dominant frequency of each half second.

use super::RATE;
use std::f64::consts::TAU;

/// A power of two near half a second at 16 kHz; a bin is two hertz wide.
const WINDOW: usize = 8_192;
/// Below, there is no tone to speak of.
const SILENCE_DBFS: f64 = -55.0;
const FULL_SCALE: f64 = 32_768.0;
const _: () = assert!(WINDOW.is_power_of_two() && RATE == 16_000);

/// One half second of sound in two figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    /// The dominant frequency, 0 in silence.
    pub hertz: f64,
    /// RMS against a full-scale square, at least -100.
    pub dbfs: f64,
}

/// Collects samples at 16 kHz and tells each half second.
#[derive(Debug, Default)]
pub struct Meter {
    window: Vec<f64>,
}

impl Meter {
    /// Takes samples; a whole window gives a figure.
    pub fn take(&mut self, samples: &[i16], mut tell: impl FnMut(Heard)) {
        for &sample in samples {
            self.window.push(f64::from(sample) / FULL_SCALE);
            if self.window.len() == WINDOW {
                tell(measure(&self.window));
                self.window.clear();
            }
        }
    }
}

fn measure(samples: &[f64]) -> Heard {
    let power = samples.iter().map(|sample| sample * sample).sum::<f64>() / samples.len() as f64;
    let dbfs = (10.0 * power.max(1e-10).log10()).max(-100.0);
    let hertz = if dbfs < SILENCE_DBFS { 0.0 } else { dominant(samples) };
    let round = |value: f64| (value * 10.0).round() / 10.0;
    Heard { hertz: round(hertz), dbfs: round(dbfs) }
}

/// The strongest bin of a Hann-windowed spectrum, refined by a parabola over the logarithms of its neighbours.
fn dominant(samples: &[f64]) -> f64 {
    let count = samples.len();
    let mut real: Vec<f64> = samples
        .iter()
        .enumerate()
        .map(|(n, sample)| sample * (0.5 - 0.5 * (TAU * n as f64 / count as f64).cos()))
        .collect();
    let mut imaginary = vec![0.0; count];
    transform(&mut real, &mut imaginary);
    let power = |bin: usize| (real[bin] * real[bin] + imaginary[bin] * imaginary[bin]).max(1e-18).ln();
    let top = (2..count / 2 - 1).max_by(|a, b| power(*a).total_cmp(&power(*b))).unwrap_or(2);
    let (left, middle, right) = (power(top - 1), power(top), power(top + 1));
    let bend = left - 2.0 * middle + right;
    let shift = if bend.abs() < 1e-9 { 0.0 } else { 0.5 * (left - right) / bend };
    (top as f64 + shift) * f64::from(RATE) / count as f64
}

/// The Fourier transform in place, radix two, decimation in time.
fn transform(real: &mut [f64], imaginary: &mut [f64]) {
    let count = real.len();
    let bits = count.trailing_zeros();
    for index in 0..count {
        let mirrored = index.reverse_bits() >> (usize::BITS - bits);
        if mirrored > index {
            real.swap(index, mirrored);
            imaginary.swap(index, mirrored);
        }
    }
    let mut size = 2;
    while size <= count {
        let step = -TAU / size as f64;
        for start in (0..count).step_by(size) {
            for place in 0..size / 2 {
                let (sin, cos) = (step * place as f64).sin_cos();
                let (even, odd) = (start + place, start + place + size / 2);
                let turned = (real[odd] * cos - imaginary[odd] * sin, real[odd] * sin + imaginary[odd] * cos);
                (real[odd], imaginary[odd]) = (real[even] - turned.0, imaginary[even] - turned.1);
                (real[even], imaginary[even]) = (real[even] + turned.0, imaginary[even] + turned.1);
            }
        }
        size *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::Source;

    fn heard(source: &Source) -> Vec<Heard> {
        let (mut meter, mut all, mut samples) = (Meter::default(), Vec::new(), [0; 320]);
        for frame in 0..60 {
            source.fill(frame * 320, &mut samples);
            meter.take(&samples, |heard| all.push(heard));
        }
        all
    }

    #[test]
    fn tones_are_found_within_half_a_hertz_at_their_level() {
        for hertz in [200.0, 440.0, 1000.0, 1234.5, 3000.0] {
            let all = heard(&Source::Tone(hertz));
            assert_eq!(all.len(), 2);
            for heard in all {
                assert!((heard.hertz - hertz).abs() < 0.5, "{hertz}: {heard:?}");
                assert!((heard.dbfs + 9.0).abs() < 0.2, "{hertz}: {heard:?}");
            }
        }
    }

    #[test]
    fn silence_has_no_frequency() {
        assert_eq!(heard(&Source::Silence)[0], Heard { hertz: 0.0, dbfs: -100.0 });
    }
}
