//! The cache of one name: what a call asks it, and what the call's run tells it.
//!
//! ```text
//! lookup ── Hit(value)
//!        └─ Miss ── join ── Answered(outcome)      another caller's run answered
//!                        └─ Lead ── settle(outcome)  this caller runs the body
//! ```

use super::{
    call::{Miss, Told},
    entry::{Freshness, Times, freshness, next_refresh},
    flight::Board,
    prepared::Prepared,
    shard::New,
    store::Store,
};
use crate::{
    chance,
    clock::{Moment, Present},
};
use std::{
    any::Any,
    borrow::Borrow,
    fmt,
    hash::Hash,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// What can be a key: every call's key is cloned once per run, never on a hit.
pub trait Key: Hash + Eq + Clone + Send + Sync + 'static {}
impl<K: Hash + Eq + Clone + Send + Sync + 'static> Key for K {}

/// What can be remembered: it is cloned for each caller who gets it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be cached: every caller gets a clone of the value",
    label = "not `Clone + Send + Sync + 'static`",
    note = "`#[derive(Clone)]`, or return an `Arc<{Self}>`"
)]
pub trait Value: Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<V: Clone + Send + Sync + 'static> Value for V {}

/// Results, and the runs under way that will be results.
pub(crate) struct CacheState<K, V> {
    name: &'static str,
    pub(super) store: Store<K, V>,
    boards: Box<[Board<K, Told<V>>]>,
    /// The bound at the last insert.
    max_entries: AtomicU64,
}

impl<K, V> fmt::Debug for CacheState<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cache = f.debug_struct("CacheState");
        cache.field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a cache holds, and what happened in it since the start. Hits are counted by those who ask.
#[derive(serde::Serialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheFigures {
    /// The cache.
    pub name: &'static str,
    /// Results held that have not expired.
    pub entries: u64,
    /// Results that may be held.
    pub max_entries: u64,
    /// Calls that found nothing to serve, those included that refresh ahead.
    pub misses: u64,
    /// Misses that another caller's run answered.
    pub coalesced: u64,
    /// Runs that failed and were answered with an old result.
    pub stale: u64,
    /// Results put out to make room.
    pub evicted: u64,
    /// Results freed because their time was over.
    pub expired: u64,
}

/// What the cache has for a key.
#[must_use]
pub(crate) enum Lookup<'a, K, V> {
    /// The result.
    Hit(V),
    /// Nothing that this caller may be served.
    Miss(Miss<'a, K, V>),
}

enum Found<V> {
    Hit(V),
    ToRefresh,
}

impl<K: Key, V: Value> CacheState<K, V> {
    /// An empty cache, laid out for about `max_entries`. How many are kept at most is said by the
    /// policy of each insert.
    #[must_use]
    pub(crate) fn new(name: &'static str, max_entries: u32) -> Self {
        let boards = (max_entries / 64).clamp(1, 32).next_power_of_two();
        Self {
            name,
            store: Store::new(max_entries),
            boards: (0..boards).map(|_| Board::new()).collect(),
            max_entries: AtomicU64::new(max_entries.into()),
        }
    }

    /// The name.
    #[must_use]
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// What it holds at this moment, and what happened so far.
    #[must_use]
    pub(crate) fn figures(&self, now: Moment) -> CacheFigures {
        let counts = &self.store.counts;
        CacheFigures {
            name: self.name,
            entries: self.store.alive(now) as u64,
            max_entries: self.max_entries.load(Relaxed),
            misses: counts.misses.load(Relaxed),
            coalesced: counts.coalesced.load(Relaxed),
            stale: counts.stale.load(Relaxed),
            evicted: counts.evicted.load(Relaxed),
            expired: counts.expired.load(Relaxed),
        }
    }

    /// Serves the key, or not. Never waits, and on a hit allocates nothing and clones only the value.
    #[inline]
    pub(crate) fn lookup<'a, Q>(
        &'a self,
        policy: &'a Prepared,
        key: &Q,
        present: impl Into<Present>,
    ) -> Lookup<'a, K, V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.lookup_like(policy, key, |known| known.borrow() == key, present)
    }

    /// [`Self::lookup`] for a key that is not built yet: `like` hashes as the key does, `same`
    /// compares. A tuple of references hashes like the tuple of what they point to.
    #[inline]
    pub(crate) fn lookup_like<'a>(
        &'a self,
        policy: &'a Prepared,
        like: &(impl Hash + ?Sized),
        same: impl Fn(&K) -> bool,
        present: impl Into<Present>,
    ) -> Lookup<'a, K, V> {
        let hash = self.store.hash(like);
        let mut present = present.into();
        let found = self.store.read(hash, same, |known| {
            let hit = || Some(Found::Hit(known.item.value.clone()));
            if known.is_surely_fresh(self.store.longest(), policy, present) {
                return hit();
            }
            let now = present.exact();
            present = Present::Exact(now);
            match freshness(&known.times(), policy, now) {
                Freshness::RefreshAhead if known.claim_refresh(now, next_refresh(policy, now)) => {
                    Some(Found::ToRefresh)
                }
                Freshness::Fresh | Freshness::RefreshAhead => hit(),
                Freshness::Stale | Freshness::Expired => None,
            }
        });
        if let Some(Found::Hit(value)) = found {
            return Lookup::Hit(value);
        }
        Lookup::Miss(Miss {
            state: self,
            policy,
            hash,
            now: present.exact(),
            refreshes: found.is_some(),
        })
    }

    /// The result of the key, if it may be served.
    pub(crate) fn get<Q>(
        &self,
        policy: &Prepared,
        key: &Q,
        present: impl Into<Present>,
    ) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let hash = self.store.hash(key);
        self.peek(policy, hash, |known| known.borrow() == key, present.into())
    }

    pub(super) fn peek(
        &self,
        policy: &Prepared,
        hash: u64,
        same: impl Fn(&K) -> bool,
        present: Present,
    ) -> Option<V> {
        self.store.read(hash, same, |known| {
            let is_served = known.is_surely_fresh(self.store.longest(), policy, present)
                || freshness(&known.times(), policy, present.exact()).is_served();
            is_served.then(|| known.item.value.clone())
        })
    }

    /// Stores a result. A run of the key that is under way is not stored any more.
    pub(crate) fn insert(&self, policy: &Prepared, key: K, value: V, now: Moment) {
        let hash = self.store.hash(&key);
        let known = key.clone();
        let new = New::of(key, value, times(policy, now));
        let store = || self.store.insert(hash, new, policy.max_entries, |_| false);
        drop(self.board(hash).disturb(&known, store));
        self.tidy(policy, now);
    }

    /// Forgets the key. A run of it that is under way is told to those who wait, and not stored.
    pub(crate) fn invalidate<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let hash = self.store.hash(key);
        let remove = || self.store.remove(hash, |known| known.borrow() == key);
        drop(self.board(hash).disturb(key, remove));
    }

    /// Forgets everything, the runs under way included.
    pub(crate) fn clear(&self) {
        self.boards.iter().for_each(Board::disturb_all);
        self.store.clear();
    }

    /// Results held. Those that have expired by `now` are freed first.
    #[must_use]
    pub(crate) fn len(&self, now: Moment) -> usize {
        self.store.purge_expired(now);
        self.store.len()
    }

    /// Frees the results that have expired; says how many.
    pub(crate) fn purge_expired(&self, now: Moment) -> usize {
        self.store.purge_expired(now)
    }

    #[cfg(all(test, not(hardening_loom)))]
    pub(super) fn runs_under_way(&self) -> usize {
        self.boards.iter().map(Board::len).sum()
    }

    #[cfg(all(test, not(hardening_loom)))]
    pub(super) fn seats_taken(&self) -> usize {
        self.boards.iter().map(Board::seats).sum()
    }

    pub(super) fn board(&self, hash: u64) -> &Board<K, Told<V>> {
        #[allow(clippy::cast_possible_truncation)] // masked to the number of boards
        let index = (hash >> 40) as usize & (self.boards.len() - 1);
        &self.boards[index]
    }

    /// What belongs to each insert and miss, outside of all locks: evicts when the bound was
    /// lowered, and frees some of what has expired.
    pub(super) fn tidy(&self, policy: &Prepared, now: Moment) {
        if self.max_entries.load(Relaxed) != u64::from(policy.max_entries) {
            self.fit(policy.max_entries);
        }
        self.store.sweep(policy, now);
    }

    fn fit(&self, max_entries: u32) {
        self.max_entries.store(max_entries.into(), Relaxed);
        self.store.fit(max_entries);
    }
}

pub(super) fn times(policy: &Prepared, now: Moment) -> Times {
    let dice = if policy.ttl_jitter.is_zero() {
        0.0
    } else {
        chance::fraction()
    };
    Times::new(policy, now, dice)
}

/// A cache whose types are not known: for the registry, for tests and for figures.
pub(crate) trait ErasedCache: Any + Send + Sync {
    /// Frees the results that have expired by `now`; says how many. Two loads when nothing has.
    fn purge_expired(&self, now: Moment) -> usize;
    /// What it holds at this moment, and what happened so far.
    fn figures(&self, now: Moment) -> CacheFigures;
    /// Puts out what is beyond a lowered bound.
    fn fit(&self, max_entries: u32);
}

impl<K: Key, V: Value> ErasedCache for CacheState<K, V> {
    fn purge_expired(&self, now: Moment) -> usize {
        self.purge_expired(now)
    }

    fn figures(&self, now: Moment) -> CacheFigures {
        self.figures(now)
    }

    fn fit(&self, max_entries: u32) {
        self.fit(max_entries);
    }
}
