//! `/hardening`: a page that shows every site live, and the events that it lives on.
//!
//! | | |
//! |---|---|
//! | `history` | a minute of points of each site: pure |
//! | `board`, `frames` | what is shown at one moment, and what is sent of it: pure |
//! | `sampler` | the task that takes a point a second |
//! | `viewer`, `places` | one who looks, and how many may |
//! | `assets/` | the page: HTML, CSS and JavaScript as they are served |

mod board;
mod document;
mod frames;
mod history;
mod places;
mod sampler;
mod viewer;

#[cfg(all(test, not(hardening_loom)))]
mod tests;

use axum::{
    Router,
    body::Body,
    http::{
        HeaderName, StatusCode,
        header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::stream;
use places::Place;
use std::time::Duration;
use viewer::Viewer;

/// What nginx looks for: it hands events on as they come.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The two routes. A runtime that is there begins to take points, so that there is a history to look at.
pub(super) fn routes() -> Router {
    sampler::feed();
    Router::new()
        .route("/hardening", get(page))
        .route("/hardening/events", get(events))
}

/// Ends every open stream of events of the page `/hardening`, so that a graceful shutdown does not wait for them:
/// axum's waits for all responses, and a stream lasts up to a minute. Call it when the shutdown begins.
///
/// ```no_run
/// # use hardening_runtime as hardening;
/// # async fn serve(listener: tokio::net::TcpListener, app: axum::Router) -> std::io::Result<()> {
/// axum::serve(listener, app)
///     .with_graceful_shutdown(async {
///         // … a signal, and then:
///         hardening::http::end_streams();
///     })
///     .await
/// # }
/// ```
pub fn end_streams() {
    sampler::stop();
}

async fn page() -> impl IntoResponse {
    sampler::feed();
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, document::POLICY),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (headers, document::PAGE)
}

async fn events() -> Response {
    let Some(feed) = sampler::feed() else {
        return come_again("there is no tokio runtime", Duration::from_secs(60));
    };
    match Place::take() {
        Err(wait) => come_again("as many as may look at this page do so", wait),
        Ok(place) => {
            let headers = [
                (CONTENT_TYPE, "text/event-stream"),
                (X_ACCEL_BUFFERING, "no"),
            ];
            let events = stream::unfold(Viewer::new(place, feed), Viewer::next);
            (headers, Body::from_stream(events)).into_response()
        }
    }
}

fn come_again(message: &'static str, wait: Duration) -> Response {
    let seconds = wait.as_secs().saturating_add(1).to_string();
    let header = [(RETRY_AFTER, seconds)];
    (StatusCode::SERVICE_UNAVAILABLE, header, message).into_response()
}

/// Nobody looks, and nothing is known of the minute before.
#[cfg(feature = "test-util")]
pub(crate) fn forget() {
    sampler::stop();
    places::forget();
}
