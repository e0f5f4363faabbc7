//! One shard of the store: a hash table of indices into a slab in eviction order.

use super::{entry::Times, sieve::Sieve};
use crate::clock::Moment;
use hashbrown::HashTable;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A remembered result.
pub(super) struct Slot<K, V> {
    pub(super) key: K,
    pub(super) value: V,
    pub(super) times: Times,
    /// The moment before which nobody else refreshes this result ahead of its time.
    refresh_at: AtomicU64,
}

impl<K, V> Slot<K, V> {
    pub(super) const fn new(key: K, value: V, times: Times) -> Self {
        Self {
            key,
            value,
            times,
            refresh_at: AtomicU64::new(0),
        }
    }

    /// Makes the caller the one who refreshes, unless somebody tries to, until `next`.
    pub(super) fn claim_refresh(&self, now: Moment, next: Moment) -> bool {
        let at = self.refresh_at.load(Relaxed);
        at <= now.as_nanos()
            && (self.refresh_at)
                .compare_exchange(at, next.as_nanos(), Relaxed, Relaxed)
                .is_ok()
    }
}

/// What a look through a whole shard found.
pub(super) struct Purged<K, V> {
    /// To be dropped by the caller, outside the lock: dropping is the user's code.
    pub(super) expired: Vec<Slot<K, V>>,
    /// The end of the first result to expire of those that are left.
    pub(super) earliest: Moment,
    /// Places looked at.
    pub(super) places: usize,
}

/// The half of a hash that is kept beside a result, so that nobody's `Hash` runs when the table grows.
const fn half(hash: u64) -> u32 {
    #[allow(clippy::cast_possible_truncation)] // that half
    {
        hash as u32
    }
}

/// That half as the table takes it: by its lowest and by its highest bits.
const fn whole(half: u32) -> u64 {
    let half = half as u64;
    half << 32 | half
}

pub(super) struct Shard<K, V> {
    /// Found by [`whole`].
    table: HashTable<u32>,
    slots: Sieve<Slot<K, V>>,
}

impl<K, V> Shard<K, V> {
    pub(super) const fn new() -> Self {
        Self {
            table: HashTable::new(),
            slots: Sieve::new(),
        }
    }

    #[inline]
    pub(super) fn find(&self, hash: u64, same: impl Fn(&K) -> bool) -> Option<(u32, &Slot<K, V>)> {
        let holds = |&index: &u32| self.slots.get(index).is_some_and(|slot| same(&slot.key));
        let index = *self.table.find(whole(half(hash)), holds)?;
        Some((index, self.slots.get(index)?))
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut Slot<K, V>> {
        self.slots.get_mut(index)
    }

    /// Marks the result as asked for.
    #[inline]
    pub(super) fn visit(&self, index: u32) {
        self.slots.visit(index);
    }

    /// Adds a result whose key is not here.
    pub(super) fn push(&mut self, hash: u64, slot: Slot<K, V>) {
        self.push_half(half(hash), slot);
    }

    fn push_half(&mut self, half: u32, slot: Slot<K, V>) -> u32 {
        let index = self.slots.push(slot, half);
        let hash_of = |&index: &u32| whole(self.slots.mark(index).unwrap_or(0));
        self.table.insert_unique(whole(half), index, hash_of);
        index
    }

    pub(super) fn take(&mut self, index: u32) -> Option<Slot<K, V>> {
        let hash = whole(self.slots.mark(index)?);
        if let Ok(entry) = self.table.find_entry(hash, |&known| known == index) {
            entry.remove();
        }
        self.slots.remove(index)
    }

    /// Makes room: takes out the result that is the least likely to be asked for again.
    pub(super) fn evict(&mut self) -> Option<Slot<K, V>> {
        let victim = self.slots.victim()?;
        self.take(victim)
    }

    /// Takes out everything.
    pub(super) fn drain(&mut self) -> Vec<Slot<K, V>> {
        self.table = HashTable::new();
        self.slots.drain().map(|left| left.item).collect()
    }

    /// Takes out what has expired, and gives memory back when most of it is not needed any more.
    pub(super) fn purge(&mut self, now: Moment) -> Purged<K, V> {
        let mut earliest = Moment::from_nanos(u64::MAX);
        let mut due = Vec::new();
        for (index, slot) in self.slots.iter() {
            if slot.times.stale_until <= now {
                due.push(index);
            } else {
                earliest = earliest.min(slot.times.stale_until);
            }
        }
        let places = self.slots.places();
        let expired = due
            .into_iter()
            .filter_map(|index| self.take(index))
            .collect();
        if places > 64 && self.slots.len() < places / 4 {
            self.compact();
        }
        Purged {
            expired,
            earliest,
            places,
        }
    }

    fn compact(&mut self) {
        self.table = HashTable::with_capacity(self.slots.len());
        for left in self.slots.drain() {
            let index = self.push_half(left.mark, left.item);
            if left.visited {
                self.visit(index);
            }
        }
    }
}
