//! The cache, as the generated code asks for it.

use super::{
    Call,
    entry::{Flown, Followed, Step},
};
use crate::{
    cache::{Answered, Fingerprint, Held, Lookup, Miss, Start, Value, share::Share},
    clock::Present,
    enclosing::around,
    event,
    metrics::Event,
    outcome::Failure,
};
use std::{any::type_name, task::Waker};

/// What the cache has for a call; none sends it on, to run the body or to wait for another's run.
type Found<V, E> = Option<Result<V, Failure<E>>>;

/// What is held while the body runs for all who wait.
type Leading<V> = Held<'static, Fingerprint, V>;

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
    pub fn cached<V: Value, E, S>(&mut self, key: Fingerprint, share: S) -> Found<V, E>
    where
        S: FnOnce() -> Share<E>,
    {
        let answered = match self.look_up(key, type_name::<S>())? {
            Ok(value) => return Some(Ok(value)),
            Err((miss, key)) => self.missed(miss, key)?,
        };
        Some(answered.outcome(&share()))
    }

    /// Leads the run of a key that is not cached, or waits for another's, unless that was over in this moment.
    /// Nobody is to be woken yet: the attempt looks whether the wait is over before it waits.
    #[cold]
    fn missed<V: Value>(
        &mut self,
        miss: Miss<'static, Fingerprint, V>,
        key: Fingerprint,
    ) -> Option<Answered<V>> {
        match miss.start(key, Waker::noop()) {
            Start::Known(Ok(held)) => self.lead(held.flight(), Box::new(held)),
            Start::Known(Err(answered)) => {
                self.coalesced();
                return Some(answered);
            }
            Start::Waits(following) => self.later(Step::Follow(Box::pin(async {
                match following.await {
                    Ok(held) => Followed::Leads(held.flight(), Box::new(held)),
                    Err(answered) => Followed::Answered(Box::new(answered)),
                }
            }))),
        }
        None
    }

    pub(super) fn lead(&mut self, flight: u32, flown: Flown) {
        self.flight = flight;
        self.flown = Some(flown);
    }

    pub(super) fn coalesced(&self) {
        self.site.metrics.count(Event::CacheCoalesced);
        self.span.cache("coalesced");
    }

    /// [`cached`](Self::cached) for a blocking function.
    #[inline]
    pub fn cached_blocking<V: Value, E, S>(&mut self, key: Fingerprint, share: S) -> Found<V, E>
    where
        S: FnOnce() -> Share<E>,
    {
        let (miss, key) = match self.look_up(key, type_name::<S>())? {
            Ok(value) => return Some(Ok(value)),
            Err(absent) => absent,
        };
        match miss.follow_blocking(key) {
            Ok(held) => {
                self.lead(held.flight(), Box::new(held));
                None
            }
            Err(answered) => {
                self.coalesced();
                Some(answered.outcome(&share()))
            }
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
        let Some(flown) = self.flown.take() else {
            return outcome;
        };
        let led = match flown.downcast::<Leading<V>>() {
            Ok(led) => led,
            Err(flown) => {
                return match flown.downcast::<Answered<V>>() {
                    Ok(answered) => answered.outcome(&share()),
                    Err(_) => outcome, // never: the same function put it there
                };
            }
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
}

/// A call whose key is not cached, and its key.
type Absent<V> = (Miss<'static, Fingerprint, V>, Fingerprint);

/// Out of line, so that it costs other keys nothing.
#[cold]
fn of_types(key: Fingerprint, name: &'static str) -> Fingerprint {
    Fingerprint::of(&(key, around(name)))
}
