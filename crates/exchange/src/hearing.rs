//! How the two ends of a call are heard: what comes of each, as the media workers count it.
//!
//! Figures are rounded and replaced only by such as tell something new, so that a call whose sound stays as it is makes
//! no events.

use crate::exchange::Exchange;
use calls::CallRecord;
use clock::Now;
use media::{MediaEvent, Quality};
use std::fmt;

/// Below this people find a conversation rough (ITU-T G.107 annex B: "many users dissatisfied"), in tenths.
const POOR_TENTHS: u8 = 36;
/// What has to change until figures are told anew.
const NEWS: Heard = Heard { lost: 50, jitter_ms: 5, mos_tenths: 2 };

/// How one end is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Packets that did not come, in hundredths of a percent.
    pub lost: u16,
    /// Interarrival jitter (RFC 3550).
    pub jitter_ms: u16,
    /// The estimated mean opinion score in tenths: 10 to 45.
    pub mos_tenths: u8,
}

impl Heard {
    /// `None` when nothing came.
    fn of(quality: &Quality) -> Option<Heard> {
        let mos = quality.mos?;
        let all = quality.received.saturating_add(quality.lost);
        let lost = quality.lost.saturating_mul(10_000).checked_div(all)?;
        // A float becomes an integer without wrapping.
        let (jitter_ms, mos_tenths) = (quality.jitter_ms.round() as u16, (mos * 10.0).round() as u8);
        Some(Heard { lost: u16::try_from(lost).unwrap_or(u16::MAX), jitter_ms, mos_tenths })
    }

    /// Whether people find it rough.
    #[must_use]
    pub fn is_poor(self) -> bool {
        self.mos_tenths < POOR_TENTHS
    }

    fn is_news_after(self, before: Heard) -> bool {
        self.is_poor() != before.is_poor()
            || self.lost.abs_diff(before.lost) >= NEWS.lost
            || self.jitter_ms.abs_diff(before.jitter_ms) >= NEWS.jitter_ms
            || self.mos_tenths.abs_diff(before.mos_tenths) >= NEWS.mos_tenths
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Heard { lost, jitter_ms, mos_tenths: mos } = self;
        let (percent, rest) = (lost / 100, lost % 100);
        write!(f, "{percent}.{rest:02} % lost, jitter {jitter_ms} ms, MOS {}.{}", mos / 10, mos % 10)
    }
}

/// How all ends are heard that something comes of now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sound {
    /// How many there are.
    pub ends: u64,
    /// Those of them that are heard poorly.
    pub poor: u64,
    /// The mean of their figures; `None` without any.
    pub mean: Option<Heard>,
}

impl Sound {
    fn of(all: impl Iterator<Item = Heard>) -> Sound {
        let (mut ends, mut poor, mut sums) = (0, 0, [0_u64; 3]);
        for heard in all {
            ends += 1;
            poor += u64::from(heard.is_poor());
            sums[0] += u64::from(heard.lost);
            sums[1] += u64::from(heard.jitter_ms);
            sums[2] += u64::from(heard.mos_tenths);
        }
        let mean = |sum: u64| (sum + ends / 2).checked_div(ends);
        let mean = mean(sums[0]).zip(mean(sums[1])).zip(mean(sums[2])).map(|((lost, jitter), mos)| Heard {
            // Means of values that fit do so, too.
            lost: lost as u16,
            jitter_ms: jitter as u16,
            mos_tenths: mos as u8,
        });
        Sound { ends, poor, mean }
    }
}

impl Exchange {
    /// A media worker saw something.
    pub(crate) fn media_event(&mut self, now: Now, event: &MediaEvent) {
        self.switch.media_event(now, event);
        let MediaEvent::Report { leg, quality } = event else { return };
        let Some(heard) = Heard::of(quality) else { return };
        let Some((call, is_caller)) = self.switch.place_of(*leg) else { return };
        let place = usize::from(!is_caller);
        let before = self.ongoing.call(call).and_then(|ongoing| ongoing.heard[place]);
        if before.is_some_and(|before| !heard.is_news_after(before)) {
            return;
        }
        if let Some(ongoing) = self.ongoing.call_mut(call) {
            ongoing.heard[place] = Some(heard);
        }
    }

    /// How everybody is heard who talks.
    pub(crate) fn sound(&self) -> Sound {
        Sound::of(self.ongoing.iter().flat_map(|(_, ongoing)| ongoing.heard).flatten())
    }

    /// What a call that is over sounded like stays with its facts.
    pub(crate) fn note_sound(&mut self, now: Now, record: &CallRecord) {
        let Some([caller, callee]) = self.ongoing.call(record.call).map(|ongoing| ongoing.heard) else {
            return;
        };
        let told: Vec<String> = [("the caller", caller), ("the called", callee)]
            .into_iter()
            .filter_map(|(whose, heard)| heard.map(|heard| format!("from {whose}: {heard}")))
            .collect();
        if !told.is_empty() {
            self.note_call(now, record.call, "sound", told.join("; "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quality(received: u64, lost: u64, jitter_ms: f32, mos: f32) -> Quality {
        Quality { received, lost, jitter_ms, mos: Some(mos), ..Quality::default() }
    }

    #[test]
    fn figures_are_rounded_and_said_in_words() {
        let heard = Heard::of(&quality(990, 10, 3.4, 4.27)).unwrap();
        assert_eq!(heard, Heard { lost: 100, jitter_ms: 3, mos_tenths: 43 });
        assert_eq!(heard.to_string(), "1.00 % lost, jitter 3 ms, MOS 4.3");
        assert_eq!(Heard::of(&Quality::default()), None, "nothing came");
        assert_eq!(Heard::of(&quality(0, 0, 0.0, 1.0)), None);
        let absurd = Heard::of(&quality(1, u64::from(u32::MAX), 1e12, 1.0)).unwrap();
        assert_eq!((absurd.lost, absurd.jitter_ms), (9_999, u16::MAX));
    }

    #[test]
    fn only_news_are_told() {
        let calm = Heard { lost: 0, jitter_ms: 1, mos_tenths: 44 };
        for (now, news) in [
            (calm, false),
            (Heard { jitter_ms: 5, ..calm }, false),
            (Heard { jitter_ms: 6, ..calm }, true),
            (Heard { lost: 49, mos_tenths: 43, ..calm }, false),
            (Heard { lost: 50, ..calm }, true),
            (Heard { mos_tenths: 42, ..calm }, true),
        ] {
            assert_eq!(now.is_news_after(calm), news, "{now:?}");
        }
        let (fair, poor) = (Heard { mos_tenths: 36, ..calm }, Heard { mos_tenths: 35, ..calm });
        assert!(poor.is_news_after(fair), "it crossed the line");
    }

    #[test]
    fn all_ends_together() {
        assert_eq!(Sound::of(std::iter::empty()), Sound::default());
        let good = Heard { lost: 0, jitter_ms: 2, mos_tenths: 44 };
        let bad = Heard { lost: 900, jitter_ms: 40, mos_tenths: 30 };
        let mean = Some(Heard { lost: 450, jitter_ms: 21, mos_tenths: 37 });
        assert_eq!(Sound::of([good, bad].into_iter()), Sound { ends: 2, poor: 1, mean });
    }
}
