//! What a call has to wait for before its next attempt, and what it asks after that.
//!
//! A layer that lets the call through at once has answered. One that has to wait leaves the wait here,
//! and those further in, which must not be asked before it is over, leave their questions behind it. The
//! attempt goes through all of it before it runs the body. So a function's future waits in one
//! place, whatever layers it has, and hardly any call needs what is here.

use super::{Call, Refused};
use crate::{bulkhead::Priority, clock, outcome::Failure, rate_limit};
use std::{any::Any, fmt, future::Future, pin::Pin, time::Duration};

/// In order; in a box of one word, for the sake of those that have none.
#[derive(Default)]
pub(super) struct Steps(Vec<Step>);

/// A wait, or a question that has to wait for it.
pub(super) enum Step {
    /// Another caller's run of the key.
    Follow(Pin<Box<dyn Future<Output = Followed> + Send + Sync>>),
    /// The time of the call timeout begins.
    Timeout,
    /// The rate limit.
    RateLimit { key: u64, cost: u32 },
    /// A turn in the rate limit's line.
    Turn {
        key: u64,
        place: rate_limit::Place<'static>,
    },
    /// The time of the retries begins.
    Retry,
    /// The wait before a retry.
    Pause(Duration),
    /// The circuit breaker.
    CircuitBreaker,
    /// The bulkhead.
    Bulkhead(Priority),
}

/// What the wait for another caller's run came to.
pub(super) enum Followed {
    /// This call runs the body for all who wait: the number of the run, and what is held of it.
    Leads(u32, Flown),
    /// It need not run.
    Answered(Flown),
}

/// What a call has of the run of its key, until it is settled. In the future of the function, a local of
/// the value's type would have the compiler work that out for every function.
pub(super) type Flown = Box<dyn Any + Send + Sync>;

/// Why the body does not run.
pub(super) enum Stopped {
    /// A layer refused.
    Refused(Refused),
    /// Another caller's run has the result.
    Answered,
}

impl From<Refused> for Stopped {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl Stopped {
    pub(super) fn failure<E>(self) -> Failure<E> {
        match self {
            Self::Refused(Refused(rejected)) => Failure::Rejected(rejected),
            Self::Answered => Failure::Answered,
        }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Step").finish_non_exhaustive()
    }
}

impl Call {
    /// Whether there is something to wait for first: what is asked now is [left for later](Self::later).
    #[inline]
    pub(super) const fn waits(&self) -> bool {
        self.steps.is_some()
    }

    #[cold]
    pub(super) fn later(&mut self, step: Step) {
        self.steps.get_or_insert_default().0.push(step);
    }

    /// Goes through what was left for later. What is behind a refusal is dropped unasked.
    pub(super) async fn enter(&mut self) -> Result<&mut Self, Stopped> {
        let steps = self.steps.take().map_or_else(Vec::new, |steps| steps.0);
        for step in steps {
            match step {
                Step::Follow(following) => match following.await {
                    Followed::Leads(flight, flown) => self.lead(flight, flown),
                    Followed::Answered(flown) => {
                        self.flown = Some(flown);
                        self.coalesced();
                        return Err(Stopped::Answered);
                    }
                },
                Step::Timeout => self.begin_timeout(),
                Step::RateLimit { key, cost } => {
                    if let rate_limit::Admission::Wait(place) = self.admit(key, cost)? {
                        let waited = place.wait().await;
                        self.take_turn(key, waited)?;
                    }
                }
                Step::Turn { key, place } => {
                    let waited = place.wait().await;
                    self.take_turn(key, waited)?;
                }
                Step::Retry => self.begin_retries(),
                Step::Pause(delay) => clock::sleep(delay).await,
                Step::CircuitBreaker => self.ask_circuit()?,
                Step::Bulkhead(priority) => self.queue(priority).await?,
            }
        }
        Ok(self)
    }
}
