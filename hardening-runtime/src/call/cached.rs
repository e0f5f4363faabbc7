//! The cache, as the generated code asks for it.

use super::Call;
use crate::{
    cache::{Fingerprint, Join, Joined, Lead, Lookup, Miss, Value, share::ShareErrors},
    clock::Present,
    enclosing::around,
    event,
    metrics::Event,
    outcome::Failure,
};
use std::{
    any::type_name,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// A call that asked the cache: it is served, waits for another caller's run of the key, or leads
/// one. A hit is known before this is polled.
#[must_use = "futures do nothing unless awaited"]
pub struct Seek<'a, V: Value, E> {
    call: &'a mut Call,
    looked: Looked<'static, V, E>,
}

/// What the cache has for a call.
enum Looked<'a, V: Value, E> {
    /// The cache is switched off.
    Off,
    /// The value, until it is taken.
    Hit(Option<V>),
    Miss(Join<'a, Fingerprint, V, E>),
}

/// How a call goes on that asked the cache: it runs the body, or this came of it.
pub type Found<V, E> = Result<Leading<V, E>, Result<V, Failure<E>>>;

/// The place of the call that runs the body for all who wait. Dropped unsettled, it is handed over.
pub struct Leading<V: Value, E>(Option<Lead<'static, Fingerprint, V, E>>);

macro_rules! opaque {
    ($($name:ident<$($parameter:tt),*>),*) => {$(
        impl<$($parameter),*> std::fmt::Debug for $name<$($parameter),*> where V: Value {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
opaque!(Seek<'a, V, E>, Leading<V, E>);

impl Call {
    /// Whether there is a cache to ask.
    #[inline]
    #[must_use]
    pub const fn is_cached(&self) -> bool {
        self.live.cache.is_some()
    }

    /// Asks the cache. `share` says how an error is told to those who wait for the same run; its own
    /// name is that of a closure in the function.
    #[inline]
    pub fn cached<V: Value, E, S>(&mut self, key: Fingerprint, share: S) -> Seek<'_, V, E>
    where
        S: FnOnce() -> ShareErrors<E>,
    {
        let looked = match self.look_up(key, type_name::<S>()) {
            None => Looked::Off,
            Some(Ok(value)) => Looked::Hit(Some(value)),
            Some(Err((miss, key))) => Looked::Miss(miss.join(key, share())),
        };
        Seek { call: self, looked }
    }

    /// [`cached`](Self::cached) for a blocking function.
    #[inline]
    pub fn cached_blocking<V: Value, E, S>(&mut self, key: Fingerprint, share: S) -> Found<V, E>
    where
        S: FnOnce() -> ShareErrors<E>,
    {
        match self.look_up(key, type_name::<S>()) {
            None => Ok(Leading(None)),
            Some(Ok(value)) => Err(Ok(value)),
            Some(Err((miss, key))) => self.joined(miss.join_blocking(key, share())),
        }
    }

    /// What the cache has for `key`, told from those of the other types that the function's surroundings
    /// are compiled for; `name` is that of a closure in it.
    #[inline]
    fn look_up<V: Value>(
        &mut self,
        key: Fingerprint,
        name: &'static str,
    ) -> Option<Result<V, Absent<V>>> {
        let layer = self.live.cache.as_ref()?;
        let key = if self.live.enclosing.has_types(name) {
            of_types(key, name)
        } else {
            key
        };
        let state = layer.state(self.live.path);
        Some(match state.lookup(&layer.policy, &key, self.began) {
            Lookup::Hit(value) => {
                event::cache_hit(self.live.path);
                self.site.metrics.count(Event::CacheHit);
                self.span.cache("hit");
                Ok(value)
            }
            Lookup::Miss(miss) => {
                self.began = Present::Exact(miss.asked());
                self.site.metrics.count(Event::CacheMiss);
                self.span.cache("miss");
                Err((miss, key))
            }
        })
    }

    fn joined<V: Value, E>(&mut self, joined: Joined<'static, Fingerprint, V, E>) -> Found<V, E> {
        match joined {
            Joined::Answered(outcome) => {
                self.site.metrics.count(Event::CacheCoalesced);
                self.span.cache("coalesced");
                Err(outcome)
            }
            Joined::Lead(lead) => {
                self.flight = lead.flight();
                Ok(Leading(Some(lead)))
            }
        }
    }
}

/// A call whose key is not cached, and its key.
type Absent<V> = (Miss<'static, Fingerprint, V>, Fingerprint);

/// Out of line, so that it costs other keys nothing.
#[cold]
fn of_types(key: Fingerprint, name: &'static str) -> Fingerprint {
    Fingerprint::of(&(key, around(name)))
}

impl<V: Value, E> Unpin for Seek<'_, V, E> {}

impl<V: Value, E> Future for Seek<'_, V, E> {
    type Output = Found<V, E>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { call, looked } = &mut *self;
        match looked {
            Looked::Off => Poll::Ready(Ok(Leading(None))),
            Looked::Hit(value) => value
                .take()
                .map_or(Poll::Pending, |value| Poll::Ready(Err(Ok(value)))),
            Looked::Miss(join) => Pin::new(join).poll(cx).map(|joined| call.joined(joined)),
        }
    }
}

impl<V: Value, E> Leading<V, E> {
    /// Takes what the run came to, and answers those who wait.
    pub fn settle(self, call: &Call, outcome: Result<V, Failure<E>>) -> Result<V, Failure<E>> {
        self.settle_if(call, outcome, |_| true)
    }

    /// Takes what the run came to, and answers those who wait. `cache_if` says which values are
    /// remembered.
    pub fn settle_if(
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
