//! The tracer of these tests, and what it was told. It is the program's, so each test looks for the
//! spans of its own functions.

use crate::collector::Collector;
use opentelemetry::{
    Context, Value,
    trace::{SpanId, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracer, SdkTracerProvider, SpanData};
use std::sync::LazyLock;

pub(crate) struct Told {
    memory: InMemorySpanExporter,
    pub(crate) provider: SdkTracerProvider,
    pub(crate) collector: Collector,
}

/// Installs the tracer, with the first call of it.
pub(crate) fn told() -> &'static Told {
    static TOLD: LazyLock<Told> = LazyLock::new(|| {
        let memory = InMemorySpanExporter::default();
        let collector = Collector::start().expect("a port on loopback");
        let otlp = SpanExporter::builder()
            .with_http()
            .with_endpoint(collector.traces());
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(memory.clone())
            .with_batch_exporter(otlp.build().expect("an exporter"))
            .build();
        hardening::otel::trace(provider.tracer("hardening"));
        Told {
            memory,
            provider,
            collector,
        }
    });
    &TOLD
}

/// The tracer of the tests' own spans.
pub(crate) fn tracer() -> SdkTracer {
    told().provider.tracer("tests")
}

/// A span of the test's own.
pub(crate) fn span(name: &'static str) -> Context {
    Context::current_with_span(tracer().start(name))
}

/// The spans whose name is `name`, or ends with `::` and it, in the order in which they ended.
#[track_caller]
pub(crate) fn all(name: &str) -> Vec<SpanData> {
    let mut spans = told().memory.get_finished_spans().expect("spans");
    spans.retain(|span| span.name == name || span.name.ends_with(&format!("::{name}")));
    spans
}

/// The only one.
#[track_caller]
pub(crate) fn one(name: &str) -> SpanData {
    let mut spans = all(name);
    assert_eq!(spans.len(), 1, "{spans:?}");
    spans.remove(0)
}

/// An attribute as text; none is empty.
pub(crate) fn attribute(span: &SpanData, key: &str) -> String {
    let attribute = span.attributes.iter().find(|it| it.key.as_str() == key);
    attribute.map_or_else(String::new, |it| text(&it.value))
}

/// The events without the prefix that they share, each with the values of its attributes.
pub(crate) fn events(span: &SpanData) -> Vec<String> {
    let in_words = |event: &opentelemetry::trace::Event| {
        let values = event.attributes.iter().map(|it| text(&it.value));
        let name = event.name.trim_start_matches("hardening.").to_owned();
        std::iter::once(name)
            .chain(values)
            .collect::<Vec<_>>()
            .join(" ")
    };
    span.events.iter().map(in_words).collect()
}

fn text(value: &Value) -> String {
    value.as_str().into_owned()
}

pub(crate) fn id(context: &Context) -> SpanId {
    context.span().span_context().span_id()
}
