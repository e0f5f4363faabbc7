//! The policies in force and the state that sites share by name: found once when a site comes
//! alive, never while a call runs.

mod shared;
#[cfg(all(test, not(hardening_loom)))]
mod tests;

use crate::{
    bulkhead::BulkheadState,
    cache::ErasedCache,
    circuit_breaker::BreakerState,
    classify,
    config::{Config, ConfigError, ConfigErrors, Mistaken, Policy, RetryPolicy, Selection},
    event, journal,
    kept::Kept,
    live::{Changes, Live, Resolution, SiteReport},
    named::ByName,
    rate_limit::{self, LimiterState, OpSnapshot},
    retry::BudgetState,
    site::{self, Site},
    source, watch,
};
pub(crate) use shared::{cache_state, downcast};
use std::{
    any::TypeId,
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Who shares a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Identity {
    /// All sites that say this name.
    Named(&'static str),
    /// One site: its address.
    Site(usize),
}

impl Identity {
    pub(crate) fn name(self, path: &'static str) -> &'static str {
        match self {
            Self::Named(name) => name,
            Self::Site(_) => path,
        }
    }
}

/// The configuration in force, and every state of the program. States live as long as it does:
/// they are few, calls hold on to them, and a reload keeps them.
pub(crate) struct States {
    config: Arc<Config>,
    /// Whether it is the built-in one because the one that was found is wrong.
    is_stopgap: bool,
    limiters: HashMap<Identity, &'static LimiterState>,
    budgets: HashMap<&'static str, &'static BudgetState>,
    breakers: HashMap<Identity, &'static BreakerState>,
    bulkheads: HashMap<Identity, &'static BulkheadState>,
    caches: HashMap<(Identity, TypeId), &'static dyn ErasedCache>,
    pub(crate) by_name: ByName,
    pub(crate) kept: KeptByName,
    /// What was ever in force at each site, by its address.
    lives: HashMap<usize, Kept<Live>>,
    /// How each site came to what is in force.
    reports: HashMap<usize, Arc<SiteReport>>,
}

static STATES: Mutex<Option<States>> = Mutex::new(None);

fn locked() -> MutexGuard<'static, Option<States>> {
    STATES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `act` with the states; the first time, the configuration is loaded. What is wrong with it
/// is told as events, once the lock is given back, and the built-in policies are in force.
pub(crate) fn with<R>(act: impl FnOnce(&mut States) -> R) -> R {
    let mut loaded = None;
    let mut states = locked();
    let result = act(states.get_or_insert_with(|| {
        let Loaded {
            config,
            watched,
            wrong,
        } = load();
        classify::put_in_force(config.retryable_codes());
        let is_stopgap = wrong.is_some();
        loaded = Some((watched, wrong));
        States {
            is_stopgap,
            ..States::new(config)
        }
    }));
    drop(states);
    if let Some((watched, wrong)) = loaded {
        if let Some(errors) = wrong {
            event::misconfigured(&errors);
        }
        watch::set_by_file(watched);
    }
    result
}

/// Whether a configuration is in force yet. No site has figures before.
#[cfg(feature = "http")]
pub(crate) fn is_loaded() -> bool {
    locked().is_some()
}

/// What the first call finds.
struct Loaded {
    config: Config,
    watched: Option<Duration>,
    wrong: Option<ConfigErrors>,
}

/// The configuration that is found, or the built-in one and what is wrong with the other. That one is
/// watched if it says so: then it can be corrected without a restart.
fn load() -> Loaded {
    let found = source::look();
    let (config, watched, wrong) = match source::read(&found) {
        Ok(config) => {
            journal::in_force(found, config.file().map(str::to_owned));
            let watched = config.runtime().watch;
            (config, watched, None)
        }
        Err(Mistaken { errors, readable }) => {
            journal::refused(found, &errors);
            let watched = readable.and_then(|config| config.runtime().watch);
            (Config::builtin(), watched, Some(errors))
        }
    };
    Loaded {
        config,
        watched,
        wrong,
    }
}

/// Makes `site` come alive.
#[cold]
pub(crate) fn bring_alive(site: &'static Site) -> &'static Live {
    let (live, wrong) = with(|states| {
        if let Some(live) = site.live_now() {
            return (live, Vec::new()); // another thread was quicker
        }
        let mut resolution = Live::resolve(site, states);
        let mut wrong = std::mem::take(&mut resolution.errors);
        if states.is_stopgap {
            wrong.clear(); // the file would have defined it: that is told
        }
        (states.put_at(site, resolution), wrong)
    });
    live.take_effect(None);
    for error in &wrong {
        event::misconfigured(error);
    }
    live
}

/// Puts `config` in force at every site at once, or nowhere: then all that is wrong is in the error,
/// with what others have found to be `wrong` already.
pub(crate) fn put_in_force(config: Config, wrong: Vec<ConfigError>) -> Result<(), ConfigErrors> {
    let mut guard = locked();
    let config = Arc::new(config);
    let is_first = guard.is_none();
    let states = guard.get_or_insert_with(|| States::new_shared(Arc::clone(&config)));
    let before = std::mem::replace(&mut states.config, config);
    match everywhere(states, wrong) {
        Ok((resolutions, by_name)) => {
            states.by_name = by_name;
            states.is_stopgap = false;
            let changes = states.put_everywhere(resolutions);
            drop(guard);
            changes.take_effect();
            Ok(())
        }
        Err(errors) => {
            states.config = before;
            if is_first {
                *guard = None; // whoever calls first loads what is there then
            }
            Err(errors)
        }
    }
}

/// What is in force at each site, and by name, with the configuration of `states`.
type Everywhere = (Vec<(&'static Site, Resolution)>, ByName);

fn everywhere(states: &mut States, wrong: Vec<ConfigError>) -> Result<Everywhere, ConfigErrors> {
    let (mut resolutions, mut errors) = (Vec::new(), wrong);
    for site in site::all() {
        let mut resolution = Live::resolve(site, states);
        errors.append(&mut resolution.errors);
        resolutions.push((site, resolution));
    }
    errors.extend(crate::overridden::wrong(&states.config));
    let names = states.by_name.clone();
    let by_name = names.again(states).map_err(|more| errors.extend(more));
    match (ConfigErrors::of(errors), by_name) {
        (None, Ok(by_name)) => Ok((resolutions, by_name)),
        (Some(errors), _) => Err(errors),
        (None, Err(())) => Ok((resolutions, names)),
    }
}

/// Forgets every state and setting.
#[cfg(feature = "test-util")]
pub(crate) fn forget() {
    let mut states = locked();
    *states = None;
    classify::put_in_force(Config::builtin().retryable_codes());
    for site in site::all() {
        site.set_live(None);
        site.metrics.reset();
    }
}

impl States {
    fn new(config: Config) -> Self {
        Self::new_shared(Arc::new(config))
    }

    fn new_shared(config: Arc<Config>) -> Self {
        Self {
            config,
            is_stopgap: false,
            limiters: HashMap::new(),
            budgets: HashMap::new(),
            breakers: HashMap::new(),
            bulkheads: HashMap::new(),
            caches: HashMap::new(),
            by_name: ByName::default(),
            kept: KeptByName::default(),
            lives: HashMap::new(),
            reports: HashMap::new(),
        }
    }

    /// Puts what was resolved in force at `site`.
    fn put_at(&mut self, site: &'static Site, resolution: Resolution) -> &'static Live {
        let Resolution { live, report, .. } = resolution;
        let live = self.lives.entry(address(site)).or_default().keep(live);
        self.reports.insert(address(site), Arc::new(report));
        site.set_live(Some(live));
        live
    }

    /// Puts what was resolved in force at every site.
    fn put_everywhere(&mut self, resolutions: Vec<(&'static Site, Resolution)>) -> Changes {
        let put = |(site, resolution): (&'static Site, _)| {
            let former = site.live_now();
            (self.put_at(site, resolution), former)
        };
        let lives: Vec<_> = resolutions.into_iter().map(put).collect();
        classify::put_in_force(self.config.retryable_codes());
        for limiter in self.limiters.values() {
            limiter.set_cleanup_threshold(self.config.cleanup_threshold());
        }
        let layers = lives.iter().filter_map(|(live, _)| live.bulkhead.as_ref());
        let on: Vec<_> = layers.map(|layer| layer.state).collect();
        let is_off = |state: &&BulkheadState| !on.iter().any(|other| std::ptr::eq(*other, *state));
        Changes {
            bulkheads_off: self.bulkheads.values().copied().filter(is_off).collect(),
            lives,
        }
    }

    /// How each layer of `site` came to its settings.
    pub(crate) fn report(&self, site: &'static Site) -> Option<Arc<SiteReport>> {
        self.reports.get(&address(site)).cloned()
    }

    /// The figures of every op, and of every rate limit that is not shared.
    pub(crate) fn ops(&self) -> Vec<OpSnapshot> {
        let policy = |state: &'static LimiterState| {
            let at_a_site = site::all().filter_map(Site::live_now);
            let mut at_a_site = at_a_site.filter_map(|live| live.rate_limit.as_ref());
            let layer = at_a_site.find(|layer| std::ptr::eq(layer.state, state));
            let by_name = || self.by_name.policy_of(state);
            layer.map(|layer| &layer.policy).or_else(by_name)
        };
        let states = self.limiters.values();
        states.map(|state| state.snapshot(policy(state))).collect()
    }

    /// The configuration in force.
    pub(crate) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config)
    }

    /// The default policy of a section.
    pub(crate) fn default_policy<P: Policy + Default>(&self) -> P {
        let resolved = self.config.resolve(&Selection::default());
        resolved.map(|resolved| resolved.policy).unwrap_or_default()
    }
}

/// The policies that were asked for by name.
#[derive(Default)]
pub(crate) struct KeptByName {
    pub(crate) ops: Kept<rate_limit::Prepared>,
    pub(crate) retries: Kept<RetryPolicy>,
}

/// Sites are statics: an address is a site.
fn address(site: &'static Site) -> usize {
    std::ptr::from_ref(site) as usize
}
