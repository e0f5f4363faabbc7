//! The cache, as the generated code asks for it.

use super::Call;
use crate::{
    cache::{Fingerprint, Held, Join, Joined, Lookup, Miss, Value, share::Share},
    clock::Present,
    enclosing::around,
    event,
    metrics::Event,
    outcome::Failure,
};
use std::{
    any::{Any, type_name},
    fmt,
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

/// Whether a call that asked the cache runs the body, or what came of it.
pub type Found<V, E> = Result<(), Result<V, Failure<E>>>;

/// What a call holds that runs the body for all who wait: a [`Held`] of the function's value, whose
/// type the call does not know. In the future of the function, a local of that type would have the
/// compiler work it out for every function. Dropped unsettled, it is handed over.
pub(super) type Leading = Box<dyn Any + Send + Sync>;
type Typed<V> = Held<'static, Fingerprint, V>;

impl<V: Value, E> fmt::Debug for Seek<'_, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seek").finish_non_exhaustive()
    }
}

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
        S: FnOnce() -> Share<E>,
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
        S: FnOnce() -> Share<E>,
    {
        match self.look_up(key, type_name::<S>()) {
            None => Ok(()),
            Some(Ok(value)) => Err(Ok(value)),
            Some(Err((miss, key))) => self.joined(miss.join_blocking(key, share())),
        }
    }

    /// Takes what the run came to, and answers those who wait; `share` is that which the cache was
    /// asked with.
    #[inline]
    pub fn settle_cached<V: Value, E, S>(
        &mut self,
        outcome: Result<V, Failure<E>>,
        share: S,
    ) -> Result<V, Failure<E>>
    where
        S: FnOnce() -> Share<E>,
    {
        self.settle_cached_if(outcome, share, |_| true)
    }

    /// [`settle_cached`](Self::settle_cached), where `cache_if` says which values are remembered.
    #[inline]
    pub fn settle_cached_if<V: Value, E, S>(
        &mut self,
        outcome: Result<V, Failure<E>>,
        share: S,
        cache_if: impl FnOnce(&V) -> bool,
    ) -> Result<V, Failure<E>>
    where
        S: FnOnce() -> Share<E>,
    {
        let Some(leading) = self.leading.take() else {
            return outcome;
        };
        let Ok(led) = leading.downcast::<Typed<V>>() else {
            return outcome; // never: the same function put it there
        };
        let failed = outcome.is_err();
        let outcome = led.settle(self.live.path, outcome, share(), cache_if);
        if failed && outcome.is_ok() {
            self.site.metrics.count(Event::CacheStale);
            self.span.cache("stale");
        }
        outcome
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
                self.leading = Some(Box::new(lead.held()));
                Ok(())
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
            Looked::Off => Poll::Ready(Ok(())),
            Looked::Hit(value) => value
                .take()
                .map_or(Poll::Pending, |value| Poll::Ready(Err(Ok(value)))),
            Looked::Miss(join) => Pin::new(join).poll(cx).map(|joined| call.joined(joined)),
        }
    }
}
