//! Rate limit: a token bucket per key and operation.
//!
//! # About
//! A bucket holds `capacity` tokens and refills smoothly, `capacity` in each `window`; a call takes
//! `cost` of them (1, unless you say otherwise) or is rejected and takes nothing. A key that was
//! not seen before has a full bucket, so a burst of `capacity` calls is admitted at once, and over
//! any stretch of time never more than `capacity` plus what is refilled in it.
//!
//! An operation may have several limits, per key and for everybody together: a call is admitted by
//! all or takes from none.
//!
//! ```
//! # use hardening_runtime as hardening;
//! use hardening::rate_limit::RateLimiter;
//! use hardening::config::RateLimitPolicy;
//! use std::time::Duration;
//!
//! let minute = Duration::from_secs(60);
//! let limiter = RateLimiter::named("search", RateLimitPolicy::per_key(2, minute));
//!
//! assert!(limiter.check("ann").is_ok());
//! assert!(limiter.check("ann").is_ok());
//! let rejected = limiter.check("ann").unwrap_err();
//! assert!(rejected.retry_after() <= Some(minute / 2));
//! assert!(limiter.check("bob").is_ok());
//! ```
//!
//! # Arithmetic
//! The generic cell rate algorithm (ITU-T I.371), in nanoseconds and without drift: exact where
//! `window / capacity` is a whole number of nanoseconds, and within two nanoseconds for ever where
//! it is not. Capacities from 1 to 1,000,000,000, windows from 1 ms to 10 years. Above one token
//! per nanosecond each call is charged in whole nanoseconds, rounded up. A clock that goes back
//! leaves a bucket used up at worst, and it refills from there.
//!
//! # Waiting
//! With `max_wait` above 0 a call waits for its turn: first come first served for each key, and
//! among those who are ready for a limit that everybody shares. A call that could not have its turn
//! within `max_wait`, or before its deadline, is rejected at once. Who waits holds no tokens: all
//! its limits are taken together when its turn comes. So a caller that goes away loses nothing for
//! anybody, those behind it move up, and each refill wakes one caller. [`RateLimiter::check`] never
//! waits, and never overtakes those who do.
//!
//! # Memory
//! A key costs a slot of 16 bytes for each limit, found by a random 64-bit hash of the key (its text
//! is not kept; two of a million keys share a hash once in 37 million processes). At most `max_keys`
//! are tracked; slots are allocated as keys come, two fifths more than keys in the end, and are kept
//! for other keys. A key whose bucket is full again is forgotten: at the bound as soon as its place
//! is needed, and from `cleanup_threshold` (1,000) tracked keys on, once it has been idle for a second,
//! as new keys come.
//!
//! **A flood of new keys gives nobody a fresh allowance.** While all places are taken by keys that
//! have used some of theirs, new keys share 256 overflow buckets of the same rate, chosen by their
//! hash. A key that gets a place later starts from what its overflow bucket has left.
//! So keys without a place are limited together, and keys with one do not notice.
//!
//! # Keys
//! Keys come from outside, and a key's hash is all that its bucket is found by. Whoever could make a key
//! that shares another's hash could use up the other's tokens. So the hash is seeded with 128 bits of the
//! system's randomness, drawn at start and never shown. It is foldhash in its stronger variant: fast (2 ns
//! where `SipHash` takes 10 and more), and without the seed nobody can tell which keys will share a hash. It is no
//! cryptographic function: it does not promise to keep its seed from one who is *told hashes*. So nobody is: all
//! that leaves the process is half of a rejected key's hash, in a debug event for operators. What a guess would
//! win is one bucket, and 2⁶⁴ of them are needed; a wrong one shows nothing but a bucket of its own. (A cache's
//! key is another matter: there a collision would show one user the value of another, and it is `SipHash`.)
//!
//! # Reload
//! A changed capacity or window keeps the share of each bucket that is used up: half empty stays
//! half empty. Limits are matched by their place in the list; an added one starts full.
//!
//! # When not to use
//! To bound how many calls run at the same time, use a bulkhead. The state is that of one process:
//! limits across processes need a shared store.

mod bucket;
mod lane;
mod level;
mod limiter;
mod line;
#[cfg(all(test, hardening_loom))]
mod model;
mod prepared;
mod snapshot;
mod table;
#[cfg(all(test, not(hardening_loom)))]
mod tests;
mod trial;
mod wait;
mod word;

pub use limiter::Quota;
pub(crate) use limiter::{Admission, LimiterState};
pub(crate) use prepared::Prepared;
pub(crate) use snapshot::scope_name;
pub use snapshot::{LimitSnapshot, OpSnapshot};
pub(crate) use trial::Verdict;
pub(crate) use wait::Place;

use crate::{clock, config::RateLimitPolicy, event, name, outcome::Rejected};
use foldhash::{SharedSeed, quality::SeedableRandomState};
use std::{
    hash::{BuildHasher, Hash, Hasher},
    sync::LazyLock,
};

/// The key's identity: a hash that differs from process to process, so that keys that collide cannot
/// be prepared (see [Keys](self#keys)).
#[inline]
#[must_use]
pub fn hash_key<K: Hash + ?Sized>(key: &K) -> u64 {
    let mut hasher = key_hasher();
    key.hash(&mut hasher);
    hasher.finish()
}

/// Takes in a key part by part.
#[inline]
pub(crate) fn key_hasher() -> KeyHasher {
    static HASHER: LazyLock<SeedableRandomState> = LazyLock::new(|| {
        static SHARED: LazyLock<SharedSeed> =
            LazyLock::new(|| SharedSeed::from_u64(drawn_by_the_system()));
        SeedableRandomState::with_seed(drawn_by_the_system(), &SHARED)
    });
    HASHER.build_hasher()
}

pub(crate) type KeyHasher = <SeedableRandomState as BuildHasher>::Hasher;

/// The standard library's hashers are the ones that it hands the system's randomness to.
fn drawn_by_the_system() -> u64 {
    std::hash::RandomState::new().hash_one(0_u8)
}

/// A rate limiter to use without attributes: a policy and the state of its buckets.
///
/// Share it by reference or in an `Arc`; it is not `Clone`, because a copy would limit on its own.
#[derive(Debug)]
pub struct RateLimiter {
    policy: Prepared,
    state: LimiterState,
}

impl RateLimiter {
    /// A limiter that calls itself `rate_limiter` in its rejections.
    #[must_use]
    pub fn new(policy: RateLimitPolicy) -> Self {
        Self::named("rate_limiter", policy)
    }

    /// A limiter with a name, for its rejections and events. Names are kept for the life of the
    /// program: use few.
    #[must_use]
    pub fn named(op: &str, policy: RateLimitPolicy) -> Self {
        Self {
            policy: Prepared::new(policy),
            state: LimiterState::new(name::intern(op)),
        }
    }

    /// Takes one token of `key`. Never waits.
    ///
    /// # Errors
    /// [`Rejected::RateLimited`], with the time after which a token is there.
    pub fn check<K: Hash + ?Sized>(&self, key: &K) -> Result<(), Rejected> {
        self.check_cost(key, 1)
    }

    /// Takes `cost` tokens of `key`, all or none. Never waits.
    ///
    /// # Errors
    /// [`Rejected::RateLimited`]; without a `retry_after` if `cost` is above a capacity.
    #[inline]
    pub fn check_cost<K: Hash + ?Sized>(&self, key: &K, cost: u32) -> Result<(), Rejected> {
        self.check_hash(hash_key(key), cost)
    }

    #[inline]
    fn check_hash(&self, key: u64, cost: u32) -> Result<(), Rejected> {
        let (name, now) = (self.state.name(), clock::now());
        self.state.check(name, &self.policy, (key, cost), now)
    }

    /// Takes one token of `key`; waits for it, for at most the policy's `max_wait`. Dropping the
    /// future leaves the line.
    ///
    /// ```
    /// # use hardening_runtime as hardening;
    /// # use hardening::{rate_limit::RateLimiter, config::RateLimitPolicy};
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let policy = RateLimitPolicy::per_key(1, Duration::from_millis(20));
    /// let limiter = RateLimiter::new(policy.waiting(Duration::from_secs(1)));
    /// for _ in 0..3 {
    ///     limiter.acquire("ann").await.expect("20 ms are within a second");
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Rejected::RateLimited`], at once if the wait would be too long.
    pub async fn acquire<K: Hash + ?Sized>(&self, key: &K) -> Result<(), Rejected> {
        let key = hash_key(key);
        let result = match self.admit(key) {
            Ok(Admission::Now) => return Ok(()),
            Ok(Admission::Wait(place)) => place.wait().await,
            Err(rejected) => Err(rejected),
        };
        result.inspect_err(|rejected| tell(rejected, key))
    }

    /// [`Self::acquire`] for blocking code: blocks the thread while it waits.
    ///
    /// # Errors
    /// [`Rejected::RateLimited`], at once if the wait would be too long.
    pub fn acquire_blocking<K: Hash + ?Sized>(&self, key: &K) -> Result<(), Rejected> {
        let key = hash_key(key);
        let result = match self.admit(key) {
            Ok(Admission::Now) => return Ok(()),
            Ok(Admission::Wait(place)) => place.wait_blocking(),
            Err(rejected) => Err(rejected),
        };
        result.inspect_err(|rejected| tell(rejected, key))
    }

    /// The tokens that `key` may take now: the least of all the limits.
    #[must_use]
    pub fn remaining<K: Hash + ?Sized>(&self, key: &K) -> u32 {
        self.state
            .remaining(&self.policy, hash_key(key), clock::now())
    }

    /// The limit of which `key` has the least left, for `RateLimit` headers. None without limits.
    #[must_use]
    pub fn quota<K: Hash + ?Sized>(&self, key: &K) -> Option<Quota> {
        self.state.quota(&self.policy, hash_key(key), clock::now())
    }

    /// Fills the bucket of `key`. Limits for everybody stay as they are.
    ///
    /// While more keys than `max_keys` are in use, those without a bucket of their own share a few. If
    /// `key` is one of these, the bucket is filled that it shares, so its neighbours get those tokens too.
    pub fn reset<K: Hash + ?Sized>(&self, key: &K) {
        self.state.reset(hash_key(key));
    }

    /// Fills all the buckets.
    pub fn reset_all(&self) {
        self.state.reset_all();
    }

    /// Keys that have a bucket of their own: at most `max_keys`.
    #[must_use]
    pub fn tracked_keys(&self) -> u32 {
        self.state.tracked_keys()
    }

    fn admit(&self, key: u64) -> Result<Admission<'_>, Rejected> {
        let deadline = crate::context::current().deadline;
        let now = clock::now();
        self.state.admit(&self.policy, key, 1, now, deadline)
    }
}

fn tell(rejected: &Rejected, key: u64) {
    let (name, retry_after) = (rejected.name(), rejected.retry_after());
    event::rate_limited(name, name, retry_after, key);
}
