//! The cache, as the generated code asks for it.

use super::Call;
use crate::{
    cache::{Fingerprint, Joined, Lead, Lookup, Miss, Value, share::ShareErrors},
    enclosing::around,
    event,
    live::CacheLayer,
    metrics::Event,
    outcome::Failure,
};

/// What the cache has for a call.
#[derive(Debug)]
pub enum Cached<V: Value> {
    /// The value.
    Hit(V),
    /// Nothing that may be served.
    Miss(Absent<V>),
}

/// A call whose key is not cached. With the cache switched off, it is none.
pub struct Absent<V: Value>(Option<(Miss<'static, Fingerprint, V>, Fingerprint)>);

/// How a call that was not served goes on.
pub enum Found<V: Value, E> {
    /// Another caller's run answered.
    Answered(Result<V, Failure<E>>),
    /// This call runs the body.
    Lead(Leading<V, E>),
}

/// The place of the call that runs the body for all who wait. Dropped unsettled, it is handed over.
pub struct Leading<V: Value, E>(Option<Lead<'static, Fingerprint, V, E>>);

macro_rules! opaque {
    ($($name:ident<$($parameter:ident),*>),*) => {$(
        impl<$($parameter),*> std::fmt::Debug for $name<$($parameter),*> where V: Value {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
opaque!(Absent<V>, Found<V, E>, Leading<V, E>);

impl Call {
    /// `key`, told from those of the other types that the function's surroundings are compiled for;
    /// `name` is that of a closure in it.
    #[inline]
    #[must_use]
    pub fn key_among_types(&self, key: Fingerprint, name: &'static str) -> Fingerprint {
        if self.live.enclosing.has_types(name) {
            of_types(key, name)
        } else {
            key
        }
    }

    /// Whether there is a cache to ask.
    #[inline]
    #[must_use]
    pub const fn is_cached(&self) -> bool {
        self.live.cache.is_some()
    }

    /// Asks the cache. A hit takes no future's worth of work.
    #[inline]
    #[must_use]
    pub fn cache<V: Value>(&self, key: Fingerprint) -> Cached<V> {
        let Some(layer) = &self.live.cache else {
            return Cached::Miss(Absent(None));
        };
        self.look_up(layer, key)
    }

    #[inline]
    fn look_up<V: Value>(&self, layer: &'static CacheLayer, key: Fingerprint) -> Cached<V> {
        match layer
            .state(self.live.path)
            .lookup(&layer.policy, &key, self.began)
        {
            Lookup::Hit(value) => {
                event::cache_hit(self.live.path);
                self.site.metrics.count(Event::CacheHit);
                self.span.cache("hit");
                Cached::Hit(value)
            }
            Lookup::Miss(miss) => {
                self.site.metrics.count(Event::CacheMiss);
                self.span.cache("miss");
                Cached::Miss(Absent(Some((miss, key))))
            }
        }
    }

    fn joined<V: Value, E>(&mut self, joined: Joined<'static, Fingerprint, V, E>) -> Found<V, E> {
        match joined {
            Joined::Answered(outcome) => {
                self.site.metrics.count(Event::CacheCoalesced);
                self.span.cache("coalesced");
                Found::Answered(outcome)
            }
            Joined::Lead(lead) => {
                self.flight = lead.flight();
                Found::Lead(Leading(Some(lead)))
            }
        }
    }
}

/// Out of line, so that it costs other keys nothing.
#[cold]
fn of_types(key: Fingerprint, name: &'static str) -> Fingerprint {
    Fingerprint::of(&(key, around(name)))
}

impl<V: Value> Absent<V> {
    /// Waits for another caller's run of the key, or leads one.
    pub async fn join<E>(self, call: &mut Call, share: ShareErrors<E>) -> Found<V, E> {
        match self.0 {
            Some((miss, key)) => {
                let joined = miss.join(key, share).await;
                call.joined(joined)
            }
            None => Found::Lead(Leading(None)),
        }
    }

    /// [`join`](Self::join) for a blocking function.
    pub fn join_blocking<E>(self, call: &mut Call, share: ShareErrors<E>) -> Found<V, E> {
        match self.0 {
            Some((miss, key)) => call.joined(miss.join_blocking(key, share)),
            None => Found::Lead(Leading(None)),
        }
    }
}

impl<V: Value, E> Leading<V, E> {
    /// The call runs the body for itself: its cache is switched off.
    #[inline]
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Takes what the run came to, and answers those who wait. `cache_if` says which values are
    /// remembered.
    pub fn settle(
        self,
        call: &Call,
        outcome: Result<V, Failure<E>>,
        cache_if: impl FnOnce(&V) -> bool,
    ) -> Result<V, Failure<E>> {
        let failed = outcome.is_err();
        let Some(lead) = self.0 else {
            return outcome;
        };
        let outcome = lead.settle(call.live.path, outcome, cache_if);
        if failed && outcome.is_ok() {
            call.site.metrics.count(Event::CacheStale);
            call.span.cache("stale");
        }
        outcome
    }
}
