//! Where a stream stands: its rollover counter, and which packets were seen (RFC 3711 section 3.3).

/// How far back a packet may be, in packets (RFC 3711 section 3.3.2 wants 64 at least).
const WIDTH: u64 = 128;

/// The indices of one stream that were seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    /// The highest index, once there is one.
    highest: Option<u64>,
    /// Bit n: the highest less n was seen.
    seen: u128,
}

impl Window {
    /// The whole index of a packet with this sequence number (RFC 3711 section 3.3.1 and appendix A).
    #[inline]
    pub(super) fn index_of(&self, sequence: u16) -> u64 {
        let Some(highest) = self.highest else { return u64::from(sequence) };
        let (rollover, last) = (highest >> 16, highest & 0xffff);
        let sequence = u64::from(sequence);
        let rollover = if last < 0x8000 && sequence > last + 0x8000 {
            // Before the first wrap there is nothing to go back to.
            rollover.saturating_sub(1)
        } else if last >= 0x8000 && sequence < last - 0x8000 {
            (rollover + 1) & 0xffff_ffff
        } else {
            rollover
        };
        rollover << 16 | sequence
    }

    /// Whether a packet may be taken: it was not seen, and is not too old to know.
    #[inline]
    pub(super) fn is_fresh(&self, index: u64) -> bool {
        match self.highest {
            Some(highest) if index <= highest => {
                let behind = highest - index;
                behind < WIDTH && self.seen >> behind & 1 == 0
            }
            _ => true,
        }
    }

    /// Whether a packet is newer than all that were seen.
    #[inline]
    pub(super) fn is_newest(&self, index: u64) -> bool {
        self.highest.is_none_or(|highest| index > highest)
    }

    /// Notes a packet that was taken.
    #[inline]
    pub(super) fn note(&mut self, index: u64) {
        match self.highest {
            Some(highest) if index <= highest => {
                let behind = highest - index;
                if behind < WIDTH {
                    self.seen |= 1 << behind;
                }
            }
            Some(highest) => {
                let ahead = index - highest;
                self.seen = if ahead < WIDTH { self.seen << ahead | 1 } else { 1 };
                self.highest = Some(index);
            }
            None => {
                self.seen = 1;
                self.highest = Some(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rollover_counter_follows_wraps_both_ways() {
        let mut window = Window::default();
        let table = [
            (65_534_u16, 65_534_u64),
            (65_535, 65_535),
            (0, 65_536),
            (65_533, 65_533),
            (2, 65_538),
            (40_000, 65_536 + 40_000),
            (65_000, 65_536 + 65_000),
            (5, 2 * 65_536 + 5),
        ];
        // The jump from 2 to 40,000 is more than half the circle: it is the past, unless steps lead there.
        assert_eq!(window.index_of(65_534), 65_534);
        for (sequence, index) in table {
            if sequence == 40_000 {
                assert_eq!(window.index_of(40_000), 40_000);
                window.note(65_536 + 20_000);
            }
            assert_eq!(window.index_of(sequence), index, "{sequence}");
            window.note(index);
        }
    }

    #[test]
    fn nothing_comes_twice() {
        let mut window = Window::default();
        for index in [100, 102, 101, 300, 200, 173] {
            assert!(window.is_fresh(index), "{index}");
            window.note(index);
            assert!(!window.is_fresh(index), "{index}");
        }
        assert!(!window.is_fresh(172), "too old to know");
        assert!(window.is_fresh(174) && window.is_fresh(301));
        assert!(window.is_newest(301) && !window.is_newest(299));
        window.note(1 << 40);
        assert!(!window.is_fresh(301));
    }
}
