//! The results of the last while, in buckets.
//!
//! A bucket is as wide as the greatest power of two, in nanoseconds, that fits 64 times into the
//! window, so the window is 64 to 127 buckets long, and finding a result's bucket takes no
//! division. Buckets stand at multiples of their width on the clock's scale, and the ring reuses a
//! bucket's place 128 buckets later. A result is counted for at least 31/32 of the window and never
//! for longer than the window, and buckets expire one by one.
//!
//! Each cell is `tag: 32 | count: 32`. The tag tells the generation and the lap of the ring that
//! the count belongs to, so nobody has to clear a cell: whoever counts first in a new lap replaces
//! it, and a reader passes over cells of other laps.
//!
//! What may decide is counted under a lock: failures, slow calls, and the successes with which the
//! window may come to hold `required` calls, which are the first ones of a thread in each bucket. Each
//! of them sees all that came before it, and no result twice. All other successes decide nothing: one
//! costs a plain store to a word of its thread's own (`own`), or an atomic add where it has none.

use super::{
    Counts, Kept,
    own::{Batch, OwnCounts},
};
use crate::{
    clock::{self, Moment},
    sync::{AtomicU64, Mutex, Ordering::Relaxed, lock},
};
use std::{array, time::Duration};

/// Buckets that fit into a window at least. Loom looks at every order of every access: it gets few.
const LEAST: u64 = if cfg!(hardening_loom) { 2 } else { 64 };
/// Places in the ring.
#[allow(clippy::cast_possible_truncation)] // 128
const PLACES: usize = 2 * LEAST as usize;
const COUNT_BITS: u32 = 32;
const LAP_BITS: u32 = 20;
const COUNT: u64 = (1 << COUNT_BITS) - 1;

pub(super) struct TimeWindow {
    /// How the ring is cut at present: the [`Cut::shift`], plus one; 0 before the first result.
    cut: AtomicU64,
    /// Held while counts are moved, or summed up to decide.
    deciding: Mutex<()>,
    own: OwnCounts,
    calls: Plane,
    failures: Plane,
    slow: Plane,
}

/// One count per bucket.
#[repr(align(64))]
struct Plane([AtomicU64; PLACES]);

/// How a window is cut into buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// A bucket is two to this many nanoseconds wide.
    pub(super) shift: u32,
    /// How many of them the window is long.
    pub(super) buckets: u64,
}

/// A bucket: its number on the clock's scale, and the generation that counts in it.
#[derive(Clone, Copy)]
pub(super) struct Bucket {
    pub(super) number: u64,
    pub(super) generation: u64,
}

impl Default for TimeWindow {
    fn default() -> Self {
        Self {
            cut: AtomicU64::new(0),
            deciding: Mutex::new(()),
            own: OwnCounts::new(),
            calls: Plane::new(),
            failures: Plane::new(),
            slow: Plane::new(),
        }
    }
}

impl TimeWindow {
    /// Keeps a result, from this seat. Returns what the window holds when that may open the circuit:
    /// after a failure or a slow call, and after the success that completes the `required` calls.
    pub(super) fn record(
        &self,
        window: Duration,
        generation: u64,
        kept: Kept,
        now: Moment,
        required: u64,
        seat: (usize, bool),
    ) -> Option<Counts> {
        if kept == Kept::Success && self.add_one_of_many(window, generation, now, required, seat) {
            return None;
        }
        let cut = Cut::of(window);
        if self.cut.load(Relaxed) != Cut::packed(cut.shift) {
            self.recut(cut, generation, now);
        }
        self.decide(cut, cut.bucket(now, generation), kept, required, seat)
    }

    /// Keeps a success, if so many came in its bucket before it that it decides nothing; says whether
    /// it did.
    #[inline]
    pub(super) fn add_one_of_many(
        &self,
        window: Duration,
        generation: u64,
        now: Moment,
        required: u64,
        (seat, alone): (usize, bool),
    ) -> bool {
        let shift = Cut::shift(window);
        if self.cut.load(Relaxed) != Cut::packed(shift) {
            return false;
        }
        let bucket = Bucket::at(now, shift, generation);
        if !alone {
            return self.calls.add_one_above(bucket, required);
        }
        let own = self.own.at(seat);
        let batch = own.get();
        let room = batch.room(Batch::empty(shift, bucket));
        let decides_nothing = room.is_some_and(|count| count >= required);
        if decides_nothing {
            own.set(batch.and_one());
        }
        decides_nothing
    }

    #[inline(never)]
    fn decide(
        &self,
        cut: Cut,
        bucket: Bucket,
        kept: Kept,
        required: u64,
        (seat, alone): (usize, bool),
    ) -> Option<Counts> {
        let _alone = lock(&self.deciding);
        match kept {
            Kept::Success if alone => self.add_own(cut, bucket, seat),
            _ => self.calls.add(bucket, 1),
        }
        match kept {
            Kept::Success if !self.holds(cut, bucket, required) => return None,
            Kept::Success => {}
            Kept::Slow => self.slow.add(bucket, 1),
            Kept::Failure => self.failures.add(bucket, 1),
        }
        Some(self.sum(cut, bucket))
    }

    /// Adds to this seat's batch, or begins one and carries the one before to the ring.
    fn add_own(&self, cut: Cut, bucket: Bucket, seat: usize) {
        let own = self.own.at(seat);
        let (batch, empty) = (own.get(), Batch::empty(cut.shift, bucket));
        if batch.room(empty).is_some() {
            return own.set(batch.and_one());
        }
        // After a pause of a lap their place is a later bucket's, whose calls they must not take away.
        let before = batch.bucket(cut, bucket);
        if let Some(before) = before.filter(|before| before.has_its_place(bucket)) {
            self.calls.add(before, batch.count());
        }
        own.set(empty.and_one());
    }

    /// Whether the window holds exactly so many calls. Looks no further back than it must.
    fn holds(&self, cut: Cut, newest: Bucket, calls: u64) -> bool {
        let mut held = self.own.sum(cut, newest);
        for bucket in newest.last(cut.buckets).rev() {
            if held > calls {
                return false;
            }
            held += self.calls.get(bucket);
        }
        held == calls
    }

    /// What the window holds.
    pub(super) fn counts(&self, window: Duration, generation: u64, now: Moment) -> Counts {
        let _alone = lock(&self.deciding);
        let cut = match Cut::unpack(self.cut.load(Relaxed)) {
            Some(shift) => Cut::with(window, shift),
            None => Cut::of(window),
        };
        self.sum(cut, cut.bucket(now, generation))
    }

    fn sum(&self, cut: Cut, newest: Bucket) -> Counts {
        let mut counts = Counts {
            calls: self.own.sum(cut, newest),
            ..Counts::default()
        };
        for bucket in newest.last(cut.buckets) {
            counts.calls += self.calls.get(bucket);
            counts.failures += self.failures.get(bucket);
            counts.slow += self.slow.get(bucket);
        }
        counts
    }

    /// Cuts the ring anew after a reload changed the window by much: each bucket's counts move to
    /// the bucket in which its middle lies. A result that comes in at this very moment may be lost.
    #[cold]
    fn recut(&self, cut: Cut, generation: u64, now: Moment) {
        let _alone = lock(&self.deciding);
        let old = self.cut.load(Relaxed);
        if old == Cut::packed(cut.shift) {
            return;
        }
        let kept = Cut::unpack(old).map(|shift| self.take(shift, generation, now));
        self.cut.store(Cut::packed(cut.shift), Relaxed);
        let newest = cut.bucket(now, generation);
        for (middle, counts) in kept.into_iter().flatten() {
            let bucket = cut.bucket(middle.min(now), generation);
            if bucket.has_its_place(newest) {
                self.calls.add(bucket, counts.calls);
                self.failures.add(bucket, counts.failures);
                self.slow.add(bucket, counts.slow);
            }
        }
    }

    /// Empties the ring, and returns what each bucket held and when its middle was.
    fn take(&self, shift: u32, generation: u64, now: Moment) -> Vec<(Moment, Counts)> {
        let (cut, half) = (Cut { shift, buckets: 0 }, (1 << shift) / 2);
        cut.bucket(now, generation)
            .last(PLACES as u64)
            .map(|bucket| {
                let counts = Counts {
                    calls: self.calls.take(bucket),
                    failures: self.failures.take(bucket),
                    slow: self.slow.take(bucket),
                };
                (Moment::from_nanos((bucket.number << shift) + half), counts)
            })
            .collect()
    }
}

impl Cut {
    fn of(window: Duration) -> Self {
        Self::with(window, Self::shift(window))
    }

    #[inline]
    const fn shift(window: Duration) -> u32 {
        ((clock::nanos(window) / LEAST) | 1).ilog2()
    }

    /// `window` in buckets of this width; of all places at most.
    fn with(window: Duration, shift: u32) -> Self {
        let buckets = (clock::nanos(window) >> shift).clamp(1, PLACES as u64);
        Self { shift, buckets }
    }

    #[inline]
    const fn packed(shift: u32) -> u64 {
        shift as u64 + 1
    }

    #[allow(clippy::cast_possible_truncation)] // below 64
    const fn unpack(packed: u64) -> Option<u32> {
        match packed {
            0 => None,
            packed => Some(packed as u32 - 1),
        }
    }

    const fn bucket(self, now: Moment, generation: u64) -> Bucket {
        Bucket::at(now, self.shift, generation)
    }
}

impl Bucket {
    #[inline]
    const fn at(now: Moment, shift: u32, generation: u64) -> Self {
        Self {
            number: now.as_nanos() >> shift,
            generation,
        }
    }

    /// The last `count` buckets, of which this is the newest.
    fn last(self, count: u64) -> impl DoubleEndedIterator<Item = Self> {
        let oldest = (self.number + 1).saturating_sub(count);
        (oldest..=self.number).map(move |number| Self { number, ..self })
    }

    /// Whether its place in the ring is still its own when `newest` is the last bucket.
    const fn has_its_place(self, newest: Self) -> bool {
        self.number + PLACES as u64 > newest.number
    }

    #[allow(clippy::cast_possible_truncation)] // what is cut off is beyond PLACES
    const fn index(self) -> usize {
        self.number as usize % PLACES
    }

    /// The tag, in its place in a cell. It comes round after a million windows without a call, or
    /// after 4,096 changes of state within one.
    const fn tag(self) -> u64 {
        let lap = self.number / PLACES as u64 % (1 << LAP_BITS);
        (self.generation << LAP_BITS | lap) << COUNT_BITS
    }
}

impl Plane {
    fn new() -> Self {
        Self(array::from_fn(|_| AtomicU64::new(0)))
    }

    /// Adds to the bucket's count.
    fn add(&self, bucket: Bucket, count: u64) {
        let cell = &self.0[bucket.index()];
        let mut seen = cell.load(Relaxed);
        loop {
            if seen & !COUNT == bucket.tag() {
                // Far from full; a full count stays as it is.
                if seen & COUNT < COUNT / 2 {
                    cell.fetch_add(count, Relaxed);
                }
                return;
            }
            let fresh = bucket.tag() | count;
            match cell.compare_exchange_weak(seen, fresh, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }

    /// Adds one, if the bucket's count is `least` or more; says whether it is.
    fn add_one_above(&self, bucket: Bucket, least: u64) -> bool {
        let cell = &self.0[bucket.index()];
        let seen = cell.load(Relaxed);
        let is_above = seen & !COUNT == bucket.tag() && seen & COUNT >= least;
        if is_above && seen & COUNT < COUNT / 2 {
            cell.fetch_add(1, Relaxed);
        }
        is_above
    }

    fn get(&self, bucket: Bucket) -> u64 {
        let seen = self.0[bucket.index()].load(Relaxed);
        if seen & !COUNT == bucket.tag() {
            seen & COUNT
        } else {
            0
        }
    }

    fn take(&self, bucket: Bucket) -> u64 {
        let count = self.get(bucket);
        self.0[bucket.index()].store(0, Relaxed);
        count
    }
}

#[cfg(all(test, not(hardening_loom)))]
#[path = "time_tests.rs"]
mod tests;
