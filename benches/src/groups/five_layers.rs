//! Five layers on one function, the same with a cache around them, each layer alone, and, with the feature
//! `sites`, a thousand functions.
//!
//! All are given the same prepared keys, in the same order, and the same numbers: 10⁹ tokens a second and key,
//! 1,000 places, 15 s, three attempts, five failures in a row. The limit is one function out of bare atomics:
//! a table of hashes, two counters, a poll of the body before there is a timer, and the thread's own figures.

mod by_hand;
#[cfg(feature = "sites")]
mod growth;
mod tower_resilience;

use crate::{
    contender::{
        Contender,
        Whose::{Limit, Ours, Peer},
    },
    goal::{Against, Goal},
    rounds::Scenario,
};
use benches::annotated::{self, blocking};
use by_hand::{Atomics, Crates};
use std::{hint::black_box, sync::Arc};

const QUICK_CACHE: &str = "quick_cache, bare";

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        five(
            "five layers: limit, bulkhead, timeout, retry, breaker, and RED figures; 10 keys",
            10,
        ),
        five("the five layers, 10,000 keys", 10_000),
        five_remembered(),
        alone(),
        alone_blocking(),
        #[cfg(feature = "sites")]
        growth::thousand_sites(),
    ]
}

/// As many as there are customers at a time: the memory of few is in the nearest caches.
fn keys(count: u32) -> Arc<[String]> {
    (0..count).map(|key| format!("customer-{key}")).collect()
}

fn key(keys: &[String], call: u64) -> &String {
    let position = usize::try_from(call.wrapping_mul(7_919) % keys.len() as u64);
    &keys[position.unwrap_or(0)]
}

fn five(what: &'static str, count: u32) -> Scenario {
    // The same ones for all: where in the memory they are decides what a key takes.
    let ours = keys(count);
    let (crates, atomics) = (Arc::clone(&ours), Arc::clone(&ours));
    let (from_crates, from_atomics) = (Crates::new(), Atomics::new());
    Scenario::new(
        what,
        vec![
            Contender::awaited(Limit, "bare atomics", async move |call| {
                let result = from_atomics.call(key(&atomics, call), call).await;
                assert!(black_box(result).is_ok());
            }),
            Contender::awaited(Ours, "the attributes", async move |call| {
                let result = annotated::five(key(&ours, call), call).await;
                assert!(black_box(result).is_ok());
            }),
            Contender::awaited(Peer, "the best crates, by hand", async move |call| {
                let result = from_crates.call(key(&crates, call), call).await;
                assert!(black_box(result).is_ok());
            }),
            tower_resilience::contender(),
        ],
        vec![Goal::times(0.5, Against::BestPeer)],
    )
}

fn five_remembered() -> Scenario {
    let cache = quick_cache::sync::Cache::new(1000); // half of it is used: none of it goes
    for key in 0..500_u64 {
        cache.insert(key, key);
    }
    Scenario::new(
        "five layers with a cache around them, a hit",
        vec![
            Contender::awaited(Ours, "the attributes", async |call| {
                let value = annotated::five_remembered(black_box(call % 500)).await;
                assert!(black_box(value).is_ok());
            }),
            Contender::awaited(Peer, QUICK_CACHE, async move |call| {
                let value = cache.get(&black_box(call % 500));
                assert!(black_box(value).is_some());
            }),
        ],
        vec![Goal::times(1.5, Against::Named(QUICK_CACHE))],
    )
}

/// What each layer adds: the body alone is the limit.
fn alone() -> Scenario {
    let keys = keys(10);
    Scenario::new(
        "each attribute alone",
        vec![
            Contender::awaited(Limit, "no attribute", async |call| {
                let _ = black_box(annotated::bare(call).await);
            }),
            Contender::awaited(Ours, "retryable", async |call| {
                let _ = black_box(annotated::retried(call).await);
            }),
            Contender::awaited(Ours, "rate_limited", async move |call| {
                let _ = black_box(annotated::limited(key(&keys, call), call).await);
            }),
            Contender::awaited(Ours, "circuit_breaker", async |call| {
                let _ = black_box(annotated::guarded(call).await);
            }),
            Contender::awaited(Ours, "bulkhead", async |call| {
                let _ = black_box(annotated::placed(call).await);
            }),
            Contender::awaited(Ours, "timeout", async |call| {
                let _ = black_box(annotated::timed(call).await);
            }),
            Contender::awaited(Ours, "cached, a hit", async |call| {
                let _ = black_box(annotated::remembered(call % 500).await);
            }),
        ],
        Vec::new(),
    )
}

fn alone_blocking() -> Scenario {
    let (limited, four) = (keys(10), keys(10));
    Scenario::new(
        "each attribute alone, blocking",
        vec![
            Contender::blocking(Limit, "no attribute", |call| {
                let _ = black_box(blocking::bare(call));
            }),
            Contender::blocking(Ours, "retryable", |call| {
                let _ = black_box(blocking::retried(call));
            }),
            Contender::blocking(Ours, "rate_limited", move |call| {
                let _ = black_box(blocking::limited(key(&limited, call), call));
            }),
            Contender::blocking(Ours, "circuit_breaker", |call| {
                let _ = black_box(blocking::guarded(call));
            }),
            Contender::blocking(Ours, "bulkhead", |call| {
                let _ = black_box(blocking::placed(call));
            }),
            Contender::blocking(Ours, "cached, a hit", |call| {
                let _ = black_box(blocking::remembered(call % 500));
            }),
            Contender::blocking(Ours, "the four of them", move |call| {
                let _ = black_box(blocking::four(key(&four, call), call));
            }),
        ],
        Vec::new(),
    )
}
