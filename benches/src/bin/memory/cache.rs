//! A cache's entries.

use super::{Row, Table, bytes_each};
use cached::{Cached as _, LruTtlCache};
use hardening::{Cache, CachePolicy};
use std::time::Duration;

const MILLION: usize = 1_000_000;
const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn table() -> Table {
    let rows = vec![
        Row::new("hardening, 10 entries", 10, ours(10)),
        Row::new("hardening, 1,000 entries", 1_000, ours(1_000)),
        Row::new("**hardening, 1,000,000 entries**", MILLION, ours(MILLION)),
        Row::new(
            "quick_cache, no times, 1,000 entries",
            1_000,
            quick_cache(1_000),
        ),
        Row::new(
            "quick_cache, no times, 1,000,000 entries",
            MILLION,
            quick_cache(MILLION),
        ),
        Row::new("moka, 1,000,000 entries", MILLION, moka(MILLION)),
        Row::new(
            "cached, LRU and TTL, 1,000,000 entries",
            MILLION,
            cached(MILLION),
        ),
    ];
    Table {
        what: "cache, an entry of `u64` to `u64`",
        rows,
    }
}

fn keys(count: usize) -> impl Iterator<Item = u64> {
    0..count as u64
}

fn ours(count: usize) -> f64 {
    bytes_each(count, || {
        let cache = Cache::new(CachePolicy {
            ttl: HOUR,
            max_entries: u32::try_from(count).expect("few entries"),
            ..CachePolicy::default()
        });
        for key in keys(count) {
            cache.insert(key, key);
        }
        assert_eq!(cache.len(), count);
        cache
    })
}

/// Each of its shards is bounded, and they do not fill evenly: some of the last entries may not be there.
fn quick_cache(count: usize) -> f64 {
    bytes_each(count, || {
        let cache = quick_cache::sync::Cache::new(count);
        for key in keys(count) {
            cache.insert(key, key);
        }
        assert!(cache.len() > count / 100 * 90, "{} entries", cache.len());
        cache
    })
}

fn moka(count: usize) -> f64 {
    bytes_each(count, || {
        let builder = moka::sync::Cache::builder();
        let cache = builder
            .max_capacity(count as u64)
            .time_to_live(HOUR)
            .build();
        for key in keys(count) {
            cache.insert(key, key);
        }
        cache.run_pending_tasks();
        assert_eq!(cache.entry_count(), count as u64);
        cache
    })
}

fn cached(count: usize) -> f64 {
    bytes_each(count, || {
        let builder = LruTtlCache::builder().max_size(count).ttl(HOUR);
        let mut cache = builder.build().expect("a bound and a time");
        for key in keys(count) {
            cache.cache_set(key, key);
        }
        cache
    })
}
