//! What is heard in place of a lost packet of a codec without its own concealment: the last pitch period
//! again and again, fading out within 60 ms (after the idea of G.711 Appendix I).

/// How long the sound is remembered, in ms.
const MEMORY_MS: usize = 30;
/// How long a hole is filled, in ms.
const FADE_MS: usize = 60;

/// The last sound of a stream.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    rate: usize,
    sound: Vec<i16>,
    /// Samples of the hole that were filled so far.
    filled: usize,
    period: usize,
}

impl Memory {
    pub(super) fn new(rate: u32) -> Memory {
        let rate = rate as usize;
        Memory { rate, sound: vec![0; rate * MEMORY_MS / 1000], filled: 0, period: 1 }
    }

    /// Remembers what was decoded.
    pub(super) fn keep(&mut self, decoded: &[i16]) {
        let room = self.sound.len();
        let taken = &decoded[decoded.len().saturating_sub(room)..];
        self.sound.copy_within(taken.len().., 0);
        self.sound[room - taken.len()..].copy_from_slice(taken);
        self.filled = 0;
    }

    /// Fills a hole, or its next part.
    pub(super) fn fill(&mut self, out: &mut [i16]) {
        if self.filled == 0 {
            self.period = self.find_period();
        }
        let start = self.sound.len() - self.period;
        let fade = self.rate * FADE_MS / 1000;
        for sample in out {
            let old = i64::from(self.sound[start + self.filled % self.period]);
            let left = fade.saturating_sub(self.filled);
            *sample = (old * left as i64 / fade as i64) as i16;
            self.filled += 1;
        }
    }

    /// The lag between 2.5 and 15 ms at which the sound resembles itself most.
    fn find_period(&self) -> usize {
        let (shortest, longest) = (self.rate / 400, self.rate * 15 / 1000);
        let window = self.sound.len() - longest;
        let newest = &self.sound[longest..];
        let likeness = |lag: usize| {
            let older = &self.sound[longest - lag..][..window];
            let product = |(a, b): (&i16, &i16)| i64::from(*a) * i64::from(*b);
            let energy: i64 = older.iter().zip(older).map(product).sum();
            let common: i64 = newest.iter().zip(older).map(product).sum();
            common as f64 / ((energy + 1) as f64).sqrt()
        };
        let best = (shortest..=longest).max_by(|a, b| likeness(*a).total_cmp(&likeness(*b)));
        best.unwrap_or(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_in_a_tone_goes_on_in_phase_and_fades() {
        let tone = |n: usize| ((n as f64 * 250.0 * std::f64::consts::TAU / 8000.0).sin() * 8000.0) as i16;
        let mut memory = Memory::new(8000);
        let heard: Vec<i16> = (0..320).map(tone).collect();
        memory.keep(&heard);
        let mut hole = [0; 800];
        memory.fill(&mut hole);
        assert!((0..40).all(|n| (i32::from(hole[n]) - i32::from(tone(320 + n))).abs() < 1000), "in phase");
        assert!(hole[480..].iter().all(|&sample| sample == 0), "gone after 60 ms");
    }
}
