//! One shard of the store: a hash table of indices into a slab in eviction order.

use super::{
    entry::{Times, is_surely_fresh},
    prepared::Prepared,
    sieve::{Seen, Sieve},
};
use crate::clock::{Moment, Present};
use hashbrown::HashTable;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A remembered result: what a hit looks at.
pub(super) struct Slot<K, V> {
    pub(super) key: K,
    pub(super) value: V,
    fresh_until: Moment,
}

/// The rest of it.
#[derive(Default)]
pub(super) struct Aside {
    stored: u64,
    stale_until: u64,
    /// The moment before which nobody else refreshes this result ahead of its time.
    refresh_at: AtomicU64,
}

/// A remembered result in its place.
pub(super) type Known<'a, K, V> = Seen<'a, Slot<K, V>, Aside>;

impl<K, V> Known<'_, K, V> {
    /// Whether the result is fresh, and not to be refreshed ahead, as far as that can be said without asking
    /// the clock. None was stored for longer than `longest`: who reads with no shorter `ttl` need not know
    /// when it was stored.
    #[inline]
    pub(super) fn is_surely_fresh(
        &self,
        longest: u64,
        policy: &Prepared,
        present: Present,
    ) -> bool {
        let mut fresh_until = self.item.fresh_until;
        if policy.ttl_nanos() < longest {
            fresh_until = fresh_until.min(self.stored().plus(policy.ttl));
        }
        is_surely_fresh(fresh_until, policy, present)
    }

    pub(super) fn stored(&self) -> Moment {
        Moment::from_nanos(self.aside().map_or(0, |aside| aside.stored))
    }

    pub(super) fn times(&self) -> Times {
        Times {
            stored: self.stored(),
            fresh_until: self.item.fresh_until,
            stale_until: self.stale_until(),
        }
    }

    fn stale_until(&self) -> Moment {
        Moment::from_nanos(self.aside().map_or(0, |aside| aside.stale_until))
    }

    /// Makes the caller the one who refreshes, unless somebody tries to, until `next`.
    pub(super) fn claim_refresh(&self, now: Moment, next: Moment) -> bool {
        self.aside().is_some_and(|Aside { refresh_at, .. }| {
            let at = refresh_at.load(Relaxed);
            at <= now.as_nanos()
                && refresh_at
                    .compare_exchange(at, next.as_nanos(), Relaxed, Relaxed)
                    .is_ok()
        })
    }
}

/// A result that is to be stored.
pub(super) struct New<K, V> {
    pub(super) slot: Slot<K, V>,
    pub(super) stored: Moment,
    pub(super) stale_until: Moment,
}

impl<K, V> New<K, V> {
    pub(super) const fn of(key: K, value: V, times: Times) -> Self {
        Self {
            slot: Slot {
                key,
                value,
                fresh_until: times.fresh_until,
            },
            stored: times.stored,
            stale_until: times.stale_until,
        }
    }

    /// How long it is fresh, in nanoseconds.
    pub(super) const fn life(&self) -> u64 {
        let (from, to) = (self.stored.as_nanos(), self.slot.fresh_until.as_nanos());
        to.saturating_sub(from)
    }

    fn apart(self) -> (Slot<K, V>, Aside) {
        let aside = Aside {
            stored: self.stored.as_nanos(),
            stale_until: self.stale_until.as_nanos(),
            refresh_at: AtomicU64::new(0),
        };
        (self.slot, aside)
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
    (half << 32) | half
}

pub(super) struct Shard<K, V> {
    /// Found by [`whole`].
    table: HashTable<u32>,
    slots: Sieve<Slot<K, V>, Aside>,
}

impl<K, V> Shard<K, V> {
    pub(super) const fn new() -> Self {
        Self {
            table: HashTable::new(),
            slots: Sieve::new(),
        }
    }

    #[inline]
    pub(super) fn find(
        &self,
        hash: u64,
        same: impl Fn(&K) -> bool,
    ) -> Option<(u32, Known<'_, K, V>)> {
        let holds = |&index: &u32| (self.slots.get(index)).is_some_and(|seen| same(&seen.item.key));
        let index = *self.table.find(whole(half(hash)), holds)?;
        Some((index, self.slots.get(index)?))
    }

    /// Puts a newer result of the same key in the place of one, which it gives back.
    pub(super) fn replace(&mut self, index: u32, new: New<K, V>) -> Slot<K, V> {
        let (slot, aside) = new.apart();
        self.slots.replace(index, slot, aside)
    }

    /// Adds a result whose key is not here.
    pub(super) fn push(&mut self, hash: u64, new: New<K, V>) {
        let (slot, aside) = new.apart();
        self.add(half(hash), slot, aside);
    }

    fn add(&mut self, half: u32, slot: Slot<K, V>, aside: Aside) -> u32 {
        let index = self.slots.push(slot, aside, half);
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

    /// How many results have not expired.
    pub(super) fn alive(&self, now: Moment) -> usize {
        let known = self.slots.iter();
        known.filter(|(_, known)| known.stale_until() > now).count()
    }

    /// Takes out what has expired, and gives memory back when most of it is not needed any more.
    pub(super) fn purge(&mut self, now: Moment) -> Purged<K, V> {
        let mut earliest = Moment::from_nanos(u64::MAX);
        let mut due = Vec::new();
        for (index, known) in self.slots.iter() {
            let until = known.stale_until();
            if until <= now {
                due.push(index);
            } else {
                earliest = earliest.min(until);
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
            let index = self.add(left.mark, left.item, left.aside);
            if let Some(seen) = self.slots.get(index).filter(|_| left.visited) {
                seen.visit();
            }
        }
    }
}
