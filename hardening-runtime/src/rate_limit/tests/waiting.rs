//! Waiting: in order, in time, and without a trace when the caller goes away.

use super::super::wait::{Place, Step};
use super::{admits, at, burst, decide, secs};
use crate::{
    clock::Moment,
    config::RateLimitPolicy,
    rate_limit::{Admission, LimiterState, Prepared},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Wake, Waker},
    time::Duration,
};

/// One call a second, for each key.
fn one_per_second() -> Prepared {
    with_patience(10)
}

fn with_patience(seconds: u64) -> Prepared {
    Prepared::new(RateLimitPolicy::per_key(1, secs(1)).waiting(secs(seconds)))
}

fn queue<'a>(state: &'a LimiterState, policy: &'a Prepared, key: u64, now: Moment) -> Place<'a> {
    match decide(state, policy, key, now) {
        Ok(Admission::Wait(place)) => place,
        other => panic!("{other:?}"),
    }
}

fn step(place: &mut Place<'_>, now: Moment) -> Step {
    place.step(now, Waker::noop())
}

fn runs(place: &mut Place<'_>, now: Moment) -> bool {
    matches!(step(place, now), Step::Done(Ok(())))
}

fn waits_until(place: &mut Place<'_>, now: Moment) -> Moment {
    match step(place, now) {
        Step::Until(moment) => moment,
        Step::Done(result) => panic!("{result:?}"),
    }
}

#[test]
fn callers_run_in_the_order_in_which_they_came() {
    let (policy, state) = (one_per_second(), LimiterState::new("ai"));
    assert!(admits(&state, &policy, 1, at(secs(0))));
    let (mut first, mut second) = (
        queue(&state, &policy, 1, at(secs(0))),
        queue(&state, &policy, 1, at(secs(0))),
    );
    assert_eq!(waits_until(&mut first, at(secs(0))), at(secs(1)));
    assert_eq!(waits_until(&mut second, at(secs(0))), at(secs(2)));
    assert!(!runs(&mut second, at(secs(1))), "not before the first");
    assert!(!admits(&state, &policy, 1, at(secs(1))), "nobody overtakes");
    assert!(runs(&mut first, at(secs(1))));
    drop(first);
    assert!(!runs(&mut second, at(secs(1))));
    assert!(runs(&mut second, at(secs(2))));
    drop(second);
    assert_eq!(state.waiting(), 0);
    assert!(admits(&state, &policy, 1, at(secs(3))));
}

#[test]
fn a_wait_that_would_be_too_long_does_not_begin() {
    let (policy, state) = (with_patience(2), LimiterState::new("ai"));
    assert!(admits(&state, &policy, 1, at(secs(0))));
    let _line = [
        queue(&state, &policy, 1, at(secs(0))),
        queue(&state, &policy, 1, at(secs(0))),
    ];
    let rejected = decide(&state, &policy, 1, at(secs(0))).unwrap_err();
    assert_eq!(
        rejected.retry_after(),
        Some(secs(3)),
        "behind those who wait"
    );
    let hurried = |deadline| state.admit(&policy, 2, 1, at(secs(0)), Some(at(secs(deadline))));
    assert!(matches!(hurried(1), Ok(Admission::Now)));
    assert!(hurried(0).is_err());
    assert!(matches!(hurried(1), Ok(Admission::Wait(_))), "just in time");
}

#[test]
fn a_call_that_timed_out_in_line_never_runs_and_one_that_wakes_a_little_late_does() {
    let (policy, state) = (one_per_second(), LimiterState::new("ai"));
    for (second, runs_then) in [(10.02, true), (14.0, false)] {
        let now = at(Duration::from_secs_f64(second));
        state.reset_all();
        assert!(admits(&state, &policy, 1, at(secs(0))));
        let mut place = queue(&state, &policy, 1, at(secs(0)));
        assert_eq!(waits_until(&mut place, at(secs(0))), at(secs(1)));
        // It looks again only after `max_wait`.
        assert_eq!(runs(&mut place, now), runs_then, "{second}");
        drop(place);
        assert_eq!(admits(&state, &policy, 1, now), !runs_then, "{second}");
    }
}

#[test]
fn a_caller_that_goes_away_takes_nothing_and_those_behind_move_up() {
    let (policy, state) = (one_per_second(), LimiterState::new("ai"));
    assert!(admits(&state, &policy, 1, at(secs(0))));
    let first = queue(&state, &policy, 1, at(secs(0)));
    let mut second = queue(&state, &policy, 1, at(secs(0)));
    let mut third = queue(&state, &policy, 1, at(secs(0)));
    drop(first);
    assert!(runs(&mut second, at(secs(1))), "in the place of the first");
    drop(second);
    let mut fourth = queue(&state, &policy, 1, at(secs(1)));
    assert!(!runs(&mut fourth, at(secs(2))));
    assert!(runs(&mut third, at(secs(2))));
    drop(third);
    assert!(!runs(&mut fourth, at(secs(2))), "never two in one second");
    assert!(runs(&mut fourth, at(secs(3))));
}

#[test]
fn callers_that_all_go_away_leave_the_bucket_as_if_they_had_never_come() {
    let (policy, state) = (
        Prepared::new(RateLimitPolicy::per_key(5, secs(5)).waiting(secs(10))),
        LimiterState::new("ai"),
    );
    assert_eq!(burst(&state, &policy, 1, at(secs(0))), 5);
    let line: Vec<_> = (0..10)
        .map(|_| queue(&state, &policy, 1, at(secs(0))))
        .collect();
    assert_eq!(state.waiting(), 10);
    drop(line);
    assert_eq!(state.waiting(), 0);
    assert_eq!(burst(&state, &policy, 1, at(secs(2))), 2);
}

#[test]
fn keys_wait_apart_and_in_order_for_what_they_share() {
    let policy = Prepared::new(
        RateLimitPolicy::per_key(1, secs(10))
            .and(RateLimitPolicy::global(1, secs(1)))
            .waiting(secs(30)),
    );
    let state = LimiterState::new("ai");
    assert!(admits(&state, &policy, 1, at(secs(0))));
    // Key 1 waits for its own bucket, and keys 2 and 3 pass it.
    let mut first = queue(&state, &policy, 1, at(secs(0)));
    let (mut second, mut third) = (
        queue(&state, &policy, 2, at(secs(0))),
        queue(&state, &policy, 3, at(secs(0))),
    );
    assert_eq!(waits_until(&mut first, at(secs(0))), at(secs(10)));
    assert_eq!(waits_until(&mut second, at(secs(0))), at(secs(1)));
    waits_until(&mut third, at(secs(0)));
    assert!(!runs(&mut third, at(secs(1))), "the second is first");
    assert!(runs(&mut second, at(secs(1))));
    drop(second);
    assert!(!runs(&mut third, at(secs(1))));
    assert!(runs(&mut third, at(secs(2))));
    drop(third);
    assert!(runs(&mut first, at(secs(10))));
}

#[test]
fn nothing_is_taken_while_waiting() {
    let policy = Prepared::new(
        RateLimitPolicy::per_key(1, secs(10))
            .and(RateLimitPolicy::global(3, secs(30)))
            .waiting(secs(30)),
    );
    let state = LimiterState::new("ai");
    assert!(admits(&state, &policy, 1, at(secs(0))));
    let _waiting = queue(&state, &policy, 1, at(secs(0)));
    assert!(admits(&state, &policy, 2, at(secs(0))));
    assert!(admits(&state, &policy, 3, at(secs(0))));
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn one_departure_wakes_one_caller() {
    let (policy, state) = (one_per_second(), LimiterState::new("ai"));
    assert!(admits(&state, &policy, 1, at(secs(0))));
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&count));
    let mut line: Vec<_> = (0..9)
        .map(|_| queue(&state, &policy, 1, at(secs(0))))
        .collect();
    for place in &mut line {
        place.step(at(secs(0)), &waker);
    }
    drop(line.remove(0));
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    drop(line.remove(4));
    assert_eq!(
        count.0.load(Ordering::Relaxed),
        1,
        "those behind it need not know"
    );
}

#[test]
fn a_reset_tells_the_first_in_line() {
    let (policy, state) = (one_per_second(), LimiterState::new("ai"));
    assert!(admits(&state, &policy, 1, at(secs(0))));
    let mut place = queue(&state, &policy, 1, at(secs(0)));
    let count = Arc::new(Count(AtomicUsize::new(0)));
    place.step(at(secs(0)), &Waker::from(Arc::clone(&count)));
    state.reset(1);
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert!(runs(&mut place, at(secs(0))));
}

#[cfg(feature = "test-util")]
mod on_the_paused_clock {
    use super::{RateLimitPolicy, secs};
    use crate::{clock, rate_limit::RateLimiter};
    use std::{sync::Arc, time::Duration};
    use tokio::sync::Mutex;

    fn limiter(policy: RateLimitPolicy) -> Arc<RateLimiter> {
        Arc::new(RateLimiter::new(policy))
    }

    #[tokio::test(start_paused = true)]
    async fn tasks_run_in_order_and_evenly_spaced() {
        let policy = RateLimitPolicy::per_key(1, Duration::from_millis(100)).waiting(secs(60));
        let (limiter, start) = (limiter(policy), clock::now());
        let ran = Arc::new(Mutex::new(Vec::new()));
        let tasks = (0..20u64).map(|number| {
            let (limiter, ran) = (Arc::clone(&limiter), Arc::clone(&ran));
            tokio::spawn(async move {
                limiter.acquire("ann").await.unwrap();
                ran.lock()
                    .await
                    .push((number, clock::now().since(start).as_millis()));
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let expected: Vec<_> = (0..20).map(|n| (n, u128::from(n) * 100)).collect();
        assert_eq!(*ran.lock().await, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_future_leaves_the_line() {
        let policy = RateLimitPolicy::per_key(1, secs(1)).waiting(secs(60));
        let (limiter, start) = (limiter(policy), clock::now());
        limiter.acquire("ann").await.unwrap();
        let aborted: Vec<_> = (0..50)
            .map(|_| {
                let limiter = Arc::clone(&limiter);
                tokio::spawn(async move { limiter.acquire("ann").await })
            })
            .collect();
        tokio::task::yield_now().await;
        aborted.iter().for_each(tokio::task::JoinHandle::abort);
        limiter.acquire("ann").await.unwrap();
        assert_eq!(clock::now().since(start), secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_callers_deadline_bounds_the_wait() {
        let policy = RateLimitPolicy::per_key(1, secs(5)).waiting(secs(60));
        let limiter = limiter(policy);
        limiter.acquire("ann").await.unwrap();
        let context = crate::context::Context {
            attempt: 1,
            deadline: Some(clock::now().plus(secs(4))),
            ..crate::context::current()
        };
        let mut waiting = Box::pin(limiter.acquire("ann"));
        let polled = crate::context::within(context, || {
            let cx = &mut std::task::Context::from_waker(std::task::Waker::noop());
            waiting.as_mut().poll(cx)
        });
        assert!(matches!(polled, std::task::Poll::Ready(Err(_))), "at once");
    }

    #[tokio::test(start_paused = true)]
    async fn a_blocking_caller_waits_its_turn_and_moves_the_clock() {
        let policy = RateLimitPolicy::per_key(1, secs(30)).waiting(secs(60));
        let (limiter, start) = (limiter(policy), clock::now());
        for _ in 0..3 {
            limiter.acquire_blocking("ann").unwrap();
        }
        assert_eq!(clock::now().since(start), secs(60));
        assert!(limiter.check("ann").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn blocking_and_async_callers_stand_in_one_line() {
        let policy = RateLimitPolicy::per_key(1, secs(1)).waiting(secs(60));
        let limiter = limiter(policy);
        limiter.acquire("ann").await.unwrap();
        let waiting = tokio::spawn({
            let limiter = Arc::clone(&limiter);
            async move { limiter.acquire("ann").await }
        });
        tokio::task::yield_now().await;
        assert!(limiter.check("ann").is_err());
        tokio::time::advance(secs(1)).await;
        assert!(limiter.check("ann").is_err(), "check does not overtake");
        waiting.await.unwrap().unwrap();
    }
}
