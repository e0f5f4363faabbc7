//! A setting in the schema: the forms that its value can have.

use serde_json::{Map, Value as Json, json};

use super::{merged, refer, require};
use crate::{
    file::{self, Node, Value},
    policy::{Budget, Limit},
    schema::{Expects, Key, LONGEST, Settings},
};

pub(super) fn properties<'a>(
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

pub(super) fn with_a_variable() -> String {
    format!(r"^({PLAIN})*{VARIABLE}({PLAIN}|{VARIABLE})*\$*$")
}

/// As `parse_duration` reads it, but for the length that it comes to.
pub(super) fn duration_text() -> String {
    let number = r"([0-9]+\.?[0-9]*|\.[0-9]+)";
    let units = ["d", "h", "m", "s", "ms", "(us|µs)", "ns"];
    let each = units
        .map(|unit| format!(r"({number}\s*{unit}\s*)?"))
        .concat();
    format!(r"^\s*({number}\s*|{each})$")
}
