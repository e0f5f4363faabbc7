//! Health checks that the configuration derives from layers: `providers: {ai: {derive: circuit_breaker}}`.
//! The layers know how their dependency is, since they see every call of it.

use crate::{
    bulkhead::BulkheadSnapshot,
    circuit_breaker::{Snapshot as CircuitSnapshot, State},
    config::{Config, Derive, LayerKind},
    health::{Derived, HealthResult, Status},
    live::Live,
    site::{self, Site},
};
use std::{sync::Arc, time::Duration};

/// The checks that `config` derives.
pub(crate) fn checks(config: &Config) -> Vec<Derived> {
    let wanted = wanted(config).into_iter();
    wanted
        .map(|(check, derive, layer)| Derived {
            answer: {
                let layer = layer.clone();
                Arc::new(move || answer(derive, &layer))
            },
            check,
            from: (derive, layer),
        })
        .collect()
}

/// Those of which no function has the layer, a line each.
pub(crate) fn without_a_layer(config: &Config) -> Vec<String> {
    let wanted = wanted(config).into_iter();
    let missing = wanted.filter(|(_, derive, layer)| declaring(*derive, layer).next().is_none());
    missing
        .map(|(check, derive, layer)| {
            let known = site::all().filter(|site| site.layer(kind(derive)).is_some());
            let mut known: Vec<_> = known.map(|site| name_at(site, derive)).collect();
            known.sort();
            known.dedup();
            let what = in_words(derive);
            format!(
                "the health check `{check}` is derived from the {what} `{layer}`, which no function of this program \
                 has: write one of these after `name:` (known: {})",
                known.join(", ")
            )
        })
        .collect()
}

/// Check, kind of layer, and name of the layer.
fn wanted(config: &Config) -> Vec<(String, Derive, String)> {
    let providers = config.health().providers.iter();
    providers
        .filter_map(|(check, provider)| {
            let layer = provider.name.as_ref().unwrap_or(check);
            Some((check.clone(), provider.derive?, layer.clone()))
        })
        .collect()
}

const fn kind(derive: Derive) -> LayerKind {
    match derive {
        Derive::CircuitBreaker => LayerKind::CircuitBreaker,
        Derive::Bulkhead => LayerKind::Bulkhead,
    }
}

const fn in_words(derive: Derive) -> &'static str {
    match derive {
        Derive::CircuitBreaker => "circuit breaker",
        Derive::Bulkhead => "bulkhead",
    }
}

/// What the layer of `site` is called.
fn name_at(site: &Site, derive: Derive) -> String {
    let declared = site.layer(kind(derive)).and_then(|layer| layer.name);
    declared.map_or_else(|| site.path(), str::to_owned)
}

/// The functions that have the layer, by its name or by their path.
fn declaring(derive: Derive, layer: &str) -> impl Iterator<Item = &'static Site> {
    let with = site::all().filter(move |site| site.layer(kind(derive)).is_some());
    with.filter(move |site| name_at(site, derive) == layer || site.path() == layer)
}

/// How the layer is, at present.
fn answer(derive: Derive, layer: &str) -> HealthResult {
    let mut declared = declaring(derive, layer).map(Site::live).peekable();
    if declared.peek().is_none() {
        let what = in_words(derive);
        return HealthResult::degraded(format!(
            "no function of this program has a {what} `{layer}`"
        ));
    }
    declared
        .find_map(|live| of_layer(derive, live))
        .unwrap_or_else(|| HealthResult {
            message: Some("switched off".to_owned()),
            ..HealthResult::healthy()
        })
}

fn of_layer(derive: Derive, live: &Live) -> Option<HealthResult> {
    match derive {
        Derive::CircuitBreaker => live.circuit_breaker.as_ref().map(|layer| {
            let circuit = layer.state.snapshot(&layer.policy);
            of_circuit(&circuit, layer.observe)
        }),
        Derive::Bulkhead => live.bulkhead.as_ref().map(|layer| {
            let bulkhead = layer.state.snapshot(&layer.policy);
            of_bulkhead(&bulkhead)
        }),
    }
}

/// An open circuit is unhealthy until it would admit a probe: from then on it needs calls to find
/// out more, which a service that says it is not ready does not get.
fn of_circuit(circuit: &CircuitSnapshot, observed: bool) -> HealthResult {
    let message = match (circuit.state, circuit.retry_after) {
        (State::Closed, _) => return HealthResult::healthy(),
        (State::HalfOpen, _) => format!("half-open, with {} probes under way", circuit.probes),
        (State::Open, None) => "forced open".to_owned(),
        (State::Open, Some(Duration::ZERO)) => "open; the next call is a probe".to_owned(),
        (State::Open, Some(after)) => {
            let since = circuit.time_in_state;
            format!("open for {since:.0?}, and for {after:.0?} more")
        }
    };
    let rejects = circuit.state == State::Open && circuit.retry_after != Some(Duration::ZERO);
    HealthResult {
        status: if rejects && !observed {
            Status::Unhealthy
        } else {
            Status::Degraded
        },
        message: Some(message),
    }
}

/// A bulkhead is unhealthy while it would reject the next call, and degraded while calls wait.
fn of_bulkhead(bulkhead: &BulkheadSnapshot) -> HealthResult {
    let (running, waiting) = (bulkhead.running, bulkhead.queued.total());
    let (places, queue) = (bulkhead.max_concurrent, bulkhead.max_queue);
    let message = || format!("{running} of {places} places taken, {waiting} of {queue} waiting");
    if running >= places && waiting >= queue {
        HealthResult::unhealthy(message())
    } else if waiting > 0 {
        HealthResult::degraded(message())
    } else {
        HealthResult::healthy()
    }
}
