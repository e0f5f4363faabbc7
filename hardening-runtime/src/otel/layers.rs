//! The state of the layers, each once under the name that functions share; and of the configuration.

use super::{
    instruments::{Instrument, signed},
    reading::Told,
};
use crate::{
    bulkhead::BulkheadSnapshot,
    cache::CacheFigures,
    circuit_breaker::{self, State},
    expose::by_name,
    rate_limit::{LimitSnapshot, OpSnapshot, scope_name},
    report::SiteSnapshot,
};
use opentelemetry::KeyValue;

/// What only grows.
pub(super) const COUNTERS: [Instrument<u64>; 3] = [
    (
        "hardening.circuit_breaker.opened",
        "{opening}",
        "How often a circuit opened",
        |told, tell| {
            for circuit in circuits(told) {
                tell(circuit.opened, &[circuit_named(circuit.name)]);
            }
        },
    ),
    (
        "hardening.cache.evictions",
        "{result}",
        "Results put out to make room",
        |told, tell| {
            for cache in caches(told) {
                tell(cache.evicted, &[cache_named(cache.name)]);
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
pub(super) const LEVELS: [Instrument<i64>; 8] = [
    (
        "hardening.bulkhead.running",
        "{call}",
        "Calls that have a place",
        |told, tell| each_bulkhead(told, tell, |it| it.running),
    ),
    (
        "hardening.bulkhead.max_concurrent",
        "{call}",
        "Places",
        |told, tell| each_bulkhead(told, tell, |it| it.max_concurrent),
    ),
    (
        "hardening.bulkhead.queued",
        "{call}",
        "Calls that wait for a place",
        queued,
    ),
    (
        "hardening.bulkhead.max_queue",
        "{call}",
        "Calls that may wait for a place",
        |told, tell| each_bulkhead(told, tell, |it| it.max_queue),
    ),
    (
        "hardening.cache.entries",
        "{result}",
        "Results that the cache holds",
        |told, tell| {
            for cache in caches(told) {
                tell(signed(cache.entries), &[cache_named(cache.name)]);
            }
        },
    ),
    (
        "hardening.cache.max_entries",
        "{result}",
        "Results that the cache may hold",
        |told, tell| {
            for cache in caches(told) {
                tell(signed(cache.max_entries), &[cache_named(cache.name)]);
            }
        },
    ),
    (
        "hardening.rate_limit.keys",
        "{key}",
        "Keys with a bucket of their own",
        |told, tell| {
            for op in ops(told) {
                tell(op.keys.into(), &[of_op(op.op)]);
            }
        },
    ),
    (
        "hardening.rate_limit.waiting",
        "{call}",
        "Calls that wait for their turn",
        |told, tell| {
            for op in ops(told) {
                let waiting = i64::try_from(op.waiting).unwrap_or(i64::MAX);
                tell(waiting, &[of_op(op.op)]);
            }
        },
    ),
];

/// What does not add up.
pub(super) const GAUGES: [Instrument<f64>; 6] = [
    (
        "hardening.circuit_breaker.state",
        "1",
        "1 for the state that a circuit is in, 0 for the others",
        states,
    ),
    (
        "hardening.circuit_breaker.time_in_state",
        "s",
        "How long a circuit has been in its state",
        |told, tell| {
            for circuit in circuits(told) {
                let time = circuit.time_in_state.as_secs_f64();
                tell(time, &[circuit_named(circuit.name)]);
            }
        },
    ),
    (
        "hardening.rate_limit.tokens",
        "{token}",
        "Tokens left: in the bucket that all share, or to the key that has the fewest",
        |told, tell| each_limit(told, tell, |limit| limit.remaining),
    ),
    (
        "hardening.rate_limit.capacity",
        "{token}",
        "Tokens that a full bucket holds",
        |told, tell| each_limit(told, tell, |limit| limit.capacity),
    ),
    (
        "hardening.retry.budget",
        "{attempt}",
        "Retries that all calls under a policy could make now",
        budgets,
    ),
    (
        "hardening.configuration.outdated",
        "1",
        "1 while what is in force is older than the file, which was refused",
        |told, tell| {
            let is_outdated = told.snapshot.configuration.outdated;
            tell(f64::from(u8::from(is_outdated)), &[]);
        },
    ),
];

/// The states of the sites, each once.
fn once<'a, T: 'a>(
    told: &'a Told,
    state: impl Fn(&'a SiteSnapshot) -> Option<&'a T>,
    name: impl Fn(&T) -> &'a str,
) -> impl Iterator<Item = &'a T> {
    let states = told.snapshot.sites.iter().filter_map(state);
    by_name(states, move |state| name(state)).map(|(_, state)| state)
}

fn circuits(told: &Told) -> impl Iterator<Item = &circuit_breaker::Snapshot> {
    once(told, |site| site.circuit.as_ref(), |circuit| circuit.name)
}

fn bulkheads(told: &Told) -> impl Iterator<Item = &BulkheadSnapshot> {
    once(
        told,
        |site| site.bulkhead.as_ref(),
        |bulkhead| bulkhead.name,
    )
}

fn caches(told: &Told) -> impl Iterator<Item = &CacheFigures> {
    once(told, |site| site.cache.as_ref(), |cache| cache.name)
}

fn ops(told: &Told) -> impl Iterator<Item = &OpSnapshot> {
    by_name(told.snapshot.ops.iter(), |op| op.op).map(|(_, op)| op)
}

fn circuit_named(name: &'static str) -> KeyValue {
    KeyValue::new("hardening.circuit_breaker.name", name)
}

fn bulkhead_named(name: &'static str) -> KeyValue {
    KeyValue::new("hardening.bulkhead.name", name)
}

fn cache_named(name: &'static str) -> KeyValue {
    KeyValue::new("hardening.cache.name", name)
}

fn of_op(op: &'static str) -> KeyValue {
    KeyValue::new("hardening.rate_limit.op", op)
}

fn each_bulkhead(
    told: &Told,
    tell: &mut dyn FnMut(i64, &[KeyValue]),
    figure: fn(&BulkheadSnapshot) -> u32,
) {
    for bulkhead in bulkheads(told) {
        tell(figure(bulkhead).into(), &[bulkhead_named(bulkhead.name)]);
    }
}

fn queued(told: &Told, tell: &mut dyn FnMut(i64, &[KeyValue])) {
    for bulkhead in bulkheads(told) {
        let queued = bulkhead.queued;
        for (priority, count) in [
            ("urgent", queued.urgent),
            ("high", queued.high),
            ("normal", queued.normal),
            ("low", queued.low),
        ] {
            let priority = KeyValue::new("hardening.priority", priority);
            tell(count.into(), &[bulkhead_named(bulkhead.name), priority]);
        }
    }
}

/// The limits of an op are told apart by their number, from 1, in the order of the configuration.
fn each_limit(
    told: &Told,
    tell: &mut dyn FnMut(f64, &[KeyValue]),
    figure: fn(&LimitSnapshot) -> u32,
) {
    for op in ops(told) {
        for (number, limit) in (1_i64..).zip(&op.limits) {
            let number = KeyValue::new("hardening.rate_limit.number", number);
            let scope = KeyValue::new("hardening.rate_limit.scope", scope_name(limit.scope));
            tell(figure(limit).into(), &[of_op(op.op), number, scope]);
        }
    }
}

fn budgets(told: &Told, tell: &mut dyn FnMut(f64, &[KeyValue])) {
    let budgets = once(told, |site| site.retry_budget.as_ref(), |it| it.policy);
    for budget in budgets {
        let policy = KeyValue::new("hardening.retry.policy", budget.policy);
        tell(budget.remaining as f64, &[policy]);
    }
}

fn states(told: &Told, tell: &mut dyn FnMut(f64, &[KeyValue])) {
    for circuit in circuits(told) {
        for state in State::ALL {
            let label = KeyValue::new("hardening.circuit_breaker.state", state.as_str());
            let is_in_it = f64::from(u8::from(circuit.state == state));
            tell(is_in_it, &[circuit_named(circuit.name), label]);
        }
    }
}

fn reloads(told: &Told, tell: &mut dyn FnMut(u64, &[KeyValue])) {
    let configuration = &told.snapshot.configuration;
    for (result, count) in [
        ("in_force", configuration.reloads),
        ("refused", configuration.failed_reloads),
    ] {
        tell(count, &[KeyValue::new("hardening.reload.result", result)]);
    }
}
