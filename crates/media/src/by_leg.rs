//! A map from legs that is asked once or twice a packet.

use crate::order::LegKey;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// What is kept for each leg.
pub type ByLeg<V> = HashMap<LegKey, V, BuildHasherDefault<Mix>>;

/// Keys are drawn by ourselves, so one multiplication spreads them well enough.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }
}
