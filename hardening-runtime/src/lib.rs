//! The engines of `hardening`.
//!
//! Floors, lowest first; a floor uses only lower floors, and a layer never imports another layer:
//!
//! 1. [`outcome`], `retry_after`, `classify` (what errors of other crates are worth), [`clock`], `chance`,
//!    `context`, `request`, `name`, `seat` (where a thread counts), `sync`
//! 2. `event`, `flood`, `observed`
//! 3. the layers: [`mod@retry`], [`rate_limit`], [`circuit_breaker`], [`bulkhead`], [`timeout`],
//!    [`mod@cache`]; each decides and knows no other. Beside them [`metrics`] and [`health`]
//! 4. `site` (an annotated function), `enclosing` (what is around it), `live` and `kept` (what is in force there, and what was), `registry` (who shares what),
//!    `overridden` (what the file says about single functions), `source`, `start`, `watch` and `journal` (where the configuration comes from, and how that went), `call` (what the generated code
//!    drives), `named` and `report` (the same by name, and for people), `derived` (layers as health checks), `expose`
//!    (the state as text), `otel` (the same for OpenTelemetry)
//! 5. `private` (all that generated code may name), `testing`, `http`
#![forbid(unsafe_code)]

pub mod bulkhead;
pub mod cache;
mod call;
mod chance;
pub mod circuit_breaker;
mod classify;
pub mod clock;
mod context;
mod derived;
mod enclosing;
mod event;
mod expose;
mod flood;
pub mod health;
#[cfg(feature = "http")]
pub mod http;
mod inject;
mod journal;
mod kept;
mod live;
pub mod metrics;
mod name;
mod named;
mod observed;
#[cfg(not(feature = "otel"))]
mod otel;
#[cfg(feature = "otel")]
pub mod otel;
pub mod outcome;
mod overridden;
#[doc(hidden)]
pub mod private;
pub mod rate_limit;
mod registry;
mod report;
mod request;
pub mod retry;
mod retry_after;
mod seat;
mod shape;
mod site;
mod source;
mod start;
mod sync;
#[cfg(feature = "test-util")]
pub mod testing;
pub mod timeout;
mod watch;

pub use bulkhead::{Bulkhead, Priority};
pub use cache::Cache;
pub use circuit_breaker::CircuitBreaker;
pub use classify::classify_status;
pub use context::{attempt, deadline};
pub use hardening_config as config;
pub use hardening_config::{
    BulkheadPolicy, CachePolicy, CircuitBreakerPolicy, RateLimitPolicy, TimeoutPolicy,
};
pub use journal::{ConfigurationSnapshot, FailedReload};
pub use named::{NamedCache, cache, check_rate_limit};
pub use outcome::{Class, Classify, Failure, Origin, Rejected};
pub use rate_limit::RateLimiter;
pub use report::RetryBudgetSnapshot;
pub use report::{LayerInfo, SettingInfo, SiteInfo, SiteSnapshot, Snapshot, sites, snapshot};
pub use request::{
    RequestId, WithRequestId, request_id, with_request_id, with_request_id_blocking,
};
pub use retry::{Retry, RetryEvent, RetryPolicy, retry, retry_blocking};
pub use retry_after::parse_retry_after;
pub use start::{Started, reload};
pub use timeout::Timeout;
pub use watch::{Watch, watch};
