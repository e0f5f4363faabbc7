//! `#[health_check]` and the registry.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{
    health::{Group, HealthResult, HealthSettings, Registry, Status, registry},
    health_check,
};
use std::{
    fs,
    future::pending,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::Duration,
};
use support::{AppError, Runs, assert_took, child, folder, is_child, timed};

static DATABASE_UP: AtomicBool = AtomicBool::new(true);

#[health_check(name = "database", critical = true)]
async fn database() -> Result<(), AppError> {
    if DATABASE_UP.load(SeqCst) {
        Ok(())
    } else {
        Err(AppError::Busy)
    }
}

/// A blocking check that takes its function's name, and an error that is only for programmers.
#[health_check]
fn disk() -> Result<(), Full> {
    if DISK_FULL.load(SeqCst) {
        Err(Full)
    } else {
        Ok(())
    }
}
static DISK_FULL: AtomicBool = AtomicBool::new(false);
#[derive(Debug)]
struct Full;

#[health_check(name = "flag", groups = ["liveness", "readiness"], failure_threshold = 1)]
fn flag() -> bool {
    true
}

mod inner {
    use hardening::health::HealthResult;
    #[hardening::health_check(name = "queue", check_type = "depth", timeout = "2s", interval = 5)]
    pub(super) async fn queue() -> HealthResult {
        HealthResult::degraded("950 of 1000 places taken")
    }
}

#[tokio::test(start_paused = true)]
async fn checks_are_found_at_link_time_and_wrap_nothing() {
    if !is_child() {
        return alone("checks_are_found_at_link_time_and_wrap_nothing");
    }
    assert_eq!(registry().names(), ["database", "disk", "flag", "queue"]);
    let report = registry().run_all().await;
    assert_eq!(report.overall_status, Status::Degraded, "{report}");
    assert_eq!(report.checks["database"].status, Status::Healthy);
    assert_eq!(report.checks["disk"].status, Status::Healthy);
    let queue = &report.checks["queue"];
    assert_eq!(
        (queue.status, queue.check_type.as_str()),
        (Status::Degraded, "depth")
    );
    assert_eq!(queue.message.as_deref(), Some("950 of 1000 places taken"));
    assert_eq!(registry().failed_checks(), ["queue"]);
    assert!(!registry().is_healthy());
    assert_eq!(database().await, Ok(()));
    assert!(flag() && disk().is_ok());
    assert_eq!(inner::queue().await.status, Status::Degraded);
    let text = serde_json::to_value(&report).unwrap();
    assert_eq!(text["checks"]["queue"]["status"], "degraded", "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_check_is_degraded_until_it_failed_as_often_as_the_threshold_says() {
    if !is_child() {
        return alone("a_check_is_degraded_until_it_failed_as_often_as_the_threshold_says");
    }
    registry().unregister("queue");
    assert!(registry().run_all().await.healthy);
    DATABASE_UP.store(false, SeqCst);
    for (failures, status) in [
        (1, Status::Degraded),
        (2, Status::Degraded),
        (3, Status::Unhealthy),
    ] {
        let report = registry().run_all().await;
        let check = &report.checks["database"];
        assert_eq!(
            (check.status, check.consecutive_failures),
            (status, failures)
        );
        assert_eq!(report.overall_status, status, "critical");
        assert_eq!(check.message.as_deref(), Some("Busy"));
    }
    DATABASE_UP.store(true, SeqCst);
    assert!(registry().run_all().await.healthy, "one success");
    DISK_FULL.store(true, SeqCst);
    for _ in 0..3 {
        registry().run_all().await;
    }
    let report = registry().run_all().await;
    assert_eq!(report.checks["disk"].status, Status::Unhealthy);
    assert_eq!(report.overall_status, Status::Degraded, "not critical");
    assert_eq!(report.checks["disk"].message.as_deref(), Some("Full"));
}

#[tokio::test(start_paused = true)]
async fn a_check_recovers_after_as_many_successes_as_the_file_says() {
    const FILE: &str = "runtime: {health_checks: {failure_threshold: 2, success_threshold: 3, providers: {disk: {success_threshold: 2}}}}";
    let name = "a_check_recovers_after_as_many_successes_as_the_file_says";
    if !is_child() {
        let folder = folder(name);
        fs::write(folder.join("hardening.yaml"), FILE).unwrap();
        return child(name, &folder, &[]);
    }
    hardening::init!().expect("a sound file");
    let run = async || {
        let report = registry().run_all().await;
        (
            report.checks["database"].status,
            report.checks["disk"].status,
        )
    };
    DATABASE_UP.store(false, SeqCst);
    DISK_FULL.store(true, SeqCst);
    run().await;
    assert_eq!(run().await, (Status::Unhealthy, Status::Unhealthy));
    DATABASE_UP.store(true, SeqCst);
    DISK_FULL.store(false, SeqCst);
    assert_eq!(run().await, (Status::Unhealthy, Status::Unhealthy), "one");
    assert_eq!(run().await, (Status::Unhealthy, Status::Healthy), "two");
    assert_eq!(run().await, (Status::Healthy, Status::Healthy), "three");
}

#[tokio::test(start_paused = true)]
async fn groups_choose_their_checks() {
    if !is_child() {
        return alone("groups_choose_their_checks");
    }
    let names =
        |report: hardening::health::HealthReport| report.checks.into_keys().collect::<Vec<_>>();
    assert_eq!(names(registry().run_group(Group::Liveness).await), ["flag"]);
    let ready = names(registry().run_group(Group::Readiness).await);
    assert_eq!(ready, ["database", "disk", "flag", "queue"]);
}

#[tokio::test(start_paused = true)]
async fn all_checks_run_at_once_and_a_bad_one_delays_nobody() {
    let registry = Registry::new();
    let settings = || HealthSettings {
        timeout: Duration::from_secs(3),
        ..HealthSettings::default()
    };
    let sleeps = |seconds| {
        move || async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            true
        }
    };
    registry.register_with("one", settings(), sleeps(2));
    registry.register_with("two", settings(), sleeps(2));
    registry.register_with("hangs", settings(), pending::<bool>);
    registry.register_with("panics", settings(), || async {
        panic!("a check of the test") as bool
    });
    let (report, took) = timed(registry.run_all()).await;
    assert_took(took, 3.0);
    assert_eq!(report.checks["one"].status, Status::Healthy);
    assert_eq!(report.checks["two"].duration_ms, 2000);
    assert_eq!(report.checks["hangs"].status, Status::Unhealthy);
    assert_eq!(report.checks["panics"].status, Status::Unhealthy);
    let message = report.checks["panics"].message.clone().unwrap();
    assert!(message.contains("a check of the test"), "{message}");
    assert_eq!(report.overall_status, Status::Degraded);
}

#[tokio::test(start_paused = true)]
async fn a_check_can_be_registered_replaced_and_taken_out() {
    let registry = Registry::new();
    registry.register("pool", || async { Err("empty") });
    assert!(!registry.run_all().await.healthy);
    registry.register("pool", HealthResult::healthy);
    assert!(registry.run_all().await.healthy);
    assert!(registry.unregister("pool"));
    assert!(!registry.unregister("pool"));
    assert!(registry.run_all().await.checks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_monitor_runs_each_check_in_its_interval() {
    static RAN: Runs = Runs::new();
    let registry = Registry::new();
    let settings = HealthSettings {
        interval: Duration::from_secs(10),
        ..HealthSettings::default()
    };
    registry.register_with("often", settings, || async {
        RAN.up();
        true
    });
    registry.spawn_monitor();
    tokio::time::sleep(Duration::from_secs(95)).await;
    assert_eq!(RAN.get(), 10);
    assert!(registry.is_healthy());
}

/// Runs the test `name` as a child, without a file.
#[track_caller]
fn alone(name: &str) {
    with_file(name, "{}");
}

#[track_caller]
fn with_file(name: &str, yaml: &str) {
    let folder = folder(name);
    fs::write(folder.join("hardening.yaml"), yaml).unwrap();
    child(name, &folder, &[]);
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_file_beats_what_a_check_says_of_itself_and_a_provider_without_a_check_is_reported() {
    if !is_child() {
        let name =
            "the_file_beats_what_a_check_says_of_itself_and_a_provider_without_a_check_is_reported";
        return with_file(
            name,
            "
runtime:
  health_checks:
    failure_threshold: 2
    providers:
      database: {check_type: ping, critical: false, groups: [liveness]}
      queue: {enabled: false}
      redis: {critical: true}
",
        );
    }
    let started = hardening::init!().unwrap();
    let told = started
        .warnings
        .iter()
        .filter(|warning| warning.contains("`redis`"));
    assert_eq!(told.count(), 1, "{:?}", started.warnings);
    assert!(
        !started
            .warnings
            .iter()
            .any(|warning| warning.contains("`database`"))
    );
    let report = registry().run_all().await;
    assert!(!report.checks.contains_key("queue"), "{report}");
    assert_eq!(report.checks["database"].check_type, "ping");
    DATABASE_UP.store(false, SeqCst);
    registry().run_all().await;
    let report = registry().run_all().await;
    assert_eq!(
        report.checks["database"].status,
        Status::Unhealthy,
        "after two"
    );
    assert_eq!(report.overall_status, Status::Degraded, "not critical");
    let live = registry().run_group(Group::Liveness).await;
    assert!(live.checks.contains_key("database") && live.checks.contains_key("flag"));
}
