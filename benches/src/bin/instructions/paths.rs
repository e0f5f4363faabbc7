//! The hot paths.

use benches::annotated::{self, blocking};
use hardening::{
    Bulkhead, BulkheadPolicy, Cache, CachePolicy, CircuitBreaker, Priority, RateLimiter, Rejected,
    Retry, RetryPolicy,
    config::{CircuitBreakerPolicy, RateLimitPolicy},
    metrics::{Outcome, SiteMetrics},
    timeout,
};
use std::{hint::black_box, pin::pin, sync::LazyLock, task, time::Duration};

/// A path, and what makes so many calls along it.
pub(crate) struct Path {
    pub(crate) name: &'static str,
    pub(crate) run: fn(u64),
}

/// To add one: a line here, and `--update`.
pub(crate) const PATHS: &[Path] = &[
    path("nothing", |calls| awaited(calls, annotated::bare)),
    path("retry, ok", |calls| awaited(calls, annotated::retried)),
    path("retry, ok, without an attribute", |calls| {
        let policy = RetryPolicy::default();
        awaited(calls, |call| {
            hardening::retry(&policy, move || annotated::bare(call))
        });
    }),
    path("Retry with its budget, ok", |calls| {
        static RETRY: LazyLock<Retry> = LazyLock::new(|| Retry::new(RetryPolicy::default()));
        awaited(calls, |call| RETRY.call(move || annotated::bare(call)));
    }),
    path("rate limit, allowed", |calls| {
        awaited(calls, |call| annotated::limited(key(call), call));
    }),
    path("rate limit, denied", |calls| {
        awaited(calls, |call| annotated::denied("one", call));
    }),
    path("RateLimiter, allowed", |calls| {
        static LIMITER: LazyLock<RateLimiter> = LazyLock::new(|| limiter(1_000_000_000));
        blocked(calls, |call| LIMITER.check(key(call)));
    }),
    path("RateLimiter, denied", |calls| {
        static LIMITER: LazyLock<RateLimiter> = LazyLock::new(|| limiter(1));
        blocked(calls, |_| LIMITER.check("one"));
    }),
    path("breaker, closed", |calls| {
        awaited(calls, annotated::guarded);
    }),
    path("breaker, closed, by rate", |calls| {
        awaited(calls, annotated::guarded_by_rate);
    }),
    path("breaker, open", |calls| awaited(calls, annotated::broken)),
    path("CircuitBreaker, closed", |calls| {
        static BREAKER: LazyLock<CircuitBreaker> =
            LazyLock::new(|| CircuitBreaker::new(CircuitBreakerPolicy::default()));
        blocked(calls, |call| BREAKER.call_blocking(|| blocking::bare(call)));
    }),
    path("bulkhead, free", |calls| awaited(calls, annotated::placed)),
    path("Bulkhead::try_enter, free", |calls| {
        blocked(calls, |_| drop(black_box(BULKHEAD.try_enter())));
    }),
    path("Bulkhead::enter, free", |calls| {
        awaited(calls, |_| BULKHEAD.enter(Priority::Normal));
    }),
    path("timeout, ready", |calls| awaited(calls, annotated::timed)),
    path("timeout::within, ready", |calls| {
        awaited(calls, |call| {
            timeout::within(Duration::from_secs(15), annotated::bare(call))
        });
    }),
    path("cache, hit", |calls| {
        awaited(calls, |call| annotated::remembered(call % 8));
    }),
    path("cache, hit, without an attribute", |calls| {
        static CACHE: LazyLock<Cache<u64, u64>> =
            LazyLock::new(|| Cache::new(CachePolicy::default()));
        blocked(calls, |call| {
            CACHE.get_or_load_blocking(call % 8, || Ok::<_, Rejected>(call))
        });
    }),
    path("RED figures", |calls| blocked(calls, red)),
    path("five layers", |calls| {
        awaited(calls, |call| annotated::five(key(call), call));
    }),
    path("five layers and a cache, hit", |calls| {
        awaited(calls, |call| annotated::five_remembered(call % 8));
    }),
    path("retry, ok, blocking", |calls| {
        blocked(calls, blocking::retried);
    }),
    path("four layers, blocking", |calls| {
        blocked(calls, |call| blocking::four(key(call), call));
    }),
];

static BULKHEAD: LazyLock<Bulkhead> = LazyLock::new(|| Bulkhead::new(BulkheadPolicy::default()));

const fn path(name: &'static str, run: fn(u64)) -> Path {
    Path { name, run }
}

fn key(call: u64) -> &'static str {
    ["ada", "grace", "barbara", "frances"][usize::try_from(call % 4).unwrap_or(0)]
}

/// So many an hour: the limiter as a plain type.
fn limiter(capacity: u32) -> RateLimiter {
    RateLimiter::new(RateLimitPolicy::per_key(
        capacity,
        Duration::from_secs(3_600),
    ))
}

fn red(call: u64) {
    static FIGURES: SiteMetrics = SiteMetrics::new();
    FIGURES.begin();
    FIGURES.record_nanos(Outcome::Success, black_box(1_000 + call % 1_000), 1);
}

fn blocked<T>(calls: u64, work: impl Fn(u64) -> T) {
    for call in 0..calls {
        black_box(work(call));
    }
}

/// Futures that are ready at once: no runtime has a part in it.
fn awaited<F: Future>(calls: u64, work: impl Fn(u64) -> F) {
    let mut context = task::Context::from_waker(task::Waker::noop());
    for call in 0..calls {
        let ready = pin!(work(call)).poll(&mut context);
        assert!(black_box(ready).is_ready());
    }
}
