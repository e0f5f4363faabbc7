//! What spans say of a call. No argument, key or error text of the user is in any attribute.

use super::span::Last;
use crate::{
    config::{Declared, LayerKind},
    live::Live,
    metrics::{Layer, Outcome},
    outcome::Rejected,
    site::Site,
};
use opentelemetry::{Array, KeyValue, StringValue, Value};

/// What is known when the call begins; samplers see it.
pub(super) fn of_site(site: &Site, live: &Live) -> Vec<KeyValue> {
    let in_force = || {
        let layers = site.layers().iter();
        layers.filter(|layer| is_in_force(live, layer.kind))
    };
    let layers: Vec<StringValue> = in_force()
        .map(|layer| layer.kind.attribute().into())
        .collect();
    let mut attributes = vec![
        KeyValue::new("code.function.name", live.path),
        KeyValue::new("code.file.path", site.file()),
        KeyValue::new("code.line.number", i64::from(site.line())),
        KeyValue::new("hardening.layers", Value::Array(Array::String(layers))),
    ];
    attributes.extend(in_force().filter_map(policy));
    attributes.extend(in_force().filter_map(|layer| name(layer, live)));
    attributes
}

fn is_in_force(live: &Live, kind: LayerKind) -> bool {
    match kind {
        LayerKind::Fallback => true,
        LayerKind::Cache => live.cache.is_some(),
        LayerKind::Timeout => live.timeout.call.or(live.timeout.attempt).is_some(),
        LayerKind::RateLimit => live.rate_limit.is_some(),
        LayerKind::Retry => live.retry.is_some(),
        LayerKind::CircuitBreaker => live.circuit_breaker.is_some(),
        LayerKind::Bulkhead => live.bulkhead.is_some(),
    }
}

/// The policy, or op, that the attribute names.
fn policy(layer: &Declared<'static>) -> Option<KeyValue> {
    let key = match layer.kind {
        LayerKind::Fallback => return None,
        LayerKind::Cache => "hardening.cache.policy",
        LayerKind::Timeout => "hardening.timeout.policy",
        LayerKind::RateLimit => "hardening.rate_limit.op",
        LayerKind::Retry => "hardening.retry.policy",
        LayerKind::CircuitBreaker => "hardening.circuit_breaker.policy",
        LayerKind::Bulkhead => "hardening.bulkhead.policy",
    };
    layer.policy.map(|policy| KeyValue::new(key, policy))
}

/// The name under which the layer shares its state.
fn name(layer: &Declared<'static>, live: &Live) -> Option<KeyValue> {
    let key = match layer.kind {
        LayerKind::Cache => "hardening.cache.name",
        LayerKind::CircuitBreaker => "hardening.circuit_breaker.name",
        LayerKind::Bulkhead => "hardening.bulkhead.name",
        _ => return None,
    };
    Some(KeyValue::new(key, layer.name.unwrap_or(live.path)))
}

/// What the call came to.
pub(super) fn of_end(live: &Live, outcome: Outcome, attempts: u32) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::new("hardening.outcome", outcome.as_str()),
        KeyValue::new("hardening.attempts", i64::from(attempts)),
    ];
    attributes.extend(live.circuit_breaker.as_ref().map(|layer| {
        let state = layer.state.state().to_string();
        KeyValue::new("hardening.circuit_breaker.state", state)
    }));
    attributes
}

/// A layer that refused, and when another try may be worth it.
pub(super) fn rejected(layer: Layer, rejected: &Rejected) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::new("hardening.layer", layer.as_str()),
        KeyValue::new("hardening.name", rejected.name()),
    ];
    attributes.extend(
        rejected
            .retry_after()
            .map(|after| KeyValue::new("hardening.retry_after", after.as_secs_f64())),
    );
    attributes
}

/// What was said last.
pub(super) fn of_last(last: &Last) -> Vec<KeyValue> {
    let cache = last
        .cache
        .map(|result| KeyValue::new("hardening.cache.result", result));
    let quota = last.quota.into_iter().flat_map(|quota| {
        [
            KeyValue::new("hardening.rate_limit.limit", i64::from(quota.limit)),
            KeyValue::new("hardening.rate_limit.remaining", i64::from(quota.remaining)),
        ]
    });
    cache.into_iter().chain(quota).collect()
}

/// The kind of a failure, as the semantic conventions call it.
pub(super) fn error_type(outcome: Outcome) -> KeyValue {
    KeyValue::new("error.type", outcome.as_str())
}

/// A caller that goes away is no failure of the call.
pub(super) const fn is_failure(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::Success | Outcome::Dropped)
}
