//! OpenTelemetry: a span for each call of an annotated function, and the figures as metrics.
//!
//! [`trace`] says where spans go, [`observe`] where metrics do. Without them nothing is recorded, and a
//! call pays one atomic load. Names and attributes stand in the page `docs::otel`.

// `call` sees a `CallSpan` and nothing of OpenTelemetry. Without the feature it is empty, and so is
// what it does.

#[cfg(feature = "otel")]
mod attributes;
#[cfg(feature = "otel")]
mod calls;
#[cfg(feature = "otel")]
mod instruments;
#[cfg(feature = "otel")]
mod layers;
#[cfg(not(feature = "otel"))]
mod off;
#[cfg(feature = "otel")]
mod reading;
#[cfg(feature = "otel")]
mod span;

#[cfg(feature = "otel")]
pub use self::{instruments::observe, span::trace};

#[cfg(not(feature = "otel"))]
pub(crate) use off::CallSpan;
#[cfg(feature = "otel")]
pub(crate) use span::CallSpan;
