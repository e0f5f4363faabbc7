//! What the page shows in these tests: a shop.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

use hardening::{Classify, Rejected, bulkhead, cached, circuit_breaker, rate_limited, retryable};
use tokio::sync::Semaphore;

/// An error of the shop.
#[derive(Clone, Debug, Classify)]
pub(crate) enum ShopError {
    #[transient]
    Busy,
    #[classify(forward)]
    Rejected(#[allow(dead_code, reason = "for classify")] Rejected),
}

impl From<Rejected> for ShopError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

pub(crate) type ShopResult<T> = Result<T, ShopError>;

/// As the shop's customers would have it.
fn outcome(succeeds: bool) -> ShopResult<()> {
    if succeeds {
        Ok(())
    } else {
        Err(ShopError::Busy)
    }
}

pub(crate) mod orders {
    use super::*;

    /// Has every layer that has a figure of its own, but the cache.
    #[retryable]
    #[rate_limited(op = "page_orders")]
    #[circuit_breaker(name = "warehouse", failure_threshold = 100)]
    #[bulkhead(name = "warehouse")]
    pub(crate) async fn place(succeeds: bool) -> ShopResult<()> {
        outcome(succeeds)
    }

    /// Stays at work until `gate` has a permit for it.
    #[bulkhead(name = "packing")]
    pub(crate) async fn pack(gate: &Semaphore) -> ShopResult<()> {
        gate.acquire().await.expect("it is never closed").forget();
        Ok(())
    }
}

#[circuit_breaker(name = "bank")]
pub(crate) async fn pay(succeeds: bool) -> ShopResult<()> {
    outcome(succeeds)
}

#[cached(ttl = 3600)]
pub(crate) async fn price(of: u32) -> ShopResult<u32> {
    Ok(of)
}

/// Is never called.
#[retryable]
pub(crate) async fn refund() -> ShopResult<()> {
    Ok(())
}

/// Has a name that would be markup on a page that took it for such.
#[circuit_breaker(name = "<img src=x onerror=\"window.hurt = true\">")]
pub(crate) async fn odd() -> ShopResult<()> {
    Ok(())
}

/// Its circuit opens at the first failure, for a moment.
#[circuit_breaker(name = "flaky", failure_threshold = 1, open_for = "1ms")]
pub(crate) async fn flaky(succeeds: bool) -> ShopResult<()> {
    outcome(succeeds)
}
