//! What happens to a circuit, and that it is told: after it has happened, and in no lock.

use super::{
    rules::{self, Reason},
    state::BreakerState,
    word::Phase,
};
use crate::{config::CircuitBreakerPolicy as Policy, event};
use std::time::Duration;

/// What happened to the circuit, to be told once it has happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Change {
    /// It opened, for this long; none is until further notice.
    Opened {
        /// For how long.
        open_for: Option<Duration>,
        /// Why.
        reason: Reason,
    },
    /// It admits probes.
    HalfOpened,
    /// It closed.
    Closed,
}

impl Change {
    pub(super) const fn half_opened(before: Phase) -> Option<Self> {
        match before {
            Phase::Open { .. } => Some(Self::HalfOpened),
            _ => None,
        }
    }

    pub(super) const fn closed(before: Phase) -> Option<Self> {
        match before {
            Phase::Closed { .. } | Phase::ForcedClosed => None,
            _ => Some(Self::Closed),
        }
    }

    pub(super) fn opened(policy: &Policy, reopened: u64, reason: Reason) -> Self {
        Self::Opened {
            open_for: Some(rules::open_period(policy, reopened)),
            reason,
        }
    }
}

impl BreakerState {
    #[inline]
    pub(super) fn tell(&self, change: Option<Change>) {
        match change {
            None => {}
            Some(Change::Opened { open_for, reason }) => {
                event::circuit_opened(self.name(), open_for, &reason, self.is_observed());
            }
            Some(Change::HalfOpened) => event::circuit_half_opened(self.name()),
            Some(Change::Closed) => event::circuit_closed(self.name()),
        }
    }
}
