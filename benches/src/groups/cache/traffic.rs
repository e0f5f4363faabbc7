//! Traffic that does not fit: a hundred thousand keys, few of them asked for often, in a cache for ten
//! thousand. A miss inserts.

use super::stores::{self, get_cached, set_cached, size};
use crate::{
    contender::{
        Contender,
        Whose::{self, Ours, Peer},
    },
    rounds::Scenario,
};
use std::{hint::black_box, sync::Arc};

const BOUND: u64 = 10_000;
const KEYS: u64 = 100_000;
const CALLS: usize = 1 << 20;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![mixed()]
}

fn mixed() -> Scenario {
    let calls: Arc<[u64]> = zipf().into();
    let ours = stores::ours(BOUND);
    let quick_cache = stores::quick_cache(BOUND);
    let moka = stores::moka(BOUND);
    let cached = stores::cached(BOUND);
    let contenders = vec![
        asking(Ours, "hardening::Cache", &calls, move |key| {
            let hit = ours.get(&key).is_some();
            if !hit {
                ours.insert(key, key);
            }
            hit
        }),
        asking(Peer, "quick_cache", &calls, move |key| {
            let hit = quick_cache.get(&key).is_some();
            if !hit {
                quick_cache.insert(key, key);
            }
            hit
        }),
        asking(Peer, "moka", &calls, move |key| {
            let hit = moka.get(&key).is_some();
            if !hit {
                moka.insert(key, key);
            }
            hit
        }),
        asking(Peer, "cached, LRU and TTL", &calls, move |key| {
            let hit = get_cached(&cached, key).is_some();
            if !hit {
                set_cached(&cached, key, key);
            }
            hit
        }),
    ];
    Scenario::new(
        "cache of 10,000 entries, 100,000 keys by Zipf",
        contenders,
        Vec::new(),
    )
}

/// Named with the part of the calls that were hits, counted once.
fn asking(
    whose: Whose,
    name: &str,
    calls: &Arc<[u64]>,
    ask: impl Fn(u64) -> bool + Sync + 'static,
) -> Contender {
    let hits = calls.iter().filter(|&&key| ask(key)).count();
    let rate = hits as f64 * 100.0 / CALLS as f64;
    let name = format!("{name}: {rate:.1} % hits").leak();
    let calls = calls.clone();
    Contender::blocking(whose, name, move |call| {
        black_box(ask(calls[size(call) % CALLS]));
    })
}

/// Key `n` is asked for in proportion to `1 / n`.
fn zipf() -> Vec<u64> {
    let mut sums: Vec<f64> = Vec::new();
    let mut sum = 0.0;
    for key in 0..KEYS {
        sum += 1.0 / (key + 1) as f64;
        sums.push(sum);
    }
    let draw = |call| sums.partition_point(|&upto| upto < fraction(call) * sum) as u64;
    (0..CALLS as u64).map(draw).collect()
}

/// One of 0..1 for each number, as good as drawn (`SplitMix64`).
fn fraction(number: u64) -> f64 {
    let mut bits = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ (bits >> 31)) as f64 / u64::MAX as f64
}
