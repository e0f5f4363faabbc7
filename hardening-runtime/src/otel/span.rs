//! The span of one call.

use super::attributes;
use crate::{
    clock,
    live::{self, Live},
    metrics::{Layer, Outcome},
    outcome::Rejected,
    rate_limit::{self, LimiterState, Quota},
    site::Site,
};
use crossbeam_utils::atomic::AtomicCell;
use opentelemetry::{
    Context, KeyValue,
    global::BoxedTracer,
    trace::{SpanRef, Status, TraceContextExt, Tracer},
};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Where spans go. Leaked, as states are: a call reads it with one load.
static TRACER: AtomicCell<Option<&'static BoxedTracer>> = AtomicCell::new(None);

/// From now on, each call of an annotated function is a span of `tracer`.
///
/// A later tracer takes the place of an earlier one; calls under way stay with theirs. Tracers are kept
/// for the life of the program: they should be few.
///
/// ```
/// # use hardening_runtime as hardening;
/// use opentelemetry::global;
///
/// // after `global::set_tracer_provider(…)`
/// hardening::otel::trace(global::tracer("hardening"));
/// ```
pub fn trace<T>(tracer: T)
where
    T: Tracer + Send + Sync + 'static,
    T::Span: Send + Sync + 'static,
{
    let tracer: &'static _ = Box::leak(Box::new(BoxedTracer::new(Box::new(tracer))));
    TRACER.store(Some(tracer));
}

/// The span of a call, if anybody traces: shared by the call and its attempt, and one word in each
/// of them.
#[derive(Clone)]
pub(crate) struct CallSpan(Option<Arc<Traced>>);

struct Traced {
    /// The caller's, with the span in it.
    context: Context,
    last: Mutex<Last>,
}

/// What may be said several times of a call: each attempt may ask the rate limit. Spans keep an attribute
/// for each time that it is set, so these are set at the end.
#[derive(Default)]
pub(super) struct Last {
    pub(super) quota: Option<Quota>,
    pub(super) cache: Option<&'static str>,
}

impl fmt::Debug for CallSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CallSpan").finish_non_exhaustive()
    }
}

impl CallSpan {
    /// A child of the span that the caller is in.
    #[inline]
    pub(crate) fn begin(site: &Site, live: &Live) -> Self {
        Self(TRACER.load().map(|tracer| start(tracer, site, live)))
    }

    /// Runs `body`, or one poll of it, in the span: what it starts are children.
    #[inline]
    pub(crate) fn enter<R>(&self, body: impl FnOnce() -> R) -> R {
        let _active = (self.0.as_deref()).map(|traced| traced.context.clone().attach());
        body()
    }

    /// Attempt `number` begins.
    #[inline]
    pub(crate) fn attempt(&self, number: u32) {
        self.tell("hardening.attempt", || {
            vec![KeyValue::new("hardening.attempt", i64::from(number))]
        });
    }

    /// The attempt ended as `outcome`. What a layer refused was told already.
    #[inline]
    pub(crate) fn attempted(&self, outcome: Outcome) {
        if matches!(outcome, Outcome::Error | Outcome::Panicked) {
            self.tell("hardening.attempt.failed", || {
                vec![attributes::error_type(outcome)]
            });
        }
    }

    /// Another attempt follows, after `delay`.
    #[inline]
    pub(crate) fn retrying(&self, delay: Duration) {
        self.tell("hardening.retry", || {
            vec![KeyValue::new("hardening.retry.delay", delay.as_secs_f64())]
        });
    }

    /// A layer refused, which a retry or the fallback may hide from the caller.
    #[inline]
    pub(crate) fn rejected(&self, layer: Layer, rejected: &Rejected) {
        self.tell("hardening.rejected", || {
            attributes::rejected(layer, rejected)
        });
    }

    /// What the rate limit has left for `key`, which itself is not told.
    #[inline]
    pub(crate) fn quota(&self, layer: &live::Layer<rate_limit::Prepared, LimiterState>, key: u64) {
        self.recording(|traced| {
            let quota = layer.state.quota(&layer.policy, key, clock::now());
            traced.last().quota = quota;
        });
    }

    /// What the cache did for the call.
    #[inline]
    pub(crate) fn cache(&self, result: &'static str) {
        self.recording(|traced| traced.last().cache = Some(result));
    }

    /// The fallback will answer in the function's place.
    #[inline]
    pub(crate) fn fallback(&self) {
        self.tell("hardening.fallback", Vec::new);
    }

    /// The call is over.
    #[inline]
    pub(crate) fn end(&self, live: &Live, outcome: Outcome, attempts: u32) {
        if let Some(traced) = &self.0 {
            end(traced, live, outcome, attempts);
        }
    }

    #[inline]
    fn tell(&self, event: &'static str, attributes: impl FnOnce() -> Vec<KeyValue>) {
        self.recording(|traced| traced.span().add_event(event, attributes()));
    }

    /// A span that is not sampled is there for its children, and told nothing.
    #[inline]
    fn recording(&self, tell: impl FnOnce(&Traced)) {
        if let Some(traced) = &self.0
            && traced.span().is_recording()
        {
            tell(traced);
        }
    }
}

impl Traced {
    fn span(&self) -> SpanRef<'_> {
        self.context.span()
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cold]
fn start(tracer: &BoxedTracer, site: &Site, live: &Live) -> Arc<Traced> {
    let builder = tracer
        .span_builder(live.path)
        .with_attributes(attributes::of_site(site, live));
    let parent = Context::current();
    let span = tracer.build_with_context(builder, &parent);
    Arc::new(Traced {
        context: parent.with_span(span),
        last: Mutex::default(),
    })
}

#[cold]
fn end(traced: &Traced, live: &Live, outcome: Outcome, attempts: u32) {
    let span = traced.span();
    span.set_attributes(attributes::of_end(live, outcome, attempts));
    span.set_attributes(attributes::of_last(&traced.last()));
    if attributes::is_failure(outcome) {
        span.set_attribute(attributes::error_type(outcome));
        span.set_status(Status::error(outcome.as_str()));
    }
    span.end();
}
