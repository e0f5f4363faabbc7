//! The YAML schema of `hardening`: its checks and its resolution.
//!
//! One definition, used by the macros while compiling and by the runtime at start. A file becomes a
//! [`Config`], which says what is in force for a call site:
//!
//! ```
//! use hardening_config::{Config, Environment, RetryPolicy, Selection};
//!
//! let file = b"runtime: {retry: {quick_policy: {max_attempts: 2}}}";
//! let config = Config::parse(file, "hardening.yaml", &Environment::process())?;
//! let selection = Selection {
//!     at: "src/lib.rs:30",
//!     name: Some("quick"),
//!     inline: &[("base_delay", "\"200ms\"")],
//!     ..Selection::default()
//! };
//! let resolved = config.resolve::<RetryPolicy>(&selection)?;
//! assert_eq!(resolved.policy.max_attempts, 2);
//! assert_eq!(resolved.settings[0].origin.to_string(), "hardening.yaml:1:34");
//! # Ok::<(), hardening_config::ConfigErrors>(())
//! ```
//!
//! # Which value wins
//!
//! Weakest first: built-in · the section's `default_policy` · the named policy · inline in the attribute ·
//! `overrides` for the call site · the environment. Each value knows its [`Origin`].
//!
//! A variable such as `HARDENING__RETRY__EXPENSIVE__MAX_ATTEMPTS=7` stands for that key of that policy,
//! and beats the call site too. One for `DEFAULT` stands for `default_policy`: policies inherit it where
//! they do not say that key themselves, and a variable for such a policy beats it. Names are in capitals,
//! with `_` for whatever is no letter or digit; a variable that names nothing is an error.
//!
//! `enabled: false` of a section switches all of it off, whatever its policies say.
//!
//! # Features
//!
//! `schema` brings `json_schema()`: the JSON Schema of the file, for editors, made of the same tables.
//!
//! # Every key
//!
//! ```yaml
#![doc = include_str!("../reference.yaml")]
//! ```
#![forbid(unsafe_code)]

mod across;
mod check;
mod config;
mod declared;
mod duration;
mod env;
mod error;
mod file;
mod from_env;
mod group;
mod health;
#[cfg(feature = "schema")]
mod json_schema;
mod kind;
mod layer;
pub mod policy;
mod resolve;
pub mod schema;
mod setting;
mod suggest;

pub use across::{Finding, SiteLayer};
pub use check::check_setting;
pub use config::{BUILT_IN, Config, Mistaken};
pub use declared::Declared;
pub use duration::{parse_duration, show_duration};
pub use env::Environment;
pub use error::{ConfigError, ConfigErrors, Origin, Position, Problem};
pub use file::{MAX_BYTES, Node, find};
pub use health::check_health_setting;
#[cfg(feature = "schema")]
pub use json_schema::json_schema;
pub use kind::LayerKind;
pub use layer::Effective;
pub use policy::{
    Budget, BulkheadPolicy, CachePolicy, CircuitBreakerPolicy, Derive, Doubt, HealthGroup,
    HealthPolicy, Jitter, Limit, Mode, Provider, RateLimitPolicy, RetryPolicy, Scope,
    TimeoutPolicy,
};
pub use resolve::{Resolved, Selection};
pub use schema::{Key, Policy};
pub use suggest::suggest;

/// Every key with its default, as a file with comments.
pub const REFERENCE: &str = include_str!("../reference.yaml");
