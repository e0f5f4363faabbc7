//! The JSON Schema of the file (draft 2020-12), for editors: made of the tables that the reader uses.
//!
//! What it cannot say are rules between keys (`base_delay` above `max_delay`), the length of a duration
//! that is written as text, what a `${VAR:-default}` comes to, and the limits on the file as a whole. An editor
//! takes a `${VAR}` without quotes inside of `{…}` for no YAML.

mod setting;

use serde_json::{Map, Value as Json, json};

use crate::{
    file::MAX_NAME,
    kind::{LayerKind, with_policy},
    policy::{HealthDefaults, Provider, RuntimePolicy, SectionPolicy, Switches},
    schema::{Key, Policy, Settings},
};
use setting::{duration_text, properties, with_a_variable};

/// The JSON Schema of the file, as text with a newline at its end.
///
/// A file that the reader takes is valid by it. Of those that the reader refuses it accepts only what
/// JSON Schema cannot say: see [`Policy::rules`](crate::Policy::rules), for one.
#[must_use]
pub fn json_schema() -> String {
    let mut text = format!("{:#}", file_schema());
    text.push('\n');
    text
}

fn file_schema() -> Json {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hardening.yaml",
        "description": "Policies of hardening. What is not under `runtime` belongs to the application.",
        "type": ["object", "null"],
        "properties": {"runtime": runtime()},
        "$defs": definitions(),
    })
}

/// What several places refer to.
fn definitions() -> Json {
    let scalars = json!({
            "variable": {
                "description": "`${VAR}` or `${VAR:-default}`: replaced before the value is checked.",
                "type": "string",
                "pattern": with_a_variable(),
            },
            "duration": {
                "description": "Numbers with units, larger ones first: \"500ms\", \"15s\", \"1h30m\".",
                "type": "string",
                "maxLength": 60,
                "pattern": duration_text(),
                // All of its units may be left out, though not together.
                "allOf": [{"pattern": "[0-9]"}],
            },
    });
    let mut definitions = Map::new();
    for kind in LayerKind::ALL
        .into_iter()
        .filter(|kind| kind.section().is_some())
    {
        definitions.insert(definition(kind), policy(kind, Complete::Yes));
    }
    let overridden = policy(LayerKind::RateLimit, Complete::No);
    definitions.insert("overridden_op".to_owned(), overridden);
    merged(scalars, Json::Object(definitions))
}

fn definition(kind: LayerKind) -> String {
    match kind {
        LayerKind::RateLimit => "op".to_owned(),
        kind => format!("{}_policy", kind.section().unwrap_or_default()),
    }
}

fn refer(definition: &str) -> Json {
    json!({"$ref": format!("#/$defs/{definition}")})
}

fn runtime() -> Json {
    let mut sections = Map::new();
    for kind in LayerKind::ALL {
        if let Some(name) = kind.section() {
            sections.insert(name.to_owned(), section(kind));
        }
    }
    sections.insert("health_checks".to_owned(), health_checks());
    sections.insert("overrides".to_owned(), overrides());
    let own = RuntimePolicy::base();
    sections.extend(properties(RuntimePolicy::KEYS, &|key| own.get(key)));
    closed("The settings of hardening.", sections)
}

/// A mapping of these keys only. Nothing at all is an empty one.
fn closed(description: &str, properties: impl Into<Json>) -> Json {
    json!({
        "description": description,
        "type": ["object", "null"],
        "properties": properties.into(),
        "additionalProperties": false,
    })
}

fn section(kind: LayerKind) -> Json {
    let base = SectionPolicy::base();
    let mut properties = properties(SectionPolicy::keys(kind), &|key| base.get(key));
    let policy = refer(&definition(kind));
    if kind == LayerKind::RateLimit {
        let ops = json!({
            "description": "The ops, by name: only those that are written here exist.",
            "type": ["object", "null"],
            "propertyNames": {"minLength": 1, "maxLength": MAX_NAME},
            "additionalProperties": policy,
        });
        properties.insert("defaults".to_owned(), ops);
        return closed(about(kind), properties);
    }
    let mut default = policy.clone();
    default["description"] = "What every other policy leaves out comes from here.".into();
    properties.insert("default_policy".to_owned(), default);
    let mut section = closed(about(kind), properties);
    // `default_policy` is one of them; saying it by name too lets an editor propose it.
    section["patternProperties"] = json!({"._policy$": policy});
    section["propertyNames"] = json!({"maxLength": MAX_NAME + "_policy".len()});
    section
}

const fn about(kind: LayerKind) -> &'static str {
    match kind {
        LayerKind::Fallback => "",
        LayerKind::Cache => "#[cached]: remember results.",
        LayerKind::Timeout => "#[timeout]: bound the time.",
        LayerKind::RateLimit => "#[rate_limited]: a token bucket per key.",
        LayerKind::Retry => "#[retryable]: run again on transient failure.",
        LayerKind::CircuitBreaker => "#[circuit_breaker]: stop calling what is down.",
        LayerKind::Bulkhead => "#[bulkhead]: bound concurrency.",
    }
}

/// Whether what has no default has to be written.
#[derive(Clone, Copy, PartialEq)]
enum Complete {
    Yes,
    No,
}

/// The settings of a policy, an op, or a layer of an override.
fn policy(kind: LayerKind, complete: Complete) -> Json {
    with_policy!(kind, P => policy_of::<P>(complete), else json!(false))
}

fn policy_of<P: Policy>(complete: Complete) -> Json {
    let (kind, base) = (P::KIND, P::base());
    let switches = Switches::base();
    let default = |key: &str| base.get(key).or_else(|| switches.get(key));
    let properties = properties(kind.keys(), &default);
    let mut group = closed(
        &format!("One {} of {}", kind.named(), about(kind)),
        properties,
    );
    exclude(&mut group, P::EXCLUSIVE);
    if complete == Complete::Yes {
        require(&mut group, kind.keys(), P::EXCLUSIVE);
    }
    group
}

/// The first key of each pair stands without the second.
fn exclude(group: &mut Json, exclusive: &[(&str, &str)]) {
    for (one, other) in exclusive {
        group["dependentSchemas"][one]["properties"][other] = json!(false);
    }
}

/// What has no default is written, or something that stands for it.
fn require(group: &mut Json, keys: &[Key], exclusive: &[(&str, &str)]) {
    let required: Vec<&str> = keys
        .iter()
        .filter(|key| key.required)
        .map(|key| key.name)
        .collect();
    if required.is_empty() {
        return;
    }
    // An empty op would be `null` otherwise, which has no required keys.
    group["type"] = json!("object");
    let mut ways = vec![json!({"required": required})];
    for (instead, _) in exclusive
        .iter()
        .filter(|(_, other)| required.contains(other))
    {
        let way = json!({"required": [instead]});
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    match ways.as_slice() {
        [_] => group["required"] = json!(required),
        _ => group["anyOf"] = json!(ways),
    }
}

fn health_checks() -> Json {
    let (defaults, provider) = (HealthDefaults::base(), Provider::base());
    let mut section = properties(HealthDefaults::KEYS, &|key| defaults.get(key));
    let of_one = properties(Provider::KEYS, &|key| provider.get(key));
    let present = |key: &str, nothing: Json| json!({"required": [key], "properties": {key: {"not": nothing}}});
    // A variable may come to nothing.
    let nothing = json!({"anyOf": [{"type": "null"}, refer("variable")]});
    let mut one = closed("One check.", of_one);
    one["if"] = present("name", nothing);
    one["then"] = present("derive", json!({"type": "null"}));
    let providers = json!({
        "description": "The checks, by name.",
        "type": ["object", "null"],
        "propertyNames": {"minLength": 1, "maxLength": MAX_NAME},
        "additionalProperties": one,
    });
    section.insert("providers".to_owned(), providers);
    closed(
        "Health checks: how often, how long, and what counts.",
        section,
    )
}

fn overrides() -> Json {
    let mut layers = Map::new();
    for kind in LayerKind::ALL {
        if let Some(section) = kind.section() {
            layers.insert(section.to_owned(), refer(&definition(kind)));
        }
    }
    // The code says what the override leaves out.
    for name in ["rate_limit", "rate_limiting"] {
        layers.insert(name.to_owned(), refer("overridden_op"));
    }
    let mut site = closed("One annotated function.", layers);
    exclude(&mut site, &[("rate_limit", "rate_limiting")]);
    json!({
        "description": "Call sites by path, such as \"shop::orders::place\"; beats what the code says.",
        "type": ["object", "null"],
        "additionalProperties": site,
    })
}

fn merged(mut one: Json, other: Json) -> Json {
    if let (Json::Object(one), Json::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}
