//! The policies: one struct per section, with its defaults, units, ranges and rules.

mod bulkhead;
mod cache;
mod circuit_breaker;
mod doubt;
mod health;
mod rate_limit;
mod retry;
mod runtime;
mod section;
mod switches;
mod timeout;

pub use bulkhead::BulkheadPolicy;
pub use cache::CachePolicy;
pub use circuit_breaker::CircuitBreakerPolicy;
pub use doubt::Doubt;
pub use health::{Derive, HealthDefaults, HealthGroup, HealthPolicy, Provider};
pub use rate_limit::{Limit, RateLimitPolicy, Scope};
pub use retry::{Budget, Jitter, RetryPolicy};
pub use runtime::RuntimePolicy;
pub use section::SectionPolicy;
pub use switches::{Mode, Switches};
pub use timeout::TimeoutPolicy;
