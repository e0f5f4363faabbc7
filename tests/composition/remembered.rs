//! What a cache remembers, and what it does for the layers within.

use crate::support::{
    Answer, AppError, Script, Step::*, dropped_after, figures, panic_of, panic_of_task, refused,
    seconds, settle, site,
};
use hardening::{bulkhead, cached, circuit_breaker, rate_limited, retryable};

#[tokio::test(start_paused = true)]
async fn concurrent_misses_run_once_through_all_layers() {
    #[cached(key = id, name = "composition concurrent")]
    #[rate_limited(capacity = 1, window_seconds = 1000, key = id)]
    #[retryable(policy = "composition")]
    #[bulkhead(max_concurrent = 1, max_queue = 0)]
    async fn ask(script: &'static Script, id: u32) -> Answer {
        script.run().await
    }
    let script = Script::of([Busy, Takes(1)]);
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(ask(script, 7))).collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(2));
    }
    assert_eq!(script.at(), [0, 1_000]);
    let counted = figures("concurrent_misses_run_once_through_all_layers::ask");
    assert_eq!(
        (counted.success, counted.attempts, counted.cache_coalesced),
        (20, 2, 19)
    );
    // Another key has its own token, and this one's is spent.
    hardening::cache::<u32, u32>("composition concurrent").clear();
    assert_eq!(ask(script, 8).await, Ok(3));
    assert_eq!(
        (refused(ask(script, 7).await).0, script.runs()),
        ("rate limited", 3)
    );
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_goes_away_hands_over_and_one_that_panics_too() {
    #[cached(key = ())]
    async fn ask(script: &'static Script) -> Answer {
        script.run().await
    }
    let script = Script::of([Hangs, Panic, Takes(1)]);
    let first = tokio::spawn(dropped_after(1, ask(script)));
    settle().await;
    let calls = [(); 3].map(|()| tokio::spawn(ask(script)));
    first.await.unwrap();
    let [panics, second, third] = calls;
    assert_eq!(
        panic_of_task(panics).await,
        "run 2 panics, as the test wants"
    );
    assert_eq!(
        (second.await.unwrap(), third.await.unwrap()),
        (Ok(3), Ok(3))
    );
    assert_eq!((script.at(), script.now()), (vec![0, 1_000, 1_000], 2_000));
    let counted = figures("a_leader_that_goes_away_hands_over_and_one_that_panics_too::ask");
    assert_eq!(
        (
            counted.dropped,
            counted.panicked,
            counted.success,
            counted.in_flight
        ),
        (1, 1, 2, 0)
    );
}

#[test]
fn errors_and_none_are_not_remembered() {
    #[cached(key = ())]
    fn fallible(script: &Script) -> Answer {
        script.run_blocking()
    }
    #[cached(key = ())]
    fn optional(script: &Script) -> Option<u32> {
        script.run_blocking().ok()
    }
    let script = Script::of([Busy, Gone]);
    assert_eq!(fallible(script), Err(AppError::Busy(1)));
    assert_eq!(fallible(script), Err(AppError::Gone));
    assert_eq!(
        (fallible(script), fallible(script), script.runs()),
        (Ok(3), Ok(3), 3)
    );
    let script = Script::of([Busy]);
    assert_eq!(
        (optional(script), optional(script), optional(script)),
        (None, Some(2), Some(2))
    );
    assert_eq!(script.runs(), 2);
    let script = Script::of([Panic]);
    #[cached(key = ())]
    fn panics(script: &Script) -> u32 {
        script.run_blocking().unwrap()
    }
    panic_of(|| panics(script));
    assert_eq!((panics(script), panics(script), script.runs()), (2, 2, 2));
}

#[tokio::test(start_paused = true)]
async fn the_last_good_value_is_served_while_the_call_fails_and_while_its_circuit_is_open() {
    #[cached(key = (), ttl = 10, stale_if_error = 100)]
    #[retryable(policy = "composition", allow = ["circuit_outlasts_retries"])]
    #[circuit_breaker(failure_threshold = 2, open_for = 60)]
    async fn ask(script: &Script) -> Answer {
        script.run().await
    }
    let path =
        "the_last_good_value_is_served_while_the_call_fails_and_while_its_circuit_is_open::ask";
    let script = Script::of([Fine, Busy, Busy, Gone]);
    assert_eq!(ask(script).await, Ok(1));
    tokio::time::sleep(seconds(11)).await;
    // Two attempts open the circuit, the third is refused; the value is served all the same.
    assert_eq!(
        (ask(script).await, script.at()),
        (Ok(1), vec![0, 11_000, 12_000])
    );
    assert_eq!(
        (ask(script).await, script.runs(), script.now()),
        (Ok(1), 3, 14_000)
    );
    assert_eq!(site(path).circuit.unwrap().rejected, 2);
    tokio::time::sleep(seconds(60)).await;
    assert_eq!(
        (ask(script).await, script.runs()),
        (Ok(1), 4),
        "the probe found it gone"
    );
    assert_eq!((ask(script).await, ask(script).await), (Ok(5), Ok(5)));
    assert_eq!((script.runs(), figures(path).cache_stale), (5, 3));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_too_old_does_not_stand_in() {
    #[cached(key = (), ttl = 10, stale_if_error = 5)]
    async fn ask(script: &Script) -> Answer {
        script.run().await
    }
    let script = Script::of([Fine, Busy, Busy]);
    assert_eq!(ask(script).await, Ok(1));
    tokio::time::sleep(seconds(14)).await;
    assert_eq!(ask(script).await, Ok(1));
    tokio::time::sleep(seconds(2)).await;
    assert_eq!(
        (ask(script).await, script.runs()),
        (Err(AppError::Busy(3)), 3)
    );
}

#[tokio::test(start_paused = true)]
async fn a_hit_costs_nothing_further_in() {
    #[cached(key = ())]
    #[rate_limited(capacity = 1, window_seconds = 1000)]
    #[circuit_breaker(failure_threshold = 1)]
    async fn ask(script: &Script) -> Answer {
        script.run().await
    }
    let script = Script::of([]);
    for _ in 0..50 {
        assert_eq!(ask(script).await, Ok(1));
    }
    let counted = figures("a_hit_costs_nothing_further_in::ask");
    assert_eq!(
        (counted.success, counted.attempts, counted.cache_hits),
        (50, 1, 49)
    );
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_are_told_a_refusal_as_it_is() {
    #[cached(key = ())]
    #[circuit_breaker(name = "composition told refusal", failure_threshold = 1)]
    async fn ask(script: &'static Script) -> Answer {
        script.run().await
    }
    let script = Script::of([Fails(2)]);
    let (one, other) = tokio::join!(ask(script), ask(script));
    assert_eq!(
        (one, other),
        (Err(AppError::Busy(1)), Err(AppError::Busy(1)))
    );
    let (one, other) = tokio::join!(ask(script), ask(script));
    assert_eq!(
        (refused(one), refused(other)),
        (
            ("circuit open", Some(60_000)),
            ("circuit open", Some(60_000))
        )
    );
    assert_eq!(script.runs(), 1);
}
