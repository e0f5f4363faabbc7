//! RED figures of one annotated function: rate, errors, duration, always on.
//!
//! Calls are counted by what they came to ([`Outcome`]): the kinds are disjoint, so they sum to the
//! calls. Beside them stands what happened inside of them ([`Event`]). Durations go into a
//! histogram with a known error ([`Durations`]).
//!
//! # Cost
//!
//! A locked instruction costs several nanoseconds, and five times that when two threads share the
//! counter. So each of the first four threads of the program that call has a shard of its own, which it
//! writes with plain loads and stores, and hands on when it ends; the threads beyond share two more,
//! with atomic adds. A call that succeeds at once writes five words (begun, duration, its bucket,
//! attempts, outcome) on two cache lines: 4 ns for a thread that is alone, 35 to 40 for one that
//! shares its shard with another or none. Nothing is allocated and no lock taken. Reading sums the
//! shards, in about 1.5 µs.
//!
//! # For others to read
//!
//! [`prometheus`] and [`json`] make text of [`snapshot()`](crate::snapshot) for the world outside.
//!
//! # Memory
//!
//! Fixed: 2.6 KiB per shard, allocated when a thread of that shard first calls the function, and at
//! most six shards: 16 KiB. A function that is never called takes 112 bytes.

mod counters;
mod histogram;
mod snapshot;

#[cfg(all(test, hardening_loom))]
mod model;
#[cfg(all(test, not(hardening_loom)))]
mod tests;

// They are made of the whole program's state, a floor further up.
pub use crate::expose::{
    BUCKET_LIMITS, Cache, DurationSeconds, Figures, PROMETHEUS_CONTENT_TYPE, Queue, Requests,
    Summary, json, prometheus, prometheus_of_health,
};
pub use histogram::Durations;
pub use snapshot::{Latency, RejectedBy, SiteFigures, WouldHave};

use crate::{
    clock,
    outcome::{Failure, Rejected},
    seat::{self, SHARDS},
};
use counters::{Shard, Writer};
use std::{
    array, fmt,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

/// What a call came to, before a fallback. Every call that ended is exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It returned a value, the body's or a remembered one.
    Success,
    /// It returned the body's own error.
    Error,
    /// It returned [`Rejected::RateLimited`].
    RateLimited,
    /// It returned [`Rejected::CircuitOpen`].
    CircuitOpen,
    /// It returned [`Rejected::BulkheadFull`].
    BulkheadFull,
    /// It returned [`Rejected::TimedOut`].
    TimedOut,
    /// It returned [`Rejected::LoadFailed`].
    LoadFailed,
    /// Its body panicked.
    Panicked,
    /// Its caller went away before it ended.
    Dropped,
}

impl Outcome {
    const COUNT: usize = Self::Dropped as usize + 1;

    /// Its name in figures, such as `rate_limited`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::RateLimited => "rate_limited",
            Self::CircuitOpen => "circuit_open",
            Self::BulkheadFull => "bulkhead_full",
            Self::TimedOut => "timed_out",
            Self::LoadFailed => "load_failed",
            Self::Panicked => "panicked",
            Self::Dropped => "dropped",
        }
    }

    /// What a call that ends with `result` came to.
    pub const fn of<T, E>(result: &Result<T, Failure<E>>) -> Self {
        match result {
            Ok(_) => Self::Success,
            Err(Failure::Error(_)) => Self::Error,
            Err(Failure::Panicked(_)) => Self::Panicked,
            Err(Failure::Answered) => Self::Dropped, // only within a call
            Err(Failure::Rejected(rejected)) => Self::rejected(rejected),
        }
    }

    const fn rejected(rejected: &Rejected) -> Self {
        match rejected {
            Rejected::RateLimited { .. } => Self::RateLimited,
            Rejected::CircuitOpen { .. } => Self::CircuitOpen,
            Rejected::BulkheadFull { .. } => Self::BulkheadFull,
            Rejected::TimedOut { .. } => Self::TimedOut,
            Rejected::LoadFailed { .. } => Self::LoadFailed,
        }
    }
}

/// A layer that can refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The rate limit.
    RateLimit,
    /// The circuit breaker.
    CircuitBreaker,
    /// The bulkhead.
    Bulkhead,
    /// The timeout, of the call or of an attempt.
    Timeout,
}

impl Layer {
    /// Its name in events and figures.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RateLimit => "rate_limit",
            Self::CircuitBreaker => "circuit_breaker",
            Self::Bulkhead => "bulkhead",
            Self::Timeout => "timeout",
        }
    }
}

/// What happened inside of a call, counted when it happens, whatever the call comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// An attempt after the first began.
    Retry,
    /// The fallback answered in the function's place; the call's outcome is what it answered for.
    Fallback,
    /// The cache had a result that was good.
    CacheHit,
    /// It had none. Hits and misses together are the look-ups.
    CacheMiss,
    /// Of the misses: one that got the last good result, because the run failed or was refused.
    CacheStale,
    /// Of the misses: one that got the result of another caller's run.
    CacheCoalesced,
    /// A layer refused, also when a retry or the fallback hid it from the caller.
    Rejected(Layer),
    /// The rate limit let a call through that it would have rejected: `mode: observe`.
    LimitObserved,
    /// The rate limit let a call through at once that would have had to wait: `mode: observe`.
    WaitObserved,
    /// The circuit breaker let a call through that it would have rejected: `mode: observe`.
    CircuitObserved,
}

impl Event {
    const COUNT: usize = Self::CircuitObserved.index() + 1;

    /// The refusal, as an event; none for a failed load, which no layer refused.
    #[must_use]
    pub const fn rejected(rejected: &Rejected) -> Option<Self> {
        Some(Self::Rejected(match rejected {
            Rejected::RateLimited { .. } => Layer::RateLimit,
            Rejected::CircuitOpen { .. } => Layer::CircuitBreaker,
            Rejected::BulkheadFull { .. } => Layer::Bulkhead,
            Rejected::TimedOut { .. } => Layer::Timeout,
            Rejected::LoadFailed { .. } => return None,
        }))
    }

    const fn index(self) -> usize {
        match self {
            Self::Retry => 0,
            Self::Fallback => 1,
            Self::CacheHit => 2,
            Self::CacheMiss => 3,
            Self::CacheStale => 4,
            Self::CacheCoalesced => 5,
            Self::Rejected(layer) => 6 + layer as usize,
            Self::LimitObserved => 10,
            Self::WaitObserved => 11,
            Self::CircuitObserved => 12,
        }
    }
}

/// The figures of one annotated function; made to be a `static`.
///
/// ```
/// # use hardening_runtime as hardening;
/// use hardening::metrics::{Outcome, SiteMetrics};
/// use std::time::Duration;
///
/// static SEARCH: SiteMetrics = SiteMetrics::new();
///
/// SEARCH.begin();
/// SEARCH.record(Outcome::Success, Duration::from_millis(20), 1);
/// let figures = SEARCH.snapshot();
/// assert_eq!((figures.calls(), figures.in_flight), (1, 0));
/// ```
pub struct SiteMetrics {
    shards: [OnceLock<Box<Shard>>; SHARDS],
    /// What to take off, since the last reset. The cells themselves are never set back: each has a
    /// writer that does not expect it.
    taken_off: Mutex<Option<Box<SiteFigures>>>,
}

impl SiteMetrics {
    /// Figures that are all zero.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            shards: [const { OnceLock::new() }; SHARDS],
            taken_off: Mutex::new(None),
        }
    }

    /// A call began. It is in flight until it is [recorded](Self::record), by any thread.
    #[inline]
    pub fn begin(&self) {
        let writer = self.writer();
        writer.add(&writer.shard.begun, 1);
    }

    /// A call that [began](Self::begin) ended as `outcome`, after `elapsed` and `attempts` runs of
    /// the body (none if a layer refused it, or its result was remembered).
    #[inline]
    pub fn record(&self, outcome: Outcome, elapsed: Duration, attempts: u32) {
        self.record_nanos(outcome, clock::nanos(elapsed), attempts);
    }

    /// [`record`](Self::record), with the time in nanoseconds.
    #[inline]
    pub fn record_nanos(&self, outcome: Outcome, elapsed: u64, attempts: u32) {
        self.writer().record(outcome, elapsed, attempts);
    }

    /// Something happened inside of a call.
    #[inline]
    pub fn count(&self, event: Event) {
        let writer = self.writer();
        writer.add(&writer.shard.events[event.index()], 1);
    }

    /// The figures at present. A call that ends meanwhile is in them whole or not yet among the
    /// calls; counts never go down from one snapshot to the next, except by a [`reset`](Self::reset).
    #[must_use]
    pub fn snapshot(&self) -> SiteFigures {
        let taken_off = self.taken_off.lock();
        let figures = self.read();
        match &*taken_off.unwrap_or_else(PoisonError::into_inner) {
            Some(earlier) => figures.since(earlier),
            None => figures,
        }
    }

    /// Begins again at zero. Calls in flight stay in flight.
    pub fn reset(&self) {
        let mut taken_off = (self.taken_off.lock()).unwrap_or_else(PoisonError::into_inner);
        self.shards().for_each(Shard::forget_longest);
        let mut figures = self.read();
        figures.forget_longest();
        *taken_off = Some(Box::new(figures));
    }

    #[inline]
    fn writer(&self) -> Writer<'_> {
        let (index, alone) = seat::mine();
        let shard = match self.shards[index].get() {
            Some(shard) => shard,
            None => self.open(index),
        };
        Writer { shard, alone }
    }

    #[cold]
    fn open(&self, index: usize) -> &Shard {
        self.shards[index].get_or_init(|| Box::new(Shard::new()))
    }

    fn shards(&self) -> impl Iterator<Item = &Shard> {
        self.shards.iter().filter_map(|shard| Some(&**shard.get()?))
    }

    /// The sums over all shards. What a writer writes last is read first: so no call is seen to
    /// have ended that was not seen to begin, or whose duration is missing.
    fn read(&self) -> SiteFigures {
        let outcomes = array::from_fn(|kind| self.sum(|shard| &shard.outcomes[kind]));
        let events = array::from_fn(|kind| self.sum(|shard| &shard.events[kind]));
        let mut durations = Durations::default();
        self.shards().for_each(|shard| shard.add_to(&mut durations));
        let attempts = self.sum(|shard| &shard.attempts);
        let begun = self.sum(|shard| &shard.begun);
        SiteFigures::of(begun, outcomes, events, attempts, durations)
    }

    fn sum(&self, cell: impl Fn(&Shard) -> &counters::Cell) -> u64 {
        (self.shards()).fold(0, |sum, shard| {
            sum.wrapping_add(counters::read(cell(shard)))
        })
    }
}

impl fmt::Debug for SiteMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SiteMetrics").finish_non_exhaustive()
    }
}

impl Default for SiteMetrics {
    fn default() -> Self {
        Self::new()
    }
}
