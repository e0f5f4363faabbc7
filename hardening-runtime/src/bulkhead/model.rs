//! Every interleaving of a few threads, by loom.

use super::{BulkheadState, Place, Priority, state::Joined, wait::Waiter};
use hardening_config::BulkheadPolicy;
use loom::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};
use std::task::{Poll, Wake, Waker};

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}

fn waker() -> Waker {
    Waker::from(std::sync::Arc::new(Unpark(thread::current())))
}

fn policy(max_concurrent: u32) -> BulkheadPolicy {
    BulkheadPolicy {
        max_concurrent,
        ..BulkheadPolicy::default()
    }
}

fn state() -> Arc<BulkheadState> {
    Arc::new(BulkheadState::new("model"))
}

/// The way in without its timer: a place, or a wait.
fn join<'a>(
    state: &'a BulkheadState,
    max_concurrent: u32,
    waker: &Waker,
) -> Result<Place<'a>, Waiter<'a>> {
    if let Some(place) = state.try_enter(&policy(max_concurrent)) {
        return Ok(place);
    }
    match state.join(max_concurrent, 9, Priority::Normal, waker.clone()) {
        Joined::Entered => Ok(state.place()),
        Joined::Queued(ticket) => Err(Waiter::new(state, ticket)),
        Joined::Full => unreachable!("nine may wait"),
    }
}

/// Waits for ever: a lost wake-up is a deadlock, which loom reports. Only for spawned threads, as
/// loom's `join` takes a late wake-up of the main one for its own.
fn enter(state: &BulkheadState, max_concurrent: u32) -> Place<'_> {
    let waker = waker();
    let mut waiter = match join(state, max_concurrent, &waker) {
        Ok(place) => return place,
        Err(waiter) => waiter,
    };
    loop {
        match waiter.poll_place(&waker) {
            Poll::Ready(place) => return place,
            Poll::Pending => thread::park(),
        }
    }
}

fn assert_whole(state: &BulkheadState, max_concurrent: u32) {
    let policy = policy(max_concurrent);
    let snapshot = state.snapshot(&policy);
    assert_eq!((snapshot.running, snapshot.queued.total()), (0, 0));
    let places: Vec<_> = (0..max_concurrent)
        .map(|_| state.try_enter(&policy))
        .collect();
    assert!(places.iter().all(Option::is_some), "a place was lost");
}

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

#[test]
fn never_more_than_the_limit_run_and_everybody_gets_in() {
    check(|| {
        let (state, inside) = (state(), Arc::new(AtomicU32::new(0)));
        let held = state.try_enter(&policy(1)).unwrap();
        inside.fetch_add(1, Ordering::Relaxed);
        let visit = || {
            let (state, inside) = (state.clone(), inside.clone());
            thread::spawn(move || {
                let place = enter(&state, 1);
                assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                inside.fetch_sub(1, Ordering::Relaxed);
                drop(place);
            })
        };
        let others = [visit(), visit()];
        inside.fetch_sub(1, Ordering::Relaxed);
        drop(held);
        for other in others {
            other.join().unwrap();
        }
        assert_whole(&state, 1);
    });
}

#[test]
fn a_waiter_that_goes_away_during_a_hand_over_loses_no_place() {
    check(|| {
        let state = state();
        let held = state.try_enter(&policy(1)).unwrap();
        let leaving = {
            let state = state.clone();
            thread::spawn(move || drop(join(&state, 1, Waker::noop())))
        };
        let staying = {
            let state = state.clone();
            thread::spawn(move || drop(enter(&state, 1)))
        };
        drop(held);
        leaving.join().unwrap();
        staying.join().unwrap();
        assert_whole(&state, 1);
    });
}

#[test]
fn growing_while_a_call_leaves_admits_all_that_fit() {
    check(|| {
        let state = state();
        let held = state.try_enter(&policy(1)).unwrap();
        let wait = || join(&state, 1, Waker::noop()).unwrap_err();
        let mut waiting = [wait(), wait()];
        let growing = {
            let state = state.clone();
            thread::spawn(move || state.resize(2))
        };
        drop(held);
        growing.join().unwrap();
        let places = waiting
            .each_mut()
            .map(|waiter| waiter.poll_place(Waker::noop()));
        assert!(
            places.iter().all(Poll::is_ready),
            "a free place was not handed over"
        );
        drop(places);
        assert_whole(&state, 2);
    });
}

#[test]
fn all_who_wait_are_served_though_the_leavers_race() {
    check(|| {
        let state = state();
        let enter = || state.try_enter(&policy(2)).unwrap();
        let (held, other) = (enter(), enter());
        let wait = || join(&state, 2, Waker::noop()).unwrap_err();
        let mut waiting = [wait(), wait()];
        std::mem::forget(other);
        let leaving = {
            let state = state.clone();
            thread::spawn(move || drop(state.place()))
        };
        drop(held);
        leaving.join().unwrap();
        let places = waiting
            .each_mut()
            .map(|waiter| waiter.poll_place(Waker::noop()));
        assert!(places.iter().all(Poll::is_ready), "a place was lost");
        drop(places);
        assert_whole(&state, 2);
    });
}
