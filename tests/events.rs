//! What the layers tell: each event with its level and fields, which request it belongs to, what a
//! flood of them looks like, and that nothing of the user's is in any.

mod support;

#[path = "support/log.rs"]
mod log;

use hardening::{
    Rejected, bulkhead, cached, circuit_breaker, fallback, rate_limited, request_id, retryable,
    timeout, with_request_id,
};
use log::Log;
use std::{sync::OnceLock, time::Duration};
use support::{AppError, AppResult, pass};

/// One for all tests of this file; each looks for its own functions.
fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(Log::of_the_process)
}

/// The only event that holds all of `words`.
#[track_caller]
fn only(words: [&str; 2]) -> String {
    let mut found = log().with(words[0]);
    found.retain(|line| line.contains(words[1]));
    assert_eq!(found.len(), 1, "{words:?}: {found:?}");
    found.remove(0)
}

#[track_caller]
fn assert_holds(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_and_giving_up_are_warnings() {
    #[retryable(max_attempts = 2, base_delay = "500ms", jitter = "none")]
    async fn retried(_secret: &str) -> AppResult<()> {
        Err(AppError::Busy)
    }

    log();
    let _ = with_request_id("order-1", retried("hunter2")).await;
    assert_holds(
        &only(["::retried\"", "message=retrying"]),
        &[
            "WARN",
            "layer=\"retry\"",
            "attempt=1",
            "delay=0.5",
            "reason=transient error",
            "request_id=\"order-1\"",
        ],
    );
    assert_holds(
        &only(["::retried\"", "message=gave up"]),
        &[
            "WARN",
            "layer=\"retry\"",
            "attempt=2",
            "request_id=\"order-1\"",
        ],
    );
    assert_eq!(log().count("hunter2"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_limited_call_is_told_with_a_short_hash_of_its_key() {
    #[rate_limited(op = "events_limit", key = user)]
    async fn limited(user: &str) -> AppResult<()> {
        Ok(())
    }

    log();
    for user in [
        "ann@example.org",
        "ann@example.org",
        "bob@example.org",
        "bob@example.org",
    ] {
        let _ = limited(user).await;
    }
    let told = log().with("::limited\"");
    assert_eq!(told.len(), 2, "{told:?}");
    let keys: Vec<_> = told
        .iter()
        .map(|line| {
            assert_holds(
                line,
                &[
                    "DEBUG",
                    "layer=\"rate_limit\"",
                    "name=\"events_limit\"",
                    "retry_after=3600",
                    "message=rejected",
                ],
            );
            assert!(!line.contains("request_id"), "{line}");
            line.split("key=")
                .nth(1)
                .expect("a key")
                .split(' ')
                .next()
                .expect("a hash")
        })
        .collect();
    assert!(
        keys.iter()
            .all(|key| key.len() == 8 && key.bytes().all(|digit| digit.is_ascii_hexdigit()))
    );
    assert_ne!(keys[0], keys[1]);
    assert_eq!(log().count("example.org"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_circuit_opens_with_an_error_and_recovers_for_information() {
    #[circuit_breaker(name = "events circuit", failure_threshold = 1, open_for = 10)]
    async fn guarded(fails: bool) -> AppResult<()> {
        if fails { Err(AppError::Busy) } else { Ok(()) }
    }

    log();
    with_request_id("order-2", async {
        let _ = guarded(true).await;
        let _ = guarded(true).await;
        pass(10.0).await;
        guarded(false).await.expect("a probe");
    })
    .await;
    let id = "request_id=\"order-2\"";
    assert_holds(
        &only(["events circuit", "message=opened"]),
        &[
            "ERROR",
            "layer=\"circuit_breaker\"",
            "open_for=10",
            "reason=",
            id,
        ],
    );
    assert_holds(
        &only(["events circuit", "message=half-open"]),
        &["INFO", id],
    );
    assert_holds(&only(["events circuit", "message=closed"]), &["INFO", id]);
    assert_holds(
        &only(["events circuit", "message=rejected"]),
        &["DEBUG", "::guarded\"", "retry_after=10", id],
    );
}

#[tokio::test(start_paused = true)]
async fn a_hit_is_a_trace_and_a_stale_answer_is_a_warning() {
    #[cached(ttl = 10, stale_if_error = 60, key = ())]
    async fn answered(fails: bool) -> AppResult<u32> {
        if fails { Err(AppError::Busy) } else { Ok(7) }
    }

    log();
    with_request_id("order-3", async {
        answered(false).await.expect("a value");
        answered(false).await.expect("a hit");
        pass(20.0).await;
        answered(true).await.expect("a stale value");
    })
    .await;
    let id = "request_id=\"order-3\"";
    assert_holds(
        &only(["::answered\"", "message=hit"]),
        &["TRACE", "layer=\"cache\"", id],
    );
    assert_holds(
        &only(["::answered\"", "message=served stale"]),
        &["WARN", "layer=\"cache\"", "age=20", id],
    );
}

#[tokio::test(start_paused = true)]
async fn a_timeout_a_full_bulkhead_and_a_fallback_are_told() {
    #[fallback(|_| Ok(0))]
    #[timeout(attempt = "2s")]
    async fn late() -> AppResult<u32> {
        std::future::pending().await
    }
    #[bulkhead(max_concurrent = 1, max_queue = 0)]
    async fn crowded() -> AppResult<()> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(())
    }

    log();
    with_request_id("order-4", async {
        assert_eq!(late().await, Ok(0));
        let (first, second) = tokio::join!(crowded(), crowded());
        assert!(first.is_ok() && second.is_err());
    })
    .await;
    let id = "request_id=\"order-4\"";
    assert_holds(
        &only(["::late\"", "message=rejected"]),
        &["DEBUG", "layer=\"timeout\"", id],
    );
    assert_holds(
        &only(["::late\"", "message=degraded"]),
        &["WARN", "layer=\"fallback\"", id],
    );
    assert_holds(
        &only(["::crowded\"", "message=rejected"]),
        &["DEBUG", "layer=\"bulkhead\"", id],
    );
}

#[tokio::test(start_paused = true)]
async fn a_panicking_hook_is_an_error() {
    #[retryable(max_attempts = 2, base_delay = 0, on_retry = |_| panic!("a hook"))]
    async fn hooked() -> AppResult<()> {
        Err(AppError::Busy)
    }

    log();
    let _ = with_request_id("order-5", hooked()).await;
    assert_holds(
        &only(["::hooked\"", "message=panicked; the call goes on"]),
        &["ERROR", "hook=\"on_retry\"", "request_id=\"order-5\""],
    );
}

#[tokio::test(start_paused = true)]
async fn a_panicking_predicate_is_an_error() {
    #[retryable(max_attempts = 2, base_delay = 0, retry_if = |_| panic!("a predicate"))]
    #[circuit_breaker(name = "predicates", failure_if = |_| panic!("another"))]
    async fn asked() -> AppResult<()> {
        Err(AppError::Busy)
    }

    log();
    assert_eq!(asked().await, Err(AppError::Busy));
    let panicked = "message=panicked; the call goes on";
    assert_holds(
        &only(["site=\"predicates\"", panicked]),
        &["ERROR", "hook=\"failure_if\""],
    );
    assert_holds(
        &only(["::asked\"", panicked]),
        &["ERROR", "hook=\"retry_if\""],
    );
}

#[tokio::test(start_paused = true)]
async fn the_checks_that_a_request_runs_carry_its_id() {
    #[retryable(max_attempts = 2, base_delay = 0)]
    fn asked_by_a_thread() -> AppResult<()> {
        Err(AppError::Busy)
    }

    log();
    let registry = hardening::health::Registry::new();
    registry.register("events task", || async {
        Err::<(), _>(format!("of {:?}", request_id().as_deref()))
    });
    registry.register("events thread", || {
        asked_by_a_thread().map_err(|_| format!("of {:?}", request_id().as_deref()))
    });
    let report = with_request_id("probe-1", registry.run_all()).await;
    for check in ["events task", "events thread"] {
        assert_eq!(
            report.checks[check].message.as_deref(),
            Some("of Some(\"probe-1\")")
        );
        assert_holds(
            &only([check, "message=degraded"]),
            &["WARN", "layer=\"health\"", "request_id=\"probe-1\""],
        );
    }
    assert_holds(
        &only(["::asked_by_a_thread\"", "message=retrying"]),
        &["request_id=\"probe-1\""],
    );
}

#[tokio::test(start_paused = true)]
async fn calls_that_run_together_keep_their_own_ids() {
    #[retryable(max_attempts = 3, base_delay = "1s", jitter = "none", budget = false)]
    async fn together(_request: u32) -> AppResult<()> {
        tokio::task::yield_now().await;
        Err(AppError::Busy)
    }

    log();
    let call = |n: u32| with_request_id(format!("together-{n}"), together(n));
    let _ = tokio::join!(call(1), call(2), call(3));
    for n in 1..=3 {
        let of_one = log().with(&format!("request_id=\"together-{n}\""));
        let attempts: Vec<_> = of_one.iter().map(|line| line.contains("gave up")).collect();
        assert_eq!(attempts, [false, false, true], "{of_one:?}");
    }
    assert_eq!(request_id(), None);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_rejections_is_ten_events_a_second_and_a_count() {
    #[rate_limited(op = "events_flood", key = ())]
    async fn flooded() -> AppResult<()> {
        Ok(())
    }

    log();
    flooded().await.expect("the one token");
    for _ in 0..1000 {
        assert!(matches!(
            flooded().await.unwrap_err().rejected(),
            Rejected::RateLimited { .. }
        ));
    }
    assert_eq!(log().count("::flooded\""), 10);
    assert_eq!(
        log()
            .with("::flooded\"")
            .iter()
            .filter(|line| line.contains("suppressed"))
            .count(),
        0
    );
    pass(1.0).await;
    for _ in 0..1000 {
        let _ = flooded().await;
    }
    let told = log().with("::flooded\"");
    assert_eq!(told.len(), 20);
    assert_holds(&told[10], &["suppressed=990"]);
    assert!(!told[11].contains("suppressed"), "{}", told[11]);
    // The figures have all of them.
    let snapshot = hardening::snapshot();
    let figures =
        &snapshot.site("a_flood_of_rejections_is_ten_events_a_second_and_a_count::flooded");
    assert_eq!(figures.map_or(0, |site| site.figures.rate_limited), 2000);
}
