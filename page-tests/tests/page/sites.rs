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
pub(crate) fn outcome(succeeds: bool) -> ShopResult<()> {
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
