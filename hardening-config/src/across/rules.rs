//! The arithmetic: policies go in, what comes of them together goes out. Nothing here knows where a
//! value was written.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::policy::{CircuitBreakerPolicy, RateLimitPolicy, RetryPolicy, Scope};

/// How long the waits are taken to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// As their jitter draws them on average.
    Mean,
    /// As long as their jitter can draw them.
    Longest,
}

/// What a call's retries come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Course {
    /// With waits of this length.
    pub(super) waits: Waits,
    /// Attempts and waits together.
    pub(super) total: Duration,
    /// How many attempts, from the first on, are over in time.
    pub(super) in_time: u32,
}

/// Whether a call timeout leaves time for retries.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// For all of them.
    Whole,
    /// Not for all of them, with mean waits if these are too long already.
    Partial(Course),
    /// The first wait, at its shortest, lasts until the call is over.
    Never(Duration),
}

/// How the retries of `retry`, with attempts of at most `attempt`, fit into a call of `call`.
pub(super) fn fit(retry: &RetryPolicy, call: Duration, attempt: Option<Duration>) -> Fit {
    if retry.max_attempts < 2 {
        return Fit::Whole;
    }
    let shortest = retry.shortest_wait(1);
    if shortest >= call {
        return Fit::Never(shortest);
    }
    let attempt = attempt.unwrap_or_default();
    let mut courses = [Waits::Mean, Waits::Longest]
        .map(|waits| course(retry, call, attempt, waits))
        .into_iter();
    let too_long = courses.find(|course| course.total > call);
    too_long.map_or(Fit::Whole, Fit::Partial)
}

fn course(retry: &RetryPolicy, call: Duration, attempt: Duration, waits: Waits) -> Course {
    let (mut total, mut in_time) = (attempt, u32::from(attempt <= call));
    for wait in waits.of(retry) {
        let next = total.saturating_add(wait);
        // No wait begins that would end after `max_elapsed`.
        if let Some(max) = retry.max_elapsed.filter(|max| next > *max) {
            if waits == Waits::Longest {
                // A shorter wait may still end just then, and an attempt begin.
                total = total.max(max.saturating_add(attempt));
            }
            break;
        }
        total = next.saturating_add(attempt);
        in_time += u32::from(total <= call);
    }
    Course {
        waits,
        total,
        in_time,
    }
}

impl Waits {
    /// Those of one call, in order.
    pub(super) fn of(self, retry: &RetryPolicy) -> Vec<Duration> {
        match self {
            Self::Mean => retry.mean_waits().collect(),
            Self::Longest => retry.longest_waits().collect(),
        }
    }
}

/// How many attempts of one call open the circuit inside of the retry, when all fail and those after
/// them are sure to be refused: no wait lasts until the circuit admits a probe.
pub(super) fn refused_after(retry: &RetryPolicy, breaker: &CircuitBreakerPolicy) -> Option<u32> {
    let opened = breaker.failure_threshold;
    let left = retry
        .max_attempts
        .checked_sub(opened)
        .filter(|left| *left > 0)?;
    // The wait that is under way may be long enough. Else the next attempt is refused, and waits for
    // the circuit when that is within `max_delay`, if there is another attempt to wait for.
    let waited = retry.longest_wait(opened);
    let still_open = breaker.open_for.saturating_sub(waited);
    let waits_for_it = still_open <= retry.max_delay && left > 1;
    (!still_open.is_zero() && !waits_for_it).then_some(opened)
}

/// The most calls that reach the circuit within its window, each admitted one making `attempts`.
/// `None` when nothing bounds them for sure: a limit for each key bounds no total.
pub(super) fn most_calls(limit: &RateLimitPolicy, window: Duration, attempts: u32) -> Option<u64> {
    let global = limit
        .limits
        .iter()
        .filter(|limit| limit.scope == Scope::Global);
    let admitted = global.map(|limit| {
        // A full bucket, and what flows in meanwhile.
        let refilled =
            u128::from(limit.capacity) * window.as_nanos() / limit.window.as_nanos().max(1);
        u64::try_from(refilled).map_or(u64::MAX, |more| more.saturating_add(limit.capacity.into()))
    });
    Some(admitted.min()?.saturating_mul(attempts.into()))
}
