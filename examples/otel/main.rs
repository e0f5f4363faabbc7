//! `cargo run --example otel --features otel`: a request whose upstream fails twice, as a trace and as
//! metrics, the way they arrive at a collector.
//!
//! `install` below is what a service would copy, with the address of its own collector. The rest is
//! stage: `collector.rs` is a stand-in for the collector, `show.rs` prints what it got.

mod collector;
mod show;

use collector::Collector;
use hardening::{cached, circuit_breaker, rate_limited, retryable, timeout};
use opentelemetry::{
    Context, global,
    trace::{FutureExt, TraceContextExt, Tracer},
};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, metrics::SdkMeterProvider, trace::SdkTracerProvider};
use std::{
    error::Error,
    io,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start()?;
    let (traces, metrics) = install(&collector)?;

    for city in ["Bremen", "Bremen", "Atlantis"] {
        request(city).await;
    }

    // A service does this when it stops: what is not sent yet would be lost.
    let sent = tokio::task::spawn_blocking(move || {
        traces.shutdown()?;
        metrics.shutdown()
    });
    sent.await??;
    show::everything(&collector.received());
    println!("\nNow read examples/otel/main.rs.");
    Ok(())
}

/// Exports by OTLP, and tells hardening where spans and metrics go.
fn install(collector: &Collector) -> Result<(SdkTracerProvider, SdkMeterProvider), Box<dyn Error>> {
    let resource = Resource::builder().with_service_name("weather").build();

    let spans = SpanExporter::builder()
        .with_http()
        .with_endpoint(collector.traces())
        .build()?;
    let traces = SdkTracerProvider::builder()
        .with_resource(resource.clone())
        .with_batch_exporter(spans)
        .build();
    global::set_tracer_provider(traces.clone());
    hardening::otel::trace(global::tracer("hardening"));

    let figures = MetricExporter::builder()
        .with_http()
        .with_endpoint(collector.metrics())
        .build()?;
    let metrics = SdkMeterProvider::builder()
        .with_resource(resource)
        .with_periodic_exporter(figures)
        .build();
    hardening::otel::observe(&opentelemetry::metrics::MeterProvider::meter(
        &metrics,
        "hardening",
    ));
    Ok((traces, metrics))
}

/// A request, in a span as a web framework makes it.
async fn request(city: &'static str) {
    let span = global::tracer("weather").start("GET /weather");
    let context = Context::current_with_span(span);
    match weather(city).with_context(context).await {
        Ok(answer) => println!("{answer}"),
        Err(error) => println!("{city}: {error}"),
    }
}

#[cached(ttl = 60)]
#[timeout(call = "5s", attempt = "200ms")]
#[rate_limited(op = "search", key = "anybody")]
#[retryable(max_attempts = 3, base_delay = "20ms", jitter = false)]
#[circuit_breaker(name = "weather")]
async fn weather(city: &str) -> io::Result<String> {
    ask_upstream(city).await
}

/// The upstream refuses once and hangs once before it answers, and it knows one city.
async fn ask_upstream(city: &str) -> io::Result<String> {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    // A child of the call's span, in each of its attempts.
    let span = global::tracer("weather").start("ask upstream");
    let _ends_here = Context::current_with_span(span);
    match (ASKED.fetch_add(1, Relaxed), city) {
        (0, _) => Err(io::ErrorKind::ConnectionRefused.into()),
        (1, _) => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Err(io::ErrorKind::TimedOut.into())
        }
        (_, "Bremen") => Ok(format!("{city}: rain")),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such city")),
    }
}
