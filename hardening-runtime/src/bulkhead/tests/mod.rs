//! One test for each rule of the bulkhead.

mod lists;
#[cfg(feature = "test-util")]
mod paused;
mod threads;

use super::*;
use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

fn policy(max_concurrent: u32, max_queue: u32) -> BulkheadPolicy {
    BulkheadPolicy {
        max_concurrent,
        max_queue,
        max_wait: SECOND * 5,
    }
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn full(name: &'static str) -> Rejected {
    Rejected::BulkheadFull { name }
}

#[test]
fn a_free_place_needs_no_queue_and_a_guard_gives_it_back_once() {
    let bulkhead = Bulkhead::new(policy(2, 0));
    let (one, two) = (bulkhead.try_enter(), bulkhead.try_enter());
    assert!(one.is_some() && two.is_some() && bulkhead.try_enter().is_none());
    drop(one);
    assert_eq!(bulkhead.snapshot().running, 1);
    drop(two);
    assert_eq!(bulkhead.snapshot().running, 0);
}

#[test]
fn a_queue_of_nobody_rejects_at_once() {
    let bulkhead = Bulkhead::named("strict", policy(1, 0));
    let _place = bulkhead.try_enter();
    assert_eq!(
        bulkhead.enter_blocking(Priority::Urgent).unwrap_err(),
        full("strict")
    );
    let entering = pin!(bulkhead.enter(Priority::Urgent));
    assert!(matches!(poll_once(entering), Poll::Ready(Err(_))));
    assert_eq!(bulkhead.snapshot().rejected, 2);
}

#[test]
fn a_wait_of_nothing_rejects_at_once() {
    let impatient = BulkheadPolicy {
        max_wait: Duration::ZERO,
        ..policy(1, 10)
    };
    let bulkhead = Bulkhead::named("impatient", impatient);
    let _place = bulkhead.try_enter();
    assert_eq!(
        bulkhead.enter_blocking(Priority::Normal).unwrap_err(),
        full("impatient")
    );
}

#[test]
fn a_panic_of_the_body_gives_its_place_back() {
    let bulkhead = Bulkhead::new(policy(1, 0));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        bulkhead.call_blocking(Priority::Normal, || -> Result<(), Rejected> {
            panic!("in the body")
        })
    }));
    assert!(panicked.is_err());
    assert!(bulkhead.try_enter().is_some());
}

#[test]
fn the_wait_is_small_to_carry() {
    let state = BulkheadState::new("size");
    let entering = state.enter(&policy(1, 1), Priority::Low, clock::now(), None);
    let size = size_of_val(&entering);
    assert!(size <= 112, "{size}");
}

#[allow(dead_code)]
fn everything_is_send(bulkhead: &'static Bulkhead) {
    fn is_send<T: Send>(_: T) {}
    is_send(bulkhead.enter(Priority::Normal));
    is_send(bulkhead.try_enter());
    is_send(bulkhead.call(Priority::Normal, || async { Ok::<(), Rejected>(()) }));
}
