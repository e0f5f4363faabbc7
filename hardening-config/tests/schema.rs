//! The JSON Schema is held to the reader: both judge every file of the corpus alike.
//!
//! A broken file that no JSON Schema could refuse says so in its first line, with the reason:
//! `# schema: accepts, since the rule is between two keys`.

mod changes;
mod corpus;

use hardening_config::{BUILT_IN, Config, Environment, LayerKind, REFERENCE, json_schema};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::Value;
use serde_yaml::Value as Yaml;
use std::sync::LazyLock;

const CHECKED_IN: &str = include_str!("../hardening.schema.json");

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(&json_schema()).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

/// Whether an editor is content: it reads YAML, then asks the schema.
fn editor_takes(validator: &Validator, text: &str) -> bool {
    read_by_editor(text).is_some_and(|file| validator.is_valid(&file))
}

fn read_by_editor(text: &str) -> Option<Value> {
    let mut yaml: Yaml = serde_yaml::from_str(text).ok()?;
    yaml.apply_merge().ok()?;
    Some(json(yaml))
}

/// As editors have it: keys are text, and numbers beyond JSON are very great.
fn json(yaml: Yaml) -> Value {
    match yaml {
        Yaml::Number(number) if number.as_f64().is_some_and(|number| !number.is_finite()) => {
            Value::from(f64::MAX)
        }
        Yaml::Sequence(items) => items.into_iter().map(json).collect(),
        Yaml::Mapping(entries) => {
            let entry = |(key, value)| {
                let key = match key {
                    Yaml::String(key) => key,
                    key => serde_yaml::to_string(&key).unwrap().trim_end().to_owned(),
                };
                (key, json(value))
            };
            Value::Object(entries.into_iter().map(entry).collect())
        }
        scalar => serde_json::to_value(scalar).unwrap(),
    }
}

/// Without the program's variables, as an editor is.
fn reader_takes(text: &str) -> bool {
    Config::parse(text.as_bytes(), "h.yaml", &Environment::compiling()).is_ok()
}

#[test]
fn the_checked_in_schema_is_the_generated_one() {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/hardening.schema.json");
        std::fs::write(file, json_schema()).unwrap();
        return;
    }
    assert!(
        CHECKED_IN == json_schema(),
        "write it anew: cargo run -p cargo-hardening -- schema > hardening-config/hardening.schema.json"
    );
}

#[test]
fn valid_files_are_taken_by_the_reader_and_the_schema() {
    let validator = validator();
    let whole = [
        ("reference", REFERENCE.to_owned()),
        ("built-in", BUILT_IN.to_owned()),
        (
            "crossbridge",
            include_str!("files/crossbridge.yml").to_owned(),
        ),
    ];
    let whole = whole.map(|(name, text)| (name.to_owned(), text));
    for (name, text) in corpus::valid().into_iter().chain(whole) {
        assert!(reader_takes(&text), "the reader refuses {name}");
        if text.starts_with("# editors: refuse, since ") {
            assert_eq!(read_by_editor(&text), None, "{name}");
            continue;
        }
        assert!(editor_takes(&validator, &text), "the schema refuses {name}");
    }
}

#[test]
fn broken_files_are_refused_by_the_reader_and_the_schema() {
    let validator = validator();
    let mut accepted = Vec::new();
    for (name, text) in corpus::broken() {
        assert!(!reader_takes(&text), "the reader takes {name}");
        let expected = text.starts_with("# schema: accepts, since ");
        assert_eq!(
            editor_takes(&validator, &text),
            expected,
            "the schema, of {name}"
        );
        accepted.extend(expected.then_some(name));
    }
    assert!(accepted.len() <= 12, "keep this list short: {accepted:?}");
}

/// Values of all kinds, many at the end of a range.
const VALUES: &[&str] = &[
    "null",
    "true",
    "false",
    "yes",
    "\"true\"",
    "0",
    "1",
    "2",
    "-1",
    "0.5",
    "1.0",
    "1.5",
    "-0.5",
    "0.001",
    "0.0009",
    "99",
    "100",
    "101",
    "599",
    "600",
    "1000",
    "1001",
    "1000000",
    "1000001",
    "100000000",
    "100000001",
    "1000000000",
    "1000000001",
    "4294967296",
    "315360000",
    "315360001",
    "1e3",
    "1e300",
    ".inf",
    "-.inf",
    "\"5\"",
    "\"\"",
    "\" \"",
    "text",
    "500ms",
    "1h30m",
    "0s",
    "0",
    "15 s",
    "1m1h",
    "1.5.5s",
    "none",
    "full",
    "equal",
    "decorrelated",
    "enforce",
    "observe",
    "key",
    "global",
    "ping",
    "readiness",
    "[]",
    "[1]",
    "[500]",
    "[99]",
    "[readiness]",
    "[readiness, liveness]",
    "[readines]",
    "{}",
    "{ratio: 1}",
    "{ratio: -1}",
    "{min_per_second: 5}",
    "{ratio: 1, rato: 1}",
    "[{capacity: 1, window_seconds: 1}]",
    "[{capacity: 1}]",
    "{capacity: 1, window_seconds: 1}",
    "[{}]",
    "[null]",
    "\"${A}\"",
    "\"${A:-}\"",
    "\"a${A}b\"",
    "\"$${A}\"",
    "\"${A\"",
    "\"${}\"",
    "\"${A}${\"",
    "\"$\"",
    "\"$$\"",
    "\"$A\"",
];

/// A schema cannot look into text for the default of a variable.
const BEYOND_A_SCHEMA: &str = "\"${A:-}\"";

#[test]
fn every_key_takes_the_same_values_by_both() {
    let validator = validator();
    let mut compared = 0;
    for kind in LayerKind::ALL {
        let Some(section) = kind.section() else {
            continue;
        };
        for (key, value) in kind
            .keys()
            .iter()
            .flat_map(|key| VALUES.iter().map(move |v| (key, v)))
        {
            if *value == BEYOND_A_SCHEMA {
                continue;
            }
            // An override needs no other keys, so that no rule between keys can break.
            let text = format!(
                "runtime: {{overrides: {{a: {{{section}: {{{}: {value}}}}}}}}}",
                key.name
            );
            let verdicts = (reader_takes(&text), editor_takes(&validator, &text));
            assert_eq!(verdicts.0, verdicts.1, "reader and schema: {text}");
            compared += 1;
        }
    }
    assert!(compared > 2000, "{compared}");
}

#[test]
fn every_key_of_a_section_takes_the_same_values_by_both() {
    use hardening_config::{
        Provider,
        policy::{HealthDefaults, SectionPolicy},
        schema::Settings,
    };
    let validator = validator();
    let places = [
        ("health_checks: {", HealthDefaults::KEYS, ""),
        ("health_checks: {providers: {a: {", Provider::KEYS, "}}"),
        ("retry: {", SectionPolicy::KEYS, ""),
        ("rate_limiting: {", SectionPolicy::KEYS, ""),
        ("cache: {", SectionPolicy::KEYS, ""),
    ];
    for (before, keys, after) in places {
        for (key, value) in keys
            .iter()
            .flat_map(|key| VALUES.iter().map(move |v| (key, v)))
        {
            if *value == BEYOND_A_SCHEMA {
                continue;
            }
            let text = format!("runtime: {{{before}{}: {value}{after}}}}}", key.name);
            let verdicts = (reader_takes(&text), editor_takes(&validator, &text));
            assert_eq!(verdicts.0, verdicts.1, "reader and schema: {text}");
        }
    }
}

/// The schema's properties below `at`, with their paths.
fn walk<'a>(at: &'a Value, path: &str, found: &mut Vec<(String, &'a Value)>) {
    let Some(mapping) = at.as_object() else {
        return;
    };
    for (key, below) in mapping {
        match key.as_str() {
            "properties" => {
                for (name, property) in below.as_object().unwrap() {
                    let path = format!("{path}.{name}");
                    walk(property, &path, found);
                    found.push((path, property));
                }
            }
            "anyOf" => below
                .as_array()
                .unwrap()
                .iter()
                .for_each(|form| walk(form, path, found)),
            "items" | "additionalProperties" => walk(below, path, found),
            "$defs" | "patternProperties" => below
                .as_object()
                .unwrap()
                .values()
                .for_each(|p| walk(p, path, found)),
            _ => {}
        }
    }
}

#[test]
fn every_key_is_described_and_every_default_is_valid() {
    let schema: Value = serde_json::from_str(&json_schema()).unwrap();
    let mut found = Vec::new();
    walk(&schema, "", &mut found);
    assert!(found.len() > 100, "{}", found.len());
    for (path, property) in found {
        let description = property["description"].as_str().unwrap_or_default();
        let is_described = description.ends_with('.') || property.get("$ref").is_some();
        assert!(is_described, "{path}: {description}");
        if let Some(default) = property.get("default") {
            let mut alone = property.clone();
            alone["$defs"] = schema["$defs"].clone();
            assert!(
                jsonschema::draft202012::is_valid(&alone, default),
                "{path}: {default}"
            );
        }
    }
}

/// JSON Schema cannot say all that the reader checks, but it must never cry wolf.
fn editor_follows(text: &str) -> bool {
    static VALIDATOR: LazyLock<Validator> = LazyLock::new(validator);
    // Merge keys that merge nothing are refused there and nobody's business here, beside `runtime`.
    read_by_editor(text).is_none_or(|file| !reader_takes(text) || VALIDATOR.is_valid(&file))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_reader_takes_the_schema_takes(text in changes::changed(vec![changes::plain(REFERENCE)])) {
        prop_assert!(editor_follows(&text));
    }

    #[test]
    fn of_changed_valid_files_too(text in changes::changed(valid_files())) {
        prop_assert!(editor_follows(&text));
    }
}

fn valid_files() -> Vec<Vec<String>> {
    let files = corpus::valid().into_iter();
    files
        .map(|(_, text)| text.lines().map(String::from).collect())
        .collect()
}
