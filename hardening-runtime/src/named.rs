//! The policies and states of the configuration, by name, without attributes.

use crate::{
    cache::{self, CacheState, Fingerprint, Value},
    clock,
    config::{ConfigError, ConfigErrors, LayerKind, RetryPolicy, Selection},
    name::intern,
    outcome::Rejected,
    rate_limit::{self, LimiterState, hash_key},
    registry::{self, Identity, States},
    retry::{BudgetState, ByClass, RetryTerms, Terms},
    site::{self, Site},
};
use std::{borrow::Borrow, collections::HashMap, fmt, hash::Hash, marker::PhantomData};

/// What has been asked for by name. A reload resolves it anew, and is refused when the new
/// configuration does not define it any more.
#[derive(Clone, Default)]
pub(crate) struct ByName {
    ops: HashMap<&'static str, Op>,
    retries: HashMap<&'static str, Named>,
}

/// The op of a rate limit, resolved.
#[derive(Clone, Copy)]
struct Op {
    policy: &'static rate_limit::Prepared,
    state: &'static LimiterState,
    enabled: bool,
    observe: bool,
}

/// A retry policy, resolved.
#[derive(Clone, Copy)]
struct Named {
    policy: &'static RetryPolicy,
    budget: &'static BudgetState,
}

impl ByName {
    /// The policy of an op that was asked for by name.
    pub(crate) fn policy_of(
        &self,
        state: &'static LimiterState,
    ) -> Option<&'static rate_limit::Prepared> {
        let mut ops = self.ops.values();
        let op = ops.find(|op| std::ptr::eq(op.state, state))?;
        op.enabled.then_some(op.policy)
    }

    /// The same names with the configuration of `states`.
    pub(crate) fn again(&self, states: &mut States) -> Result<Self, Vec<ConfigError>> {
        let (mut anew, mut wrong) = (Self::default(), Vec::new());
        for name in self.ops.keys() {
            match op(states, name) {
                Ok(op) => drop(anew.ops.insert(name, op)),
                Err(errors) => wrong.extend(errors),
            }
        }
        for name in self.retries.keys() {
            match named(states, name) {
                Ok(named) => drop(anew.retries.insert(name, named)),
                Err(errors) => wrong.extend(errors),
            }
        }
        if wrong.is_empty() {
            Ok(anew)
        } else {
            Err(wrong)
        }
    }
}

/// The op that a program's own routes take from. A file need not define it: it is always there.
pub(crate) const HEALTH_OP: &str = "health_check";

/// Whether the library takes from this op itself, so that no function need name it.
pub(crate) fn is_own(kind: LayerKind, name: &str) -> bool {
    cfg!(feature = "http") && kind == LayerKind::RateLimit && name == HEALTH_OP
}

fn op(states: &mut States, name: &'static str) -> Result<Op, ConfigErrors> {
    let resolved = states.config().resolve(&by_name(name));
    #[cfg(feature = "http")]
    let resolved = resolved.or_else(|errors| match name {
        HEALTH_OP => crate::config::Config::builtin().resolve(&by_name(name)),
        _ => Err(errors),
    });
    let resolved = resolved?;
    Ok(Op {
        policy: states
            .kept
            .ops
            .keep(rate_limit::Prepared::new(resolved.policy)),
        state: states.limiter(Identity::Named(name), name),
        enabled: resolved.enabled,
        observe: resolved.observe,
    })
}

fn named(states: &mut States, name: &'static str) -> Result<Named, ConfigErrors> {
    let resolved = states.config().resolve::<RetryPolicy>(&by_name(name))?;
    let mut policy = resolved.policy;
    if !resolved.enabled {
        policy.max_attempts = 1;
    }
    Ok(Named {
        policy: states.kept.retries.keep(policy),
        budget: states.budget(name),
    })
}

const fn by_name(name: &str) -> Selection<'_> {
    Selection {
        site: "",
        at: "a name given at run time",
        name: Some(name),
        inline: &[],
    }
}

fn found_op(states: &mut States, name: &str) -> Result<Op, ConfigErrors> {
    if let Some(known) = states.by_name.ops.get(name) {
        return Ok(*known);
    }
    let name = intern(name);
    let found = op(states, name)?;
    states.by_name.ops.insert(name, found);
    Ok(found)
}

fn found_retry(states: &mut States, name: &str) -> Result<Named, ConfigErrors> {
    if let Some(known) = states.by_name.retries.get(name) {
        return Ok(*known);
    }
    let name = intern(name);
    let found = named(states, name)?;
    states.by_name.retries.insert(name, found);
    Ok(found)
}

/// Takes a token of the op `op` from the bucket of `key`: the same bucket that
/// `#[rate_limited(op = …, key = …)]` takes from. Never waits.
///
/// # Errors
/// [`Rejected::RateLimited`] when the bucket is empty.
///
/// # Panics
/// When the configuration does not define `op`: names given at run time cannot be checked while
/// compiling.
#[track_caller]
pub fn check_rate_limit<K: Hash + ?Sized>(op: &str, key: &K) -> Result<(), Rejected> {
    let found = registry::with(|states| found_op(states, op));
    let op = found.unwrap_or_else(|errors| panic!("check_rate_limit: {errors}"));
    if !op.enabled {
        return Ok(());
    }
    let (key, now) = (hash_key(key), clock::now());
    if op.observe {
        // It never waits, so there is no time to wait for.
        op.state.observe(op.policy, key, 1, now, Some(now));
        return Ok(());
    }
    op.state.check("check_rate_limit", op.policy, (key, 1), now)
}

/// A policy by its name in the configuration: `retry("expensive", || async { … })`. Its budget is
/// the one that `#[retryable(policy = "expensive")]` uses.
///
/// # Panics
/// When the configuration does not define it.
impl RetryTerms for str {
    type Judge = ByClass;

    fn terms(&self) -> Terms<'_, ByClass> {
        let found = registry::with(|states| found_retry(states, self));
        let named = found.unwrap_or_else(|errors| panic!("retry: {errors}"));
        Terms::lent(intern(self), named.policy, named.budget)
    }
}

/// The cache that annotated functions share by `name`, for values of type `V` under keys of type
/// `K`: those of `#[cached(name = "users", key = …)]` where `…` is a `K`, or hashes as one does (a
/// `&str` as a `String`, a tuple of references as the tuple).
///
/// ```
/// # use hardening_runtime as hardening;
/// // after `#[cached(name = "users", key = id)] async fn user(id: u64) -> Result<User, E>`
/// # #[derive(Clone)] struct User;
/// hardening::cache::<u64, User>("users").invalidate(&7);
/// ```
#[must_use]
pub fn cache<K: Hash, V: Value>(name: &str) -> NamedCache<K, V> {
    let name = intern(name);
    let policy = cache_policy(name);
    NamedCache {
        state: registry::cache_state(Identity::Named(name), name, policy.max_entries),
        policy,
        keys: PhantomData,
    }
}

/// The policy of the site that declares the cache, else the section's default.
fn cache_policy(name: &'static str) -> cache::Prepared {
    let declares = |site: &&'static Site| {
        site.layer(LayerKind::Cache)
            .is_some_and(|declared| declared.name == Some(name))
    };
    let live = site::all()
        .find(declares)
        .and_then(|site| site.live().cache.as_ref());
    let policy = live.map(|layer| layer.policy.clone());
    policy.unwrap_or_else(|| cache::Prepared::new(registry::with(|states| states.default_policy())))
}

/// A cache that annotated functions share; what [`cache()`] returns.
pub struct NamedCache<K, V: 'static> {
    state: &'static CacheState<Fingerprint, V>,
    policy: cache::Prepared,
    keys: PhantomData<fn(K)>,
}

impl<K, V> fmt::Debug for NamedCache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamedCache").finish_non_exhaustive()
    }
}

impl<K: Hash, V: Value> NamedCache<K, V> {
    /// The value of `key`, if it may be served.
    #[must_use]
    pub fn get<Q: Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let key = Fingerprint::of(key);
        self.state.get(&self.policy, &key, clock::Present::recent())
    }

    /// Remembers `value`.
    pub fn insert(&self, key: &K, value: V) {
        self.state
            .insert(&self.policy, Fingerprint::of(key), value, clock::now());
    }

    /// Forgets `key`. A run of it that is under way is not remembered.
    pub fn invalidate<Q: Hash + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.state.invalidate(&Fingerprint::of(key));
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.state.clear();
    }

    /// How many values are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.len(clock::now())
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The limits of the op that rejections call `name`: that of a site, or one asked for by name.
#[cfg(feature = "http")]
pub(crate) fn policy_of(name: &str) -> Option<&'static rate_limit::Prepared> {
    let of_site = site::all()
        .filter_map(|site| site.live().rate_limit.as_ref())
        .find(|layer| layer.state.name() == name)
        .map(|layer| &layer.policy);
    of_site.or_else(|| registry::with(|states| Some(states.by_name.ops.get(name)?.policy)))
}
