//! Durations, counted in buckets whose width grows with the duration.

use std::time::Duration;

/// The bits of a duration that its bucket tells: eight buckets for each doubling.
const PRECISION: u32 = 3;
const PER_OCTAVE: usize = 1 << PRECISION;
/// The narrowest buckets are 16 ns wide.
const UNIT: u32 = 4;
/// Durations of 2^43 ns (2.4 hours) and more share the last bucket.
const TOP: u32 = 43;
pub(super) const BUCKETS: usize = (TOP - UNIT - PRECISION + 1) as usize * PER_OCTAVE + 1;

/// The bucket that counts a duration.
#[inline]
pub(super) const fn bucket_of(nanos: u64) -> usize {
    let units = nanos >> UNIT;
    if units < PER_OCTAVE as u64 {
        return units as usize;
    }
    if nanos >> TOP != 0 {
        return BUCKETS - 1;
    }
    let octave = units.ilog2() - PRECISION;
    octave as usize * PER_OCTAVE + (units >> octave) as usize
}

/// The shortest duration that a bucket counts.
const fn start_of(bucket: usize) -> u64 {
    let octave = (bucket / PER_OCTAVE).saturating_sub(1);
    ((bucket - octave * PER_OCTAVE) as u64) << octave << UNIT
}

/// The duration that stands for all of a bucket's: as far from its start as from its end, in
/// proportion, or, where the buckets do not grow yet, in nanoseconds.
fn middle_of(bucket: usize) -> u64 {
    if bucket == BUCKETS - 1 {
        return u64::MAX; // only the longest is known of those
    }
    let (start, end) = (start_of(bucket), start_of(bucket + 1));
    if bucket < PER_OCTAVE {
        return u64::midpoint(start, end);
    }
    let middle = 2 * u128::from(start) * u128::from(end) / u128::from(start + end);
    u64::try_from(middle).unwrap_or(u64::MAX)
}

/// A histogram of durations, which can be merged with others.
///
/// Log-linear, as in Gil Tene's `HdrHistogram`: eight buckets of equal width for each doubling,
/// 16 ns to 2.4 hours in 297 buckets. A percentile is off by 6 % at most (by 8 ns under 128 ns);
/// beyond 2.4 hours only the longest is known. Number, sum and longest are exact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    /// Empty while nothing is counted.
    counts: Vec<u64>,
    sum: u128,
    longest: u64,
}

impl Durations {
    /// How many durations there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All durations together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        duration(self.sum)
    }

    /// The longest; zero if there is none.
    #[must_use]
    pub const fn max(&self) -> Duration {
        Duration::from_nanos(self.longest)
    }

    /// The sum by the number; zero if there is none.
    #[must_use]
    pub fn average(&self) -> Duration {
        duration(self.sum.checked_div(self.count().into()).unwrap_or(0))
    }

    /// The duration that `percent` per cent of all do not exceed (nearest rank: the shortest of
    /// which that is so); zero if there is none. 100 is the longest, and so is anything above.
    #[must_use]
    pub fn percentile(&self, percent: u32) -> Duration {
        let (count, percent) = (u128::from(self.count()), u128::from(percent.min(100)));
        let rank = (count * percent).div_ceil(100).max(1);
        if rank >= count {
            return self.max();
        }
        let mut seen = 0;
        let bucket = self.counts.iter().position(|&here| {
            seen += u128::from(here);
            seen >= rank
        });
        let middle = bucket.map_or(0, middle_of);
        Duration::from_nanos(middle.min(self.longest))
    }

    /// How many durations are in buckets that begin at `limit` or below: the bucket that holds
    /// `limit` counts as a whole, so the number is of a limit that is up to an eighth higher.
    #[must_use]
    pub fn count_up_to(&self, limit: Duration) -> u64 {
        let last = bucket_of(crate::clock::nanos(limit));
        self.counts.iter().take(last + 1).sum()
    }

    /// How many durations are no longer than `limit`, which is moved to the nearest edge of a
    /// bucket: off by 6 % at most.
    #[must_use]
    pub fn count_within(&self, limit: Duration) -> u64 {
        let nanos = crate::clock::nanos(limit);
        let bucket = bucket_of(nanos);
        let is_last = bucket == BUCKETS - 1;
        let whole = !is_last && nanos - start_of(bucket) > start_of(bucket + 1) - nanos;
        self.counts.iter().take(bucket + usize::from(whole)).sum()
    }

    /// Adds another histogram's durations to this one's.
    pub fn merge(&mut self, other: &Self) {
        self.raise(other.counts.iter().copied());
        self.sum = self.sum.saturating_add(other.sum);
        self.longest = self.longest.max(other.longest);
    }

    /// The durations that were added to `earlier` to make this one. The longest of them is exact if
    /// it is longer than those before, and else off by 6 % at most.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut counts = self.counts.clone();
        for (count, before) in counts.iter_mut().zip(&earlier.counts) {
            *count = count.saturating_sub(*before);
        }
        let Some(last) = counts.iter().rposition(|&count| count > 0) else {
            return Self::default();
        };
        let is_new = self.longest > earlier.longest;
        Self {
            counts,
            sum: self.sum.saturating_sub(earlier.sum),
            longest: if is_new {
                self.longest
            } else {
                middle_of(last).min(self.longest)
            },
        }
    }

    pub(super) fn add(&mut self, counts: impl Iterator<Item = u64>, sum: u64, longest: u64) {
        self.raise(counts);
        self.sum = self.sum.saturating_add(sum.into());
        self.longest = self.longest.max(longest);
    }

    pub(super) fn forget_longest(&mut self) {
        self.longest = 0;
    }

    fn raise(&mut self, counts: impl Iterator<Item = u64>) {
        for (bucket, more) in counts.enumerate().filter(|&(_, more)| more > 0) {
            if self.counts.is_empty() {
                self.counts = vec![0; BUCKETS];
            }
            self.counts[bucket] = self.counts[bucket].saturating_add(more);
        }
    }
}

/// So many nanoseconds, or as many as fit (584 years).
fn duration(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
