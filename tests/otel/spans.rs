//! The span of one call: what it says.

use crate::{
    support::{AppError, AppResult, Runs},
    told::{all, attribute, events, one, told},
};
use hardening::{bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable, timeout};
use opentelemetry::{
    Context,
    trace::{Status, TraceContextExt},
};
use opentelemetry_sdk::trace::SpanData;
use std::time::Duration;

/// Fails as often as `failures`, then succeeds.
#[rate_limited(op = "search", key = "spans")]
#[retryable(policy = "expensive")]
#[circuit_breaker(name = "spans_upstream")]
async fn flaky(runs: &Runs, failures: u32) -> AppResult<u32> {
    tokio::task::yield_now().await;
    match runs.up() {
        run if run <= failures => Err(AppError::Busy),
        run => Ok(run),
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_a_span_with_its_attempts_and_retries_as_events() {
    told();
    let runs = Runs::new();
    assert_eq!(flaky(&runs, 2).await, Ok(3));

    let span = one("spans::flaky");
    let expected = [
        "attempt 1",
        "attempt.failed error",
        "retry 1",
        "attempt 2",
        "attempt.failed error",
        "retry 2",
        "attempt 3",
    ];
    assert_eq!(events(&span), expected);
    for (key, value) in [
        ("code.function.name", span.name.as_ref()),
        ("code.file.path", "tests/otel/spans.rs"),
        (
            "hardening.layers",
            r#"["rate_limited","retryable","circuit_breaker"]"#,
        ),
        ("hardening.rate_limit.op", "search"),
        ("hardening.retry.policy", "expensive"),
        ("hardening.circuit_breaker.name", "spans_upstream"),
        ("hardening.outcome", "success"),
        ("hardening.attempts", "3"),
        ("hardening.circuit_breaker.state", "closed"),
        ("hardening.rate_limit.limit", "30"),
        ("hardening.rate_limit.remaining", "29"),
        ("error.type", ""),
    ] {
        assert_eq!(attribute(&span, key), value, "{key}");
    }
    assert_eq!(span.status, Status::Unset);
}

#[retryable(max_attempts = 2, base_delay = 0)]
async fn failing(secret: &str) -> std::io::Result<()> {
    Err(std::io::Error::new(std::io::ErrorKind::TimedOut, secret))
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_has_the_status_error_and_tells_nothing_of_the_user() {
    told();
    failing("sesame").await.unwrap_err();
    let span = one("spans::failing");
    assert_eq!(span.status, Status::error("error"));
    assert_eq!(attribute(&span, "error.type"), "error");
    assert_eq!(attribute(&span, "hardening.attempts"), "2");
    assert!(!format!("{span:?}").contains("sesame"));
}

#[rate_limited(capacity = 1, window_seconds = 60, key = user)]
fn limited(user: &str) -> AppResult<()> {
    let _ = user;
    Ok(())
}

#[test]
fn a_rejection_is_an_event_and_its_key_is_not_told() {
    told();
    limited("alice@example.org").unwrap();
    limited("alice@example.org").unwrap_err();
    let [admitted, rejected] = &all("spans::limited")[..] else {
        panic!("two calls")
    };
    assert_eq!(events(admitted), ["attempt 1"]);
    let [event] = &events(rejected)[..] else {
        panic!("one event: {rejected:?}")
    };
    let retry_after = event.strip_prefix("rejected rate_limit otel::spans::limited ");
    let seconds: f64 = retry_after.expect(event).parse().expect(event);
    assert!((1.0..=60.0).contains(&seconds), "{seconds}");
    assert_eq!(attribute(rejected, "hardening.outcome"), "rate_limited");
    assert_eq!(attribute(rejected, "hardening.rate_limit.remaining"), "0");
    assert_eq!(attribute(rejected, "hardening.attempts"), "0");
    assert_eq!(rejected.status, Status::error("rate_limited"));
    assert!(!format!("{rejected:?}").contains("alice"));
}

#[rate_limited(capacity = 9, window_seconds = 60, per = "attempt")]
#[retryable(max_attempts = 3, base_delay = 0)]
async fn limited_each_time() -> AppResult<()> {
    Err(AppError::Busy)
}

#[tokio::test(start_paused = true)]
async fn a_limit_on_attempts_is_told_as_the_last_one_left_it() {
    told();
    limited_each_time().await.unwrap_err();
    let span = one("spans::limited_each_time");
    let attributes = span.attributes.iter();
    let said = attributes.filter(|it| it.key.as_str() == "hardening.rate_limit.remaining");
    assert_eq!(said.count(), 1);
    assert_eq!(attribute(&span, "hardening.rate_limit.remaining"), "6");
}

#[timeout(attempt = "2s", call = "1h")]
#[retryable(max_attempts = 2, base_delay = 1, jitter = false)]
#[circuit_breaker(failure_threshold = 2)]
async fn hanging() -> AppResult<()> {
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn attempts_that_time_out_are_rejections_and_an_open_circuit_is_told() {
    told();
    hanging().await.unwrap_err();
    hanging().await.unwrap_err();
    let [late, refused] = &all("spans::hanging")[..] else {
        panic!("two calls")
    };
    let expected = [
        "attempt 1",
        "rejected timeout otel::spans::hanging",
        "retry 1",
        "attempt 2",
        "rejected timeout otel::spans::hanging",
    ];
    assert_eq!(events(late), expected);
    assert_eq!(attribute(late, "error.type"), "timed_out");
    assert_eq!(attribute(late, "hardening.circuit_breaker.state"), "open");
    assert_eq!(
        events(refused),
        ["rejected circuit_breaker otel::spans::hanging 60"]
    );
    assert_eq!(attribute(refused, "error.type"), "circuit_open");
    assert_eq!(refused.status, Status::error("circuit_open"));
}

#[bulkhead(max_concurrent = 1, max_queue = 0)]
async fn crowded() -> AppResult<()> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_full_bulkhead_is_told() {
    told();
    let (first, second) = tokio::join!(crowded(), crowded());
    assert!(first.is_ok() && second.is_err());
    let [refused, ran] = &all("spans::crowded")[..] else {
        panic!("two calls")
    };
    assert_eq!(events(refused), ["rejected bulkhead otel::spans::crowded"]);
    assert_eq!(attribute(refused, "hardening.outcome"), "bulkhead_full");
    assert_eq!(
        attribute(ran, "hardening.bulkhead.name"),
        "otel::spans::crowded"
    );
}

#[cached(ttl = 10, stale_if_error = 60, key = 1)]
async fn by_key(fails: &Runs) -> AppResult<u8> {
    tokio::task::yield_now().await;
    if fails.get() > 0 {
        return Err(AppError::Gone);
    }
    Ok(1)
}

#[tokio::test(start_paused = true)]
async fn what_the_cache_did_is_told() {
    told();
    let fails = Runs::new();
    let (first, second) = tokio::join!(by_key(&fails), by_key(&fails));
    assert!(first.is_ok() && second.is_ok());
    by_key(&fails).await.unwrap();
    fails.up();
    tokio::time::advance(Duration::from_secs(11)).await;
    by_key(&fails).await.unwrap();
    let spans = all("spans::by_key");
    let result = |span: &SpanData| attribute(span, "hardening.cache.result");
    let coalesced = spans.iter().find(|span| result(span) == "coalesced");
    let coalesced = coalesced.expect("one of the first two waited");
    assert!(events(coalesced).is_empty(), "it made no attempt");
    assert_eq!(attribute(coalesced, "hardening.attempts"), "0");
    let mut results: Vec<_> = spans.iter().map(result).collect();
    results[..2].sort();
    assert_eq!(results, ["coalesced", "miss", "hit", "stale"]);
}

#[fallback(|_error| Ok("as yesterday"))]
#[retryable(max_attempts = 1)]
async fn degraded() -> AppResult<&'static str> {
    Err(AppError::Busy)
}

#[tokio::test(start_paused = true)]
async fn a_fallback_is_an_event_of_a_call_that_failed() {
    told();
    assert_eq!(degraded().await, Ok("as yesterday"));
    let span = one("spans::degraded");
    assert_eq!(
        events(&span),
        ["attempt 1", "attempt.failed error", "fallback"]
    );
    assert_eq!(attribute(&span, "hardening.outcome"), "error");
}

#[fallback(|_error| Ok(0))]
#[timeout("1s")]
async fn well() -> AppResult<u8> {
    Ok(1)
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_is_not_needed_is_not_told() {
    told();
    assert_eq!(well().await, Ok(1));
    assert_eq!(events(&one("spans::well")), ["attempt 1"]);
}

#[timeout("1h")]
async fn left() -> AppResult<()> {
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_caller_goes_away_ends_as_dropped_which_is_no_error() {
    told();
    let gave_up = tokio::time::timeout(Duration::from_secs(3), left()).await;
    assert!(gave_up.is_err());
    let span = one("spans::left");
    assert_eq!(attribute(&span, "hardening.outcome"), "dropped");
    assert_eq!(span.status, Status::Unset);
}

#[retryable]
fn panicking() -> AppResult<()> {
    panic!("of the body")
}

#[circuit_breaker]
async fn panicking_later() -> AppResult<()> {
    tokio::task::yield_now().await;
    panic!("of the body")
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_the_span_and_leaves_it() {
    told();
    std::panic::catch_unwind(panicking).unwrap_err();
    tokio::spawn(panicking_later()).await.unwrap_err();
    for name in ["spans::panicking", "spans::panicking_later"] {
        let span = one(name);
        assert_eq!(events(&span), ["attempt 1", "attempt.failed panicked"]);
        assert_eq!(span.status, Status::error("panicked"));
    }
    assert!(!Context::current().has_active_span());
}
