//! The configuration as a whole.

use std::{fmt::Write as _, sync::Arc};

use crate::{
    env::Environment,
    error::{ConfigError, ConfigErrors, Origin, Problem},
    file, from_env,
    kind::LayerKind,
    layer::{Folded, Layer, Source, fold},
    policy::{HealthPolicy, RuntimePolicy, SectionPolicy},
};

/// What is in force without a file, as a file.
pub const BUILT_IN: &str = include_str!("built_in.yaml");

/// A configuration that has been read and checked, whole.
#[derive(Clone, Debug)]
pub struct Config {
    file: Option<Arc<str>>,
    /// One for each kind, in its order.
    sections: Vec<Section>,
    /// What the file, and then the environment, say about the runtime as a whole.
    pub(crate) runtime_layer: Layer,
    /// What the file, and then the environment, say for all health checks.
    pub(crate) health_layers: [Layer; 2],
    pub(crate) providers: Vec<Named>,
    pub(crate) overrides: Vec<Override>,
    pub(crate) health: HealthPolicy,
    pub(crate) cleanup_threshold: u32,
    pub(crate) retryable_codes: Vec<u16>,
    pub(crate) runtime: RuntimePolicy,
    pub(crate) warnings: Vec<ConfigError>,
    /// Whether the file is YAML and has the shape of a configuration.
    pub(crate) is_readable: bool,
}

/// A configuration with mistakes.
#[derive(Clone, Debug)]
pub struct Mistaken {
    /// Everything that is wrong.
    pub errors: ConfigErrors,
    /// What could be read nevertheless, for those who know more to add what else is wrong; not to be
    /// put in force. `None` for what is no YAML at all.
    pub readable: Option<Box<Config>>,
}

impl From<ConfigErrors> for Mistaken {
    fn from(errors: ConfigErrors) -> Self {
        Self {
            errors,
            readable: None,
        }
    }
}

/// A section: its switch, and its policies in the order of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    pub(crate) layer: Layer,
    pub(crate) named: Vec<Named>,
    has_default: bool,
}

/// Settings with a name: a policy, an op, a provider.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) path: Arc<str>,
    pub(crate) layer: Layer,
    /// What the environment says about it.
    pub(crate) env: Layer,
    /// Whether all of it could be read; if not, what is missing is no news.
    pub(crate) is_whole: bool,
}

/// What the file says about one call site.
#[derive(Clone, Debug)]
pub(crate) struct Override {
    pub(crate) site: String,
    pub(crate) origin: Origin,
    pub(crate) path: Arc<str>,
    pub(crate) layers: Vec<Overridden>,
}

/// What the file says about one layer of a call site.
#[derive(Clone, Debug)]
pub(crate) struct Overridden {
    pub(crate) kind: LayerKind,
    /// The key that means it: `rate_limit`, or `rate_limiting`.
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) layer: Layer,
}

impl Config {
    /// As [`parse`](Self::parse); with mistakes, all that could be read is there too, so that those who
    /// know more can add what else is wrong with it.
    ///
    /// # Errors
    /// Everything that is wrong with it, and with the variables that override it.
    pub fn read(bytes: &[u8], file: &str, env: &Environment) -> Result<Self, Mistaken> {
        Self::reading(bytes, Some(file), env)
    }

    /// What is in force when there is no file and no variable is set.
    #[must_use]
    pub fn builtin() -> Self {
        Self::builtin_in(&Environment::none())
            .expect("the built-in configuration is checked by a test")
    }

    /// What is in force when there is no file: the built-in policies, and the overrides of `env`.
    ///
    /// # Errors
    /// Every variable that names nothing or has no fitting value.
    pub fn builtin_in(env: &Environment) -> Result<Self, ConfigErrors> {
        Self::read_builtin(env).map_err(|mistaken| mistaken.errors)
    }

    /// As [`builtin_in`](Self::builtin_in), with all that could be read where there are mistakes.
    ///
    /// # Errors
    /// Every variable that names nothing or has no fitting value.
    pub fn read_builtin(env: &Environment) -> Result<Self, Mistaken> {
        Self::reading(BUILT_IN.as_bytes(), None, env)
    }

    /// Reads a file's content. `file` is what messages call it.
    ///
    /// Only what it says under `runtime:` counts; the rest belongs to the application.
    ///
    /// # Errors
    /// Everything that is wrong with it, and with the variables that override it.
    pub fn parse(bytes: &[u8], file: &str, env: &Environment) -> Result<Self, ConfigErrors> {
        Self::read(bytes, file, env).map_err(|mistaken| mistaken.errors)
    }

    fn reading(bytes: &[u8], file: Option<&str>, env: &Environment) -> Result<Self, Mistaken> {
        let (mut config, mut errors) = file::read_config(bytes, file, env);
        for kind in LayerKind::ALL {
            config.section_mut(kind).add_default(kind);
        }
        errors.extend(from_env::apply(env, &mut config));
        errors.extend(config.settle());
        match errors.or(()) {
            Ok(()) => Ok(config),
            Err(errors) => Err(Mistaken {
                errors,
                readable: config.is_readable.then(|| Box::new(config)),
            }),
        }
    }

    pub(crate) fn empty(file: Option<Arc<str>>) -> Self {
        let defaults = SectionPolicy::default();
        Self {
            file,
            sections: vec![Section::default(); LayerKind::ALL.len()],
            runtime_layer: Layer::new(),
            health_layers: [Layer::new(), Layer::new()],
            providers: Vec::new(),
            overrides: Vec::new(),
            health: HealthPolicy::default(),
            cleanup_threshold: defaults.cleanup_threshold,
            retryable_codes: defaults.retryable_codes,
            runtime: RuntimePolicy::default(),
            warnings: Vec::new(),
            is_readable: true,
        }
    }

    pub(crate) fn section(&self, kind: LayerKind) -> &Section {
        &self.sections[kind as usize]
    }

    pub(crate) fn section_mut(&mut self, kind: LayerKind) -> &mut Section {
        &mut self.sections[kind as usize]
    }

    /// The file that it was read from, as messages call it. `None` for what is built in.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The names that exist: the ops for rate limits, the policies for every other kind.
    #[must_use]
    pub fn names(&self, kind: LayerKind) -> Vec<&str> {
        let named = self.section(kind).named.iter();
        named.map(|named| named.name.as_str()).collect()
    }

    /// The policies and ops of `kind`, and where each is defined.
    #[must_use]
    pub fn defined(&self, kind: LayerKind) -> Vec<(&str, Origin)> {
        places(&self.section(kind).named)
    }

    /// Whether the policy or op `name` exists.
    ///
    /// # Errors
    /// Says what exists, and the nearest.
    pub fn check_name(&self, kind: LayerKind, name: &str) -> Result<(), Problem> {
        match self.section(kind).find(name) {
            Some(_) => Ok(()),
            None => Err(self.no_such_name(kind, name)),
        }
    }

    fn no_such_name(&self, kind: LayerKind, name: &str) -> Problem {
        let name = file::quote(name);
        let what = match kind {
            LayerKind::RateLimit => "op".to_owned(),
            kind => format!("{} policy", kind.section().unwrap_or("fallback")),
        };
        let mut message = match self.file() {
            Some(file) => format!("{file} defines no {what} `{name}`"),
            None => format!(
                "there is no {what} `{name}` among the built-in ones, and no configuration file"
            ),
        };
        if self.names(kind).is_empty() {
            let example = "{capacity: 30, window_seconds: 60}";
            let _ = write!(
                message,
                ", nor any other: write `{name}: {example}` under `runtime.rate_limiting.defaults`"
            );
        }
        Problem::unknown(message, &name, self.names(kind))
    }

    /// The health checks, each with all of its settings.
    #[must_use]
    pub fn health(&self) -> &HealthPolicy {
        &self.health
    }

    /// The health checks that the file names, and where.
    #[must_use]
    pub fn named_checks(&self) -> Vec<(&str, Origin)> {
        places(&self.providers)
    }

    /// HTTP status codes that are worth another try.
    #[must_use]
    pub fn retryable_codes(&self) -> &[u16] {
        &self.retryable_codes
    }

    /// Idle keys of rate limits are reclaimed once this many are tracked.
    #[must_use]
    pub fn cleanup_threshold(&self) -> u32 {
        self.cleanup_threshold
    }

    /// The settings of the runtime as a whole.
    #[must_use]
    pub fn runtime(&self) -> &RuntimePolicy {
        &self.runtime
    }

    /// The call sites that the file overrides, and where.
    #[must_use]
    pub fn overridden(&self) -> Vec<(&str, Origin)> {
        let sites = self.overrides.iter();
        sites
            .map(|site| (site.site.as_str(), site.origin.clone()))
            .collect()
    }

    /// What is doubtful about the file, though it can work.
    #[must_use]
    pub fn warnings(&self) -> &[ConfigError] {
        &self.warnings
    }

    /// The kinds of layer that the file overrides at the call site `path`, by which key, and where.
    #[must_use]
    pub fn overridden_at(&self, path: &str) -> Vec<(LayerKind, &str, Origin)> {
        let sites = self.overrides.iter().filter(|site| site.site == path);
        let layers = sites.flat_map(|site| &site.layers);
        layers
            .map(|layer| (layer.kind, layer.name.as_str(), layer.origin.clone()))
            .collect()
    }

    /// The layers of a policy, the weakest first, with `site` where a call site's own belong.
    ///
    /// A variable stands in for a setting of the file, and then beats the call site too. One for
    /// `default` is inherited as `default_policy` is: by the policies that do not say it themselves.
    pub(crate) fn layers<'a>(
        &'a self,
        kind: LayerKind,
        named: Option<&'a Named>,
        site: &[&'a Layer],
    ) -> Vec<Source<'a>> {
        let inherited = self
            .section(kind)
            .default_policy()
            .filter(|default| named.is_none_or(|named| named.name != default.name));
        let mut layers: Vec<Source<'a>> = Vec::new();
        layers.extend(inherited.map(|default| Source::from(&default.layer)));
        layers.extend(named.map(|named| Source::from(&named.layer)));
        layers.extend(site.iter().copied().map(Source::from));
        if let Some(default) = inherited {
            let own: &[_] = named.map_or(&[], |named| &named.layer);
            layers.push(Source::from(&default.env).except(own));
        }
        layers.extend(named.map(|named| Source::from(&named.env)));
        layers
    }
}

fn places(named: &[Named]) -> Vec<(&str, Origin)> {
    let named = named.iter();
    named
        .map(|named| (named.name.as_str(), named.origin.clone()))
        .collect()
}

impl Section {
    pub(crate) fn find(&self, name: &str) -> Option<&Named> {
        self.named.iter().find(|named| named.name == name)
    }

    /// What the other policies inherit from: the first, see [`Self::add_default`].
    pub(crate) fn default_policy(&self) -> Option<&Named> {
        self.named.first().filter(|_| self.has_default)
    }

    /// `default` comes first, and exists in every section but rate limits, whose ops have to be
    /// defined and inherit nothing.
    fn add_default(&mut self, kind: LayerKind) {
        let Some(section) = kind.section().filter(|_| kind != LayerKind::RateLimit) else {
            return;
        };
        let written = self.named.iter().position(|named| named.name == "default");
        let default = match written {
            Some(index) => self.named.remove(index),
            None => Named {
                name: "default".to_owned(),
                origin: Origin::BuiltIn,
                path: format!("runtime.{section}.default_policy").into(),
                layer: Layer::new(),
                env: Layer::new(),
                is_whole: true,
            },
        };
        self.named.insert(0, default);
        self.has_default = true;
    }

    pub(crate) fn policy(&self) -> Folded<'_, SectionPolicy> {
        fold(&[&self.layer])
    }
}
