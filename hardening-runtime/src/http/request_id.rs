//! A request's id: taken or made, carried, returned.

use crate::request::{RequestId, WithRequestId, with_request_id};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower_layer::Layer;
use tower_service::Service;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives each request an id, which every event of our layers then carries as `request_id`.
///
/// It is that of the header `X-Request-ID`, if that is a [`RequestId`] (1 to 128 visible ASCII
/// characters without quotes and backslashes); anything else is replaced by `req-` and 12 hexadecimal
/// digits. The id is in the response's header, in the request's as the handler sees it, in the request's
/// extensions as a [`RequestId`], and in [`request_id()`](crate::request_id()).
///
/// A layer of tower: it goes on an axum `Router` (outside of what is to have an id) and on any other
/// service of `http` requests. A response's body is made after the response: what streams it has no id
/// unless it takes it along with [`with_request_id`].
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestIdLayer;

impl RequestIdLayer {
    /// The layer; it has no settings.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl<S> Layer<S> for RequestIdLayer {
    type Service = RequestIdService<S>;

    fn layer(&self, inner: S) -> RequestIdService<S> {
        RequestIdService { inner }
    }
}

/// A service whose requests have ids; what [`RequestIdLayer`] makes.
#[derive(Clone, Copy, Debug)]
pub struct RequestIdService<S> {
    inner: S,
}

impl<S, Body, Answer> Service<Request<Body>> for RequestIdService<S>
where
    S: Service<Request<Body>, Response = Response<Answer>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Identified<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Identified<S::Future> {
        let id = sent(request.headers()).unwrap_or_else(RequestId::random);
        put(request.headers_mut(), &id);
        request.extensions_mut().insert(id.clone());
        // Services may work in `call` already, before their future is polled.
        let response =
            crate::request::with_request_id_blocking(id.clone(), || self.inner.call(request));
        Identified {
            response: with_request_id(id.clone(), response),
            id,
        }
    }
}

fn sent(headers: &HeaderMap) -> Option<RequestId> {
    RequestId::parse(headers.get(&X_REQUEST_ID)?.to_str().ok()?)
}

fn put(headers: &mut HeaderMap, id: &RequestId) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(X_REQUEST_ID, value);
    }
}

pin_project_lite::pin_project! {
    /// A response on its way, whose events carry the request's id.
    #[must_use = "futures do nothing unless awaited"]
    #[derive(Debug)]
    pub struct Identified<F> {
        #[pin]
        response: WithRequestId<F>,
        id: RequestId,
    }
}

impl<F, Answer, Error> Future for Identified<F>
where
    F: Future<Output = Result<Response<Answer>, Error>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut response = ready!(this.response.poll(cx))?;
        put(response.headers_mut(), this.id);
        Poll::Ready(Ok(response))
    }
}
