//! `bulkhead`: bound concurrency, queue by priority.

use std::time::Duration;

use crate::{
    group::settings,
    kind::LayerKind,
    schema::{DURATION, Policy, whole},
};

settings! {
    /// How many calls run together, and how many may wait for how long.
    pub struct BulkheadPolicy {
        /// Calls that run together, from 1 to 1,000,000. Default 10.
        pub max_concurrent: u32 = 10, whole(1, 1_000_000);
        /// Calls that may wait for a place, up to 1,000,000. Default 100; 0 rejects at once.
        pub max_queue: u32 = 100, whole(0, 1_000_000);
        /// How long a call waits for a place. Default 5 s.
        pub max_wait: Duration = Duration::from_secs(5), DURATION;
    }
}

impl Policy for BulkheadPolicy {
    const KIND: LayerKind = LayerKind::Bulkhead;
}
