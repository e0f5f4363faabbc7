//! What the library tells, for tests that look at its events.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Keeps each event of ours as a line: its level, then its fields.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Log {
    /// A log of the whole process, which must have no other.
    pub(crate) fn of_the_process() -> Self {
        let log = Self::default();
        tracing::subscriber::set_global_default(log.clone()).expect("no other subscriber");
        log
    }

    /// The lines that hold `word`.
    pub(crate) fn with(&self, word: &str) -> Vec<String> {
        let lines = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = lines.iter().filter(|line| line.contains(word));
        found.cloned().collect()
    }

    /// How many lines hold `word`.
    pub(crate) fn count(&self, word: &str) -> usize {
        self.with(word).len()
    }

    /// Blocks until `count` lines hold `word`, for what happens on threads without a clock of ours.
    #[track_caller]
    pub(crate) fn wait_for(&self, word: &str, count: usize) {
        let (lines, more) = &*self.0;
        let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = |lines: &mut Vec<String>| {
            lines.iter().filter(|line| line.contains(word)).count() < count
        };
        let waited = more.wait_timeout_while(lines, Duration::from_secs(60), missing);
        let (lines, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "no {count} times {word}: {lines:?}");
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
        let mut lines = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(line.0);
        self.0.1.notify_all();
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
