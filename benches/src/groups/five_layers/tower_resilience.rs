//! tower-resilience's five layers, in the order of ours, which its guide to composition recommends too.
//!
//! It has no limit by key, so its one bucket serves all keys, and no string is hashed here. The fixed window is
//! its default, and the one that its documentation calls efficient.

use super::by_hand::{ATTEMPTS, CALL, PLACES, REFUSED};
use crate::{
    contender::{Contender, Whose::Peer},
    groups::metrics::Client,
};
use benches::annotated::{Answer, bare};
use hardening::Rejected;
use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};
use tower::{Service, ServiceBuilder, ServiceExt as _, service_fn};
use tower_resilience_bulkhead::BulkheadLayer;
use tower_resilience_circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer};
use tower_resilience_ratelimiter::RateLimiterLayer;
use tower_resilience_retry::RetryLayer;
use tower_resilience_timelimiter::TimeLimiterLayer;

/// Counted as the other crates' call is, since its own figures need a recorder of another crate.
pub(super) fn contender() -> Contender {
    let (service, figures) = (service(), Arc::new(Client::default()));
    Contender::awaited_with(
        Peer,
        "tower-resilience, one bucket for all keys",
        move || (service.clone(), Arc::clone(&figures)),
        async |(service, figures), call| {
            let began = Instant::now();
            figures.begin();
            let result = answer(service, call).await;
            figures.record(result.is_ok(), began);
            assert!(black_box(result).is_ok());
        },
    )
}

async fn answer(service: &mut impl Service<u64, Response = u64>, call: u64) -> Answer {
    let ready = service.ready().await.map_err(|_| REFUSED)?;
    ready.call(call).await.map_err(|_| REFUSED)
}

fn service() -> impl Service<u64, Response = u64> + Clone + Send + Sync + 'static {
    let valid = "the settings are valid";
    let limit = RateLimiterLayer::builder()
        .limit_for_period(1_000_000_000)
        .refresh_period(Duration::from_secs(1))
        .build();
    let places = BulkheadLayer::builder()
        .max_concurrent_calls(PLACES as usize)
        .build();
    let retry = RetryLayer::<u64, u64, CircuitBreakerError<Rejected>>::builder()
        .max_attempts(ATTEMPTS as usize)
        .exponential_backoff(Duration::from_millis(500))
        .build();
    let breaker = CircuitBreakerLayer::builder().consecutive_failures(5);
    ServiceBuilder::new()
        .layer(limit.expect(valid))
        .layer(places.expect(valid))
        .layer(TimeLimiterLayer::builder().timeout_duration(CALL).build())
        .layer(retry)
        .layer(breaker.build().expect(valid))
        .service(service_fn(bare))
}
