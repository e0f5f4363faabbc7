//! Metrics: those of `snapshot()`, and as they arrive.

use crate::{
    collector::Collector,
    support::{AppError, AppResult, Runs},
    told::{one, told},
};
use hardening::{Rejected, bulkhead, cached, circuit_breaker, rate_limited, retryable, timeout};
use opentelemetry::metrics::MeterProvider;
use opentelemetry_otlp::{MetricExporter, WithExportConfig};
use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{Metric, NumberDataPoint, metric::Data, number_data_point},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use std::{collections::BTreeMap, time::Duration};

/// A collector, and a meter provider that sends it the figures when it is told to.
fn observed() -> (Collector, SdkMeterProvider) {
    let collector = Collector::start().expect("a port on loopback");
    let exporter = MetricExporter::builder()
        .with_http()
        .with_endpoint(collector.metrics())
        .with_timeout(Duration::from_secs(60));
    let provider = SdkMeterProvider::builder()
        .with_periodic_exporter(exporter.build().expect("an exporter"))
        .build();
    hardening::otel::observe(&provider.meter("hardening"));
    (collector, provider)
}

/// The values of the last export whose attributes include `of`, by metric and the other attributes.
fn values(collector: &Collector, of: (&str, &str)) -> BTreeMap<String, f64> {
    let metrics = collector.received().metrics;
    let values = metrics.iter().flat_map(|metric| {
        points(metric).iter().filter_map(|point| {
            let mut attributes: Vec<_> = point.attributes.iter().map(attribute).collect();
            attributes.sort();
            let all = attributes.len();
            attributes.retain(|attribute| (attribute.0.as_str(), attribute.1.as_str()) != of);
            let others: Vec<_> = attributes.iter().map(|(_, value)| value.as_str()).collect();
            let name = metric.name.trim_start_matches("hardening.");
            let named = format!("{name} {}", others.join(" "));
            (others.len() < all).then(|| (named.trim_end().to_owned(), value(point)))
        })
    });
    values.collect()
}

fn points(metric: &Metric) -> &[NumberDataPoint] {
    match &metric.data {
        Some(Data::Sum(sum)) => &sum.data_points,
        Some(Data::Gauge(gauge)) => &gauge.data_points,
        other => panic!("{other:?}"),
    }
}

fn attribute(attribute: &KeyValue) -> (String, String) {
    match attribute
        .value
        .as_ref()
        .and_then(|value| value.value.as_ref())
    {
        Some(Value::StringValue(text)) => (attribute.key.clone(), text.clone()),
        Some(Value::IntValue(number)) => (attribute.key.clone(), number.to_string()),
        other => panic!("{other:?}"),
    }
}

fn value(point: &NumberDataPoint) -> f64 {
    match point.value {
        Some(number_data_point::Value::AsDouble(value)) => value,
        Some(number_data_point::Value::AsInt(value)) => value as f64,
        None => panic!("no value"),
    }
}

#[cached(ttl = 60, key = key)]
#[rate_limited(capacity = 5, window_seconds = 60)]
#[retryable(max_attempts = 2, base_delay = 1, jitter = false)]
#[circuit_breaker(name = "figures_upstream", failure_threshold = 2)]
#[bulkhead]
#[timeout(attempt = "1s")]
async fn busy(key: u8, runs: &Runs) -> AppResult<u8> {
    runs.up();
    match key {
        0 => Err(AppError::Gone),
        1 => std::future::pending().await,
        key => Ok(key),
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_are_the_figures_of_the_snapshot() {
    let (collector, provider) = observed();
    let runs = Runs::new();
    for (key, succeeds) in [
        (2, true),
        (2, true),
        (3, true),
        (0, false),
        (1, false),
        (4, false),
    ] {
        assert_eq!(busy(key, &runs).await.is_ok(), succeeds, "{key}");
    }
    let refused = busy(4, &runs).await.unwrap_err().rejected();
    assert!(matches!(refused, Rejected::RateLimited { .. }), "{refused}");
    assert_eq!(runs.get(), 5, "the circuit opened, the cache remembered");

    let snapshot = hardening::snapshot();
    provider.force_flush().unwrap();
    let site = snapshot.site("figures::busy").unwrap();
    let figures = &site.figures;
    let values = values(&collector, ("hardening.site", &site.path));
    let expected = [
        ("calls success", figures.success, 3),
        ("calls error", figures.error, 1),
        ("calls timed_out", figures.timed_out, 1),
        ("calls circuit_open", figures.circuit_open, 1),
        ("calls rate_limited", figures.rate_limited, 1),
        ("calls bulkhead_full", figures.bulkhead_full, 0),
        ("calls load_failed", figures.load_failed, 0),
        ("calls panicked", figures.panicked, 0),
        ("calls dropped", figures.dropped, 0),
        ("attempts", figures.attempts, 5),
        ("retries", figures.retries, 1),
        ("fallbacks", figures.fallbacks, 0),
        ("rejections rate_limit", figures.rejected_by.rate_limit, 1),
        (
            "rejections circuit_breaker",
            figures.rejected_by.circuit_breaker,
            1,
        ),
        ("rejections bulkhead", figures.rejected_by.bulkhead, 0),
        ("rejections timeout", figures.rejected_by.timeout, 2),
        (
            "observed_rejections rate_limit",
            figures.would_have.rate_limited,
            0,
        ),
        (
            "observed_rejections circuit_breaker",
            figures.would_have.circuit_open,
            0,
        ),
        ("cache.lookups hit", figures.cache_hits, 1),
        ("cache.lookups miss", figures.cache_misses, 6),
        ("cache.stale", figures.cache_stale, 0),
        ("cache.coalesced", figures.cache_coalesced, 0),
        ("observed_waits", figures.would_have.waited, 0),
        ("active_calls", figures.in_flight, 0),
    ];
    let mut told = 0;
    for (name, of_snapshot, number) in expected {
        assert_eq!(of_snapshot, number, "{name}");
        assert_eq!(
            values.get(name),
            Some(&(number as f64)),
            "{name}: {values:?}"
        );
        told += 1;
    }
    for (statistic, duration) in [
        ("avg", figures.latency.avg),
        ("p50", figures.latency.p50),
        ("p95", figures.latency.p95),
        ("p99", figures.latency.p99),
        ("max", figures.latency.max),
    ] {
        let name = format!("call.duration {statistic}");
        assert_eq!(values.get(&name), Some(&duration.as_secs_f64()), "{name}");
        told += 1;
    }
    assert_eq!(values.len(), told, "nothing else is told: {values:?}");
}

#[tokio::test(start_paused = true)]
async fn the_state_of_each_layer_is_told_under_its_name() {
    #[cached(name = "otel_state", max_entries = 2, key = key)]
    #[rate_limited(capacity = 5, window_seconds = 60)]
    #[retryable(policy = "figures_budget", max_attempts = 2, base_delay = 0)]
    #[circuit_breaker(name = "otel_state")]
    #[bulkhead(name = "otel_state", max_concurrent = 2, max_queue = 7)]
    async fn stated(key: u8) -> AppResult<u8> {
        Ok(key)
    }

    let (collector, provider) = observed();
    for key in 1..=3 {
        stated(key).await.unwrap();
    }
    let snapshot = hardening::snapshot();
    let site = snapshot.site("the_state_of_each_layer_is_told_under_its_name::stated");
    let site = site.unwrap();
    provider.force_flush().unwrap();
    let told = |of: (&str, &str)| -> Vec<_> {
        let values = values(&collector, of).into_iter();
        values
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    };
    assert_eq!(
        told(("hardening.bulkhead.name", "otel_state")),
        [
            "bulkhead.max_concurrent=2",
            "bulkhead.max_queue=7",
            "bulkhead.queued high=0",
            "bulkhead.queued low=0",
            "bulkhead.queued normal=0",
            "bulkhead.queued urgent=0",
            "bulkhead.running=0",
        ]
    );
    assert_eq!(
        told(("hardening.cache.name", "otel_state")),
        [
            "cache.entries=2",
            "cache.evictions=1",
            "cache.max_entries=2"
        ]
    );
    let mut circuit = told(("hardening.circuit_breaker.name", "otel_state"));
    let time = circuit.pop().expect("the last by name"); // by the exporter's own clock
    assert!(time.starts_with("circuit_breaker.time_in_state="), "{time}");
    assert_eq!(
        circuit,
        [
            "circuit_breaker.opened=0",
            "circuit_breaker.state closed=1",
            "circuit_breaker.state half-open=0",
            "circuit_breaker.state open=0",
        ]
    );
    assert_eq!(
        told(("hardening.rate_limit.op", &site.path)),
        [
            "rate_limit.capacity 1 key=5",
            "rate_limit.keys=1",
            "rate_limit.tokens 1 key=2",
            "rate_limit.waiting=0",
        ]
    );
    let left = site.retry_budget.as_ref().unwrap().remaining;
    assert_eq!(
        told(("hardening.retry.policy", "figures_budget")),
        [format!("retry.budget={left}")]
    );
}

/// Its two functions have one path.
struct Shelf<T>(T);

impl Shelf<u8> {
    #[retryable(max_attempts = 1)]
    fn top(&self) -> AppResult<u8> {
        Ok(self.0)
    }
}

impl Shelf<u16> {
    #[bulkhead(name = "otel_shelf", max_concurrent = 1)]
    fn top(&self) -> AppResult<u16> {
        Ok(self.0)
    }

    #[bulkhead(name = "otel_shelf", max_concurrent = 1)]
    fn bottom(&self) -> AppResult<u16> {
        Ok(self.0)
    }
}

#[test]
fn functions_of_one_path_are_one_series_and_a_bulkhead_that_functions_share_is_told_once() {
    let (collector, provider) = observed();
    Shelf(1_u8).top().unwrap();
    Shelf(1_u16).top().unwrap();
    Shelf(1_u16).top().unwrap();
    Shelf(1_u16).bottom().unwrap();
    provider.force_flush().unwrap();
    let of_site = values(&collector, ("hardening.site", "otel::figures::Shelf::top"));
    assert_eq!(of_site.get("calls success"), Some(&3.0), "{of_site:?}");
    let metrics = collector.received().metrics;
    let running = metrics
        .iter()
        .rfind(|it| it.name == "hardening.bulkhead.running");
    let named = |point: &&NumberDataPoint| {
        let mut attributes = point.attributes.iter().map(attribute);
        attributes.any(|(_, name)| name == "otel_shelf")
    };
    let last = running.expect("it is told");
    assert_eq!(points(last).iter().filter(named).count(), 1);
}

#[circuit_breaker(name = "figures_shared", failure_threshold = 1)]
fn one_of_two() -> AppResult<()> {
    Err(AppError::Busy)
}

#[circuit_breaker(name = "figures_shared", failure_threshold = 1)]
fn other_of_two() -> AppResult<()> {
    Ok(())
}

#[test]
fn a_circuit_that_two_functions_share_is_told_once_with_the_state_it_is_in() {
    let (collector, provider) = observed();
    let name = ("hardening.circuit_breaker.name", "figures_shared");
    other_of_two().unwrap();
    provider.force_flush().unwrap();
    let closed = values(&collector, name);
    let state = |values: &BTreeMap<String, f64>, state: &str| {
        values
            .get(&format!("circuit_breaker.state {state}"))
            .copied()
    };
    assert_eq!(state(&closed, "closed"), Some(1.0));
    assert_eq!(state(&closed, "open"), Some(0.0));
    one_of_two().unwrap_err();
    provider.force_flush().unwrap();
    let open = values(&collector, name);
    assert_eq!(state(&open, "closed"), Some(0.0));
    assert_eq!(state(&open, "half-open"), Some(0.0));
    assert_eq!(state(&open, "open"), Some(1.0));
    assert_eq!(open.get("circuit_breaker.opened"), Some(&1.0));
}

#[rate_limited(capacity = 2, window_seconds = 60, key = user)]
fn per_user(user: u8) -> AppResult<u8> {
    Ok(user)
}

#[test]
fn the_keys_of_a_limit_are_counted_and_not_told() {
    let (collector, provider) = observed();
    for user in [71, 72, 73, 71] {
        per_user(user).unwrap();
    }
    provider.force_flush().unwrap();
    let values = values(
        &collector,
        ("hardening.rate_limit.op", "otel::figures::per_user"),
    );
    let expected = [
        ("rate_limit.keys", 3.0),
        ("rate_limit.waiting", 0.0),
        ("rate_limit.tokens 1 key", 0.0),
        ("rate_limit.capacity 1 key", 2.0),
    ];
    assert_eq!(
        values,
        expected
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    );
}

#[retryable(max_attempts = 1)]
fn exported() -> AppResult<()> {
    Err(AppError::Gone)
}

#[test]
fn a_span_arrives_at_a_collector_as_it_was_told() {
    let told = told();
    exported().unwrap_err();
    told.provider.force_flush().unwrap();
    let span = one("figures::exported");
    let received = told.collector.received();
    let arrived = received
        .spans
        .iter()
        .find(|it| it.name == span.name)
        .unwrap();
    assert_eq!(arrived.span_id, span.span_context.span_id().to_bytes());
    assert_eq!(arrived.attributes.len(), span.attributes.len());
    let status = arrived.status.as_ref().unwrap();
    assert_eq!((status.message.as_str(), status.code), ("error", 2));
    let events: Vec<_> = arrived
        .events
        .iter()
        .map(|event| event.name.as_str())
        .collect();
    assert_eq!(events, ["hardening.attempt", "hardening.attempt.failed"]);
}
