//! What comes out of a function, or an engine, that the body calls: a refusal keeps its meaning inside of an
//! error, and an error of which nothing is known speaks against what was called.

use crate::support::{Answer, AppError, Script, Step::*, circuit, refused, seconds, settle, site};
use hardening::{
    Bulkhead, BulkheadPolicy, CircuitBreaker, CircuitBreakerPolicy, Priority, RateLimitPolicy,
    RateLimiter, Rejected, RetryPolicy, bulkhead, circuit_breaker,
    circuit_breaker::{State, is_transient},
    rate_limited,
    retry::{Jitter, retry},
    retryable, timeout,
};
use std::{error::Error, io};

type Boxed = Box<dyn Error + Send + Sync>;

fn in_a_row(path: &str) -> u64 {
    site(path).circuit.unwrap().failures_in_a_row
}

/// At most 3 attempts, a second and two apart, and no wait above 5 s: as the policy `composition`.
fn policy() -> RetryPolicy {
    RetryPolicy {
        base_delay: seconds(1),
        jitter: Jitter::None,
        budget: None,
        ..RetryPolicy::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_circuit_further_in_is_waited_for_within_max_delay_and_no_longer() {
    #[circuit_breaker(failure_threshold = 1, open_for = 20)]
    async fn long(script: &Script) -> Answer {
        script.run().await
    }
    #[retryable(policy = "composition")]
    async fn calls_long(script: &Script) -> Answer {
        long(script).await
    }
    #[circuit_breaker(failure_threshold = 1, open_for = 4)]
    async fn short(script: &Script) -> Answer {
        script.run().await
    }
    #[retryable(policy = "composition")]
    async fn calls_short(script: &Script) -> Answer {
        short(script).await
    }
    let script = Script::of([Busy]);
    let answer = calls_long(script).await;
    assert_eq!(refused(answer), ("circuit open", Some(19_000)));
    assert_eq!((script.runs(), script.now()), (1, 1_000));

    let script = Script::of([Busy]);
    assert_eq!(calls_short(script).await, Ok(2));
    assert_eq!(script.at(), [0, 4_000]);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_further_in_is_not_waited_for_beyond_max_delay_whatever_the_error_type() {
    #[rate_limited(capacity = 1, window_seconds = 20, key = ())]
    async fn io(script: &Script) -> io::Result<()> {
        script.run().await.map(drop).map_err(io::Error::other)
    }
    #[rate_limited(capacity = 1, window_seconds = 20, key = ())]
    fn boxed(script: &Script) -> Result<(), Boxed> {
        Ok(script.run_blocking().map(drop)?)
    }
    #[retryable(policy = "composition")]
    async fn calls_io(script: &Script) -> io::Result<()> {
        io(script).await
    }
    #[retryable(policy = "composition")]
    fn calls_boxed(script: &Script) -> Result<(), Boxed> {
        boxed(script)
    }
    #[retryable(policy = "composition")]
    async fn calls_both(script: &Script) -> anyhow::Result<()> {
        use anyhow::Context as _;
        io(script).await.context("the one")?;
        boxed(script).map_err(anyhow::Error::from_boxed)
    }
    let script = Script::of([]);
    calls_io(script).await.unwrap();
    calls_boxed(script).unwrap();
    calls_io(script).await.unwrap_err();
    calls_boxed(script).unwrap_err();
    calls_both(script).await.unwrap_err();
    assert_eq!((script.runs(), script.now()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn engines_in_a_retry_are_waited_for_within_max_delay_and_no_longer() {
    let guard = |open_for| {
        CircuitBreaker::new(CircuitBreakerPolicy {
            failure_threshold: 1,
            open_for: seconds(open_for),
            ..CircuitBreakerPolicy::default()
        })
    };
    let (long, short) = (guard(20), guard(4));
    let script = Script::of([Busy]);
    let answer = retry(policy(), || long.call(|| script.run())).await;
    assert_eq!(refused(answer), ("circuit open", Some(19_000)));
    assert_eq!((script.runs(), script.now()), (1, 1_000));
    let script = Script::of([Busy]);
    assert_eq!(retry(policy(), || short.call(|| script.run())).await, Ok(2));
    assert_eq!(script.at(), [0, 4_000]);

    let script = Script::of([]);
    let limiter = RateLimiter::new(RateLimitPolicy::per_key(1, seconds(20)));
    limiter.check("a").unwrap();
    let answer = retry(policy(), || async { limiter.check("a") }).await;
    assert_eq!(answer.unwrap_err().retry_after(), Some(seconds(20)));
    assert_eq!(script.now(), 0);
}

#[tokio::test(start_paused = true)]
async fn retry_if_does_not_have_a_refusal_waited_for_beyond_max_delay_either() {
    #[retryable(policy = "composition", retry_if = |_| true)]
    async fn ask(runs: &Script, refuses: &Rejected) -> Result<(), Rejected> {
        let _ = runs.run().await;
        Err(refuses.clone())
    }
    let refuses = |retry_after| Rejected::CircuitOpen {
        name: "further in",
        retry_after,
    };
    for (wait, runs) in [(Some(seconds(6)), 1), (None, 1), (Some(seconds(1)), 3)] {
        let script = Script::of([]);
        ask(script, &refuses(wait)).await.unwrap_err();
        assert_eq!(script.runs(), runs, "{wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_further_in_are_neutral_for_a_circuit_and_timeouts_are_failures() {
    #[bulkhead(max_concurrent = 1, max_queue = 0)]
    async fn full(script: &Script) -> Answer {
        script.run().await
    }
    #[circuit_breaker(failure_threshold = 2)]
    async fn calls_full(script: &Script) -> Answer {
        full(script).await
    }
    #[timeout("2s")]
    async fn slow(script: &Script) -> Answer {
        script.run().await
    }
    #[circuit_breaker(failure_threshold = 2)]
    async fn calls_slow(script: &Script) -> Answer {
        slow(script).await
    }
    let path = "refusals_further_in_are_neutral_for_a_circuit_and_timeouts_are_failures";
    let script = Script::of([Takes(1)]);
    let running = tokio::spawn(full(script));
    settle().await;
    for _ in 0..5 {
        assert_eq!(refused(calls_full(script).await).0, "bulkhead full");
    }
    assert_eq!(in_a_row(&format!("{path}::calls_full")), 0);
    running.await.unwrap().unwrap();

    let script = Script::of([Hangs, Hangs]);
    for _ in 0..2 {
        assert_eq!(refused(calls_slow(script).await).0, "timed out");
    }
    assert_eq!(circuit(&format!("{path}::calls_slow")), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_asks_the_error_is_neutral_to_a_full_bulkhead() {
    let breaker = CircuitBreaker::new(CircuitBreakerPolicy {
        failure_threshold: 1,
        ..CircuitBreakerPolicy::default()
    });
    let places = Bulkhead::new(BulkheadPolicy {
        max_concurrent: 1,
        max_queue: 0,
        ..BulkheadPolicy::default()
    });
    let _taken = places.enter(Priority::Normal).await.unwrap();
    let ask = || places.call(Priority::Normal, || async { Ok::<_, Rejected>(()) });
    breaker.call_if(ask, is_transient).await.unwrap_err();
    assert_eq!(breaker.state(), State::Closed);
    let down = || async { Err::<(), _>(io::Error::other("down")) };
    breaker.call_if(down, is_transient).await.unwrap_err();
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn errors_of_which_nothing_is_known_open_a_circuit_and_are_not_tried_again() {
    #[retryable(policy = "composition")]
    #[circuit_breaker(failure_threshold = 2, allow = ["circuit_outlasts_retries"])]
    async fn of_anyhow(script: &Script) -> anyhow::Result<()> {
        let _ = script.run().await;
        anyhow::bail!("down")
    }
    #[circuit_breaker(failure_threshold = 2)]
    async fn of_box() -> Result<(), Boxed> {
        Err("down".into())
    }
    #[circuit_breaker(failure_threshold = 2)]
    fn of_io() -> io::Result<()> {
        Err(io::Error::other("down"))
    }
    #[circuit_breaker(failure_threshold = 2)]
    async fn of_another_type_inside() -> anyhow::Result<()> {
        Err(AppError::Busy(1).into())
    }
    let path = "errors_of_which_nothing_is_known_open_a_circuit_and_are_not_tried_again";
    let script = Script::of([]);
    for _ in 0..2 {
        of_anyhow(script).await.unwrap_err();
        of_box().await.unwrap_err();
        of_io().unwrap_err();
        of_another_type_inside().await.unwrap_err();
    }
    assert_eq!((script.runs(), script.now()), (2, 0));
    for function in ["of_anyhow", "of_box", "of_io", "of_another_type_inside"] {
        let state = circuit(&format!("{path}::{function}"));
        assert_eq!(state, State::Open, "{function}");
    }
}

#[tokio::test(start_paused = true)]
async fn errors_that_are_known_to_be_permanent_are_neutral_in_any_box() {
    #[circuit_breaker(failure_threshold = 1)]
    async fn ask() -> anyhow::Result<()> {
        Err(anyhow::Error::new(io::Error::from(io::ErrorKind::NotFound)).context("reading"))
    }
    for _ in 0..3 {
        ask().await.unwrap_err();
    }
    let path = "errors_that_are_known_to_be_permanent_are_neutral_in_any_box::ask";
    assert_eq!((circuit(path), in_a_row(path)), (State::Closed, 0));
}
