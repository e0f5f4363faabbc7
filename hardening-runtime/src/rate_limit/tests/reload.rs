//! What becomes of the buckets when the settings change under them.

use super::{at, burst, secs};
use crate::{
    config::RateLimitPolicy,
    rate_limit::{LimiterState, Prepared},
};

#[test]
fn a_changed_capacity_or_window_keeps_the_share_that_is_used_up() {
    let before = Prepared::new(RateLimitPolicy::per_key(10, secs(60)));
    for (capacity, window) in [(20, 60), (4, 60), (10, 3600), (10, 1), (100, 7200)] {
        let state = LimiterState::new("search");
        let after = Prepared::new(RateLimitPolicy::per_key(capacity, secs(window)));
        assert!(state.try_admit(&before, 1, 5, at(secs(0))).is_ok());
        assert_eq!(burst(&state, &before, 2, at(secs(0))), 10);
        assert_eq!(state.remaining(&after, 1, at(secs(0))), capacity / 2);
        assert_eq!(
            burst(&state, &after, 2, at(secs(0))),
            0,
            "used up stays used up"
        );
        let token = secs(window) / capacity;
        assert_eq!(
            burst(&state, &after, 2, at(token)),
            1,
            "and refills at the new rate"
        );
        assert_eq!(state.remaining(&after, 3, at(secs(0))), capacity);
    }
}

#[test]
fn looking_after_a_reload_carries_the_bucket_over_once() {
    let (short, long) = (
        Prepared::new(RateLimitPolicy::per_key(2, secs(2))),
        Prepared::new(RateLimitPolicy::per_key(2, secs(200))),
    );
    let state = LimiterState::new("search");
    assert_eq!(burst(&state, &short, 1, at(secs(0))), 2);
    assert_eq!(state.remaining(&long, 1, at(secs(0))), 0);
    assert_eq!(
        burst(&state, &long, 1, at(secs(99))),
        0,
        "not at the old rate"
    );
    assert_eq!(burst(&state, &long, 1, at(secs(100))), 1);
}

#[test]
fn an_added_limit_starts_full_and_the_others_stay_as_they_are() {
    let one = RateLimitPolicy::per_key(5, secs(60));
    let two = one.clone().and(RateLimitPolicy::global(2, secs(60)));
    let [one, two] = [one, two].map(Prepared::new);
    let state = LimiterState::new("search");
    assert!(state.try_admit(&one, 1, 4, at(secs(0))).is_ok());
    assert_eq!(burst(&state, &two, 1, at(secs(0))), 1);
    assert_eq!(burst(&state, &two, 2, at(secs(0))), 1);
    assert_eq!(burst(&state, &one, 1, at(secs(0))), 0);
}

#[test]
fn a_limit_that_becomes_everybodys_counts_everybody() {
    let own = Prepared::new(RateLimitPolicy::per_key(2, secs(60)));
    let shared = Prepared::new(RateLimitPolicy::global(2, secs(60)));
    let state = LimiterState::new("search");
    for key in [1, 2, 3] {
        assert!(state.try_admit(&own, key, 1, at(secs(0))).is_ok());
    }
    let admitted = [1, 2, 3].map(|key| state.try_admit(&shared, key, 1, at(secs(0))).is_ok());
    assert_eq!(admitted, [true, true, false]);
    assert_eq!(burst(&state, &own, 1, at(secs(0))), 1);
}

#[test]
fn two_call_sites_with_windows_of_their_own_share_one_bucket() {
    let (slow, fast) = (
        Prepared::new(RateLimitPolicy::per_key(10, secs(100))),
        Prepared::new(RateLimitPolicy::per_key(10, secs(10))),
    );
    let state = LimiterState::new("search");
    for _ in 0..5 {
        assert!(state.try_admit(&slow, 1, 1, at(secs(0))).is_ok());
        assert!(state.try_admit(&fast, 1, 1, at(secs(0))).is_ok());
    }
    assert_eq!(burst(&state, &slow, 1, at(secs(0))), 0);
    assert_eq!(burst(&state, &fast, 1, at(secs(0))), 0);
}

#[test]
fn windows_that_were_in_force_long_ago_give_nobody_a_fresh_allowance() {
    let state = LimiterState::new("search");
    for window in [10, 20, 30, 40, 50, 60] {
        let policy = Prepared::new(RateLimitPolicy::per_key(2, secs(window)));
        burst(&state, &policy, window, at(secs(0)));
        assert_eq!(burst(&state, &policy, window, at(secs(0))), 0);
    }
    let last = Prepared::new(RateLimitPolicy::per_key(2, secs(60)));
    assert_eq!(burst(&state, &last, 60, at(secs(0))), 0);
}
