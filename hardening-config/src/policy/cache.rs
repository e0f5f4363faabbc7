//! `cache`: remember results.

use std::time::Duration;

/// How long results are kept, how many, and what may be served when they are old.
#[derive(Clone, Debug, PartialEq)]
pub struct CachePolicy {
    /// How long a result is served. Default 3,600 s.
    pub ttl: Duration,
    /// Results kept at most. Default 1,000.
    pub max_entries: u32,
    /// For how long after `ttl` the last good result is served when the call fails. Default 0: never.
    pub stale_if_error: Duration,
    /// In the last part of `ttl`, this long, one caller runs the call anew while the others are
    /// served from the cache. Default 0: never.
    pub refresh_ahead: Duration,
    /// Each result's `ttl` is shortened by a random time of up to this, so that results stored
    /// together do not expire together. Default 0.
    pub ttl_jitter: Duration,
    /// How long a caller waits for another's run of the same key before it runs its own. Default 10 s.
    pub max_wait: Duration,
}

impl Default for CachePolicy {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(3600),
            max_entries: 1000,
            stale_if_error: Duration::ZERO,
            refresh_ahead: Duration::ZERO,
            ttl_jitter: Duration::ZERO,
            max_wait: Duration::from_secs(10),
        }
    }
}
