//! A limit's keys.

use super::{Row, Table, bytes_each};
use gcra::RateLimit;
use governor::{DefaultKeyedRateLimiter, Quota};
use hardening::{RateLimiter, config::RateLimitPolicy};
use std::{future::Future, num::NonZeroU32, pin::pin, task, time::Duration};

const MILLION: usize = 1_000_000;
/// One token an hour, so that all keys are in use to the end.
const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn table() -> Table {
    let rows = vec![
        Row::new("hardening, 10 keys", 10, ours(10)),
        Row::new("hardening, 1,000 keys", 1_000, ours(1_000)),
        Row::new("**hardening, 1,000,000 keys**", MILLION, ours(MILLION)).at_most(32.0),
        Row::new(
            "hardening, 1,000,000 keys at most, 2,000,000 seen",
            MILLION,
            flooded(),
        ),
        Row::new("governor keyed, 1,000 keys", 1_000, governor(1_000)),
        Row::new("governor keyed, 1,000,000 keys", MILLION, governor(MILLION)),
        Row::new("gcra, 1,000,000 keys", MILLION, gcra(MILLION)),
    ];
    Table {
        what: "rate limit, a `String` key of 13 bytes",
        rows,
    }
}

fn keys(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|key| format!("user-{key:08}"))
}

fn ours(count: usize) -> f64 {
    limited(count, count)
}

/// Twice as many as are kept.
fn flooded() -> f64 {
    limited(MILLION, 2 * MILLION)
}

fn limited(kept: usize, seen: usize) -> f64 {
    let max_keys = u32::try_from(kept).expect("few keys");
    let policy = RateLimitPolicy::per_key(10, HOUR).max_keys(max_keys);
    bytes_each(kept, || {
        let limiter = RateLimiter::new(policy.clone());
        for key in keys(seen) {
            let _ = limiter.check(&key);
        }
        let tracked = limiter.tracked_keys();
        assert!(tracked > max_keys / 1_000 * 999, "{tracked} keys");
        limiter
    })
}

fn governor(count: usize) -> f64 {
    let hourly = Quota::per_hour(NonZeroU32::MIN);
    bytes_each(count, || {
        let limiter = DefaultKeyedRateLimiter::keyed(hourly);
        for key in keys(count) {
            let _ = limiter.check_key(&key);
        }
        limiter
    })
}

fn gcra(count: usize) -> f64 {
    let rate = RateLimit::new(10, HOUR);
    bytes_each(count, || {
        let limiter = gcra::RateLimiter::new(0);
        let mut context = task::Context::from_waker(task::Waker::noop());
        for key in keys(count) {
            let checked = pin!(limiter.check(key, &rate, 1)).poll(&mut context);
            assert!(checked.is_ready(), "it awaits nothing");
        }
        limiter
    })
}
