//! A sound card asks for samples as it plays them. What asks much faster is none, such as a file: it is held to real time.

use crate::RATE;
use std::time::Duration;

/// Cards differ by some millionths and take some buffers at once; beyond this it is no card.
const AHEAD: Duration = Duration::from_millis(500);

/// How far a device has got.
#[derive(Debug, Default)]
pub struct Pace {
    samples: u64,
    began: Duration,
}

impl Pace {
    /// So many samples at [`RATE`] were asked for now; for how long whoever asks is to be kept waiting.
    pub fn asked(&mut self, now: Duration, samples: usize) -> Duration {
        self.samples += samples as u64;
        let due = Duration::from_micros(self.samples * 1_000_000 / u64::from(RATE));
        let passed = now.saturating_sub(self.began);
        if due < passed {
            // It is behind or waited: from here on it is counted anew, so that a slow clock saves up nothing.
            (self.samples, self.began) = (0, now);
            return Duration::ZERO;
        }
        let ahead = due - passed;
        if ahead > AHEAD { ahead - AHEAD } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FRAME;

    #[test]
    fn a_card_is_left_alone_and_a_file_is_held() {
        let mut pace = Pace::default();
        for frame in 0..10_000_u64 {
            // 20 ms less a ten-thousandth each.
            let now = Duration::from_micros(frame * 19_998);
            assert_eq!(pace.asked(now, FRAME), Duration::ZERO, "frame {frame}");
        }
        let (mut pace, mut now) = (Pace::default(), Duration::ZERO);
        for _ in 0..1_000 {
            now += pace.asked(now, FRAME) + Duration::from_micros(10);
        }
        assert!(now > Duration::from_secs(19) && now < Duration::from_secs(20), "{now:?}");
    }
}
