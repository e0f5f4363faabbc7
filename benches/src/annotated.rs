//! Functions under the attributes: each layer alone, all together, as one writes them.
//!
//! Settings stand inline, so that nothing hangs on the file that is found at run time. Limits are so high
//! that nobody meets them, where the name does not say otherwise.
#![allow(missing_docs)] // the names say it
#![allow(clippy::unused_async)]

use hardening::{Rejected, bulkhead, cached, circuit_breaker, rate_limited, retryable, timeout};
use std::hint::black_box;

pub type Answer = Result<u64, Rejected>;

/// Without attributes.
pub async fn bare(call: u64) -> Answer {
    Ok(black_box(call))
}

#[retryable]
pub async fn retried(call: u64) -> Answer {
    bare(call).await
}

#[rate_limited(op = "search", key = key, capacity = 1_000_000_000, window_seconds = 1)]
pub async fn limited(key: &str, call: u64) -> Answer {
    bare(call).await
}

#[rate_limited(op = "health_check", key = key, capacity = 1, window_seconds = 1_000_000)]
pub async fn denied(key: &str, call: u64) -> Answer {
    bare(call).await
}

#[circuit_breaker]
pub async fn guarded(call: u64) -> Answer {
    bare(call).await
}

#[circuit_breaker(failure_rate = 0.5, window = 30)]
pub async fn guarded_by_rate(call: u64) -> Answer {
    bare(call).await
}

/// Opens at once, and for longer than anybody measures.
#[circuit_breaker(failure_threshold = 1, open_for = 1_000_000)]
pub async fn broken(call: u64) -> Result<u64, std::io::Error> {
    Err(std::io::Error::from_raw_os_error(
        i32::try_from(call % 7).unwrap_or(1),
    ))
}

#[bulkhead(max_concurrent = 1000)]
pub async fn placed(call: u64) -> Answer {
    bare(call).await
}

#[timeout(call = "15s")]
pub async fn timed(call: u64) -> Answer {
    bare(call).await
}

#[cached]
pub async fn remembered(key: u64) -> Answer {
    bare(key).await
}

#[rate_limited(op = "search", key = key, capacity = 1_000_000_000, window_seconds = 1)]
#[bulkhead(max_concurrent = 1000)]
#[timeout(call = "15s")]
#[retryable]
#[circuit_breaker]
pub async fn five(key: &str, call: u64) -> Answer {
    bare(call).await
}

#[cached(key = key)]
#[rate_limited(op = "search", key = key, capacity = 1_000_000_000, window_seconds = 1)]
#[bulkhead(max_concurrent = 1000)]
#[timeout(call = "15s")]
#[retryable]
#[circuit_breaker]
pub async fn five_remembered(key: u64) -> Answer {
    bare(key).await
}

/// The same in functions that block; there is no timeout for those.
pub mod blocking {
    use super::{Answer, black_box, bulkhead, cached, circuit_breaker, rate_limited, retryable};

    pub fn bare(call: u64) -> Answer {
        Ok(black_box(call))
    }

    #[retryable]
    pub fn retried(call: u64) -> Answer {
        bare(call)
    }

    #[rate_limited(op = "search", key = key, capacity = 1_000_000_000, window_seconds = 1)]
    pub fn limited(key: &str, call: u64) -> Answer {
        bare(call)
    }

    #[circuit_breaker]
    pub fn guarded(call: u64) -> Answer {
        bare(call)
    }

    #[bulkhead(max_concurrent = 1000)]
    pub fn placed(call: u64) -> Answer {
        bare(call)
    }

    #[cached]
    pub fn remembered(key: u64) -> Answer {
        bare(key)
    }

    #[rate_limited(op = "search", key = key, capacity = 1_000_000_000, window_seconds = 1)]
    #[bulkhead(max_concurrent = 1000)]
    #[retryable]
    #[circuit_breaker]
    pub fn four(key: &str, call: u64) -> Answer {
        bare(call)
    }
}
