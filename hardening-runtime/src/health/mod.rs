//! Health: is this process fit to serve, and which of its dependencies is not?
//!
//! # About
//!
//! A *check* asks one dependency one question. Checks are found at link time (`#[health_check]`)
//! or registered by hand ([`Registry::register`]). They run all at once, each on a task (or a
//! thread) of its own and within its own timeout, so that one that hangs or panics delays nobody.
//!
//! One bad answer is no outage. A check that fails is *degraded*, and *unhealthy* once it has
//! failed `failure_threshold` times in a row; it is healthy again after `success_threshold`
//! successes in a row. Four finer points:
//!
//! - A check that hangs or panics has failed. One that does so at its very first run, so that
//!   nothing good is known of it, is unhealthy at once.
//! - A check that answers *degraded* has succeeded, with reservations: it counts as a success,
//!   and its status is degraded.
//! - A check that has not run yet is in the report all the same, as degraded.
//! - Checks that are derived from a circuit or a bulkhead ([`Registry::register_derived`]) have
//!   thresholds of their own behind them: their status is what they answer.
//!
//! The report is unhealthy when a `critical` check is unhealthy, and degraded when any check is
//! not healthy.
//!
//! # Groups
//!
//! A check is in the group `readiness` (the default: may traffic come here?), in `liveness`
//! (should the platform restart this process?), or in both. A dependency that is down is no
//! reason for a restart, so derived checks are never in liveness, whatever the settings say.
//!
//! # Example
//!
//! ```
//! # use hardening_runtime as hardening;
//! use hardening::health::{HealthResult, Registry, Status};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let registry = Registry::new(); // `hardening::health::registry()` is the program's own
//! registry.register("database", || async { Err("connection refused") });
//! registry.register("disk", || true); // not async: runs on a thread of its own
//! registry.register("queue", || async { HealthResult::degraded("950 of 1000 places taken") });
//!
//! let report = registry.run_all().await;
//! assert_eq!(report.overall_status, Status::Degraded);
//! assert_eq!(report.checks["database"].consecutive_failures, 1);
//! assert_eq!(registry.failed_checks(), ["database", "queue"]);
//! println!("{report}");
//! # }
//! ```
//!
//! # Settings
//!
//! | setting | default | YAML |
//! |---|---|---|
//! | `enabled` | true | `health_checks.providers.NAME.enabled`; a check that is not enabled neither runs nor is in a report |
//! | `interval` | 30 s | how often the monitor runs the check, ± 10 %; exactly with the feature `test-util` |
//! | `timeout` | 10 s | how long one run may take |
//! | `failure_threshold` | 3 | failures in a row that make it unhealthy |
//! | `success_threshold` | 1 | successes in a row that make it healthy again |
//! | `check_type` | what the check says of itself | a label in the report |
//! | `critical` | false | whether it makes the report unhealthy |
//! | `groups` | `[readiness]` | `liveness`, `readiness` |
//!
//! # When not to use
//!
//! To protect calls: that is what a circuit breaker is for, which sees every call instead of one
//! every thirty seconds.

#[cfg(feature = "health-checks")]
mod builtin;
mod check;
mod entry;
mod history;
mod monitor;
mod probe;
mod registry;
mod report;
mod run;
mod settings;
mod status;
mod timestamp;

pub(crate) use timestamp::rfc3339;

#[cfg(feature = "health-checks")]
pub use builtin::{HttpCheck, InvalidUrl, TcpCheck};
#[doc(hidden)]
pub use check::{AnyCheck, IsAsync, IsBlocking, IsCheck};
pub use check::{Check, IntoCheck};
pub use monitor::Monitor;
pub use probe::{Probe, probes};
pub use registry::Registry;
pub(crate) use registry::{Derived, linked};
pub use report::{CheckReport, HealthReport};
pub(crate) use settings::settings_of;
pub use settings::{Group, HealthSettings};
// It is found where the configuration is: the first who asks for it loads that.
pub use crate::start::registry;
pub use status::{HealthResult, IntoHealth, Status};

#[cfg(all(test, not(hardening_loom)))]
mod tests;
