//! Calls that wait.

use super::*;
use crate::{clock::Moment, context::Context};

fn since(began: Moment) -> Duration {
    clock::now().since(began)
}

#[tokio::test(start_paused = true)]
async fn waits_grow_up_to_the_cap() {
    let began = clock::now();
    let policy = RetryPolicy {
        exponential_base: 2.0,
        ..policy(5)
    };
    assert_eq!(retry(policy, async || TRANSIENT).await, TRANSIENT);
    assert_eq!(since(began), SECOND * (1 + 2 + 4 + 5));
}

#[tokio::test(start_paused = true)]
async fn a_blocking_call_waits_as_long() {
    let began = clock::now();
    assert_eq!(retry_blocking(policy(3), || TRANSIENT), TRANSIENT);
    assert_eq!(since(began), SECOND * 2);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured() {
    let began = clock::now();
    let busy = || Err::<(), _>(Error(Class::TransientAfter(SECOND * 7)));
    assert_eq!(retry(policy(2), async || busy()).await, busy());
    assert_eq!(since(began), SECOND * 7);
}

#[tokio::test(start_paused = true)]
async fn an_unbounded_retry_after_returns_the_error_at_once() {
    let began = clock::now();
    let busy = || Err::<(), _>(Error(Class::TransientAfter(SECOND * 86_400)));
    assert_eq!(retry(policy(2), async || busy()).await, busy());
    assert_eq!(since(began), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_the_wait_must_miss_ends_the_call_at_once() {
    let began = clock::now();
    let deadline = clock::to_std(began.plus(SECOND * 2));
    let call = Retry::new(policy(9)).deadline(deadline);
    let mut runs = 0;
    let outcome = call
        .call(|| {
            runs += 1;
            async { TRANSIENT }
        })
        .await;
    assert_eq!((outcome, runs), (TRANSIENT, 2));
    assert_eq!(since(began), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_a_call_around_is_inherited_and_passed_on() {
    let began = clock::now();
    let deadline = began.plus(SECOND * 5 / 2);
    let around = Context {
        attempt: 7,
        deadline: Some(deadline),
        ..context::current()
    };
    let inner = || async {
        assert_eq!(context::current().deadline, Some(deadline));
        TRANSIENT
    };
    let later = clock::to_std(began.plus(SECOND * 60));
    let nested = Retry::new(policy(9)).deadline(later);
    let call = async {
        assert_eq!(crate::attempt(), 7);
        let outcome = nested.call(inner).await;
        assert_eq!(crate::attempt(), 7);
        outcome
    };
    let mut call = std::pin::pin!(call);
    let call = std::future::poll_fn(|cx| context::within(around, || call.as_mut().poll(cx)));
    assert_eq!(call.await, TRANSIENT);
    assert_eq!(since(began), SECOND * 2);
}

#[tokio::test(start_paused = true)]
async fn the_attempt_is_visible_before_and_after_each_await() {
    let retry = Retry::new(policy(3)).retry_if(|_: &(u32, u32, u32)| true);
    let outcome: Result<(), _> = retry
        .call(|| {
            let called = crate::attempt();
            async move {
                let began = crate::attempt();
                tokio::task::yield_now().await;
                Err((called, began, crate::attempt()))
            }
        })
        .await;
    assert_eq!(outcome, Err((3, 3, 3)));
}

/// A wait of nothing must not even touch the timer wheel, which rounds up to a millisecond.
#[tokio::test(start_paused = true)]
async fn a_zero_delay_sets_no_timer() {
    let began = clock::now();
    let call = std::pin::pin!(retry(at_once(5), async || TRANSIENT));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert_eq!(call.poll(&mut cx), std::task::Poll::Ready(TRANSIENT));
    assert_eq!(since(began), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_while_it_waits_runs_nothing_again() {
    let runs = AtomicU32::new(0);
    let call = retry(policy(9), || {
        runs.fetch_add(1, Relaxed);
        async { TRANSIENT }
    });
    assert!(tokio::time::timeout(SECOND / 2, call).await.is_err());
    tokio::time::sleep(SECOND * 60).await;
    assert_eq!(runs.load(Relaxed), 1);
}

/// Neither the attempt's future nor its error may keep a permit while the call waits.
#[tokio::test(start_paused = true)]
async fn an_attempt_holds_nothing_while_the_next_is_waited_for() {
    #[derive(Debug)]
    struct Holding(#[allow(dead_code)] Arc<()>);
    let permit = Arc::new(());
    let hook = {
        let permit = Arc::downgrade(&permit);
        move |_: &RetryEvent| assert!(permit.upgrade().is_some())
    };
    let retry = Retry::new(policy(2))
        .retry_if(|_: &Holding| true)
        .on_retry(hook);
    let call = retry.call(|| {
        let (held, returned) = (Arc::clone(&permit), Arc::clone(&permit));
        async move {
            tokio::task::yield_now().await;
            let error = Holding(returned);
            Err::<(), _>(error).inspect_err(|_| drop(held))
        }
    });
    let watch = async {
        tokio::time::sleep(SECOND / 2).await;
        assert_eq!(Arc::strong_count(&permit), 1);
    };
    let (outcome, ()) = tokio::join!(call, watch);
    assert!(outcome.is_err());
}

#[tokio::test(start_paused = true)]
async fn retries_that_wait_are_counted_against_the_budget() {
    let budget = Budget {
        ratio: 0.0,
        min_per_second: 0.5,
    };
    let retry = Retry::new(RetryPolicy {
        budget: Some(budget),
        ..policy(2)
    });
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let retry = retry.clone();
        calls.spawn(async move { retry.call(async || TRANSIENT).await });
    }
    tokio::time::sleep(SECOND / 2).await;
    let waiting = calls.len() - drain(&mut calls);
    assert_eq!(waiting, 5, "ten seconds of one retry in two");
}

fn drain(calls: &mut tokio::task::JoinSet<Result<(), Error>>) -> usize {
    std::iter::from_fn(|| calls.try_join_next()).count()
}
