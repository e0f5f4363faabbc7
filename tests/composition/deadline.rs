//! The deadline, through nested functions.

use crate::support::{Answer, AppError, Script, Step::*, refused, seconds};
use hardening::{bulkhead, cached, rate_limited, retryable, timeout};
use std::time::Duration;

fn left() -> Option<Duration> {
    hardening::deadline().map(|deadline| deadline - tokio::time::Instant::now().into_std())
}

#[tokio::test(start_paused = true)]
async fn a_retry_within_does_not_wait_past_the_deadline_of_a_call_around() {
    #[retryable(policy = "composition")]
    async fn within(script: &Script) -> Answer {
        script.run().await
    }
    #[timeout(call = 3)]
    async fn around(script: &Script) -> Answer {
        // Its own wait of 2 s would end at the deadline: it says so at 1, and there are 2 s left.
        let answer = within(script).await;
        assert_eq!((script.now(), left()), (1_000, Some(seconds(2))));
        answer
    }
    let script = Script::of([Busy; 3]);
    assert_eq!(around(script).await, Err(AppError::Busy(2)));
    assert_eq!((script.runs(), script.now()), (2, 1_000));
    let script = Script::of([Busy; 3]);
    assert_eq!(
        within(script).await,
        Err(AppError::Busy(3)),
        "by itself it has time"
    );
}

#[tokio::test(start_paused = true)]
async fn a_blocking_retry_within_knows_the_deadline_too() {
    #[retryable(policy = "composition")]
    fn within(script: &Script) -> Answer {
        script.run_blocking()
    }
    #[timeout(call = 3)]
    async fn around(script: &Script) -> Answer {
        within(script)
    }
    let script = Script::of([Busy; 3]);
    assert_eq!(around(script).await, Err(AppError::Busy(2)));
    assert_eq!((script.runs(), script.now()), (2, 1_000));
}

#[tokio::test(start_paused = true)]
async fn the_nearest_deadline_counts_and_the_outer_one_comes_back() {
    #[timeout(call = 2)]
    async fn short() -> Result<Option<Duration>, AppError> {
        Ok(left())
    }
    #[timeout(call = 60)]
    async fn long() -> Result<Option<Duration>, AppError> {
        Ok(left())
    }
    #[retryable(policy = "composition")]
    async fn none() -> Result<(u32, Option<Duration>), AppError> {
        Ok((hardening::attempt(), left()))
    }
    #[retryable(policy = "composition")]
    #[timeout(call = 10, attempt = 5, allow = ["retries_exceed_timeout"])]
    async fn around(script: &Script) -> Answer {
        assert_eq!(left(), Some(seconds(5)));
        assert_eq!(short().await?, Some(seconds(2)));
        assert_eq!(long().await?, Some(seconds(5)));
        assert_eq!(none().await?, (1, Some(seconds(5))));
        assert_eq!(left(), Some(seconds(5)));
        let ran = script.run().await;
        assert_eq!(hardening::attempt() as usize, script.runs());
        ran
    }
    assert_eq!(around(Script::of([Busy])).await, Ok(2));
    assert_eq!((hardening::deadline(), hardening::attempt()), (None, 1));
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_and_a_bulkhead_within_refuse_what_the_deadline_leaves_no_time_for() {
    #[rate_limited(capacity = 1, window_seconds = 10, max_wait = 60)]
    async fn limited(script: &Script) -> Answer {
        script.run().await
    }
    #[bulkhead(max_concurrent = 1, max_wait = 60)]
    async fn bounded(script: &Script) -> Answer {
        script.run().await
    }
    #[timeout(call = 3)]
    async fn around(script: &Script) -> Answer {
        limited(script).await?;
        let refused = refused(limited(script).await);
        assert_eq!((refused, script.now()), (("rate limited", Some(10_000)), 0));
        let (long, late) = tokio::join!(bounded(script), bounded(script));
        long.and(late)
    }
    let script = Script::of([Fine, Takes(5)]);
    assert_eq!(
        (refused(around(script).await).0, script.now()),
        ("timed out", 3_000)
    );
    assert_eq!(
        (script.at(), script.left()),
        (vec![0, 0], 1),
        "who was in the queue never runs"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_body_spawns_is_not_in_its_call() {
    #[timeout(call = 3)]
    async fn around() -> Result<bool, AppError> {
        Ok(tokio::spawn(async { hardening::deadline().is_none() })
            .await
            .unwrap())
    }
    assert_eq!(around().await, Ok(true));
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_anothers_run_of_a_key_ends_with_the_deadline_around() {
    #[cached(key = ())]
    async fn shared(script: &'static Script) -> Answer {
        script.run().await
    }
    #[timeout(call = 2)]
    async fn around(script: &'static Script) -> Answer {
        shared(script).await
    }
    let script = Script::of([Takes(5)]);
    let (leads, waits) = tokio::join!(shared(script), around(script));
    assert_eq!((leads, refused(waits).0), (Ok(1), "timed out"));
    assert_eq!((script.runs(), script.now()), (1, 5_000));
}

#[tokio::test(start_paused = true)]
async fn a_blocking_wait_for_anothers_run_ends_with_the_deadline_around_too() {
    #[cached(name = "composition follows to the deadline", key = ())]
    async fn leads(script: &'static Script) -> Answer {
        script.run().await
    }
    #[cached(name = "composition follows to the deadline", key = ())]
    fn follows(script: &'static Script) -> Answer {
        script.run_blocking()
    }
    #[timeout(call = 2)]
    async fn around(script: &'static Script) -> Answer {
        follows(script)
    }
    let script = Script::of([Hangs, Fine]);
    let leading = tokio::spawn(leads(script));
    crate::support::settle().await;
    assert_eq!((around(script).await, script.at()), (Ok(2), vec![0, 2_000]));
    leading.abort();
}
