//! What must hold however threads interleave, checked by loom.

use super::{
    BreakerState, Signal,
    change::Change,
    rules::Reason,
    word::{Phase, Probes},
};
use crate::{clock::Moment, config::CircuitBreakerPolicy as Policy};
use loom::{sync::Arc, thread};
use std::time::Duration;

fn at(secs: u64) -> Moment {
    Moment::from_nanos(1 << 55).plus(Duration::from_secs(secs))
}

fn policy(failure_threshold: u32) -> Policy {
    Policy {
        failure_threshold,
        ..Policy::default()
    }
}

/// A circuit that opened at 0 s and, at 60 s, admits probes.
fn opened(policy: &Policy) -> BreakerState {
    let state = BreakerState::new("model");
    for _ in 0..policy.failure_threshold {
        let (ticket, _) = state.try_enter(policy, at(0)).unwrap();
        state.try_settle(ticket, policy, Signal::Failure, at(0));
    }
    state
}

/// Checks all interleavings in which threads are interrupted up to three times in all.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// Runs `body` in this thread and in others, and returns what each came to.
fn in_threads<R: 'static>(count: u64, body: impl Fn(u64) -> R + 'static) -> Vec<R> {
    let body = Arc::new(body);
    let threads: Vec<_> = (1..count)
        .map(|i| {
            let body = Arc::clone(&body);
            thread::spawn(move || body(i))
        })
        .collect();
    let mut all = vec![body(0)];
    all.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
    all
}

#[test]
fn failures_together_open_the_circuit_once() {
    check(|| {
        let state = Arc::new(BreakerState::new("model"));
        let shared = Arc::clone(&state);
        let changes = in_threads(3, move |_| {
            let policy = policy(2);
            let (ticket, _) = shared.try_enter(&policy, at(0)).ok()?;
            shared.try_settle(ticket, &policy, Signal::Failure, at(0))
        });
        let opened = changes.iter().flatten().count();
        assert_eq!(opened, 1);
        let figures = state.figures(&policy(2), at(1));
        assert_eq!(figures.opened, 1);
        assert_eq!(figures.retry_after, Some(Duration::from_secs(59)));
    });
}

#[test]
fn half_open_never_admits_more_than_its_places() {
    for places in 1..3 {
        check(move || {
            let policy = Policy {
                half_open_calls: places,
                ..policy(1)
            };
            let state = Arc::new(opened(&policy));
            let shared = Arc::clone(&state);
            let admitted = in_threads(3, move |_| shared.try_enter(&policy, at(60)).ok());
            let half_opened = |change: &Option<Change>| *change == Some(Change::HalfOpened);
            let admitted: Vec<_> = admitted.into_iter().flatten().collect();
            assert_eq!(admitted.len(), places as usize);
            assert_eq!(
                admitted
                    .iter()
                    .filter(|(_, change)| half_opened(change))
                    .count(),
                1
            );
        });
    }
}

#[test]
fn places_that_are_given_anew_are_given_once() {
    check(|| {
        let state = Arc::new(opened(&policy(1)));
        let (hung, _) = state.try_enter(&policy(1), at(60)).unwrap();
        let shared = Arc::clone(&state);
        let admitted = in_threads(3, move |i| {
            if i == 0 {
                // The hung probe comes back at this very moment.
                shared.try_settle(hung, &policy(1), Signal::Neutral, at(120));
                None
            } else {
                shared.try_enter(&policy(1), at(120)).ok()
            }
        });
        assert_eq!(admitted.into_iter().flatten().count(), 1);
        let phase = state.figures(&policy(1), at(120)).phase;
        assert!(
            matches!(phase, Phase::HalfOpen(Probes { in_flight: 1, .. })),
            "there is one place, whoever has it"
        );
    });
}

#[test]
fn a_late_result_changes_nothing() {
    check(|| {
        let policy = policy(1);
        let state = BreakerState::new("model");
        let (late, _) = state.try_enter(&policy, at(0)).unwrap();
        let (ticket, _) = state.try_enter(&policy, at(0)).unwrap();
        state.try_settle(ticket, &policy, Signal::Failure, at(0));
        let state = Arc::new(state);
        let shared = Arc::clone(&state);
        let other = thread::spawn(move || {
            shared.try_settle(late, &self::policy(1), Signal::Failure, at(60))
        });
        let (probe, _) = state.try_enter(&policy, at(60)).unwrap();
        let change = state.try_settle(probe, &policy, Signal::Success, at(60));
        assert_eq!(change, Some(Change::Closed));
        assert_eq!(other.join().unwrap(), None);
        assert!(state.try_enter(&policy, at(60)).is_ok());
    });
}

#[test]
fn a_dropped_probe_gives_its_place_back_once() {
    check(|| {
        let state = Arc::new(opened(&policy(9)));
        let shared = Arc::clone(&state);
        in_threads(3, move |_| {
            if let Ok((probe, _)) = shared.try_enter(&policy(9), at(60)) {
                shared.try_settle(probe, &policy(9), Signal::Dropped, at(60));
            }
        });
        let again = state.try_enter(&policy(9), at(60));
        assert!(again.is_ok());
        assert!(state.try_enter(&policy(9), at(60)).is_err());
    });
}

#[test]
fn a_failed_and_a_successful_probe_decide_once() {
    check(|| {
        let policy = Policy {
            half_open_calls: 2,
            ..policy(1)
        };
        let state = Arc::new(opened(&policy));
        let (first, _) = state.try_enter(&policy, at(60)).unwrap();
        let (second, _) = state.try_enter(&policy, at(60)).unwrap();
        let (shared, settings) = (Arc::clone(&state), policy.clone());
        let other =
            thread::spawn(move || shared.try_settle(first, &settings, Signal::Failure, at(60)));
        let closed = state.try_settle(second, &policy, Signal::Success, at(60));
        let opened = other.join().unwrap();
        assert_ne!(opened.is_some(), closed.is_some());
        assert_eq!(
            state.try_enter(&policy, at(61)).is_ok(),
            closed == Some(Change::Closed)
        );
    });
}

#[test]
fn no_result_is_lost_by_either_window() {
    for window_calls in [None, Some(8)] {
        check(move || {
            let policy = Policy {
                failure_rate: Some(1.0),
                minimum_calls: 2,
                window_calls,
                ..policy(u32::MAX)
            };
            let state = Arc::new(BreakerState::new("model"));
            let (shared, settings) = (Arc::clone(&state), policy.clone());
            let changes = in_threads(2, move |_| {
                let (ticket, _) = shared.try_enter(&settings, at(0)).ok()?;
                shared.try_settle(ticket, &settings, Signal::Failure, at(0))
            });
            let opened = changes.into_iter().flatten().collect::<Vec<_>>();
            assert!(matches!(
                opened[..],
                [Change::Opened { reason: Reason::FailureRate(counts), .. }] if counts.failures == 2
            ));
        });
    }
}
