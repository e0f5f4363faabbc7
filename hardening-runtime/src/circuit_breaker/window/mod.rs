//! The results that rates are taken over: those of the last while, or the last N calls.
//!
//! Both windows slide, and both are of fixed size, allocated when a policy first asks for them. The
//! results of an earlier generation of the circuit are not seen: a circuit that closes begins anew.

mod calls;
mod own;
mod time;

#[cfg(all(test, hardening_loom))]
mod model;

use super::rules;
use crate::{clock::Moment, config::CircuitBreakerPolicy as Policy, seat};
use calls::CallWindow;
pub(super) use calls::last_calls;
use std::sync::OnceLock;
use time::TimeWindow;

/// What a call did, as a window keeps it. Neutral results are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Success,
    Slow,
    Failure,
}

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) calls: u64,
    pub(crate) failures: u64,
    pub(crate) slow: u64,
}

/// The windows of one circuit.
#[derive(Default)]
pub(super) struct Windows {
    time: OnceLock<Box<TimeWindow>>,
    calls: OnceLock<Box<CallWindow>>,
}

impl Windows {
    /// Keeps a success of this generation, if it is one of so many in a window by time that it decides
    /// nothing; says whether it did.
    #[inline]
    pub(super) fn keep_one_of_many(&self, policy: &Policy, generation: u64, now: Moment) -> bool {
        let required = u64::from(policy.minimum_calls);
        let (window, seat) = (policy.window, seat::mine());
        let keep =
            |time: &TimeWindow| time.add_one_of_many(window, generation, now, required, seat);
        policy.window_calls.is_none() && self.time.get().is_some_and(|time| keep(time))
    }

    /// Keeps a result of this generation. Returns what the window holds when that may open the
    /// circuit: after a failure or a slow call, and after the call that completes `minimum_calls`.
    /// No other success can raise a rate, so none has to look.
    #[inline]
    pub(super) fn record(
        &self,
        policy: &Policy,
        generation: u64,
        kept: Kept,
        now: impl FnOnce() -> Moment,
    ) -> Option<Counts> {
        let required = rules::required_calls(policy);
        if let Some(n) = policy.window_calls {
            return self.last_calls().record(n, generation, kept, required);
        }
        let (window, seat) = (policy.window, seat::mine());
        self.time()
            .record(window, generation, kept, now(), required, seat)
    }

    /// What the window holds, none if the policy takes no rates.
    pub(super) fn counts(&self, policy: &Policy, generation: u64, now: Moment) -> Option<Counts> {
        if !rules::takes_rates(policy) {
            return None;
        }
        let counts = match policy.window_calls {
            Some(n) => self.calls.get().map(|window| window.counts(n, generation)),
            None => self
                .time
                .get()
                .map(|window| window.counts(policy.window, generation, now)),
        };
        Some(counts.unwrap_or_default())
    }

    fn time(&self) -> &TimeWindow {
        self.time.get_or_init(Box::default)
    }

    fn last_calls(&self) -> &CallWindow {
        self.calls.get_or_init(Box::default)
    }
}
