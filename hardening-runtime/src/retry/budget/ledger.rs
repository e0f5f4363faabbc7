//! The arithmetic of a budget: what came in, when, and what of it may still be spent.

use crate::clock::Moment;
use hardening_config::Budget;

/// Tokens are counted in billionths: a ratio of 0.001 is exact, and so is one of 1.
pub(super) const TOKEN: u64 = 1_000_000_000;
/// A second on the clock.
pub(super) const SECOND: u64 = 1_000_000_000;
/// What the budget remembers: ten seconds of reserve, and ten to twenty seconds of traffic.
pub(super) const SPAN: u64 = 10 * SECOND;
/// What calls earned may always add up to this much, so that few calls an hour add up too.
const ALWAYS: u64 = 10 * TOKEN;
/// Above these the settings mean "no bound", and the arithmetic would need more than 64 bits.
const MAX_RATIO: f64 = 1_000.0;
const MAX_PER_SECOND: f64 = 1_000_000.0;
/// The slowest refill: one token in ten years.
const MAX_COST: u64 = 10 * 365 * 24 * 3600 * SECOND;

/// Some calls, and what they earned together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Earnings {
    pub(super) calls: u64,
    /// In billionths of a retry.
    pub(super) earned: u64,
}

/// Two sources, as in Finagle's `RetryBudget` and tower's `TpsBudget`. Every call earns `ratio` of a
/// retry, kept while it is worth ten to twenty seconds of the traffic (but never fewer than ten
/// retries); and a reserve of `min_per_second` refills with time, up to ten seconds of it, full at
/// the start. A retry takes a whole token from the first source that has one.
///
/// The settings are an argument of every decision, so that a reload swaps them and what was earned
/// stays.
#[derive(Clone, Copy, Debug)]
pub(in crate::retry) struct Ledger {
    /// What calls earned, in billionths of a retry.
    pub(super) earned: u64,
    /// The calls of this span and of the one before: the bound on `earned`.
    pub(super) traffic: Traffic,
    /// The reserve as a generic cell rate: the moment at which it will be full again.
    full_at: u64,
}

impl Ledger {
    /// A full reserve, and nothing earned yet.
    pub(super) const fn new() -> Self {
        Self {
            earned: 0,
            traffic: Traffic::NONE,
            full_at: 0,
        }
    }

    /// The ledger of a single call, which began just now.
    pub(super) fn of_one_call(budget: &Budget, now: Moment) -> Self {
        let mut ledger = Self::new();
        let earned = share(budget.ratio);
        ledger.deposit(budget, Earnings { calls: 1, earned }, now, now);
        ledger
    }

    /// Calls began between `since` and `now`.
    pub(super) fn deposit(
        &mut self,
        budget: &Budget,
        earnings: Earnings,
        since: Moment,
        now: Moment,
    ) {
        self.traffic = self.traffic.at(now).plus(earnings.calls, since, now);
        let earned = self.earned.saturating_add(earnings.earned);
        self.earned = match share(budget.ratio) {
            0 => earned, // who earns nothing has no say in what others may keep
            share => earned.min(self.bound(share, now)),
        };
    }

    /// Takes a token for a retry, or says that there is none.
    pub(super) fn withdraw(&mut self, budget: &Budget, now: Moment) -> bool {
        self.spend_earned(share(budget.ratio), now)
            || self.spend_reserve(budget.min_per_second, now)
    }

    /// The retries that could be made at `now`: whole ones of what calls earned, and of the reserve.
    pub(super) fn remaining(&self, budget: &Budget, now: Moment) -> u64 {
        let earned = self.earned.min(self.bound(share(budget.ratio), now)) / TOKEN;
        let reserve = cost(budget.min_per_second).map_or(0, |cost| {
            let now = now.as_nanos();
            let emptied = now.saturating_add(SPAN.max(cost));
            (emptied - self.full_at.clamp(now, emptied)) / cost
        });
        earned.saturating_add(reserve)
    }

    /// Fills the reserve.
    #[cfg(feature = "test-util")]
    pub(super) const fn refill(&mut self) {
        self.full_at = 0;
    }

    fn spend_earned(&mut self, share: u64, now: Moment) -> bool {
        let kept = self.earned.min(self.bound(share, now));
        let left = kept.checked_sub(TOKEN);
        self.earned = left.unwrap_or(self.earned);
        left.is_some()
    }

    fn spend_reserve(&mut self, min_per_second: f64, now: Moment) -> bool {
        let Some(cost) = cost(min_per_second) else {
            return false;
        };
        let now = now.as_nanos();
        let emptied = now.saturating_add(SPAN.max(cost));
        // Beyond `emptied` only if the settings or the clock changed: empty as of now.
        let full_at = self.full_at.clamp(now, emptied);
        let after = full_at.saturating_add(cost);
        let spent = after <= emptied;
        self.full_at = if spent {
            after
        } else {
            full_at.min(self.full_at)
        };
        spent
    }

    /// What may be kept of what calls earned.
    fn bound(&self, share: u64, now: Moment) -> u64 {
        match share {
            0 => 0,
            _ => share
                .saturating_mul(self.traffic.at(now).busier())
                .max(ALWAYS),
        }
    }
}

/// What one call earns, in billionths. Nothing for a ratio that is negative or no number.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 10^12
pub(super) fn share(ratio: f64) -> u64 {
    if ratio > 0.0 {
        // To the nearest: `round` is a call into libm, for every call of ours.
        (ratio.min(MAX_RATIO) * TOKEN as f64 + 0.5) as u64
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

/// How many calls began in this span of ten seconds and in the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traffic {
    /// The number of this span.
    span: u64,
    pub(super) before: u64,
    pub(super) during: u64,
}

impl Traffic {
    pub(super) const NONE: Self = Self {
        span: 0,
        before: 0,
        during: 0,
    };

    /// The same traffic as seen at `now`. A `now` before the latest seen changes nothing.
    const fn at(self, now: Moment) -> Self {
        let span = now.as_nanos() / SPAN;
        let before = match span.saturating_sub(self.span) {
            0 => return self,
            1 => self.during,
            _ => 0,
        };
        Self {
            span,
            before,
            during: 0,
        }
    }

    /// With `calls` that began between `since` and `now`, spread evenly over that time; `now` is in
    /// this span. Those of the spans before these two are not kept.
    pub(super) fn plus(self, calls: u64, since: Moment, now: Moment) -> Self {
        let (since, now) = (since.as_nanos(), now.as_nanos());
        let this = self.span.saturating_mul(SPAN).min(now); // unless the clock went back
        let last = this.saturating_sub(SPAN);
        let took = now.saturating_sub(since);
        let until = |moment: u64| portion(calls, moment.saturating_sub(since), took);
        let (before_last, before_this) = (until(last), until(this));
        Self {
            span: self.span,
            before: self.before.saturating_add(before_this - before_last),
            during: self.during.saturating_add(calls - before_this),
        }
    }

    fn busier(self) -> u64 {
        self.before.max(self.during)
    }
}

/// Of `calls`, the portion that `part` is of `whole`: none of nothing.
fn portion(calls: u64, part: u64, whole: u64) -> u64 {
    let whole = u128::from(whole);
    let part = u128::from(part).min(whole);
    let portion = (u128::from(calls) * part).checked_div(whole);
    portion.map_or(0, |portion| u64::try_from(portion).unwrap_or(calls))
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: f64) -> Moment {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Moment::from_nanos((seconds * SECOND as f64) as u64)
    }

    fn traffic(span: u64, before: u64, during: u64) -> Traffic {
        Traffic {
            span,
            before,
            during,
        }
    }

    #[test]
    fn calls_are_spread_evenly_over_the_time_in_which_they_came() {
        let plus = |since, now| Traffic::NONE.at(at(now)).plus(60, at(since), at(now));
        assert_eq!(plus(31.0, 37.0), traffic(3, 0, 60));
        assert_eq!(plus(31.0, 31.0), traffic(3, 0, 60));
        assert_eq!(plus(28.0, 34.0), traffic(3, 20, 40));
        assert_eq!(plus(20.0, 30.0), traffic(3, 60, 0));
        assert_eq!(plus(10.0, 40.0), traffic(4, 20, 0));
        assert_eq!(plus(0.0, 36.0), traffic(3, 17, 10));
    }

    #[test]
    fn a_clock_that_went_back_loses_no_calls() {
        let latest = Traffic::NONE.at(at(95.0));
        assert_eq!(latest.plus(7, at(90.0), at(12.0)), traffic(9, 0, 7));
        assert_eq!(latest.plus(7, at(5.0), at(12.0)), traffic(9, 7, 0));
    }

    proptest! {
        #[test]
        fn spreading_neither_adds_calls_nor_loses_those_of_the_last_two_spans(
            calls in 0..u64::MAX, since in 0.0..200.0_f64, took in 0.0..100.0_f64,
        ) {
            let now = since + took;
            let spread = Traffic::NONE.at(at(now)).plus(calls, at(since), at(now));
            let kept = spread.before.checked_add(spread.during);
            prop_assert!(kept.is_some_and(|kept| kept <= calls));
            if at(since).as_nanos() / SPAN + 1 >= at(now).as_nanos() / SPAN {
                prop_assert_eq!(kept, Some(calls));
            }
        }

        #[test]
        fn a_share_is_the_nearest_billionth(ratio in 0.0..MAX_RATIO) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let nearest = (ratio * TOKEN as f64).round() as u64;
            prop_assert!(share(ratio).abs_diff(nearest) <= 1);
        }
    }
}
