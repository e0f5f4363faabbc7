//! The JSON Schema of the file (draft 2020-12), for editors: made of the tables that the reader uses.
//!
//! What it cannot say are rules between keys (`base_delay` above `max_delay`), the length of a duration
//! that is written as text, what a `${VAR:-default}` comes to, and the limits on the file as a whole.

use serde_json::{Map, Value as Json, json};

use crate::{
    file::{self, MAX_NAME, Node, Value},
    kind::{LayerKind, with_policy},
    policy::{Budget, HealthDefaults, Limit, Provider, RuntimePolicy, SectionPolicy, Switches},
    schema::{Expects, Key, LONGEST, Policy, Settings},
};

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
    let providers = json!({
        "description": "The checks, by name.",
        "type": ["object", "null"],
        "propertyNames": {"minLength": 1, "maxLength": MAX_NAME},
        "additionalProperties": closed("One check.", of_one),
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

fn properties<'a>(
    keys: impl IntoIterator<Item = &'a Key>,
    default: &dyn Fn(&str) -> Option<String>,
) -> Map<String, Json> {
    let property = |key: &Key| (key.name.to_owned(), property(key, default(key.name)));
    keys.into_iter().map(property).collect()
}

fn property(key: &Key, default: Option<String>) -> Json {
    let mut forms = forms(&key.expects);
    if key.nullable {
        forms.push(json!({"type": "null"}));
    }
    let mut property = match forms.len() {
        1 => forms.swap_remove(0),
        _ => json!({"anyOf": forms}),
    };
    property["description"] = description(key).into();
    if let Some(default) = default.filter(|_| !key.required) {
        property["default"] = as_json(&file::value(&default));
    }
    property
}

/// The documentation of the field, without its links, and the unit.
fn description(key: &Key) -> String {
    let text = key.doc.trim().replace("[`", "`").replace("`]", "`");
    match key.expects {
        Expects::Duration { .. } => format!("{text} Seconds, or text with a unit (500ms, 1h30m)."),
        _ => text,
    }
}

/// The forms that a value can have, each as a schema.
fn forms(expects: &Expects) -> Vec<Json> {
    let variable = || refer("variable");
    match expects {
        Expects::Switch => vec![json!({"type": "boolean"}), variable()],
        Expects::Whole { min, max } => vec![
            json!({"type": "integer", "minimum": min, "maximum": max}),
            variable(),
        ],
        Expects::Number { min, max, above } => {
            let least = if *above {
                "exclusiveMinimum"
            } else {
                "minimum"
            };
            vec![
                json!({"type": "number", least: min, "maximum": max}),
                variable(),
            ]
        }
        Expects::Duration { min } => {
            let (seconds, text) = if min.is_zero() {
                (json!({"minimum": 0}), json!({}))
            } else if min.as_nanos() == 1 {
                (json!({"exclusiveMinimum": 0}), json!({"pattern": "[1-9]"}))
            } else {
                (
                    json!({"minimum": min.as_secs_f64()}),
                    json!({"pattern": "[1-9]"}),
                )
            };
            let longest = json!({"type": "number", "maximum": LONGEST.as_secs()});
            let text = merged(refer("duration"), text);
            vec![merged(longest, seconds), text, variable()]
        }
        Expects::Word(words) => vec![json!({"enum": words}), variable()],
        Expects::WordOrSwitch(words) => {
            let switches = [json!(true), json!(false)];
            let all: Vec<Json> = switches
                .into_iter()
                .chain(words.iter().map(|w| json!(w)))
                .collect();
            vec![json!({"enum": all}), variable()]
        }
        Expects::Text => vec![json!({
            "type": ["string", "number", "boolean"],
            "minLength": 1,
            "pattern": with_variables(),
        })],
        Expects::Keys(keys) => vec![group(keys)],
        Expects::KeysOrSwitch(keys) => vec![json!({"type": "boolean"}), group(keys), variable()],
        Expects::List { of, min } => {
            let mut items = forms(of);
            let items = match items.len() {
                1 => items.swap_remove(0),
                _ => json!({"anyOf": items}),
            };
            vec![json!({"type": "array", "items": items, "minItems": min})]
        }
    }
}

/// A mapping inside of a setting.
fn group(keys: &[Key]) -> Json {
    let (limit, budget) = (Limit::base(), Budget::base());
    let default = |key: &str| limit.get(key).or_else(|| budget.get(key));
    let mut group = json!({
        "type": "object",
        "properties": properties(keys, &default),
        "additionalProperties": false,
    });
    require(&mut group, keys, &[]);
    group
}

fn merged(mut one: Json, other: Json) -> Json {
    if let (Json::Object(one), Json::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}

fn as_json(node: &Node) -> Json {
    match &node.value {
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::Text(text) => json!(text),
        Value::List(items) => items.iter().map(|item| as_json(item)).collect(),
        Value::Map(entries) => {
            let entries = entries.iter();
            Json::Object(
                entries
                    .filter_map(|(key, value)| Some((key.text()?.to_owned(), as_json(value))))
                    .collect(),
            )
        }
        Value::Null | Value::Unknown | Value::Unusable(_) => Json::Null,
    }
}

const VARIABLE: &str = r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}";

/// Text without variables: dollars that open none, and `$${`, which is `${` itself.
const PLAIN: &str = r"[^$]|\$+[^${]|\$\$+\{";

fn with_variables() -> String {
    format!(r"^({PLAIN}|{VARIABLE})*\$*$")
}

fn with_a_variable() -> String {
    format!(r"^({PLAIN})*{VARIABLE}({PLAIN}|{VARIABLE})*\$*$")
}

/// As `parse_duration` reads it, but for the length that it comes to.
fn duration_text() -> String {
    let number = r"([0-9]+\.?[0-9]*|\.[0-9]+)";
    let units = ["d", "h", "m", "s", "ms", "(us|µs)", "ns"];
    let each = units
        .map(|unit| format!(r"({number}\s*{unit}\s*)?"))
        .concat();
    format!(r"^\s*({number}\s*|{each})$")
}
