//! The caches, each with the same bound and, where there is such a thing, the same time to live.

use cached::{Cached as _, LruTtlCache};
use hardening::{Cache, CachePolicy};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

pub(super) const TTL: Duration = Duration::from_secs(3600);

pub(super) type Ours = Cache<u64, u64>;
pub(super) type QuickCache = quick_cache::sync::Cache<u64, u64>;
pub(super) type Moka = moka::sync::Cache<u64, u64>;
pub(super) type MokaFuture = moka::future::Cache<u64, u64>;
/// As the `#[cached]` of that crate keeps it: a store behind a lock.
pub(super) type Cached = Mutex<LruTtlCache<u64, u64>>;

pub(super) fn ours(bound: u64) -> Ours {
    Cache::new(CachePolicy {
        ttl: TTL,
        max_entries: u32::try_from(bound).expect("a bound of 32 bits"),
        ..CachePolicy::default()
    })
}

pub(super) fn quick_cache(bound: u64) -> QuickCache {
    QuickCache::new(size(bound))
}

pub(super) fn moka(bound: u64) -> Moka {
    let builder = Moka::builder().max_capacity(bound).time_to_live(TTL);
    builder.build()
}

pub(super) fn moka_future(bound: u64) -> MokaFuture {
    let builder = MokaFuture::builder().max_capacity(bound).time_to_live(TTL);
    builder.build()
}

pub(super) fn cached(bound: u64) -> Cached {
    let builder = LruTtlCache::builder().max_size(size(bound)).ttl(TTL);
    Mutex::new(builder.build().expect("a bound and a time"))
}

/// Values by position in a table of atomics: no bound but its length, no times, no eviction.
pub(super) struct Table {
    places: Box<[[AtomicU64; 2]]>,
}

impl Table {
    pub(super) fn new(bound: u64) -> Self {
        let places = size(bound).next_power_of_two() * 2;
        let empty = || [AtomicU64::new(u64::MAX), AtomicU64::new(0)];
        Self {
            places: (0..places).map(|_| empty()).collect(),
        }
    }

    fn place(&self, key: u64, step: u64) -> &[AtomicU64; 2] {
        let spread = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        &self.places[size(spread + step) & (self.places.len() - 1)]
    }

    pub(super) fn insert(&self, key: u64, value: u64) {
        let free = (0..self.places.len() as u64)
            .map(|step| self.place(key, step))
            .find(|[known, _]| [key, u64::MAX].contains(&known.load(Relaxed)));
        let [known, kept] = free.expect("a table that is half empty");
        known.store(key, Relaxed);
        kept.store(value, Relaxed);
    }

    pub(super) fn get(&self, key: u64) -> Option<u64> {
        for step in 0.. {
            let [known, kept] = self.place(key, step);
            match known.load(Relaxed) {
                known if known == key => return Some(kept.load(Relaxed)),
                u64::MAX => break,
                _ => {}
            }
        }
        None
    }
}

pub(super) fn get_cached(cache: &Cached, key: u64) -> Option<u64> {
    let mut store = cache.lock().expect("not poisoned");
    store.cache_get(&key).copied()
}

pub(super) fn set_cached(cache: &Cached, key: u64, value: u64) {
    let mut store = cache.lock().expect("not poisoned");
    store.cache_set(key, value);
}

pub(super) fn size(number: u64) -> usize {
    usize::try_from(number).expect("64 bits")
}
