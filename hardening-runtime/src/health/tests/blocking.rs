//! Checks that block their thread.

use super::*;
use crate::clock;
use std::{sync::mpsc, thread};

/// A check that hangs until told to answer.
fn hung(runs: &Count) -> (impl Fn() -> bool + Send + Sync + 'static, mpsc::Sender<()>) {
    let (release, wait) = mpsc::channel();
    let (wait, runs) = (std::sync::Mutex::new(wait), runs.clone());
    let check = move || {
        runs.up();
        let _ = wait.lock().unwrap().recv();
        true
    };
    (check, release)
}

#[tokio::test(start_paused = true)]
async fn a_blocking_check_that_answers_is_healthy_on_the_paused_clock() {
    let registry = Registry::new();
    registry.register("in its runtime", || {
        tokio::runtime::Handle::current().block_on(async { true })
    });
    for _ in 0..20 {
        assert!(registry.run_all().await.healthy);
    }
}

#[tokio::test(start_paused = true)]
async fn a_blocking_check_that_hangs_delays_nobody_and_runs_once() {
    let (registry, runs) = (Registry::new(), Count::default());
    let (check, release) = hung(&runs);
    registry.register("hangs", check);
    registry.register("fine", || true);
    let start = clock::now();
    let report = registry.run_all().await;
    assert_eq!(clock::now().since(start), secs(10));
    assert_eq!(report.checks["hangs"].status, Status::Unhealthy);
    assert_eq!(report.checks["fine"].status, Status::Healthy);

    let report = registry.run_all().await;
    assert!(
        clock::now().since(start) < secs(11),
        "no need to wait again"
    );
    assert_eq!(runs.get(), 1);
    let hangs = &report.checks["hangs"];
    assert_eq!(hangs.consecutive_failures, 2);
    assert_eq!(hangs.message.as_deref(), Some("an earlier run still hangs"));

    drop(release);
    while !registry.run_all().await.healthy {
        thread::yield_now(); // the thread ends in real time
    }
    assert!(runs.get() >= 2);
}

#[test]
fn a_blocking_check_that_hangs_does_not_keep_the_runtime_from_ending() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().unwrap();
    let (registry, runs) = (Registry::new(), Count::default());
    let (check, release) = hung(&runs);
    registry.register("hangs", check);
    runtime.block_on(registry.run_all());
    drop(runtime);
    assert_eq!(registry.failed_checks(), ["hangs"]);
    drop(release);
}

#[test]
fn an_async_check_that_blocks_its_thread_does_not_keep_others_from_their_results() {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_time().build().unwrap();
    let (registry, runs) = (Registry::new(), Count::default());
    let (check, release) = hung(&runs);
    let brief = within(Duration::from_millis(20));
    registry.register_with("blocks", brief, move || {
        let answer = check();
        async move { answer }
    });
    registry.register("fine", || async { true });
    let report = runtime.block_on(registry.run_all());
    assert_eq!(report.checks["blocks"].status, Status::Unhealthy);
    assert_eq!(report.checks["fine"].status, Status::Healthy);
    let report = runtime.block_on(registry.run_all());
    assert_eq!(report.checks["blocks"].consecutive_failures, 2);
    assert_eq!(runs.get(), 1, "no two runs together");
    drop(release);
}
