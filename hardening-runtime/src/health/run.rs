//! Running checks: each on a task or thread of its own, within its own timeout.

use super::{
    check::{AnyCheck, Manner},
    entry::{Begin, End, Entry, Outcome, Running},
    history::Finding,
    settings::HealthSettings,
    status::{HealthResult, Status},
};
use crate::{clock, event, request};
use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, mpsc},
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, SystemTime},
};
use tokio::{
    runtime::Handle,
    sync::{OwnedMutexGuard, oneshot},
    task::JoinError,
    time::timeout,
};

impl Entry {
    /// Has the check run, unless it is running. The run is not the caller's: it goes on, and its
    /// result is kept, when the caller goes away. Returns what to wait for before the result is
    /// read.
    pub(super) fn start(self: &Arc<Self>, settings: &HealthSettings) -> Option<End> {
        match self.begin() {
            Begin::Run(running, end) => {
                let run = run(running, settings.clone());
                tokio::spawn(request::carried(request::request_id(), run));
                Some(end)
            }
            Begin::Wait(end) => Some(end),
            Begin::Serve => None,
        }
    }
}

async fn run(running: Running, settings: HealthSettings) {
    let entry = &running.0;
    let began = clock::now();
    let Some(outcome) = outcome(entry, &settings).await else {
        return; // the runtime is shutting down
    };
    let took = clock::now().since(began);
    let message = outcome.message.clone();
    let change = entry.record(outcome, took, SystemTime::now(), &settings);
    if let Some((before, after)) = change {
        tell(&entry.name, before, after, message.as_deref());
    }
}

/// How long to wait for the code of an earlier run, which was over its time, to be gone. It is gone
/// at once unless it blocks its thread.
const GRACE: Duration = Duration::from_millis(100);

/// The check's answer, or what stands for it; none when the runtime is shutting down. Awaited
/// through a task of its own: a panic stays in there, and a check that blocks its thread does not
/// keep this timeout from passing.
async fn outcome(entry: &Entry, settings: &HealthSettings) -> Option<Outcome> {
    let turn = Arc::clone(&entry.turn).lock_owned();
    let Ok(turn) = timeout(GRACE, turn).await else {
        return Some(silent("an earlier run still hangs".to_owned()));
    };
    let mut task = tokio::spawn(request::carried(
        request::request_id(),
        ask(entry.check.clone(), turn),
    ));
    match timeout(settings.timeout, &mut task).await {
        Ok(Ok(outcome)) => Some(outcome),
        Ok(Err(error)) => panicked_task(error),
        Err(_) => {
            task.abort();
            let limit = settings.timeout;
            Some(silent(format!("gave no answer within {limit:?}")))
        }
    }
}

async fn ask(check: AnyCheck, turn: OwnedMutexGuard<()>) -> Outcome {
    match check.manner() {
        Manner::Async | Manner::Derived => {
            let answer = check.ask().await;
            drop(turn);
            answered(answer)
        }
        Manner::Blocking => on_a_thread(check, turn).await,
    }
}

fn answered(answer: HealthResult) -> Outcome {
    Outcome {
        finding: match answer.status {
            Status::Healthy => Finding::Well,
            Status::Degraded => Finding::Reserved,
            Status::Unhealthy => Finding::Failed,
        },
        message: answer.message,
    }
}

const fn silent(message: String) -> Outcome {
    Outcome {
        finding: Finding::Silent,
        message: Some(message),
    }
}

fn panicked_task(error: JoinError) -> Option<Outcome> {
    error
        .try_into_panic()
        .ok()
        .map(|payload| panicked(&*payload))
}

fn panicked(payload: &(dyn Any + Send)) -> Outcome {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    silent(match text {
        Some(text) => format!("panicked: {text}"),
        None => "panicked".to_owned(),
    })
}

/// Asks a check that blocks. Not `spawn_blocking`: a check that hangs would take a place in the
/// pool that others need, and the runtime's shutdown would wait for it for ever.
async fn on_a_thread(check: AnyCheck, turn: OwnedMutexGuard<()>) -> Outcome {
    let (answer, asked) = oneshot::channel();
    let (runtime, clock) = (Handle::current(), hold_clock());
    let request = request::request_id();
    let thread = thread::Builder::new().name("hardening-check".to_owned());
    let started = thread.spawn(move || {
        let _inside = runtime.enter();
        let ask = || request::carried_blocking(request, || answered(now(&runtime, check.ask())));
        let outcome = catch_unwind(AssertUnwindSafe(ask));
        drop(turn);
        let _ = answer.send(outcome.unwrap_or_else(|payload| panicked(&*payload)));
        drop(clock);
    });
    match started {
        Ok(_) => asked
            .await
            .unwrap_or_else(|_| silent("ended without an answer".to_owned())),
        Err(error) => silent(format!("could not start a thread: {error}")),
    }
}

/// The value of a future that blocks instead of waiting, so that one poll is all that it takes;
/// one that does wait is waited for.
fn now<T>(runtime: &Handle, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let poll = future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    match poll {
        Poll::Ready(value) => value,
        Poll::Pending => runtime.block_on(future),
    }
}

/// A paused clock jumps ahead while all tasks wait, and knows nothing of our thread: this keeps it
/// where it is until the thread is done, or has used up what real time a test can spare.
#[cfg(feature = "test-util")]
#[allow(clippy::unnecessary_wraps)] // there is nothing to hold where time runs by itself
fn hold_clock() -> Option<mpsc::Sender<()>> {
    const SPARE: Duration = Duration::from_millis(300);
    let (held, done) = mpsc::channel();
    drop(tokio::task::spawn_blocking(move || {
        let _ = done.recv_timeout(SPARE);
    }));
    Some(held)
}

#[cfg(not(feature = "test-util"))]
const fn hold_clock() -> Option<mpsc::Sender<()>> {
    None
}

/// A status changed. The first status of a check is worth telling unless all is well.
fn tell(check: &str, before: Option<Status>, status: Status, message: Option<&str>) {
    match (before, status) {
        (None, Status::Healthy) => event::check_healthy(check, message),
        (Some(_), Status::Healthy) => event::check_healthy_again(check),
        (_, Status::Degraded) => event::check_degraded(check, message),
        (_, Status::Unhealthy) => event::check_unhealthy(check, message),
    }
}
