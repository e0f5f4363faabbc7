//! What async and blocking calls have in common: after each attempt, decide, and tell.

use super::{
    budget::{BudgetState, Ledger, Purse},
    state::{RetryState, Verdict, Why, verdict},
};
use crate::{
    chance,
    clock::{self, Moment},
    event, inject,
    outcome::{Class, Failure, Rejected, Worth},
};
use hardening_config::RetryPolicy;
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

/// What an `on_retry` hook gets: an attempt failed, and another follows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RetryEvent {
    /// The function that is retried.
    pub site: &'static str,
    /// The attempt that failed; the first is 1.
    pub attempt: u32,
    /// How many attempts the policy allows, the first included.
    pub max_attempts: u32,
    /// The wait before the next attempt.
    pub delay: Duration,
    /// What the attempt failed with.
    pub reason: RetryReason,
}

/// What a retried attempt failed with. As text: the rejection's, or "transient error", since an
/// error need not have any.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryReason {
    /// The function's own error.
    Error,
    /// A layer further in refused.
    Rejected(Rejected),
}

impl fmt::Display for RetryReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error => f.write_str("transient error"),
            Self::Rejected(rejected) => rejected.fmt(f),
        }
    }
}

impl<E> From<&Failure<E>> for RetryReason {
    fn from(failure: &Failure<E>) -> Self {
        match failure {
            Failure::Rejected(rejected) => Self::Rejected(rejected.clone()),
            Failure::Error(_) | Failure::Panicked(_) | Failure::Answered => Self::Error,
        }
    }
}

/// What an error is worth, in which the user's `retry_if` has a say. When that panics, the panic is told, and
/// there is no other attempt: nobody said that one may help.
pub(crate) fn judged(site: &str, retry_if: impl FnOnce() -> Worth) -> Worth {
    catch_unwind(AssertUnwindSafe(retry_if)).unwrap_or_else(|_| {
        event::hook_panicked(site, "retry_if");
        Class::Permanent.into()
    })
}

/// What a call is retried by. Brought to each decision, so that a call need not carry it along: most
/// need none.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    pub(crate) site: &'static str,
    pub(crate) policy: &'a RetryPolicy,
    /// Of a call that has none to share, its own.
    pub(crate) budget: Option<&'a BudgetState>,
}

/// The retry layer of one call.
#[doc(hidden)]
#[derive(Debug)]
pub struct Driver {
    state: RetryState,
    deadline: Option<Moment>,
    /// The budget of a call that shares none; opened by its first retry.
    own: Option<Ledger>,
}

impl Driver {
    /// A call begins; it earns its share of the budget. Retries neither start nor wait beyond
    /// `deadline`. The present is asked for only where it matters: most calls need no retry.
    #[allow(clippy::inline_always)] // then a call without a budget to share has no code for one
    #[inline(always)]
    #[must_use]
    pub(crate) fn begin(
        rules: Rules<'_>,
        deadline: Option<Moment>,
        now: impl Fn() -> Moment,
    ) -> Self {
        rules.deposit(&now);
        Self::resume(deadline, rules.policy.max_elapsed.map(|_| now()))
    }

    /// A call that began so, and has earned its share.
    pub(crate) const fn resume(deadline: Option<Moment>, began: Option<Moment>) -> Self {
        Self {
            state: RetryState::new(began),
            deadline,
            own: None,
        }
    }

    /// The same, bounded by this deadline.
    #[inline]
    #[must_use]
    pub(super) const fn until(mut self, deadline: Option<Moment>) -> Self {
        self.deadline = deadline;
        self
    }

    /// Which attempt is under way; the first is 1.
    #[inline]
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.state.attempt()
    }

    /// The moment beyond which nothing is retried.
    #[inline]
    #[must_use]
    pub const fn deadline(&self) -> Option<Moment> {
        self.deadline
    }

    /// What follows an attempt within the layers: another one after this wait, or nothing. `weigh`
    /// says what the user's error is worth.
    #[inline]
    pub fn next<T, E>(
        &mut self,
        rules: Rules<'_>,
        outcome: &Result<T, Failure<E>>,
        weigh: impl FnOnce(&E) -> Worth,
        on_retry: impl FnOnce(&RetryEvent),
    ) -> Option<Duration> {
        let failure = outcome.as_ref().err()?;
        let verdict = verdict(failure, weigh);
        self.settle(rules, verdict, || failure.into(), on_retry)
    }

    /// What follows an attempt outside of any layers, where every error is the user's.
    #[inline]
    pub fn next_plain<T, E>(
        &mut self,
        rules: Rules<'_>,
        outcome: &Result<T, E>,
        weigh: impl FnOnce(&E) -> Worth,
        on_retry: impl FnOnce(&RetryEvent),
    ) -> Option<Duration> {
        let error = outcome.as_ref().err()?;
        let verdict = weigh(error).into();
        self.settle(rules, verdict, || RetryReason::Error, on_retry)
    }

    /// Decides, and tells; the wait, if another attempt follows.
    #[cold]
    fn settle(
        &mut self,
        rules: Rules<'_>,
        verdict: Verdict,
        reason: impl FnOnce() -> RetryReason,
        on_retry: impl FnOnce(&RetryEvent),
    ) -> Option<Duration> {
        let attempt = self.attempt();
        if inject::is_last(attempt) {
            return None;
        }
        let (now, dice) = (clock::now(), chance::fraction());
        let mut purse = match rules.budget {
            Some(budget) => Purse::Shared(budget),
            None => Purse::Own(&mut self.own),
        };
        let (policy, deadline) = (rules.policy, self.deadline);
        let decision = self
            .state
            .decide(policy, Some(&mut purse), verdict, now, deadline, dice);
        match decision {
            Ok(delay) => rules.tell(attempt, delay, reason(), on_retry),
            Err(why) => rules.tell_the_end(attempt, why),
        }
        decision.ok()
    }
}

impl Rules<'_> {
    /// A call earns its share of the budget.
    #[allow(clippy::inline_always)] // as in `Driver::begin`
    #[inline(always)]
    pub(crate) fn deposit(&self, now: impl Fn() -> Moment) {
        if let (Some(settings), Some(budget)) = (&self.policy.budget, self.budget) {
            budget.deposit(settings, now);
        }
    }

    fn tell(
        &self,
        attempt: u32,
        delay: Duration,
        reason: RetryReason,
        on_retry: impl FnOnce(&RetryEvent),
    ) {
        event::retrying(self.site, attempt, delay, &reason);
        let event = RetryEvent {
            site: self.site,
            attempt,
            max_attempts: self.policy.max_attempts,
            delay,
            reason,
        };
        if catch_unwind(AssertUnwindSafe(|| on_retry(&event))).is_err() {
            event::hook_panicked(self.site, "on_retry");
        }
    }

    /// A policy of one attempt does not retry, so there is nothing to give up.
    fn tell_the_end(&self, attempt: u32, why: Why) {
        if why.is_news() && self.policy.max_attempts > 1 {
            event::gave_up(self.site, attempt, &why);
        }
    }
}
