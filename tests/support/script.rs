//! A body that does what the test says, and remembers when it ran.
#![allow(dead_code)] // each test file uses a part of it

use hardening::{Rejected, SiteSnapshot, circuit_breaker::State, metrics::SiteFigures};
use std::{
    collections::VecDeque,
    future::{Future, pending},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::Instant;

/// An application's error, as the contract wants it.
#[derive(Clone, Debug, PartialEq, hardening::Classify)]
pub(crate) enum AppError {
    /// The run of this number found the upstream busy.
    #[transient]
    Busy(u32),
    #[transient(after = after)]
    Later { after: Duration },
    #[permanent]
    Gone,
    #[classify(forward)]
    Rejected(Rejected),
}

impl From<Rejected> for AppError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl std::fmt::Display for AppError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for AppError {}

/// The number of the run that answered, the first being 1.
pub(crate) type Answer = Result<u32, AppError>;

/// What one run of the body does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Fine,
    Busy,
    Later(u64),
    Gone,
    Panic,
    /// It answers after so many seconds.
    Takes(u64),
    /// It fails after so many seconds.
    Fails(u64),
    Hangs,
}

/// What the runs of a body do, one after the other; after the last, all is fine.
#[derive(Debug)]
pub(crate) struct Script {
    steps: Mutex<VecDeque<Step>>,
    began: Instant,
    runs: Mutex<Vec<u64>>,
    left: AtomicU32,
}

/// Counts a run that was left before it had an outcome.
struct Leaves<'a>(&'a AtomicU32);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Script {
    pub(crate) fn of(steps: impl IntoIterator<Item = Step>) -> &'static Self {
        Box::leak(Box::new(Self {
            steps: Mutex::new(steps.into_iter().collect()),
            began: Instant::now(),
            runs: Mutex::default(),
            left: AtomicU32::new(0),
        }))
    }

    /// A run of the body.
    pub(crate) async fn run(&self) -> Answer {
        let (run, step) = self.begin();
        match step {
            Step::Takes(seconds) | Step::Fails(seconds) => {
                let left = Leaves(&self.left);
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                std::mem::forget(left);
            }
            Step::Hangs => {
                let _left = Leaves(&self.left);
                pending::<()>().await;
            }
            _ => {}
        }
        answer(run, step)
    }

    /// A run of a blocking body. It takes its time on the paused clock.
    pub(crate) fn run_blocking(&self) -> Answer {
        let (run, step) = self.begin();
        if let Step::Takes(seconds) | Step::Fails(seconds) = step {
            hardening::clock::sleep_blocking(Duration::from_secs(seconds));
        }
        answer(run, step)
    }

    fn begin(&self) -> (u32, Step) {
        let mut runs = self.runs.lock().unwrap();
        runs.push(self.now());
        let step = self.steps.lock().unwrap().pop_front();
        (
            u32::try_from(runs.len()).unwrap(),
            step.unwrap_or(Step::Fine),
        )
    }

    /// How often the body ran.
    pub(crate) fn runs(&self) -> usize {
        self.at().len()
    }

    /// When each run began, in milliseconds since the script was made.
    pub(crate) fn at(&self) -> Vec<u64> {
        self.runs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many runs were dropped before their end.
    pub(crate) fn left(&self) -> u32 {
        self.left.load(SeqCst)
    }

    /// Milliseconds since the script was made.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos() / 1_000).unwrap() / 1_000
    }
}

fn answer(run: u32, step: Step) -> Answer {
    match step {
        Step::Busy | Step::Fails(_) => Err(AppError::Busy(run)),
        Step::Later(seconds) => Err(AppError::Later {
            after: Duration::from_secs(seconds),
        }),
        Step::Gone => Err(AppError::Gone),
        Step::Panic => panic!("run {run} panics, as the test wants"),
        _ => Ok(run),
    }
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The refusal in an answer.
#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(answer: Result<T, AppError>) -> Rejected {
    match answer {
        Err(AppError::Rejected(rejected)) => rejected,
        other => panic!("no refusal: {other:?}"),
    }
}

/// The kind of a refusal, and when it says to come back.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(
    answer: Result<T, AppError>,
) -> (&'static str, Option<u64>) {
    let rejected = refusal(answer);
    let kind = match rejected {
        Rejected::RateLimited { .. } => "rate limited",
        Rejected::CircuitOpen { .. } => "circuit open",
        Rejected::BulkheadFull { .. } => "bulkhead full",
        Rejected::TimedOut { .. } => "timed out",
        _ => "load failed",
    };
    let back = rejected.retry_after();
    (
        kind,
        back.map(|after| u64::try_from(after.as_millis()).unwrap()),
    )
}

/// The site of the only function whose path ends so.
#[track_caller]
pub(crate) fn site(path: &str) -> SiteSnapshot {
    let snapshot = hardening::snapshot();
    snapshot
        .site(path)
        .unwrap_or_else(|| panic!("no site {path}"))
        .clone()
}

#[track_caller]
pub(crate) fn figures(path: &str) -> SiteFigures {
    site(path).figures
}

#[track_caller]
pub(crate) fn circuit(path: &str) -> State {
    site(path).circuit.expect("it has a circuit breaker").state
}

/// Running and queued in a bulkhead.
#[track_caller]
pub(crate) fn places(path: &str) -> (u32, u32) {
    let bulkhead = site(path).bulkhead.expect("it has a bulkhead");
    (bulkhead.running, bulkhead.queued.total())
}

/// Polls `call` for so long, and drops it then.
#[track_caller]
pub(crate) fn dropped_after<F: Future<Output: std::fmt::Debug>>(
    after: u64,
    call: F,
) -> impl Future<Output = ()> {
    let timed = tokio::time::timeout(seconds(after), call);
    async move {
        let ended = timed.await;
        assert!(ended.is_err(), "it ended: {ended:?}");
    }
}

/// What a panic says.
pub(crate) fn panic_of<R>(call: impl FnOnce() -> R) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(call)) else {
        panic!("it does not panic");
    };
    let text = payload.downcast_ref::<String>();
    text.expect("a panic with a text").clone()
}

/// What a panic of a spawned task says.
pub(crate) async fn panic_of_task<T: std::fmt::Debug>(task: tokio::task::JoinHandle<T>) -> String {
    let payload = task.await.unwrap_err().into_panic();
    let text = payload.downcast_ref::<String>();
    text.expect("a panic with a text").clone()
}

/// Lets the tasks that can run do so.
pub(crate) async fn settle() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}
