//! How many retries all calls under one policy may make together.

use crate::{
    clock::Moment,
    sync::{AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed},
};
use hardening_config::Budget;
use std::fmt;

/// Tokens are counted in billionths: a ratio of 0.001 is exact, and so is one of 1.
const TOKEN: u64 = 1_000_000_000;
/// A second on the clock.
const SECOND: u64 = 1_000_000_000;
/// What the budget remembers: ten seconds of reserve, and ten to twenty seconds of traffic.
const SPAN: u64 = 10 * SECOND;
/// What calls earned may always add up to this much, so that few calls an hour add up too.
const ALWAYS: u64 = 10 * TOKEN;
/// Above these the settings mean "no bound", and the arithmetic would need more than 64 bits.
const MAX_RATIO: f64 = 1_000.0;
const MAX_PER_SECOND: f64 = 1_000_000.0;
/// The slowest refill: one token in ten years.
const MAX_COST: u64 = 10 * 365 * 24 * 3600 * SECOND;

/// The retry budget of one policy: what its calls earned and have not spent.
///
/// Two sources, as in Finagle's `RetryBudget` and tower's `TpsBudget`. Every call earns `ratio` of a
/// retry, kept while it is worth ten to twenty seconds of the traffic (but never fewer than ten
/// retries); and a reserve of `min_per_second` refills with time, up to ten seconds of it, full at
/// the start. A retry takes a whole token from the first source that has one.
///
/// Exact under contention: no token is spent twice and none is lost. The settings are an argument
/// of every decision, so that a reload swaps them and what was earned stays.
#[doc(hidden)]
pub struct BudgetState {
    /// What calls earned, in billionths of a retry.
    earned: AtomicU64,
    /// The calls of this span and of the one before: the bound on `earned`. See [`Traffic`].
    traffic: AtomicU64,
    /// The reserve as a generic cell rate: the moment at which it will be full again.
    full_at: AtomicU64,
    /// The latest moment seen: tells the clock of one test from that of the next.
    #[cfg(feature = "test-util")]
    latest: AtomicU64,
}

impl Default for BudgetState {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for BudgetState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let earned = self.earned.load(Relaxed) as f64 / TOKEN as f64;
        f.debug_struct("BudgetState")
            .field("earned", &earned)
            .finish_non_exhaustive()
    }
}

impl BudgetState {
    /// A budget with a full reserve, and nothing earned yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            earned: AtomicU64::new(0),
            traffic: AtomicU64::new(0),
            full_at: AtomicU64::new(0),
            #[cfg(feature = "test-util")]
            latest: AtomicU64::new(0),
        }
    }

    /// Tests share the budgets of the program, each on a paused clock of its own. What a test that
    /// is minutes ahead has spent would leave nothing for all that begin after it, for as long as
    /// their clocks are behind: so on an earlier clock the reserve is full.
    #[cfg(feature = "test-util")]
    fn follow(&self, now: Moment) {
        let latest = self.latest.swap(now.as_nanos(), AcqRel);
        if now.as_nanos().saturating_add(SECOND) < latest {
            self.full_at.store(0, Relaxed);
        }
    }

    /// A call begins: it earns its share of a retry.
    pub(crate) fn deposit(&self, budget: &Budget, now: Moment) {
        let share = share(budget.ratio);
        if share == 0 {
            return;
        }
        // First the call, then its share: whoever sees the share sees a bound that has room for it.
        update(&self.traffic, |bits| {
            Some(Traffic::unpack(bits).at(now).plus_one().pack())
        });
        update(&self.earned, |earned| {
            let kept = (earned + share).min(self.bound(share, now));
            (kept != earned).then_some(kept)
        });
    }

    /// A retry is decided: takes a token for it, or says that there is none. Taken before the
    /// wait, so that waiting retries count as the retries that they will be.
    pub(crate) fn withdraw(&self, budget: &Budget, now: Moment) -> bool {
        #[cfg(feature = "test-util")]
        self.follow(now);
        self.spend_earned(share(budget.ratio), now)
            || self.spend_reserve(budget.min_per_second, now)
    }

    /// The retries that could be made at `now`: whole ones of what calls earned, and of the reserve.
    /// Reading changes nothing.
    pub(crate) fn remaining(&self, budget: &Budget, now: Moment) -> u64 {
        let earned = self.earned.load(Acquire);
        let earned = earned.min(self.bound(share(budget.ratio), now)) / TOKEN;
        let reserve = cost(budget.min_per_second).map_or(0, |cost| {
            let now = now.as_nanos();
            let emptied = now.saturating_add(SPAN.max(cost));
            let full_at = self.full_at.load(Acquire).clamp(now, emptied);
            (emptied - full_at) / cost
        });
        earned.saturating_add(reserve)
    }

    fn spend_earned(&self, share: u64, now: Moment) -> bool {
        update(&self.earned, |earned| {
            earned.min(self.bound(share, now)).checked_sub(TOKEN)
        })
    }

    fn spend_reserve(&self, min_per_second: f64, now: Moment) -> bool {
        let Some(cost) = cost(min_per_second) else {
            return false;
        };
        let now = now.as_nanos();
        let emptied = now.saturating_add(SPAN.max(cost));
        let mut spent = false;
        update(&self.full_at, |seen| {
            // Beyond `emptied` only if the settings or the clock changed: empty as of now.
            let full_at = seen.clamp(now, emptied);
            let after = full_at.saturating_add(cost);
            spent = after <= emptied;
            let next = if spent { after } else { full_at.min(seen) };
            (next != seen).then_some(next)
        });
        spent
    }

    /// What may be kept of what calls earned. Read after the balance that it bounds.
    fn bound(&self, share: u64, now: Moment) -> u64 {
        let traffic = Traffic::unpack(self.traffic.load(Relaxed)).at(now);
        match share {
            0 => 0,
            _ => (share * traffic.busier()).max(ALWAYS),
        }
    }
}

/// Replaces the value by `next(value)` until nobody came between; says whether there was a next.
/// What other threads wrote before the value was written is visible to `next`.
fn update(value: &AtomicU64, mut next: impl FnMut(u64) -> Option<u64>) -> bool {
    let mut seen = value.load(Acquire);
    while let Some(new) = next(seen) {
        match value.compare_exchange_weak(seen, new, AcqRel, Acquire) {
            Ok(_) => return true,
            Err(now) => seen = now,
        }
    }
    false
}

/// What one call earns, in billionths. Nothing for a ratio that is negative or no number.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 10^12
fn share(ratio: f64) -> u64 {
    if ratio > 0.0 {
        (ratio.min(MAX_RATIO) * TOKEN as f64).round() as u64
    } else {
        0
    }
}

/// The time in which the reserve refills by one token; none when it never does. Rounded down, so
/// that ten seconds hold ten times the rate whatever the rate.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 10^3 and up; `as` saturates
fn cost(min_per_second: f64) -> Option<u64> {
    let refills = min_per_second > 0.0; // no number does not
    refills.then(|| ((SECOND as f64 / min_per_second.min(MAX_PER_SECOND)) as u64).min(MAX_COST))
}

/// How many calls began in this span of ten seconds and in the one before. Packed into 64 bits:
/// 20 for the span's number (it comes round after 121 days, which an idle budget may mistake for
/// the present: a bound too high for a moment), 22 for each count (full at 4 million).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Traffic {
    span: u64,
    before: u64,
    during: u64,
}

impl Traffic {
    const COUNT_BITS: u32 = 22;
    const MAX_COUNT: u64 = (1 << Self::COUNT_BITS) - 1;
    const MAX_SPAN: u64 = (1 << 20) - 1;

    const fn unpack(bits: u64) -> Self {
        Self {
            span: bits >> (2 * Self::COUNT_BITS),
            before: (bits >> Self::COUNT_BITS) & Self::MAX_COUNT,
            during: bits & Self::MAX_COUNT,
        }
    }

    const fn pack(self) -> u64 {
        (self.span << (2 * Self::COUNT_BITS)) | (self.before << Self::COUNT_BITS) | self.during
    }

    /// The same traffic as seen at `now`. A `now` before the latest seen changes nothing.
    const fn at(self, now: Moment) -> Self {
        let span = (now.as_nanos() / SPAN) & Self::MAX_SPAN;
        let passed = span.wrapping_sub(self.span) & Self::MAX_SPAN;
        let before = match passed {
            0 => return self,
            1 => self.during,
            _ if passed > Self::MAX_SPAN / 2 => return self,
            _ => 0,
        };
        Self {
            span,
            before,
            during: 0,
        }
    }

    const fn plus_one(mut self) -> Self {
        if self.during < Self::MAX_COUNT {
            self.during += 1;
        }
        self
    }

    fn busier(self) -> u64 {
        self.before.max(self.during)
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests;

#[cfg(all(test, hardening_loom))]
mod model;
