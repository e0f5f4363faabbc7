//! What opens a circuit, for how long, and what closes it.

use super::*;
use Signal::{Dropped, Failure, Neutral, Success};

#[test]
fn failures_in_a_row_open_and_a_success_between_starts_anew() {
    let bench = bench(Policy::default());
    bench.calls(4, Failure);
    bench.call(Success);
    bench.calls(4, Failure);
    assert_eq!(bench.state(), State::Closed);
    bench.call(Failure);
    assert_eq!(bench.state(), State::Open);
    assert_eq!(bench.rejected(), Some(secs(60)));
}

#[test]
fn neutral_results_leave_the_failures_in_a_row_as_they_are() {
    let bench = bench(Policy::default());
    bench.calls(4, Failure);
    bench.calls(100, Neutral);
    assert_eq!(bench.state(), State::Closed);
    bench.call(Failure);
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn an_open_circuit_admits_a_probe_when_its_time_is_over_and_a_success_closes_it() {
    let mut bench = bench(Policy::default());
    bench.calls(5, Failure);
    bench.advance(Duration::from_millis(59_999));
    assert_eq!(bench.rejected(), Some(Duration::from_millis(1)));
    bench.advance(Duration::from_millis(1));
    let probe = bench.admitted();
    assert_eq!(bench.state(), State::HalfOpen);
    bench.settle(probe, Success);
    assert_eq!(bench.state(), State::Closed);
    bench.calls(4, Failure);
    assert_eq!(bench.state(), State::Closed, "the count began anew");
}

#[test]
fn a_failed_probe_opens_the_circuit_again() {
    let mut bench = bench(Policy::default());
    bench.open_and_wait();
    bench.call(Failure);
    assert_eq!(bench.state(), State::Open);
    assert_eq!(bench.rejected(), Some(secs(60)));
}

#[test]
fn each_reopening_lasts_longer_up_to_the_most_and_a_close_starts_anew() {
    let mut bench = bench(Policy {
        open_for_multiplier: 2.0,
        open_for_max: secs(200),
        ..Policy::default()
    });
    bench.calls(5, Failure);
    for expected in [60, 120, 200, 200] {
        assert_eq!(bench.rejected(), Some(secs(expected)));
        bench.advance(secs(expected));
        bench.call(Failure);
    }
    bench.advance(secs(200));
    bench.call(Success);
    bench.calls(5, Failure);
    assert_eq!(bench.rejected(), Some(secs(60)));
}

#[test]
fn absurd_growth_ends_at_the_most() {
    for multiplier in [1e300, f64::INFINITY] {
        let policy = Policy {
            open_for_multiplier: multiplier,
            ..Policy::default()
        };
        let period = |times| super::super::rules::open_period(&policy, times);
        assert_eq!((period(0), period(127)), (secs(60), secs(600)));
    }
    for multiplier in [f64::NAN, -3.0, 0.0] {
        let policy = Policy {
            open_for_multiplier: multiplier,
            ..Policy::default()
        };
        assert_eq!(super::super::rules::open_period(&policy, 9), secs(60));
    }
}

#[test]
fn several_probes_are_admitted_together_and_enough_of_them_close_the_circuit() {
    let mut bench = bench(Policy {
        half_open_calls: 3,
        success_threshold: 4,
        ..Policy::default()
    });
    bench.open_and_wait();
    let probes: Vec<_> = (0..3).map(|_| bench.admitted()).collect();
    assert_eq!(bench.rejected(), Some(secs(1)), "all places are taken");
    for probe in probes {
        bench.settle(probe, Success);
    }
    assert_eq!(bench.state(), State::HalfOpen);
    bench.call(Success);
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn the_failure_rate_counts_once_enough_calls_are_in() {
    let bench = bench(Policy {
        failure_threshold: u32::MAX,
        failure_rate: Some(0.5),
        ..Policy::default()
    });
    bench.calls(9, Failure);
    assert_eq!(bench.state(), State::Closed, "nine calls are too few");
    bench.call(Success);
    assert_eq!(bench.state(), State::Open, "nine of ten failed");
}

#[test]
fn a_failure_rate_below_the_limit_never_opens() {
    let mut bench = bench(Policy {
        failure_threshold: u32::MAX,
        failure_rate: Some(0.5),
        ..Policy::default()
    });
    for _ in 0..1000 {
        bench.calls(2, Success);
        bench.call(Failure);
        bench.advance(Duration::from_millis(20));
    }
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn failures_that_left_the_time_window_are_forgotten() {
    let mut bench = bench(Policy {
        failure_threshold: u32::MAX,
        failure_rate: Some(0.9),
        ..Policy::default()
    });
    bench.calls(9, Failure);
    bench.advance(secs(30));
    bench.calls(9, Failure);
    assert_eq!(bench.state(), State::Closed);
    bench.call(Failure);
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn neutral_and_dropped_calls_are_not_in_the_window() {
    let bench = bench(Policy {
        failure_threshold: 100,
        failure_rate: Some(0.1),
        ..Policy::default()
    });
    bench.calls(9, Success);
    bench.calls(50, Neutral);
    bench.calls(50, Dropped);
    let window = bench.state.snapshot(&bench.policy).window.unwrap();
    assert_eq!(window.calls, 9);
}

#[test]
fn more_minimum_calls_than_the_window_holds_means_all_of_them() {
    let bench = bench(Policy {
        failure_threshold: u32::MAX,
        failure_rate: Some(1.0),
        minimum_calls: 100,
        window_calls: Some(3),
        ..Policy::default()
    });
    bench.calls(3, Failure);
    assert_eq!(bench.state(), State::Open);
}

fn slow_policy() -> Policy {
    Policy {
        slow_call: Some(secs(2)),
        slow_call_rate: Some(0.5),
        minimum_calls: 4,
        ..Policy::default()
    }
}

fn call_that_takes(bench: &mut Bench, time: Duration) {
    let began = bench.now;
    let ticket = bench.state.try_enter(&bench.policy, began).unwrap().0;
    bench.advance(time);
    bench
        .state
        .settle(ticket, &bench.policy, Success, || bench.now);
}

#[test]
fn slow_successes_open_the_circuit_by_their_rate() {
    let mut bench = bench(slow_policy());
    for millis in [2000, 1, 2001] {
        call_that_takes(&mut bench, Duration::from_millis(millis));
    }
    assert_eq!(bench.state(), State::Closed, "2 s is not slower than 2 s");
    call_that_takes(&mut bench, secs(3));
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn a_slow_probe_opens_the_circuit_again() {
    let mut bench = bench(slow_policy());
    bench.open_and_wait();
    call_that_takes(&mut bench, secs(3));
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn a_slow_call_without_a_rate_is_a_success() {
    let mut bench = bench(Policy {
        slow_call_rate: None,
        ..slow_policy()
    });
    for _ in 0..50 {
        call_that_takes(&mut bench, secs(3));
    }
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn a_forced_circuit_stays_so_until_it_is_reset() {
    let mut bench = bench(Policy::default());
    bench.state.force_open(bench.now);
    bench.advance(secs(1_000_000));
    assert_eq!(bench.rejected(), None);
    bench.state.force_close(bench.now);
    bench.calls(100, Failure);
    assert_eq!(bench.state(), State::Closed);
    assert!(bench.state.snapshot(&bench.policy).forced);
    bench.state.reset(bench.now);
    bench.calls(5, Failure);
    assert_eq!(bench.state(), State::Open, "it decides for itself again");
    bench.state.reset(bench.now);
    bench.calls(4, Failure);
    assert_eq!(bench.state(), State::Closed, "nothing is remembered");
}

#[test]
fn a_reset_forgets_the_window() {
    for window_calls in [None, Some(20)] {
        let bench = bench(Policy {
            failure_threshold: u32::MAX,
            failure_rate: Some(0.5),
            window_calls,
            ..Policy::default()
        });
        bench.calls(9, Failure);
        bench.state.reset(bench.now);
        bench.calls(9, Failure);
        assert_eq!(bench.state(), State::Closed);
        bench.call(Failure);
        assert_eq!(bench.state(), State::Open);
    }
}

#[test]
fn a_reload_keeps_the_state_and_its_settings_hold_at_once() {
    let mut bench = bench(Policy::default());
    bench.calls(4, Failure);
    bench.reload(|policy| policy.failure_threshold = 10);
    bench.calls(5, Failure);
    assert_eq!(bench.state(), State::Closed);
    bench.call(Failure);
    assert_eq!(bench.rejected(), Some(secs(60)));
    bench.reload(|policy| policy.open_for = secs(10));
    bench.advance(secs(4));
    assert_eq!(bench.rejected(), Some(secs(6)));
}

#[test]
fn a_reload_that_changes_the_window_keeps_its_results() {
    let mut bench = bench(Policy {
        failure_threshold: u32::MAX,
        failure_rate: Some(0.9),
        minimum_calls: 20,
        ..Policy::default()
    });
    bench.calls(19, Failure);
    bench.reload(|policy| policy.window = secs(300));
    bench.advance(secs(20));
    bench.call(Failure);
    assert_eq!(bench.state(), State::Open);
    bench.state.reset(bench.now);
    bench.reload(|policy| policy.window_calls = Some(50));
    bench.calls(19, Failure);
    bench.reload(|policy| policy.window_calls = Some(30));
    bench.call(Failure);
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn a_caller_that_only_observes_sees_the_circuit_open_probe_and_close() {
    let mut bench = bench(Policy::default());
    bench.calls(5, Failure);
    for _ in 0..10 {
        // The call goes on, without a guard.
        assert!(bench.state.observe(&bench.policy, || bench.now).is_none());
    }
    bench.advance(secs(60));
    bench.call(Success);
    assert_eq!(bench.state(), State::Closed);
    let snapshot = bench.state.snapshot(&bench.policy);
    assert_eq!((snapshot.would_have_rejected, snapshot.rejected), (10, 0));
}

#[test]
fn the_closed_path_reads_no_clock_and_a_clean_success_writes_nothing() {
    let bench = bench(Policy::default());
    let no_clock = || -> Moment { panic!("the clock was read") };
    for _ in 0..10 {
        let admitted = bench.state.enter(&bench.policy, no_clock).unwrap();
        admitted.settle(Success, no_clock);
    }
}

#[test]
fn a_success_in_a_window_of_calls_reads_no_clock() {
    let bench = bench(Policy {
        failure_rate: Some(0.5),
        window_calls: Some(20),
        ..Policy::default()
    });
    let no_clock = || -> Moment { panic!("the clock was read") };
    for _ in 0..9 {
        let admitted = bench.state.enter(&bench.policy, no_clock).unwrap();
        admitted.settle(Success, no_clock);
    }
    assert_eq!(bench.state.snapshot(&bench.policy).window.unwrap().calls, 9);
}

#[test]
fn a_circuit_is_of_a_fixed_size() {
    assert!(
        size_of::<BreakerState>() <= 640,
        "{}",
        size_of::<BreakerState>()
    );
}

#[test]
fn a_snapshot_tells_the_figures() {
    let mut bench = bench(Policy::default());
    bench.calls(3, Failure);
    assert_eq!(bench.state.snapshot(&bench.policy).failures_in_a_row, 3);
    bench.calls(2, Failure);
    bench.rejected();
    bench.advance(secs(60));
    let probe = bench.admitted();
    let snapshot = bench.state.snapshot(&bench.policy);
    assert_eq!((snapshot.opened, snapshot.rejected), (1, 1));
    assert_eq!((snapshot.state, snapshot.probes), (State::HalfOpen, 1));
    assert_eq!(snapshot.window, None);
    bench.settle(probe, Success);
}
