//! All chance of a world: one seed, one stream of numbers.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::ops::Range;
use std::time::Duration;

/// A generator that always rolls the same for the same seed.
#[derive(Debug)]
pub struct Dice {
    rng: ChaCha8Rng,
}

impl Dice {
    /// From a seed; `salt` gives several generators of one seed.
    #[must_use]
    pub fn new(seed: u64, salt: u64) -> Dice {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&salt.to_le_bytes());
        Dice { rng: ChaCha8Rng::from_seed(bytes) }
    }

    /// Any number.
    pub fn roll(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// A seed for a machine of its own.
    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        seed
    }

    /// A number in the range, which may not be empty.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.roll() % (range.end - range.start)
    }

    /// True so many times in a thousand.
    pub fn permille(&mut self, chance: u32) -> bool {
        chance > 0 && self.within(0..1_000) < u64::from(chance)
    }

    /// A wait in the range, in milliseconds.
    pub fn millis(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.within(range))
    }

    /// One of them; there must be one.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.within(0..list.len() as u64) as usize]
    }
}
