//! One shard of a site's counters, and how its threads write it.

use super::{
    Event, Outcome,
    histogram::{BUCKETS, Durations, bucket_of},
};
use crate::sync::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use std::array;

/// A count that only grows, or a highest value.
pub(super) type Cell = AtomicU64;

/// The counters of one thread, or of the threads that share a seat. What every call writes comes
/// first, on a line or two; 128 bytes, because processors fetch lines in pairs.
#[repr(C, align(128))]
pub(super) struct Shard {
    pub(super) begun: Cell,
    /// Of all calls together; wraps after 584 years of them.
    nanos: Cell,
    longest: Cell,
    pub(super) attempts: Cell,
    pub(super) outcomes: [Cell; Outcome::COUNT],
    pub(super) events: [Cell; Event::COUNT],
    buckets: [Cell; BUCKETS],
}

impl Shard {
    pub(super) fn new() -> Self {
        Self {
            begun: Cell::new(0),
            nanos: Cell::new(0),
            longest: Cell::new(0),
            attempts: Cell::new(0),
            outcomes: array::from_fn(|_| Cell::new(0)),
            events: array::from_fn(|_| Cell::new(0)),
            buckets: array::from_fn(|_| Cell::new(0)),
        }
    }

    /// Begins the search for the longest duration again. A call that ends at the same time may
    /// be missed or kept.
    pub(super) fn forget_longest(&self) {
        self.longest.store(0, Relaxed);
    }

    pub(super) fn add_to(&self, durations: &mut Durations) {
        let counts = self.buckets.iter().map(read);
        durations.add(counts, read(&self.nanos), read(&self.longest));
    }
}

/// Reads a cell: what its writers wrote before is then seen too.
pub(super) fn read(cell: &Cell) -> u64 {
    cell.load(Acquire)
}

/// The present thread, writing a shard.
pub(super) struct Writer<'a> {
    pub(super) shard: &'a Shard,
    /// No other thread writes this shard.
    pub(super) alone: bool,
}

impl Writer<'_> {
    /// Adds to a cell. The only writer of a cell needs no locked instruction.
    #[inline]
    pub(super) fn add(&self, cell: &Cell, count: u64) {
        if self.alone {
            cell.store(cell.load(Relaxed).wrapping_add(count), Release);
        } else {
            cell.fetch_add(count, Release);
        }
    }

    #[inline]
    pub(super) fn record(&self, outcome: Outcome, nanos: u64, attempts: u32) {
        let shard = self.shard;
        self.add(&shard.nanos, nanos);
        if nanos > shard.longest.load(Relaxed) {
            self.raise_longest(nanos);
        }
        self.add(&shard.attempts, u64::from(attempts));
        self.add(&shard.buckets[bucket_of(nanos)], 1);
        self.add(&shard.outcomes[outcome as usize], 1);
    }

    #[cold]
    fn raise_longest(&self, nanos: u64) {
        self.shard.longest.fetch_max(nanos, Relaxed);
    }
}
