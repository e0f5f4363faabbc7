//! The store: bounded, sharded, expiring. Knows results and their times; knows nothing of runs.
//!
//! All results together are counted, so exactly `max_entries` fit, however they fall into shards.
//! The atomics and locks are the standard library's also while a model is checked: what the models
//! check is the hand-over of runs, not this.

use super::{
    janitor::Janitor,
    shard::{Known, New, Shard, Slot},
};
use crate::clock::Moment;
use foldhash::fast::RandomState;
use hardening_config::CachePolicy;
use std::{
    hash::{BuildHasher, Hash},
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

/// Results that one miss looks through at most in search of expired ones, rounded up to a shard.
const SWEEP: usize = 4096;

/// Results per shard below which another shard would only make eviction worse.
const SHARD: u32 = 32;

/// On a cache line of its own: readers of a lock write to it.
#[repr(align(128))]
struct Lane<K, V>(RwLock<Shard<K, V>>);

pub(super) struct Store<K, V> {
    hasher: RandomState,
    shards: Box<[Lane<K, V>]>,
    /// The longest time for which a result was ever stored, in nanoseconds.
    longest: AtomicU64,
    pub(super) counts: Counts,
}

/// What misses and inserts write: on cache lines apart from what every hit reads.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Counts {
    /// Results held.
    held: AtomicUsize,
    janitor: Janitor,
    pub(super) misses: AtomicU64,
    pub(super) coalesced: AtomicU64,
    pub(super) stale: AtomicU64,
    pub(super) evicted: AtomicU64,
    pub(super) expired: AtomicU64,
}

impl<K: Hash, V> Store<K, V> {
    /// The hash of a key, or of what hashes like it.
    #[inline]
    pub(super) fn hash(&self, key: &(impl Hash + ?Sized)) -> u64 {
        self.hasher.hash_one(key)
    }
}

impl<K, V> Store<K, V> {
    /// A store for about `max_entries`; what is kept at most is said with each insert.
    pub(super) fn new(max_entries: u32) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let useful = (max_entries / SHARD).max(1).ilog2().min(8);
        let shards = (1_usize << useful).min((cores * 16).next_power_of_two());
        Self {
            hasher: RandomState::default(),
            shards: (0..shards)
                .map(|_| Lane(RwLock::new(Shard::new())))
                .collect(),
            longest: AtomicU64::new(0),
            counts: Counts::default(),
        }
    }

    /// No result that is seen was stored for longer, in nanoseconds.
    #[inline]
    pub(super) fn longest(&self) -> u64 {
        self.longest.load(Relaxed)
    }

    /// Results held, those included that have expired and are not freed yet.
    pub(super) fn len(&self) -> usize {
        self.counts.held.load(Relaxed)
    }

    /// Results held that have not expired.
    pub(super) fn alive(&self, now: Moment) -> usize {
        if self.counts.janitor.anything_expired(now) {
            let shards = 0..self.shards.len();
            shards.map(|shard| self.shared(shard).alive(now)).sum()
        } else {
            self.len()
        }
    }

    #[inline]
    fn index(&self, hash: u64) -> usize {
        // The table inside the shard uses the lowest and the highest bits.
        #[allow(clippy::cast_possible_truncation)] // masked to the number of shards
        {
            (hash >> 32) as usize & (self.shards.len() - 1)
        }
    }

    #[inline]
    fn shared(&self, shard: usize) -> RwLockReadGuard<'_, Shard<K, V>> {
        let lock = &self.shards[shard].0;
        lock.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn exclusive(&self, shard: usize) -> RwLockWriteGuard<'_, Shard<K, V>> {
        let lock = &self.shards[shard].0;
        lock.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `look` sees in the result of the key; a result that it returns something for counts
    /// as asked for.
    #[inline]
    pub(super) fn read<R>(
        &self,
        hash: u64,
        same: impl Fn(&K) -> bool,
        look: impl FnOnce(&Known<'_, K, V>) -> Option<R>,
    ) -> Option<R> {
        let shard = self.shared(self.index(hash));
        let (_, known) = shard.find(hash, same)?;
        let answer = look(&known)?;
        known.visit();
        Some(answer)
    }

    /// Takes the result of the key out.
    pub(super) fn remove(&self, hash: u64, same: impl Fn(&K) -> bool) -> Option<Slot<K, V>> {
        let mut shard = self.exclusive(self.index(hash));
        let (index, _) = shard.find(hash, same)?;
        let slot = shard.take(index);
        self.counts
            .held
            .fetch_sub(usize::from(slot.is_some()), Relaxed);
        slot
    }

    /// Frees everything.
    pub(super) fn clear(&self) {
        for index in 0..self.shards.len() {
            let mut shard = self.exclusive(index);
            let all = shard.drain();
            self.counts.held.fetch_sub(all.len(), Relaxed);
            drop(shard);
        }
    }

    /// Looks for expired results if it is time to, for at most a few microseconds.
    pub(super) fn sweep(&self, policy: &CachePolicy, now: Moment) {
        if self.counts.janitor.is_due(now) {
            let life = policy.ttl.saturating_add(policy.stale_if_error);
            self.round(now, (life / 8).min(Duration::from_secs(60)), SWEEP);
        }
    }

    /// Frees all that has expired. Costs a load or two when nothing has.
    pub(super) fn purge_expired(&self, now: Moment) -> usize {
        if !self.counts.janitor.anything_expired(now) {
            return 0;
        }
        // A round that was under way may have passed shards that have something now.
        let (mut freed, mut rounds) = (0, 0);
        while rounds < 2 && self.counts.janitor.anything_expired(now) {
            freed += self.round(now, Duration::ZERO, usize::MAX);
            rounds += 1;
        }
        freed
    }

    fn round(&self, now: Moment, gap: Duration, budget: usize) -> usize {
        let Some(mut round) = self.counts.janitor.enter() else {
            return 0;
        };
        let (mut looked, mut freed) = (0, 0);
        while round.shard < self.shards.len() && looked < budget {
            let purged = self.exclusive(round.shard).purge(now);
            self.counts.held.fetch_sub(purged.expired.len(), Relaxed);
            round.shard += 1;
            round.earliest = round.earliest.min(purged.earliest);
            looked += purged.places;
            freed += purged.expired.len();
        }
        if round.shard == self.shards.len() {
            self.counts.janitor.finish(&round, now.plus(gap));
        }
        self.counts.expired.fetch_add(freed as u64, Relaxed);
        freed
    }
}

/// What an insert put out of the store: to be dropped where no lock is held.
pub(super) struct Outcasts<K, V> {
    /// The most common number of them needs no room on the heap.
    one: Option<Slot<K, V>>,
    more: Vec<Slot<K, V>>,
}

impl<K, V> Outcasts<K, V> {
    fn push(&mut self, slot: Slot<K, V>) {
        if self.one.is_some() {
            self.more.push(slot);
        } else {
            self.one = Some(slot);
        }
    }
}

impl<K: Eq, V> Store<K, V> {
    /// Stores a result, unless `keep_old` wants the one that is there. At most `max_entries` are
    /// held afterwards, except after the setting was lowered: see [`Self::fit`].
    pub(super) fn insert(
        &self,
        hash: u64,
        new: New<K, V>,
        max_entries: u32,
        keep_old: impl Fn(Moment) -> bool,
    ) -> Outcasts<K, V> {
        let (home, expires) = (self.index(hash), new.stale_until);
        self.note_life(new.life());
        let mut outcasts = Outcasts {
            one: None,
            more: Vec::new(),
        };
        for _ in 0..8 {
            let mut shard = self.exclusive(home);
            if let Some((index, old)) = shard.find(hash, |key| *key == new.slot.key) {
                let keeps = keep_old(old.stored());
                outcasts.push(if keeps {
                    new.slot
                } else {
                    shard.replace(index, new)
                });
                drop(shard);
                self.counts.janitor.note(expires);
                return outcasts;
            }
            if self.take_place(max_entries)
                || self.make_room(&mut shard, &mut outcasts, max_entries)
            {
                shard.push(hash, new);
                drop(shard);
                self.counts.janitor.note(expires);
                return outcasts;
            }
            drop(shard);
            // Full, and nothing of it in this shard: make room in another one and try again.
            match self.evict_after(home) {
                Some(slot) => outcasts.push(slot),
                None => break,
            }
        }
        outcasts.push(new.slot);
        outcasts
    }

    /// Before the result can be seen.
    fn note_life(&self, nanos: u64) {
        // Mostly it is no longer: a store to a line that all hits read would cost them.
        if nanos > self.longest.load(Relaxed) {
            self.longest.fetch_max(nanos, Relaxed);
        }
    }

    fn take_place(&self, max_entries: u32) -> bool {
        let more = |count| (count < max_entries as usize).then_some(count + 1);
        self.counts
            .held
            .fetch_update(Relaxed, Relaxed, more)
            .is_ok()
    }

    fn make_room(
        &self,
        shard: &mut Shard<K, V>,
        outcasts: &mut Outcasts<K, V>,
        max_entries: u32,
    ) -> bool {
        let victim = if max_entries > 0 { shard.evict() } else { None };
        let Some(victim) = victim else {
            return false;
        };
        self.counts.evicted.fetch_add(1, Relaxed);
        outcasts.push(victim);
        true
    }

    /// Evicts from the first shard after `home` that holds anything.
    fn evict_after(&self, home: usize) -> Option<Slot<K, V>> {
        let slot = (1..=self.shards.len()).find_map(|step| {
            let mut shard = self.exclusive((home + step) & (self.shards.len() - 1));
            let slot = shard.evict()?;
            self.counts.held.fetch_sub(1, Relaxed);
            Some(slot)
        })?;
        self.counts.evicted.fetch_add(1, Relaxed);
        Some(slot)
    }

    /// Evicts until `max_entries` are left: the setting was lowered.
    pub(super) fn fit(&self, max_entries: u32) {
        for home in 0.. {
            if self.len() <= max_entries as usize || self.evict_after(home).is_none() {
                break;
            }
        }
    }
}
