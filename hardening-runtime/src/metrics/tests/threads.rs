//! Nothing is lost, whichever threads call, and however they come and go.

use super::*;
use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
};

const THREADS: usize = 16;
const CALLS: u64 = 5_000;

fn work(metrics: &SiteMetrics, thread: usize) {
    let outcomes = OUTCOMES.into_iter().cycle().skip(thread);
    let kinds = outcomes.zip(EVENTS.into_iter().cycle());
    for (turn, (outcome, event)) in (0..CALLS).zip(kinds) {
        metrics.begin();
        metrics.count(event);
        metrics.record(outcome, Duration::from_nanos(turn), 2);
    }
}

fn events(figures: &SiteFigures) -> u64 {
    let rejected = &figures.rejected_by;
    let layers = rejected.rate_limit + rejected.circuit_breaker;
    let caches = figures.cache_hits + figures.cache_misses;
    let of_misses = figures.cache_stale + figures.cache_coalesced;
    let rest = figures.retries + figures.fallbacks;
    let would_have = &figures.would_have;
    let observed = would_have.rate_limited + would_have.waited + would_have.circuit_open;
    layers + rejected.bulkhead + rejected.timeout + caches + of_misses + rest + observed
}

fn assert_whole(figures: &SiteFigures, threads: u64) {
    assert_eq!(figures.calls(), threads * CALLS);
    assert_eq!(figures.durations.count(), threads * CALLS);
    assert_eq!(figures.attempts, 2 * threads * CALLS);
    assert_eq!(events(figures), threads * CALLS);
    let sum = threads * (CALLS * (CALLS - 1) / 2);
    assert_eq!(figures.durations.sum(), Duration::from_nanos(sum));
    assert_eq!(figures.latency.max, Duration::from_nanos(CALLS - 1));
    assert_eq!(figures.in_flight, 0);
}

#[test]
fn threads_that_call_at_the_same_time_lose_nothing() {
    let (metrics, start) = (SiteMetrics::new(), Barrier::new(THREADS));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (metrics, start) = (&metrics, &start);
            scope.spawn(move || {
                start.wait();
                work(metrics, thread);
            });
        }
    });
    assert_whole(&metrics.snapshot(), THREADS as u64);
    assert!(metrics.shards().count() <= SHARDS);
}

#[test]
fn threads_that_come_and_go_hand_their_seats_on_and_lose_nothing() {
    let metrics = SiteMetrics::new();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for thread in 0..10 {
                    thread::scope(|scope| {
                        scope.spawn(|| work(&metrics, thread));
                    });
                }
            });
        }
    });
    assert_whole(&metrics.snapshot(), 40);
}

#[test]
fn a_call_may_end_on_another_thread_than_it_began() {
    let metrics = SiteMetrics::new();
    metrics.begin();
    thread::scope(|scope| {
        scope.spawn(|| metrics.record(Outcome::Success, ms(1), 1));
    });
    let figures = metrics.snapshot();
    assert_eq!((figures.in_flight, figures.calls()), (0, 1));
}

#[test]
fn a_call_while_its_thread_ends_is_counted() {
    struct CallsAtTheEnd;
    static METRICS: SiteMetrics = SiteMetrics::new();
    impl Drop for CallsAtTheEnd {
        fn drop(&mut self) {
            call(&METRICS, Outcome::Success, ms(1));
        }
    }
    thread_local!(static EARLY: CallsAtTheEnd = const { CallsAtTheEnd });
    thread_local!(static LATE: CallsAtTheEnd = const { CallsAtTheEnd });
    // One is set up before the thread sits down and one after it, so that one outlives its seat.
    let thread = thread::spawn(|| {
        EARLY.with(|_| call(&METRICS, Outcome::Success, ms(1)));
        LATE.with(|_| ());
    });
    thread.join().unwrap();
    assert_eq!(METRICS.snapshot().calls(), 3);
}

#[test]
fn a_snapshot_under_load_is_sound_and_never_goes_back() {
    let (metrics, done) = (SiteMetrics::new(), AtomicBool::new(false));
    thread::scope(|scope| {
        let (metrics, done) = (&metrics, &done);
        for _ in 0..2 {
            scope.spawn(move || {
                while !done.load(Relaxed) {
                    call(metrics, Outcome::Error, ms(3));
                }
            });
        }
        let mut before = metrics.snapshot();
        for _ in 0..2_000 {
            let now = metrics.snapshot();
            assert!(now.durations.count() >= now.calls() && now.attempts >= now.calls());
            assert!(now.error >= before.error && now.attempts >= before.attempts);
            assert!(now.durations.count() >= before.durations.count());
            before = now;
        }
        done.store(true, Relaxed);
    });
    assert_eq!(metrics.snapshot().in_flight, 0);
}

#[test]
fn a_reset_under_load_loses_no_later_call() {
    let metrics = SiteMetrics::new();
    thread::scope(|scope| {
        scope.spawn(|| work(&metrics, 0));
        scope.spawn(|| {
            for _ in 0..100 {
                metrics.reset();
            }
        });
    });
    metrics.reset();
    work(&metrics, 0);
    assert_whole(&metrics.snapshot(), 1);
}
