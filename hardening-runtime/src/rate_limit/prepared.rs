//! A policy, and what its numbers come to: worked out once, not by each call.

use super::bucket::Rate;
use crate::config::{Limit, RateLimitPolicy, Scope};
use std::ops::Deref;

/// A policy in force.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Prepared {
    /// The rate of its limit, if it is but one, and of each key: most policies are so. Else a bucket that
    /// holds nothing.
    only: Rate,
    rated: Vec<Rated>,
    is_shared: bool,
    policy: RateLimitPolicy,
}

/// A limit, as its buckets are reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rated {
    pub(super) rate: Rate,
    pub(super) scope: Scope,
}

impl From<&Limit> for Rated {
    fn from(limit: &Limit) -> Self {
        Self {
            rate: Rate::of(limit),
            scope: limit.scope,
        }
    }
}

impl Prepared {
    pub(crate) fn new(policy: RateLimitPolicy) -> Self {
        let rated: Vec<Rated> = policy.limits.iter().map(Rated::from).collect();
        Self {
            only: match rated[..] {
                [
                    Rated {
                        rate,
                        scope: Scope::Key,
                    },
                ] => rate,
                _ => Rate::NOTHING,
            },
            is_shared: rated.iter().any(|limit| limit.scope == Scope::Global),
            rated,
            policy,
        }
    }

    /// The rate of the only limit, if that is each key's and can hold so many tokens.
    #[inline]
    pub(super) const fn only(&self, cost: u64) -> Option<&Rate> {
        if cost.wrapping_sub(1) < self.only.capacity() {
            Some(&self.only)
        } else {
            None
        }
    }

    pub(super) fn rated(&self) -> &[Rated] {
        &self.rated
    }

    /// Whether any limit is for everybody together.
    pub(super) const fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Whether every limit can hold so many tokens at all.
    pub(super) fn can_hold(&self, cost: u32) -> bool {
        let mut limits = self.rated.iter();
        limits.all(|limit| u64::from(cost) <= limit.rate.capacity())
    }
}

impl Deref for Prepared {
    type Target = RateLimitPolicy;

    #[inline]
    fn deref(&self) -> &RateLimitPolicy {
        &self.policy
    }
}
