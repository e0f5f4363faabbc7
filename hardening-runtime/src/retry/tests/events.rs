//! What an operator reads of retries.

use super::*;
use std::{
    fmt::{Debug, Write},
    sync::{LazyLock, Mutex, PoisonError},
};
use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Keeps each event of ours as a line: its level, then its fields.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(line);
    }

    fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "hardening"
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.push(line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// While there is one subscriber only, `tracing` asks the thread that comes first by an event's
/// place whether anybody is interested, and keeps the answer: in another test's thread, no. With a
/// second one, it asks all subscribers.
static SECOND_SUBSCRIBER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Log::default()));

/// The events of a call whose every attempt fails with `error`; the hook writes to the log too.
fn told_of(policy: RetryPolicy, error: Class) -> Vec<String> {
    LazyLock::force(&SECOND_SUBSCRIBER);
    let log = Log::default();
    let hook = {
        let log = log.clone();
        move |event: &RetryEvent| {
            log.push(format!("hook {}", event.attempt));
            panic!("a hook that fails");
        }
    };
    let retry = Retry::new(policy).name("shop::place").on_retry(hook);
    tracing::subscriber::with_default(log.clone(), || {
        let _ = retry.call_blocking(|| Err::<(), _>(Error(error)));
    });
    log.lines()
}

#[test]
fn each_retry_is_a_warning_before_the_hook_and_the_wait() {
    let told = told_of(at_once(2), Class::Transient);
    let expected = [
        "WARN message=retrying site=\"shop::place\" layer=\"retry\" attempt=1 delay=0.0 reason=transient error",
        "hook 1",
        "ERROR message=panicked; the call goes on site=\"shop::place\" hook=\"on_retry\"",
        "WARN message=gave up site=\"shop::place\" layer=\"retry\" attempt=2 reason=`max_attempts` are used up",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_permanent_error_is_no_news() {
    assert_eq!(told_of(at_once(2), Class::Permanent), [""; 0]);
}

#[test]
fn a_policy_that_never_retries_gives_nothing_up() {
    assert_eq!(told_of(at_once(1), Class::Transient), [""; 0]);
}
