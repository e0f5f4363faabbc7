//! Settings out of environment variables: `HARDENING__RETRY__EXPENSIVE__MAX_ATTEMPTS=7`.
//!
//! After the section comes a key of the section itself, or the name of a policy, op or health check
//! and then its key. Names are in capitals, with `_` for whatever is no letter or digit. Whoever writes the
//! path as it is in the file (`RATE_LIMITING__DEFAULTS__SEARCH__CAPACITY`) means the same.

use std::sync::Arc;

use crate::{
    config::{Config, Named},
    env::Environment,
    error::{ConfigError, Origin, Problem},
    file,
    kind::LayerKind,
    layer::{Entry, Layer},
    policy::{HealthDefaults, Provider, RuntimePolicy, SectionPolicy},
    schema::{Expects, Key, Settings},
};

const HEALTH: &str = "health_checks";

/// Adds every variable's setting to what it names.
pub(crate) fn apply(env: &Environment, config: &mut Config) -> Vec<ConfigError> {
    let mut errors = Vec::new();
    for (variable, path, value) in env.overrides() {
        let entry = |key| Entry {
            key,
            node: Arc::new(file::value_of_variable(variable, value)),
            origin: origin(variable),
            path: "".into(),
        };
        let result = target(config, path);
        let result = result.and_then(|(layer, key)| add(layer, entry(key)));
        if let Err(problem) = result {
            errors.push(ConfigError::new(&origin(variable), "", problem));
        }
    }
    errors
}

/// Two variables may mean one setting, if they agree.
fn add(layer: &mut Layer, entry: Entry) -> Result<(), Problem> {
    let mut others = layer.iter().filter(|other| other.key == entry.key);
    let other = others.find_map(|other| match &other.origin {
        Origin::Environment { name } => Some((name, &other.node)),
        _ => None,
    });
    match other {
        Some((_, node)) if node.value == entry.node.value => {}
        Some((name, _)) => {
            let message = format!("`{name}` sets the same to something else: remove one of them");
            return Err(Problem::new(message));
        }
        None => layer.push(entry),
    }
    Ok(())
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
                group: if kind == LayerKind::RateLimit {
                    Group::Within("DEFAULTS__")
                } else {
                    Group::Ending("_POLICY")
                },
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
                group: Group::Within("PROVIDERS__"),
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
    group: Group,
    layer: &'a mut Layer,
    named: &'a mut Vec<Named>,
}

/// What stands around the names of a section in the file.
#[derive(Clone, Copy)]
enum Group {
    /// They are under this key.
    Within(&'static str),
    /// They end so.
    Ending(&'static str),
}

impl Group {
    /// The name alone.
    fn short(self, name: &str) -> Option<&str> {
        match self {
            Self::Within(key) => name.strip_prefix(key),
            Self::Ending(ending) => name.strip_suffix(ending),
        }
    }
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
        let name = self.short(name);
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
            (found, _) => Err(self
                .part_of_a_setting(prefix, name, key)
                .unwrap_or_else(|| {
                    let given = format!("{name}__{key}");
                    unknown(prefix, &given, self.candidates(found.map(|_| name)))
                })),
        }
    }

    /// The name of a policy without what stands around it in the file. One may be called so with all
    /// of it.
    fn short<'n>(&self, name: &'n str) -> &'n str {
        let is_called = |name: &str| {
            let mut all = self.named.iter();
            all.any(|named| capitals(&named.name) == name)
        };
        let short = self.group.short(name).filter(|short| is_called(short));
        short.filter(|_| !is_called(name)).unwrap_or(name)
    }

    /// `EXPENSIVE__BUDGET__RATIO`: the rest of the budget would be its defaults, whatever is inherited.
    fn part_of_a_setting(&self, prefix: &str, name: &str, part: &str) -> Option<Problem> {
        let (name, group) = name.rsplit_once("__")?;
        let name = self.short(name);
        let group = self.keys.iter().find(|key| capitals(key.name) == group)?;
        let (Expects::Keys(parts) | Expects::KeysOrSwitch(parts)) = group.expects else {
            return None;
        };
        parts.iter().find(|known| capitals(known.name) == part)?;
        let (key, wanted) = (group.name, group.expects.describe());
        Some(Problem::new(format!(
            "a variable sets `{key}` as a whole: write `{prefix}{name}__{}` with {wanted}",
            capitals(key)
        )))
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
