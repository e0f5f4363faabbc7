//! One call's retries: the decision after each failed attempt.

use super::{backoff, budget::Purse};
use crate::{
    clock::Moment,
    outcome::{Class, Failure, Origin, Worth},
};
use hardening_config::RetryPolicy;
use std::{fmt, time::Duration};

/// What a failed attempt is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Another attempt would fail in the same way, or must not be made.
    Permanent,
    /// Try again after the backoff.
    Transient,
    /// Try again, but not before this time: the upstream asked for it.
    After(Duration),
    /// A layer further in refuses for this long, or without an end.
    Refused(Option<Duration>),
}

/// A refusal is the same whether it comes from a layer of this function, or inside the error of another that
/// the body called.
impl From<Worth> for Verdict {
    fn from(worth: Worth) -> Self {
        match (worth.class, worth.origin) {
            (Class::Permanent, Origin::Rejection) => Self::Refused(None),
            (Class::TransientAfter(after), Origin::Rejection) => Self::Refused(Some(after)),
            (Class::Permanent, _) => Self::Permanent,
            (Class::Transient, _) => Self::Transient,
            (Class::TransientAfter(after), _) => Self::After(after),
        }
    }
}

/// What `failure` is worth; `weigh` says it of the user's own errors.
pub(super) fn verdict<E>(failure: &Failure<E>, weigh: impl FnOnce(&E) -> Worth) -> Verdict {
    match failure {
        Failure::Error(error) => weigh(error).into(),
        Failure::Rejected(rejected) => Worth::of(rejected).into(),
        Failure::Panicked(_) | Failure::Answered => Verdict::Permanent,
    }
}

/// Why no other attempt follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Permanent,
    Refused,
    Attempts,
    Deadline,
    Elapsed,
    AskedTooLong,
    Budget,
}

impl Why {
    /// Whether an operator should hear of it: another attempt might have helped. Of what is
    /// permanent or refused the caller hears, and an open circuit would flood the log.
    pub(super) const fn is_news(self) -> bool {
        !matches!(self, Self::Permanent | Self::Refused)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Permanent => "another attempt would fail in the same way",
            Self::Refused => "an inner layer refuses for longer than `max_delay`",
            Self::Attempts => "`max_attempts` are used up",
            Self::Deadline => "the wait would pass the deadline",
            Self::Elapsed => "the wait would pass `max_elapsed`",
            Self::AskedTooLong => "the upstream asks for too long a wait",
            Self::Budget => "the retry budget is used up",
        })
    }
}

/// One call's retries so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct RetryState {
    /// Known when `max_elapsed` wants to know it.
    began: Option<Moment>,
    attempt: u32,
    previous: Duration,
}

impl RetryState {
    /// A call whose first attempt begins now; `max_elapsed` counts from `began`.
    pub(super) const fn new(began: Option<Moment>) -> Self {
        Self {
            began,
            attempt: 1,
            previous: Duration::ZERO,
        }
    }

    /// Which attempt is under way; the first is 1.
    pub(super) const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The attempt under way failed at `now`: how long to wait before the next, or why there is
    /// none. The budget is asked last, and charged for what is decided, so that a retry that never
    /// happens costs nothing and one that still waits is counted.
    pub(super) fn decide(
        &mut self,
        policy: &RetryPolicy,
        purse: Option<&mut Purse<'_>>,
        verdict: Verdict,
        now: Moment,
        deadline: Option<Moment>,
        dice: f64,
    ) -> Result<Duration, Why> {
        let asked = asked(policy, verdict)?;
        if self.attempt >= policy.max_attempts {
            return Err(Why::Attempts);
        }
        let backoff = backoff::delay(policy, self.attempt, self.previous, dice);
        let delay = backoff.max(asked);
        self.fits(policy, now.plus(delay), deadline)?;
        if deadline.is_none() && policy.max_elapsed.is_none() && asked > patience(policy) {
            return Err(Why::AskedTooLong);
        }
        charge(policy, purse, now)?;
        self.attempt = self.attempt.saturating_add(1);
        self.previous = backoff;
        Ok(delay)
    }

    /// A wait that ends at the deadline leaves no time for an attempt; one that ends at
    /// `max_elapsed` does not end after it.
    fn fits(
        &self,
        policy: &RetryPolicy,
        next: Moment,
        deadline: Option<Moment>,
    ) -> Result<(), Why> {
        if deadline.is_some_and(|deadline| next >= deadline) {
            return Err(Why::Deadline);
        }
        match (policy.max_elapsed, self.began) {
            (Some(max), Some(began)) if next.since(began) > max => Err(Why::Elapsed),
            _ => Ok(()),
        }
    }
}

/// The wait that the failure asks for, or why no wait helps. A refusal of our own is known to end
/// when it says, so there is no sense in being generous with it: within `max_delay`, or not at all.
fn asked(policy: &RetryPolicy, verdict: Verdict) -> Result<Duration, Why> {
    match verdict {
        Verdict::Permanent => Err(Why::Permanent),
        Verdict::Transient => Ok(Duration::ZERO),
        Verdict::After(after) => Ok(after),
        Verdict::Refused(Some(after)) if after <= policy.max_delay => Ok(after),
        Verdict::Refused(_) => Err(Why::Refused),
    }
}

/// The longest wait that an upstream may ask of a call that nothing else bounds: two minutes, so that the
/// usual minute of a rate limit is waited for, or ten times `max_delay` when that is longer. Whoever is
/// asked for more is better told at once.
fn patience(policy: &RetryPolicy) -> Duration {
    const FLOOR: Duration = Duration::from_secs(120);
    policy.max_delay.saturating_mul(10).max(FLOOR)
}

fn charge(policy: &RetryPolicy, purse: Option<&mut Purse<'_>>, now: Moment) -> Result<(), Why> {
    let paid = match (&policy.budget, purse) {
        (Some(settings), Some(purse)) => purse.withdraw(settings, now),
        _ => true,
    };
    if paid { Ok(()) } else { Err(Why::Budget) }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests;
