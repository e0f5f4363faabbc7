//! Cache: remember results.
//!
//! A result is remembered under its key for `ttl`. [`CachePolicy`] has the settings and their
//! defaults; a [`Cache`] is a policy with its results:
//!
//! ```
//! # use hardening_runtime as hardening;
//! use hardening::{Rejected, cache::{Cache, CachePolicy}};
//! use std::time::Duration;
//!
//! # async fn ask(id: u64) -> Result<String, std::io::Error> { Ok(format!("user {id}")) }
//! # async fn example() -> Result<(), std::io::Error> {
//! let users = Cache::<u64, String>::new(CachePolicy {
//!     ttl: Duration::from_secs(60),
//!     max_entries: 10_000,
//!     ..CachePolicy::default()
//! });
//! let user = users.get_or_load(7, || ask(7)).await?; // asks
//! let same = users.get_or_load(7, || ask(7)).await?; // does not
//! users.invalidate(&7);
//! # Ok(())
//! # }
//! ```
//!
//! # Rules
//!
//! - **Bounded.** Never more than `max_entries` results. The one that leaves is chosen by SIEVE: what was
//!   asked for once leaves before what is asked for again.
//! - **Expiring.** A result that is of no use any more (`ttl` + `stale_if_error`) is freed without being
//!   asked for: each miss and each insert looks for such results, whatever their keys, when one can have
//!   expired. There is no background task; a cache that nobody touches keeps what it has until it is
//!   touched, or its length or its figures are asked for.
//! - **One run per key.** Concurrent misses of one key, async and blocking ones alike, run the body once.
//!   If the caller who runs it goes away or its body panics, the next who waits runs it. If it takes longer
//!   than `max_wait`, one of those who wait runs the body as well, and if that takes longer, another; what
//!   comes first is everybody's. If it fails, all who wait get that failure, once: the
//!   error itself where it can be cloned, otherwise [`Rejected::LoadFailed`] with its text and class.
//! - **A call inside its own run** (the body asks for the key that it computes) runs the body again instead of
//!   waiting for itself.
//! - **Failures** are not remembered. With `stale_if_error`, the last good value is served in the place of an
//!   error or a rejection, an open circuit's included; not in the place of a panic.
//! - **`refresh_ahead`**: in the last part of `ttl` one caller runs the body anew while the others are served
//!   from the cache. If that fails, the value that is still good is served, and no other refresh is tried for
//!   a quarter of `refresh_ahead`. Where it is not shorter than `ttl`, half of `ttl` counts in its place; the
//!   same of `ttl_jitter`.
//! - **Invalidation** also holds for runs under way: their results are told to those who wait, and not stored.
//! - **Times.** A result's times are fixed when it is stored. A reader's shorter `ttl` or `stale_if_error`
//!   (after a reload, or where functions share a cache by `name`) binds it too.
//!   A hit looks at the exact clock only within 25 ms of the end of a result's freshness, so on Linux a
//!   processor that the system gives nothing else for longer than that may serve a result that much late.
//!
//! # Methods
//!
//! `self` is not part of the key unless `key = …` names it: `#[cached]` on a method has one cache for all
//! instances of the type, so two instances that answer differently need `key = (self.id, user_id)`.
//!
//! # Limits
//!
//! Two runs that wait for each other's keys (the run of `a` asks for `b` while the run of `b` asks for `a`)
//! part after `max_wait`. A body that asks for its own key from a task that it spawned does, too.
//! The order of eviction is kept per shard of at least 32 results.

mod call;
mod entry;
mod fingerprint;
mod flight;
mod janitor;
mod prepared;
mod settle;
mod shard;
pub mod share;
mod sieve;
mod state;
mod store;
#[cfg(all(test, not(hardening_loom)))]
mod tests;

pub(crate) use call::{Answered, Held, Joined, Lead, Miss, Start};
pub use fingerprint::Fingerprint;
pub(crate) use fingerprint::Reader;
pub use hardening_config::CachePolicy;
pub(crate) use prepared::Prepared;
pub use state::{CacheFigures, Key, Value};
pub(crate) use state::{CacheState, ErasedCache, Lookup};

use crate::{
    clock::{self, Present},
    context,
    name::intern,
    outcome::{Failure, Rejected},
};
use share::Share;
use std::{
    borrow::Borrow,
    fmt,
    future::{Future, poll_fn},
    hash::Hash,
    panic::resume_unwind,
    pin::pin,
};

/// Results by key: bounded, expiring, and computed once however many ask at the same time. See the
/// [module](self) for the rules. Share it by reference or in an `Arc`.
pub struct Cache<K, V> {
    policy: Prepared,
    state: CacheState<K, V>,
}

impl<K, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("policy", &self.policy)
            .field("state", &self.state)
            .finish()
    }
}

impl<K: Key, V: Value> Cache<K, V> {
    /// An empty cache.
    #[must_use]
    pub fn new(policy: CachePolicy) -> Self {
        Self::named("cache", policy)
    }

    /// An empty cache that is called `name` in events and errors.
    #[must_use]
    pub fn named(name: &str, policy: CachePolicy) -> Self {
        Self {
            state: CacheState::new(intern(name), policy.max_entries),
            policy: Prepared::new(policy.within_ttl()),
        }
    }

    /// The result of the key, from the cache or else from `load`, which then runs once however many
    /// ask for the key meanwhile.
    ///
    /// # Errors
    /// What `load` returns. A caller who waited for another's `load` that failed gets
    /// [`Rejected::LoadFailed`], as `E`.
    pub async fn get_or_load<E, F>(&self, key: K, load: impl FnOnce() -> F) -> Result<V, E>
    where
        F: Future<Output = Result<V, E>>,
        E: From<Rejected>,
    {
        let miss = match self.state.lookup(&self.policy, &key, Present::recent()) {
            Lookup::Hit(value) => return Ok(value),
            Lookup::Miss(miss) => miss,
        };
        match miss.join(key, Share::OPAQUE).await {
            Joined::Answered(outcome) => outcome.map_err(outward),
            Joined::Lead(place) => {
                let mut load = pin!(load());
                let outcome =
                    poll_fn(|cx| context::within(place.context(), || load.as_mut().poll(cx)));
                let outcome = outcome.await.map_err(Failure::Error);
                self.settle(place, outcome)
            }
        }
    }

    /// [`Self::get_or_load`] for blocking code. Blocking and async callers wait for one another.
    ///
    /// ```
    /// # use hardening_runtime as hardening;
    /// use hardening::cache::{Cache, CachePolicy};
    ///
    /// let files = Cache::<String, String>::named("files", CachePolicy::default());
    /// let load = || std::fs::read_to_string("Cargo.toml");
    /// let manifest = files.get_or_load_blocking("Cargo.toml".to_owned(), load)?;
    /// assert_eq!(files.get("Cargo.toml"), Some(manifest));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::get_or_load`].
    pub fn get_or_load_blocking<E>(
        &self,
        key: K,
        load: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, E>
    where
        E: From<Rejected>,
    {
        let miss = match self.state.lookup(&self.policy, &key, Present::recent()) {
            Lookup::Hit(value) => return Ok(value),
            Lookup::Miss(miss) => miss,
        };
        match miss.join_blocking(key, Share::OPAQUE) {
            Joined::Answered(outcome) => outcome.map_err(outward),
            Joined::Lead(place) => {
                let outcome = context::within(place.context(), load).map_err(Failure::Error);
                self.settle(place, outcome)
            }
        }
    }

    fn settle<E: From<Rejected>>(
        &self,
        lead: Lead<'_, K, V, E>,
        outcome: Result<V, Failure<E>>,
    ) -> Result<V, E> {
        lead.settle(self.state.name(), outcome, |_| true)
            .map_err(outward)
    }

    /// The result of the key, if one is remembered and fresh. Never waits and never loads.
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.state.get(&self.policy, key, Present::recent())
    }

    /// Remembers a result. A run of the key that is under way does not overwrite it.
    pub fn insert(&self, key: K, value: V) {
        self.state.insert(&self.policy, key, value, clock::now());
    }

    /// Forgets the key.
    pub fn invalidate<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.state.invalidate(key);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.state.clear();
    }

    /// How many results are remembered. Frees those that have expired.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.len(clock::now())
    }

    /// Whether no result is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it holds, and what happened so far. Frees results that have expired.
    #[must_use]
    pub fn figures(&self) -> CacheFigures {
        let now = clock::now();
        self.state.purge_expired(now);
        self.state.figures(now)
    }
}

/// A failure as the plain cache's caller gets it; a panic is raised again.
fn outward<E: From<Rejected>>(failure: Failure<E>) -> E {
    match failure {
        Failure::Error(error) => error,
        Failure::Rejected(rejected) => rejected.into(),
        Failure::Panicked(payload) => resume_unwind(payload),
        Failure::Answered => unreachable!("no annotated function is here"),
    }
}
