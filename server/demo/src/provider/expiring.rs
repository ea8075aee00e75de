//! A map whose entries end by themselves.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

/// Below this size a sweep is not worth its walk.
const SWEEP_FROM: usize = 1024;

/// Entries with an end, in seconds since the Unix epoch. An ended entry is never seen again; its
/// memory is given back by a sweep whose cost is spread over the inserts that led to it.
pub(super) struct Expiring<K, V> {
    entries: HashMap<K, Entry<V>>,
    sweep_at: usize,
}

struct Entry<V> {
    value: V,
    ends_at: u64,
}

impl<K, V> Default for Expiring<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new(), sweep_at: SWEEP_FROM }
    }
}

impl<K: Hash + Eq, V> Expiring<K, V> {
    pub(super) fn insert(&mut self, key: K, value: V, ends_at: u64, now: u64) {
        if self.entries.len() >= self.sweep_at {
            self.entries.retain(|_, entry| entry.ends_at > now);
            self.sweep_at = SWEEP_FROM.max(self.entries.len() * 2);
        }
        self.entries.insert(key, Entry { value, ends_at });
    }

    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q, now: u64) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let entry = self.entries.get(key)?;
        (entry.ends_at > now).then_some(&entry.value)
    }

    pub(super) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q, now: u64) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let entry = self.entries.get_mut(key)?;
        (entry.ends_at > now).then_some(&mut entry.value)
    }

    pub(super) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q, now: u64) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let entry = self.entries.remove(key)?;
        (entry.ends_at > now).then_some(entry.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_ends_to_the_second() {
        let mut map = Expiring::default();
        map.insert("code", 1, 160, 100);
        assert_eq!(map.get("code", 159), Some(&1));
        assert_eq!(map.get("code", 160), None);
        assert_eq!(map.remove("code", 160), None);
    }

    #[test]
    fn ended_entries_give_their_memory_back() {
        let mut map = Expiring::default();
        for n in 0..10_000_u64 {
            map.insert(n, (), n + 10, n);
        }
        assert!(map.entries.len() <= SWEEP_FROM + 1);
    }
}
