//! The rules, as pure functions: what a circuit does next, from what it has counted.

use super::{
    signal::Signal,
    window::{self, Counts},
    word::{MOST_PROBES, Phase, Probes, once_more},
};
use crate::{clock::Moment, config::CircuitBreakerPolicy as Policy};
use std::{fmt, time::Duration};

/// What a rejected caller is told while all probes are under way: how long they take is not known,
/// so it is only told when it is worth asking again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Whether a call may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// It may.
    Admit,
    /// It may as a probe of the present generation, which becomes this.
    Join(Phase),
    /// It may as the first probe of a new generation.
    Probe(Phase),
    /// It may not; the time after which it is worth asking again, if it is known.
    Reject(Option<Duration>),
}

/// What a result makes of the circuit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// The same generation with these counts; often the counts that it has.
    Count(Phase),
    Open {
        reopened: u64,
        reason: Reason,
    },
    Close,
}

/// Why a circuit opens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reason {
    Failures(u64),
    FailureRate(Counts),
    SlowCallRate(Counts),
    Drops(u64),
    ProbeFailed,
    ProbeSlow,
    ProbesDropped(u64),
    Forced,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failures(count) => write!(f, "{count} failures in a row"),
            Self::FailureRate(counts) => {
                write!(f, "{} of {} calls failed", counts.failures, counts.calls)
            }
            Self::SlowCallRate(counts) => {
                write!(f, "{} of {} calls were slow", counts.slow, counts.calls)
            }
            Self::Drops(count) => write!(f, "{count} calls in a row dropped by their callers"),
            Self::ProbeFailed => f.write_str("a probe failed"),
            Self::ProbeSlow => f.write_str("a probe was slow"),
            Self::ProbesDropped(count) => {
                write!(f, "{count} probes in a row dropped by their callers")
            }
            Self::Forced => f.write_str("forced"),
        }
    }
}

/// Whether a call that comes now may begin. `opened_at` is read while open, `probed_at` (when the
/// last probe began) while half-open.
pub(super) fn enter(
    phase: Phase,
    policy: &Policy,
    now: Moment,
    opened_at: Moment,
    probed_at: Moment,
) -> Entry {
    match phase {
        Phase::Closed { .. } | Phase::ForcedClosed => Entry::Admit,
        Phase::ForcedOpen => Entry::Reject(None),
        Phase::Open { reopened } => {
            let left = left(now, opened_at, open_period(policy, reopened));
            if left.is_zero() {
                Entry::Probe(Phase::HalfOpen(Probes::first(reopened)))
            } else {
                Entry::Reject(Some(left))
            }
        }
        Phase::HalfOpen(probes) => probe(probes, policy, now, probed_at),
    }
}

/// All places are given anew once nothing has come of them for as long as the circuit was open: a
/// probe that never returns does not hold the circuit for ever.
fn probe(probes: Probes, policy: &Policy, now: Moment, probed_at: Moment) -> Entry {
    if probes.in_flight < at_most(policy.half_open_calls) {
        return Entry::Join(Phase::HalfOpen(probes.admit(probes.in_flight + 1)));
    }
    let left = left(now, probed_at, open_period(policy, probes.reopened));
    if left.is_zero() {
        Entry::Probe(Phase::HalfOpen(probes.admit(1)))
    } else {
        Entry::Reject(Some(left.min(ASK_AGAIN)))
    }
}

/// What a result of the present generation makes of the circuit, rates aside.
pub(super) fn after(phase: Phase, signal: Signal, slow: bool, policy: &Policy) -> Step {
    match phase {
        Phase::Closed { failures, drops } => after_call(failures, drops, signal, policy),
        Phase::HalfOpen(probes) => after_probe(probes, signal, slow, policy),
        Phase::Open { .. } | Phase::ForcedOpen | Phase::ForcedClosed => Step::Count(phase),
    }
}

fn after_call(failures: u64, drops: u64, signal: Signal, policy: &Policy) -> Step {
    let threshold = u64::from(policy.failure_threshold.max(1));
    let open = |reason| Step::Open {
        reopened: 0,
        reason,
    };
    let (failures, drops) = match signal {
        Signal::Success => (0, 0),
        Signal::Neutral => (failures, 0),
        Signal::Failure if failures + 1 >= threshold => return open(Reason::Failures(threshold)),
        Signal::Failure => (counted(failures), 0),
        Signal::Dropped if drops + 1 >= drops_that_count(policy) => {
            return open(Reason::Drops(drops + 1));
        }
        Signal::Dropped => (failures, counted(drops)),
    };
    Step::Count(Phase::Closed { failures, drops })
}

fn after_probe(probes: Probes, signal: Signal, slow: bool, policy: &Policy) -> Step {
    let open = |reason| Step::Open {
        reopened: once_more(probes.reopened),
        reason,
    };
    let (succeeded, drops) = match signal {
        Signal::Failure => return open(Reason::ProbeFailed),
        Signal::Success if slow => return open(Reason::ProbeSlow),
        Signal::Success if probes.succeeded + 1 >= at_most(policy.success_threshold) => {
            return Step::Close;
        }
        Signal::Dropped if probes.drops + 1 >= drops_that_count(policy).min(MOST_PROBES) => {
            return open(Reason::ProbesDropped(probes.drops + 1));
        }
        Signal::Success => (probes.succeeded + 1, 0),
        Signal::Neutral => (probes.succeeded, 0),
        Signal::Dropped => (probes.succeeded, probes.drops + 1),
    };
    Step::Count(Phase::HalfOpen(Probes {
        in_flight: probes.in_flight.saturating_sub(1),
        succeeded,
        drops,
        ..probes
    }))
}

/// So many drops in a row count as failures. Never one alone: that callers go away is as a rule their own
/// doing, and says nothing of the dependency.
fn drops_that_count(policy: &Policy) -> u64 {
    u64::from(policy.failure_threshold).max(2)
}

/// Whether the window says that the circuit must open.
pub(super) fn tripped(policy: &Policy, counts: Counts) -> Option<Reason> {
    if counts.calls < required_calls(policy) {
        return None;
    }
    let reaches =
        |part: u64, rate: Option<f64>| rate.is_some_and(|rate| share(part, counts.calls) >= rate);
    if counts.failures > 0 && reaches(counts.failures, policy.failure_rate) {
        Some(Reason::FailureRate(counts))
    } else if counts.slow > 0
        && slow_call(policy).is_some()
        && reaches(counts.slow, policy.slow_call_rate)
    {
        Some(Reason::SlowCallRate(counts))
    } else {
        None
    }
}

/// Calls that the window must hold before a rate counts: `minimum_calls`, or all of the last N
/// calls where that is less, lest the rate never count.
pub(super) fn required_calls(policy: &Policy) -> u64 {
    let window = policy.window_calls.map_or(u64::MAX, window::last_calls);
    u64::from(policy.minimum_calls).clamp(1, window)
}

/// Whether results are kept in a window at all.
#[inline]
pub(super) const fn takes_rates(policy: &Policy) -> bool {
    policy.failure_rate.is_some() || slow_call(policy).is_some()
}

/// Whether it takes the present to keep a result: a window of calls needs none, unless some are slow.
pub(super) const fn times_results(policy: &Policy) -> bool {
    policy.window_calls.is_none() || slow_call(policy).is_some()
}

/// What makes a success slow, if slow calls count.
#[inline]
pub(super) const fn slow_call(policy: &Policy) -> Option<Duration> {
    match policy.slow_call_rate {
        Some(_) => policy.slow_call,
        None => None,
    }
}

/// How long the circuit stays open after it opened again `reopened` times in a row.
#[inline]
pub(super) fn open_period(policy: &Policy, reopened: u64) -> Duration {
    if reopened == 0 || policy.open_for_multiplier.is_nan() || policy.open_for_multiplier <= 1.0 {
        policy.open_for
    } else {
        grown_period(policy, reopened)
    }
}

fn grown_period(policy: &Policy, reopened: u64) -> Duration {
    let cap = policy.open_for_max.max(policy.open_for);
    let factor = policy.open_for_multiplier.powf(reopened as f64);
    let grown = policy.open_for.as_secs_f64() * factor;
    Duration::try_from_secs_f64(grown).map_or(cap, |grown| grown.min(cap))
}

pub(super) fn left(now: Moment, since: Moment, period: Duration) -> Duration {
    period.saturating_sub(now.since(since))
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

const fn counted(count: u64) -> u64 {
    if count < super::word::MOST_FAILURES {
        count + 1
    } else {
        count
    }
}

/// A number of probes as the state can hold it.
fn at_most(setting: u32) -> u64 {
    u64::from(setting).clamp(1, MOST_PROBES)
}
