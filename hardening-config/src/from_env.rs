//! Settings out of environment variables: `HARDENING__RETRY__EXPENSIVE__MAX_ATTEMPTS=7`.
//!
//! After the section comes a key of the section itself, or the name of a policy, op or health check
//! and then its key. Names are in capitals, with `_` for whatever is no letter or digit.

use std::sync::Arc;

use crate::{
    config::{Config, Named},
    env::Environment,
    error::{ConfigError, Origin, Problem},
    file,
    kind::LayerKind,
    layer::{Entry, Layer},
    policy::{HealthDefaults, Provider, RuntimePolicy, SectionPolicy},
    schema::{Key, Settings},
};

const HEALTH: &str = "health_checks";

/// Adds every variable's setting to what it names.
pub(crate) fn apply(env: &Environment, config: &mut Config) -> Vec<ConfigError> {
    let mut errors = Vec::new();
    for (variable, path, value) in env.overrides() {
        let result = target(config, path).map(|(layer, key)| {
            layer.push(Entry {
                key,
                node: Arc::new(file::value_of_variable(variable, value)),
                origin: origin(variable),
                path: "".into(),
            });
        });
        if let Err(problem) = result {
            errors.push(ConfigError::new(&origin(variable), "", problem));
        }
    }
    errors
}

fn origin(variable: &str) -> Origin {
    Origin::Environment {
        name: variable.into(),
    }
}

/// The layer and the key that `KEY`, `SECTION__KEY` or `SECTION__NAME__KEY` mean.
fn target<'a>(
    config: &'a mut Config,
    path: &str,
) -> Result<(&'a mut Layer, &'static str), Problem> {
    let of_runtime = RuntimePolicy::KEYS.iter();
    if let Some(key) = of_runtime.clone().find(|key| capitals(key.name) == path) {
        return Ok((&mut config.runtime_layer, key.name));
    }
    let (section, rest) = path.split_once("__").unwrap_or((path, ""));
    let kind = LayerKind::ALL
        .into_iter()
        .find(|kind| kind.section().is_some_and(|name| capitals(name) == section));
    match kind {
        Some(kind) => {
            let own: Vec<&'static Key> = SectionPolicy::keys(kind).collect();
            let section = config.section_mut(kind);
            let label = format!("HARDENING__{path}");
            Place {
                own: &own,
                keys: kind.keys(),
                layer: &mut section.layer,
                named: &mut section.named,
            }
            .find(&label, rest)
        }
        None if section == capitals(HEALTH) => {
            let own: Vec<&'static Key> = HealthDefaults::KEYS.iter().collect();
            let label = format!("HARDENING__{path}");
            Place {
                own: &own,
                keys: Provider::KEYS,
                layer: &mut config.health_layers[1],
                named: &mut config.providers,
            }
            .find(&label, rest)
        }
        None => Err(no_such_section(section, rest)),
    }
}

/// What a section's variables can mean.
struct Place<'a, 'k> {
    own: &'k [&'static Key],
    keys: &'static [Key],
    layer: &'a mut Layer,
    named: &'a mut Vec<Named>,
}

impl<'a> Place<'a, '_> {
    fn find(self, label: &str, rest: &str) -> Result<(&'a mut Layer, &'static str), Problem> {
        let prefix = label.strip_suffix(rest).unwrap_or(label);
        let Some((name, key)) = rest.rsplit_once("__") else {
            let own = self.own.iter().find(|key| capitals(key.name) == rest);
            return match own {
                Some(key) => Ok((self.layer, key.name)),
                None => Err(unknown(prefix, rest, self.candidates(None))),
            };
        };
        let mut matching = (0..self.named.len()).filter(|i| capitals(&self.named[*i].name) == name);
        let (index, second) = (matching.next(), matching.next());
        if let (Some(first), Some(second)) = (index, second) {
            let names = format!(
                "`{}` and `{}`",
                self.named[first].name, self.named[second].name
            );
            return Err(Problem::new(format!(
                "it could mean {names}: rename one of them"
            )));
        }
        let known = self.keys.iter().find(|known| capitals(known.name) == key);
        match (index, known) {
            (Some(index), Some(key)) => Ok((&mut self.named[index].env, key.name)),
            (found, _) => Err(unknown(prefix, rest, self.candidates(found.map(|_| name)))),
        }
    }

    /// Everything that could be meant, under one name if it is right.
    fn candidates(&self, name: Option<&str>) -> Vec<String> {
        let own = self.own.iter().map(|key| capitals(key.name));
        let names = self.named.iter().map(|named| capitals(&named.name));
        let names = names.filter(|known| name.is_none_or(|name| name == known));
        let with_keys = |name: String| {
            let keys = self.keys.iter();
            keys.map(move |key| format!("{name}__{}", capitals(key.name)))
        };
        own.chain(names.take(50).flat_map(with_keys)).collect()
    }
}

fn unknown(prefix: &str, given: &str, candidates: Vec<String>) -> Problem {
    let mut problem = Problem::new("it names no setting");
    let nearest = crate::suggest(given, candidates.iter().map(String::as_str));
    problem.suggestion = nearest.map(|nearest| format!("{prefix}{nearest}"));
    if problem.suggestion.is_none() {
        problem.choices = candidates;
    }
    problem
}

fn no_such_section(section: &str, rest: &str) -> Problem {
    if section == "OVERRIDES" {
        return Problem::new(
            "call sites cannot be named in variables: write them in the file, with `${VAR}` as their value",
        );
    }
    let sections = LayerKind::ALL.into_iter().filter_map(LayerKind::section);
    let mut names: Vec<String> = sections.chain([HEALTH]).map(capitals).collect();
    // What stands alone may be meant for a key of the runtime itself.
    let keys = RuntimePolicy::KEYS.iter().map(|key| capitals(key.name));
    names.extend(keys.filter(|_| rest.is_empty()));
    let choices = names.iter().map(String::as_str);
    let mut problem = Problem::unknown("it names no section", section, choices);
    problem.suggestion = problem.suggestion.map(|name| match rest {
        "" => format!("HARDENING__{name}"),
        rest => format!("HARDENING__{name}__{rest}"),
    });
    problem
}

fn capitals(name: &str) -> String {
    let capital = |c: char| {
        if c.is_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    name.chars().map(capital).collect()
}
