//! Where legs live: a slot each, found by key without hashing costs that matter.

use super::leg::Leg;
use crate::by_leg::ByLeg;
use crate::order::LegKey;
use std::ops::{Index, IndexMut};

/// All legs of an engine. Slots are boxed, so that growing moves no leg.
#[derive(Debug, Default)]
pub(super) struct Slab {
    slots: Vec<Option<Box<Leg>>>,
    free: Vec<u32>,
    by_key: ByLeg<u32>,
}

impl Slab {
    #[inline]
    pub(super) fn find(&self, key: LegKey) -> Option<u32> {
        self.by_key.get(&key).copied()
    }

    pub(super) fn insert(&mut self, leg: Leg) -> u32 {
        let key = leg.key;
        let index = match self.free.pop() {
            Some(index) => {
                self.slots[index as usize] = Some(Box::new(leg));
                index
            }
            None => {
                self.slots.push(Some(Box::new(leg)));
                self.slots.len() as u32 - 1
            }
        };
        self.by_key.insert(key, index);
        index
    }

    pub(super) fn remove(&mut self, index: u32) {
        if let Some(leg) = self.slots[index as usize].take() {
            self.by_key.remove(&leg.key);
            self.free.push(index);
        }
    }

    /// One above the highest slot ever used.
    pub(super) fn end(&self) -> u32 {
        self.slots.len() as u32
    }

    pub(super) fn holds(&self, index: u32) -> bool {
        self.slots.get(index as usize).is_some_and(Option::is_some)
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }
}

impl Index<u32> for Slab {
    type Output = Leg;
    #[inline]
    fn index(&self, index: u32) -> &Leg {
        self.slots[index as usize].as_deref().expect("an index is dropped with its leg")
    }
}

impl IndexMut<u32> for Slab {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut Leg {
        self.slots[index as usize].as_deref_mut().expect("an index is dropped with its leg")
    }
}
