//! The circuit against a model that keeps every result in a list and looks through all of them.

use super::*;
use crate::circuit_breaker::state::Ticket;
use Signal::{Dropped, Failure, Neutral, Success};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Op {
    Enter,
    Settle(prop::sample::Index, Signal),
    Advance(u64),
    /// As far as the ring of a window by time takes to come round.
    AdvanceLap,
    ForceOpen,
    ForceClose,
    Reset,
    Reload,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Closed,
    Open,
    HalfOpen,
    ForcedOpen,
    ForcedClosed,
}

#[derive(Clone, Copy)]
struct Call {
    era: u32,
    began: Moment,
}

#[derive(Clone, Copy, Debug)]
struct Outcome {
    era: u32,
    at: Moment,
    signal: Signal,
    slow: bool,
}

/// Each change of mode begins an era; results count in the era in which their call began.
struct Model {
    mode: Mode,
    era: u32,
    /// The first era of this half-open time; places given anew begin an era, but keep its results.
    half_open_era: u32,
    outcomes: Vec<Outcome>,
    in_flight: u32,
    reopened: i32,
    opened_at: Moment,
    probed_at: Moment,
}

impl Model {
    fn new(now: Moment) -> Self {
        Self {
            mode: Mode::Closed,
            era: 0,
            half_open_era: 0,
            outcomes: Vec::new(),
            in_flight: 0,
            reopened: 0,
            opened_at: now,
            probed_at: now,
        }
    }

    fn change(&mut self, mode: Mode) {
        self.mode = mode;
        self.era += 1;
    }

    fn period(&self, policy: &Policy) -> Duration {
        let grown = policy.open_for.as_secs_f64() * policy.open_for_multiplier.powi(self.reopened);
        Duration::from_secs_f64(grown.min(policy.open_for_max.as_secs_f64()))
    }

    /// Admits a call, or says when it is worth asking again.
    fn enter(&mut self, policy: &Policy, now: Moment) -> Result<Call, Option<Duration>> {
        let period = self.period(policy);
        match self.mode {
            Mode::Closed | Mode::ForcedClosed => {}
            Mode::ForcedOpen => return Err(None),
            Mode::Open if now.since(self.opened_at) < period => {
                return Err(Some(period.saturating_sub(now.since(self.opened_at))));
            }
            Mode::Open => {
                self.change(Mode::HalfOpen);
                (self.half_open_era, self.in_flight) = (self.era, 1);
            }
            Mode::HalfOpen if self.in_flight < policy.half_open_calls => self.in_flight += 1,
            Mode::HalfOpen if now.since(self.probed_at) < period => {
                let left = period.saturating_sub(now.since(self.probed_at));
                return Err(Some(left.min(secs(1))));
            }
            Mode::HalfOpen => {
                self.change(Mode::HalfOpen);
                self.in_flight = 1;
            }
        }
        self.probed_at = now;
        let era = self.era;
        Ok(Call { era, began: now })
    }

    fn settle(&mut self, call: Call, signal: Signal, policy: &Policy, now: Moment) {
        if call.era != self.era {
            return;
        }
        let slow = match (policy.slow_call, policy.slow_call_rate) {
            (Some(slow), Some(_)) => signal == Success && now.since(call.began) > slow,
            _ => false,
        };
        self.outcomes.push(Outcome {
            era: call.era,
            at: now,
            signal,
            slow,
        });
        match self.mode {
            Mode::Closed if self.must_open(policy, now) => {
                (self.opened_at, self.reopened) = (now, 0);
                self.change(Mode::Open);
            }
            Mode::HalfOpen => self.settle_probe(signal, slow, policy, now),
            _ => {}
        }
    }

    fn settle_probe(&mut self, signal: Signal, slow: bool, policy: &Policy, now: Moment) {
        let of_this = |outcome: &&Outcome| outcome.era >= self.half_open_era;
        let succeeded = self.outcomes.iter().filter(of_this);
        let succeeded = succeeded
            .filter(|outcome| outcome.signal == Success)
            .count();
        if signal == Failure || slow || self.hangs(policy) {
            self.opened_at = now;
            self.reopened += 1;
            self.change(Mode::Open);
        } else if signal == Success && succeeded >= policy.success_threshold as usize {
            self.change(Mode::Closed);
        } else {
            self.in_flight -= 1;
        }
    }

    /// How many of the last results of this mode were `signal`, not looking at `past`.
    fn in_a_row(&self, signal: Signal, past: &[Signal]) -> u32 {
        let first = match self.mode {
            Mode::HalfOpen => self.half_open_era,
            _ => self.era,
        };
        let back = self.outcomes.iter().rev();
        let back = back.take_while(|outcome| outcome.era >= first);
        let back = back.filter(|outcome| !past.contains(&outcome.signal));
        let row = back.take_while(|outcome| outcome.signal == signal);
        u32::try_from(row.count()).unwrap()
    }

    fn hangs(&self, policy: &Policy) -> bool {
        self.in_a_row(Dropped, &[]) >= policy.failure_threshold.max(2)
    }

    fn must_open(&self, policy: &Policy, now: Moment) -> bool {
        let failed = self.outcomes.last().unwrap().signal == Failure;
        failed && self.in_a_row(Failure, &[Neutral, Dropped]) >= policy.failure_threshold
            || self.hangs(policy)
            || self.rate_reached(policy, now)
    }

    fn rate_reached(&self, policy: &Policy, now: Moment) -> bool {
        let all: Vec<&Outcome> = self
            .outcomes
            .iter()
            .filter(|outcome| {
                outcome.era == self.era && matches!(outcome.signal, Success | Failure)
            })
            .collect();
        let (nanos, shift) = (clock::nanos(policy.window), shift(policy));
        let bucket = |at: Moment| at.as_nanos() >> shift;
        let window: Vec<_> = if let Some(n) = policy.window_calls {
            all[all.len().saturating_sub(n as usize)..].to_vec()
        } else {
            let young = |outcome: &&&Outcome| bucket(now) - bucket(outcome.at) < nanos >> shift;
            all.iter().filter(young).copied().collect()
        };
        let required = policy
            .minimum_calls
            .min(policy.window_calls.unwrap_or(u32::MAX)) as usize;
        let last = self.outcomes.last().unwrap();
        let looks = match last.signal {
            Failure => true,
            Success if policy.window_calls.is_some() => last.slow || all.len() == required,
            Success => last.slow || window.len() == required,
            Neutral | Dropped => false,
        };
        let share = |what: &dyn Fn(&Outcome) -> bool| {
            window.iter().filter(|outcome| what(outcome)).count() as f64 / window.len() as f64
        };
        let failed = share(&|outcome| outcome.signal == Failure);
        let slow = share(&|outcome| outcome.slow);
        looks
            && window.len() >= required
            && (policy.failure_rate.is_some_and(|rate| failed >= rate)
                || policy.slow_call.is_some()
                    && policy.slow_call_rate.is_some_and(|rate| slow >= rate))
    }
}

/// A window by time is cut into buckets of two to this many nanoseconds.
fn shift(policy: &Policy) -> u32 {
    (clock::nanos(policy.window) / 64).ilog2()
}

fn policies() -> impl Strategy<Value = Policy> {
    let opens = (
        prop_oneof![3 => 1..6u32, 1 => Just(u32::MAX)],
        prop::option::of(prop::sample::select(vec![0.25, 0.5, 1.0])),
        1..8u32,
        1..6u64,
        prop::option::of(1..12u32),
        prop::option::of(Just(Duration::from_millis(700))),
        prop::option::of(prop::sample::select(vec![0.25, 0.5, 1.0])),
    );
    let closes = (
        1..4u64,
        prop::sample::select(vec![1.0, 2.0]),
        1..4u32,
        1..4u32,
    );
    (opens, closes).prop_map(|(opens, closes)| Policy {
        failure_threshold: opens.0,
        failure_rate: opens.1,
        minimum_calls: opens.2,
        window: secs(opens.3),
        window_calls: opens.4,
        slow_call: opens.5,
        slow_call_rate: opens.6,
        open_for: secs(closes.0),
        open_for_multiplier: closes.1,
        open_for_max: secs(6),
        half_open_calls: closes.2,
        success_threshold: closes.3,
    })
}

fn ops() -> impl Strategy<Value = Op> {
    let signal = prop::sample::select(vec![Success, Success, Failure, Failure, Neutral, Dropped]);
    prop_oneof![
        12 => Just(Op::Enter),
        12 => (any::<prop::sample::Index>(), signal).prop_map(|(call, signal)| Op::Settle(call, signal)),
        5 => (0..1500u64).prop_map(Op::Advance),
        1 => Just(Op::AdvanceLap),
        1 => prop::sample::select(vec![Op::ForceOpen, Op::ForceClose, Op::Reset, Op::Reset, Op::Reload]),
    ]
}

/// What a reload brings: other thresholds and times, and the same kind of window.
fn reloaded(now: &Policy, other: &Policy) -> Policy {
    Policy {
        window: now.window,
        window_calls: now.window_calls.map(|n| other.window_calls.unwrap_or(n)),
        failure_rate: now.failure_rate,
        slow_call: now.slow_call,
        slow_call_rate: now.slow_call_rate,
        ..other.clone()
    }
}

struct Pair {
    bench: Bench,
    model: Model,
    calls: Vec<(Ticket, Call)>,
}

impl Pair {
    fn step(&mut self, op: Op, other: &Policy) -> Result<(), TestCaseError> {
        let Self {
            bench,
            model,
            calls,
        } = self;
        let now = bench.now;
        match op {
            Op::Enter => {
                let real = bench.state.try_enter(&bench.policy, now);
                match (real, model.enter(&bench.policy, now)) {
                    (Ok((ticket, _)), Ok(call)) => calls.push((ticket, call)),
                    (Err(real), Err(model)) => prop_assert_eq!(real, model),
                    (real, model) => prop_assert!(false, "{:?} {}", real, model.is_ok()),
                }
            }
            Op::Settle(..) if calls.is_empty() => {}
            Op::Settle(index, signal) => {
                let (ticket, call) = calls.swap_remove(index.index(calls.len()));
                bench.state.settle(ticket, &bench.policy, signal, || now);
                model.settle(call, signal, &bench.policy, now);
            }
            Op::Advance(millis) => bench.advance(Duration::from_millis(millis)),
            Op::AdvanceLap => bench.advance(Duration::from_nanos(128 << shift(&bench.policy))),
            Op::ForceOpen => {
                bench.state.force_open(now);
                model.change(Mode::ForcedOpen);
            }
            Op::ForceClose => {
                bench.state.force_close(now);
                model.change(Mode::ForcedClosed);
            }
            Op::Reset => {
                bench.state.reset(now);
                model.change(Mode::Closed);
            }
            Op::Reload => bench.reload(|policy| *policy = reloaded(policy, other)),
        }
        let expected = match model.mode {
            Mode::Closed | Mode::ForcedClosed => State::Closed,
            Mode::Open | Mode::ForcedOpen => State::Open,
            Mode::HalfOpen => State::HalfOpen,
        };
        prop_assert_eq!(bench.state(), expected);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_circuit_agrees_with_a_list(
        policy in policies(),
        other in policies(),
        began in 1_u64 << 50..1 << 51,
        ops in prop::collection::vec(ops(), 1..250),
    ) {
        let mut bench = bench(policy);
        // Not the present, which stands elsewhere in its bucket in each run: what fails, fails again.
        bench.now = Moment::from_nanos(began);
        let model = Model::new(bench.now);
        let mut pair = Pair { bench, model, calls: Vec::new() };
        for op in ops {
            pair.step(op, &other)?;
        }
    }
}
