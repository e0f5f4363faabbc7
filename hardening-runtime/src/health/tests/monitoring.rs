//! The background monitor, on the paused clock.

use super::{
    super::monitor::{Plan, jittered},
    *,
};
use crate::clock::Moment;
use proptest::prelude::*;
use std::{collections::BTreeMap, future::pending};
use tokio::time::sleep;

fn every(interval: Duration) -> HealthSettings {
    HealthSettings {
        interval,
        ..HealthSettings::default()
    }
}

fn counted(registry: &Registry, name: &str, settings: HealthSettings) -> Count {
    let runs = Count::default();
    let count = runs.clone();
    registry.register_with(name, settings, move || {
        count.up();
        async { true }
    });
    runs
}

#[tokio::test(start_paused = true)]
async fn the_monitor_runs_each_check_at_its_own_interval() {
    let registry = Registry::new();
    let often = counted(&registry, "often", every(secs(10)));
    let seldom = counted(&registry, "seldom", every(secs(100)));
    registry.spawn_monitor();
    sleep(secs(1)).await;
    assert_eq!((often.get(), seldom.get()), (1, 1), "at once");
    assert!(registry.is_healthy());
    sleep(secs(1_004)).await;
    assert_eq!((often.get(), seldom.get()), (101, 11), "exactly");
}

#[tokio::test(start_paused = true)]
async fn a_monitor_whose_handle_is_dropped_goes_on_and_one_that_is_stopped_does_not() {
    let registry = Registry::new();
    let runs = counted(&registry, "db", every(secs(10)));
    let monitor = registry.spawn_monitor();
    drop(registry.spawn_monitor());
    sleep(secs(25)).await;
    assert_eq!(runs.get(), 3);
    monitor.stop();
    sleep(secs(1000)).await;
    assert_eq!(runs.get(), 3);
    registry.spawn_monitor();
    monitor.stop(); // of the former
    sleep(secs(25)).await;
    assert_eq!(runs.get(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_second_monitor_runs_no_check_twice_and_either_handle_stops_both() {
    let registry = Registry::new();
    let runs = counted(&registry, "db", every(secs(10)));
    registry.spawn_monitor();
    sleep(secs(5)).await;
    let second = registry.clone().spawn_monitor();
    sleep(secs(100)).await;
    assert_eq!(runs.get(), 11);
    second.stop();
    sleep(secs(100)).await;
    assert_eq!(runs.get(), 11);
}

#[test]
fn each_runtime_has_a_monitor_and_one_that_has_ended_blocks_no_other() {
    let registry = Registry::new();
    let runs = counted(&registry, "db", every(secs(10)));
    let runtime = || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().start_paused(true).build().unwrap()
    };
    let monitored = |runtime: &tokio::runtime::Runtime| {
        runtime.block_on(async {
            registry.spawn_monitor();
            sleep(secs(25)).await;
        });
        runs.get()
    };
    let first = runtime();
    assert_eq!(monitored(&first), 3);
    assert_eq!(monitored(&runtime()), 6, "beside one that stands still");
    drop(first);
    assert_eq!(monitored(&runtime()), 9, "after those have ended");
}

#[tokio::test(start_paused = true)]
async fn a_reset_ends_the_monitor() {
    let registry = Registry::new();
    registry.spawn_monitor();
    registry.reset();
    let runs = counted(&registry, "db", every(secs(10)));
    sleep(secs(25)).await;
    assert_eq!(runs.get(), 0);
    registry.spawn_monitor();
    sleep(secs(25)).await;
    assert_eq!(runs.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_delays_no_other_of_the_monitor() {
    let registry = Registry::new();
    registry.register_with("hangs", every(secs(10)), pending::<bool>);
    let runs = counted(&registry, "fine", every(secs(1)));
    registry.spawn_monitor();
    sleep(secs(9)).await;
    assert!(runs.get() >= 8, "{}", runs.get());
    sleep(secs(60)).await;
    assert_eq!(registry.failed_checks(), ["hangs"]);
    assert!(registry.last_report().checks["hangs"].consecutive_failures >= 3);
}

#[tokio::test(start_paused = true)]
async fn the_monitor_follows_checks_as_they_come_and_go() {
    let registry = Registry::new();
    registry.spawn_monitor();
    sleep(secs(5)).await;
    let late = counted(&registry, "late", every(secs(10)));
    sleep(secs(1)).await;
    assert_eq!(late.get(), 1, "at once");
    let replaced = counted(&registry, "late", every(secs(10)));
    sleep(secs(1)).await;
    assert_eq!((late.get(), replaced.get()), (1, 1));
    registry.unregister("late");
    sleep(secs(100)).await;
    assert_eq!(replaced.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_monitor_follows_settings_as_they_change() {
    let registry = Registry::new();
    let runs = Count::default();
    let count = runs.clone();
    registry.register("db", move || {
        count.up();
        async { true }
    });
    registry.spawn_monitor();
    sleep(secs(1)).await;
    registry.apply(every(secs(2)), BTreeMap::new());
    sleep(secs(9)).await;
    assert!((5..=6).contains(&runs.get()), "{}", runs.get());
    let off = HealthSettings {
        enabled: false,
        ..every(secs(2))
    };
    registry.apply(off, BTreeMap::new());
    let before = runs.get();
    sleep(secs(60)).await;
    assert_eq!(runs.get(), before);
}

#[tokio::test(start_paused = true)]
async fn a_change_elsewhere_neither_hurries_nor_delays_a_check() {
    let registry = Registry::new();
    let runs = counted(&registry, "db", every(secs(10)));
    registry.spawn_monitor();
    for _ in 0..100 {
        sleep(secs(1)).await;
        registry.register("other", || async { true });
    }
    assert!((9..=12).contains(&runs.get()), "{}", runs.get());
}

#[tokio::test(start_paused = true)]
async fn the_monitor_learns_of_a_failure_and_of_the_recovery() {
    let (registry, database) = (Registry::new(), Dependency::new(true));
    let settings = HealthSettings {
        critical: true,
        ..every(secs(10))
    };
    registry.register_with("db", settings, database.clone());
    registry.spawn_monitor();
    let status = || registry.last_report().overall_status;
    sleep(secs(1)).await;
    assert_eq!(status(), Status::Healthy);
    database.set(false);
    sleep(secs(12)).await;
    assert_eq!(status(), Status::Degraded);
    sleep(secs(30)).await;
    assert_eq!(status(), Status::Unhealthy);
    database.set(true);
    sleep(secs(12)).await;
    assert_eq!(status(), Status::Healthy);
}

#[test]
fn a_new_check_is_due_at_once_and_then_an_interval_later() {
    let (mut plan, start) = (Plan::default(), Moment::from_nanos(1_000));
    assert!(plan.is_due(7, secs(10), start, || 0.5));
    assert_eq!(plan.next(), Some(start.plus(secs(10))));
    assert!(!plan.is_due(7, secs(10), start.plus(secs(9)), || 0.5));
    assert!(plan.is_due(7, secs(10), start.plus(secs(10)), || 0.0));
    assert_eq!(plan.next(), Some(start.plus(secs(19))));
    plan.keep(|_| false);
    assert_eq!(plan.next(), None);
}

#[test]
fn a_changed_interval_counts_from_now() {
    let (mut plan, start) = (Plan::default(), Moment::from_nanos(1_000));
    assert!(plan.is_due(7, secs(3600), start, || 0.5));
    let later = start.plus(secs(60));
    assert!(!plan.is_due(7, secs(10), later, || 0.5));
    assert_eq!(plan.next(), Some(later.plus(secs(10))));
}

proptest! {
    #[test]
    fn jitter_is_a_tenth_at_most(millis in 0_u64..10_000_000, dice in 0.0_f64..1.0) {
        let interval = Duration::from_millis(millis);
        let waited = jittered(interval, dice);
        let base = interval.max(Duration::from_millis(100));
        prop_assert!(waited >= base.mul_f64(0.899_999) && waited <= base.mul_f64(1.100_001));
    }

    #[test]
    fn no_interval_overflows(seconds: u64, nanos in 0_u32..1_000_000_000, dice in 0.0_f64..1.0) {
        jittered(Duration::new(seconds, nanos), dice);
    }
}

#[tokio::test(start_paused = true)]
async fn the_configuration_stops_the_monitor_and_starts_it_again() {
    let registry = Registry::new();
    let runs = counted(&registry, "db", every(secs(10)));
    registry.set_monitored(false);
    registry.spawn_monitor();
    sleep(secs(100)).await;
    assert_eq!(runs.get(), 0);
    assert!(
        registry.run_all().await.healthy,
        "the checks themselves stay"
    );
    assert_eq!(runs.get(), 1);
    registry.set_monitored(true);
    sleep(secs(1)).await;
    assert_eq!(runs.get(), 2, "at once");
}
