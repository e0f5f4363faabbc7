//! An admitted call, as a guard: whatever becomes of it, the circuit learns.

use super::{
    signal::Signal,
    state::{BreakerState, Ticket},
};
use crate::{
    clock::{self, Moment},
    config::CircuitBreakerPolicy as Policy,
};
use std::{mem, thread};

/// A call that the circuit admitted. Dropping it says that its caller went away: a probe gives its
/// place back.
#[must_use = "dropping it at once says that the caller went away"]
pub(crate) struct Admitted<'a> {
    state: &'a BreakerState,
    policy: &'a Policy,
    ticket: Ticket,
    /// The end of the scale where there is none.
    deadline: Moment,
    /// Whether a panic that drops this one is the call's own.
    watches_panic: bool,
}

const NEVER: Moment = Moment::from_nanos(u64::MAX);

impl<'a> Admitted<'a> {
    #[inline]
    pub(super) const fn new(state: &'a BreakerState, policy: &'a Policy, ticket: Ticket) -> Self {
        Self {
            state,
            policy,
            ticket,
            deadline: NEVER,
            watches_panic: false,
        }
    }

    /// A call that is dropped at or after its deadline was ended by a timeout of ours, the call's
    /// own or one around it, and not by its caller: it counts as a failure.
    #[inline]
    pub(crate) const fn with_deadline(mut self, deadline: Option<Moment>) -> Self {
        self.deadline = match deadline {
            Some(deadline) => deadline,
            None => NEVER,
        };
        self
    }

    /// Says what the call came to. `now` is only asked for when the policy needs the present.
    #[inline]
    pub(crate) fn settle(self, signal: Signal, now: impl FnOnce() -> Moment) {
        let (state, policy, ticket) = (self.state, self.policy, self.ticket);
        mem::forget(self);
        state.settle(ticket, policy, signal, now);
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        let now = clock::now();
        let panicked = self.watches_panic && thread::panicking();
        let signal = if panicked || now >= self.deadline {
            Signal::Failure
        } else {
            Signal::Dropped
        };
        self.state.settle(self.ticket, self.policy, signal, || now);
    }
}

/// A call that [`CircuitBreaker::enter`](super::CircuitBreaker::enter) admitted. Say what it came
/// to.
///
/// A guard that is dropped counts as a call whose caller went away: neutral, unless
/// `failure_threshold` calls in a row end so; and a probe gives its place back. A guard that is
/// dropped because its thread panics counts as a failure.
#[must_use = "dropping it at once says that the caller went away"]
pub struct Guard<'a>(Admitted<'a>);

impl<'a> Guard<'a> {
    #[inline]
    pub(super) fn new(mut admitted: Admitted<'a>) -> Self {
        admitted.watches_panic = !thread::panicking();
        Self(admitted)
    }

    /// The dependency answered.
    #[inline]
    pub fn success(self) {
        self.0.settle(Signal::Success, clock::now);
    }

    /// The dependency failed.
    #[inline]
    pub fn failure(self) {
        self.0.settle(Signal::Failure, clock::now);
    }

    /// Nothing was learnt of the dependency; the request was at fault, for one. Neither opens nor
    /// closes the circuit.
    #[inline]
    pub fn neutral(self) {
        self.0.settle(Signal::Neutral, clock::now);
    }
}
