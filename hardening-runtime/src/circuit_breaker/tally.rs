//! A count that many threads raise at once: each on a cache line of its own, or nearly.

use crate::sync::{AtomicU64, Ordering::Relaxed};
use std::array;

const SHARDS: usize = 8;

/// Counts rejections. While a circuit is open every caller adds to it, and one shared word would cost
/// more than the rest of the rejection.
pub(super) struct Tally([Shard; SHARDS]);

#[repr(align(64))]
struct Shard(AtomicU64);

impl Tally {
    pub(super) fn new() -> Self {
        Self(array::from_fn(|_| Shard(AtomicU64::new(0))))
    }

    pub(super) fn add_one(&self) {
        self.0[shard()].0.fetch_add(1, Relaxed);
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().map(|shard| shard.0.load(Relaxed)).sum()
    }
}

#[cfg(hardening_loom)]
const fn shard() -> usize {
    0
}

/// This thread's shard; threads take them in turn.
#[cfg(not(hardening_loom))]
fn shard() -> usize {
    use std::{cell::Cell, sync::atomic::AtomicUsize};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SHARD: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    match SHARD.get() {
        usize::MAX => {
            let shard = NEXT.fetch_add(1, Relaxed) % SHARDS;
            SHARD.set(shard);
            shard
        }
        shard => shard,
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_thread_is_counted() {
        let tally = Tally::new();
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| (0..100).for_each(|_| tally.add_one()));
            }
        });
        assert_eq!(tally.total(), 2000);
    }
}
