//! A circuit on trial, `mode: observe`: it opens, probes and closes, and rejects nothing.

use super::{guard::Admitted, prepared::Prepared, state::BreakerState};
use crate::{
    clock::{self, Clock},
    event,
    observed::Observed,
    sync::{AtomicU32, Ordering::Relaxed},
};

/// What a circuit would have done to the calls of the sites that only observe it.
pub(super) struct Trial {
    rejections: Observed,
    /// Whether the circuit is on trial, for its events.
    is_on: AtomicU32,
}

impl Trial {
    pub(super) fn new() -> Self {
        Self {
            rejections: Observed::new(),
            is_on: AtomicU32::new(0),
        }
    }

    pub(super) fn rejections(&self) -> u64 {
        self.rejections.total()
    }
}

impl BreakerState {
    /// [`enter`](Self::enter) in `mode: observe`: a call that would have been rejected is counted, and
    /// goes on without a guard. The circuit does not learn what it comes to, so it opens, probes and
    /// closes by the calls that it would have admitted.
    #[inline]
    pub(crate) fn observe<'a>(
        &'a self,
        policy: &'a Prepared,
        clock: impl Clock,
    ) -> Option<Admitted<'a>> {
        let admitted = self.decide(policy, clock).ok();
        if admitted.is_none() {
            self.count_observed();
        }
        admitted
    }

    #[cold]
    fn count_observed(&self) {
        if let Some(count) = self.trial().rejections.add(clock::now()) {
            event::would_have_rejected(self.name(), "circuit_breaker", count);
        }
    }

    /// Whether it only observes, for its events.
    pub(crate) fn set_observed(&self, observed: bool) {
        self.trial().is_on.store(observed.into(), Relaxed);
    }

    pub(super) fn is_observed(&self) -> bool {
        self.trial().is_on.load(Relaxed) != 0
    }
}
