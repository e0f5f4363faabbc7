//! The figures of `snapshot()` as instruments. Nothing is counted for them: a collection reads what
//! is counted anyway.

use super::reading::Reading;
use crate::{
    Snapshot,
    circuit_breaker::{self, State},
    metrics::{Outcome, SiteFigures},
};
use opentelemetry::{KeyValue, metrics::Meter};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What an instrument tells of a snapshot: values, each with its attributes.
type Tell<T> = fn(&Snapshot, &mut dyn FnMut(T, &[KeyValue]));

/// Name, unit, description, and values.
type Instrument<T> = (&'static str, &'static str, &'static str, Tell<T>);

/// What only grows.
const COUNTERS: [Instrument<u64>; 11] = [
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
        |snapshot, tell| {
            of_sites(snapshot, tell, |figures| figures.attempts);
        },
    ),
    (
        "hardening.retries",
        "{attempt}",
        "Attempts after the first",
        |snapshot, tell| {
            of_sites(snapshot, tell, |figures| figures.retries);
        },
    ),
    (
        "hardening.fallbacks",
        "{call}",
        "Calls that the fallback answered",
        |snapshot, tell| {
            of_sites(snapshot, tell, |figures| figures.fallbacks);
        },
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
        "hardening.cache.lookups",
        "{lookup}",
        "Look-ups in the cache",
        lookups,
    ),
    (
        "hardening.cache.stale",
        "{call}",
        "Misses that got the last good result, because the run failed",
        |snapshot, tell| {
            of_sites(snapshot, tell, |figures| figures.cache_stale);
        },
    ),
    (
        "hardening.cache.coalesced",
        "{call}",
        "Misses that got the result of another caller's run",
        |snapshot, tell| {
            of_sites(snapshot, tell, |figures| figures.cache_coalesced);
        },
    ),
    (
        "hardening.circuit_breaker.opened",
        "{opening}",
        "How often a circuit opened",
        |snapshot, tell| {
            for circuit in circuits(snapshot) {
                tell(circuit.opened, &[named(circuit.name)]);
            }
        },
    ),
    (
        "hardening.reloads",
        "{reload}",
        "Configurations that were put in force, or refused",
        reloads,
    ),
];

/// What goes up and down, and adds up.
const LEVELS: [Instrument<i64>; 5] = [
    (
        "hardening.active_calls",
        "{call}",
        "Calls that have begun and not ended",
        |snapshot, tell| {
            for site in &snapshot.sites {
                tell(signed(site.figures.in_flight), &[at(&site.path)]);
            }
        },
    ),
    (
        "hardening.bulkhead.running",
        "{call}",
        "Calls that have a place",
        |snapshot, tell| {
            for site in &snapshot.sites {
                if let Some(bulkhead) = &site.bulkhead {
                    tell(bulkhead.running.into(), &[at(&site.path)]);
                }
            }
        },
    ),
    (
        "hardening.bulkhead.queued",
        "{call}",
        "Calls that wait for a place",
        queued,
    ),
    (
        "hardening.rate_limit.keys",
        "{key}",
        "Keys with a bucket of their own",
        |snapshot, tell| {
            for op in &snapshot.ops {
                tell(op.keys.into(), &[of_op(op.op)]);
            }
        },
    ),
    (
        "hardening.rate_limit.waiting",
        "{call}",
        "Calls that wait for their turn",
        |snapshot, tell| {
            for op in &snapshot.ops {
                tell(
                    i64::try_from(op.waiting).unwrap_or(i64::MAX),
                    &[of_op(op.op)],
                );
            }
        },
    ),
];

/// What does not add up.
const GAUGES: [Instrument<f64>; 2] = [
    (
        "hardening.call.duration",
        "s",
        "How long calls took since start, whatever they came to",
        durations,
    ),
    (
        "hardening.circuit_breaker.state",
        "1",
        "1 for the state that a circuit is in, 0 for the others",
        states,
    ),
];

/// Registers the figures of every annotated function with `meter`, each by an observable instrument.
///
/// All series are there from the start, and a collection has the values of one
/// [`snapshot`](crate::snapshot()). Register once with each meter provider: there they stay until it is
/// shut down.
///
/// ```
/// # use hardening_runtime as hardening;
/// use opentelemetry::global;
///
/// // after `global::set_meter_provider(…)`
/// hardening::otel::observe(&global::meter("hardening"));
/// ```
pub fn observe(meter: &Meter) {
    let reading = Arc::new(Reading::default());
    let mut indices = 0_usize..;
    // Each builder is a type of its own, with the same methods.
    macro_rules! register {
        ($($instruments:ident: $builder:ident),*) => {$(
            for ((name, unit, description, tell), index) in $instruments.into_iter().zip(&mut indices) {
                let reading = Arc::clone(&reading);
                meter
                    .$builder(name)
                    .with_unit(unit)
                    .with_description(description)
                    .with_callback(move |observer| {
                        tell(&reading.of(index), &mut |value, labels| observer.observe(value, labels));
                    })
                    .build();
            }
        )*};
    }
    register!(
        COUNTERS: u64_observable_counter,
        LEVELS: i64_observable_up_down_counter,
        GAUGES: f64_observable_gauge
    );
}

fn at(path: &str) -> KeyValue {
    KeyValue::new("hardening.site", path.to_owned())
}

fn named(circuit: &'static str) -> KeyValue {
    KeyValue::new("hardening.circuit_breaker.name", circuit)
}

fn of_op(op: &'static str) -> KeyValue {
    KeyValue::new("hardening.rate_limit.op", op)
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn of_sites(
    snapshot: &Snapshot,
    tell: &mut dyn FnMut(u64, &[KeyValue]),
    figure: fn(&SiteFigures) -> u64,
) {
    for site in &snapshot.sites {
        tell(figure(&site.figures), &[at(&site.path)]);
    }
}

fn calls(snapshot: &Snapshot, tell: &mut dyn FnMut(u64, &[KeyValue])) {
    for site in &snapshot.sites {
        let figures = &site.figures;
        for (outcome, count) in [
            (Outcome::Success, figures.success),
            (Outcome::Error, figures.error),
            (Outcome::RateLimited, figures.rate_limited),
            (Outcome::CircuitOpen, figures.circuit_open),
            (Outcome::BulkheadFull, figures.bulkhead_full),
            (Outcome::TimedOut, figures.timed_out),
            (Outcome::LoadFailed, figures.load_failed),
            (Outcome::Panicked, figures.panicked),
            (Outcome::Dropped, figures.dropped),
        ] {
            let outcome = KeyValue::new("hardening.outcome", outcome.as_str());
            tell(count, &[at(&site.path), outcome]);
        }
    }
}

fn rejections(snapshot: &Snapshot, tell: &mut dyn FnMut(u64, &[KeyValue])) {
    for site in &snapshot.sites {
        let by = &site.figures.rejected_by;
        for (layer, count) in [
            ("rate_limit", by.rate_limit),
            ("circuit_breaker", by.circuit_breaker),
            ("bulkhead", by.bulkhead),
            ("timeout", by.timeout),
        ] {
            tell(
                count,
                &[at(&site.path), KeyValue::new("hardening.layer", layer)],
            );
        }
    }
}

fn observed_rejections(snapshot: &Snapshot, tell: &mut dyn FnMut(u64, &[KeyValue])) {
    for site in &snapshot.sites {
        let would_have = &site.figures.would_have;
        for (layer, count) in [
            ("rate_limit", would_have.rate_limited),
            ("circuit_breaker", would_have.circuit_open),
        ] {
            tell(
                count,
                &[at(&site.path), KeyValue::new("hardening.layer", layer)],
            );
        }
    }
}

fn lookups(snapshot: &Snapshot, tell: &mut dyn FnMut(u64, &[KeyValue])) {
    for site in &snapshot.sites {
        let figures = &site.figures;
        for (result, count) in [("hit", figures.cache_hits), ("miss", figures.cache_misses)] {
            let result = KeyValue::new("hardening.cache.result", result);
            tell(count, &[at(&site.path), result]);
        }
    }
}

fn reloads(snapshot: &Snapshot, tell: &mut dyn FnMut(u64, &[KeyValue])) {
    let configuration = &snapshot.configuration;
    for (result, count) in [
        ("in_force", configuration.reloads),
        ("refused", configuration.failed_reloads),
    ] {
        tell(count, &[KeyValue::new("hardening.reload.result", result)]);
    }
}

fn queued(snapshot: &Snapshot, tell: &mut dyn FnMut(i64, &[KeyValue])) {
    for site in &snapshot.sites {
        let Some(bulkhead) = &site.bulkhead else {
            continue;
        };
        let queued = bulkhead.queued;
        for (priority, count) in [
            ("urgent", queued.urgent),
            ("high", queued.high),
            ("normal", queued.normal),
            ("low", queued.low),
        ] {
            let priority = KeyValue::new("hardening.priority", priority);
            tell(count.into(), &[at(&site.path), priority]);
        }
    }
}

fn durations(snapshot: &Snapshot, tell: &mut dyn FnMut(f64, &[KeyValue])) {
    for site in &snapshot.sites {
        let latency = &site.figures.latency;
        for (statistic, duration) in [
            ("avg", latency.avg),
            ("p50", latency.p50),
            ("p95", latency.p95),
            ("p99", latency.p99),
            ("max", latency.max),
        ] {
            let statistic = KeyValue::new("hardening.statistic", statistic);
            tell(
                Duration::as_secs_f64(&duration),
                &[at(&site.path), statistic],
            );
        }
    }
}

fn states(snapshot: &Snapshot, tell: &mut dyn FnMut(f64, &[KeyValue])) {
    for circuit in circuits(snapshot) {
        for state in [State::Closed, State::HalfOpen, State::Open] {
            let label = KeyValue::new("hardening.circuit_breaker.state", state.to_string());
            let is_in_it = f64::from(u8::from(circuit.state == state));
            tell(is_in_it, &[named(circuit.name), label]);
        }
    }
}

/// Each circuit once, also one that several functions share.
fn circuits(snapshot: &Snapshot) -> impl Iterator<Item = &circuit_breaker::Snapshot> {
    let circuits = snapshot
        .sites
        .iter()
        .filter_map(|site| site.circuit.as_ref());
    let by_name: BTreeMap<_, _> = circuits.map(|circuit| (circuit.name, circuit)).collect();
    by_name.into_values()
}
