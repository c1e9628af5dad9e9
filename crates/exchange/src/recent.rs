//! A table with a hard bound that forgets what was touched longest ago.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// At most `most` entries; a new one drives out the one that was touched longest ago.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    entries: HashMap<K, (u64, V)>,
    /// Keys by their last touch.
    order: BTreeMap<u64, K>,
    touches: u64,
    most: usize,
}

impl<K: Clone + Eq + Hash, V: Default> Recent<K, V> {
    pub(crate) fn new(most: usize) -> Recent<K, V> {
        Recent { entries: HashMap::new(), order: BTreeMap::new(), touches: 0, most }
    }

    /// What is known of a key, without touching it.
    pub(crate) fn peek(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// The entry of a key, if there is one.
    pub(crate) fn known(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    /// The entry of a key, made if need be, and from now on the one that goes last.
    pub(crate) fn touch(&mut self, key: &K) -> &mut V {
        self.touches += 1;
        let touches = self.touches;
        if let Some((last, _)) = self.entries.get_mut(key) {
            self.order.remove(last);
            *last = touches;
        } else if self.entries.len() >= self.most
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.entries.remove(&oldest);
        }
        self.order.insert(touches, key.clone());
        &mut self.entries.entry(key.clone()).or_insert_with(|| (touches, V::default())).1
    }

    /// All entries, the one touched last first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.order.values().rev().filter_map(|key| Some((key, self.peek(key)?)))
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_forgets_what_was_touched_longest_ago() {
        let mut table: Recent<u32, u32> = Recent::new(3);
        for key in 1..=3 {
            *table.touch(&key) = key * 10;
        }
        assert_eq!(*table.touch(&1), 10, "touched again");
        table.touch(&4);
        assert_eq!((table.peek(&1), table.peek(&2), table.len()), (Some(&10), None, 3));
        assert_eq!(table.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [4, 1, 3]);
        for key in 0..10_000 {
            table.touch(&key);
        }
        assert_eq!((table.len(), table.order.len()), (3, 3));
    }
}
