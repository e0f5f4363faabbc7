//! The YAML schema of `hardening`: its checks and its resolution.
//!
//! One definition, used by the macros while compiling and by the runtime at start.
#![forbid(unsafe_code)]

pub mod policy;

pub use policy::{
    Budget, BulkheadPolicy, CachePolicy, CircuitBreakerPolicy, Jitter, Limit, RateLimitPolicy,
    RetryPolicy, Scope, TimeoutPolicy,
};
