//! Whose child is whose: the caller's span, the call's, and those of its body.

use crate::{
    support::{AppError, AppResult, Runs},
    told::{all, id, one, span, told, tracer},
};
use hardening::{rate_limited, retryable, timeout};
use opentelemetry::{
    Context,
    trace::{
        FutureExt, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
    },
};
use tokio::task::yield_now;
use tracing::Instrument;
use tracing_subscriber::layer::SubscriberExt;

/// A span around an `.await`.
async fn work(name: &'static str) {
    let context = span(name);
    yield_now().with_context(context).await;
}

#[timeout(call = "1m", attempt = "1s")]
#[retryable(max_attempts = 2, base_delay = 1)]
async fn twice(runs: &Runs) -> AppResult<()> {
    yield_now().await;
    work("work of twice").await;
    match runs.up() {
        1 => Err(AppError::Busy),
        _ => Ok(()),
    }
}

#[tokio::test(start_paused = true)]
async fn the_call_is_the_callers_child_and_the_spans_of_every_attempt_are_the_calls() {
    let caller = span("caller of twice");
    twice(&Runs::new())
        .with_context(caller.clone())
        .await
        .unwrap();
    let call = one("parents::twice");
    assert_eq!(call.parent_span_id, id(&caller));
    assert_eq!(
        call.span_context.trace_id(),
        caller.span().span_context().trace_id()
    );
    let work = all("work of twice");
    assert_eq!(work.len(), 2);
    for work in work {
        assert_eq!(work.parent_span_id, call.span_context.span_id());
    }
    assert!(!Context::current().has_active_span(), "left with the call");
}

#[retryable]
fn blocking() -> AppResult<()> {
    tracer().start("work of blocking");
    Ok(())
}

#[test]
fn a_blocking_call_is_a_child_and_a_parent_too() {
    let caller = span("caller of blocking");
    let active = caller.clone().attach();
    blocking().unwrap();
    drop(active);
    let call = one("parents::blocking");
    assert_eq!(call.parent_span_id, id(&caller));
    let work = one("work of blocking");
    assert_eq!(work.parent_span_id, call.span_context.span_id());
}

#[timeout("1m")]
async fn outer() -> AppResult<()> {
    inner().await
}

#[rate_limited(op = "search", key = "parents")]
async fn inner() -> AppResult<()> {
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_annotated_function_in_the_body_of_another_is_its_child() {
    told();
    outer().await.unwrap();
    let (outer, inner) = (one("parents::outer"), one("parents::inner"));
    assert_eq!(outer.parent_span_id, SpanId::INVALID);
    assert_eq!(inner.parent_span_id, outer.span_context.span_id());
}

#[timeout("1m")]
async fn interleaved(name: &'static str) -> AppResult<()> {
    for _ in 0..3 {
        yield_now().await;
        work(name).await;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn calls_that_take_turns_on_a_thread_keep_their_children_apart() {
    let (left, right) = (span("left"), span("right"));
    let (one, other) = tokio::join!(
        interleaved("work of left").with_context(left.clone()),
        interleaved("work of right").with_context(right.clone()),
    );
    assert!(one.is_ok() && other.is_ok());
    for (caller, work) in [(left, "work of left"), (right, "work of right")] {
        let calls = all("parents::interleaved");
        let call = calls.iter().find(|call| call.parent_span_id == id(&caller));
        let call = call.expect("a child of the caller").span_context.span_id();
        let work = all(work);
        assert_eq!(work.len(), 3);
        assert!(work.iter().all(|work| work.parent_span_id == call));
    }
}

#[retryable(max_attempts = 2, base_delay = "1ms")]
async fn wanders(runs: &'static Runs) -> AppResult<()> {
    for _ in 0..20 {
        work("work of wanders").await;
    }
    match runs.up() {
        1 => Err(AppError::Busy),
        _ => Ok(()),
    }
}

#[test]
fn the_span_follows_a_call_from_thread_to_thread() {
    static RUNS: Runs = Runs::new();
    told();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime
        .block_on(async { tokio::spawn(wanders(&RUNS)).await.unwrap() })
        .unwrap();
    let call = one("parents::wanders").span_context.span_id();
    let work = all("work of wanders");
    assert_eq!(work.len(), 40);
    assert!(work.iter().all(|work| work.parent_span_id == call));
}

#[timeout("1s")]
async fn cleans_up() -> AppResult<()> {
    struct CleansUp;
    impl Drop for CleansUp {
        fn drop(&mut self) {
            tracer().start("clean-up");
        }
    }
    let _at_the_end = CleansUp;
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn what_a_body_does_when_its_time_is_up_belongs_to_the_call() {
    told();
    cleans_up().await.unwrap_err();
    let call = one("parents::cleans_up").span_context.span_id();
    assert_eq!(one("clean-up").parent_span_id, call);
}

#[timeout("1m")]
async fn not_sampled(runs: &Runs) -> AppResult<()> {
    yield_now().await;
    let context = Context::current();
    assert!(!context.span().span_context().is_sampled());
    tracer().start("work of not_sampled");
    runs.up();
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_is_not_sampled_has_children_that_are_not() {
    told();
    let remote = SpanContext::new(
        TraceId::from(7),
        SpanId::from(7),
        TraceFlags::NOT_SAMPLED,
        true,
        TraceState::NONE,
    );
    let (caller, runs) = (Context::new().with_remote_span_context(remote), Runs::new());
    not_sampled(&runs).with_context(caller).await.unwrap();
    assert_eq!(runs.get(), 1);
    assert!(all("parents::not_sampled").is_empty());
    assert!(all("work of not_sampled").is_empty());
}

#[timeout("1m")]
async fn traced() -> AppResult<()> {
    async { yield_now().await }
        .instrument(tracing::info_span!("tracing in traced"))
        .await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn spans_of_tracing_are_parents_and_children_too() {
    let bridge = tracing_opentelemetry::layer().with_tracer(tracer());
    let subscriber = tracing_subscriber::registry().with(bridge);
    let active = tracing::subscriber::set_default(subscriber);
    let handler = tracing::info_span!("tracing around traced");
    traced().instrument(handler).await.unwrap();
    drop(active);
    let call = one("parents::traced");
    let around = one("tracing around traced");
    assert_eq!(call.parent_span_id, around.span_context.span_id());
    let within = one("tracing in traced");
    assert_eq!(within.parent_span_id, call.span_context.span_id());
}

#[test]
fn the_future_of_a_traced_call_is_send() {
    const fn is_send<T: Send>(_: &T) {}
    is_send(&twice(&Runs::new()));
    is_send(&interleaved(""));
}
