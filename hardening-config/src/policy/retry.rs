//! `retry`: run again on transient failure.

use std::time::Duration;

/// How often, and after which waits, a failed call is tried again.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Attempts in all; counts the first. Default 3.
    pub max_attempts: u32,
    /// The wait before the first retry, before jitter. Default 0.5 s.
    pub base_delay: Duration,
    /// No wait is longer than this, jitter included. Default 5 s.
    pub max_delay: Duration,
    /// Each wait is this many times the one before. Default 2.
    pub exponential_base: f64,
    /// How waits are spread. Default [`Jitter::Full`].
    pub jitter: Jitter,
    /// No attempt starts, and no wait begins, that would end after this. Default none.
    pub max_elapsed: Option<Duration>,
    /// How many retries the policy's calls may make together. Default ratio 0.2, 10 per second.
    pub budget: Option<Budget>,
}

/// How a wait is drawn from the computed backoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// The backoff itself.
    None,
    /// Between zero and the backoff.
    Full,
    /// Between half of the backoff and the backoff.
    Equal,
    /// Between `base_delay` and three times the wait before.
    Decorrelated,
}

/// A bound on retries shared by all calls under one policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Retries allowed per call made. Default 0.2.
    pub ratio: f64,
    /// Retries allowed per second whatever the traffic. Default 10.
    pub min_per_second: f64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(5),
            exponential_base: 2.0,
            jitter: Jitter::Full,
            max_elapsed: None,
            budget: Some(Budget::default()),
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            ratio: 0.2,
            min_per_second: 10.0,
        }
    }
}
