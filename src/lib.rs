//! Attributes with which Rust services survive their dependencies, and the runtime under them.
//!
//! A service is as available as what it calls, unless it does something about it: try again, ask less
//! often, stop asking, remember, give up in time, make room, answer something else. Each of these is well
//! known and a page of code that is easy to get wrong, most of all in combination. Here each is an
//! attribute, their combination has one order, and their settings stand in a YAML file whose names are
//! checked while compiling.
//!
//! ```
//! use hardening::{circuit_breaker, fallback, retryable, timeout};
//!
//! #[fallback(|_error| Ok(format!("{city}: as yesterday")))]
//! #[timeout(call = "30s", attempt = "1s")]
//! #[retryable(policy = "expensive")] // of hardening.yaml; misspelt, it does not compile
//! #[circuit_breaker(name = "weather")]
//! async fn weather(city: &str) -> Result<String, std::io::Error> {
//!     upstream(city).await
//! }
//! # async fn upstream(_: &str) -> Result<String, std::io::Error> {
//! #     Err(std::io::ErrorKind::ConnectionRefused.into())
//! # }
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//!
//! // Refused each time: tried again while there is time for it, and then the fallback answers.
//! assert_eq!(weather("Bremen").await.unwrap(), "Bremen: as yesterday");
//! # }
//! ```
//!
//! # The attributes
//!
//! | attribute | means | state is shared by |
//! |---|---|---|
//! | [`#[retryable]`](macro@retryable) | run again on transient failure | retry budget: the policy |
//! | [`#[rate_limited]`](macro@rate_limited) | a token bucket per key | `op` |
//! | [`#[circuit_breaker]`](macro@circuit_breaker) | stop calling what is down | `name`, else the function |
//! | [`#[cached]`](macro@cached) | remember results | `name`, else the function |
//! | [`#[timeout]`](macro@timeout) | bound the time of a call, and of each attempt | |
//! | [`#[bulkhead]`](macro@bulkhead) | bound concurrency, queue by priority | `name`, else the function |
//! | [`#[fallback]`](macro@fallback) | degrade instead of failing | |
//! | [`#[health_check]`](macro@health_check) | register a check; wraps nothing | |
//!
//! They go on free functions, methods and associated functions, async or blocking, generic or not, in
//! trait implementations too, and on whole `impl` blocks: each method then has the attribute, unless it
//! carries the same one itself or `#[hardening(skip)]`. The signature never changes, and the future of an
//! async function is `Send` whenever its body's is. `?` and `return` in the body leave the attempt, not the
//! layers around it.
//!
//! # The order of layers
//!
//! The order in which the attributes are written does not matter. Outside to inside it is:
//!
//! **fallback · cache · call timeout · rate limit · retry · circuit breaker · bulkhead · attempt timeout ·
//! body**
//!
//! `per = "attempt"` on a rate limit moves it inside the retry, just inside the circuit breaker.
//! `per = "call"` on a circuit breaker or a bulkhead moves it just outside the retry. Nothing else moves.
//!
//! # Errors
//!
//! A layer that refuses a call says so with a [`Rejected`], which stays typed between the layers (that is how
//! the retry knows an open circuit from a busy server) and becomes the function's own error once, at the
//! outer edge, through `From<Rejected>`. `std::io::Error`, `anyhow::Error` and
//! `Box<dyn Error + Send + Sync>` work as they are. Whether an error is worth another try is said by
//! [`trait@Classify`], which can be derived, and [`Origin`]; [`classify_status`] and [`parse_retry_after`] say it of HTTP answers.
//!
//! # Pages
//!
//! - [`docs::attributes`]: beside other crates' attributes, under other names, from a re-export
//! - [`docs::configuration`]: every key of the file, where it is looked for, which value wins
//! - [`docs::operating`]: reload, watching the file, switches, limits on trial, and what to do when the log says …
//! - [`docs::observability`]: the figures of every function, as data, as JSON and for Prometheus; alerts worth having
//! - [`docs::performance`]: what a call costs, layer by layer, beside the best of the others
//! - [`docs::health`]: checks, derived checks, groups, the monitor and the report
//! - [`docs::cargo_hardening`]: the program that checks the file, draws its policies, and helps editors
//! - `docs::http` (with the feature `http`): health, settings and a live page over HTTP, refusals as responses, request ids
//! - [`with_request_id`]: an id that every event of a request carries
//! - `docs::otel` (with the feature `otel`): spans and metrics for OpenTelemetry
//! - `docs::testing` (with the feature `test-util`): the paused clock, failures on demand
//! - [`init!`] loads and checks everything at start; [`reload()`] and [`watch()`] swap settings and keep all state
//! - [`sites()`]: every annotated function, with its settings and where each came from; [`snapshot()`]: how they
//!   fare, serialisable
//! - the same engines without attributes: [`retry()`](fn@retry), [`RateLimiter`], [`CircuitBreaker`],
//!   [`Bulkhead`], [`Cache`], [`Timeout`]; and by the names of the configuration [`check_rate_limit`] and
//!   [`cache()`](fn@cache)
//! - [`mod@health`]: the registry of checks
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `anyhow` | yes | `Classify` for `anyhow::Error`, through its chain |
//! | `health-checks` | no | `TcpCheck` and `HttpCheck` |
//! | `http` | no | the module `http` for axum 0.8: routes, [`Rejected`] as a response, a layer for request ids |
//! | `otel` | no | the module `otel`: a span per call, and every figure as a metric, for OpenTelemetry 0.33 |
//! | `reqwest` | no | `Classify` for `reqwest::Error` (0.12, 0.13) |
//! | `sqlx` | no | `Classify` for `sqlx::Error` (0.8, 0.9) |
//! | `redis` | no | `Classify` for `redis::RedisError` (1) |
//! | `test-util` | no | every layer follows tokio's paused clock; the module `testing`. For `[dev-dependencies]` |
//!
//! # Limits
//!
//! - State is that of one process: two instances of a service have two circuits and two sets of buckets.
//! - Async functions that wait (a backoff, a queue, a timeout) need a tokio runtime with its timer.
//! - Annotated functions and health checks are found by the linker. A crate that the binary never names is
//!   not linked, and neither [`init!`] nor [`mod@health`] sees what is in it.
//! - States, and every distinct set of settings that was in force, are kept for the life of the program: about
//!   600 bytes for each function that a reload really changes.
#![forbid(unsafe_code)]

#[doc = include_str!("../docs/classify.md")]
pub use hardening_macros::Classify;
#[doc = include_str!("../docs/bulkhead.md")]
pub use hardening_macros::bulkhead;
#[doc = include_str!("../docs/cached.md")]
pub use hardening_macros::cached;
#[doc = include_str!("../docs/circuit_breaker.md")]
pub use hardening_macros::circuit_breaker;
#[doc = include_str!("../docs/fallback.md")]
pub use hardening_macros::fallback;
#[doc = include_str!("../docs/health_check.md")]
pub use hardening_macros::health_check;
#[doc = include_str!("../docs/init.md")]
pub use hardening_macros::init;
#[doc = include_str!("../docs/rate_limited.md")]
pub use hardening_macros::rate_limited;
#[doc = include_str!("../docs/retryable.md")]
pub use hardening_macros::retryable;
#[doc = include_str!("../docs/timeout.md")]
pub use hardening_macros::timeout;
pub use hardening_runtime::*;

/// Pages that belong to no single attribute.
pub mod docs {
    #[doc = include_str!("../docs/attributes.md")]
    pub mod attributes {}

    #[doc = include_str!("../docs/configuration.md")]
    pub mod configuration {}

    #[doc = include_str!("../docs/operating.md")]
    pub mod operating {}

    #[doc = include_str!("../docs/observability.md")]
    pub mod observability {}

    #[doc = include_str!("../docs/performance.md")]
    pub mod performance {}

    #[doc = include_str!("../docs/health.md")]
    pub mod health {}

    #[doc = include_str!("../docs/cargo-hardening.md")]
    pub mod cargo_hardening {}

    #[cfg(feature = "http")]
    #[doc = include_str!("../docs/http.md")]
    pub mod http {}
    #[cfg(feature = "otel")]
    #[doc = include_str!("../docs/otel.md")]
    pub mod otel {}

    #[cfg(feature = "test-util")]
    #[doc = include_str!("../docs/testing.md")]
    pub mod testing {}
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
