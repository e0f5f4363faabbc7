//! The plain type: its async and blocking drivers and its guard.

use super::*;
use std::{
    future::{Future, pending},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::{Context, Waker},
};

fn breaker(failure_threshold: u32) -> CircuitBreaker {
    let policy = Policy {
        failure_threshold,
        ..Policy::default()
    };
    CircuitBreaker::named("driver", policy)
}

fn refused() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[cfg(feature = "test-util")]
#[tokio::test(start_paused = true)]
async fn a_circuit_opens_rejects_and_recovers_on_the_paused_clock() {
    let breaker = breaker(2);
    for _ in 0..2 {
        let failed = breaker.call(|| async { Err::<(), _>(refused()) }).await;
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
    let rejected: Result<(), io::Error> = breaker.call(|| async { panic!("runs") }).await;
    let rejected = rejected.unwrap_err();
    let inner = rejected.get_ref().unwrap().downcast_ref::<Rejected>();
    assert_eq!(inner.unwrap().retry_after(), Some(secs(60)));
    tokio::time::advance(secs(60)).await;
    let answered = is_send(breaker.call(|| async { Ok::<_, io::Error>(7) })).await;
    assert_eq!(answered.unwrap(), 7);
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.time_in_state(), Duration::ZERO);
}

#[cfg(feature = "test-util")]
#[tokio::test(start_paused = true)]
async fn an_async_panic_is_counted_and_raised_again() {
    let breaker = &breaker(2);
    let late = || async {
        tokio::task::yield_now().await;
        panic!("in the future")
    };
    let caught = |run| async move {
        struct Catch<F>(std::pin::Pin<Box<F>>);
        impl<F: Future> Future for Catch<F> {
            type Output = std::thread::Result<F::Output>;
            fn poll(
                mut self: std::pin::Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> std::task::Poll<Self::Output> {
                match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
                    Ok(poll) => poll.map(Ok),
                    Err(panic) => std::task::Poll::Ready(Err(panic)),
                }
            }
        }
        Catch(Box::pin(run)).await
    };
    let run: Result<Result<(), io::Error>, _> = caught(breaker.call(late)).await;
    assert_eq!(run.unwrap_err().downcast_ref(), Some(&"in the future"));
    assert_eq!(breaker.snapshot().failures_in_a_row, 1);
    // Also where the body panics before there is a future.
    let run = AssertUnwindSafe(|| poll_once(breaker.call(early)));
    assert!(catch_unwind(run).is_err());
    assert_eq!(breaker.state(), State::Open);
}

#[cfg(feature = "test-util")]
fn early() -> std::future::Ready<Result<(), io::Error>> {
    panic!("before the future")
}

fn poll_once<F: Future>(future: F) {
    let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

#[test]
fn futures_dropped_in_a_row_open_the_circuit() {
    let breaker = breaker(3);
    for _ in 0..3 {
        poll_once(breaker.call(pending::<io::Result<()>>));
    }
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_future_that_is_never_polled_enters_nothing() {
    let breaker = breaker(1);
    drop(breaker.call(pending::<io::Result<()>>));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn errors_that_are_no_failures_are_neutral() {
    let breaker = breaker(1);
    let missing = || Err::<(), io::Error>(io::ErrorKind::NotFound.into());
    let is_failure = super::super::is_transient;
    assert!(breaker.call_blocking_if(missing, is_failure).is_err());
    assert_eq!(breaker.state(), State::Closed);
    let down = || Err::<(), _>(refused());
    assert!(breaker.call_blocking_if(down, is_failure).is_err());
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_value_may_be_a_failure() {
    let breaker = breaker(1);
    let answered = breaker.call_blocking_if(|| Ok::<_, io::Error>(503), |r| matches!(r, Ok(503)));
    assert_eq!(answered.unwrap(), 503);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_judge_that_panics_does_not_reach_the_caller() {
    let breaker = breaker(1);
    let judged = breaker.call_blocking_if(|| Ok::<_, io::Error>(1), |_| panic!("judge"));
    assert_eq!(judged.unwrap(), 1);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_guard_says_what_the_call_came_to() {
    let breaker = breaker(2);
    breaker.enter().unwrap().failure();
    breaker.enter().unwrap().neutral();
    assert_eq!(breaker.snapshot().failures_in_a_row, 1);
    breaker.enter().unwrap().success();
    assert_eq!(breaker.snapshot().failures_in_a_row, 0);
    for _ in 0..2 {
        is_send(breaker.enter().unwrap()).failure();
    }
    assert!(matches!(
        breaker.enter(),
        Err(Rejected::CircuitOpen { name: "driver", .. })
    ));
}

#[test]
fn force_open_force_close_and_reset() {
    let breaker = breaker(1);
    breaker.force_open();
    assert_eq!(
        (breaker.state(), breaker.retry_after()),
        (State::Open, None)
    );
    breaker.force_close();
    assert!(breaker.enter().is_ok());
    breaker.reset();
    assert!(!breaker.snapshot().forced);
    assert_eq!(breaker.state().to_string(), "closed");
}
