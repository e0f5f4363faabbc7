//! Circuit breakers: closed, by each of the rules that open them, and open.
//!
//! The limit is what one writes for one place: a flag and a count of failures, or a ring of counts by time; it
//! opens and stays open. All are given the same body, whose error has room for a refusal, and the same numbers.

mod by_hand;
mod tower_resilience;

use crate::{
    contender::{
        Contender,
        Whose::{Limit, Ours, Peer},
    },
    goal::{Against, Goal},
    rounds::Scenario,
};
use by_hand::{Consecutive, Windowed};
use failsafe::{
    CircuitBreaker as _, Config, FailurePolicy, backoff,
    failure_policy::{consecutive_failures, success_rate_over_time_window},
};
use hardening::{CircuitBreaker, Rejected, config::CircuitBreakerPolicy};
use recloser::Recloser;
use std::{hint::black_box, time::Duration};
use tower_resilience_circuitbreaker::CircuitBreakerLayer;

const BY_HAND: &str = "atomics by hand";
const HOUR: Duration = Duration::from_secs(3600);
const WINDOW: Duration = Duration::from_secs(30);
/// Below what any of the traffic here comes to.
const FAILURE_RATE: f64 = 0.5;
const MINIMUM_CALLS: u32 = 10;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        consecutive(),
        time_window(
            "circuit breaker closed, failure rate over 30 s",
            Traffic::Well,
        ),
        time_window(
            "circuit breaker closed, failure rate over 30 s, one call in a hundred fails",
            Traffic::OneInAHundredFails,
        ),
        last_calls(),
        open(),
    ]
}

/// What a program's error holds: its own, and our refusal.
#[derive(Debug)]
enum Failed {
    Body,
    #[allow(dead_code)] // what it holds is what a caller is given
    Rejected(Rejected),
}

impl From<Rejected> for Failed {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

#[derive(Clone, Copy)]
enum Traffic {
    Well,
    OneInAHundredFails,
    Down,
}

impl Traffic {
    #[inline]
    fn work(self, call: u64) -> Result<u64, Failed> {
        match self {
            Self::Down => Err(Failed::Body),
            Self::OneInAHundredFails if call.is_multiple_of(100) => Err(Failed::Body),
            _ => Ok(black_box(call)),
        }
    }
}

fn consecutive() -> Scenario {
    let by_hand = Consecutive::default();
    let ours = CircuitBreaker::new(CircuitBreakerPolicy::default());
    // What the traffic is, all learn from the contender: the same work for each.
    let traffic = black_box(Traffic::Well);
    Scenario::new(
        "circuit breaker closed, consecutive failures",
        vec![
            Contender::blocking(Limit, BY_HAND, move |call| {
                let _ = black_box(by_hand.call(|| traffic.work(call)));
            }),
            of_ours(ours, Traffic::Well),
            of_recloser(recloser().build(), Traffic::Well),
            of_failsafe(
                consecutive_failures(5, backoff::constant(HOUR)),
                Traffic::Well,
            ),
            tower_resilience::contender(
                CircuitBreakerLayer::builder().consecutive_failures(5),
                Traffic::Well,
            ),
        ],
        vec![
            Goal::times(2.0, Against::Named(BY_HAND)),
            Goal::times(1.0, Against::BestPeer),
        ],
    )
}

/// Without tower-resilience, which keeps each call of the window and counts them all at each: 160 µs a
/// call after a second of this.
fn time_window(what: &'static str, traffic: Traffic) -> Scenario {
    let by_hand = Windowed::new(WINDOW, FAILURE_RATE, u64::from(MINIMUM_CALLS));
    let ours = CircuitBreaker::new(CircuitBreakerPolicy {
        window: WINDOW,
        ..rate()
    });
    Scenario::new(
        what,
        vec![
            Contender::blocking(Limit, BY_HAND, move |call| {
                let _ = black_box(by_hand.call(|| traffic.work(call)));
            }),
            of_ours(ours, traffic),
            of_failsafe(
                success_rate_over_time_window(
                    1.0 - FAILURE_RATE,
                    MINIMUM_CALLS,
                    WINDOW,
                    backoff::constant(HOUR),
                ),
                traffic,
            ),
        ],
        vec![
            Goal::times(1.3, Against::Named(BY_HAND)),
            Goal::times(1.0, Against::BestPeer),
        ],
    )
}

fn last_calls() -> Scenario {
    let ours = CircuitBreaker::new(CircuitBreakerPolicy {
        window_calls: Some(100),
        ..rate()
    });
    let tower = CircuitBreakerLayer::builder()
        .failure_rate_threshold(FAILURE_RATE)
        .sliding_window_size(100)
        .minimum_number_of_calls(MINIMUM_CALLS as usize);
    Scenario::new(
        "circuit breaker closed, failure rate over the last 100 calls",
        vec![
            of_ours(ours, Traffic::Well),
            of_recloser(recloser().build(), Traffic::Well),
            tower_resilience::contender(tower, Traffic::Well),
        ],
        vec![Goal::times(1.0, Against::BestPeer)],
    )
}

/// Opened by failures, for an hour: a rejection says when to come again.
fn open() -> Scenario {
    let by_hand = Consecutive::default();
    let ours = CircuitBreaker::new(CircuitBreakerPolicy {
        open_for: HOUR,
        ..CircuitBreakerPolicy::default()
    });
    let recloser = recloser().open_wait(HOUR).build();
    let failsafe = Config::new()
        .failure_policy(consecutive_failures(5, backoff::constant(HOUR)))
        .build();
    for _ in 0..200 {
        let _ = by_hand.call(|| Traffic::Down.work(0));
        let _ = ours.call_blocking(|| Traffic::Down.work(0));
        let _ = recloser.call(|| Traffic::Down.work(0));
        let _ = failsafe.call(|| Traffic::Down.work(0));
    }
    Scenario::new(
        "circuit breaker open",
        vec![
            Contender::blocking(Limit, BY_HAND, move |call| {
                let _ = black_box(by_hand.call(|| Traffic::Well.work(call)));
            }),
            of_ours(ours, Traffic::Well),
            of_recloser(recloser, Traffic::Well),
            Contender::blocking(Peer, "failsafe", move |call| {
                let _ = black_box(failsafe.call(|| Traffic::Well.work(call)));
            }),
            tower_resilience::opened(),
        ],
        vec![Goal::times(0.4, Against::BestPeer)],
    )
}

fn rate() -> CircuitBreakerPolicy {
    CircuitBreakerPolicy {
        failure_rate: Some(FAILURE_RATE),
        minimum_calls: MINIMUM_CALLS,
        ..CircuitBreakerPolicy::default()
    }
}

/// Its only rule is a rate over the last calls.
fn recloser() -> recloser::RecloserBuilder {
    Recloser::custom().error_rate(0.5).closed_len(100)
}

fn of_ours(breaker: CircuitBreaker, traffic: Traffic) -> Contender {
    Contender::blocking(Ours, "CircuitBreaker", move |call| {
        let _ = black_box(breaker.call_blocking(|| traffic.work(call)));
    })
}

fn of_recloser(breaker: Recloser, traffic: Traffic) -> Contender {
    Contender::blocking(Peer, "recloser", move |call| {
        let _ = black_box(breaker.call(|| traffic.work(call)));
    })
}

fn of_failsafe<P>(policy: P, traffic: Traffic) -> Contender
where
    P: FailurePolicy + Send + Sync + 'static,
{
    let breaker = Config::new().failure_policy(policy).build();
    Contender::blocking(Peer, "failsafe", move |call| {
        let _ = black_box(breaker.call(|| traffic.work(call)));
    })
}
