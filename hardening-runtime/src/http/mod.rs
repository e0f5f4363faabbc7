//! Health, sites, a live page, refusals and request ids over HTTP, for axum 0.8 and any tower service.
//!
//! | | |
//! |---|---|
//! | [`router()`] | the routes `/health`, `/health/live`, `/health/ready`, `/sites`, `/metrics`, `/metrics.json`, `/hardening` |
//! | [`end_streams()`] | for a graceful shutdown: ends the streams of the page `/hardening` |
//! | [`Rejected`](crate::Rejected) | is a response: 429, 503 or 504, with `Retry-After` |
//! | [`RequestIdLayer`] | a request's id, in every event of the request |

mod figures;
mod health;
mod limit;
mod page;
mod rejection;
mod request_id;
mod sites;

pub use page::end_streams;
pub use request_id::{Identified, RequestIdLayer, RequestIdService};

use crate::health::Group;
use axum::{
    Router,
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::{from_fn, map_response},
    response::{IntoResponse, Response},
    routing::get,
};
use std::collections::BTreeMap;

#[cfg(feature = "test-util")]
pub(crate) use page::forget;

/// The most checks, circuits and sites that one answer holds. What is left out is counted in it.
const MOST: usize = 1000;

/// Routes for operators and platforms: merge them into the service's own, or serve them on a port
/// that only they reach.
///
/// | route | answer |
/// |---|---|
/// | `/health` | runs all checks; the report, with the state of each circuit |
/// | `/health/live` | the same of the group `liveness`: should the platform restart this process? |
/// | `/health/ready` | the same of the group `readiness`: may traffic come here? |
/// | `/metrics` | the figures as text for Prometheus ([`metrics::prometheus`](crate::metrics::prometheus)), and the last result of each health check, of which it runs none |
/// | `/metrics.json` | the figures as small JSON: [`metrics::json`](crate::metrics::json()) |
/// | `/sites` | every annotated function with its settings, and the present [`Snapshot`](crate::Snapshot) |
/// | `/hardening` | a page that shows all of this live, for a browser; `/hardening/events` are its server-sent events |
///
/// Health is 200 while it is healthy or degraded, and 503 when it is unhealthy. All routes take `GET`
/// and `HEAD`, read no body, and answer in JSON (`/metrics` in text, `/hardening` in HTML) with `Cache-Control: no-store`.
///
/// Together they take from the rate limit of the op `health_check` (100 in 60 s, unless the file says
/// otherwise) and answer 429 above it. The limit is for each address of a peer (of IPv6, each `/64`) where the service is
/// made with `into_make_service_with_connect_info::<SocketAddr>()`, and for all together where it is not.
pub fn router() -> Router {
    Router::new()
        .route("/health", get(|| health::answer(None)))
        .route(
            "/health/live",
            get(|| health::answer(Some(Group::Liveness))),
        )
        .route(
            "/health/ready",
            get(|| health::answer(Some(Group::Readiness))),
        )
        .route("/sites", get(sites::answer))
        .route("/metrics", get(figures::text))
        .route("/metrics.json", get(figures::short))
        .merge(page::routes())
        .route_layer(from_fn(limit::limited))
        .route_layer(map_response(as_it_is))
}

/// Of this moment only, and nothing but what it says it is.
async fn as_it_is(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// `value` as JSON. What is served here has nothing that JSON cannot hold.
fn json(value: &impl serde::Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Takes out what is too much; how many those are.
fn shorten<K: Ord + Clone, V>(map: &mut BTreeMap<K, V>) -> usize {
    match map.keys().nth(MOST).cloned() {
        Some(first) => map.split_off(&first).len(),
        None => 0,
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_answer_says_how_much_is_not_in_it() {
        let mut map: BTreeMap<usize, usize> = (0..MOST + 7).map(|n| (n, n)).collect();
        assert_eq!((shorten(&mut map), map.len()), (7, MOST));
        assert_eq!((shorten(&mut map), map.len()), (0, MOST));
    }
}
