//! The settings of health checks: which value wins.
//!
//! Weakest first: built-in · the section · inline in the attribute · the provider of that name in the
//! file · the environment, whose variables for the section are inherited as the section is.

use std::collections::BTreeMap;

use crate::{
    config::{Config, Named},
    error::{ConfigError, ConfigErrors, Origin, Problem},
    file,
    layer::{Folded, Layer, Source, entries, fold},
    policy::{HealthDefaults, HealthGroup, HealthPolicy, Provider},
    schema::Settings,
};

const ATTRIBUTE: &str = "health_check";

impl Config {
    /// The settings in force for the health check `name`, which says `inline` of itself, at `at`.
    ///
    /// # Errors
    /// What is wrong with `inline`.
    pub fn health_check(
        &self,
        name: &str,
        at: &str,
        inline: &[(&str, &str)],
    ) -> Result<Provider, ConfigErrors> {
        let here = Origin::Attribute { at: at.into() };
        let (inline, wrong) = entries(Provider::KEYS, &here, ATTRIBUTE, inline);
        let named = self.providers.iter().find(|named| named.name == name);
        let folded = self.provider(named, &inline);
        let wrong = wrong.into_iter();
        let wrong = wrong
            .map(|(key, problem)| ConfigError::new(&here, &format!("{ATTRIBUTE}.{key}"), problem));
        let errors = ConfigErrors::of(wrong.chain(folded.errors));
        errors.map_or(Ok(folded.value), Err)
    }

    fn provider<'a>(&'a self, named: Option<&'a Named>, inline: &'a Layer) -> Folded<'a, Provider> {
        let [file, env] = &self.health_layers;
        let (own, own_env): (&[_], &[_]) =
            named.map_or((&[], &[]), |named| (&named.layer, &named.env));
        fold(&[
            // Switching the monitor off does not switch its checks off.
            Source::from(file.as_slice()).without("enabled"),
            Source::from(inline),
            Source::from(own),
            Source::from(env.as_slice()).without("enabled").except(own),
            Source::from(own_env),
        ])
    }

    pub(crate) fn settle_health(&mut self) -> Vec<ConfigError> {
        let [file, env] = &self.health_layers;
        let all: Folded<'_, HealthDefaults> = fold(&[file, env]);
        let mut errors = all.errors;
        let mut providers = BTreeMap::new();
        for named in &self.providers {
            errors.extend(fold::<Provider>(&[&named.layer, &named.env]).errors);
            let provider = self.provider(Some(named), &Layer::new()).value;
            errors.extend(at_odds(named, &provider));
            providers.insert(named.name.clone(), provider);
        }
        self.health = HealthPolicy::new(&all.value, providers);
        errors
    }
}

/// What the settings of one check say that does not go together.
fn at_odds(named: &Named, provider: &Provider) -> Option<ConfigError> {
    let written = |key: &str| {
        let all = named.env.iter().chain(&named.layer);
        all.into_iter().find(|entry| entry.key == key)
    };
    let is_derived = provider.derive.is_some();
    if is_derived && provider.groups.contains(&HealthGroup::Liveness) {
        let message = "a check that is derived from a layer is never part of liveness, since a dependency that \
                       is down is no reason to restart this process: write `groups: [readiness]`";
        return Some(written("groups")?.error(Problem::new(message)));
    }
    if !is_derived && provider.name.is_some() {
        let message = "`name` says which circuit breaker or bulkhead the check is derived from: write `derive: \
                       circuit_breaker` or `derive: bulkhead` beside it, or remove it";
        return Some(written("name")?.error(Problem::new(message)));
    }
    None
}

/// Whether a health check has the setting `key`, and `text` is one of its values.
///
/// # Errors
/// Says what is wrong, and what to write instead.
pub fn check_health_setting(key: &str, text: &str) -> Result<(), Problem> {
    let names = || Provider::KEYS.iter().map(|known| known.name);
    if !names().any(|known| known == key) {
        return Err(Problem::unknown("unknown key", key, names()));
    }
    let read = Provider::base().set(key, &file::value(text));
    read.map_err(|mut problems| problems.swap_remove(0).alone())
}
