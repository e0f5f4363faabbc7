//! A refusal as a response.

use super::json;
use crate::{config::Limit, named::policy_of, outcome::Rejected};
use axum::{
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::time::Duration;

/// The fields of draft-ietf-httpapi-ratelimit-headers, as of its revisions 08 to 11: names are items,
/// `q` is the quota, `w` the window in seconds, `r` what remains, `t` the seconds until there is more.
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

#[derive(Serialize)]
struct Body<'a> {
    error: &'static str,
    op: &'a str,
    message: String,
    /// As in the header.
    retry_after: Option<u64>,
}

/// | refusal | status | `error` |
/// |---|---|---|
/// | [`RateLimited`](Rejected::RateLimited) | 429 | `rate_limited` |
/// | [`CircuitOpen`](Rejected::CircuitOpen) | 503 | `circuit_open` |
/// | [`BulkheadFull`](Rejected::BulkheadFull) | 503 | `bulkhead_full` |
/// | [`LoadFailed`](Rejected::LoadFailed) | 503 | `load_failed` |
/// | [`TimedOut`](Rejected::TimedOut) | 504 | `timed_out` |
///
/// `Retry-After` is there if the layer knows when to come again, in whole seconds, rounded up. A 429
/// has `RateLimit` and `RateLimit-Policy`, too. The body is
/// `{"error": …, "op": …, "message": …, "retry_after": seconds or null}`; `op` is [`Rejected::name`]. No
/// key, argument or error of the program is in any of it.
impl IntoResponse for Rejected {
    fn into_response(self) -> Response {
        let (status, error) = kind(&self);
        let retry_after = self.retry_after().map(whole_seconds);
        let mut response = json(&Body {
            error,
            op: self.name(),
            message: message(&self),
            retry_after,
        });
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Self::RateLimited { op, .. } = self {
            say_limits(headers, op, retry_after);
        }
        response
    }
}

const fn kind(rejected: &Rejected) -> (StatusCode, &'static str) {
    match rejected {
        Rejected::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
        Rejected::CircuitOpen { .. } => (StatusCode::SERVICE_UNAVAILABLE, "circuit_open"),
        Rejected::BulkheadFull { .. } => (StatusCode::SERVICE_UNAVAILABLE, "bulkhead_full"),
        Rejected::LoadFailed { .. } => (StatusCode::SERVICE_UNAVAILABLE, "load_failed"),
        Rejected::TimedOut { .. } => (StatusCode::GATEWAY_TIMEOUT, "timed_out"),
    }
}

/// What the refusal says, without the error of another caller, which is no business of this one.
fn message(rejected: &Rejected) -> String {
    match rejected {
        Rejected::LoadFailed { name, .. } => {
            format!("the run of `{name}` that this call waited for failed")
        }
        others => others.to_string(),
    }
}

/// Rounded up, as whoever comes a moment too early is refused again; and never "at once".
fn whole_seconds(time: Duration) -> u64 {
    let more = u64::from(time.subsec_nanos() > 0);
    time.as_secs().saturating_add(more).max(1)
}

fn say_limits(headers: &mut HeaderMap, op: &str, retry_after: Option<u64>) {
    let Some(name) = quoted(op) else { return };
    let reset = retry_after.map(|seconds| format!(";t={seconds}"));
    insert(
        headers,
        RATE_LIMIT,
        &format!("{name};r=0{}", reset.unwrap_or_default()),
    );
    if let Some(policy) = policy_of(op) {
        let item = |limit: &Limit| {
            let window = whole_seconds(limit.window);
            format!("{name};q={};w={window}", limit.capacity)
        };
        let items: Vec<_> = policy.limits.iter().map(item).collect();
        insert(headers, RATE_LIMIT_POLICY, &items.join(", "));
    }
}

/// A string of RFC 9651, which holds printable ASCII only.
fn quoted(text: &str) -> Option<String> {
    let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let escaped = || text.replace('\\', "\\\\").replace('"', "\\\"");
    printable.then(|| format!("\"{}\"", escaped()))
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_up_and_never_none() {
        let of = |millis| whole_seconds(Duration::from_millis(millis));
        assert_eq!((of(0), of(1), of(1000), of(1001)), (1, 1, 1, 2));
        assert_eq!(whole_seconds(Duration::MAX), u64::MAX);
    }

    #[test]
    fn names_are_strings_of_the_header_or_not_in_it() {
        assert_eq!(
            quoted("a \"b\" \\c").as_deref(),
            Some("\"a \\\"b\\\" \\\\c\"")
        );
        assert_eq!(quoted("größe"), None);
        assert_eq!(quoted("a\nb"), None);
    }
}
