//! Which counts of which nonces were used, so that nothing is taken twice (RFC 7616 3.3, `nc`).
//!
//! The table has a fixed size. A nonce whose slot was taken by a newer one counts as old: its owner gets
//! `stale=true` and tries again, so a collision costs a round trip and never lets a replay in.

/// Slots; two million octets, touched as they are used.
const SLOTS: usize = 1 << 16;
/// Counts below the highest that may still come, because UDP reorders.
const WINDOW: u32 = 64;

#[derive(Clone, Copy, Default)]
struct Slot {
    /// The nonce's time and random part; zero is an empty slot.
    nonce: u128,
    highest: u32,
    /// Bit n: `highest - n` was used.
    used: u64,
}

/// The counts of the nonces in use.
pub(super) struct Counts {
    slots: Vec<Slot>,
}

/// What a count says about its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// Never seen: go on.
    New,
    /// Seen, too old, or forgotten: the nonce is of no use any more.
    Spent,
}

impl Counts {
    pub(super) fn new() -> Counts {
        Counts { slots: vec![Slot::default(); SLOTS] }
    }

    /// Notes a count of a nonce; `nonce` is its time (upper 64 bits, microseconds) and its check value.
    pub(super) fn note(&mut self, nonce: u128, count: u32) -> Count {
        let index = (nonce as u64 ^ (nonce as u64 >> 32)) as usize & (SLOTS - 1);
        let slot = &mut self.slots[index];
        if slot.nonce != nonce {
            if slot.nonce > nonce {
                return Count::Spent;
            }
            *slot = Slot { nonce, highest: count, used: 1 };
            return Count::New;
        }
        if count > slot.highest {
            let shift = count - slot.highest;
            slot.used = if shift >= WINDOW { 0 } else { slot.used << shift } | 1;
            slot.highest = count;
            return Count::New;
        }
        let back = slot.highest - count;
        if back >= WINDOW || slot.used & (1 << back) != 0 {
            return Count::Spent;
        }
        slot.used |= 1 << back;
        Count::New
    }
}

impl std::fmt::Debug for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counts")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_count_is_taken_once_in_nearly_any_order() {
        let mut counts = Counts::new();
        let nonce = 7 << 64 | 9;
        for (count, expected) in [
            (2, Count::New),
            (1, Count::New),
            (1, Count::Spent),
            (2, Count::Spent),
            (200, Count::New),
            (136, Count::Spent),
            (137, Count::New),
            (u32::MAX, Count::New),
            (u32::MAX, Count::Spent),
        ] {
            assert_eq!(counts.note(nonce, count), expected, "{count}");
        }
    }

    #[test]
    fn a_newer_nonce_in_the_slot_ends_the_older_one() {
        let mut counts = Counts::new();
        let (old, new) = (7 << 64 | 9, 8 << 64 | 9);
        assert_eq!(counts.note(old, 1), Count::New);
        assert_eq!(counts.note(new, 1), Count::New);
        assert_eq!(counts.note(old, 2), Count::Spent);
        assert_eq!(counts.note(new, 1), Count::Spent);
    }
}
