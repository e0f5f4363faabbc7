//! The checks of a configuration that has been read: every setting, then what does not go together.

use crate::{
    config::{Config, Named, Override},
    error::{ConfigError, Origin, Problem},
    file,
    kind::{LayerKind, with_policy},
    layer::{Breach, Folded, Layer, fold},
    policy::{Doubt, RuntimePolicy, Switches},
    resolve::unknown_setting,
    schema::{Policy, Settings},
};

impl Config {
    /// Checks everything, and fills in what is read once.
    pub(crate) fn settle(&mut self) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        for kind in LayerKind::ALL {
            let found = with_policy!(kind, P => self.check_policies::<P>(), else Found::default());
            errors.extend(found.errors);
            self.warnings.extend(found.warnings);
        }
        for overridden in self.overrides.iter().flat_map(|site| &site.layers) {
            let layer = &overridden.layer;
            errors.extend(
                with_policy!(overridden.kind, P => check_override::<P>(layer), else Vec::new()),
            );
        }
        errors.extend(self.settle_runtime());
        errors.extend(self.settle_sections());
        errors.extend(self.settle_health());
        errors
    }

    /// Every policy by itself, then together with what it inherits.
    fn check_policies<P: Policy>(&self) -> Found {
        let mut found = Found::default();
        let (mut sound, mut default_is_sound) = (Vec::new(), true);
        for named in &self.section(P::KIND).named {
            let own = own_errors::<P>(&[&named.layer, &named.env]);
            if own.is_empty() && named.is_whole {
                sound.push(named);
            } else {
                default_is_sound &= named.name != "default";
            }
            found.errors.extend(own);
        }
        // Settings that could not be read, inherited ones too, would break rules that are kept.
        if default_is_sound || P::KIND == LayerKind::RateLimit {
            for named in sound {
                found.take(self.broken_rules::<P>(named), named);
            }
        }
        found
    }

    fn broken_rules<'a, P: Policy>(&'a self, named: &'a Named) -> Vec<Breach<'a>> {
        let layers = self.layers(P::KIND, Some(named), &[]);
        let allow = fold::<Switches>(&layers).value.allow;
        let mut breaches = fold::<P>(&layers).settle();
        breaches.retain(|breach| breach.counts(&allow));
        breaches
    }

    /// The policies or ops of the file that nobody names, as `is_used` knows it, and that do not allow
    /// it: a warning for each. The default policies are always there for all.
    pub fn unused(&self, kind: LayerKind, is_used: impl Fn(&str) -> bool) -> Vec<ConfigError> {
        let section = self.section(kind);
        let defaults = section.default_policy().map(|default| &*default.name);
        let named = section.named.iter();
        named
            .filter(|named| matches!(named.origin, Origin::File { .. }))
            .filter(|named| Some(&*named.name) != defaults && !is_used(&named.name))
            .filter(|named| !self.allows(kind, named, Doubt::Unused))
            .map(|named| {
                let what = kind.named();
                let message = format!("no function of this program names this {what}: remove it");
                let problem = Problem::new(message + &Doubt::Unused.how_to_allow());
                ConfigError::new(&named.origin, &named.path, problem)
            })
            .collect()
    }

    /// The overrides of call sites that this program does not have, as `is_known` knows it, and that do
    /// not allow it: the path and a warning for each.
    pub fn overrides_unused(&self, is_known: impl Fn(&str) -> bool) -> Vec<(&str, ConfigError)> {
        let allows = |site: &Override| {
            let mut layers = site.layers.iter().map(|of| fold::<Switches>(&[&of.layer]));
            layers.any(|switches| switches.value.allow.contains(&Doubt::Unused))
        };
        let sites = self.overrides.iter();
        sites
            .filter(|site| !is_known(&site.site) && !allows(site))
            .map(|site| {
                let message = "this program has no annotated function of that crate";
                let problem = Problem::new(message.to_owned() + &Doubt::Unused.how_to_allow());
                let warning = ConfigError::new(&site.origin, &site.path, problem);
                (site.site.as_str(), warning)
            })
            .collect()
    }

    fn allows(&self, kind: LayerKind, named: &Named, doubt: Doubt) -> bool {
        let switches: Folded<'_, Switches> = fold(&self.layers(kind, Some(named), &[]));
        switches.value.allow.contains(&doubt)
    }

    fn settle_runtime(&mut self) -> Vec<ConfigError> {
        let folded = fold::<RuntimePolicy>(&[&self.runtime_layer]);
        let (runtime, errors) = (folded.value, folded.errors);
        self.runtime = runtime;
        errors
    }

    /// Reads what the sections say besides their policies.
    fn settle_sections(&mut self) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        for kind in LayerKind::ALL {
            let section = self.section(kind).policy();
            errors.extend(section.errors);
            match kind {
                LayerKind::RateLimit => self.cleanup_threshold = section.value.cleanup_threshold,
                LayerKind::Retry => self.retryable_codes = section.value.retryable_codes,
                _ => {}
            }
        }
        errors
    }
}

/// What is wrong, and what is doubtful.
#[derive(Default)]
struct Found {
    errors: Vec<ConfigError>,
    warnings: Vec<ConfigError>,
}

impl Found {
    fn take(&mut self, breaches: Vec<Breach<'_>>, named: &Named) {
        for breach in breaches {
            let to = if breach.is_fatal() {
                &mut self.errors
            } else {
                &mut self.warnings
            };
            let error = breach.error((&named.origin, &named.path));
            // What is inherited breaks its rule again in everything that inherits it.
            if to.last() != Some(&error) && to.first() != Some(&error) {
                to.push(error);
            }
        }
    }
}

/// What is wrong with each setting by itself.
fn own_errors<P: Policy>(layers: &[&Layer]) -> Vec<ConfigError> {
    let mut errors = fold::<P>(layers).errors;
    errors.extend(fold::<Switches>(layers).errors);
    errors
}

/// An override by itself: the rest of its settings is known at its call site only.
fn check_override<P: Policy>(layer: &Layer) -> Vec<ConfigError> {
    let mut errors = own_errors::<P>(&[layer]);
    if errors.is_empty() {
        let mut folded = fold::<P>(&[layer]);
        let breaches = folded.settle().into_iter();
        let alone = breaches.filter(|breach| breach.is_fatal() && folded.has_all(breach.keys));
        errors.extend(alone.map(|breach| breach.error((&Origin::BuiltIn, ""))));
    }
    errors
}

/// Whether the table of `kind` has `key`, and `text` is one of its values.
///
/// # Errors
/// Says what is wrong, and what to write instead.
pub fn check_setting(kind: LayerKind, key: &str, text: &str) -> Result<(), Problem> {
    let Some(known) = kind.keys().iter().find(|known| known.name == key) else {
        return Err(unknown_setting(kind, key));
    };
    let node = file::value(text);
    let own = with_policy!(kind, P => P::base().set(known.name, &node), else Ok(()));
    let read = own.and_then(|()| Switches::base().set(known.name, &node));
    read.map_err(|mut problems| problems.swap_remove(0).alone())
}
