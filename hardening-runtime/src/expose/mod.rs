//! The program's state as text that others read: pure functions of a [`Snapshot`] or a health report.

mod health;
mod json;
mod prometheus;
mod state;
mod text;

#[cfg(all(test, not(hardening_loom)))]
mod tests;

pub use health::prometheus_of_health;
pub use json::{Cache, DurationSeconds, Figures, Queue, Requests, Summary, json};
pub use prometheus::{BUCKET_LIMITS, prometheus};

/// The media type of what [`prometheus`] returns.
pub const PROMETHEUS_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

use crate::report::Snapshot;
use std::collections::BTreeMap;

/// The first of all that have the same name. State that sites share is in the snapshot of each.
pub(crate) fn by_name<'a, T>(
    all: impl Iterator<Item = T>,
    name: impl Fn(&T) -> &'a str,
) -> impl Iterator<Item = (&'a str, T)> {
    let mut named = BTreeMap::new();
    for one in all {
        named.entry(name(&one)).or_insert(one);
    }
    named.into_iter()
}
