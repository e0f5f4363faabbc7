//! What OpenTelemetry is told: spans with their attributes, events and parents, metrics that are those of
//! `snapshot()`, and both as they arrive at a collector.

#[path = "../../examples/otel/collector.rs"]
mod collector;
mod figures;
mod parents;
mod spans;
#[path = "../support/mod.rs"]
mod support;
mod told;
