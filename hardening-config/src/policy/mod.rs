//! The policies: one struct per section, with its defaults and units.

mod bulkhead;
mod cache;
mod circuit_breaker;
mod rate_limit;
mod retry;
mod timeout;

pub use bulkhead::BulkheadPolicy;
pub use cache::CachePolicy;
pub use circuit_breaker::CircuitBreakerPolicy;
pub use rate_limit::{Limit, RateLimitPolicy, Scope};
pub use retry::{Budget, Jitter, RetryPolicy};
pub use timeout::TimeoutPolicy;
