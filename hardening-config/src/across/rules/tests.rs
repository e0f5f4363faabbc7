use proptest::prelude::*;

use super::Waits::{Longest, Mean};
use super::*;
use crate::policy::{Jitter, Limit};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn retry(max_attempts: u32, base: u64, jitter: Jitter) -> RetryPolicy {
    RetryPolicy {
        max_attempts,
        base_delay: s(base),
        max_delay: s(10),
        jitter,
        ..RetryPolicy::default()
    }
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn partial(waits: Waits, milliseconds: u64, in_time: u32) -> Fit {
    Fit::Partial(Course {
        waits,
        total: ms(milliseconds),
        in_time,
    })
}

#[test]
fn attempts_and_waits_that_end_with_the_call_fit_it() {
    // 3 × 2 s + 1 s + 2 s = 9 s
    let retry = retry(3, 1, Jitter::Full);
    assert_eq!(fit(&retry, s(9), Some(s(2))), Fit::Whole);
    assert_eq!(
        fit(&retry, ms(8_999), Some(s(2))),
        partial(Longest, 9_000, 2)
    );
    // Nothing is known of the attempts: the waits alone.
    assert_eq!(fit(&retry, s(3), None), Fit::Whole);
    assert_eq!(fit(&retry, s(2), None), partial(Longest, 3_000, 2));
}

#[test]
fn with_mean_waits_retries_fit_more_often_than_with_the_longest() {
    // 3 × 2 s and 1 s + 2 s, which full jitter halves.
    let fit = |jitter, call, attempt| fit(&retry(3, 1, jitter), ms(call), attempt);
    let two = Some(s(2));
    assert_eq!(fit(Jitter::Full, 7_500, two), partial(Longest, 9_000, 2));
    assert_eq!(fit(Jitter::Full, 7_499, two), partial(Mean, 7_500, 2));
    assert_eq!(fit(Jitter::Full, 4_000, two), partial(Mean, 7_500, 1));
    assert_eq!(fit(Jitter::Full, 1_499, None), partial(Mean, 1_500, 2));
    assert_eq!(fit(Jitter::Equal, 8_250, two), partial(Longest, 9_000, 2));
    assert_eq!(fit(Jitter::Equal, 8_249, two), partial(Mean, 8_250, 2));
    assert_eq!(fit(Jitter::None, 8_999, two), partial(Mean, 9_000, 2));
    // 1 s to 3 s, then 1 s to three times that: 2 s + 3.5 s, and at most 3 s + 9 s.
    let drawn = |call| fit(Jitter::Decorrelated, call, None);
    assert_eq!(drawn(5_500), partial(Longest, 12_000, 2));
    assert_eq!(drawn(5_499), partial(Mean, 5_500, 2));
}

#[test]
fn a_first_wait_as_long_as_the_call_leaves_no_retry() {
    for (jitter, never) in [
        (Jitter::None, true),
        (Jitter::Decorrelated, true),
        (Jitter::Full, false),
    ] {
        let fits = fit(&retry(2, 5, jitter), s(5), None);
        assert_eq!(fits == Fit::Never(s(5)), never, "{jitter:?} {fits:?}");
    }
    assert_eq!(fit(&retry(2, 5, Jitter::None), s(6), None), Fit::Whole);
    let half = retry(2, 10, Jitter::Equal);
    assert_eq!(fit(&half, s(5), None), Fit::Never(s(5)));
    assert_eq!(
        fit(&retry(1, 5, Jitter::None), s(5), None),
        Fit::Whole,
        "no retry is meant"
    );
}

#[test]
fn max_elapsed_bounds_the_waits() {
    let bounded = |max| RetryPolicy {
        max_elapsed: Some(s(max)),
        ..retry(5, 1, Jitter::Full)
    };
    // Waits of 1 s, 2 s, 4 s, 8 s: the third would end after 6 s, unless it is shorter.
    assert_eq!(fit(&bounded(6), s(6), None), Fit::Whole);
    assert_eq!(fit(&bounded(6), s(7), Some(s(1))), Fit::Whole);
    assert_eq!(
        fit(&bounded(6), s(6), Some(s(1))),
        partial(Longest, 7_000, 3)
    );
    // 1 s + 0.5 s + 1 s + 1 s + 1 s + 2 s + 1 s: on average, the fourth attempt begins in time.
    assert_eq!(fit(&bounded(7), s(7), Some(s(1))), partial(Mean, 7_500, 3));
}

#[test]
fn retries_outlast_a_circuit_that_they_can_wait_for() {
    let breaker = |threshold, open_for| CircuitBreakerPolicy {
        failure_threshold: threshold,
        open_for: s(open_for),
        ..CircuitBreakerPolicy::default()
    };
    // Waits of 1 s, 2 s, 4 s, 8 s, none above 10 s.
    let retry = retry(5, 1, Jitter::Full);
    assert_eq!(
        refused_after(&retry, &breaker(5, 60)),
        None,
        "the last failure opens it"
    );
    assert_eq!(refused_after(&retry, &breaker(2, 60)), Some(2));
    assert_eq!(
        refused_after(&retry, &breaker(2, 13)),
        Some(2),
        "11 s after a wait of 2 s"
    );
    assert_eq!(
        refused_after(&retry, &breaker(2, 12)),
        None,
        "10 s, which it waits for"
    );
    assert_eq!(
        refused_after(&retry, &breaker(4, 9)),
        Some(4),
        "there is no attempt after the next"
    );
    assert_eq!(
        refused_after(&retry, &breaker(4, 8)),
        None,
        "the wait is as long"
    );
}

fn limits(limits: &[(u32, u64, Scope)]) -> RateLimitPolicy {
    let limit = |&(capacity, window, scope)| Limit {
        capacity,
        window: s(window),
        scope,
    };
    RateLimitPolicy {
        limits: limits.iter().map(limit).collect(),
        max_wait: Duration::ZERO,
        max_keys: 1,
    }
}

#[test]
fn the_least_global_limit_bounds_the_calls_of_a_window() {
    let one = limits(&[(3, 60, Scope::Global)]);
    assert_eq!(
        most_calls(&one, s(30), 1),
        Some(4),
        "three at once, and one of one and a half"
    );
    assert_eq!(most_calls(&one, s(30), 3), Some(12));
    let more = limits(&[
        (3, 60, Scope::Global),
        (1, 1, Scope::Key),
        (9, 9, Scope::Global),
    ]);
    assert_eq!(most_calls(&more, s(30), 1), Some(4));
    assert_eq!(most_calls(&limits(&[(3, 60, Scope::Key)]), s(30), 1), None);
}

/// A call whose attempts all take their longest, and whose waits this share of theirs, run step by
/// step, in milliseconds.
fn simulate(retry: &RetryPolicy, share: u64, call: u64, attempt: u64) -> (u64, u32) {
    let (mut now, mut in_time, mut number) = (0, 0, 1);
    let most = retry.max_delay.as_secs();
    loop {
        now += attempt * 1000;
        in_time += u32::from(now <= call * 1000);
        if number >= retry.max_attempts {
            return (now, in_time);
        }
        let wait = (retry.base_delay.as_secs() << (number - 1)).min(most);
        now += wait * 1000 / share;
        number += 1;
    }
}

proptest! {
    #[test]
    fn the_sum_is_that_of_a_call_run_step_by_step(
        attempts in 2_u32..12, base in 0_u64..5, call in 1_u64..200, attempt in 0_u64..20,
    ) {
        let retry = retry(attempts, base, Jitter::Full);
        let mean = simulate(&retry, 2, call, attempt);
        let longest = simulate(&retry, 1, call, attempt);
        let expected = if mean.0 > call * 1000 {
            partial(Mean, mean.0, mean.1)
        } else if longest.0 > call * 1000 {
            partial(Longest, longest.0, longest.1)
        } else {
            Fit::Whole
        };
        prop_assert_eq!(fit(&retry, s(call), Some(s(attempt))), expected);
    }

    /// Spends tokens as fast as they come, from a full bucket, and counts.
    #[test]
    fn no_schedule_gets_more_calls_into_a_window(
        capacity in 1_u32..20, per in 1_u64..60, window in 1_u64..120,
    ) {
        let limit = limits(&[(capacity, per, Scope::Global)]);
        let (mut tokens, mut calls) = (u64::from(capacity) * per, 0_u64);
        for second in 0..=window {
            if second > 0 {
                tokens = (tokens + u64::from(capacity)).min(u64::from(capacity) * per);
            }
            calls += tokens / per;
            tokens %= per;
        }
        prop_assert_eq!(most_calls(&limit, s(window), 1), Some(calls));
    }

    #[test]
    fn no_wait_is_outside_of_its_bounds(
        attempts in 2_u32..100, base in 0_u64..5, number in 1_u32..100,
    ) {
        for jitter in [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated] {
            let retry = retry(attempts, base, jitter);
            let (least, most) = (retry.shortest_wait(number), retry.longest_wait(number));
            prop_assert!(least <= most && most <= retry.max_delay, "{:?} {:?} {:?}", jitter, least, most);
            for (mean, number) in retry.mean_waits().zip(1..) {
                prop_assert!(retry.shortest_wait(number) <= mean, "{:?} {:?}", jitter, mean);
                prop_assert!(mean <= retry.longest_wait(number), "{:?} {:?}", jitter, mean);
            }
        }
    }
}
