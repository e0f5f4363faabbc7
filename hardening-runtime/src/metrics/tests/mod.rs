mod kinds;
mod percentiles;
mod threads;

use super::*;

const OUTCOMES: [Outcome; Outcome::COUNT] = [
    Outcome::Success,
    Outcome::Error,
    Outcome::RateLimited,
    Outcome::CircuitOpen,
    Outcome::BulkheadFull,
    Outcome::TimedOut,
    Outcome::LoadFailed,
    Outcome::Panicked,
    Outcome::Dropped,
];

const EVENTS: [Event; Event::COUNT] = [
    Event::Retry,
    Event::Fallback,
    Event::CacheHit,
    Event::CacheMiss,
    Event::CacheStale,
    Event::CacheCoalesced,
    Event::Rejected(Layer::RateLimit),
    Event::Rejected(Layer::CircuitBreaker),
    Event::Rejected(Layer::Bulkhead),
    Event::Rejected(Layer::Timeout),
    Event::LimitObserved,
    Event::WaitObserved,
    Event::CircuitObserved,
];

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn call(metrics: &SiteMetrics, outcome: Outcome, elapsed: Duration) {
    metrics.begin();
    metrics.record(outcome, elapsed, 1);
}
