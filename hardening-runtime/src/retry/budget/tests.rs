use super::*;
use proptest::prelude::*;
use std::time::Duration;

const START: Moment = Moment::from_nanos(1 << 55);

fn budget(ratio: f64, min_per_second: f64) -> Budget {
    Budget {
        ratio,
        min_per_second,
    }
}

fn after(seconds: f64) -> Moment {
    START.plus(Duration::from_secs_f64(seconds))
}

/// As many retries as the budget gives at `now`.
fn drain(state: &BudgetState, budget: &Budget, now: Moment) -> u32 {
    let mut retries = 0;
    while state.withdraw(budget, now) {
        retries += 1;
    }
    retries
}

fn retries_after_calls(ratio: f64, calls: u32) -> u32 {
    let (state, budget) = (BudgetState::new(), budget(ratio, 0.0));
    for _ in 0..calls {
        state.deposit(&budget, || START);
    }
    drain(&state, &budget, START)
}

/// Another library truncates the percentage, and then allows a retry for every call.
#[test]
fn a_ratio_is_exact_however_small_or_large() {
    assert_eq!(retries_after_calls(0.001, 999), 0);
    assert_eq!(retries_after_calls(0.001, 1_000), 1);
    assert_eq!(retries_after_calls(0.001, 100_000), 100);
    assert_eq!(retries_after_calls(0.2, 1_004), 200);
    assert_eq!(retries_after_calls(0.1, 10), 1);
    assert_eq!(retries_after_calls(1.0, 1_000), 1_000);
    assert_eq!(retries_after_calls(2.0, 50), 100);
}

#[test]
fn the_reserve_starts_full_and_refills_with_time() {
    let (state, budget) = (BudgetState::new(), budget(0.0, 10.0));
    assert_eq!(drain(&state, &budget, START), 100);
    assert_eq!(drain(&state, &budget, after(0.099)), 0);
    assert_eq!(drain(&state, &budget, after(1.0)), 10);
    assert_eq!(drain(&state, &budget, after(3600.0)), 100);
}

#[test]
fn rates_that_do_not_divide_a_second_are_exact_too() {
    for rate in [3, 7, 11, 999] {
        let (state, budget) = (BudgetState::new(), budget(0.0, f64::from(rate)));
        assert_eq!(drain(&state, &budget, START), 10 * rate);
    }
}

#[test]
fn a_rate_below_one_in_ten_seconds_allows_one_at_a_time() {
    let (state, budget) = (BudgetState::new(), budget(0.0, 0.01));
    assert_eq!(drain(&state, &budget, START), 1);
    assert_eq!(drain(&state, &budget, after(99.0)), 0);
    assert_eq!(drain(&state, &budget, after(100.0)), 1);
}

#[test]
fn a_long_healthy_time_does_not_pay_for_a_storm() {
    let (state, budget) = (BudgetState::new(), budget(0.2, 0.0));
    for call in 0..36_000 {
        state.deposit(&budget, || after(f64::from(call) / 10.0)); // an hour of 10 calls a second
    }
    let retries = drain(&state, &budget, after(3600.0));
    assert!((20..=40).contains(&retries), "{retries}");
}

#[test]
fn what_was_earned_expires_when_the_traffic_ends() {
    let (state, budget) = (BudgetState::new(), budget(1.0, 0.0));
    for _ in 0..500 {
        state.deposit(&budget, || START);
    }
    assert_eq!(drain(&state, &budget, after(3600.0)), 10);
}

#[test]
fn rare_calls_add_up_to_a_retry_as_well() {
    let (state, budget) = (BudgetState::new(), budget(0.2, 0.0));
    for call in 1..=20_u32 {
        let now = after(f64::from(call) * 1_000.0);
        state.deposit(&budget, || now);
        assert_eq!(drain(&state, &budget, now), u32::from(call % 5 == 0));
    }
}

#[test]
fn odd_settings_allow_nothing_or_everything_and_never_panic() {
    for odd in [f64::NAN, f64::NEG_INFINITY, -1.0, 0.0, -0.0] {
        let (state, budget) = (BudgetState::new(), budget(odd, odd));
        state.deposit(&budget, || START);
        assert_eq!(drain(&state, &budget, START), 0, "{odd}");
    }
    for huge in [f64::INFINITY, f64::MAX] {
        let (state, budget) = (BudgetState::new(), budget(huge, huge));
        state.deposit(&budget, || START);
        assert!((0..1_000).all(|_| state.withdraw(&budget, START)), "{huge}");
    }
    let (state, budget) = (BudgetState::new(), budget(0.0, f64::MIN_POSITIVE));
    assert_eq!(drain(&state, &budget, START), 1);
}

#[test]
fn a_reload_swaps_the_settings_and_keeps_what_was_earned() {
    let (state, before) = (BudgetState::new(), budget(0.2, 0.0));
    for _ in 0..25 {
        state.deposit(&before, || START);
    }
    assert_eq!(drain(&state, &budget(0.5, 0.0), START), 5);
    assert_eq!(drain(&state, &budget(0.5, 1.0), START), 10);
    assert_eq!(drain(&state, &budget(0.5, 9.0), START), 0);
}

#[cfg(feature = "test-util")]
#[test]
fn what_a_test_spent_on_its_paused_clock_is_not_missing_in_the_next() {
    let (state, budget) = (BudgetState::new(), budget(0.0, 1.0));
    assert_eq!(drain(&state, &budget, after(1e6)), 10);
    assert_eq!(drain(&state, &budget, START), 10);
    assert_eq!(drain(&state, &budget, after(3.0)), 3);
}

#[cfg(feature = "test-util")]
mod under_test {
    use super::*;
    use tokio::runtime::{Builder, Runtime};

    fn runtime() -> Runtime {
        Builder::new_current_thread().build().unwrap()
    }

    #[test]
    fn each_runtime_has_the_whole_budget_and_no_more() {
        let (state, budget) = (BudgetState::new(), budget(0.0, 1.0));
        let (one, other) = (runtime(), runtime());
        let drained =
            |runtime: &Runtime, now| runtime.block_on(async { drain(&state, &budget, now) });
        assert_eq!(drained(&one, START), 10);
        assert_eq!(drained(&other, START), 10);
        assert_eq!(drained(&one, START), 0, "it is remembered");
        assert_eq!(drained(&other, after(3.0)), 3);
        assert_eq!(
            drain(&state, &budget, after(4.0)),
            1,
            "outside: the last one"
        );
    }

    #[test]
    fn what_the_calls_of_a_runtime_earned_is_spent_there() {
        let (state, budget) = (BudgetState::new(), budget(0.5, 0.0));
        let call = || state.deposit(&budget, || START);
        let (one, other) = (runtime(), runtime());
        one.block_on(async { (0..20).for_each(|_| call()) });
        other.block_on(async {
            (0..4).for_each(|_| call());
            assert_eq!(state.remaining(&budget, START), 2);
            assert_eq!(drain(&state, &budget, START), 2);
        });
        one.block_on(async { assert_eq!(drain(&state, &budget, START), 10) });
    }

    #[test]
    fn what_a_program_of_many_runtimes_keeps_is_bounded() {
        let (state, budget) = (BudgetState::new(), budget(0.0, 1.0));
        for _ in 0..100 {
            runtime().block_on(async { assert_eq!(drain(&state, &budget, START), 10) });
        }
        assert!(
            format!("{:?}", lock(&state.kept).runtimes)
                .matches("Ledger")
                .count()
                < 40
        );
    }
}

#[cfg(not(feature = "test-util"))]
#[test]
fn a_clock_that_goes_back_neither_gives_nor_blocks_for_ever() {
    let (state, budget) = (BudgetState::new(), budget(0.0, 1.0));
    assert_eq!(drain(&state, &budget, after(1e6)), 10);
    assert_eq!(drain(&state, &budget, START), 0);
    assert_eq!(drain(&state, &budget, after(3.0)), 3);
}

#[test]
fn what_calls_of_other_threads_earned_is_known_at_once() {
    let (state, budget) = (BudgetState::new(), budget(0.2, 0.0));
    std::thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| (0..50).for_each(|_| state.deposit(&budget, || START)));
        }
    });
    assert_eq!(state.remaining(&budget, START), 30);
    assert_eq!(drain(&state, &budget, START), 30);
}

#[test]
fn calls_that_came_slowly_are_spread_over_their_time() {
    let (state, budget) = (BudgetState::new(), budget(1.0, 0.0));
    for call in 0..60 {
        state.deposit(&budget, || after(f64::from(call))); // none is entered after the first
    }
    let retries = drain(&state, &budget, after(60.0));
    assert!((10..=11).contains(&retries), "{retries}");
}

#[test]
fn a_call_that_earns_nothing_takes_nothing_from_the_others() {
    let (state, earning, other) = (BudgetState::new(), budget(1.0, 0.0), budget(0.0, 0.0));
    for _ in 0..50 {
        state.deposit(&earning, || START);
    }
    assert!(!state.withdraw(&other, START));
    assert_eq!(drain(&state, &earning, START), 50);
}

#[test]
fn a_reload_to_a_faster_refill_counts_from_then_on() {
    let (state, slow) = (BudgetState::new(), budget(0.0, 0.001));
    assert_eq!(drain(&state, &slow, START), 1);
    let fast = budget(0.0, 10.0);
    assert_eq!(drain(&state, &fast, START), 0);
    assert_eq!(drain(&state, &fast, after(1.0)), 10);
}

#[test]
fn no_token_is_lost_or_spent_twice_under_contention() {
    let (state, budget) = (BudgetState::new(), budget(0.2, 1.0));
    let spent: u32 = std::thread::scope(|threads| {
        let callers: Vec<_> = (0..8)
            .map(|_| {
                threads.spawn(|| {
                    let call = |_: &u32| {
                        state.deposit(&budget, || START);
                        state.withdraw(&budget, START)
                    };
                    u32::try_from((0..1_000).filter(call).count()).unwrap_or(u32::MAX)
                })
            })
            .collect();
        callers
            .into_iter()
            .map(|caller| caller.join().unwrap_or(u32::MAX))
            .sum()
    });
    assert_eq!(spent + drain(&state, &budget, START), 1_600 + 10);
}

proptest! {
    /// Within one span nothing expires, so a sum of thousandths is the model.
    #[test]
    fn within_a_span_the_budget_is_a_sum(
        thousandths in 1_u32..2_000, calls in prop::collection::vec(any::<bool>(), 1..300),
    ) {
        let (state, budget) = (BudgetState::new(), budget(f64::from(thousandths) / 1e3, 0.0));
        let mut sum = 0;
        for deposit in calls {
            if deposit {
                state.deposit(&budget, || START);
                sum += thousandths;
            } else {
                prop_assert_eq!(state.withdraw(&budget, START), sum >= 1_000);
                sum = sum.checked_sub(1_000).unwrap_or(sum);
            }
        }
    }

    #[test]
    fn retries_never_exceed_what_was_earned_and_refilled(
        ratio in 0.0..2.0_f64, rate in 0.0..20.0_f64,
        steps in prop::collection::vec((0_u8..3, 0.0..5.0_f64), 1..300),
    ) {
        let (state, budget) = (BudgetState::new(), budget(ratio, rate));
        let (mut time, mut calls, mut retries) = (0.0, 0_u32, 0_u32);
        for (step, passed) in steps {
            match step {
                0 => time += passed,
                1 => { state.deposit(&budget, || after(time)); calls += 1; }
                _ => retries += u32::from(state.withdraw(&budget, after(time))),
            }
            let reserve = (rate * 10.0).max(1.0) + rate * time;
            prop_assert!(f64::from(retries) <= f64::from(calls) * ratio + reserve + 1e-3);
        }
    }
}
