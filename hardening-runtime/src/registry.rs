//! The policies in force and the state that sites share by name: found once when a site comes
//! alive, never while a call runs.

use crate::{
    bulkhead::BulkheadState,
    cache::{CacheState, ErasedCache, Fingerprint, Value},
    circuit_breaker::BreakerState,
    config::{Config, ConfigError, ConfigErrors, Policy, Selection},
    event,
    live::Live,
    name,
    named::ByName,
    rate_limit::LimiterState,
    retry::BudgetState,
    site::{self, Site},
    source,
};
use std::{
    any::TypeId,
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    fn name(self, path: &'static str) -> &'static str {
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
    limiters: HashMap<Identity, &'static LimiterState>,
    budgets: HashMap<&'static str, &'static BudgetState>,
    breakers: HashMap<Identity, &'static BreakerState>,
    bulkheads: HashMap<Identity, &'static BulkheadState>,
    caches: HashMap<(Identity, TypeId), &'static dyn ErasedCache>,
    pub(crate) by_name: ByName,
}

static STATES: Mutex<Option<States>> = Mutex::new(None);

fn locked() -> MutexGuard<'static, Option<States>> {
    STATES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `act` with the states; the first time, the configuration is loaded. What is wrong with it
/// is told as events, once the lock is given back, and the built-in policies are in force.
pub(crate) fn with<R>(act: impl FnOnce(&mut States) -> R) -> R {
    let mut wrong = None;
    let mut states = locked();
    let result = act(states.get_or_insert_with(|| {
        let config = source::load().unwrap_or_else(|errors| {
            wrong = Some(errors);
            Config::builtin()
        });
        States::new(config)
    }));
    drop(states);
    if let Some(errors) = wrong {
        event::misconfigured(&errors);
    }
    result
}

/// Makes `site` come alive.
#[cold]
pub(crate) fn bring_alive(site: &'static Site) -> &'static Live {
    let (live, wrong) = with(|states| {
        let (live, wrong) = Live::resolve(site, states);
        let live: &'static Live = Box::leak(Box::new(live));
        site.set_live(Some(live));
        (live, wrong)
    });
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
        Ok((lives, by_name)) => {
            states.by_name = by_name;
            for limiter in states.limiters.values() {
                limiter.set_cleanup_threshold(states.config.cleanup_threshold());
            }
            for (site, live) in lives {
                site.set_live(Some(Box::leak(Box::new(live))));
            }
            Ok(())
        }
        Err(errors) => {
            states.config = before;
            if is_first {
                // As if nobody had tried: the first call will load what can be in force.
                *guard = None;
            }
            Err(errors)
        }
    }
}

/// What is in force at each site, and by name, with the configuration of `states`.
type Everywhere = (Vec<(&'static Site, Live)>, ByName);

fn everywhere(states: &mut States, wrong: Vec<ConfigError>) -> Result<Everywhere, ConfigErrors> {
    let (mut lives, mut errors) = (Vec::new(), wrong);
    for site in site::all() {
        match Live::of(site, states) {
            Ok(live) => lives.push((site, live)),
            Err(more) => errors.extend(more),
        }
    }
    errors.extend(crate::start::overrides_without_a_site(&states.config));
    let names = states.by_name.clone();
    let by_name = names.again(states).map_err(|more| errors.extend(more));
    match (ConfigErrors::of(errors), by_name) {
        (None, Ok(by_name)) => Ok((lives, by_name)),
        (Some(errors), _) => Err(errors),
        (None, Err(())) => Ok((lives, names)),
    }
}

/// Forgets every state and setting.
#[cfg(feature = "test-util")]
pub(crate) fn forget() {
    let mut states = locked();
    *states = None;
    for site in site::all() {
        site.set_live(None);
        site.metrics.reset();
    }
}

/// Makes the state of a site's cache, or finds it.
pub(crate) fn cache_state<V: Value>(
    identity: Identity,
    path: &'static str,
    max_entries: u32,
) -> &'static CacheState<Fingerprint, V> {
    with(|states| {
        let slot = (identity, TypeId::of::<V>());
        let known = states.caches.get(&slot).and_then(|known| downcast(*known));
        known.unwrap_or_else(|| {
            let made: &'static CacheState<Fingerprint, V> =
                Box::leak(Box::new(CacheState::new(identity.name(path), max_entries)));
            states.caches.insert(slot, made);
            made
        })
    })
}

/// `erased` as a cache of values of type `V`, if it is one.
#[inline]
pub(crate) fn downcast<V: Value>(
    erased: &'static dyn ErasedCache,
) -> Option<&'static CacheState<Fingerprint, V>> {
    erased.as_any().downcast_ref()
}

impl States {
    fn new(config: Config) -> Self {
        Self::new_shared(Arc::new(config))
    }

    fn new_shared(config: Arc<Config>) -> Self {
        Self {
            config,
            limiters: HashMap::new(),
            budgets: HashMap::new(),
            breakers: HashMap::new(),
            bulkheads: HashMap::new(),
            caches: HashMap::new(),
            by_name: ByName::default(),
        }
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

    /// The buckets of an op.
    pub(crate) fn limiter(
        &mut self,
        identity: Identity,
        path: &'static str,
    ) -> &'static LimiterState {
        let keys = self.config.cleanup_threshold();
        self.limiters.entry(identity).or_insert_with(|| {
            let limiter = leak(LimiterState::new(identity.name(path)));
            limiter.set_cleanup_threshold(keys);
            limiter
        })
    }

    /// The retry budget of a policy.
    pub(crate) fn budget(&mut self, policy: &str) -> &'static BudgetState {
        let budgets = &mut self.budgets;
        budgets
            .entry(name::intern(policy))
            .or_insert_with(|| leak(BudgetState::new()))
    }

    /// The circuit of a name.
    pub(crate) fn breaker(
        &mut self,
        identity: Identity,
        path: &'static str,
    ) -> &'static BreakerState {
        let breakers = &mut self.breakers;
        breakers
            .entry(identity)
            .or_insert_with(|| leak(BreakerState::new(identity.name(path))))
    }

    /// The places of a name.
    pub(crate) fn bulkhead(
        &mut self,
        identity: Identity,
        path: &'static str,
    ) -> &'static BulkheadState {
        let bulkheads = &mut self.bulkheads;
        bulkheads
            .entry(identity)
            .or_insert_with(|| leak(BulkheadState::new(identity.name(path))))
    }
}

fn leak<T>(state: T) -> &'static T {
    Box::leak(Box::new(state))
}
