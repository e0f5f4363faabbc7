//! The engines as plain types, without attributes and without YAML: `cargo run --example by_hand`.
//!
//! Each is built from its policy, is shared by reference (or in an `Arc`, or a `static`), and works
//! alone. Where they are combined, you choose the order: here retry · circuit breaker · bulkhead · timeout.

use hardening::{
    Bulkhead, Cache, CircuitBreaker, Priority, RateLimiter, Retry, Timeout,
    config::{
        BulkheadPolicy, CachePolicy, CircuitBreakerPolicy, RateLimitPolicy, RetryPolicy,
        TimeoutPolicy,
    },
};
use std::{io, time::Duration};

/// Rates of exchange, from a service that answers at the third attempt.
async fn rate(currency: &str) -> io::Result<f64> {
    println!("asking for {currency}, attempt {}", hardening::attempt());
    match hardening::attempt() {
        1 => Err(io::ErrorKind::ConnectionReset.into()), // transient: tried again
        2 => std::future::pending().await,               // hangs: the timeout ends it
        _ => Ok(1.08),
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let limiter = RateLimiter::named(
        "rates",
        RateLimitPolicy::per_key(2, Duration::from_secs(60)),
    );
    let cache = Cache::<String, f64>::named("rates", CachePolicy::default());
    let retry = Retry::new(RetryPolicy {
        base_delay: Duration::from_millis(20),
        ..RetryPolicy::default()
    });
    let breaker = CircuitBreaker::named(
        "rates",
        CircuitBreakerPolicy {
            failure_threshold: 5,
            ..CircuitBreakerPolicy::default()
        },
    );
    let bulkhead = Bulkhead::named("rates", BulkheadPolicy::default());
    let timeout = Timeout::new(TimeoutPolicy {
        call: None,
        attempt: Some(Duration::from_millis(100)),
    });

    // Refusals arrive as the error type that you use, here `io::Error`.
    let ask = || timeout.call(|| rate("EUR"));
    let in_turn = || bulkhead.call(Priority::Normal, ask);
    let guarded = || breaker.call(in_turn);
    for customer in ["ann", "ann", "ann", "bob"] {
        if let Err(rejected) = limiter.check(customer) {
            println!("{customer}: {rejected}");
            continue;
        }
        let load = || retry.call(guarded);
        let rate = cache.get_or_load("EUR".to_owned(), load).await?;
        println!("{customer}: {rate}");
    }
    println!("remembered: {}, circuit: {}", cache.len(), breaker.state());
    Ok(())
}
