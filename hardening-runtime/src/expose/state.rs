//! The state of the layers, shared by name, in the text format of Prometheus.

use super::{
    Snapshot, by_name,
    text::{Family, Text},
};
use crate::{
    circuit_breaker::{Snapshot as CircuitSnapshot, State},
    rate_limit::{OpSnapshot, scope_name},
};

/// Each state once, under the name that its sites share.
pub(super) fn state(text: &mut Text, snapshot: &Snapshot) {
    caches(text, snapshot);
    circuits(text, snapshot);
    bulkheads(text, snapshot);
    ops(text, &snapshot.ops);
    budgets(text, snapshot);
    configuration(text, snapshot);
}

fn caches(text: &mut Text, snapshot: &Snapshot) {
    let caches = snapshot.sites.iter().filter_map(|site| site.cache.as_ref());
    let caches: Vec<_> = by_name(caches, |cache| cache.name).collect();
    let mut gauge = |name, help, figure: fn(&crate::cache::CacheFigures) -> u64| {
        let mut family = text.gauge(name, help);
        for (name, cache) in &caches {
            family.sample(&[("name", name)], figure(cache));
        }
    };
    gauge(
        "hardening_cache_entries",
        "Results that the cache holds.",
        |cache| cache.entries,
    );
    gauge(
        "hardening_cache_max_entries",
        "Results that it may hold.",
        |cache| cache.max_entries,
    );
    let mut evictions = text.counter(
        "hardening_cache_evictions_total",
        "Results put out to make room.",
    );
    for (name, cache) in &caches {
        evictions.sample(&[("name", name)], cache.evicted);
    }
}

fn circuits(text: &mut Text, snapshot: &Snapshot) {
    let circuits = snapshot
        .sites
        .iter()
        .filter_map(|site| site.circuit.as_ref());
    let circuits: Vec<(&str, &CircuitSnapshot)> = by_name(circuits, |it| it.name).collect();
    let states = State::ALL.map(State::as_str);
    let mut state = text.gauge(
        "hardening_circuit_breaker_state",
        "1 for the state of the circuit, 0 for the others.",
    );
    for (name, circuit) in &circuits {
        state.one_of([("name", name)], "state", &states, circuit.state.as_str());
    }
    let mut time = text.gauge(
        "hardening_circuit_breaker_time_in_state_seconds",
        "How long the circuit has been in its state.",
    );
    for (name, circuit) in &circuits {
        time.sample(&[("name", name)], circuit.time_in_state.as_secs_f64());
    }
    let mut opened = text.counter(
        "hardening_circuit_breaker_opened_total",
        "How often the circuit opened.",
    );
    for (name, circuit) in &circuits {
        opened.sample(&[("name", name)], circuit.opened);
    }
}

fn bulkheads(text: &mut Text, snapshot: &Snapshot) {
    let bulkheads = snapshot
        .sites
        .iter()
        .filter_map(|site| site.bulkhead.as_ref());
    let bulkheads: Vec<_> = by_name(bulkheads, |bulkhead| bulkhead.name).collect();
    let mut gauge = |name, help, figure: fn(&crate::bulkhead::BulkheadSnapshot) -> u32| {
        let mut family = text.gauge(name, help);
        for (name, bulkhead) in &bulkheads {
            family.sample(&[("name", name)], figure(bulkhead));
        }
    };
    gauge(
        "hardening_bulkhead_running",
        "Calls that have a place.",
        |it| it.running,
    );
    gauge("hardening_bulkhead_max_concurrent", "Places.", |it| {
        it.max_concurrent
    });
    gauge(
        "hardening_bulkhead_max_queue",
        "Calls that may wait for a place.",
        |it| it.max_queue,
    );
    let mut queued = text.gauge(
        "hardening_bulkhead_queued",
        "Calls that wait for a place, by priority.",
    );
    for (name, bulkhead) in &bulkheads {
        let waiting = bulkhead.queued;
        let by_priority = [
            ("urgent", waiting.urgent),
            ("high", waiting.high),
            ("normal", waiting.normal),
            ("low", waiting.low),
        ];
        for (priority, count) in by_priority {
            queued.sample(&[("name", name), ("priority", priority)], count);
        }
    }
}

fn ops(text: &mut Text, ops: &[OpSnapshot]) {
    let ops: Vec<_> = by_name(ops.iter(), |op| op.op).collect();
    let mut keys = text.gauge(
        "hardening_rate_limit_keys",
        "Keys with a bucket of their own.",
    );
    for (name, op) in &ops {
        keys.sample(&[("op", name)], op.keys);
    }
    let mut waiting = text.gauge(
        "hardening_rate_limit_waiting",
        "Calls that wait for their turn.",
    );
    for (name, op) in &ops {
        waiting.sample(&[("op", name)], op.waiting);
    }
    of_each_limit(
        text.gauge(
            "hardening_rate_limit_tokens",
            "Tokens left: in the bucket that all share, or to the key that has the fewest.",
        ),
        &ops,
        |limit| limit.remaining,
    );
    of_each_limit(
        text.gauge(
            "hardening_rate_limit_capacity",
            "Tokens that a full bucket holds.",
        ),
        &ops,
        |limit| limit.capacity,
    );
}

/// The limits of an op are told apart by their number, in the order of the configuration.
fn of_each_limit(
    mut family: Family<'_>,
    ops: &[(&str, &OpSnapshot)],
    figure: fn(&crate::rate_limit::LimitSnapshot) -> u32,
) {
    for (name, op) in ops {
        for (index, limit) in op.limits.iter().enumerate() {
            let (number, scope) = ((index + 1).to_string(), scope_name(limit.scope));
            let labels = [("op", *name), ("limit", &number), ("scope", scope)];
            family.sample(&labels, figure(limit));
        }
    }
}

fn budgets(text: &mut Text, snapshot: &Snapshot) {
    let budgets = snapshot
        .sites
        .iter()
        .filter_map(|site| site.retry_budget.as_ref());
    let mut family = text.gauge(
        "hardening_retry_budget_remaining",
        "Retries that all calls under the policy could make now.",
    );
    for (policy, budget) in by_name(budgets, |budget| budget.policy) {
        family.sample(&[("policy", policy)], budget.remaining);
    }
}

fn configuration(text: &mut Text, snapshot: &Snapshot) {
    let configuration = &snapshot.configuration;
    text.counter(
        "hardening_configuration_reloads_total",
        "Reloads that were put in force.",
    )
    .sample(&[], configuration.reloads);
    text.counter(
        "hardening_configuration_failed_reloads_total",
        "Configurations that were refused.",
    )
    .sample(&[], configuration.failed_reloads);
    text.gauge(
        "hardening_configuration_outdated",
        "1 while what is in force is older than the file, which was refused.",
    )
    .sample(&[], u8::from(configuration.outdated));
}
