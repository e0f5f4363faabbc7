//! Successes that a thread counts for itself.
//!
//! Nearly all calls succeed, and nobody looks at a success when it comes. So a thread that has a seat
//! to itself counts those of the newest bucket in a word that only it writes, and carries them to the
//! ring when it meets the next bucket, if their place there is still theirs. Whoever takes the sum adds
//! these words to the ring's.

use super::time::{Bucket, Cut};
use crate::{
    seat::SHARDS,
    sync::{AtomicU64, Ordering::Relaxed},
};
use std::array;

/// The words of all seats.
pub(super) struct OwnCounts([Own; SHARDS]);

/// The word of one seat, on a cache line of its own.
#[repr(align(64))]
pub(super) struct Own(AtomicU64);

/// Successes of one bucket, packed as `shift: 6 | generation: 12 | number: 27 | count: 19`. What the
/// bucket's number has beyond its bits follows from the present, within a million windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Batch(u64);

const COUNT_BITS: u32 = 19;
const NUMBER_BITS: u32 = 27;
const GENERATION_BITS: u32 = 12;

const fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

impl OwnCounts {
    pub(super) fn new() -> Self {
        Self(array::from_fn(|_| Own(AtomicU64::new(0))))
    }

    #[inline]
    pub(super) const fn at(&self, seat: usize) -> &Own {
        &self.0[seat]
    }

    /// The successes that are counted for one of the last buckets, of which `newest` is the last. While
    /// the ring's lock is held, none is on its way to the ring.
    pub(super) fn sum(&self, cut: Cut, newest: Bucket) -> u64 {
        let within = |batch: &Batch| {
            let bucket = batch.bucket(cut, newest);
            bucket.is_some_and(|bucket| newest.number - bucket.number < cut.buckets)
        };
        let batches = self.0.iter().map(Own::get).filter(within);
        batches.map(Batch::count).sum()
    }
}

impl Own {
    #[inline]
    pub(super) fn get(&self) -> Batch {
        Batch(self.0.load(Relaxed))
    }

    /// Only for the thread whose seat it is.
    #[inline]
    pub(super) fn set(&self, batch: Batch) {
        self.0.store(batch.0, Relaxed);
    }
}

impl Batch {
    /// No success of this bucket yet.
    #[inline]
    pub(super) const fn empty(shift: u32, bucket: Bucket) -> Self {
        let key = (shift as u64) << GENERATION_BITS | bucket.generation & mask(GENERATION_BITS);
        let key = key << NUMBER_BITS | bucket.number & mask(NUMBER_BITS);
        Self(key << COUNT_BITS)
    }

    #[inline]
    pub(super) const fn count(self) -> u64 {
        self.0 & mask(COUNT_BITS)
    }

    /// The successes of the bucket of which `empty` counts none, if this batch is of it and is not full.
    #[inline]
    pub(super) const fn room(self, empty: Self) -> Option<u64> {
        let count = self.0.wrapping_sub(empty.0);
        if count < mask(COUNT_BITS) {
            Some(count)
        } else {
            None
        }
    }

    #[inline]
    pub(super) const fn and_one(self) -> Self {
        Self(self.0 + 1)
    }

    /// The bucket of this batch, under `cut`. None for a batch of nothing, of another generation, or of
    /// a moment after `newest`.
    pub(super) fn bucket(self, cut: Cut, newest: Bucket) -> Option<Bucket> {
        let key = self.0 >> COUNT_BITS;
        let generation = key >> NUMBER_BITS & mask(GENERATION_BITS);
        if self.count() == 0 || generation != newest.generation & mask(GENERATION_BITS) {
            return None;
        }
        let shift = key >> (NUMBER_BITS + GENERATION_BITS);
        let end = newest.number << cut.shift | mask(cut.shift);
        let back = (end >> shift).wrapping_sub(key) & mask(NUMBER_BITS);
        let number = (end >> shift).checked_sub(back)?;
        if back > mask(NUMBER_BITS) / 2 {
            return None;
        }
        // After a reload that changed the window: where its middle lies.
        let middle = (number << shift) + (1 << shift) / 2;
        Some(Bucket {
            number: middle.min(end) >> cut.shift,
            ..newest
        })
    }
}
