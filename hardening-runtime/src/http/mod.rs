//! Health, sites, a live page, refusals and request ids over HTTP, for axum 0.8 and any tower service.
//!
//! | | |
//! |---|---|
//! | [`router()`] | the routes `/health`, `/health/live`, `/health/ready`, `/sites`, `/metrics`, `/metrics.json`, `/hardening` |
//! | [`end_streams()`] | for a graceful shutdown: ends the streams of the page `/hardening` |
//! | [`Rejected`](crate::Rejected) | is a response: 429, 503 or 504, with `Retry-After` |
//! | [`RequestIdLayer`] | a request's id, in every event of the request |

mod health;
mod limit;
mod page;
mod rejection;
mod request_id;
mod sites;

pub use page::end_streams;
pub use request_id::{Identified, RequestIdLayer, RequestIdService};

use crate::{
    expose,
    health::{Group, registry},
    snapshot,
};
use axum::{
    Router,
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    middleware::{from_fn, map_response},
    response::{IntoResponse, Response},
    routing::get,
};
use health::shorten;

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
        .route("/metrics", get(metrics))
        .route("/metrics.json", get(metrics_json))
        .merge(page::routes())
        .route_layer(from_fn(limit::limited))
        .route_layer(map_response(not_stored))
}

async fn metrics() -> impl IntoResponse {
    let mut text = expose::prometheus(&snapshot());
    text += &expose::prometheus_of_health(&registry().last_report());
    ([(CONTENT_TYPE, expose::PROMETHEUS_CONTENT_TYPE)], text)
}

async fn metrics_json() -> Response {
    json(&expose::json(&snapshot()))
}

async fn not_stored(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}

/// `value` as JSON. What is served here has nothing that JSON cannot hold.
fn json(value: &impl serde::Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
