//! The jitter buffer before the loudspeaker: packets come unevenly and are played evenly.

use crate::RATE;
use std::collections::VecDeque;

/// Sound that must wait before it is played: three packets of 20 ms.
const BEGIN: usize = RATE as usize * 60 / 1_000;
/// When more waits than this, the oldest is left out, down to [`BEGIN`]: nobody talks with half a second of delay.
const MOST: usize = RATE as usize * 240 / 1_000;

/// The buffer.
#[derive(Debug, Default)]
pub struct Playout {
    waiting: VecDeque<i16>,
    plays: bool,
}

impl Playout {
    /// Sound arrived.
    pub fn push(&mut self, samples: &[i16]) {
        self.waiting.extend(samples);
        if self.waiting.len() > MOST {
            self.waiting.drain(..self.waiting.len() - BEGIN);
        }
        self.plays |= self.waiting.len() >= BEGIN;
    }

    /// What is played now. False when nothing is, and `out` was left alone; sound that ends in it goes on with silence.
    pub fn take(&mut self, out: &mut [i16]) -> bool {
        if !self.plays {
            return false;
        }
        let there = self.waiting.len().min(out.len());
        for (sample, played) in out.iter_mut().zip(self.waiting.drain(..there)) {
            *sample = played;
        }
        out[there..].fill(0);
        // Nothing is left: what comes next waits again until there is enough.
        self.plays = there == out.len();
        true
    }

    /// Nothing of what waits is wanted any more.
    pub fn clear(&mut self) {
        *self = Playout::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FRAME;

    #[test]
    fn it_waits_for_three_packets_and_then_plays_on() {
        let (mut playout, mut out) = (Playout::default(), [9; FRAME]);
        for _ in 0..2 {
            playout.push(&[1; FRAME]);
            assert!(!playout.take(&mut out));
        }
        assert_eq!(out, [9; FRAME]);
        playout.push(&[1; FRAME]);
        for _ in 0..3 {
            assert!(playout.take(&mut out));
            assert_eq!(out, [1; FRAME]);
        }
        // A packet late: silence, and three packets again.
        assert!(playout.take(&mut out));
        assert_eq!(out, [0; FRAME]);
        assert!(!playout.take(&mut out));
        playout.push(&[2; FRAME]);
        assert!(!playout.take(&mut out));
    }

    #[test]
    fn delay_does_not_grow() {
        let mut playout = Playout::default();
        for packet in 0..100 {
            playout.push(&[packet; FRAME]);
            assert!(playout.waiting.len() <= MOST);
        }
        let mut out = [0; FRAME];
        assert!(playout.take(&mut out));
        assert!(out[0] > 85, "the newest are kept: {}", out[0]);
        playout.clear();
        assert!(!playout.take(&mut out));
    }
}
