//! A policy, and what its times come to: worked out once, not by each hit.

use crate::clock;
use hardening_config::CachePolicy;
use std::ops::Deref;

/// A policy in force.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Prepared {
    /// In nanoseconds.
    ttl: u64,
    /// In nanoseconds.
    refresh_ahead: u64,
    policy: CachePolicy,
}

impl Prepared {
    pub(crate) fn new(policy: CachePolicy) -> Self {
        Self {
            ttl: clock::nanos(policy.ttl),
            refresh_ahead: clock::nanos(policy.refresh_ahead),
            policy,
        }
    }

    /// `ttl`, in nanoseconds.
    #[inline]
    pub(super) const fn ttl_nanos(&self) -> u64 {
        self.ttl
    }

    /// `refresh_ahead`, in nanoseconds.
    #[inline]
    pub(super) const fn ahead_nanos(&self) -> u64 {
        self.refresh_ahead
    }
}

impl Deref for Prepared {
    type Target = CachePolicy;

    #[inline]
    fn deref(&self) -> &CachePolicy {
        &self.policy
    }
}
