//! What is told, to whoever subscribes to `tracing` (target `hardening`), at the level at which an
//! operator expects it. No argument, key or secret of the user is in any event.

use crate::{outcome::Rejected, start::Started};
use std::{fmt::Display, time::Duration};

const TARGET: &str = "hardening";

/// An attempt failed and another follows after `delay`.
pub(crate) fn retrying(site: &str, attempt: u32, delay: Duration, reason: &dyn Display) {
    tracing::warn!(target: TARGET, site, layer = "retry", attempt, delay = delay.as_secs_f64(), %reason, "retrying");
}

/// An attempt failed with a transient failure and no other follows.
pub(crate) fn gave_up(site: &str, attempt: u32, reason: &dyn Display) {
    tracing::warn!(target: TARGET, site, layer = "retry", attempt, %reason, "gave up");
}

/// A layer refused a call.
pub(crate) fn rejected(site: &str, layer: &str, rejected: &Rejected) {
    let retry_after = rejected.retry_after().map(|after| after.as_secs_f64());
    tracing::debug!(target: TARGET, site, layer, name = rejected.name(), retry_after, "rejected");
}

/// A layer in `mode: observe` would have refused `count` calls since this was told last.
pub(crate) fn would_have_rejected(name: &str, layer: &str, count: u64) {
    tracing::warn!(target: TARGET, name, layer, count, "would have rejected");
}

/// A circuit opened, for `open_for`. One that is only observed does no harm by it.
pub(crate) fn circuit_opened(
    name: &str,
    open_for: Option<Duration>,
    reason: &dyn Display,
    observed: bool,
) {
    let open_for = open_for.map(|duration| duration.as_secs_f64());
    if observed {
        tracing::warn!(target: TARGET, name, layer = "circuit_breaker", open_for, %reason, observed, "opened");
    } else {
        tracing::error!(target: TARGET, name, layer = "circuit_breaker", open_for, %reason, "opened");
    }
}

/// An open circuit admits probes.
pub(crate) fn circuit_half_opened(name: &str) {
    tracing::info!(target: TARGET, name, layer = "circuit_breaker", "half-open");
}

/// A circuit closed.
pub(crate) fn circuit_closed(name: &str) {
    tracing::info!(target: TARGET, name, layer = "circuit_breaker", "closed");
}

/// A value came from the cache.
pub(crate) fn cache_hit(site: &str) {
    tracing::trace!(target: TARGET, site, layer = "cache", "hit");
}

/// The run failed, and the last good value was served in its place.
pub(crate) fn served_stale(site: &str, age: Duration) {
    tracing::warn!(target: TARGET, site, layer = "cache", age = age.as_secs_f64(), "served stale");
}

/// The fallback answered in the function's place.
pub(crate) fn degraded(site: &str) {
    tracing::warn!(target: TARGET, site, layer = "fallback", "degraded");
}

/// A hook or another piece of the user's code that we call besides the body panicked.
pub(crate) fn hook_panicked(site: &str, hook: &str) {
    tracing::error!(target: TARGET, site, hook, "panicked; the call goes on");
}

/// The configuration is wrong, and was found to be so by the first call.
pub(crate) fn misconfigured(errors: &dyn Display) {
    tracing::error!(target: TARGET, "the configuration is wrong:\n{errors}");
}

/// A new configuration is wrong. What was in force before stays.
pub(crate) fn reload_refused(errors: &dyn Display) {
    tracing::error!(target: TARGET, "reload refused, what was in force stays:\n{errors}");
}

/// A new configuration is in force; the text that was compiled in, if it is `embedded`.
pub(crate) fn reloaded(file: Option<&str>, embedded: bool) {
    let file = file.unwrap_or("built-in");
    tracing::info!(target: TARGET, file, embedded, "reloaded");
}

/// The configuration is in force at all sites.
pub(crate) fn configured(started: &Started) {
    let Started {
        sites,
        embedded,
        policies,
        overrides,
        ..
    } = *started;
    let file = started.file.as_deref().unwrap_or("built-in");
    let warnings = started.warnings.len();
    tracing::info!(target: TARGET, file, embedded, sites, policies, overrides, warnings, "configured");
}

/// Whether somebody listens to what is told of each site.
pub(crate) fn wants_settings() -> bool {
    tracing::enabled!(target: TARGET, tracing::Level::DEBUG)
}

/// The settings in force at a site, and where each came from.
pub(crate) fn settings(site: &str, at: &str, settings: &str) {
    tracing::debug!(target: TARGET, site, at, settings, "settings in force");
}

/// Something in the configuration looks like a mistake.
pub(crate) fn doubtful(warning: &str) {
    tracing::warn!(target: TARGET, "{warning}");
}
