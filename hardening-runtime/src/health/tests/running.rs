//! Running checks, on the paused clock.

use super::*;
use crate::clock;
use std::{
    collections::BTreeMap,
    future::pending,
    task::{Context, Waker},
};
use tokio::{sync::Notify, task::yield_now, time::sleep};

#[tokio::test(start_paused = true)]
async fn checks_run_all_at_once() {
    let registry = Registry::new();
    for seconds in 1..=5 {
        registry.register(format!("check {seconds}"), move || async move {
            sleep(secs(seconds)).await;
            true
        });
    }
    let start = clock::now();
    let report = registry.run_all().await;
    assert_eq!(clock::now().since(start), secs(5));
    assert!(report.healthy && registry.is_healthy());
    assert_eq!(report.checks["check 3"].duration_ms, 3000);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_is_unhealthy_after_its_own_timeout_and_delays_nobody() {
    let registry = Registry::new();
    registry.register("hangs", pending::<bool>);
    registry.register_with("hangs briefly", within(secs(2)), pending::<bool>);
    registry.register("fine", || async { true });
    let start = clock::now();
    let report = registry.run_all().await;
    assert_eq!(clock::now().since(start), secs(10));
    let check = |name: &str| (report.checks[name].status, report.checks[name].duration_ms);
    assert_eq!(check("hangs"), (Status::Unhealthy, 10_000));
    assert_eq!(check("hangs briefly"), (Status::Unhealthy, 2_000));
    assert_eq!(check("fine"), (Status::Healthy, 0));
    let message = report.checks["hangs"].message.as_deref();
    assert_eq!(message, Some("gave no answer within 10s"));
    assert_eq!(registry.failed_checks(), ["hangs", "hangs briefly"]);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_panics_is_unhealthy_and_delays_nobody() {
    fn panics() -> bool {
        panic!("no {}", "pool")
    }
    let registry = Registry::new();
    registry.register("async", || async { panics() });
    registry.register("blocking", panics);
    registry.register("making the future", || {
        panics();
        async { true }
    });
    registry.register("error's text", || async {
        struct Bad;
        impl std::fmt::Display for Bad {
            fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                panic!("no text")
            }
        }
        Err::<(), _>(Bad)
    });
    registry.register_derived("derived", || panics().into_health());
    registry.register("fine", || async { true });
    let report = registry.run_all().await;
    assert_eq!(report.checks.len(), 6);
    for (name, check) in report.checks {
        if name == "fine" {
            assert_eq!(check.status, Status::Healthy);
        } else {
            assert_eq!(check.status, Status::Unhealthy, "{name}");
            let message = check.message.unwrap();
            assert!(message.starts_with("panicked: no "), "{name}: {message}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_that_worked_before_may_hang_as_often_as_it_may_fail() {
    use Status::{Degraded, Healthy, Unhealthy};
    let (registry, up) = (Registry::new(), Dependency::new(true));
    let dependency = up.clone();
    registry.register_with("db", critical(), move || {
        let up = dependency.is_up();
        async move { if up { true } else { pending().await } }
    });
    let mut seen = vec![registry.run_all().await.overall_status];
    up.set(false);
    for _ in 0..3 {
        seen.push(registry.run_all().await.overall_status);
    }
    up.set(true);
    seen.push(registry.run_all().await.overall_status);
    assert_eq!(seen, [Healthy, Degraded, Degraded, Unhealthy, Healthy]);
}

/// A check that never runs twice at once, takes a second, and answers whether the run is odd.
fn alternating(
    runs: &Count,
) -> impl Fn() -> std::pin::Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync + use<> {
    let (runs, alone) = (runs.clone(), Arc::new(AtomicBool::new(true)));
    move || {
        let (runs, alone) = (runs.clone(), Arc::clone(&alone));
        Box::pin(async move {
            assert!(alone.swap(false, SeqCst), "two runs together");
            runs.up();
            sleep(secs(1)).await;
            alone.store(true, SeqCst);
            runs.get() % 2 == 1
        })
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_result_is_served_while_a_check_runs() {
    let (registry, runs) = (Registry::new(), Count::default());
    registry.register("slow", alternating(&runs));
    assert!(registry.run_all().await.healthy);
    let second = tokio::spawn({
        let registry = registry.clone();
        async move { registry.run_all().await }
    });
    yield_now().await;
    let start = clock::now();
    assert!(registry.run_all().await.healthy, "the first run's");
    assert_eq!(clock::now().since(start), Duration::ZERO);
    assert!(!second.await.unwrap().healthy);
    assert_eq!(runs.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_first_run_is_waited_for_by_all_who_ask() {
    let (registry, runs) = (Registry::new(), Count::default());
    registry.register("slow", alternating(&runs));
    let first = tokio::spawn({
        let registry = registry.clone();
        async move { registry.run_all().await }
    });
    yield_now().await;
    assert!(registry.run_all().await.healthy);
    assert!(first.await.unwrap().healthy);
    assert_eq!(runs.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_goes_on_when_its_caller_goes_away() {
    let (registry, runs) = (Registry::new(), Count::default());
    registry.register("slow", alternating(&runs));
    let mut asked = Box::pin(registry.run_all());
    let polled = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    drop(asked);
    sleep(secs(2)).await;
    assert!(registry.is_healthy());
    assert_eq!(runs.get(), 1);
}

#[test]
fn a_run_that_ended_with_its_runtime_makes_way_for_the_next() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().unwrap()
    };
    let (registry, up) = (Registry::new(), Dependency::new(false));
    let dependency = up.clone();
    registry.register("db", move || {
        let up = dependency.is_up();
        async move { if up { true } else { pending().await } }
    });
    runtime().block_on(async {
        let mut asked = Box::pin(registry.run_all());
        let polled = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        yield_now().await;
    });
    assert!(registry.failed_checks().is_empty(), "nothing was learned");
    up.set(true);
    assert!(runtime().block_on(registry.run_all()).healthy);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hung_runs_again_right_after_its_timeout() {
    let (registry, up) = (Registry::new(), Dependency::new(false));
    let dependency = up.clone();
    registry.register("db", move || {
        let up = dependency.is_up();
        async move { if up { true } else { pending().await } }
    });
    assert!(!registry.run_all().await.healthy);
    up.set(true);
    assert!(registry.run_all().await.healthy);
}

#[tokio::test(start_paused = true)]
async fn a_check_unregistered_in_its_run_ends_the_wait() {
    let (registry, gate) = (Registry::new(), Arc::new(Notify::new()));
    let opened = Arc::clone(&gate);
    registry.register("gone", move || {
        let opened = Arc::clone(&opened);
        async move {
            opened.notified().await;
            true
        }
    });
    let asked = tokio::spawn({
        let registry = registry.clone();
        async move { registry.run_all().await }
    });
    yield_now().await;
    registry.unregister("gone");
    gate.notify_one();
    assert!(asked.await.unwrap().healthy);
    assert!(registry.last_report().checks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn checks_may_use_the_registry_that_runs_them() {
    let registry = Registry::new();
    let inner = registry.clone();
    registry.register("outer", move || {
        let report = inner.last_report();
        inner.register("found", || true);
        async move { report.checks.len() == 1 }
    });
    assert!(registry.run_all().await.healthy);
    assert_eq!(registry.run_all().await.checks.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_long_message_is_cut_at_a_character() {
    let registry = Registry::new();
    registry.register("talks", || async { Err::<(), _>("ä".repeat(9_999)) });
    let report = registry.run_all().await;
    let message = report.checks["talks"].message.clone().unwrap();
    assert_eq!(message, "ä".repeat(250) + "…");
}

#[tokio::test(start_paused = true)]
async fn a_hundred_checks_at_once_are_all_reported() {
    let registry = Registry::new();
    for number in 0..100 {
        registry.register(format!("{number:03}"), move || async move {
            sleep(Duration::from_millis(number)).await;
            number % 10 != 0
        });
    }
    let strict = HealthSettings {
        failure_threshold: 1,
        ..HealthSettings::default()
    };
    registry.apply(strict, BTreeMap::new());
    let report = registry.run_all().await;
    let of = |status| {
        report
            .checks
            .values()
            .filter(|check| check.status == status)
            .count()
    };
    assert_eq!((of(Status::Healthy), of(Status::Unhealthy)), (90, 10));
}
