//! A policy, with what each call asks of it made up once: where a circuit is built, and where a site's
//! settings are resolved.

use super::rules;
use crate::{clock, config::CircuitBreakerPolicy as Policy};
use std::ops::Deref;

/// A policy in force.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Prepared {
    policy: Policy,
    results: Results,
    open_for: u64,
}

/// What becomes of the results of a closed circuit, failures in a row aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Results {
    /// Nothing: no rule looks at them.
    Forgotten,
    /// They are kept for a rate.
    Kept,
    /// They are kept for a rate, with whether they were slow.
    Timed,
}

impl Prepared {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            results: Results::under(&policy),
            open_for: clock::nanos(policy.open_for),
            policy,
        }
    }

    #[inline]
    pub(super) const fn results(&self) -> Results {
        self.results
    }

    /// How long the circuit stays open after it opened again `reopened` times in a row, in nanoseconds.
    #[inline]
    pub(super) fn open_nanos(&self, reopened: u64) -> u64 {
        if reopened == 0 {
            self.open_for
        } else {
            clock::nanos(rules::open_period(&self.policy, reopened))
        }
    }
}

impl Deref for Prepared {
    type Target = Policy;

    #[inline]
    fn deref(&self) -> &Policy {
        &self.policy
    }
}

impl Results {
    pub(super) const fn under(policy: &Policy) -> Self {
        if rules::slow_call(policy).is_some() {
            Self::Timed
        } else if policy.failure_rate.is_some() {
            Self::Kept
        } else {
            Self::Forgotten
        }
    }
}
