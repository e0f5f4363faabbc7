//! Start and reload: every annotated function of the program is checked against the configuration,
//! and every problem is returned at once.

use crate::{
    config::{Config, ConfigError, ConfigErrors, LayerKind, Mistaken},
    derived, event,
    health::{self, Registry},
    journal, overridden, registry, report, site,
    source::{self, Embedded, Found},
    watch,
};
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What `init!` found that is no error.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Started {
    /// How many annotated functions the program has.
    pub sites: usize,
    /// The configuration file; none for the built-in policies.
    pub file: Option<String>,
    /// Whether no file was found, and its text is the one that was compiled in.
    pub embedded: bool,
    /// How many policies and ops there are, the default ones included.
    pub policies: usize,
    /// How many functions the file overrides.
    pub overrides: usize,
    /// What looks like a mistake, a line each.
    pub warnings: Vec<String>,
}

/// Loads the configuration and checks every annotated function against it.
pub fn init(embedded: Option<Embedded>) -> Result<Started, ConfigErrors> {
    source::embed(embedded);
    let started = in_turn(put_in_force)?;
    tell_warnings(&started);
    event::configured(&started);
    tell_settings();
    Ok(started)
}

/// Reads the configuration again and puts it in force everywhere, or nowhere. Windows, circuits, tokens,
/// cached results and queues stay as they are. When anything is wrong with it, nothing changes; the
/// error says all of it, and so does an event.
///
/// A call that has begun keeps the settings with which it began, all of them. The functions get the
/// new ones one after the other, within microseconds.
///
/// # Errors
/// Everything that is wrong with the configuration that was found.
pub fn reload() -> Result<(), ConfigErrors> {
    tell(in_turn(put_in_force))
}

/// [`reload`], if what the watcher has seen is still there. A file that is gone is no wish for the
/// policies that were compiled in: it is refused.
pub(crate) fn take_over(settled: &Found) {
    let taken = in_turn(|found| {
        if found != *settled {
            return None;
        }
        let gone = matches!(found, Found::Nothing)
            .then(journal::file_in_force)
            .flatten();
        Some(match gone {
            Some(file) => refuse_nothing(found, &file),
            None => put_in_force(found),
        })
    });
    // What is wrong is told, and there is nobody to return it to.
    let _ = taken.map(tell);
}

fn refuse_nothing(found: Found, file: &str) -> Result<Started, ConfigErrors> {
    let message =
        "the file is gone: put it back, or call `hardening::reload()` to go on without it";
    let errors = source::of_file(file, message.to_owned()).into();
    journal::refused(found, &errors);
    Err(errors)
}

/// What came of a reload, as events.
fn tell(result: Result<Started, ConfigErrors>) -> Result<(), ConfigErrors> {
    match result {
        Ok(started) => {
            journal::reloaded();
            event::reloaded(started.file.as_deref(), started.embedded);
            tell_warnings(&started);
            tell_settings();
            Ok(())
        }
        Err(errors) => {
            event::reload_refused(&errors);
            Err(errors)
        }
    }
}

/// Tells what is in force at each site, and where it came from.
fn tell_settings() {
    if event::wants_settings() {
        for site in report::sites() {
            let at = format!("{}:{}", site.file, site.line);
            event::settings(&site.path, &at, &site.in_words());
        }
    }
}

fn tell_warnings(started: &Started) {
    for warning in &started.warnings {
        event::doubtful(warning);
    }
}

/// Looks at the configuration and acts on it, one after the other: of two reloads at the same time,
/// the one that looked first must not come out on top.
fn in_turn<R>(act: impl FnOnce(Found) -> R) -> R {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    act(source::look())
}

fn put_in_force(found: Found) -> Result<Started, ConfigErrors> {
    let mut result = match source::read(&found) {
        Ok(config) => put_and_report(config, None),
        Err(Mistaken { errors, readable }) => match readable {
            Some(config) => put_and_report(*config, Some(errors)),
            None => Err(errors), // nothing can be said of the functions
        },
    };
    match &mut result {
        Ok(started) => started.embedded = journal::in_force(found, started.file.clone()),
        Err(errors) => journal::refused(found, errors),
    }
    result
}

/// Puts `config` in force, unless something is wrong with it, as `found` says already.
fn put_and_report(config: Config, found: Option<ConfigErrors>) -> Result<Started, ConfigErrors> {
    let started = Started {
        sites: site::all().count(),
        file: config.file().map(str::to_owned),
        embedded: false, // known to those who found it
        policies: LayerKind::ALL
            .map(|kind| config.names(kind).len())
            .iter()
            .sum(),
        overrides: config.overridden().len(),
        warnings: Vec::new(),
    };
    let mut of_file = config.warnings().to_vec();
    of_file.extend(policies_that_nobody_uses(&config));
    of_file.extend(overridden::of_other_programs(&config));
    let without_a_layer = derived::without_a_layer(&config);
    put(config, found)?;
    let mut warnings: Vec<String> = of_file.iter().map(ToString::to_string).collect();
    let mut of_sites = warnings_of_sites();
    // What is doubtful about a policy is doubtful wherever it is used.
    of_sites.retain(|warning| !warnings.contains(warning));
    of_sites.dedup();
    warnings.extend(of_sites);
    warnings.extend(checks_that_nobody_registers());
    warnings.extend(without_a_layer);
    Ok(Started {
        warnings,
        ..started
    })
}

/// Puts `config` in force at every site and every health check; or nowhere, when something is wrong
/// with it, as `found` says already or is found here.
pub(crate) fn put(config: Config, found: Option<ConfigErrors>) -> Result<(), ConfigErrors> {
    let (monitored, watched) = (config.health().enabled, config.runtime().watch);
    let mut wrong: Vec<ConfigError> = found.into_iter().flatten().collect();
    let checks = match health::settings_of(&config) {
        Ok(checks) => Some(checks),
        Err(more) => {
            wrong.extend(more);
            None
        }
    };
    let derived = derived::checks(&config);
    registry::put_in_force(config, wrong)?;
    let mut loaded = health_loaded();
    if let Some((defaults, checks)) = checks {
        health::linked().apply(defaults, checks);
        health::linked().derive(derived);
        health::linked().set_monitored(monitored);
    }
    *loaded = true;
    drop(loaded);
    watch::set_by_file(watched);
    Ok(())
}

/// Whether the health checks have their settings.
fn health_loaded() -> MutexGuard<'static, bool> {
    static LOADED: Mutex<bool> = Mutex::new(false);
    LOADED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The program's registry, with every `#[health_check]` in it. The first who asks for it loads the
/// configuration, as the first call of an annotated function does.
#[must_use]
pub fn registry() -> &'static Registry {
    let registry = health::linked();
    let mut loaded = health_loaded();
    if !*loaded {
        let config = registry::with(|states| states.config());
        match health::settings_of(&config) {
            Ok((defaults, checks)) => {
                registry.apply(defaults, checks);
                registry.derive(derived::checks(&config));
                registry.set_monitored(config.health().enabled);
            }
            Err(errors) => event::misconfigured(&errors),
        }
        *loaded = true;
    }
    registry
}

/// Forgets the results of all health checks, and their settings.
#[cfg(feature = "test-util")]
pub(crate) fn forget_health() {
    *health_loaded() = false;
    health::linked().reset();
}

fn warnings_of_sites() -> Vec<String> {
    let reports: Vec<_> =
        registry::with(|states| site::all().filter_map(|site| states.report(site)).collect());
    let warnings = reports.iter().flat_map(|report| report.warnings());
    warnings.map(ToString::to_string).collect()
}

/// Policies and ops of the file that no annotated function names.
fn policies_that_nobody_uses(config: &Config) -> impl Iterator<Item = ConfigError> {
    LayerKind::ALL.into_iter().flat_map(|kind| {
        let layers = site::all().filter_map(move |site| site.layer(kind));
        let used: HashSet<&str> = layers.filter_map(|layer| layer.policy).collect();
        config.unused(kind, |name| {
            used.contains(name) || crate::named::is_own(kind, name)
        })
    })
}

fn checks_that_nobody_registers() -> impl Iterator<Item = String> {
    let names = health::linked().unregistered_providers().into_iter();
    names.map(|name| {
        format!(
            "no health check is registered for the provider `{name}`: write \
             `#[health_check(name = \"{name}\")]` on a function, or register one with \
             `hardening::health::registry().register(\"{name}\", …)`; a check in a crate that the \
             program never names is not linked"
        )
    })
}
