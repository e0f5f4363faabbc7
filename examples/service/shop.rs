//! A shop: its functions, which carry the attributes, and its routes, which just call them.
//!
//! The policies called `service` are in `hardening.yaml`.

use crate::client;
use axum::{
    Router,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use hardening::{
    Classify, Priority, Rejected, bulkhead, cached, circuit_breaker, fallback, health_check,
    rate_limited, retryable, timeout,
};

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/items/{item}", get(async |Path(item)| price(item).await))
        .route(
            "/users/{user}/orders/{item}",
            post(async |Path((user, item))| order(user, item).await),
        )
        .route(
            "/items/{item}/similar",
            get(async |Path(item)| similar(item).await),
        )
}

/// What an item costs: asked of the warehouse once a second, and while that is down, as it was.
#[cached(policy = "service")]
#[timeout(policy = "service")]
#[retryable(policy = "service")]
#[circuit_breaker(policy = "service", name = "warehouse")]
async fn price(item: u32) -> Result<String, ShopError> {
    client::get(&format!("/price/{item}")).await
}

/// An order: a user has so many a second, and orders go before everything else. Not tried again, as
/// the first try may have succeeded.
#[rate_limited(op = "service_orders", key = user)]
#[timeout(policy = "service")]
#[circuit_breaker(policy = "service", name = "warehouse")]
#[bulkhead(policy = "service", name = "warehouse", priority = Priority::Urgent)]
async fn order(user: u32, item: u32) -> Result<String, ShopError> {
    client::get(&format!("/order/{user}/{item}")).await
}

/// Nice to have: without an answer in time, there is nothing similar.
#[fallback(|_| Ok(String::from("[]")))]
#[timeout("300ms")]
#[bulkhead(policy = "service", name = "warehouse", priority = Priority::Low)]
async fn similar(item: u32) -> Result<String, ShopError> {
    client::get(&format!("/similar/{item}")).await
}

/// The monitor runs it, and `/health` and `/health/ready` have it.
#[health_check(name = "warehouse", interval = 1, timeout = "500ms")]
async fn warehouse() -> Result<(), ShopError> {
    client::get("/ping").await.map(drop)
}

#[derive(Clone, Debug, Classify)]
pub(crate) enum ShopError {
    /// No connection, or one that broke off.
    #[transient]
    Network(std::io::ErrorKind),
    /// The warehouse answered with 5xx.
    #[transient]
    Unavailable,
    /// The warehouse knows no such thing.
    #[permanent]
    NotFound,
    #[classify(forward)]
    Rejected(Rejected),
}

impl From<Rejected> for ShopError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl From<std::io::Error> for ShopError {
    fn from(error: std::io::Error) -> Self {
        Self::Network(error.kind())
    }
}

impl std::fmt::Display for ShopError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Network(kind) => write!(f, "warehouse: {kind}"),
            Self::Unavailable => f.write_str("the warehouse has no time"),
            Self::NotFound => f.write_str("there is no such thing"),
            Self::Rejected(rejected) => rejected.fmt(f),
        }
    }
}

impl std::error::Error for ShopError {}

impl IntoResponse for ShopError {
    fn into_response(self) -> Response {
        match self {
            Self::Rejected(rejected) => rejected.into_response(), // 429, 503 or 504, Retry-After
            Self::NotFound => (StatusCode::NOT_FOUND, self.to_string()).into_response(),
            _ => (StatusCode::BAD_GATEWAY, self.to_string()).into_response(),
        }
    }
}
