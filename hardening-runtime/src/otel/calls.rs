//! What calls came to, by function.

use super::{
    instruments::{Instrument, signed},
    reading::Told,
};
use crate::metrics::{Layer, SiteFigures};
use opentelemetry::KeyValue;
use std::time::Duration;

/// What only grows.
pub(super) const COUNTERS: [Instrument<u64>; 10] = [
    (
        "hardening.calls",
        "{call}",
        "Calls that ended, by what they came to before a fallback",
        calls,
    ),
    (
        "hardening.attempts",
        "{attempt}",
        "Runs of the body, by calls that ended",
        |told, tell| each(told, tell, |figures| figures.attempts),
    ),
    (
        "hardening.retries",
        "{attempt}",
        "Attempts after the first",
        |told, tell| each(told, tell, |figures| figures.retries),
    ),
    (
        "hardening.fallbacks",
        "{call}",
        "Calls that the fallback answered",
        |told, tell| each(told, tell, |figures| figures.fallbacks),
    ),
    (
        "hardening.rejections",
        "{rejection}",
        "Refusals by each layer, hidden ones too",
        rejections,
    ),
    (
        "hardening.observed_rejections",
        "{rejection}",
        "What layers in `mode: observe` would have refused",
        observed_rejections,
    ),
    (
        "hardening.observed_waits",
        "{call}",
        "Calls that a rate limit in `mode: observe` would have made wait",
        |told, tell| each(told, tell, |figures| figures.would_have.waited),
    ),
    (
        "hardening.cache.lookups",
        "{lookup}",
        "Look-ups in the cache",
        lookups,
    ),
    (
        "hardening.cache.stale",
        "{call}",
        "Misses that got the last good result, because the run failed",
        |told, tell| each(told, tell, |figures| figures.cache_stale),
    ),
    (
        "hardening.cache.coalesced",
        "{call}",
        "Misses that got the result of another caller's run",
        |told, tell| each(told, tell, |figures| figures.cache_coalesced),
    ),
];

/// What goes up and down, and adds up.
pub(super) const LEVELS: [Instrument<i64>; 1] = [(
    "hardening.active_calls",
    "{call}",
    "Calls that have begun and not ended",
    |told, tell| {
        for (path, figures) in &told.sites {
            tell(signed(figures.in_flight), &[at(path)]);
        }
    },
)];

/// What does not add up.
pub(super) const GAUGES: [Instrument<f64>; 1] = [(
    "hardening.call.duration",
    "s",
    "How long calls took since start, whatever they came to",
    durations,
)];

fn at(path: &str) -> KeyValue {
    KeyValue::new("hardening.site", path.to_owned())
}

fn each(told: &Told, tell: &mut dyn FnMut(u64, &[KeyValue]), figure: fn(&SiteFigures) -> u64) {
    for (path, figures) in &told.sites {
        tell(figure(figures), &[at(path)]);
    }
}

fn calls(told: &Told, tell: &mut dyn FnMut(u64, &[KeyValue])) {
    for (path, figures) in &told.sites {
        for (outcome, count) in figures.by_outcome() {
            let outcome = KeyValue::new("hardening.outcome", outcome.as_str());
            tell(count, &[at(path), outcome]);
        }
    }
}

fn by(layer: Layer) -> KeyValue {
    KeyValue::new("hardening.layer", layer.as_str())
}

fn rejections(told: &Told, tell: &mut dyn FnMut(u64, &[KeyValue])) {
    for (path, figures) in &told.sites {
        let rejected = &figures.rejected_by;
        for (layer, count) in [
            (Layer::RateLimit, rejected.rate_limit),
            (Layer::CircuitBreaker, rejected.circuit_breaker),
            (Layer::Bulkhead, rejected.bulkhead),
            (Layer::Timeout, rejected.timeout),
        ] {
            tell(count, &[at(path), by(layer)]);
        }
    }
}

fn observed_rejections(told: &Told, tell: &mut dyn FnMut(u64, &[KeyValue])) {
    for (path, figures) in &told.sites {
        let would_have = &figures.would_have;
        tell(would_have.rate_limited, &[at(path), by(Layer::RateLimit)]);
        let circuit = by(Layer::CircuitBreaker);
        tell(would_have.circuit_open, &[at(path), circuit]);
    }
}

fn lookups(told: &Told, tell: &mut dyn FnMut(u64, &[KeyValue])) {
    for (path, figures) in &told.sites {
        for (result, count) in [("hit", figures.cache_hits), ("miss", figures.cache_misses)] {
            let result = KeyValue::new("hardening.cache.result", result);
            tell(count, &[at(path), result]);
        }
    }
}

fn durations(told: &Told, tell: &mut dyn FnMut(f64, &[KeyValue])) {
    for (path, figures) in &told.sites {
        let latency = &figures.latency;
        for (statistic, duration) in [
            ("avg", latency.avg),
            ("p50", latency.p50),
            ("p95", latency.p95),
            ("p99", latency.p99),
            ("max", latency.max),
        ] {
            let statistic = KeyValue::new("hardening.statistic", statistic);
            tell(Duration::as_secs_f64(&duration), &[at(path), statistic]);
        }
    }
}
