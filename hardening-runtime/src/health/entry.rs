//! One registered check and what is known of it.

use super::{
    check::{AnyCheck, Manner},
    history::{Finding, History, Thresholds},
    report::CheckReport,
    settings::HealthSettings,
    status::Status,
};
use crate::sync::{Mutex, lock};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};
use tokio::sync::watch;

/// The longest message that is kept, in bytes.
const LONGEST_MESSAGE: usize = 500;

pub(super) struct Entry {
    pub(super) name: Arc<str>,
    /// Tells a check from the one that it replaced.
    pub(super) id: u64,
    pub(super) check: AnyCheck,
    /// Settings that came with the registration.
    pub(super) own: Option<HealthSettings>,
    /// Held by the check's code for as long as it really runs, past its timeout if it must be, so
    /// that it never runs twice at once.
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
    state: Mutex<State>,
    /// Changes whenever a run has ended.
    ended: watch::Sender<()>,
}

struct State {
    running: bool,
    history: History,
    last: Option<Last>,
    last_success: Option<SystemTime>,
}

struct Last {
    message: Option<String>,
    took: Duration,
}

/// What one run came to, to be recorded.
pub(super) struct Outcome {
    pub(super) finding: Finding,
    pub(super) message: Option<String>,
}

impl Entry {
    pub(super) fn new(name: Arc<str>, check: AnyCheck, own: Option<HealthSettings>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            name,
            id: NEXT.fetch_add(1, Relaxed),
            check,
            own,
            turn: Arc::default(),
            state: Mutex::new(State {
                running: false,
                history: History::NEW,
                last: None,
                last_success: None,
            }),
            ended: watch::Sender::new(()),
        }
    }

    /// Asks for a run.
    pub(super) fn begin(self: &Arc<Self>) -> Begin {
        let mut state = lock(&self.state);
        let end = End(self.ended.subscribe());
        if !state.running {
            state.running = true;
            return Begin::Run(Running(Arc::clone(self)), end);
        }
        match state.last {
            Some(_) => Begin::Serve,
            None => Begin::Wait(end),
        }
    }

    /// Records what a run came to; says how the status changed, if it did.
    pub(super) fn record(
        &self,
        outcome: Outcome,
        took: Duration,
        at: SystemTime,
        settings: &HealthSettings,
    ) -> Option<(Option<Status>, Status)> {
        let mut state = lock(&self.state);
        let before = state.history.status();
        state.history = state
            .history
            .after(outcome.finding, self.thresholds(settings));
        if matches!(outcome.finding, Finding::Well | Finding::Reserved) {
            state.last_success = Some(at);
        }
        state.last = Some(Last {
            message: outcome.message.map(shortened),
            took,
        });
        let after = state.history.status()?;
        (before != Some(after)).then_some((before, after))
    }

    const fn thresholds(&self, settings: &HealthSettings) -> Thresholds {
        match self.check.manner() {
            Manner::Derived => Thresholds {
                failures: 1,
                successes: 1,
            },
            Manner::Async | Manner::Blocking => Thresholds {
                failures: settings.failure_threshold,
                successes: settings.success_threshold,
            },
        }
    }

    pub(super) fn report(&self, settings: &HealthSettings) -> CheckReport {
        let state = lock(&self.state);
        let (message, took) = match &state.last {
            Some(last) => (last.message.clone(), last.took),
            None => (Some("has not run yet".to_owned()), Duration::ZERO),
        };
        CheckReport {
            status: state.history.status().unwrap_or(Status::Degraded),
            message,
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            consecutive_failures: state.history.failures(),
            last_success: state.last_success,
            check_type: if settings.check_type.is_empty() {
                self.check.check_type().to_owned()
            } else {
                settings.check_type.clone()
            },
        }
    }

    /// The status after the last run; none before the first.
    pub(super) fn status(&self) -> Option<Status> {
        lock(&self.state).history.status()
    }
}

/// What to do when a run is asked for.
pub(super) enum Begin {
    /// Run it, and wait for the end.
    Run(Running, End),
    /// It is running, for the first time: wait for the end.
    Wait(End),
    /// It is running: the last result stands.
    Serve,
}

/// A run under way. However it ends, the next may begin then.
pub(super) struct Running(pub(super) Arc<Entry>);

impl Drop for Running {
    fn drop(&mut self) {
        lock(&self.0.state).running = false;
        self.0.ended.send_replace(());
    }
}

/// The end of a run, to be waited for.
pub(super) struct End(watch::Receiver<()>);

impl End {
    pub(super) async fn wait(mut self) {
        // An error means that the check is gone, and its runs with it.
        let _ = self.0.changed().await;
    }
}

fn shortened(mut message: String) -> String {
    if message.len() > LONGEST_MESSAGE {
        let mut end = LONGEST_MESSAGE;
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        message.truncate(end);
        message.push('…');
    }
    message
}
