//! Which value wins.
//!
//! Weakest first: built-in · the file's `default_policy` · the named policy · inline in the attribute ·
//! the file's `overrides` for the call site · the environment. [`Config::layers`] is that order, and
//! [`fold`] applies it.

use crate::{
    Doubt,
    config::{Config, Named},
    error::{ConfigError, ConfigErrors, Origin, Problem},
    kind::{LayerKind, with_policy},
    layer::{Breach, Effective, Folded, Layer, Source, entries, fold},
    policy::{Mode, Switches},
    schema::{Policy, Setting},
};

/// What a call site says about one of its layers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'a> {
    /// The path of the function: `shop::orders::place`.
    pub site: &'a str,
    /// Where the attribute is: `src/orders.rs:30`.
    pub at: &'a str,
    /// The policy, or the op.
    pub name: Option<&'a str>,
    /// Inline settings, each value as YAML text: `("base_delay", "\"200ms\"")`.
    pub inline: &'a [(&'a str, &'a str)],
}

/// The settings in force for one layer of a call site.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved<P> {
    /// The settings.
    pub policy: P,
    /// Whether the layer does anything.
    pub enabled: bool,
    /// Whether it only counts what it would have rejected.
    pub observe: bool,
    /// Every setting as text with where it came from, `enabled` and `mode` included, and `allow` where
    /// somebody wrote it.
    pub settings: Vec<Effective>,
    /// What is doubtful about them.
    pub warnings: Vec<ConfigError>,
    /// What is doubtful about them, or about them and their neighbours, and meant so.
    pub allow: Vec<Doubt>,
    /// Settings that are known at run time only, switches too: their values here are weaker ones.
    pub unknown: Vec<&'static str>,
}

impl Config {
    /// The settings in force for a layer of a call site.
    ///
    /// # Errors
    /// Everything that is wrong: an undefined name, inline settings, settings that do not go together.
    pub fn resolve<P: Policy>(
        &self,
        selection: &Selection<'_>,
    ) -> Result<Resolved<P>, ConfigErrors> {
        let mut errors = ConfigErrors::collect();
        let here = Origin::Attribute {
            at: selection.at.into(),
        };
        let attribute = P::KIND.attribute();
        if let Some(name) = selection.name
            && let Err(problem) = self.check_name(P::KIND, name)
        {
            let key = format!("{attribute}.{}", P::KIND.named());
            errors.push(ConfigError::new(&here, &key, problem));
        }
        let (inline, wrong) = entries(P::KIND.keys(), &here, attribute, selection.inline);
        let wrong = wrong.into_iter();
        errors.extend(
            wrong.map(|(key, problem)| {
                ConfigError::new(&here, &format!("{attribute}.{key}"), problem)
            }),
        );
        let layers = self.site_layers(P::KIND, selection, &inline);
        let mut folded = fold::<P>(&layers);
        let switches = fold::<Switches>(&layers);
        errors.extend(folded.errors.drain(..));
        errors.extend(switches.errors.iter().cloned());
        let breaches = self.breaches(&mut folded, selection.name).into_iter();
        let (fatal, doubtful): (Vec<Breach<'_>>, Vec<_>) = breaches
            .filter(|breach| breach.counts(&switches.value.allow))
            .partition(Breach::is_fatal);
        let at_site = |breach: Breach<'_>| breach.error((&here, attribute));
        // Of settings that could not be read, the rules know nothing.
        if errors.is_none() && self.is_whole(P::KIND, selection.name) {
            errors.extend(fatal.into_iter().map(at_site));
        }
        errors.or(())?;
        let warnings = doubtful.into_iter().map(at_site).collect();
        Ok(self.resolved(folded, &switches, warnings))
    }

    fn resolved<P: Policy>(
        &self,
        folded: Folded<'_, P>,
        switches: &Folded<'_, Switches>,
        warnings: Vec<ConfigError>,
    ) -> Resolved<P> {
        let section = self.section(P::KIND).policy();
        let enabled = section.value.enabled && switches.value.enabled;
        // Ops inherit nothing from each other, and this from their section.
        let of_section = P::KIND == LayerKind::RateLimit && !switches.says("mode");
        let mode = if of_section {
            section.value.mode
        } else {
            switches.value.mode
        };
        let observe = P::KIND.can_observe() && mode == Mode::Observe;
        let mut settings = folded.effective();
        settings.extend(switches.effective().into_iter().filter_map(|mut switch| {
            if switch.key == "enabled" && !section.value.enabled {
                switch.value = false.show();
                switch.origin = section.origin("enabled");
                switch.variables = section.variables("enabled");
            }
            if switch.key == "mode" && of_section {
                switch.value = mode.show();
                switch.origin = section.origin("mode");
                switch.variables = section.variables("mode");
            }
            let applies = match switch.key {
                "mode" => P::KIND.can_observe(),
                // Nobody asks what nobody has allowed.
                "allow" => switch.origin != Origin::BuiltIn,
                _ => true,
            };
            applies.then_some(switch)
        }));
        let counts = |key: &&&'static str| **key == "enabled" || (**key == "mode" && of_section);
        let of_section = section.unknown().iter().filter(counts);
        let unknown = folded.unknown().iter().chain(switches.unknown());
        Resolved {
            unknown: unknown.chain(of_section).copied().collect(),
            policy: folded.value,
            allow: switches.value.allow.clone(),
            enabled,
            observe,
            settings,
            warnings,
        }
    }

    fn site_layers<'a>(
        &'a self,
        kind: LayerKind,
        selection: &Selection<'_>,
        inline: &'a Layer,
    ) -> Vec<Source<'a>> {
        let mut sites = self.overrides.iter();
        let site = sites.find(|site| site.site == selection.site);
        let site = site.into_iter().flat_map(|site| &site.layers);
        let own = site.filter(|of| of.kind == kind).map(|of| &of.layer);
        let site: Vec<&Layer> = std::iter::once(inline).chain(own).collect();
        self.layers(kind, self.selected(kind, selection.name), &site)
    }

    /// The policy or op in force: the one named, else `default`. A rate limit may have none.
    fn selected(&self, kind: LayerKind, name: Option<&str>) -> Option<&Named> {
        let name = match (kind, name) {
            (_, Some(name)) => name,
            (LayerKind::RateLimit, None) => return None,
            (_, None) => "default",
        };
        self.section(kind).find(name)
    }

    /// Whether all of the policy or op that is in force could be read: if not, what is missing in it
    /// has been reported where it is written.
    fn is_whole(&self, kind: LayerKind, name: Option<&str>) -> bool {
        let default = self.section(kind).default_policy();
        let mut parts = self.selected(kind, name).into_iter().chain(default);
        parts.all(|named| named.is_whole)
    }

    fn breaches<'a, P: Policy>(
        &self,
        folded: &mut Folded<'a, P>,
        name: Option<&str>,
    ) -> Vec<Breach<'a>> {
        let mut breaches = folded.settle();
        if P::KIND == LayerKind::RateLimit && name.is_none() {
            for breach in &mut breaches {
                let message = &mut breach.problem.message;
                *message = message.replace(": write ", ": write `op = \"…\"`, or ");
                breach.problem.choices = self.names(P::KIND).into_iter().map(Into::into).collect();
            }
        }
        breaches
    }

    /// What is wrong with the inline settings of an attribute together, and with the policy or op
    /// that it selects; [`check_setting`](crate::check_setting) says what is wrong with each alone.
    /// The key is empty for what is wrong with the attribute itself.
    #[must_use]
    pub fn check_settings(
        &self,
        kind: LayerKind,
        name: Option<&str>,
        inline: &[(&str, &str)],
    ) -> Vec<(String, Problem)> {
        with_policy!(kind, P => self.check_together::<P>(name, inline), else Vec::new())
    }

    fn check_together<P: Policy>(
        &self,
        name: Option<&str>,
        settings: &[(&str, &str)],
    ) -> Vec<(String, Problem)> {
        if name.is_some_and(|name| self.check_name(P::KIND, name).is_err()) {
            return Vec::new();
        }
        let here = Origin::Attribute { at: "".into() };
        let alone = |(key, text): &&(&str, &str)| crate::check_setting(P::KIND, key, text).is_ok();
        let fine: Vec<_> = settings.iter().filter(alone).copied().collect();
        let (inline, _) = entries(P::KIND.keys(), &here, "", &fine);
        let layers = self.layers(P::KIND, self.selected(P::KIND, name), &[&inline]);
        let mut folded = fold::<P>(&layers);
        let errors = folded.errors.drain(..).filter(|error| error.origin == here);
        let mut wrong: Vec<_> = errors.map(|e| (e.key, e.problem.alone())).collect();
        // What another setting should have said is not known.
        if wrong.is_empty() && fine.len() == settings.len() {
            let breaches = self.breaches(&mut folded, name).into_iter();
            let own = breaches.filter(Breach::is_fatal);
            wrong.extend(own.filter_map(|breach| {
                let written = |key: &&&str| settings.iter().any(|(name, _)| name == *key);
                let key = breach
                    .keys
                    .iter()
                    .find(written)
                    .map(|key| (*key).to_owned());
                // A policy without inline settings answers for itself, where it is written.
                let nothing = name.is_none() && P::KIND == LayerKind::RateLimit;
                let key = key.or_else(|| nothing.then(String::new))?;
                Some((key, breach.problem))
            }));
        }
        wrong
    }
}

/// `key` is no setting of `kind`.
pub(crate) fn unknown_setting(kind: LayerKind, key: &str) -> Problem {
    Problem::unknown("unknown key", key, kind.keys().iter().map(|key| key.name))
}
