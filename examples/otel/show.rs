//! What arrived at the collector, for people.

use crate::collector::Received;
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    metrics::v1::{Metric, NumberDataPoint, metric::Data, number_data_point},
    trace::v1::{Span, span::Event},
};

pub(crate) fn everything(received: &Received) {
    println!("\nThe collector got {} spans:", received.spans.len());
    for root in children(received, &[]) {
        println!();
        tree(received, root, 1);
    }
    println!("\nand these metrics of `weather`, as far as they are not zero:\n");
    for metric in &received.metrics {
        points(metric);
    }
}

fn children<'a>(received: &'a Received, parent: &'a [u8]) -> Vec<&'a Span> {
    let mut spans: Vec<_> = received.spans.iter().collect();
    spans.retain(|span| span.parent_span_id == parent);
    spans.sort_by_key(|span| span.start_time_unix_nano);
    spans
}

fn tree(received: &Received, span: &Span, depth: usize) {
    let indent = "  ".repeat(depth);
    let nanos = span.end_time_unix_nano - span.start_time_unix_nano;
    let millis = nanos / 1_000_000;
    let status = span.status.as_ref().map_or("", |status| &status.message);
    println!("{indent}{} ({millis} ms) {status}", span.name);
    for attribute in &span.attributes {
        println!("{indent}    {}", text(attribute));
    }
    for event in &span.events {
        println!("{indent}    {}", happened(span, event));
    }
    for child in children(received, &span.span_id) {
        tree(received, child, depth + 1);
    }
}

fn happened(span: &Span, event: &Event) -> String {
    let after = (event.time_unix_nano - span.start_time_unix_nano) / 1_000_000;
    let attributes: Vec<_> = event.attributes.iter().map(text).collect();
    format!("at {after:>3} ms {} {}", event.name, attributes.join(", "))
}

fn points(metric: &Metric) {
    let points = match &metric.data {
        Some(Data::Sum(sum)) => &sum.data_points,
        Some(Data::Gauge(gauge)) => &gauge.data_points,
        _ => return,
    };
    for (point, value) in points
        .iter()
        .filter_map(|point| Some((point, value(point)?)))
    {
        let attributes: Vec<_> = point.attributes.iter().map(text).collect();
        println!("  {} {value} {}", metric.name, attributes.join(", "));
    }
}

fn value(point: &NumberDataPoint) -> Option<f64> {
    let value = match point.value? {
        number_data_point::Value::AsDouble(value) => value,
        number_data_point::Value::AsInt(value) => value as f64,
    };
    (value != 0.0).then_some(value)
}

fn text(attribute: &KeyValue) -> String {
    let value = attribute.value.as_ref().map(any).unwrap_or_default();
    format!("{} = {value}", attribute.key)
}

fn any(value: &AnyValue) -> String {
    match &value.value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        Some(Value::ArrayValue(array)) => {
            let values: Vec<_> = array.values.iter().map(any).collect();
            values.join(" · ")
        }
        other => format!("{other:?}"),
    }
}
