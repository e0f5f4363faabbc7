//! Bugs that shipped in other libraries, one test each.

use super::*;
use Signal::{Dropped, Failure, Neutral, Success};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[test]
fn of_fifty_callers_at_half_open_one_is_admitted() {
    let mut bench = bench(Policy::default());
    bench.open_and_wait();
    let admitted: Vec<_> = (0..50).filter_map(|_| bench.enter().ok()).collect();
    assert_eq!(admitted.len(), 1);
}

#[test]
fn of_fifty_threads_at_half_open_as_many_as_set_are_admitted() {
    for half_open_calls in [1, 3] {
        let mut bench = bench(Policy {
            half_open_calls,
            ..Policy::default()
        });
        bench.open_and_wait();
        let (bench, admitted) = (&bench, &AtomicUsize::new(0));
        let barrier = &std::sync::Barrier::new(50);
        std::thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(move || {
                    barrier.wait();
                    let probe = bench.enter();
                    admitted.fetch_add(usize::from(probe.is_ok()), Relaxed);
                    barrier.wait();
                });
            }
        });
        assert_eq!(admitted.load(Relaxed), half_open_calls as usize);
    }
}

#[test]
fn a_dropped_probe_gives_its_place_back() {
    let mut bench = bench(Policy::default());
    bench.open_and_wait();
    for _ in 0..3 {
        drop(bench.admitted());
        assert_eq!(bench.state(), State::HalfOpen);
    }
    bench.call(Success);
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn a_probe_rejected_further_in_gives_its_place_back_and_decides_nothing() {
    let mut bench = bench(Policy::default());
    bench.open_and_wait();
    bench.calls(100, Neutral);
    assert_eq!(bench.state(), State::HalfOpen);
    bench.call(Failure);
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn ignored_errors_do_not_close_a_half_open_circuit() {
    let mut bench = bench(Policy::default());
    bench.open_and_wait();
    bench.call(Neutral);
    assert_eq!(bench.state(), State::HalfOpen);
}

#[test]
fn a_panicking_probe_opens_the_circuit_again() {
    let breaker = CircuitBreaker::new(Policy {
        failure_threshold: 1,
        open_for: Duration::ZERO,
        ..Policy::default()
    });
    breaker.enter().unwrap().failure();
    let probe = breaker.enter().unwrap();
    assert_eq!(breaker.state(), State::HalfOpen);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _probe = probe;
        panic!("in the body");
    }));
    assert!(caught.is_err());
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_probe_that_never_returns_does_not_hold_the_circuit_for_ever() {
    let mut bench = bench(Policy::default());
    bench.open_and_wait();
    let state = &bench.state;
    let (hung, _) = state.try_enter(&bench.policy, bench.now).unwrap();
    bench.now = bench.now.plus(secs(59));
    assert_eq!(bench.rejected(), Some(secs(1)));
    bench.now = bench.now.plus(secs(1));
    let probe = bench.admitted();
    assert_eq!(
        bench.rejected(),
        Some(secs(1)),
        "there is still one place only"
    );
    // The hung probe fails after all: too late to count, and it gives back no place.
    let change = bench
        .state
        .try_settle(hung, &bench.policy, Failure, bench.now);
    assert_eq!((change, bench.state()), (None, State::HalfOpen));
    bench.rejected();
    bench.settle(probe, Success);
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn late_results_change_nothing() {
    let mut bench = bench(Policy::default());
    let enter = |bench: &Bench| bench.state.try_enter(&bench.policy, bench.now).unwrap().0;
    let early: Vec<_> = (0..20).map(|_| enter(&bench)).collect();
    let settle = |bench: &Bench, ticket, signal| {
        bench
            .state
            .try_settle(ticket, &bench.policy, signal, bench.now)
    };
    bench.open_and_wait();
    assert_eq!(settle(&bench, early[0], Success), None);
    assert_eq!(bench.state(), State::Open);
    let probe = enter(&bench);
    assert_eq!(settle(&bench, early[1], Success), None);
    assert_eq!(settle(&bench, early[2], Failure), None);
    assert_eq!(bench.state(), State::HalfOpen);
    assert!(settle(&bench, probe, Success).is_some());
    for late in &early[3..] {
        assert_eq!(settle(&bench, *late, Failure), None);
    }
    assert_eq!(bench.state(), State::Closed);
    // Nor do they stand in the way of those that count.
    bench.calls(4, Failure);
    assert_eq!(settle(&bench, probe, Success), None);
    bench.call(Failure);
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn late_results_are_not_kept_for_the_rates() {
    for window_calls in [None, Some(20)] {
        let bench = bench(Policy {
            failure_threshold: u32::MAX,
            failure_rate: Some(0.5),
            window_calls,
            ..Policy::default()
        });
        let early: Vec<_> = (0..50).map(|_| bench.admitted()).collect();
        bench.state.reset(bench.now);
        bench.call(Success);
        for late in early {
            bench.settle(late, Failure);
        }
        let window = bench.state.snapshot(&bench.policy).window.unwrap();
        assert_eq!((window.calls, window.failures), (1, 0));
    }
}

#[test]
fn after_a_thousand_successes_the_count_window_slides_to_the_failures() {
    let bench = bench(Policy {
        failure_threshold: u32::MAX,
        failure_rate: Some(0.5),
        window_calls: Some(20),
        ..Policy::default()
    });
    bench.calls(1000, Success);
    bench.calls(9, Failure);
    assert_eq!(bench.state(), State::Closed);
    bench.call(Failure);
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn a_dependency_that_only_hangs_until_its_callers_go_away_opens_the_circuit() {
    let bench = bench(Policy::default());
    for _ in 0..4 {
        drop(bench.admitted());
    }
    assert_eq!(bench.state(), State::Closed);
    drop(bench.admitted());
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn callers_that_go_away_among_others_are_neutral() {
    for between in [Success, Neutral, Failure] {
        let bench = bench(Policy {
            failure_threshold: 50,
            ..Policy::default()
        });
        for _ in 0..20 {
            bench.calls(49, Dropped);
            bench.call(between);
        }
        assert_eq!(bench.state(), State::Closed);
    }
}

#[test]
fn a_dependency_that_hangs_its_probes_too_opens_the_circuit_again() {
    let mut bench = bench(Policy::default());
    bench.open_and_wait();
    bench.calls(4, Dropped);
    assert_eq!(bench.state(), State::HalfOpen);
    bench.call(Dropped);
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn one_drop_alone_is_neutral_however_low_the_threshold() {
    let mut bench = bench(Policy {
        failure_threshold: 1,
        ..Policy::default()
    });
    for _ in 0..3 {
        bench.call(Dropped);
        bench.call(Success);
    }
    assert_eq!(bench.state(), State::Closed);
    bench.calls(2, Dropped);
    assert_eq!(bench.state(), State::Open, "what only hangs is noticed");
    bench.now = bench.now.plus(secs(60));
    bench.call(Dropped);
    assert_eq!(bench.state(), State::HalfOpen, "its place is given back");
    bench.call(Dropped);
    assert_eq!(bench.state(), State::Open);
    bench.now = bench.now.plus(secs(60));
    bench.call(Dropped);
    bench.call(Success);
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn a_call_dropped_at_its_deadline_failed() {
    let bench = bench(Policy {
        failure_threshold: 1,
        ..Policy::default()
    });
    let far = bench.now.plus(secs(3600));
    drop(bench.admitted().with_deadline(Some(far)));
    bench.state.reset(bench.now);
    let failing = Prepared::new(Policy {
        failure_threshold: 2,
        ..Policy::default()
    });
    for deadline in [bench.now, bench.now] {
        let admitted = bench.state.enter(&failing, || bench.now).unwrap();
        drop(admitted.with_deadline(Some(deadline)));
        // A neutral result between them breaks a row of drops, but not one of failures.
        if let Ok(admitted) = bench.state.enter(&failing, || bench.now) {
            bench.settle(admitted, Neutral);
        }
    }
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn reading_changes_nothing() {
    let mut bench = bench(Policy::default());
    bench.open_and_wait();
    let snapshot = bench.state.snapshot(&bench.policy);
    for _ in 0..10 {
        assert_eq!(bench.state(), State::Open);
        assert_eq!(
            bench.state.retry_after(&bench.policy, bench.now),
            Some(Duration::ZERO)
        );
        let again = bench.state.snapshot(&bench.policy);
        assert_eq!(
            (again.state, again.probes),
            (snapshot.state, snapshot.probes)
        );
    }
    bench.call(Success);
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn a_panic_poisons_nothing() {
    let breaker = CircuitBreaker::new(Policy {
        failure_rate: Some(0.9),
        ..Policy::default()
    });
    for _ in 0..4 {
        let run = || breaker.call_blocking::<(), std::io::Error>(|| panic!("in the body"));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    }
    assert_eq!(breaker.snapshot().failures_in_a_row, 4);
    assert!(breaker.call_blocking(|| Ok::<_, std::io::Error>(1)).is_ok());
}
