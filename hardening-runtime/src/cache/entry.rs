//! When a remembered result is what: the pure decision.

use super::prepared::Prepared;
use crate::clock::{Moment, Present, nanos};
use hardening_config::CachePolicy;

/// The times of one result, fixed when it was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) stored: Moment,
    pub(super) fresh_until: Moment,
    pub(super) stale_until: Moment,
}

/// What a remembered result is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// It is served.
    Fresh,
    /// It is served, and one caller should run the call anew.
    RefreshAhead,
    /// It is served only in the place of a failure.
    Stale,
    /// It is good for nothing.
    Expired,
}

impl Freshness {
    pub(super) const fn is_served(self) -> bool {
        matches!(self, Self::Fresh | Self::RefreshAhead)
    }
}

impl Times {
    /// The times of a result stored `now`; `dice` (0..1) draws how much of `ttl_jitter` it loses.
    pub(super) fn new(policy: &CachePolicy, now: Moment, dice: f64) -> Self {
        let jitter = nanos(policy.ttl_jitter);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates
        let lost = if jitter == 0 {
            0
        } else {
            (jitter as f64 * dice) as u64
        };
        let ttl = nanos(policy.ttl).saturating_sub(lost);
        let fresh_until = Moment::from_nanos(now.as_nanos().saturating_add(ttl));
        Self {
            stored: now,
            fresh_until,
            stale_until: fresh_until.plus(policy.stale_if_error),
        }
    }

    /// The end of freshness for a reader with `policy`. The policy under which the result was
    /// stored and the reader's both bind, so a shorter `ttl` takes hold at once after a reload.
    #[inline]
    fn fresh_until(&self, policy: &CachePolicy) -> Moment {
        self.fresh_until.min(self.stored.plus(policy.ttl))
    }
}

/// What the result is good for, for a reader with `policy`.
#[inline]
pub(super) fn freshness(times: &Times, policy: &CachePolicy, now: Moment) -> Freshness {
    let fresh_until = times.fresh_until(policy);
    if now < fresh_until {
        let ahead = policy.refresh_ahead;
        if ahead.is_zero() || now.plus(ahead) < fresh_until {
            Freshness::Fresh
        } else {
            Freshness::RefreshAhead
        }
    } else if now
        < times
            .stale_until
            .min(fresh_until.plus(policy.stale_if_error))
    {
        Freshness::Stale
    } else {
        Freshness::Expired
    }
}

/// Whether a result that is fresh until then is so now, and not to be refreshed ahead, as far as that can be said
/// without asking the clock.
#[inline]
pub(super) fn is_surely_fresh(fresh_until: Moment, policy: &Prepared, present: Present) -> bool {
    let refreshed_from = fresh_until.as_nanos().saturating_sub(policy.ahead_nanos());
    present.is_surely_before(Moment::from_nanos(refreshed_from))
}

/// The moment before which no second refresh of the same result is tried: a refresh that fails
/// is tried four times in the whole of `refresh_ahead`, not once per call.
pub(super) fn next_refresh(policy: &CachePolicy, now: Moment) -> Moment {
    now.plus(policy.refresh_ahead / 4)
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::{
        Freshness::{Expired, Fresh, RefreshAhead, Stale},
        *,
    };
    use proptest::prelude::*;
    use std::time::Duration;

    fn policy(ttl: u64, ahead: u64, stale: u64, jitter: u64) -> CachePolicy {
        CachePolicy {
            ttl: Duration::from_nanos(ttl),
            refresh_ahead: Duration::from_nanos(ahead),
            stale_if_error: Duration::from_nanos(stale),
            ttl_jitter: Duration::from_nanos(jitter),
            ..CachePolicy::default()
        }
    }

    fn at(nanos: u64) -> Moment {
        Moment::from_nanos(nanos)
    }

    #[test]
    fn a_result_passes_through_all_four_states() {
        let policy = policy(100, 20, 50, 0);
        let times = Times::new(&policy, at(1000), 0.5);
        let seen = [1000, 1079, 1080, 1099, 1100, 1149, 1150]
            .map(|now| freshness(&times, &policy, at(now)));
        assert_eq!(
            seen,
            [
                Fresh,
                Fresh,
                RefreshAhead,
                RefreshAhead,
                Stale,
                Stale,
                Expired
            ]
        );
    }

    #[test]
    fn a_shorter_ttl_takes_hold_at_once_and_a_longer_one_from_the_next_result_on() {
        let (short, long) = (policy(10, 0, 0, 0), policy(100, 0, 0, 0));
        let stored_long = Times::new(&long, at(0), 0.0);
        assert_eq!(freshness(&stored_long, &short, at(10)), Expired);
        let stored_short = Times::new(&short, at(0), 0.0);
        assert_eq!(freshness(&stored_short, &long, at(10)), Expired);
    }

    #[test]
    fn huge_settings_saturate() {
        let policy = CachePolicy {
            ttl: Duration::MAX,
            stale_if_error: Duration::MAX,
            refresh_ahead: Duration::MAX,
            ttl_jitter: Duration::MAX,
            ..CachePolicy::default()
        };
        for dice in [0.0, 0.5, 1.0 - f64::EPSILON] {
            let times = Times::new(&policy, at(u64::MAX - 5), dice);
            freshness(&times, &policy, at(u64::MAX));
        }
    }

    proptest! {
        /// The model: plain sums over the age.
        #[test]
        fn freshness_follows_the_age(
            ttl in 1_u64..1000, ahead in 0_u64..1200, stale in 0_u64..1000,
            jitter in 0_u64..1200, dice in 0.0_f64..1.0, age in 0_u64..3000,
        ) {
            let policy = policy(ttl, ahead, stale, jitter);
            let times = Times::new(&policy, at(1 << 40), dice);
            let lost = (times.stored.plus(policy.ttl)).since(times.fresh_until);
            prop_assert!(lost <= policy.ttl_jitter.min(policy.ttl));
            let ttl = ttl - u64::try_from(lost.as_nanos()).unwrap();
            let expected = if age >= ttl + stale {
                Expired
            } else if age >= ttl {
                Stale
            } else if ahead > 0 && age + ahead >= ttl {
                RefreshAhead
            } else {
                Fresh
            };
            prop_assert_eq!(freshness(&times, &policy, at((1 << 40) + age)), expected);
        }
    }
}
