//! An admitted call, as a guard: whatever becomes of it, the circuit learns.

use super::{
    call,
    prepared::Prepared,
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
    unsettled: Unsettled,
}

/// What it says that an admitted call is dropped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unsettled {
    /// Its caller went away, or its deadline passed.
    Dropped,
    /// The same, or, in a thread that panics, the call did.
    DroppedOrPanicked,
    /// The call panicked; nothing else can be.
    Panicked,
}

const NEVER: Moment = Moment::from_nanos(u64::MAX);

impl<'a> Admitted<'a> {
    /// What is left of it where state and policy are known: its guard must be made
    /// [again](Self::again).
    #[inline]
    pub(crate) fn into_ticket(self) -> Ticket {
        let ticket = self.ticket;
        mem::forget(self);
        ticket
    }

    /// The guard of a call that was given `ticket`.
    #[inline]
    pub(crate) fn again(state: &'a BreakerState, policy: &'a Prepared, ticket: Ticket) -> Self {
        Self::new(state, policy, ticket)
    }

    #[inline]
    pub(super) const fn new(state: &'a BreakerState, policy: &'a Policy, ticket: Ticket) -> Self {
        Self {
            state,
            policy,
            ticket,
            deadline: NEVER,
            unsettled: Unsettled::Dropped,
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

    /// For a call that blocks: dropped unsettled, it panicked.
    #[inline]
    pub(super) const fn blocking(mut self) -> Self {
        self.unsettled = Unsettled::Panicked;
        self
    }

    /// Whether `failure_if` says that `result` is a failure.
    #[inline]
    pub(crate) fn judge<T, E>(
        &self,
        result: &Result<T, E>,
        failure_if: impl FnOnce(&Result<T, E>) -> bool,
    ) -> bool {
        call::judge(self.state.name(), result, failure_if)
    }

    /// Says what the call came to. `now` is only asked for when the policy needs the present.
    #[inline]
    pub(crate) fn settle(self, signal: Signal, now: impl Fn() -> Moment) {
        let (state, policy, ticket) = (self.state, self.policy, self.ticket);
        mem::forget(self);
        state.settle(ticket, policy, signal, now);
    }
}

impl Drop for Admitted<'_> {
    // What the guard holds goes by value, so that a call that is settled never writes it down.
    #[inline]
    fn drop(&mut self) {
        drop_unsettled(
            self.state,
            self.policy,
            self.ticket,
            self.deadline,
            self.unsettled,
        );
    }
}

#[cold]
#[inline(never)]
fn drop_unsettled(
    state: &BreakerState,
    policy: &Policy,
    ticket: Ticket,
    deadline: Moment,
    unsettled: Unsettled,
) {
    let now = clock::now();
    let panicked = match unsettled {
        Unsettled::Dropped => false,
        Unsettled::DroppedOrPanicked => thread::panicking(),
        Unsettled::Panicked => true,
    };
    let signal = if panicked || now >= deadline {
        Signal::Failure
    } else {
        Signal::Dropped
    };
    // A subscriber to our events that panics too must not end the program.
    let _ = call::run(|| state.settle(ticket, policy, signal, || now));
}

/// A call that [`CircuitBreaker::enter`](super::CircuitBreaker::enter) admitted. Say what it came
/// to.
///
/// A guard that is dropped counts as a call whose caller went away: neutral, unless
/// `failure_threshold` calls in a row (two where it is 1) end so; and a probe gives its place back. A guard that is
/// dropped because its thread panics counts as a failure.
#[must_use = "dropping it at once says that the caller went away"]
pub struct Guard<'a>(Admitted<'a>);

impl<'a> Guard<'a> {
    #[inline]
    pub(super) fn new(mut admitted: Admitted<'a>) -> Self {
        if !thread::panicking() {
            admitted.unsettled = Unsettled::DroppedOrPanicked;
        }
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
