//! A limit on trial, `mode: observe`: what it would have done is counted, and nobody is held up.

use super::{
    limiter::{Decision, LimiterState},
    prepared::Prepared,
};
use crate::{
    clock::Moment,
    event,
    observed::Observed,
    sync::{AtomicU64, Ordering},
};

/// What an operation would have done to the calls of the sites that only observe it.
#[derive(Debug)]
pub(super) struct Trial {
    rejections: Observed,
    waits: AtomicU64,
}

impl Trial {
    pub(super) fn new() -> Self {
        Self {
            rejections: Observed::new(),
            waits: AtomicU64::new(0),
        }
    }
}

/// What became of a call that is only observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has taken its tokens.
    Admitted,
    /// It would have had to wait. It has taken nothing.
    Delayed,
    /// It would have been rejected. It has taken nothing.
    Rejected,
}

impl LimiterState {
    /// [`admit`](Self::admit) in `mode: observe`: counts and tells what it would have done, and holds
    /// nobody up. Calls above the limit take nothing, so buckets are as full as if they were enforced;
    /// but a call that would have waited leaves its tokens to the next.
    pub(crate) fn observe(
        &self,
        policy: &Prepared,
        key: u64,
        cost: u32,
        now: Moment,
        deadline: Option<Moment>,
    ) -> Verdict {
        match self.decide(policy, key, cost, now, deadline) {
            Decision::Now => Verdict::Admitted,
            Decision::Wait { .. } => {
                self.trial().waits.fetch_add(1, Ordering::Relaxed);
                Verdict::Delayed
            }
            Decision::Reject(_) => {
                if let Some(count) = self.trial().rejections.add(now) {
                    event::would_have_rejected(self.name(), "rate_limit", count);
                }
                Verdict::Rejected
            }
        }
    }

    /// What it would have rejected, and what it would have made wait.
    pub(super) fn would_have(&self) -> (u64, u64) {
        let trial = self.trial();
        (
            trial.rejections.total(),
            trial.waits.load(Ordering::Relaxed),
        )
    }
}
