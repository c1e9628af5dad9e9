//! From one sample rate to another: a polyphase windowed sinc, state carried from frame to frame.
//!
//! ```text
//! out[n] = sum over k of in[n * down / up - k] * bank[(n * down) % up][k]
//! ```

/// Input samples on either side of an output sample, at the lower of both rates.
const REACH: usize = 16;
/// The pass band ends here, as a part of the lower Nyquist frequency.
const PASS: f64 = 0.94;
/// Rates whose ratio needs more phases are refused: 11025 to 16000 needs 640.
const PHASES_MAX: u32 = 640;

/// A converter of one stream.
#[derive(Clone, Debug)]
pub struct Resampler {
    up: usize,
    down: usize,
    taps: usize,
    /// `up` filters of `taps` coefficients, oldest input first.
    bank: Box<[f32]>,
    /// The last `taps - 1` inputs and those that came now.
    line: Vec<f32>,
    /// The newest input of the next output, as a place in `line`, and the filter to use.
    at: usize,
    phase: usize,
}

impl Resampler {
    /// A converter, or `None` when the rates have no handy ratio.
    #[must_use]
    pub fn new(from: u32, to: u32) -> Option<Resampler> {
        if from == 0 || to == 0 || from > 192_000 || to > 192_000 {
            return None;
        }
        let divisor = greatest_common_divisor(from, to);
        let (up, down) = (to / divisor, from / divisor);
        if up > PHASES_MAX {
            return None;
        }
        let (up, down) = (up as usize, down as usize);
        let cutoff = PASS * (up as f64 / down as f64).min(1.0);
        let taps = 2 * (REACH as f64 * (down as f64 / up as f64).max(1.0)).ceil() as usize;
        let bank = (0..up).flat_map(|phase| filter(phase as f64 / up as f64, cutoff, taps)).collect();
        Some(Resampler { up, down, taps, bank, line: vec![0.0; taps - 1], at: taps - 1, phase: 0 })
    }

    /// Converts the next samples and appends the result.
    pub fn convert(&mut self, input: &[i16], output: &mut Vec<i16>) {
        self.line.extend(input.iter().map(|&sample| f32::from(sample)));
        while self.at < self.line.len() {
            let filter = &self.bank[self.phase * self.taps..][..self.taps];
            let window = &self.line[self.at + 1 - self.taps..=self.at];
            output.push(dot(filter, window).round() as i16);
            self.phase += self.down;
            self.at += self.phase / self.up;
            self.phase %= self.up;
        }
        let used = self.line.len() + 1 - self.taps;
        self.line.drain(..used);
        self.at -= used;
    }
}

/// In eight lanes, which the compiler makes vectors of.
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let ((left, left_rest), (right, right_rest)) = (left.as_chunks::<8>(), right.as_chunks::<8>());
    for (left, right) in left.iter().zip(right) {
        for (lane, (a, b)) in lanes.iter_mut().zip(left.iter().zip(right)) {
            *lane += a * b;
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

/// One filter of the bank, scaled to leave a constant as it is.
fn filter(fraction: f64, cutoff: f64, taps: usize) -> Vec<f32> {
    let half = taps as f64 / 2.0;
    let raw: Vec<f64> = (0..taps)
        .map(|n| {
            let x = n as f64 - half + 1.0 - fraction;
            let angle = std::f64::consts::PI * x * cutoff;
            let sinc = if angle.abs() < 1e-9 { 1.0 } else { angle.sin() / angle };
            // Blackman's window.
            let turn = std::f64::consts::PI * x / half;
            sinc * (0.42 + 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos()).max(0.0)
        })
        .collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|value| (value / sum) as f32).collect()
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, hertz: f64) -> Vec<i16> {
        (0..rate / 2)
            .map(|n| {
                ((f64::from(n) * hertz * std::f64::consts::TAU / f64::from(rate)).sin() * 10_000.0) as i16
            })
            .collect()
    }

    fn level(sound: &[i16]) -> f64 {
        let sound = &sound[sound.len() / 4..];
        (sound.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / sound.len() as f64).sqrt()
    }

    #[test]
    fn tones_pass_and_their_images_do_not() {
        let rates = [
            (8000, 16_000),
            (16_000, 8000),
            (8000, 48_000),
            (48_000, 8000),
            (16_000, 48_000),
            (44_100, 16_000),
        ];
        for (from, to) in rates {
            for hertz in [100.0, 440.0, 1000.0, 3000.0] {
                let mut resampler = Resampler::new(from, to).unwrap();
                let mut out = Vec::new();
                // In frames, as they come.
                tone(from, hertz).chunks(160).for_each(|frame| resampler.convert(frame, &mut out));
                assert_eq!(out.len(), to as usize / 2);
                let gain = 20.0 * (level(&out) / 7071.0).log10();
                assert!(gain.abs() < 0.2, "{from} {to} {hertz}: {gain}");
            }
        }
        let mut resampler = Resampler::new(16_000, 8000).unwrap();
        let mut out = Vec::new();
        resampler.convert(&tone(16_000, 5000.0), &mut out);
        assert!(level(&out) < 7071.0 / 300.0, "above the new Nyquist frequency: {}", level(&out));
    }

    #[test]
    fn unhandy_rates_are_refused() {
        assert!(Resampler::new(44_101, 16_000).is_none());
        assert!(Resampler::new(0, 16_000).is_none());
    }
}
