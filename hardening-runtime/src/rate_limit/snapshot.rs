//! What an operation shows of itself. Reading takes nothing, and gives no key a place.

use super::{limiter::LimiterState, prepared::Prepared};
use crate::{
    clock::{self, Moment},
    config::{Limit, Scope},
};
use serde::{Serialize, Serializer};
use std::time::Duration;

/// The figures of one operation, over all sites that share it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OpSnapshot {
    /// The operation; the path of the function for a limit that is written at it.
    pub op: &'static str,
    /// Keys with a bucket of their own.
    pub keys: u32,
    /// Calls that wait for their turn.
    pub waiting: usize,
    /// Its limits, in the order of the configuration, and what is left of each. None while every
    /// site that uses it has it switched off.
    pub limits: Vec<LimitSnapshot>,
    /// Calls that `mode: observe` let through and `mode: enforce` would have rejected.
    pub would_have_rejected: u64,
    /// Calls that `mode: observe` let through at once and that would have had to wait. Some of them
    /// would have been rejected in the end, behind the others.
    pub would_have_waited: u64,
}

/// One token bucket of an operation, or one for each key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LimitSnapshot {
    /// Whether each key has a bucket, or all share one.
    #[serde(serialize_with = "word")]
    pub scope: Scope,
    /// Tokens that a full bucket holds.
    pub capacity: u32,
    /// The time in which an empty bucket fills. Serialised as seconds.
    #[serde(serialize_with = "seconds")]
    pub window: Duration,
    /// Tokens left: in the bucket that all share; or to the key that has the fewest, of the first
    /// 100,000 or so. A call without a key has one bucket, whose tokens these are.
    pub remaining: u32,
}

/// The name of a scope in YAML.
pub(crate) const fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Key => "key",
        Scope::Global => "global",
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn word<S: Serializer>(scope: &Scope, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(scope_name(*scope))
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

impl LimiterState {
    /// What is shown of it under `policy`, if there is one in force.
    pub(crate) fn snapshot(&self, policy: Option<&Prepared>) -> OpSnapshot {
        let (would_have_rejected, would_have_waited) = self.would_have();
        OpSnapshot {
            op: self.name(),
            keys: self.tracked_keys(),
            waiting: self.waiting(),
            limits: policy.map_or_else(Vec::new, |policy| self.limits(policy, clock::now())),
            would_have_rejected,
            would_have_waited,
        }
    }

    fn limits(&self, policy: &Prepared, now: Moment) -> Vec<LimitSnapshot> {
        let ask = self.ask(policy, 0, 0, now);
        let lanes = self.lanes_of(policy.rated()).zip(&policy.limits);
        lanes
            .map(|((lane, rated), limit)| {
                let tat = lane.full_last_at(rated, &ask);
                let remaining = rated.rate.remaining(tat, ask.now);
                shown(limit, u32::try_from(remaining).unwrap_or(u32::MAX))
            })
            .collect()
    }
}

const fn shown(limit: &Limit, remaining: u32) -> LimitSnapshot {
    LimitSnapshot {
        scope: limit.scope,
        capacity: limit.capacity,
        window: limit.window,
        remaining,
    }
}
