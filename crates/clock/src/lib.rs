//! The two clocks and the timer wheel that every machine takes as input (R18).
//!
//! * [`Mono`] counts microseconds since an arbitrary start and never jumps: every wait runs on it.
//! * [`Wall`] is the time of day: what is stored or shown to people.
//!
//! Nothing here reads a clock. The shell does, and hands [`Now`] down; a simulator makes it up.

mod wheel;

pub use wheel::{TimerId, Wheel};

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Microseconds on a clock that never jumps; only differences mean something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(pub u64);

/// Milliseconds since 1970-01-01 00:00 UTC; may jump when the machine's clock is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(pub i64);

/// Both clocks, read once per input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For waits and durations.
    pub mono: Mono,
    /// For what is stored or shown.
    pub wall: Wall,
}

impl Now {
    /// The same instant, `wait` later on both clocks.
    #[must_use]
    pub fn after(self, wait: Duration) -> Now {
        let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        Now { mono: self.mono + wait, wall: Wall(self.wall.0.saturating_add(millis)) }
    }
}

impl Mono {
    /// The time from `earlier` to `self`, zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Mono) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Mono {
    type Output = Mono;
    fn add(self, wait: Duration) -> Mono {
        let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        Mono(self.0.saturating_add(micros))
    }
}

impl Sub<Duration> for Mono {
    type Output = Mono;
    fn sub(self, back: Duration) -> Mono {
        let micros = u64::try_from(back.as_micros()).unwrap_or(u64::MAX);
        Mono(self.0.saturating_sub(micros))
    }
}

impl Wall {
    /// Whole seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

impl fmt::Display for Mono {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}
