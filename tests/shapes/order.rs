//! The order in which attributes are written does not matter.
#![forbid(unsafe_code)]

use crate::support::{AppError, AppResult, Runs, timed};
use hardening::{bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable, timeout};
use std::future::Future;

/// Two failures, then an answer, behind every layer: what each call comes to, and after how long.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "few seconds"
)]
async fn behaviour<F, Fut>(ask: F) -> (Vec<(String, u64)>, u32)
where
    F: Fn(u8, &'static Runs) -> Fut,
    Fut: Future<Output = AppResult<String>>,
{
    let runs: &'static Runs = Box::leak(Box::default());
    let mut outcomes = Vec::new();
    for id in [1, 1, 2, 3, 4] {
        let (answer, took) = timed(ask(id, runs)).await;
        outcomes.push((format!("{answer:?}"), took.round() as u64));
    }
    (outcomes, runs.get())
}

async fn body(id: u8, runs: &Runs) -> AppResult<String> {
    match (id, runs.up()) {
        (2, _) => Err(AppError::Gone),
        (3, _) => std::future::pending().await,
        (_, 1 | 2) => Err(AppError::Busy),
        (_, run) => Ok(format!("{id} in run {run}")),
    }
}

#[tokio::test(start_paused = true)]
async fn attributes_behave_alike_in_any_order() {
    #[fallback(|error| Ok(format!("degraded: {error}")))]
    #[cached(key = id)]
    #[timeout(call = "20s", attempt = "4s")]
    #[rate_limited(capacity = 3, window_seconds = "1h")]
    #[retryable(base_delay = 1)]
    #[circuit_breaker(failure_threshold = 50)]
    #[bulkhead(max_concurrent = 1)]
    async fn outside_in(id: u8, runs: &'static Runs) -> AppResult<String> {
        body(id, runs).await
    }
    #[bulkhead(max_concurrent = 1)]
    #[circuit_breaker(failure_threshold = 50)]
    #[retryable(base_delay = 1)]
    #[rate_limited(capacity = 3, window_seconds = "1h")]
    #[timeout(call = "20s", attempt = "4s")]
    #[cached(key = id)]
    #[fallback(|error| Ok(format!("degraded: {error}")))]
    async fn inside_out(id: u8, runs: &'static Runs) -> AppResult<String> {
        body(id, runs).await
    }
    #[hardening::timeout(call = "20s", attempt = "4s")]
    #[retryable(base_delay = 1)]
    #[allow(clippy::needless_pass_by_value)]
    #[cached(key = id)]
    #[hardening::bulkhead(max_concurrent = 1)]
    #[fallback(|error| Ok(format!("degraded: {error}")))]
    #[rate_limited(capacity = 3, window_seconds = "1h")]
    #[circuit_breaker(failure_threshold = 50)]
    async fn mixed(id: u8, runs: &'static Runs) -> AppResult<String> {
        body(id, runs).await
    }
    let plain = |text: String, name: &str| text.replace(name, "ask");
    let named = |(outcomes, runs): (Vec<(String, u64)>, u32), name| {
        let outcomes = outcomes.into_iter();
        let outcomes: Vec<_> = outcomes
            .map(|(text, took)| (plain(text, name), took))
            .collect();
        (outcomes, runs)
    };
    let one = named(behaviour(outside_in).await, "outside_in");
    let two = named(behaviour(inside_out).await, "inside_out");
    let three = named(behaviour(mixed).await, "mixed");
    let (outcomes, runs) = &one;
    let texts: Vec<_> = outcomes.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(
        texts[..3],
        [
            r#"Ok("1 in run 3")"#,
            r#"Ok("1 in run 3")"#,
            r#"Ok("degraded: Gone")"#
        ]
    );
    assert!(
        texts[3].contains("degraded: Rejected(TimedOut"),
        "{texts:?}"
    );
    assert!(
        texts[4].contains("degraded: Rejected(RateLimited"),
        "{texts:?}"
    );
    let took: Vec<_> = outcomes.iter().map(|(_, took)| *took).collect();
    assert_eq!(took, [3, 0, 0, 4 + 1 + 4 + 2 + 4, 0]);
    assert_eq!(*runs, 3 + 1 + 3);
    assert_eq!(one, two);
    assert_eq!(one, three);
}
