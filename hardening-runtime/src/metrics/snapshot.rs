//! A site's figures as plain data: to show, to add up, and to take the difference of.

use super::{Durations, Event, Layer, Outcome};
use serde::{Serialize, Serializer};
use std::time::Duration;

/// The figures of one annotated function at one moment, or of several together.
///
/// The first nine are the calls that ended, by what they came to before a fallback: each call is one
/// of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SiteFigures {
    /// Calls that returned a value, the body's or a remembered one.
    pub success: u64,
    /// Calls that returned the body's own error.
    pub error: u64,
    /// Calls that the rate limit refused.
    pub rate_limited: u64,
    /// Calls that the circuit breaker refused.
    pub circuit_open: u64,
    /// Calls that the bulkhead refused.
    pub bulkhead_full: u64,
    /// Calls that took too long, or whose last attempt did.
    pub timed_out: u64,
    /// Calls that waited for another caller's run, which failed.
    pub load_failed: u64,
    /// Calls whose body panicked.
    pub panicked: u64,
    /// Calls whose caller went away.
    pub dropped: u64,
    /// Calls that have begun and not ended.
    pub in_flight: u64,
    /// Runs of the body, by calls that ended.
    pub attempts: u64,
    /// Attempts after the first, also by calls in flight.
    pub retries: u64,
    /// Calls that the fallback answered, whatever they came to before.
    pub fallbacks: u64,
    /// Look-ups for which the cache had a good result.
    pub cache_hits: u64,
    /// Look-ups for which it had none.
    pub cache_misses: u64,
    /// Of the misses, those that got the last good result, because the run failed.
    pub cache_stale: u64,
    /// Of the misses, those that got the result of another caller's run.
    pub cache_coalesced: u64,
    /// Refusals by each layer, also those that a retry or the fallback hid from the caller.
    pub rejected_by: RejectedBy,
    /// What the layers in `mode: observe` let through.
    pub would_have: WouldHave,
    /// How long the calls took, whatever they came to.
    pub latency: Latency,
    /// What [`latency`](Self::latency) is taken from.
    #[serde(skip)]
    pub durations: Durations,
}

/// How often each layer refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RejectedBy {
    /// The rate limit.
    pub rate_limit: u64,
    /// The circuit breaker.
    pub circuit_breaker: u64,
    /// The bulkhead.
    pub bulkhead: u64,
    /// The timeout, of the call or of an attempt.
    pub timeout: u64,
}

/// What the layers in `mode: observe` would have done, and did not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WouldHave {
    /// Calls that the rate limit would have rejected.
    pub rate_limited: u64,
    /// Calls that the rate limit would have made wait, some of them in vain.
    pub waited: u64,
    /// Calls that the circuit breaker would have rejected.
    pub circuit_open: u64,
}

/// How long calls took; all zero while none has ended. Serialised as seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Latency {
    /// On average; exact.
    #[serde(serialize_with = "seconds")]
    pub avg: Duration,
    /// Half of all took no longer; within 6 %.
    #[serde(serialize_with = "seconds")]
    pub p50: Duration,
    /// 95 % took no longer; within 6 %.
    #[serde(serialize_with = "seconds")]
    pub p95: Duration,
    /// 99 % took no longer; within 6 %.
    #[serde(serialize_with = "seconds")]
    pub p99: Duration,
    /// The longest; exact.
    #[serde(serialize_with = "seconds")]
    pub max: Duration,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

impl From<&Durations> for Latency {
    fn from(durations: &Durations) -> Self {
        Self {
            avg: durations.average(),
            p50: durations.percentile(50),
            p95: durations.percentile(95),
            p99: durations.percentile(99),
            max: durations.max(),
        }
    }
}

impl SiteFigures {
    pub(super) fn of(
        begun: u64,
        outcomes: [u64; Outcome::COUNT],
        events: [u64; Event::COUNT],
        attempts: u64,
        durations: Durations,
    ) -> Self {
        let outcome = |kind: Outcome| outcomes[kind as usize];
        let event = |kind: Event| events[kind.index()];
        let rejected = |layer: Layer| event(Event::Rejected(layer));
        Self {
            success: outcome(Outcome::Success),
            error: outcome(Outcome::Error),
            rate_limited: outcome(Outcome::RateLimited),
            circuit_open: outcome(Outcome::CircuitOpen),
            bulkhead_full: outcome(Outcome::BulkheadFull),
            timed_out: outcome(Outcome::TimedOut),
            load_failed: outcome(Outcome::LoadFailed),
            panicked: outcome(Outcome::Panicked),
            dropped: outcome(Outcome::Dropped),
            in_flight: begun.saturating_sub(outcomes.iter().sum()),
            attempts,
            retries: event(Event::Retry),
            fallbacks: event(Event::Fallback),
            cache_hits: event(Event::CacheHit),
            cache_misses: event(Event::CacheMiss),
            cache_stale: event(Event::CacheStale),
            cache_coalesced: event(Event::CacheCoalesced),
            rejected_by: RejectedBy {
                rate_limit: rejected(Layer::RateLimit),
                circuit_breaker: rejected(Layer::CircuitBreaker),
                bulkhead: rejected(Layer::Bulkhead),
                timeout: rejected(Layer::Timeout),
            },
            would_have: WouldHave {
                rate_limited: event(Event::LimitObserved),
                waited: event(Event::WaitObserved),
                circuit_open: event(Event::CircuitObserved),
            },
            latency: Latency::from(&durations),
            durations,
        }
    }

    /// The calls that ended, by what they came to: disjoint, and together all of them.
    #[must_use]
    pub const fn by_outcome(&self) -> [(Outcome, u64); Outcome::COUNT] {
        [
            (Outcome::Success, self.success),
            (Outcome::Error, self.error),
            (Outcome::RateLimited, self.rate_limited),
            (Outcome::CircuitOpen, self.circuit_open),
            (Outcome::BulkheadFull, self.bulkhead_full),
            (Outcome::TimedOut, self.timed_out),
            (Outcome::LoadFailed, self.load_failed),
            (Outcome::Panicked, self.panicked),
            (Outcome::Dropped, self.dropped),
        ]
    }

    /// Calls that ended.
    #[must_use]
    pub const fn calls(&self) -> u64 {
        self.success + self.errors() + self.dropped
    }

    /// Calls that failed, also when a fallback answered them: all but the successful and the dropped
    /// ones.
    #[must_use]
    pub const fn errors(&self) -> u64 {
        self.error + self.panicked + self.rejections()
    }

    /// Calls that returned a [`Rejected`](crate::Rejected).
    #[must_use]
    pub const fn rejections(&self) -> u64 {
        let refused = self.rate_limited + self.circuit_open + self.bulkhead_full;
        refused + self.timed_out + self.load_failed
    }

    /// The part of the calls that are [errors](Self::errors), 0 to 1; 0 while there are no calls.
    #[must_use]
    pub fn error_rate(&self) -> f64 {
        ratio(self.errors(), self.calls())
    }

    /// The part of the look-ups that are hits, 0 to 1; 0 while there are none.
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        ratio(self.cache_hits, self.cache_hits + self.cache_misses)
    }

    /// Adds another site's figures to these.
    pub fn merge(&mut self, other: &Self) {
        self.each_count(other, u64::saturating_add);
        self.in_flight = self.in_flight.saturating_add(other.in_flight);
        self.durations.merge(&other.durations);
        self.latency = Latency::from(&self.durations);
    }

    /// What came since `earlier`, a snapshot of the same site: the figures of a period. Calls in
    /// flight are those of now.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut period = self.clone();
        period.each_count(earlier, u64::saturating_sub);
        period.durations = self.durations.since(&earlier.durations);
        period.latency = Latency::from(&period.durations);
        period
    }

    pub(super) fn forget_longest(&mut self) {
        self.durations.forget_longest();
    }

    /// Puts `of(mine, other)` in the place of each count that only grows.
    fn each_count(&mut self, other: &Self, of: impl Fn(u64, u64) -> u64) {
        macro_rules! each {
            ($($($field:ident).+),+ $(,)?) => {
                $(self.$($field).+ = of(self.$($field).+, other.$($field).+);)+
            };
        }
        each!(success, error, rate_limited, circuit_open, bulkhead_full);
        each!(timed_out, load_failed, panicked, dropped);
        each!(attempts, retries, fallbacks);
        each!(cache_hits, cache_misses, cache_stale, cache_coalesced);
        each!(rejected_by.rate_limit, rejected_by.circuit_breaker);
        each!(rejected_by.bulkhead, rejected_by.timeout);
        each!(would_have.rate_limited, would_have.waited);
        each!(would_have.circuit_open);
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}
