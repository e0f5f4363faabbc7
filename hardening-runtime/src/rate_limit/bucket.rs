//! The arithmetic of one token bucket, kept as a single number.
//!
//! It is the generic cell rate algorithm (ITU-T I.371, "virtual scheduling"): instead of counting
//! tokens, remember the *theoretical arrival time* (TAT), the moment at which the bucket is full
//! again. Taking tokens moves it later, by `window / capacity` for each; a call is admitted while
//! it stays within one window of the present. Time passing refills the bucket without a write.
//!
//! **No drift.** `window / capacity` is seldom a whole number of nanoseconds (7 per second), and
//! adding a rounded one each time drifts. So tokens are counted on a grid that covers all time:
//! token `i` begins at nanosecond `floor(i × window / capacity)`. Charging `n` tokens moves the TAT
//! from the token that it lies in to the same place in the `n`th after it. From a full bucket exactly
//! `capacity` tokens can be taken at one moment, whatever the rounding, and the TAT stays within
//! two nanoseconds of the rational one for ever. Where the interval is a whole number, all is exact.
//!
//! Above one token per nanosecond tokens have no place of their own on the grid: then each call is
//! charged in whole nanoseconds, rounded up, so the limit holds and is a little strict.

use crate::{clock, config::Limit};
use std::ops::{Add, Div, Mul, Sub};

/// The longest window: ten years and the leap days in them.
pub(super) const MAX_WINDOW: u64 = 3653 * 24 * 3600 * 1_000_000_000;

/// How fast one bucket refills. Out-of-range settings count as the nearest in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    capacity: u64,
    window: u64,
    /// The time of one token, if that is a whole number of nanoseconds, else 0.
    interval: u64,
}

/// What taking tokens would come to. All three are moments, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Charge {
    /// The TAT before: the present, if the bucket is full.
    pub(super) base: u64,
    /// The TAT with the tokens taken.
    pub(super) after: u64,
    /// The first moment at which the bucket holds the tokens; the present if it does now.
    pub(super) ready: u64,
}

impl Rate {
    /// Of a bucket that holds no token.
    pub(super) const NOTHING: Self = Self {
        capacity: 0,
        window: 0,
        interval: 0,
    };

    pub(super) fn of(limit: &Limit) -> Self {
        let capacity = u64::from(limit.capacity.max(1));
        Self::new(capacity, clock::nanos(limit.window).clamp(1, MAX_WINDOW))
    }

    /// Both at least 1.
    pub(super) const fn new(capacity: u64, window: u64) -> Self {
        let is_whole = window.is_multiple_of(capacity);
        Self {
            capacity,
            window,
            interval: if is_whole { window / capacity } else { 0 },
        }
    }

    /// Tokens of a full bucket.
    #[inline]
    pub(super) const fn capacity(&self) -> u64 {
        self.capacity
    }

    /// In which an empty bucket fills, in nanoseconds.
    #[inline]
    pub(super) const fn window(&self) -> u64 {
        self.window
    }

    /// Takes `cost` tokens at `now` from the bucket that is full again at `tat`.
    #[inline]
    pub(super) fn charge(self, tat: u64, cost: u64, now: u64) -> Charge {
        let base = tat.max(now);
        let after = self.advance(base, cost);
        let ready = after.saturating_sub(self.window).max(now);
        Charge { base, after, ready }
    }

    /// The tokens that the bucket holds: the largest cost that would be admitted at `now`.
    pub(super) fn remaining(self, tat: u64, now: u64) -> u64 {
        // At most two nanoseconds of it are rounding: begin above, and let `charge` decide.
        let ahead = u128::from(tat.saturating_sub(now).saturating_sub(2));
        let spent = ahead * u128::from(self.capacity) / u128::from(self.window);
        let upper = self.capacity.saturating_sub(narrow(spent));
        let mut held = (1..=upper).rev();
        held.find(|&cost| self.charge(tat, cost, now).ready <= now)
            .unwrap_or(0)
    }

    /// The moment `cost` tokens after `from`.
    #[inline]
    fn advance(self, from: u64, cost: u64) -> u64 {
        if cost == 0 {
            return from;
        }
        if self.interval > 0 {
            return from.saturating_add(cost.saturating_mul(self.interval));
        }
        self.advance_unevenly(from, cost)
    }

    #[inline(never)]
    fn advance_unevenly(self, from: u64, cost: u64) -> u64 {
        let Self {
            capacity, window, ..
        } = self;
        if window < capacity {
            let interval = (u128::from(cost) * u128::from(window)).div_ceil(u128::from(capacity));
            return from.saturating_add(narrow(interval));
        }
        self.advance_on_grid(from, cost)
    }

    /// [`Self::advance`] where a token takes no whole number of nanoseconds, but more than one. The
    /// grid repeats with each window, so positions in it are enough.
    fn advance_on_grid(self, from: u64, cost: u64) -> u64 {
        let Self {
            capacity, window, ..
        } = self;
        let place = from % window;
        let tokens = capacity.saturating_add(cost).saturating_add(1);
        // 64 bits are enough for all but the largest limits, and divide faster.
        let moved = if tokens.leading_zeros() + window.leading_zeros() >= 64 {
            move_on_grid(place, cost, capacity, window)
        } else {
            let [place, cost, capacity, window] = [place, cost, capacity, window].map(u128::from);
            narrow(move_on_grid(place, cost, capacity, window))
        };
        (from - place).saturating_add(moved)
    }
}

/// The place `cost` tokens after `place`, in a number that holds all products on the way: the largest
/// is `(capacity + cost) * window`.
pub(super) fn move_on_grid<N>(place: N, cost: N, capacity: N, window: N) -> N
where
    N: Copy
        + Ord
        + From<bool>
        + Add<Output = N>
        + Sub<Output = N>
        + Mul<Output = N>
        + Div<Output = N>,
{
    let one = N::from(true);
    let begins = |token: N| token * window / capacity;
    let token = ((place + one) * capacity - one) / window;
    let within = place - begins(token);
    // Tokens differ in length by one nanosecond: never spill into the next.
    let next = token + cost;
    (begins(next) + within).min(begins(next + one) - one)
}

/// `wide`, or the largest number that fits.
pub(super) fn narrow(wide: u128) -> u64 {
    u64::try_from(wide).unwrap_or(u64::MAX)
}
