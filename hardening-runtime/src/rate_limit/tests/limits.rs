//! Several limits, scopes, costs, and what a rejection says.

use super::{admits, at, burst, secs};
use crate::{
    clock::Moment,
    config::RateLimitPolicy,
    rate_limit::{LimiterState, Prepared, RateLimiter},
};
use proptest::prelude::*;
use std::{sync::Arc, thread, time::Duration};

#[test]
fn a_new_key_has_a_full_bucket_that_refills_smoothly() {
    let policy = Prepared::new(RateLimitPolicy::per_key(3, secs(60)));
    let state = LimiterState::new("search");
    assert_eq!(burst(&state, &policy, 7, at(secs(0))), 3);
    assert_eq!(burst(&state, &policy, 7, at(secs(19))), 0);
    assert_eq!(burst(&state, &policy, 7, at(secs(20))), 1);
    assert_eq!(burst(&state, &policy, 7, at(secs(60))), 2);
    assert_eq!(burst(&state, &policy, 8, at(secs(60))), 3, "keys are apart");
    assert_eq!(
        burst(&state, &policy, 7, at(secs(6_000))),
        3,
        "no more than full"
    );
}

#[test]
fn a_rejection_says_when_and_that_moment_admits() {
    let policy = Prepared::new(RateLimitPolicy::per_key(2, secs(60)));
    let state = LimiterState::new("search");
    assert_eq!(burst(&state, &policy, 1, at(secs(0))), 2);
    let rejected = super::decide(&state, &policy, 1, at(secs(10))).unwrap_err();
    assert_eq!(rejected.retry_after(), Some(secs(20)));
    assert_eq!(rejected.name(), "search");
    assert!(!admits(
        &state,
        &policy,
        1,
        at(Duration::from_nanos(29_999_999_999))
    ));
    assert!(admits(&state, &policy, 1, at(secs(30))));
}

#[test]
fn rejected_calls_take_nothing() {
    let policy = Prepared::new(
        RateLimitPolicy::per_key(1, secs(60)).and(RateLimitPolicy::global(5, secs(60))),
    );
    let state = LimiterState::new("search");
    assert!(admits(&state, &policy, 1, at(secs(0))));
    for second in 0..60 {
        assert!(!admits(&state, &policy, 1, at(secs(second))));
    }
    assert!(admits(&state, &policy, 1, at(secs(60))));
    assert_eq!(state.remaining(&policy, 2, at(secs(60))), 1);
}

#[test]
fn a_cost_above_the_capacity_is_never_admitted_and_says_so() {
    let policy = Prepared::new(RateLimitPolicy::per_key(5, secs(60)));
    let state = LimiterState::new("search");
    // Of a key that is new, and of one that is known.
    for known in [false, true] {
        for cost in [6, u32::MAX] {
            let rejected = state.admit(&policy, 1, cost, at(secs(0)), None);
            assert_eq!(rejected.unwrap_err().retry_after(), None);
        }
        let rest = state.try_admit(&policy, 1, 5, at(secs(0)));
        assert_eq!(rest.is_err(), known, "and took nothing");
        assert!(
            state.try_admit(&policy, 1, 0, at(secs(0))).is_ok(),
            "nothing costs nothing"
        );
    }
}

#[test]
fn a_cost_above_one_of_several_capacities_is_never_admitted_and_says_so() {
    let policy = RateLimitPolicy::per_key(5, secs(60)).and(RateLimitPolicy::global(2, secs(60)));
    let (policy, state) = (Prepared::new(policy), LimiterState::new("search"));
    let rejected = state.admit(&policy, 1, 3, at(secs(0)), None).unwrap_err();
    assert_eq!(rejected.retry_after(), None);
    assert!(state.try_admit(&policy, 1, 2, at(secs(0))).is_ok());
}

#[test]
fn settings_of_nothing_count_as_the_least_that_there_can_be() {
    let state = LimiterState::new("search");
    let policy = Prepared::new(RateLimitPolicy::per_key(0, secs(60)));
    for after in [0, 60, 120] {
        assert_eq!(state.remaining(&policy, 1, at(secs(after))), 1);
        assert_eq!(burst(&state, &policy, 1, at(secs(after))), 1);
    }
    assert_eq!(state.quota(&policy, 1, at(secs(120))).unwrap().limit, 1);
    let policy = Prepared::new(RateLimitPolicy::per_key(2, Duration::ZERO));
    assert!(state.try_admit(&policy, 2, 3, at(secs(0))).is_err());
    for after in 0..3 {
        let now = at(Duration::from_nanos(after));
        assert!(state.try_admit(&policy, 2, 2, now).is_ok());
    }
}

#[test]
fn when_one_window_refuses_the_other_is_not_charged() {
    let policy = Prepared::new(
        RateLimitPolicy::per_key(10, secs(60)).and(RateLimitPolicy::per_key(2, secs(1))),
    );
    let state = LimiterState::new("api");
    for second in 0..5 {
        assert_eq!(burst(&state, &policy, 1, at(secs(second))), 2);
    }
    assert_eq!(
        burst(&state, &policy, 1, at(secs(5))),
        0,
        "10 a minute, 5 s refill less than one"
    );
    assert_eq!(burst(&state, &policy, 1, at(secs(6))), 1);
}

#[test]
fn a_global_limit_counts_everybody_and_leaves_the_keys_alone_when_it_refuses() {
    let policy = Prepared::new(
        RateLimitPolicy::per_key(5, secs(1)).and(RateLimitPolicy::global(2, secs(1))),
    );
    let state = LimiterState::new("ai");
    assert!(admits(&state, &policy, 1, at(secs(0))));
    assert!(admits(&state, &policy, 2, at(secs(0))));
    assert!(!admits(&state, &policy, 3, at(secs(0))));
    let key_only = Prepared::new(RateLimitPolicy::per_key(5, secs(1)));
    assert_eq!(state.remaining(&key_only, 3, at(secs(0))), 5);
    assert_eq!(state.remaining(&policy, 3, at(secs(0))), 0);
}

#[test]
fn the_quota_is_that_of_the_tightest_limit() {
    let policy = Prepared::new(
        RateLimitPolicy::per_key(10, secs(60)).and(RateLimitPolicy::per_key(100, secs(3600))),
    );
    let state = LimiterState::new("api");
    assert!(state.try_admit(&policy, 1, 4, at(secs(0))).is_ok());
    let quota = state.quota(&policy, 1, at(secs(0))).unwrap();
    assert_eq!(
        (quota.limit, quota.remaining, quota.reset_after),
        (10, 6, secs(24))
    );
    assert_eq!(state.tracked_keys(), 1);
    assert!(state.quota(&policy, 2, at(secs(0))).is_some());
    assert_eq!(state.tracked_keys(), 1, "looking takes no place");
}

#[test]
fn a_clock_that_goes_back_costs_one_window_at_most() {
    let policy = Prepared::new(RateLimitPolicy::per_key(2, secs(60)));
    let state = LimiterState::new("search");
    assert_eq!(burst(&state, &policy, 1, at(secs(1_000_000))), 2);
    assert_eq!(
        burst(&state, &policy, 1, at(secs(0))),
        0,
        "no fresh allowance"
    );
    assert_eq!(burst(&state, &policy, 1, at(secs(30))), 1);
    assert_eq!(burst(&state, &policy, 1, at(secs(60))), 1);
    assert_eq!(burst(&state, &policy, 1, at(secs(120))), 2);
    let a_little_before = at(Duration::from_millis(119_500));
    let nothing = state.try_admit(&policy, 1, 0, a_little_before);
    assert!(nothing.is_ok(), "nothing costs nothing then either");
}

#[test]
fn moments_at_the_ends_of_the_scale_do_no_harm() {
    let policy = Prepared::new(RateLimitPolicy::per_key(1, secs(10 * 365 * 24 * 3600)));
    let state = LimiterState::new("search");
    assert_eq!(burst(&state, &policy, 1, Moment::from_nanos(u64::MAX)), 1);
    assert_eq!(burst(&state, &policy, 2, Moment::from_nanos(0)), 1);
    assert_eq!(burst(&state, &policy, 2, Moment::from_nanos(0)), 0);
}

#[test]
fn reset_fills_the_bucket_of_one_key() {
    let policy = Prepared::new(RateLimitPolicy::per_key(2, secs(60)));
    let state = LimiterState::new("search");
    for key in [1, 2] {
        assert_eq!(burst(&state, &policy, key, at(secs(0))), 2);
    }
    state.reset(1);
    assert_eq!(burst(&state, &policy, 1, at(secs(0))), 2);
    assert_eq!(burst(&state, &policy, 2, at(secs(0))), 0);
    state.reset_all();
    assert_eq!(state.tracked_keys(), 0);
    assert_eq!(burst(&state, &policy, 1, at(secs(0))), 2);
    assert_eq!(burst(&state, &policy, 2, at(secs(0))), 2);
}

#[test]
fn threads_that_race_for_a_bucket_get_exactly_its_capacity() {
    let policy =
        RateLimitPolicy::per_key(1_000, secs(3600)).and(RateLimitPolicy::global(1_500, secs(3600)));
    let limiter = Arc::new(RateLimiter::new(policy));
    let race = |thread: u32| {
        let limiter = Arc::clone(&limiter);
        thread::spawn(move || {
            (0..1_000)
                .filter(|_| limiter.check(&(thread % 2)).is_ok())
                .count()
        })
    };
    let threads: Vec<_> = (0..4).map(race).collect();
    let admitted: usize = threads.into_iter().map(|t| t.join().unwrap()).sum();
    assert!((1_500..=1_501).contains(&admitted), "{admitted}");
}

#[derive(Clone, Debug)]
struct Call {
    pause: u64,
    key: u64,
    cost: u32,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call =
        (0..400u64, 1..4u64, 1..4u32).prop_map(|(pause, key, cost)| Call { pause, key, cost });
    prop::collection::vec(call, 1..300)
}

/// A bucket that counts tokens in thousandths, refilled each millisecond.
#[derive(Clone, Copy)]
struct Counted {
    tokens: u64,
    capacity: u64,
    at: u64,
}

impl Counted {
    fn refill(&mut self, now: u64, window_ms: u64) {
        let refilled = (now - self.at) * self.capacity * 1_000 / window_ms;
        self.tokens = (self.tokens + refilled).min(self.capacity * 1_000);
        self.at = now;
    }
}

proptest! {
    #[test]
    fn two_windows_and_a_global_limit_agree_with_counted_buckets(calls in calls()) {
        // A token per 100, 250 and 50 ms: whole thousandths each millisecond.
        let limits = [(5u32, 500u64), (8, 2_000), (10, 500)];
        let window = |ms| Duration::from_millis(ms);
        let policy = Prepared::new(RateLimitPolicy::per_key(limits[0].0, window(limits[0].1))
            .and(RateLimitPolicy::per_key(limits[1].0, window(limits[1].1)))
            .and(RateLimitPolicy::global(limits[2].0, window(limits[2].1))));
        let state = LimiterState::new("model");
        let fresh = limits.map(|(capacity, _)| Counted { tokens: u64::from(capacity) * 1_000, capacity: capacity.into(), at: 0 });
        let mut of_keys = [[fresh[0], fresh[1]]; 4];
        let (mut global, mut now) = (fresh[2], 0);
        for Call { pause, key, cost } in calls {
            now += pause;
            let [first, second] = &mut of_keys[usize::try_from(key).unwrap()];
            let wanted = u64::from(cost) * 1_000;
            let mut buckets = [first, second, &mut global];
            for (bucket, limit) in buckets.iter_mut().zip(&limits) {
                bucket.refill(now, limit.1);
            }
            let expected = buckets.iter().all(|bucket| bucket.tokens >= wanted);
            if expected {
                for bucket in &mut buckets {
                    bucket.tokens -= wanted;
                }
            }
            let remaining = buckets.iter().map(|bucket| bucket.tokens / 1_000).min().unwrap();
            let moment = at(window(now));
            prop_assert_eq!(state.try_admit(&policy, key, cost, moment).is_ok(), expected);
            prop_assert_eq!(u64::from(state.remaining(&policy, key, moment)), remaining);
        }
    }
}
