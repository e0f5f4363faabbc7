//! The circuit breaker's tests: its rules, the traps of the field, and a model that keeps a list.

mod drivers;
mod list;
mod rules;
mod ticks;
mod traps;

use super::{BreakerState, CircuitBreaker, Prepared, Signal, State, guard::Admitted};
use crate::{
    clock::{self, Moment},
    config::CircuitBreakerPolicy as Policy,
    outcome::Rejected,
};
use std::time::Duration;

/// A circuit under a policy, and a clock that the test moves.
struct Bench {
    policy: Prepared,
    state: BreakerState,
    now: Moment,
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn bench(policy: Policy) -> Bench {
    Bench {
        policy: Prepared::new(policy),
        state: BreakerState::new("bench"),
        now: clock::now(),
    }
}

impl Bench {
    /// New settings, in force from here.
    fn reload(&mut self, change: impl FnOnce(&mut Policy)) {
        let mut policy = Policy::clone(&self.policy);
        change(&mut policy);
        self.policy = Prepared::new(policy);
    }

    fn enter(&self) -> Result<Admitted<'_>, Rejected> {
        self.state.enter(&self.policy, || self.now)
    }

    fn admitted(&self) -> Admitted<'_> {
        self.enter().expect("the call is admitted")
    }

    fn settle(&self, admitted: Admitted<'_>, signal: Signal) {
        admitted.settle(signal, || self.now);
    }

    /// A whole call, admitted.
    fn call(&self, signal: Signal) {
        self.settle(self.admitted(), signal);
    }

    fn calls(&self, count: usize, signal: Signal) {
        for _ in 0..count {
            self.call(signal);
        }
    }

    fn rejected(&self) -> Option<Duration> {
        let error = self.enter().err().expect("the call is rejected");
        assert_eq!(error.name(), "bench");
        error.retry_after()
    }

    fn advance(&mut self, by: Duration) {
        self.now = self.now.plus(by);
    }

    /// Opens the circuit, and waits until it admits probes.
    fn open_and_wait(&mut self) {
        self.calls(self.policy.failure_threshold as usize, Signal::Failure);
        assert_eq!(self.state(), State::Open);
        self.advance(self.policy.open_for);
    }

    fn state(&self) -> State {
        self.state.state()
    }
}
