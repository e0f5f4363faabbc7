//! A count that many threads raise at once: each in its own seat, on a cache line of its own.

use crate::{
    seat::{self, SHARDS},
    sync::{AtomicU64, Ordering::Relaxed},
};
use std::array;

/// Counts rejections. While a circuit is open every caller adds to it, and one shared word would cost
/// more than the rest of the rejection.
pub(super) struct Tally([Shard; SHARDS]);

#[repr(align(64))]
struct Shard(AtomicU64);

impl Tally {
    pub(super) fn new() -> Self {
        Self(array::from_fn(|_| Shard(AtomicU64::new(0))))
    }

    #[inline]
    pub(super) fn add_one(&self) {
        let (seat, alone) = seat::mine();
        let count = &self.0[seat].0;
        if alone {
            count.store(count.load(Relaxed) + 1, Relaxed);
        } else {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().map(|shard| shard.0.load(Relaxed)).sum()
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
