//! `bulkhead`: bound concurrency, queue by priority.

use std::time::Duration;

/// How many calls run together, and how many may wait for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkheadPolicy {
    /// Calls that run together. Default 10.
    pub max_concurrent: u32,
    /// Calls that may wait for a place. Default 100; 0 rejects at once.
    pub max_queue: u32,
    /// How long a call waits for a place. Default 5 s.
    pub max_wait: Duration,
}

impl Default for BulkheadPolicy {
    fn default() -> Self {
        Self {
            max_concurrent: 10,
            max_queue: 100,
            max_wait: Duration::from_secs(5),
        }
    }
}
