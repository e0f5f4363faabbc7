//! `rate_limiting`: a token bucket per key and operation.

use std::time::Duration;

/// How much an operation may be used.
#[derive(Clone, Debug, PartialEq)]
pub struct RateLimitPolicy {
    /// All of them must admit; nothing is taken unless all admit. At least one.
    pub limits: Vec<Limit>,
    /// How long a call may wait for its turn, first come first served. Default 0: reject at once.
    pub max_wait: Duration,
    /// Keys tracked at most: the bound on memory. Default 100,000.
    pub max_keys: u32,
}

/// One token bucket: `capacity` tokens, refilled smoothly over `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Tokens that a full bucket holds. 1 to 1,000,000,000.
    pub capacity: u32,
    /// The time in which an empty bucket fills. 1 ms to 10 years.
    pub window: Duration,
    /// Whether each key has this bucket, or all keys share it. Default [`Scope::Key`].
    pub scope: Scope,
}

/// Who shares a [`Limit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One bucket for each key.
    Key,
    /// One bucket for everybody.
    Global,
}
