//! What a circuit shows of itself. Reading changes nothing.

use super::{
    state::{BreakerState, Figures},
    word::Phase,
};
use crate::{clock, config::CircuitBreakerPolicy};
use serde::{Serialize, Serializer};
use std::{fmt, time::Duration};

/// What a circuit does with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It admits them and counts what they come to.
    Closed,
    /// It rejects them. An open circuit whose time is over stays so until a call comes to probe:
    /// reading a state changes nothing.
    Open,
    /// It admits a few as probes.
    HalfOpen,
}

/// The figures of a circuit at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The circuit breaker.
    pub name: &'static str,
    /// What it does with calls.
    pub state: State,
    /// Whether it was told to, and stays so until it is reset.
    pub forced: bool,
    /// How long it has been in this state. Serialised as seconds.
    #[serde(serialize_with = "seconds")]
    pub time_in_state: Duration,
    /// When a call that is rejected now may be admitted: zero when it would be admitted, none while
    /// the circuit is forced open. Serialised as seconds.
    #[serde(serialize_with = "seconds_if_any")]
    pub retry_after: Option<Duration>,
    /// Failures in a row, while closed.
    pub failures_in_a_row: u64,
    /// Probes under way, while half-open.
    pub probes: u64,
    /// What the window holds, while closed; none if the policy takes no rates.
    pub window: Option<WindowCounts>,
    /// How often the circuit has opened.
    pub opened: u64,
    /// How many calls it has rejected.
    pub rejected: u64,
    /// How many it would have rejected, and let through: `mode: observe`.
    pub would_have_rejected: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

#[allow(clippy::ref_option)] // serde's signature
fn seconds_if_any<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    duration.map(|it| it.as_secs_f64()).serialize(serializer)
}

/// The results that a circuit's rates are taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WindowCounts {
    /// Calls that succeeded or failed.
    pub calls: u64,
    /// Those that failed.
    pub failures: u64,
    /// Those that succeeded slowly.
    pub slow: u64,
}

impl BreakerState {
    /// All figures of the circuit under `policy` at present.
    pub(crate) fn snapshot(&self, policy: &CircuitBreakerPolicy) -> Snapshot {
        let figures = self.figures(policy, clock::now());
        Snapshot::of(self.name(), figures)
    }

    /// What the circuit does with calls at present.
    #[inline]
    pub(crate) fn state(&self) -> State {
        State::of(self.phase())
    }
}

impl Snapshot {
    fn of(name: &'static str, figures: Figures) -> Self {
        let (failures_in_a_row, probes) = match figures.phase {
            Phase::Closed { failures, .. } => (failures, 0),
            Phase::HalfOpen(probes) => (0, probes.in_flight),
            _ => (0, 0),
        };
        Self {
            name,
            state: State::of(figures.phase),
            forced: matches!(figures.phase, Phase::ForcedOpen | Phase::ForcedClosed),
            time_in_state: figures.time_in_state,
            retry_after: figures.retry_after,
            failures_in_a_row,
            probes,
            window: figures.window.map(|counts| WindowCounts {
                calls: counts.calls,
                failures: counts.failures,
                slow: counts.slow,
            }),
            opened: figures.opened,
            rejected: figures.rejected,
            would_have_rejected: figures.would_have_rejected,
        }
    }
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::HalfOpen];

    /// Its name in figures and events: `closed`, `open` or `half-open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }

    const fn of(phase: Phase) -> Self {
        match phase {
            Phase::Closed { .. } | Phase::ForcedClosed => Self::Closed,
            Phase::Open { .. } | Phase::ForcedOpen => Self::Open,
            Phase::HalfOpen(_) => Self::HalfOpen,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
