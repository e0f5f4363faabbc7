//! How long the wait before a retry is, before anybody asked for a longer one.

use hardening_config::{Jitter, RetryPolicy};
use std::time::Duration;

/// The wait before retry number `retry` (the first is 1), for the drawn `dice` in `0.0..1.0`.
/// `previous` is what this function returned for the retry before, zero before the first.
///
/// The backoff is `base_delay * exponential_base^(retry - 1)`, capped by `max_delay`, and the jitter
/// is drawn inside that cap: `max_delay` is the longest wait whatever the fields hold.
/// A factor that is no number, or is negative, counts as 1. The four jitters are those of
/// "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
pub(super) fn delay(policy: &RetryPolicy, retry: u32, previous: Duration, dice: f64) -> Duration {
    let dice = if dice.is_nan() {
        0.0
    } else {
        dice.clamp(0.0, 1.0)
    };
    let drawn = match policy.jitter {
        Jitter::None => backoff(policy, retry),
        Jitter::Full => between(Duration::ZERO, backoff(policy, retry), dice),
        Jitter::Equal => {
            let backoff = backoff(policy, retry);
            between(backoff / 2, backoff, dice)
        }
        Jitter::Decorrelated => {
            let longest = previous.max(policy.base_delay).saturating_mul(3);
            between(policy.base_delay, longest.min(policy.max_delay), dice)
        }
    };
    drawn.min(policy.max_delay)
}

/// The backoff without jitter: the formula, capped.
fn backoff(policy: &RetryPolicy, retry: u32) -> Duration {
    let factor = match policy.exponential_base {
        factor if factor >= 0.0 => factor,
        _ => 1.0, // negative, or no number
    };
    if policy.base_delay.is_zero() {
        return Duration::ZERO; // 0 * infinity is no number
    }
    let grown = factor.powf(f64::from(retry.saturating_sub(1)));
    seconds(policy.base_delay.as_secs_f64() * grown).min(policy.max_delay)
}

/// The point between `low` and `high` at `dice`; `low` when `high` is not above it.
fn between(low: Duration, high: Duration, dice: f64) -> Duration {
    let spread = high.saturating_sub(low).as_secs_f64();
    low.saturating_add(seconds(spread * dice))
        .min(high.max(low))
}

/// So many seconds; the longest duration when there is none that long.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy(base_ms: u64, exponential_base: f64, jitter: Jitter) -> RetryPolicy {
        RetryPolicy {
            base_delay: Duration::from_millis(base_ms),
            max_delay: Duration::from_secs(2),
            exponential_base,
            jitter,
            ..RetryPolicy::default()
        }
    }

    fn any_jitter() -> impl Strategy<Value = Jitter> {
        prop_oneof![
            Just(Jitter::None),
            Just(Jitter::Full),
            Just(Jitter::Equal),
            Just(Jitter::Decorrelated)
        ]
    }

    fn any_duration() -> impl Strategy<Value = Duration> {
        prop_oneof![
            Just(Duration::ZERO),
            Just(Duration::MAX),
            any::<u64>().prop_map(Duration::from_nanos),
            any::<u64>().prop_map(Duration::from_secs),
        ]
    }

    /// Any bit pattern: negative, subnormal, infinite, not a number.
    fn any_number() -> impl Strategy<Value = f64> {
        any::<u64>().prop_map(f64::from_bits)
    }

    #[test]
    fn each_wait_doubles_until_the_cap() {
        let policy = policy(500, 2.0, Jitter::None);
        let millis =
            [1, 2, 3, 4, u32::MAX].map(|n| delay(&policy, n, Duration::ZERO, 0.5).as_millis());
        assert_eq!(millis, [500, 1000, 2000, 2000, 2000]);
    }

    /// The formula of another library waits 27 hours before the fourth attempt.
    #[test]
    fn the_base_delay_is_multiplied_and_not_raised() {
        let policy = RetryPolicy {
            max_delay: Duration::MAX,
            ..policy(100, 10.0, Jitter::None)
        };
        let third = delay(&policy, 3, Duration::ZERO, 0.0);
        assert_eq!(third, Duration::from_secs(10));
    }

    /// Another library waits 3.96 s under a cap of 2 s.
    #[test]
    fn the_cap_holds_after_jitter() {
        for jitter in [Jitter::Full, Jitter::Equal, Jitter::Decorrelated] {
            let policy = policy(1900, 2.0, jitter);
            let longest = delay(&policy, 9, Duration::from_secs(2), 1.0);
            assert_eq!(longest, Duration::from_secs(2), "{jitter:?}");
        }
    }

    #[test]
    fn a_base_delay_above_the_cap_is_cut_to_it() {
        for jitter in [
            Jitter::None,
            Jitter::Full,
            Jitter::Equal,
            Jitter::Decorrelated,
        ] {
            let policy = policy(9000, 2.0, jitter);
            let (shortest, longest) = (
                delay(&policy, 1, Duration::ZERO, 0.0),
                Duration::from_secs(2),
            );
            assert!(shortest <= longest, "{jitter:?}");
            assert_eq!(
                delay(&policy, 1, Duration::ZERO, 1.0),
                longest,
                "{jitter:?}"
            );
        }
    }

    #[test]
    fn odd_factors_neither_panic_nor_wait_for_ever() {
        let wait = |factor| delay(&policy(500, factor, Jitter::None), 4, Duration::ZERO, 0.0);
        assert_eq!(wait(f64::NAN), Duration::from_millis(500));
        assert_eq!(wait(-3.0), Duration::from_millis(500));
        assert_eq!(wait(f64::NEG_INFINITY), Duration::from_millis(500));
        assert_eq!(wait(f64::INFINITY), Duration::from_secs(2));
        assert_eq!(wait(f64::MAX), Duration::from_secs(2));
        assert_eq!(wait(0.0), Duration::ZERO);
        let nothing = policy(0, f64::INFINITY, Jitter::Full);
        assert_eq!(delay(&nothing, 2, Duration::ZERO, 0.9), Duration::ZERO);
    }

    #[test]
    fn each_jitter_keeps_to_its_range() {
        let wait = |jitter, dice| {
            delay(
                &policy(400, 2.0, jitter),
                2,
                Duration::from_millis(500),
                dice,
            )
            .as_millis()
        };
        assert_eq!((wait(Jitter::Full, 0.0), wait(Jitter::Full, 1.0)), (0, 800));
        assert_eq!(
            (wait(Jitter::Equal, 0.0), wait(Jitter::Equal, 1.0)),
            (400, 800)
        );
        assert_eq!(
            (
                wait(Jitter::Decorrelated, 0.0),
                wait(Jitter::Decorrelated, 1.0)
            ),
            (400, 1500)
        );
    }

    proptest! {
        /// What the configuration says of waits before the program runs is what they are then.
        #[test]
        fn every_wait_is_within_the_bounds_that_the_policy_tells(
            base in 0_u64..20_000,
            factor in 1.0_f64..100.0,
            jitter in any_jitter(),
            dice in 0.0_f64..1.0,
        ) {
            let policy = RetryPolicy { max_attempts: 100, ..policy(base, factor, jitter) };
            let (mut previous, mut longest) = (Duration::ZERO, Duration::ZERO);
            for retry in 1..policy.max_attempts {
                previous = delay(&policy, retry, previous, dice);
                longest = delay(&policy, retry, longest, 1.0);
                let (least, most) = (policy.shortest_wait(retry), policy.longest_wait(retry));
                prop_assert!(least <= previous && previous <= most, "{retry}: {least:?} {previous:?} {most:?}");
                let apart = most.abs_diff(longest);
                prop_assert!(apart < Duration::from_micros(1), "{retry}: {longest:?} {most:?}");
            }
        }

        #[test]
        fn no_policy_panics_or_waits_longer_than_its_cap(
            base_delay in any_duration(), max_delay in any_duration(), previous in any_duration(),
            exponential_base in any_number(), dice in any_number(), jitter in any_jitter(),
            retry in any::<u32>(),
        ) {
            let policy = RetryPolicy {
                base_delay, max_delay, exponential_base, jitter, ..RetryPolicy::default()
            };
            prop_assert!(delay(&policy, retry, previous, dice) <= max_delay);
        }

        #[test]
        fn waits_follow_the_formula(
            base in 1_u64..5_000, factor in 1.0..4.0_f64, retry in 1_u32..30, dice in 0.0..1.0_f64,
        ) {
            let formula = (base as f64 / 1e3 * factor.powi(retry.cast_signed() - 1)).min(2.0);
            for (jitter, expected) in [
                (Jitter::None, formula),
                (Jitter::Full, formula * dice),
                (Jitter::Equal, formula / 2.0 + formula / 2.0 * dice),
            ] {
                let wait = delay(&policy(base, factor, jitter), retry, Duration::ZERO, dice);
                prop_assert!((wait.as_secs_f64() - expected).abs() < 1e-8, "{jitter:?}: {wait:?}");
            }
        }

        #[test]
        fn decorrelated_waits_stay_between_the_base_and_three_times_the_wait_before(
            base in 1_u64..2_000, dice in prop::collection::vec(0.0..1.0_f64, 1..20),
        ) {
            let policy = policy(base, f64::NAN, Jitter::Decorrelated);
            let mut previous = Duration::ZERO;
            for (retry, dice) in (1..).zip(dice) {
                let wait = delay(&policy, retry, previous, dice);
                prop_assert!(wait >= policy.base_delay);
                prop_assert!(wait <= previous.max(policy.base_delay) * 3);
                previous = wait;
            }
        }
    }
}
