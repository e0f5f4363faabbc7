//! The sections under `runtime:`, read into layers of settings. Nothing here knows a setting by name.

use std::sync::Arc;

use super::{
    MAX_NAME, MAX_VALUES,
    node::{Field, fields},
    read,
    tree::{Node, Value},
};
use crate::{
    config::{Config, Named, Overridden, Override, Section},
    env::Environment,
    error::{ConfigError, ConfigErrors, Origin, Position, Problem, join},
    group::{ENOUGH, unknown_key},
    kind::LayerKind,
    layer::{Entry, Layer},
    policy::{HealthDefaults, Provider, RuntimePolicy, SectionPolicy},
    schema::{Key, Settings},
    suggest,
};

/// The configuration that `bytes` say, and everything that is wrong with their shape. `file` is
/// `None` for what is built in.
pub(crate) fn read_config(
    bytes: &[u8],
    file: Option<&str>,
    env: &Environment,
) -> (Config, ConfigErrors) {
    let mut reader = Reader {
        file: file.map(Arc::from),
        errors: ConfigErrors::collect(),
    };
    let mut config = Config::empty(reader.file.clone());
    let read = read::parse(bytes, env).and_then(|root| runtime(&root));
    match read {
        Ok(Some(node)) => reader.runtime(&mut config, &node),
        Ok(None) => config.warnings.extend(reader.nothing()),
        Err(problem) => {
            config.is_readable = false;
            reader.report("", problem);
        }
    }
    (config, reader.errors)
}

/// The mapping `runtime:`. Everything beside it belongs to the application.
fn runtime(root: &Arc<Node>) -> Result<Option<Arc<Node>>, Problem> {
    let entries = match &root.value {
        Value::Map(entries) => entries,
        Value::Null if !root.replaced => return Ok(None),
        _ => {
            let is = root.kind();
            let message = format!("the file is {is}: write a mapping with the key `runtime`");
            return Err(Problem::new(message).or_at(root.at));
        }
    };
    let mut found = runtimes(entries);
    match (found.next(), found.next()) {
        (Some((first, _)), Some((again, _))) => {
            let Position { line, column } = first.at;
            let message =
                format!("written twice: first at {line}:{column}; put everything under one");
            Err(Problem::new(message).inside("runtime").or_at(again.at))
        }
        (Some((key, node)), None) => within_limits(key, node).map(Some),
        (None, _) => {
            let merged = entries.iter().filter(|(key, _)| key.is_merge());
            let merged = merged.filter_map(|(_, value)| value.entries());
            let found = merged.flat_map(|entries| runtimes(entries)).next();
            found
                .map(|(key, node)| within_limits(key, node))
                .transpose()
        }
    }
}

type Pair = (Arc<Node>, Arc<Node>);

fn runtimes(entries: &[Pair]) -> impl Iterator<Item = &Pair> {
    let is_runtime = |(key, _): &&Pair| key.text() == Some("runtime");
    entries.iter().filter(is_runtime)
}

fn within_limits(key: &Node, node: &Arc<Node>) -> Result<Arc<Node>, Problem> {
    if node.size <= MAX_VALUES {
        return Ok(Arc::clone(node));
    }
    let message = format!("it holds more than {MAX_VALUES} values once aliases are expanded");
    Err(Problem::new(message).inside("runtime").or_at(key.at))
}

struct Reader {
    file: Option<Arc<str>>,
    errors: ConfigErrors,
}

impl Reader {
    fn origin(&self, position: Position) -> Origin {
        match &self.file {
            Some(file) => Origin::File {
                file: Arc::clone(file),
                position,
            },
            None => Origin::BuiltIn,
        }
    }

    /// A file that says nothing is allowed, and odd.
    fn nothing(&self) -> Option<ConfigError> {
        let message = "there is no key `runtime`: nothing in this file is used";
        let origin = self.origin(Position { line: 1, column: 1 });
        self.file.as_ref()?;
        Some(ConfigError::new(&origin, "", Problem::new(message)))
    }

    fn unknown<'a>(&mut self, path: &str, field: &Field, names: impl IntoIterator<Item = &'a str>) {
        if self.errors.len() >= ENOUGH {
            return self.errors.leave_out();
        }
        self.report(path, unknown_key(field, names));
    }

    fn report(&mut self, path: &str, problem: Problem) {
        let origin = self.origin(Position { line: 1, column: 1 });
        self.errors.push(ConfigError::new(&origin, path, problem));
    }

    fn fields(&mut self, path: &str, node: &Node) -> Vec<Field> {
        let (fields, problems) = fields(node);
        for problem in problems {
            self.report(path, problem);
        }
        fields
    }

    fn runtime(&mut self, config: &mut Config, node: &Node) {
        for field in self.fields("runtime", node) {
            let path = format!("runtime.{}", field.shown);
            match (LayerKind::from_section(&field.key), field.key.as_str()) {
                (Some(kind), _) => {
                    let section = self.section(kind, &path, &field.value);
                    *config.section_mut(kind) = section;
                }
                (None, "health_checks") => self.health(config, &path, &field.value),
                (None, "overrides") => config.overrides = self.overrides(&path, &field.value),
                (None, name) => match RuntimePolicy::KEYS.iter().find(|key| key.name == name) {
                    Some(key) => config
                        .runtime_layer
                        .push(self.entry(key, "runtime", &field)),
                    None => self.unknown("runtime", &field, names_under_runtime()),
                },
            }
        }
    }

    fn section(&mut self, kind: LayerKind, path: &str, node: &Node) -> Section {
        let mut section = Section::default();
        let keys: Vec<&'static Key> = SectionPolicy::keys(kind).collect();
        for field in self.fields(path, node) {
            let name = match kind {
                LayerKind::RateLimit => None,
                _ => field.key.strip_suffix("_policy"),
            };
            if let Some(key) = keys.iter().find(|key| key.name == field.key) {
                section.layer.push(self.entry(key, path, &field));
            } else if kind == LayerKind::RateLimit && field.key == "defaults" {
                section.named = self.named(kind, &join(path, "defaults"), &field.value);
            } else if let Some(name) = name.filter(|name| !name.is_empty()) {
                let named = self.settings_of(kind.keys(), name, path, &field);
                section.named.push(named);
            } else {
                let others = match kind {
                    LayerKind::RateLimit => "defaults",
                    _ => "default_policy",
                };
                let names = keys.iter().map(|key| key.name).chain([others]);
                self.unknown_in_section(kind, path, &field, names);
            }
        }
        section
    }

    fn unknown_in_section<'a>(
        &mut self,
        kind: LayerKind,
        path: &str,
        field: &Field,
        names: impl Iterator<Item = &'a str>,
    ) {
        if self.errors.len() >= ENOUGH {
            return self.errors.leave_out();
        }
        let mut problem = unknown_key(field, names);
        let policy = nearest_policy(&field.key).filter(|_| kind != LayerKind::RateLimit);
        if kind.keys().iter().any(|key| key.name == field.key) {
            problem = Problem::new(match kind {
                LayerKind::RateLimit => "it belongs to an op under `defaults`",
                _ => "it belongs to a policy, such as `default_policy`",
            })
            .inside(&field.shown)
            .or_at(field.key_at);
        } else if policy.is_some() {
            problem.suggestion = policy;
        } else if matches!(field.value.value, Value::Map(_)) && problem.suggestion.is_none() {
            let name = &field.shown;
            problem.message = match kind {
                LayerKind::RateLimit => {
                    format!("unknown key: ops go under `defaults`, as `defaults: {{{name}: …}}`")
                }
                _ => format!("unknown key: a policy is called `{name}_policy` here"),
            };
        }
        self.report(path, problem);
    }

    /// The ops, or the providers: a mapping of names.
    fn named(&mut self, kind: LayerKind, path: &str, node: &Node) -> Vec<Named> {
        let fields = self.fields(path, node);
        let read = |field: &Field| self.settings_of(kind.keys(), &field.key, path, field);
        fields.iter().map(read).collect()
    }

    /// Settings with a name.
    fn settings_of(
        &mut self,
        keys: &'static [Key],
        name: &str,
        path: &str,
        field: &Field,
    ) -> Named {
        let before = self.errors.len();
        if let Some(problem) = refuse_name(name) {
            self.report(path, problem.or_at(field.key_at));
        }
        let path = join(path, &field.shown);
        let layer = self.layer(keys, &path, &field.value);
        Named {
            name: name.to_owned(),
            origin: self.origin(field.key_at),
            layer,
            env: Layer::new(),
            path: path.into(),
            is_whole: self.errors.len() == before,
        }
    }

    /// A mapping whose keys are all in `keys`.
    fn layer(&mut self, keys: &'static [Key], path: &str, node: &Node) -> Layer {
        let mut layer = Layer::new();
        for field in self.fields(path, node) {
            match keys.iter().find(|key| key.name == field.key) {
                Some(key) => layer.push(self.entry(key, path, &field)),
                None => self.unknown(path, &field, keys.iter().map(|key| key.name)),
            }
        }
        layer
    }

    fn entry(&self, key: &'static Key, path: &str, field: &Field) -> Entry {
        Entry {
            key: key.name,
            node: Arc::clone(&field.value),
            origin: self.origin(field.key_at),
            path: path.into(),
        }
    }

    fn health(&mut self, config: &mut Config, path: &str, node: &Node) {
        for field in self.fields(path, node) {
            if let Some(key) = HealthDefaults::KEYS
                .iter()
                .find(|key| key.name == field.key)
            {
                let entry = self.entry(key, path, &field);
                config.health_layers[0].push(entry);
            } else if field.key == "providers" {
                let path = join(path, "providers");
                for field in self.fields(&path, &field.value) {
                    let provider = self.settings_of(Provider::KEYS, &field.key, &path, &field);
                    config.providers.push(provider);
                }
            } else {
                let names = HealthDefaults::KEYS.iter().map(|key| key.name);
                self.unknown(path, &field, names.chain(["providers"]));
            }
        }
    }

    fn overrides(&mut self, path: &str, node: &Node) -> Vec<Override> {
        let fields = self.fields(path, node);
        fields.iter().map(|field| self.site(path, field)).collect()
    }

    fn site(&mut self, path: &str, site: &Field) -> Override {
        let path = format!("{path}.\"{}\"", site.shown);
        let mut layers: Vec<Overridden> = Vec::new();
        for field in self.fields(&path, &site.value) {
            match LayerKind::from_override(&field.key) {
                Some(kind) if layers.iter().any(|known| known.kind == kind) => {
                    let message = "the same layer is overridden twice: remove one of them";
                    let problem = Problem::new(message).inside(&field.shown);
                    self.report(&path, problem.or_at(field.key_at));
                }
                Some(kind) => {
                    let path = join(&path, &field.key);
                    layers.push(Overridden {
                        kind,
                        layer: self.layer(kind.keys(), &path, &field.value),
                        origin: self.origin(field.key_at),
                        name: field.key,
                    });
                }
                None => {
                    let sections = LayerKind::ALL.into_iter().filter_map(LayerKind::section);
                    self.unknown(&path, &field, sections);
                }
            }
        }
        Override {
            site: site.key.clone(),
            origin: self.origin(site.key_at),
            path: path.into(),
            layers,
        }
    }
}

/// Names are in metrics and messages, and are kept for the life of the program.
fn refuse_name(name: &str) -> Option<Problem> {
    match name.chars().count() {
        0 => Some(Problem::new("an empty name is refused")),
        1..=MAX_NAME => None,
        count => Some(Problem::new(format!(
            "the name has {count} characters: write at most {MAX_NAME}"
        ))),
    }
}

/// The policy that a key with a slip in its ending was meant to be: `expensive_polic`.
fn nearest_policy(key: &str) -> Option<String> {
    let name = match key.rsplit_once(['_', '-', ' ']) {
        Some((name, ending)) => suggest(ending, ["policy"]).map(|_| name),
        None => key.strip_suffix("policy"),
    };
    let name = name.filter(|name| !name.is_empty())?;
    Some(format!(
        "{}_policy",
        suggest(name, ["default"]).unwrap_or(name)
    ))
}

fn names_under_runtime() -> impl Iterator<Item = &'static str> {
    let sections = LayerKind::ALL.into_iter().filter_map(LayerKind::section);
    let own = RuntimePolicy::KEYS.iter().map(|key| key.name);
    sections.chain(["health_checks", "overrides"]).chain(own)
}
