//! A hit: all keys are there.

use super::stores::{self, get_cached, set_cached};
use crate::{
    contender::{
        Contender,
        Whose::{self, Limit, Ours, Peer},
    },
    goal::{Against, Goal},
    rounds::Scenario,
};
use std::hint::black_box;

const QUICK_CACHE: &str = "quick_cache, no times";
const TABLE: &str = "a table of atomics, no times, no bound";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        get(),
        get_or_load(),
        get_or_load_blocking(),
        growth("cache hit, 10 entries", 10),
        growth("cache hit, 1,000 entries", 1000),
        growth("cache hit, 1,000,000 entries", 1_000_000),
    ]
}

const ENTRIES: u64 = 10_000;

/// Room for twice as many: the peers bound each of their shards, which do not fill evenly.
const fn bound(entries: u64) -> u64 {
    entries * 2
}

/// A key of those that are there, in no order that a processor could guess.
const fn key(call: u64, entries: u64) -> u64 {
    let spread = call.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (spread * entries) >> 32
}

fn goal() -> Vec<Goal> {
    vec![Goal::times(1.3, Against::Named(QUICK_CACHE))]
}

fn reading(
    whose: Whose,
    name: &'static str,
    entries: u64,
    read: impl Fn(u64) -> Option<u64> + Sync + 'static,
) -> Contender {
    assert!((0..entries).all(|key| read(key) == Some(key)), "{name}");
    Contender::blocking(whose, name, move |call| {
        let value = read(key(black_box(call), entries));
        assert!(black_box(value).is_some());
    })
}

fn table(entries: u64) -> Contender {
    let table = stores::Table::new(bound(entries));
    (0..entries).for_each(|key| table.insert(key, key));
    reading(Limit, TABLE, entries, move |key| table.get(key))
}

fn filled_ours(entries: u64) -> stores::Ours {
    let cache = stores::ours(bound(entries));
    (0..entries).for_each(|key| cache.insert(key, key));
    cache
}

fn ours(entries: u64) -> Contender {
    let cache = filled_ours(entries);
    reading(Ours, "hardening::Cache", entries, move |key| {
        cache.get(&key)
    })
}

fn filled_quick_cache(entries: u64) -> stores::QuickCache {
    let cache = stores::quick_cache(bound(entries));
    (0..entries).for_each(|key| cache.insert(key, key));
    cache
}

fn quick_cache(entries: u64) -> Contender {
    let cache = filled_quick_cache(entries);
    reading(Peer, QUICK_CACHE, entries, move |key| cache.get(&key))
}

fn get() -> Scenario {
    let moka = stores::moka(bound(ENTRIES));
    (0..ENTRIES).for_each(|key| moka.insert(key, key));
    let cached = stores::cached(bound(ENTRIES));
    (0..ENTRIES).for_each(|key| set_cached(&cached, key, key));
    Scenario::new(
        "cache hit, `get`, 10,000 entries",
        vec![
            table(ENTRIES),
            ours(ENTRIES),
            quick_cache(ENTRIES),
            reading(Peer, "moka", ENTRIES, move |key| moka.get(&key)),
            reading(Peer, "cached, LRU and TTL", ENTRIES, move |key| {
                get_cached(&cached, key)
            }),
        ],
        goal(),
    )
}

fn get_or_load() -> Scenario {
    let ours = filled_ours(ENTRIES);
    let quick_cache = filled_quick_cache(ENTRIES);
    let moka = stores::moka_future(bound(ENTRIES));
    let filling = async {
        for key in 0..ENTRIES {
            moka.insert(key, key).await;
        }
    };
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(filling);
    Scenario::new(
        "cache hit, async `get_or_load`, 10,000 entries",
        vec![
            Contender::awaited(Ours, "hardening::Cache", async move |call| {
                let load = async || Err(std::io::Error::other("a miss"));
                let value = ours.get_or_load(key(black_box(call), ENTRIES), load).await;
                assert!(black_box(value).is_ok());
            }),
            Contender::awaited(Peer, QUICK_CACHE, async move |call| {
                let load = async { Err(()) };
                let key = key(black_box(call), ENTRIES);
                let value = quick_cache.get_or_insert_async(&key, load);
                assert!(black_box(value.await).is_ok());
            }),
            Contender::awaited(Peer, "moka", async move |call| {
                let load = async { Err(()) };
                let value = moka.try_get_with(key(black_box(call), ENTRIES), load);
                assert!(black_box(value.await).is_ok());
            }),
        ],
        goal(),
    )
}

fn get_or_load_blocking() -> Scenario {
    let ours = filled_ours(ENTRIES);
    let quick_cache = filled_quick_cache(ENTRIES);
    let moka = stores::moka(bound(ENTRIES));
    (0..ENTRIES).for_each(|key| moka.insert(key, key));
    Scenario::new(
        "cache hit, blocking `get_or_load`, 10,000 entries",
        vec![
            reading(Ours, "hardening::Cache", ENTRIES, move |key| {
                let load = || Err(std::io::Error::other("a miss"));
                ours.get_or_load_blocking(key, load).ok()
            }),
            reading(Peer, QUICK_CACHE, ENTRIES, move |key| {
                quick_cache.get_or_insert_with(&key, || Err(())).ok()
            }),
            reading(Peer, "moka", ENTRIES, move |key| {
                moka.try_get_with(key, || Err(())).ok()
            }),
        ],
        goal(),
    )
}

fn growth(what: &'static str, entries: u64) -> Scenario {
    let contenders = vec![table(entries), ours(entries), quick_cache(entries)];
    Scenario::new(what, contenders, goal())
}
