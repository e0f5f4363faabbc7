//! What is in force at one site: its policies, resolved, and the state that each layer decides
//! with. A call takes one of these when it begins and keeps it, so that it never sees a mixture of
//! old and new settings.

mod resolver;

use crate::{
    bulkhead::BulkheadState,
    cache::{self, CacheFigures, CacheState, ErasedCache, Fingerprint, Value},
    circuit_breaker::{self, BreakerState},
    clock,
    config::{BulkheadPolicy, ConfigError, Effective, LayerKind, RetryPolicy, TimeoutPolicy},
    enclosing::Enclosing,
    rate_limit::{self, LimiterState},
    registry::{self, Identity, States},
    retry::BudgetState,
    site::Site,
};
use resolver::Resolver;
use std::{fmt, sync::OnceLock};

/// The policies and states of one site. A layer that is not there, or switched off, is none: to a call
/// that is a load and a branch.
#[derive(PartialEq)]
pub(crate) struct Live {
    pub(crate) path: &'static str,
    pub(crate) enclosing: Enclosing,
    pub(crate) timeout: TimeoutPolicy,
    pub(crate) cache: Option<CacheLayer>,
    pub(crate) rate_limit: Option<Layer<rate_limit::Prepared, LimiterState>>,
    /// Whether no layer around the rate limit can hold a call up before it gets there.
    pub(crate) limits_first: bool,
    pub(crate) retry: Option<Layer<RetryPolicy, BudgetState>>,
    /// The same of the retry.
    pub(crate) retries_first: bool,
    pub(crate) circuit_breaker: Option<Layer<circuit_breaker::Prepared, BreakerState>>,
    pub(crate) bulkhead: Option<Layer<BulkheadPolicy, BulkheadState>>,
}

/// What the configuration comes to at one site.
pub(crate) struct Resolution {
    pub(crate) live: Live,
    pub(crate) report: SiteReport,
    /// What is wrong: then `live` has the layers that can be resolved, and the others at their
    /// section's defaults.
    pub(crate) errors: Vec<ConfigError>,
}

/// A layer in force.
pub(crate) struct Layer<P, S: 'static> {
    pub(crate) policy: P,
    pub(crate) state: &'static S,
    /// Count what would be rejected, and reject nothing.
    pub(crate) observe: bool,
}

/// The cache of a site; its state is made by the first call, which knows the type of the values.
pub(crate) struct CacheLayer {
    pub(crate) policy: cache::Prepared,
    identity: Identity,
    state: OnceLock<&'static dyn ErasedCache>,
}

/// How the layers of a site came to their settings.
#[derive(Default)]
pub(crate) struct SiteReport {
    pub(crate) layers: Vec<Report>,
    /// What is doubtful about its policies together.
    pub(crate) doubts: Vec<ConfigError>,
}

impl SiteReport {
    /// What is doubtful about its policies, each and together.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = &ConfigError> {
        let alone = self.layers.iter().flat_map(|report| &report.warnings);
        alone.chain(&self.doubts)
    }
}

/// How a declared layer came to its settings.
pub(crate) struct Report {
    pub(crate) kind: LayerKind,
    pub(crate) enabled: bool,
    pub(crate) observe: bool,
    pub(crate) settings: Vec<Effective>,
    pub(crate) warnings: Vec<ConfigError>,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Live").field(&self.path).finish()
    }
}

impl<P: PartialEq, S> PartialEq for Layer<P, S> {
    fn eq(&self, other: &Self) -> bool {
        let same_state = std::ptr::eq(self.state, other.state);
        same_state && self.observe == other.observe && self.policy == other.policy
    }
}

/// Which state it has found so far is no setting.
impl PartialEq for CacheLayer {
    fn eq(&self, other: &Self) -> bool {
        self.identity == other.identity && self.policy == other.policy
    }
}

impl Live {
    /// Resolves every layer of `site`. Changes nothing that calls see.
    pub(crate) fn resolve(site: &'static Site, states: &mut States) -> Resolution {
        let path = crate::name::intern(&site.path());
        let mut resolver = Resolver::new(site, path, states);
        let live = Self {
            path,
            enclosing: Enclosing::of(site.within()),
            timeout: resolver.timeout(),
            cache: resolver.cache(),
            rate_limit: resolver.rate_limit(),
            limits_first: comes_first(site, LayerKind::RateLimit),
            retry: resolver.retry(),
            retries_first: comes_first(site, LayerKind::Retry),
            circuit_breaker: resolver.circuit_breaker(),
            bulkhead: resolver.bulkhead(),
        };
        let doubts = resolver.across();
        let Resolver {
            report: layers,
            errors,
            ..
        } = resolver;
        Resolution {
            live,
            report: SiteReport { layers, doubts },
            errors,
        }
    }

    /// The cache that `former` has found is known from the start.
    fn adopt(&self, former: &Self) {
        if let (Some(cache), Some(former)) = (&self.cache, &former.cache)
            && let Some(state) = former.state.get()
        {
            let _ = cache.state.set(*state);
        }
    }

    /// Tells the states what they would otherwise learn from the next call: who waits for a place
    /// that there is now gets it, and results beyond the bound are put out.
    pub(crate) fn take_effect(&self, former: Option<&Self>) {
        if let Some(former) = former {
            self.adopt(former);
        }
        if let Some(layer) = &self.bulkhead {
            layer.state.resize(layer.policy.max_concurrent);
        }
        if let Some(layer) = &self.circuit_breaker {
            layer.state.set_observed(layer.observe);
        }
        let before = former.and_then(|former| former.cache.as_ref());
        if let (Some(cache), Some(before)) = (&self.cache, before)
            && cache.policy.max_entries < before.policy.max_entries
            && let Some(state) = cache.state.get()
        {
            state.fit(cache.policy.max_entries);
        }
    }
}

/// What is newly in force, for the states. They are told with the lock given back: it wakes callers and
/// drops results, which is the program's own code.
pub(crate) struct Changes {
    pub(crate) lives: Vec<(&'static Live, Option<&'static Live>)>,
    pub(crate) bulkheads_off: Vec<&'static BulkheadState>,
}

impl Changes {
    pub(crate) fn take_effect(self) {
        for (live, former) in self.lives {
            live.take_effect(former);
        }
        for state in self.bulkheads_off {
            state.resize(u32::MAX); // nobody waits for a place any more
        }
    }
}

/// Whether no layer around that of `kind` can hold a call up. A site's layers are declared outside
/// in.
fn comes_first(site: &Site, kind: LayerKind) -> bool {
    let mut around = site.layers().iter().take_while(|layer| layer.kind != kind);
    around.all(|layer| {
        use LayerKind::{CircuitBreaker, Fallback, Timeout};
        matches!(layer.kind, Fallback | Timeout | CircuitBreaker)
    })
}

impl CacheLayer {
    /// The state for values of type `V`. Functions that share a name and return other types have
    /// caches of their own.
    #[inline]
    pub(crate) fn state<V: Value>(
        &self,
        path: &'static str,
    ) -> &'static CacheState<Fingerprint, V> {
        let known = self
            .state
            .get()
            .and_then(|known| registry::downcast(*known));
        known.unwrap_or_else(|| self.find(path))
    }

    /// What it holds, and what happened in it so far: nothing before its first call. What has expired is
    /// freed: nobody may be left to ask for anything else.
    pub(crate) fn figures(&self, path: &'static str) -> CacheFigures {
        let now = clock::now();
        let known = self.state.get().map(|state| {
            // A test's clock may be ahead of those of the tests beside it, whose results these are too.
            if !clock::is_paused() {
                state.purge_expired(now);
            }
            state.figures(now)
        });
        CacheFigures {
            name: self.identity.name(path),
            max_entries: self.policy.max_entries.into(),
            ..known.unwrap_or_default()
        }
    }

    #[cold]
    fn find<V: Value>(&self, path: &'static str) -> &'static CacheState<Fingerprint, V> {
        let state = registry::cache_state(self.identity, path, self.policy.max_entries);
        // A generic function has one cache for each of its types; the first type is the quick one.
        let _ = self.state.set(state);
        state
    }
}
