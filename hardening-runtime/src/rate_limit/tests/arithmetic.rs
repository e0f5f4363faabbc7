//! The bucket against a rational one.

use super::super::bucket::{MAX_WINDOW, Rate, move_on_grid};
use super::START;
use proptest::prelude::*;

const DAY: u64 = 24 * 3600 * 1_000_000_000;

/// Where histories stop: 73 years on.
const END: u64 = 1 << 61;

/// What rounding may come to, in nanoseconds.
const ROUNDING: i128 = 2;

fn rate(capacity: u64, window: u64) -> Rate {
    Rate::new(capacity, window)
}

/// A bucket of rational numbers: its TAT in units of `1 / capacity` nanoseconds.
struct Exact {
    rate: Rate,
    tat: i128,
}

impl Exact {
    fn units(&self, nanos: u64) -> i128 {
        i128::from(nanos) * i128::from(self.rate.capacity())
    }

    fn after(&self, cost: u64, now: u64) -> i128 {
        self.tat.max(self.units(now)) + i128::from(cost) * i128::from(self.rate.window())
    }

    /// Whether the tokens would be there at `now` and `slack` more nanoseconds.
    fn admits(&self, cost: u64, now: u64, slack: i128) -> bool {
        let capacity = i128::from(self.rate.capacity());
        self.after(cost, now) <= self.units(now + self.rate.window()) + slack * capacity
    }
}

/// Limits of the whole range, in which a token takes a nanosecond or more.
fn rates() -> impl Strategy<Value = Rate> {
    let capacity = prop_oneof![1..20u64, 1..2_000u64, 1..1_000_000u64, 1..=1_000_000_000u64];
    let window = prop_oneof![
        1_000_000..1_000_000_000u64,
        (1..100_000u64).prop_map(|secs| secs * 1_000_000_000),
        1_000_000..MAX_WINDOW,
    ];
    (capacity, window).prop_map(|(capacity, window)| rate(capacity.min(window), window))
}

/// Steps of a history: a share of the window that passes, and a share of the capacity asked for.
fn history() -> impl Strategy<Value = Vec<(f64, f64)>> {
    let pause = prop_oneof![Just(0.0), 0.0..0.02f64, 0.0..2.0f64];
    let cost = prop_oneof![Just(0.0), 0.0..0.1f64, 0.0..1.0f64];
    prop::collection::vec((pause, cost), 1..200)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn share(of: u64, share: f64) -> u64 {
    (of as f64 * share) as u64
}

proptest! {
    #[test]
    fn every_decision_is_that_of_an_exact_bucket_within_two_nanoseconds(
        rate in rates(),
        start in START..START + DAY,
        history in history(),
    ) {
        let mut exact = Exact { rate, tat: 0 };
        let (mut tat, mut now) = (0, start);
        for (pause, cost) in history {
            now = (now + share(rate.window(), pause)).min(END);
            let cost = share(rate.capacity(), cost).max(1);
            let charge = rate.charge(tat, cost, now);
            if charge.ready <= now {
                prop_assert!(exact.admits(cost, now, ROUNDING), "admitted too early");
                exact.tat = exact.after(cost, now);
                tat = charge.after;
                let drift = exact.units(tat) - exact.tat;
                prop_assert!(drift.abs() <= ROUNDING * i128::from(rate.capacity()), "drifted");
            } else {
                prop_assert!(!exact.admits(cost, now, -ROUNDING), "refused too late");
                prop_assert!(rate.charge(tat, cost, charge.ready).ready == charge.ready);
                prop_assert!(rate.charge(tat, cost, charge.ready - 1).ready >= charge.ready);
            }
        }
    }

    #[test]
    fn a_whole_interval_is_exact(
        interval in 1..1_000_000_000u64,
        capacity in 1..300_000_000u64,
        start in START..START + DAY,
        history in history(),
    ) {
        let rate = rate(capacity, interval * capacity);
        prop_assume!(rate.window() <= MAX_WINDOW);
        let mut exact = Exact { rate, tat: 0 };
        let (mut tat, mut now) = (0, start);
        for (pause, cost) in history {
            now = (now + share(rate.window(), pause)).min(END);
            let cost = share(rate.capacity(), cost).max(1);
            let charge = rate.charge(tat, cost, now);
            prop_assert_eq!(charge.ready <= now, exact.admits(cost, now, 0));
            if charge.ready <= now {
                exact.tat = exact.after(cost, now);
                tat = charge.after;
            }
        }
    }

    #[test]
    fn no_window_ever_sees_more_than_the_capacity_and_the_refill(
        rate in rates(),
        start in START..START + DAY,
        history in history(),
    ) {
        let (mut tat, mut now, mut log) = (0, start, Vec::new());
        for (pause, cost) in history {
            now = (now + share(rate.window(), pause)).min(END);
            let cost = share(rate.capacity(), cost).max(1);
            let charge = rate.charge(tat, cost, now);
            if charge.ready <= now {
                tat = charge.after;
                log.push((now, cost));
            }
        }
        for (first, &(from, _)) in log.iter().enumerate() {
            let mut admitted = 0u128;
            for &(to, cost) in &log[first..] {
                admitted += u128::from(cost);
                let refilled = u128::from(to - from + 2) * u128::from(rate.capacity());
                let most = u128::from(rate.capacity()) * u128::from(rate.window()) + refilled;
                prop_assert!(admitted * u128::from(rate.window()) <= most);
            }
        }
    }

    #[test]
    fn a_full_bucket_holds_exactly_its_capacity(rate in rates(), now in START..START + DAY, cost in 1..50u64) {
        let cost = cost.max(rate.capacity() / 100).min(rate.capacity());
        let (mut tat, mut left) = (0, rate.capacity());
        while left > 0 {
            prop_assert_eq!(rate.remaining(tat, now), left);
            let cost = cost.min(left);
            let charge = rate.charge(tat, cost, now);
            prop_assert!(charge.ready <= now, "{} tokens left, {} refused", left, cost);
            (tat, left) = (charge.after, left - cost);
        }
        prop_assert_eq!(rate.remaining(tat, now), 0);
        prop_assert!(rate.charge(tat, 1, now).ready > now);
        prop_assert_eq!(rate.remaining(tat, now + rate.window()), rate.capacity());
    }

    #[test]
    fn in_64_bits_the_grid_is_the_same_as_in_128(
        capacity in 1..1u64 << 23,
        window in 1u64 << 23..1 << 40,
        (place, cost) in (0.0..1.0f64, 0.0..1.0f64),
    ) {
        let (place, cost) = (share(window - 1, place), share(capacity, cost));
        let wide = [place, cost, capacity, window].map(u128::from);
        prop_assert_eq!(
            u128::from(move_on_grid(place, cost, capacity, window)),
            move_on_grid(wide[0], wide[1], wide[2], wide[3])
        );
    }

    #[test]
    fn above_a_token_per_nanosecond_the_limit_still_holds(
        capacity in 1_000_001..=1_000_000_000u64,
        window in 1_000_000..1_000_000_000u64,
        history in history(),
    ) {
        let rate = rate(capacity.max(window + 1), window);
        let mut exact = Exact { rate, tat: 0 };
        let (mut tat, mut now) = (0, START);
        for (pause, cost) in history {
            now = (now + share(rate.window(), pause)).min(END);
            let cost = share(rate.capacity(), cost).max(1);
            let charge = rate.charge(tat, cost, now);
            if charge.ready <= now {
                prop_assert!(exact.admits(cost, now, 0));
                exact.tat = exact.after(cost, now);
                tat = charge.after;
            }
        }
        prop_assert!(rate.charge(0, rate.capacity(), now).ready == now, "a full bucket admits its capacity");
    }
}

#[test]
fn seven_per_second_stay_seven_per_second_for_a_year() {
    let rate = rate(7, 1_000_000_000);
    let (mut tat, mut now, mut admitted) = (0, START, 0u64);
    let calls = 7 * 100_000;
    while admitted < calls {
        let charge = rate.charge(tat, 1, now);
        if charge.ready > now {
            now = charge.ready;
            continue;
        }
        (tat, admitted) = (charge.after, admitted + 1);
    }
    let exact = i128::from(START) * 7 + i128::from(calls - 7) * 1_000_000_000;
    assert!(
        (i128::from(now) * 7 - exact).abs() <= 2 * 7,
        "no drift after 100,000 seconds"
    );
    // The rest of the year in one step: the grid has no memory to drift in.
    let year = 365 * 24 * 3600;
    let later = rate.charge(START, 7 * year, START).after;
    assert_eq!(later, START + year * 1_000_000_000);
}

#[test]
fn a_million_per_second_and_one_per_year_are_exact() {
    let fast = rate(1_000_000, 1_000_000_000);
    assert_eq!(fast.charge(0, 1, START).after, START + 1_000);
    let slow = rate(1, 365 * DAY);
    let used = slow.charge(0, 1, START).after;
    assert_eq!(slow.charge(used, 1, START).ready, START + 365 * DAY);
    assert_eq!(slow.remaining(used, START + 365 * DAY - 1), 0);
    assert_eq!(slow.remaining(used, START + 365 * DAY), 1);
}

/// governor overflows here: it panics, or never limits.
#[test]
fn a_year_for_a_thousand_calls_does_not_overflow() {
    let rate = rate(1_000, 365 * DAY);
    let (mut tat, mut admitted) = (0, 0);
    while rate.charge(tat, 1, START).ready <= START {
        (tat, admitted) = (rate.charge(tat, 1, START).after, admitted + 1);
    }
    assert_eq!(admitted, 1_000);
    assert_eq!(rate.charge(tat, 1_000, START).ready, START + 365 * DAY);
}
