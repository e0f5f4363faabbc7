//! tower-resilience's circuit breaker: a tower service, so awaited, and cloned for each thread.

use super::{Failed, HOUR, Traffic};
use crate::contender::{Contender, Whose::Peer};
use std::{hint::black_box, ops::Range};
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resilience_circuitbreaker::{
    CircuitBreakerConfigBuilder, CircuitBreakerError, CircuitBreakerLayer, DefaultClassifier,
};

type Settings = CircuitBreakerConfigBuilder<DefaultClassifier>;

pub(super) fn contender(settings: Settings, traffic: Traffic) -> Contender {
    serving(breaker(settings, traffic))
}

/// Opened by failures, for an hour.
pub(super) fn opened() -> Contender {
    let settings = CircuitBreakerLayer::builder()
        .consecutive_failures(5)
        .wait_duration_in_open(HOUR);
    let service = breaker(settings, Traffic::Down);
    runtime().block_on(call_all(service.clone(), 0..5));
    serving(service)
}

fn breaker(settings: Settings, traffic: Traffic) -> impl Breaker {
    let layer = settings.build().expect("the settings are valid");
    layer.layer(service_fn(move |call| async move { traffic.work(call) }))
}

trait Breaker:
    Service<u64, Response = u64, Error = CircuitBreakerError<Failed>> + Clone + Send + Sync + 'static
{
}

impl<S> Breaker for S where
    S: Service<u64, Response = u64, Error = CircuitBreakerError<Failed>>
        + Clone
        + Send
        + Sync
        + 'static
{
}

fn serving(service: impl Breaker) -> Contender {
    Contender::timed(Peer, "tower-resilience", move |turn| {
        let service = service.clone();
        runtime().block_on(async {
            let began = turn.begin();
            call_all(service, turn.thread..turn.thread + turn.calls).await;
            began.elapsed()
        })
    })
}

async fn call_all(mut service: impl Breaker, calls: Range<u64>) {
    for call in calls {
        let _ = black_box(match service.ready().await {
            Ok(ready) => ready.call(call).await,
            Err(error) => Err(error),
        });
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime of one thread")
}
