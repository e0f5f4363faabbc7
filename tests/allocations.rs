//! A call that goes through at once allocates nothing, whatever layers it has.
//!
//! One test, so that no other thread of this program allocates meanwhile.
use hardening::{
    Rejected, bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable, timeout,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::{
    alloc::System,
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Waker},
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Answer = Result<u64, Rejected>;

#[retryable]
async fn retried(call: u64) -> Answer {
    Ok(call)
}

#[rate_limited(op = "search", key = key, capacity = 1_000_000, window_seconds = 1)]
async fn limited(key: &str, call: u64) -> Answer {
    let _ = key;
    Ok(call)
}

#[circuit_breaker]
async fn guarded(call: u64) -> Answer {
    Ok(call)
}

#[bulkhead]
async fn placed(call: u64) -> Answer {
    Ok(call)
}

#[timeout(call = "10s", attempt = "1s")]
async fn timed(call: u64) -> Answer {
    Ok(call)
}

#[cached]
async fn remembered(key: &str) -> Answer {
    Ok(key.len() as u64)
}

#[fallback(|_| Ok(0))]
async fn degraded(call: u64) -> Answer {
    if call == 0 {
        return Err(Rejected::TimedOut {
            name: "never",
            after: std::time::Duration::ZERO,
        });
    }
    Ok(call)
}

#[rate_limited(op = "search", key = key, capacity = 1_000_000, window_seconds = 1)]
#[bulkhead]
#[timeout(call = "10s", attempt = "1s")]
#[retryable]
#[circuit_breaker]
async fn five(key: &str, call: u64) -> Answer {
    let _ = key;
    Ok(call)
}

#[cached(key = key)]
#[rate_limited(op = "search", key = key, capacity = 1_000_000, window_seconds = 1)]
#[bulkhead]
#[timeout(call = "10s", attempt = "1s")]
#[retryable]
#[circuit_breaker]
async fn five_remembered(key: &str) -> Answer {
    Ok(key.len() as u64)
}

#[rate_limited(op = "search", key = key, capacity = 1_000_000, window_seconds = 1)]
#[bulkhead]
#[retryable]
#[circuit_breaker]
fn four_blocking(key: &str, call: u64) -> Answer {
    let _ = key;
    Ok(call)
}

#[cached]
fn remembered_blocking(key: &str) -> Answer {
    Ok(key.len() as u64)
}

/// The value of a future that is ready at once.
fn ready<T>(future: impl Future<Output = T>) -> bool {
    let ready = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    black_box(ready).is_ready()
}

/// How often a thousand calls allocate or free, once the first have made what stays.
fn allocations(work: impl Fn(u64) -> bool) -> usize {
    assert!((1..100).all(&work));
    let region = Region::new(ALLOCATOR);
    let all_done = (1..1000).all(&work);
    let change = region.change();
    assert!(all_done);
    change.allocations + change.reallocations + change.deallocations
}

#[test]
fn a_call_that_goes_through_at_once_allocates_nothing() {
    // Longer than what any key is kept in as it is.
    const KEY: &str = "customer-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789";
    let counted = [
        ("retryable", allocations(|call| ready(retried(call)))),
        (
            "rate_limited",
            allocations(|call| ready(limited(KEY, call))),
        ),
        ("circuit_breaker", allocations(|call| ready(guarded(call)))),
        ("bulkhead", allocations(|call| ready(placed(call)))),
        ("timeout", allocations(|call| ready(timed(call)))),
        ("cached", allocations(|_| ready(remembered(KEY)))),
        ("fallback", allocations(|call| ready(degraded(call)))),
        ("five layers", allocations(|call| ready(five(KEY, call)))),
        (
            "five layers and a cache",
            allocations(|_| ready(five_remembered(KEY))),
        ),
        (
            "four layers, blocking",
            allocations(|call| four_blocking(KEY, call).is_ok()),
        ),
        (
            "cached, blocking",
            allocations(|_| remembered_blocking(KEY).is_ok()),
        ),
    ];
    let all: Vec<_> = counted.iter().filter(|(_, count)| *count > 0).collect();
    assert!(all.is_empty(), "in a thousand calls: {all:?}");
}
