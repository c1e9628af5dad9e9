//! A hierarchical timer wheel: constant-time insert and cancel however many timers wait (R23).
//!
//! ```text
//! level 0   64 slots of 1 tick          tick = 2^12 us (4.096 ms)
//! level 1   64 slots of 64 ticks        each level covers the whole of the one below
//! ...
//! level 5   reaches 2^36 ticks, about nine years
//! ```
//!
//! A timer never fires early; it may fire up to one tick late. Timers that are due together fire in the
//! order of their deadline's tick and, within a tick, of their insertion, so a run can be replayed.

use crate::Mono;

const TICK_BITS: u32 = 12;
const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;
const LEVELS: usize = 6;
const NONE: u32 = u32::MAX;

/// Names a waiting timer; stale once it fired or was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerId {
    index: u32,
    generation: u32,
}

#[derive(Debug)]
struct Entry<K> {
    key: Option<K>,
    tick: u64,
    sequence: u64,
    generation: u32,
    slot: u32,
    previous: u32,
    next: u32,
}

/// Waiting timers, each carrying a key `K` that tells its owner why it wakes.
#[derive(Debug)]
pub struct Wheel<K> {
    entries: Vec<Entry<K>>,
    free: Vec<u32>,
    heads: Vec<u32>,
    occupied: [u64; LEVELS],
    /// All ticks up to and including this one were handed out.
    current: u64,
    sequence: u64,
    waiting: usize,
    due: Vec<(u64, u64, u32)>,
}

impl<K> Default for Wheel<K> {
    fn default() -> Self {
        Wheel::new()
    }
}

impl<K> Wheel<K> {
    /// An empty wheel whose time starts at zero.
    #[must_use]
    pub fn new() -> Self {
        Wheel {
            entries: Vec::new(),
            free: Vec::new(),
            heads: vec![NONE; SLOTS * LEVELS],
            occupied: [0; LEVELS],
            current: 0,
            sequence: 0,
            waiting: 0,
            due: Vec::new(),
        }
    }

    /// How many timers wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting
    }

    /// Whether no timer waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Starts a timer that fires at `when`, or at the next [`Wheel::expire`] if that has passed.
    pub fn insert(&mut self, when: Mono, key: K) -> TimerId {
        let tick = when.0.div_ceil(1 << TICK_BITS).max(self.current + 1);
        self.sequence += 1;
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                let index = u32::try_from(self.entries.len()).unwrap_or(NONE);
                assert!(index < NONE, "four billion timers");
                self.entries.push(Entry {
                    key: None,
                    tick: 0,
                    sequence: 0,
                    generation: 0,
                    slot: NONE,
                    previous: NONE,
                    next: NONE,
                });
                index
            }
        };
        let entry = &mut self.entries[index as usize];
        entry.key = Some(key);
        entry.tick = tick;
        entry.sequence = self.sequence;
        let generation = entry.generation;
        self.link(index);
        self.waiting += 1;
        TimerId { index, generation }
    }

    /// Stops a timer; `None` when it already fired or was cancelled.
    pub fn cancel(&mut self, id: TimerId) -> Option<K> {
        let entry = self.entries.get(id.index as usize)?;
        if entry.generation != id.generation || entry.key.is_none() {
            return None;
        }
        if entry.slot == NONE {
            // Already collected as due, not yet handed out.
            self.due.retain(|&(_, _, index)| index != id.index);
        } else {
            self.unlink(id.index);
        }
        self.release(id.index)
    }

    /// The earliest moment at which [`Wheel::expire`] may have something; never later than the first deadline.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        if !self.due.is_empty() {
            return Some(Mono(self.current << TICK_BITS));
        }
        let mut best: Option<u64> = None;
        for level in 0..LEVELS {
            if let Some(tick) = self.first_tick_of(level) {
                best = Some(best.map_or(tick, |b| b.min(tick)));
            }
        }
        best.map(|tick| Mono(tick << TICK_BITS))
    }

    /// Takes one timer that is due at `now`, the earliest first; call until `None`.
    pub fn expire(&mut self, now: Mono) -> Option<K> {
        let target = now.0 >> TICK_BITS;
        while self.due.is_empty() {
            if self.waiting == 0 {
                self.current = self.current.max(target);
                return None;
            }
            let next = (0..LEVELS).filter_map(|level| self.first_tick_of(level)).min()?;
            if next > target {
                self.current = self.current.max(target);
                return None;
            }
            self.advance_to(next);
        }
        let (_, _, index) = self.due.pop()?;
        self.release(index)
    }

    fn release(&mut self, index: u32) -> Option<K> {
        let entry = &mut self.entries[index as usize];
        entry.generation = entry.generation.wrapping_add(1);
        self.waiting -= 1;
        self.free.push(index);
        entry.key.take()
    }

    /// The start of the first occupied slot of a level, in ticks; exact on level 0.
    fn first_tick_of(&self, level: usize) -> Option<u64> {
        let bits = self.occupied[level];
        if bits == 0 {
            return None;
        }
        let shift = SLOT_BITS * level as u32;
        let position = self.current >> shift;
        let from = (position & (SLOTS as u64 - 1)) as u32;
        let ahead = u64::from(bits.rotate_right(from).trailing_zeros());
        // A slot's own position holds timers of its next turn only on the top level.
        let ahead = if ahead == 0 && level > 0 { SLOTS as u64 } else { ahead };
        Some(((position + ahead) << shift).max(self.current))
    }

    fn advance_to(&mut self, tick: u64) {
        self.current = tick;
        for level in (1..LEVELS).rev() {
            let shift = SLOT_BITS * level as u32;
            if tick & ((1 << shift) - 1) == 0 {
                let slot = ((tick >> shift) & (SLOTS as u64 - 1)) as usize;
                self.cascade(level, slot);
            }
        }
        let slot = (tick & (SLOTS as u64 - 1)) as usize;
        self.collect(slot);
        // Earliest last, because `expire` pops.
        self.due.sort_unstable_by(|a, b| b.cmp(a));
    }

    fn cascade(&mut self, level: usize, slot: usize) {
        let mut index = self.take_slot(level * SLOTS + slot);
        while index != NONE {
            let next = self.entries[index as usize].next;
            if self.entries[index as usize].tick <= self.current {
                self.mark_due(index);
            } else {
                self.link(index);
            }
            index = next;
        }
    }

    fn collect(&mut self, slot: usize) {
        let mut index = self.take_slot(slot);
        while index != NONE {
            let next = self.entries[index as usize].next;
            self.mark_due(index);
            index = next;
        }
    }

    fn mark_due(&mut self, index: u32) {
        let entry = &mut self.entries[index as usize];
        entry.slot = NONE;
        self.due.push((entry.tick, entry.sequence, index));
    }

    fn take_slot(&mut self, slot: usize) -> u32 {
        self.occupied[slot / SLOTS] &= !(1 << (slot % SLOTS));
        std::mem::replace(&mut self.heads[slot], NONE)
    }

    fn link(&mut self, index: u32) {
        let tick = self.entries[index as usize].tick;
        let distance = (tick ^ self.current).max(1);
        let level = ((63 - distance.leading_zeros()) / SLOT_BITS).min(LEVELS as u32 - 1);
        let within = ((tick >> (SLOT_BITS * level)) & (SLOTS as u64 - 1)) as usize;
        let slot = level as usize * SLOTS + within;
        let head = self.heads[slot];
        if head != NONE {
            self.entries[head as usize].previous = index;
        }
        let entry = &mut self.entries[index as usize];
        entry.slot = slot as u32;
        entry.previous = NONE;
        entry.next = head;
        self.heads[slot] = index;
        self.occupied[level as usize] |= 1 << within;
    }

    fn unlink(&mut self, index: u32) {
        let (slot, previous, next) = {
            let entry = &self.entries[index as usize];
            (entry.slot as usize, entry.previous, entry.next)
        };
        if previous == NONE {
            self.heads[slot] = next;
            if next == NONE {
                self.occupied[slot / SLOTS] &= !(1 << (slot % SLOTS));
            }
        } else {
            self.entries[previous as usize].next = next;
        }
        if next != NONE {
            self.entries[next as usize].previous = previous;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const TICK_US: u64 = 1 << TICK_BITS;

    /// A small generator, so that the test needs no dependency and always runs the same.
    fn step(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    }

    #[test]
    fn fires_like_a_sorted_map_however_far_and_in_order() {
        let mut state = 0x9E37_79B9_7F4A_7C15;
        let mut wheel = Wheel::new();
        let mut model: BTreeMap<(u64, u64), TimerId> = BTreeMap::new();
        let mut now = 0u64;
        for number in 0..200_000u64 {
            match step(&mut state) % 10 {
                0..=4 => {
                    let span = 1u64 << (step(&mut state) % 36);
                    let when = now + step(&mut state) % span;
                    let tick = when.div_ceil(TICK_US).max(wheel.current + 1);
                    let id = wheel.insert(Mono(when), (tick, number));
                    model.insert((tick, number), id);
                }
                5..=6 => {
                    let pick = (step(&mut state) as usize) % model.len().max(1);
                    if let Some((&key, &id)) = model.iter().nth(pick.min(8)) {
                        model.remove(&key);
                        assert_eq!(wheel.cancel(id), Some(key));
                        assert_eq!(wheel.cancel(id), None);
                    }
                }
                _ => {
                    now += step(&mut state) % (1u64 << (step(&mut state) % 30));
                    while let Some(key) = wheel.expire(Mono(now)) {
                        let (&first, _) = model.first_key_value().expect("the model has a timer");
                        assert_eq!(key, first);
                        model.remove(&first);
                    }
                    if let Some((&(tick, _), _)) = model.first_key_value() {
                        assert!(tick > now >> TICK_BITS, "a due timer was left");
                        let deadline = wheel.next_deadline().expect("a timer waits");
                        assert!(deadline.0 <= tick << TICK_BITS);
                        assert!(deadline.0 > now, "the wheel would spin");
                    }
                }
            }
            assert_eq!(wheel.len(), model.len());
        }
    }

    #[test]
    fn never_fires_early() {
        let mut wheel = Wheel::new();
        wheel.insert(Mono(10_000), ());
        assert_eq!(wheel.expire(Mono(9_999)), None);
        assert_eq!(wheel.expire(Mono(10_000 + TICK_US)), Some(()));
    }
}
