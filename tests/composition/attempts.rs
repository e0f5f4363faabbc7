//! What is tried again, when, and for how long.

use crate::support::{Answer, AppError, Script, Step::*, figures, refused, seconds};
use hardening::{bulkhead, circuit_breaker, fallback, rate_limited, retryable, timeout};

#[tokio::test(start_paused = true)]
async fn a_retry_waits_as_long_as_the_upstream_asks_if_that_is_more_than_the_backoff() {
    #[retryable(policy = "composition")]
    async fn ask(script: &Script) -> Answer {
        script.run().await
    }
    // 3 s asked against 1 s of backoff; 1 s asked against 2 s.
    let script = Script::of([Later(3), Later(1)]);
    assert_eq!(
        (ask(script).await, script.at()),
        (Ok(3), vec![0, 3_000, 5_000])
    );
    let script = Script::of([Later(3); 3]);
    assert_eq!(
        ask(script).await,
        Err(AppError::Later { after: seconds(3) })
    );
    assert_eq!((script.at(), script.now()), (vec![0, 3_000, 6_000], 6_000));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_would_pass_the_deadline_is_not_begun() {
    #[timeout(call = 3)]
    #[retryable(policy = "composition")]
    async fn ask(script: &Script) -> Answer {
        script.run().await
    }
    let script = Script::of([Busy, Busy, Fine]);
    assert_eq!(
        (ask(script).await, script.now()),
        (Err(AppError::Busy(2)), 1_000)
    );
    let script = Script::of([Later(3)]);
    assert_eq!(
        ask(script).await,
        Err(AppError::Later { after: seconds(3) })
    );
    assert_eq!((script.runs(), script.now()), (1, 0));
    let script = Script::of([Later(2), Fine]);
    assert_eq!((ask(script).await, script.now()), (Ok(2), 2_000));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_would_pass_max_elapsed_is_not_begun() {
    #[retryable(policy = "composition", max_elapsed = 2)]
    async fn ask(script: &Script) -> Answer {
        script.run().await
    }
    let script = Script::of([Busy, Busy, Fine]);
    assert_eq!(
        (ask(script).await, script.now()),
        (Err(AppError::Busy(2)), 1_000)
    );
    let script = Script::of([Later(2), Fine]);
    assert_eq!((ask(script).await, script.now()), (Ok(2), 2_000));
}

#[tokio::test(start_paused = true)]
async fn max_elapsed_begins_with_the_first_attempt() {
    #[rate_limited(capacity = 1, window_seconds = 5, max_wait = 60)]
    #[retryable(policy = "composition", max_elapsed = 4)]
    async fn ask(script: &Script) -> Answer {
        script.run().await
    }
    let script = Script::of([Fine, Busy, Busy, Fine]);
    assert_eq!(ask(script).await, Ok(1));
    assert_eq!(
        (ask(script).await, script.at()),
        (Ok(4), vec![0, 5_000, 6_000, 8_000])
    );
}

#[tokio::test(start_paused = true)]
async fn a_blocking_retry_waits_and_gives_up_alike() {
    #[retryable(policy = "composition", max_elapsed = 4)]
    fn ask(script: &Script) -> Answer {
        script.run_blocking()
    }
    let script = Script::of([Later(2), Busy, Fine]);
    assert_eq!((ask(script), script.at()), (Ok(3), vec![0, 2_000, 4_000]));
    let script = Script::of([Takes(1), Fine]);
    assert_eq!(ask(script), Ok(1));
    let script = Script::of([Fails(3), Busy, Fine]);
    assert_eq!(
        (ask(script), script.at()),
        (Err(AppError::Busy(2)), vec![0, 4_000])
    );
    let script = Script::of([Gone]);
    assert_eq!((ask(script), script.runs()), (Err(AppError::Gone), 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_permanent_is_not_tried_again() {
    #[retryable(policy = "composition")]
    async fn ask(script: &Script) -> Answer {
        script.run().await
    }
    let script = Script::of([Busy, Gone, Fine]);
    assert_eq!(
        (ask(script).await, script.at()),
        (Err(AppError::Gone), vec![0, 1_000])
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_bulkhead_is_tried_again() {
    #[retryable(policy = "composition")]
    #[bulkhead(max_concurrent = 1, max_queue = 0)]
    async fn ask(script: &Script) -> Answer {
        script.run().await
    }
    let script = Script::of([Takes(2), Fine]);
    // The second is refused at 0 and at 1, and finds a place at 3.
    assert_eq!(tokio::join!(ask(script), ask(script)), (Ok(1), Ok(2)));
    assert_eq!(script.at(), [0, 3_000]);
    let counted = figures("a_full_bulkhead_is_tried_again::ask");
    assert_eq!(
        (
            counted.success,
            counted.attempts,
            counted.rejected_by.bulkhead
        ),
        (2, 2, 2)
    );
    let script = Script::of([Takes(4), Fine]);
    let (long, refusal) = tokio::join!(ask(script), ask(script));
    assert_eq!((long, refused(refusal)), (Ok(1), ("bulkhead full", None)));
    assert_eq!(script.now(), 4_000);
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_opens_again_after_the_deadline_is_not_waited_for() {
    #[timeout(call = 3)]
    #[retryable(policy = "composition")]
    #[circuit_breaker(failure_threshold = 1, open_for = 4)]
    async fn ask(script: &Script) -> Answer {
        script.run().await
    }
    let script = Script::of([Busy]);
    assert_eq!(refused(ask(script).await), ("circuit open", Some(3_000)));
    assert_eq!((script.runs(), script.now()), (1, 1_000));
}

#[tokio::test(start_paused = true)]
async fn the_attempt_counts_runs_of_the_body_and_begins_anew_with_each_call() {
    #[retryable(policy = "composition")]
    #[circuit_breaker(failure_threshold = 1, open_for = 4)]
    async fn ask(script: &Script) -> Result<u32, AppError> {
        script.run().await.map(|_| hardening::attempt())
    }
    // An attempt that the circuit refuses is no run of the body.
    assert_eq!(ask(Script::of([Busy])).await, Ok(2));
    assert_eq!(ask(Script::of([])).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_one_for_all_functions_of_a_policy() {
    #[retryable(policy = "composition_budget")]
    async fn ask(script: &Script) -> Answer {
        script.run().await
    }
    #[retryable(policy = "composition_budget")]
    fn ask_blocking(script: &Script) -> Answer {
        script.run_blocking()
    }
    #[retryable(policy = "composition_other_budget")]
    async fn other(script: &Script) -> Answer {
        script.run().await
    }
    // Ten seconds of half a retry a second: five at once, and another every two seconds.
    let scripts = [Script::of([Busy; 10]), Script::of([Busy; 10])];
    let (one, two) = tokio::join!(ask(scripts[0]), ask(scripts[1]));
    assert!(one.is_err() && two.is_err());
    // Retries at 1 (two), 2 (two), 3 (the fifth); what came in at 2 is spent at 2 and 3 as well.
    let runs = scripts[0].runs() + scripts[1].runs();
    let refilled = scripts[0].now().max(scripts[1].now()) / 2_000;
    assert_eq!(runs as u64, 2 + 5 + refilled);
    let script = Script::of([Busy; 10]);
    assert_eq!(
        (ask_blocking(script), script.runs()),
        (Err(AppError::Busy(1)), 1)
    );
    let script = Script::of([Busy; 4]);
    assert_eq!(
        (other(script).await, script.runs()),
        (Ok(5), 5),
        "another policy's budget is its own"
    );
}

#[tokio::test(start_paused = true)]
async fn a_fallback_is_not_retried_and_sees_the_last_error() {
    #[fallback(|error| match error {
        AppError::Busy(run) => Err(AppError::Busy(run * 100)),
        other => Err(other),
    })]
    #[retryable(policy = "composition")]
    async fn ask(script: &Script) -> Answer {
        script.run().await
    }
    let script = Script::of([Busy; 9]);
    assert_eq!(
        (ask(script).await, script.runs()),
        (Err(AppError::Busy(300)), 3)
    );
    let figures = figures("a_fallback_is_not_retried_and_sees_the_last_error::ask");
    assert_eq!(
        (figures.error, figures.fallbacks, figures.attempts),
        (1, 1, 3)
    );
}
