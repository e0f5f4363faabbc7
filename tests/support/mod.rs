//! What the tests share.
#![allow(dead_code, reason = "each test file uses a part of it")]

use hardening::{Classify, Rejected};
use std::{
    future::Future,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

/// An error of an application, with one variant for each class.
#[derive(Debug, Clone, PartialEq, Classify)]
pub(crate) enum AppError {
    #[transient]
    Busy,
    #[transient(after = wait)]
    Later { wait: Duration },
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

impl AppError {
    /// The rejection inside.
    pub(crate) fn rejected(self) -> Rejected {
        match self {
            Self::Rejected(rejected) => rejected,
            other => panic!("not a rejection: {other:?}"),
        }
    }
}

/// What the tests' functions return.
pub(crate) type AppResult<T> = Result<T, AppError>;

/// How often a body ran.
#[derive(Debug, Default)]
pub(crate) struct Runs(AtomicU32);

impl Runs {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// One more run; its number, from 1.
    pub(crate) fn up(&self) -> u32 {
        self.0.fetch_add(1, SeqCst) + 1
    }

    pub(crate) fn get(&self) -> u32 {
        self.0.load(SeqCst)
    }

    /// The number, which begins anew.
    pub(crate) fn take(&self) -> u32 {
        self.0.swap(0, SeqCst)
    }
}

/// Seconds of the (paused) clock that `future` takes, and what it comes to.
pub(crate) async fn timed<T>(future: impl Future<Output = T>) -> (T, f64) {
    let began = tokio::time::Instant::now();
    let value = future.await;
    (value, began.elapsed().as_secs_f64())
}

/// Whether `seconds` is `expected`, up to a timer's resolution.
#[track_caller]
pub(crate) fn assert_took(seconds: f64, expected: f64) {
    assert!(
        (expected..expected + 0.02).contains(&seconds),
        "took {seconds} s instead of {expected} s"
    );
}

/// Moves the paused clock.
pub(crate) async fn pass(seconds: f64) {
    tokio::time::advance(Duration::from_secs_f64(seconds)).await;
}

/// Runs the test `name` of this program again in a process of its own, with `env` and in `folder`,
/// and fails when it does. The test finds out by [`is_child`] that it is the child.
#[track_caller]
pub(crate) fn child(name: &str, folder: &std::path::Path, env: &[(&str, &str)]) {
    child_of(
        &std::env::current_exe().expect("own path"),
        name,
        folder,
        env,
    );
}

/// The same of this program at another path.
#[track_caller]
pub(crate) fn child_of(
    program: &std::path::Path,
    name: &str,
    folder: &std::path::Path,
    env: &[(&str, &str)],
) {
    let mut command = std::process::Command::new(program);
    command
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .current_dir(folder)
        .env_remove("HARDENING_CONFIG")
        .env(CHILD, "1");
    command.envs(env.iter().copied());
    let output = command.output().expect("the child ran");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "the child failed:\n{text}");
    assert!(text.contains("1 passed"), "no such test:\n{text}");
}

const CHILD: &str = "HARDENING_TEST_CHILD";

/// Whether this process is a [`child`].
pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// A new folder for one test, empty and below no configuration file.
pub(crate) fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("hardening-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}
