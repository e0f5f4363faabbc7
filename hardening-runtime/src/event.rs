//! What is told, to whoever subscribes to `tracing` (target `hardening`), at the level at which an
//! operator expects it. No argument, key or secret of the user is in any event: a key is a short hash,
//! which differs from process to process, and an error of the user's is "transient error".
//!
//! Each event carries the request's id, where one is known. Those of single calls are told a few
//! times a second and then counted (`flood`).

use crate::{flood, outcome::Rejected, request::request_id, start::Started};
use std::{
    fmt::{self, Display},
    time::Duration,
};
use tracing::{Level, level_filters::LevelFilter};

const TARGET: &str = "hardening";

/// Tells an event, at this level.
macro_rules! tell {
    ($level:ident, $($event:tt)+) => {
        tracing::$level!(target: TARGET, request_id = request_id().as_deref(), $($event)+)
    };
}

/// Tells an event of a call at `site`, unless too many like it were told in this second; then the
/// next says how many were `suppressed`.
macro_rules! tell_some {
    ($level:ident $at:ident, $site:expr, $layer:expr, $message:literal; $($field:tt)*) => {
        if tracing::enabled!(target: TARGET, tracing::Level::$at)
            && let Some(suppressed) = flood::admit($site, $layer, $message)
        {
            let suppressed = if_any(suppressed);
            tell!($level, site = $site, layer = $layer, $($field)* suppressed, $message);
        }
    };
}

/// A count that is no field where it is zero.
fn if_any(count: u64) -> Option<u64> {
    (count > 0).then_some(count)
}

/// An attempt failed and another follows after `delay`.
pub(crate) fn retrying(site: &str, attempt: u32, delay: Duration, reason: &dyn Display) {
    let delay = delay.as_secs_f64();
    tell_some!(warn WARN, site, "retry", "retrying"; attempt, delay, %reason,);
}

/// An attempt failed with a transient failure and no other follows.
pub(crate) fn gave_up(site: &str, attempt: u32, reason: &dyn Display) {
    tell_some!(warn WARN, site, "retry", "gave up"; attempt, %reason,);
}

/// A layer refused a call.
pub(crate) fn rejected(site: &str, layer: &str, rejected: &Rejected) {
    let retry_after = rejected.retry_after().map(|after| after.as_secs_f64());
    let name = rejected.name();
    tell_some!(debug DEBUG, site, layer, "rejected"; name, retry_after,);
}

/// The rate limit `op` refused a call, of the key with this hash. A load, while nobody listens.
#[inline]
pub(crate) fn rate_limited(site: &str, op: &str, retry_after: Option<Duration>, key: u64) {
    if LevelFilter::current() >= Level::DEBUG {
        tell_rate_limited(site, op, retry_after, key);
    }
}

#[inline(never)]
fn tell_rate_limited(site: &str, op: &str, retry_after: Option<Duration>, key: u64) {
    tell_some!(
        debug DEBUG, site, "rate_limit", "rejected";
        name = op,
        retry_after = retry_after.map(|after| after.as_secs_f64()),
        key = display(ShortHash(key)),
    );
}

/// Enough of a key's hash to tell whether one caller is refused or many.
struct ShortHash(u64);

impl Display for ShortHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0 >> 32)
    }
}

/// A layer in `mode: observe` would have refused `count` calls since this was told last.
pub(crate) fn would_have_rejected(name: &str, layer: &str, count: u64) {
    tell!(warn, name, layer, count, "would have rejected");
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
        tell!(warn, name, layer = "circuit_breaker", open_for, %reason, observed, "opened");
    } else {
        tell!(error, name, layer = "circuit_breaker", open_for, %reason, "opened");
    }
}

/// An open circuit admits probes.
pub(crate) fn circuit_half_opened(name: &str) {
    tell!(info, name, layer = "circuit_breaker", "half-open");
}

/// A circuit closed.
pub(crate) fn circuit_closed(name: &str) {
    tell!(info, name, layer = "circuit_breaker", "closed");
}

/// A value came from the cache.
#[inline]
pub(crate) fn cache_hit(site: &str) {
    if LevelFilter::current() == LevelFilter::TRACE {
        tell_cache_hit(site);
    }
}

#[cold]
fn tell_cache_hit(site: &str) {
    tell!(trace, site, layer = "cache", "hit");
}

/// The run failed, and the last good value was served in its place.
pub(crate) fn served_stale(site: &str, age: Duration) {
    let age = age.as_secs_f64();
    tell_some!(warn WARN, site, "cache", "served stale"; age,);
}

/// The fallback answered in the function's place.
pub(crate) fn degraded(site: &str) {
    tell_some!(warn WARN, site, "fallback", "degraded";);
}

/// A hook or another piece of the user's code that we call besides the body panicked.
pub(crate) fn hook_panicked(site: &str, hook: &str) {
    if let Some(suppressed) = flood::admit(site, hook, "panicked") {
        let suppressed = if_any(suppressed);
        tell!(error, site, hook, suppressed, "panicked; the call goes on");
    }
}

/// The configuration is wrong, and was found to be so by the first call.
pub(crate) fn misconfigured(errors: &dyn Display) {
    tell!(error, "the configuration is wrong:\n{errors}");
}

/// A new configuration is wrong. What was in force before stays.
pub(crate) fn reload_refused(errors: &dyn Display) {
    tell!(error, "reload refused, what was in force stays:\n{errors}");
}

/// A new configuration is in force; the text that was compiled in, if it is `embedded`.
pub(crate) fn reloaded(file: Option<&str>, embedded: bool) {
    let file = file.unwrap_or("built-in");
    tell!(info, file, embedded, "reloaded");
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
    tell!(
        info,
        file,
        embedded,
        sites,
        policies,
        overrides,
        warnings,
        "configured"
    );
}

/// Whether somebody listens to what is told of each site.
pub(crate) fn wants_settings() -> bool {
    tracing::enabled!(target: TARGET, Level::DEBUG)
}

/// The settings in force at a site, and where each came from.
pub(crate) fn settings(site: &str, at: &str, settings: &str) {
    tell!(debug, site, at, settings, "settings in force");
}

/// Something in the configuration looks like a mistake.
pub(crate) fn doubtful(warning: &str) {
    tell!(warn, "{warning}");
}

/// A check's first status, and it is a good one.
pub(crate) fn check_healthy(check: &str, message: Option<&str>) {
    tell!(debug, check, layer = "health", message, "healthy");
}

/// A check that was not healthy is.
pub(crate) fn check_healthy_again(check: &str) {
    tell!(info, check, layer = "health", "healthy again");
}

/// A check failed, not often enough yet to be unhealthy; or it said so itself.
pub(crate) fn check_degraded(check: &str, reason: Option<&str>) {
    tell!(warn, check, layer = "health", reason, "degraded");
}

/// A check failed as often as its settings allow.
pub(crate) fn check_unhealthy(check: &str, reason: Option<&str>) {
    tell!(error, check, layer = "health", reason, "unhealthy");
}
