//! Layers of settings, and their fold into one policy: which value wins.

use std::{collections::HashMap, sync::Arc};

use crate::{
    Doubt,
    error::{ConfigError, Origin, Problem, join},
    file::{self, Node},
    schema::{Broken, Key, Policy, Settings},
};

/// One setting as somebody wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: &'static str,
    pub(crate) node: Arc<Node>,
    pub(crate) origin: Origin,
    /// The mapping that it is in, such as `runtime.retry.quick_policy`.
    pub(crate) path: Arc<str>,
}

impl Entry {
    pub(crate) fn error(&self, problem: Problem) -> ConfigError {
        match self.origin {
            // Its name has said it.
            Origin::Environment { .. } => ConfigError::new(&self.origin, "", problem),
            _ => ConfigError::new(&self.origin, &join(&self.path, self.key), problem),
        }
    }
}

/// The settings of one source: a mapping of the file, an attribute, the environment.
pub(crate) type Layer = Vec<Entry>;

/// Settings of an attribute as a layer, and those that are none. `path` is what messages call it.
pub(crate) fn entries<'a>(
    keys: &'static [Key],
    here: &Origin,
    path: &str,
    settings: &[(&'a str, &str)],
) -> (Layer, Vec<(&'a str, Problem)>) {
    let (mut layer, mut wrong) = (Layer::new(), Vec::new());
    for (key, text) in settings {
        match keys.iter().find(|known| known.name == *key) {
            Some(known) if layer.iter().any(|entry: &Entry| entry.key == known.name) => {
                wrong.push((*key, Problem::new("written twice: remove one of them")));
            }
            Some(known) => layer.push(Entry {
                key: known.name,
                node: Arc::new(file::value(text)),
                origin: here.clone(),
                path: path.into(),
            }),
            None => {
                let names = keys.iter().map(|key| key.name);
                wrong.push((*key, Problem::unknown("unknown key", key, names)));
            }
        }
    }
    (layer, wrong)
}

/// Settings with where each came from.
pub(crate) struct Folded<'a, T> {
    pub(crate) value: T,
    /// The entry that each changed setting came from, with the number of its layer.
    sources: HashMap<&'static str, (usize, &'a Entry)>,
    /// Settings that are known at run time only.
    unknown: Vec<&'static str>,
    pub(crate) errors: Vec<ConfigError>,
}

/// A layer in a fold: what it says, except for what another one says.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    entries: &'a [Entry],
    except: &'a [Entry],
    without: Option<&'static str>,
}

impl<'a> Source<'a> {
    /// Leaves out what `except` says itself.
    pub(crate) fn except(self, except: &'a [Entry]) -> Self {
        Self { except, ..self }
    }

    /// Leaves out one key.
    pub(crate) fn without(self, key: &'static str) -> Self {
        let without = Some(key);
        Self { without, ..self }
    }

    fn iter(self) -> impl Iterator<Item = &'a Entry> {
        let left_out = move |entry: &Entry| {
            self.without == Some(entry.key)
                || self.except.iter().any(|other| other.key == entry.key)
        };
        self.entries.iter().filter(move |entry| !left_out(entry))
    }
}

impl<'a> From<&'a [Entry]> for Source<'a> {
    fn from(entries: &'a [Entry]) -> Self {
        Self {
            entries,
            except: &[],
            without: None,
        }
    }
}

impl<'a> From<&'a Layer> for Source<'a> {
    fn from(entries: &'a Layer) -> Self {
        entries.as_slice().into()
    }
}

/// Applies `layers`, the weakest first. Keys of another group are left alone.
pub(crate) fn fold<'a, T: Settings>(layers: &[impl Into<Source<'a>> + Copy]) -> Folded<'a, T> {
    let mut folded = Folded {
        value: T::base(),
        sources: HashMap::new(),
        unknown: Vec::new(),
        errors: Vec::new(),
    };
    for (number, layer) in layers.iter().enumerate() {
        let layer: Source<'a> = (*layer).into();
        folded.refuse_both(layer.entries);
        for entry in layer.iter() {
            folded.apply(number, entry);
        }
    }
    folded
}

impl<'a, T: Settings> Folded<'a, T> {
    fn apply(&mut self, number: usize, entry: &'a Entry) {
        let Some(key) = T::KEYS.iter().find(|key| key.name == entry.key) else {
            return;
        };
        self.unknown.retain(|key| *key != entry.key);
        if entry.node.is_unknown() && key.expects.could_be(&entry.node) {
            self.unknown.push(entry.key);
            self.sources.insert(entry.key, (number, entry));
            return;
        }
        match self.value.set(entry.key, &entry.node) {
            Ok(()) => {
                self.sources.insert(entry.key, (number, entry));
                // `limits` says what `capacity` says too.
                let instead = T::EXCLUSIVE.iter().filter(|(one, _)| *one == entry.key);
                for (_, other) in instead {
                    self.sources.insert(other, (number, entry));
                }
            }
            Err(problems) => {
                let errors = problems.into_iter().map(|problem| entry.error(problem));
                self.errors.extend(errors);
            }
        }
    }

    fn refuse_both(&mut self, layer: &'a [Entry]) {
        for (one, other) in T::EXCLUSIVE {
            let find = |name| layer.iter().find(|entry| entry.key == name);
            if let (Some(_), Some(entry)) = (find(*one), find(*other)) {
                let message = format!("it cannot stand beside `{one}`: write one of them");
                self.errors.push(entry.error(Problem::new(message)));
            }
        }
    }

    /// Whether somebody wrote this one.
    pub(crate) fn says(&self, key: &str) -> bool {
        self.sources.contains_key(key)
    }

    /// A setting that is known at run time only, as it stands in the file: `${ATTEMPTS}`.
    fn as_written(&self, key: &str) -> Option<String> {
        let (_, entry) = self
            .sources
            .get(key)
            .filter(|_| self.unknown.contains(&key))?;
        Some(entry.node.as_written())
    }

    pub(crate) fn origin(&self, key: &str) -> Origin {
        self.sources
            .get(key)
            .map_or(Origin::BuiltIn, |(_, entry)| entry.origin.clone())
    }

    /// The variables that its value came from.
    pub(crate) fn variables(&self, key: &str) -> Option<String> {
        let (_, entry) = self.sources.get(key)?;
        entry.node.is_secret().then(|| entry.node.show())
    }

    /// The settings that are known at run time only.
    pub(crate) fn unknown(&self) -> &[&'static str] {
        &self.unknown
    }

    /// Every setting that applies, as YAML text, with its origin.
    pub(crate) fn effective(&self) -> Vec<Effective> {
        let shown = |key: &'static str| {
            Some(Effective {
                key,
                value: self.as_written(key).or_else(|| self.value.get(key))?,
                origin: self.origin(key),
                variables: self.variables(key),
            })
        };
        T::KEYS.iter().filter_map(|key| shown(key.name)).collect()
    }
}

/// A rule that a policy breaks, and the strongest entry that has part in it.
pub(crate) struct Breach<'a> {
    pub(crate) keys: &'static [&'static str],
    pub(crate) problem: Problem,
    pub(crate) doubt: Option<Doubt>,
    culprit: Option<&'a Entry>,
}

impl Breach<'_> {
    pub(crate) const fn is_fatal(&self) -> bool {
        self.doubt.is_none()
    }

    /// Whether `allow` does not say that it is meant so.
    pub(crate) fn counts(&self, allow: &[Doubt]) -> bool {
        self.doubt.is_none_or(|doubt| !allow.contains(&doubt))
    }

    /// At the strongest entry, or at `otherwise` when nothing but defaults is involved.
    pub(crate) fn error(self, otherwise: (&Origin, &str)) -> ConfigError {
        match self.culprit {
            Some(entry) => entry.error(self.problem),
            None => ConfigError::new(otherwise.0, otherwise.1, self.problem),
        }
    }
}

impl<'a, P: Policy> Folded<'a, P> {
    /// Adjusts the defaults, then lists the broken rules, and lets what breaks them give way. What is
    /// unknown breaks none.
    pub(crate) fn settle(&mut self) -> Vec<Breach<'a>> {
        let Self { value, sources, .. } = self;
        value.settle(&|key| sources.contains_key(key));
        let known = |rule: &Broken| !rule.keys.iter().any(|key| self.unknown.contains(key));
        let rules = self.value.rules().into_iter().filter(known);
        let breaches = rules.map(|rule| self.breach(rule)).collect();
        self.value.give_way();
        breaches
    }

    fn breach(&self, rule: Broken) -> Breach<'a> {
        let rule = if self.are_at_one_place(rule.keys) {
            rule
        } else {
            rule.among_inherited(|key| self.says(key))
        };
        let sources = rule.keys.iter().filter_map(|key| self.sources.get(key));
        // The first key is the first to blame.
        let culprit = sources.copied().rev().max_by_key(|(number, _)| *number);
        let blamed = culprit.map(|(number, _)| number);
        Breach {
            keys: rule.keys,
            problem: Problem::new(rule.explain(|key| self.explain(key, blamed))),
            doubt: rule.doubt,
            culprit: culprit.map(|(_, entry)| entry),
        }
    }

    /// A value in the message of a rule, with its origin if the message stands elsewhere.
    fn explain(&self, key: &str, blamed: Option<usize>) -> String {
        let value = || self.value.get(key).unwrap_or_else(|| "null".to_owned());
        match self.sources.get(key) {
            Some((_, entry)) if entry.node.is_secret() => entry.node.show(),
            Some((number, _)) if Some(*number) == blamed => value(),
            Some((_, entry)) => format!("{} from {}", value(), entry.origin),
            None => format!("{} by default", value()),
        }
    }

    /// Whether all of these were written at one place: in one mapping of the file, in one attribute, in
    /// the variables for one policy.
    fn are_at_one_place(&self, keys: &[&str]) -> bool {
        let place = |key: &&str| self.sources.get(key).map(|(number, _)| *number);
        let mut places = keys.iter().map(place);
        let first = places.next().flatten();
        first.is_some() && places.all(|place| place == first)
    }

    /// Whether somebody wrote all of these.
    pub(crate) fn has_all(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| self.sources.contains_key(key))
    }
}

/// A setting in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// Its name.
    pub key: &'static str,
    /// Its value, as YAML text; while compiling, `${VAR}` as it is written.
    pub value: String,
    /// Where the value came from.
    pub origin: Origin,
    /// The variables that it came from, in words that stand for the value where it is not to be shown.
    pub(crate) variables: Option<String>,
}

impl Effective {
    /// Where it came from, and out of which variable: ``hardening.yaml:14:7, the value of `${CALL}` ``.
    #[must_use]
    pub fn source(&self) -> String {
        match (&self.variables, &self.origin) {
            (Some(variables), Origin::File { .. } | Origin::Attribute { .. }) => {
                format!("{}, {variables}", self.origin)
            }
            (_, origin) => origin.to_string(),
        }
    }
}
