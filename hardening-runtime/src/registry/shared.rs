//! The states that sites share by name: made by the first who asks, and found by the others.

use super::{Identity, States, with};
use crate::{
    bulkhead::BulkheadState,
    cache::{CacheState, ErasedCache, Fingerprint, Value},
    circuit_breaker::BreakerState,
    name,
    rate_limit::LimiterState,
    retry::BudgetState,
};
use std::any::{Any, TypeId};

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
    let any: &'static dyn Any = erased;
    any.downcast_ref()
}

impl States {
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
