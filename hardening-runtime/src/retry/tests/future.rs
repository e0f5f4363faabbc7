//! The future itself, polled by hand.

use super::*;
use std::{
    cell::Cell,
    future::{pending, ready},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Outside of any runtime, setting a timer would panic. Most libraries wait for a millisecond here.
#[test]
fn a_delay_of_zero_sets_no_timer() {
    let runs = Cell::new(0);
    let call = pin!(retry(at_once(3), || {
        runs.set(runs.get() + 1);
        ready(if runs.get() < 3 { TRANSIENT } else { Ok(()) })
    }));
    assert_eq!(poll_once(call), Poll::Ready(Ok(())));
    assert_eq!(runs.get(), 3);
}

#[test]
fn nothing_runs_before_the_first_poll() {
    let mut runs = 0;
    drop(retry(at_once(3), || {
        runs += 1;
        ready(TRANSIENT)
    }));
    assert_eq!(runs, 0);
}

#[test]
fn an_attempt_that_is_pending_is_polled_on_and_not_begun_again() {
    let mut runs = 0;
    let mut call = Box::pin(retry(at_once(3), || {
        runs += 1;
        pending::<Result<(), Error>>()
    }));
    for _ in 0..3 {
        assert!(poll_once(call.as_mut()).is_pending());
    }
    drop(call);
    assert_eq!(runs, 1);
}

#[test]
#[should_panic(expected = "polled after it has ended")]
fn a_call_that_has_ended_runs_nothing_again() {
    let mut call = pin!(retry(at_once(3), || ready(PERMANENT)));
    assert_eq!(poll_once(call.as_mut()), Poll::Ready(PERMANENT));
    let _ = poll_once(call);
}

/// What must be `Send` for `tokio::spawn` to take it.
#[allow(dead_code)]
fn a_call_is_send_when_its_body_is(retry: &'static Retry, text: String) {
    fn is_send<T: Send>(_: T) {}
    is_send(retry.call(|| async { PERMANENT }));
    is_send(super::retry(policy(3), move || {
        let text = text.clone();
        async move {
            tokio::task::yield_now().await;
            drop(text);
            PERMANENT
        }
    }));
}

#[test]
fn the_future_is_an_attempt_or_a_wait_and_little_else() {
    let body = || async {
        let large = [0_u8; 1024];
        pending::<()>().await;
        std::hint::black_box(large);
        PERMANENT
    };
    let attempt = size_of_val(&body());
    let policy = policy(3);
    let call = size_of_val(&retry(&policy, body));
    println!("attempt {attempt}, call {call}");
    assert!(call <= attempt + 192, "{call}");
}
