//! Registration, groups and settings.

use super::*;
use std::{collections::BTreeMap, pin::Pin};

fn providers<const N: usize>(
    entries: [(&str, HealthSettings); N],
) -> BTreeMap<String, HealthSettings> {
    let owned = entries.map(|(name, settings)| (name.to_owned(), settings));
    owned.into_iter().collect()
}

fn in_groups(groups: &[Group]) -> HealthSettings {
    HealthSettings {
        groups: groups.to_vec(),
        ..HealthSettings::default()
    }
}

fn names(report: &HealthReport) -> Vec<&str> {
    report.checks.keys().map(String::as_str).collect()
}

fn found() -> Pin<Box<dyn Future<Output = HealthResult> + Send>> {
    Box::pin(async { HealthResult::healthy() })
}

inventory::submit! {
    Probe { name: "linked", file: file!(), line: line!(), run: found, blocking: false, settings: &[("critical", "true")] }
}

#[tokio::test]
async fn a_check_is_found_at_link_time() {
    let probe = probes().find(|probe| probe.name == "linked").unwrap();
    assert_eq!(probe.settings, [("critical", "true")]);
    assert!(registry().names().contains(&"linked".to_owned()));
    let linked = Registry::with([probe]);
    assert_eq!(
        linked.run_all().await.checks["linked"].status,
        Status::Healthy
    );
}

#[tokio::test]
async fn two_checks_of_one_name_are_both_kept() {
    static TWICE: [Probe; 2] = [probe("db", 1), probe("db", 2)];
    const fn probe(name: &'static str, line: u32) -> Probe {
        Probe {
            name,
            file: "src/db.rs",
            line,
            run: found,
            blocking: line == 2,
            settings: &[],
        }
    }
    let registry = Registry::with(&TWICE);
    assert_eq!(names(&registry.run_all().await), ["db", "db (src/db.rs:2)"]);
}

#[tokio::test]
async fn everything_that_can_be_asked_can_be_registered() {
    async fn asynchronous() -> Result<(), String> {
        Ok(())
    }
    fn blocking() -> bool {
        true
    }
    let registry = Registry::new();
    registry.register("async fn", asynchronous);
    registry.register("async closure", async || HealthResult::healthy());
    registry.register("closure", || async { Ok::<(), std::io::Error>(()) });
    registry.register("blocking fn", blocking);
    registry.register(String::from("blocking closure"), || Err::<(), _>("no"));
    registry.register("type", Dependency::new(true));
    registry.register_derived("derived", HealthResult::healthy);
    let report = registry.run_all().await;
    assert_eq!(report.checks.len(), 7);
    assert_eq!(registry.failed_checks(), ["blocking closure"]);
    assert_eq!(
        report.checks["blocking closure"].message.as_deref(),
        Some("no")
    );
    let kind = |name: &str| report.checks[name].check_type.clone();
    assert_eq!(
        (kind("type"), kind("derived")),
        ("ping".into(), "derived".into())
    );
    assert_eq!(kind("closure"), "custom");
}

#[tokio::test]
async fn a_check_replaces_the_one_of_its_name_and_its_results() {
    let registry = Registry::new();
    registry.register("db", || async { false });
    assert_eq!(
        registry.run_all().await.checks["db"].consecutive_failures,
        1
    );
    registry.register("db", || async { true });
    assert_eq!(registry.last_report().checks["db"].consecutive_failures, 0);
    assert!(registry.run_all().await.healthy);
    assert!(registry.unregister("db") && !registry.unregister("db"));
    assert!(registry.run_all().await.checks.is_empty());
}

#[tokio::test]
async fn a_check_that_has_not_run_does_not_vanish() {
    let registry = Registry::new();
    assert!(registry.is_healthy(), "there is nothing to be ill");
    registry.register_with("db", critical(), || async { true });
    let report = registry.last_report();
    assert_eq!(report.overall_status, Status::Degraded);
    assert_eq!(
        report.checks["db"].message.as_deref(),
        Some("has not run yet")
    );
    assert!(!registry.is_healthy() && registry.failed_checks().is_empty());
    registry.run_all().await;
    assert!(registry.is_healthy() && registry.last_report().healthy);
}

#[tokio::test]
async fn a_group_runs_its_own_checks_only() {
    let registry = Registry::new();
    let both = [Group::Liveness, Group::Readiness];
    registry.register("default", || async { true });
    registry.register_with("live", in_groups(&[Group::Liveness]), || async { true });
    registry.register_with("both", in_groups(&both), || async { true });
    let live = registry.run_group(Group::Liveness).await;
    assert_eq!(names(&live), ["both", "live"]);
    assert_eq!(
        names(&registry.last_report_of(Group::Liveness)),
        ["both", "live"]
    );
    let default = &registry.last_report().checks["default"];
    assert_eq!(default.last_success, None, "it did not run");
    let ready = registry.run_group(Group::Readiness).await;
    assert_eq!(names(&ready), ["both", "default"]);
}

#[tokio::test]
async fn an_open_circuit_never_fails_liveness() {
    let registry = Registry::new();
    registry.register_derived("circuit", || HealthResult::unhealthy("open"));
    let everywhere = HealthSettings {
        critical: true,
        ..in_groups(&[Group::Liveness, Group::Readiness])
    };
    registry.apply(everywhere.clone(), providers([("circuit", everywhere)]));
    let live = registry.run_group(Group::Liveness).await;
    assert!(live.healthy && live.checks.is_empty());
    let ready = registry.run_group(Group::Readiness).await;
    assert_eq!(ready.overall_status, Status::Unhealthy);
}

#[tokio::test]
async fn a_derived_check_is_what_it_answers_without_thresholds() {
    let (registry, circuit) = (Registry::new(), Dependency::new(false));
    let state = circuit.clone();
    registry.register_derived("circuit", move || state.is_up().into_health());
    let patient = HealthSettings {
        failure_threshold: 5,
        success_threshold: 5,
        ..HealthSettings::default()
    };
    registry.apply(patient, BTreeMap::new());
    let status = async || registry.run_all().await.checks["circuit"].status;
    assert_eq!(status().await, Status::Unhealthy);
    circuit.set(true);
    assert_eq!(status().await, Status::Healthy);
}

#[tokio::test]
async fn settings_take_effect_at_a_reload_and_results_are_kept() {
    let (registry, database) = (Registry::new(), Dependency::new(false));
    registry.register("database", database);
    registry.run_all().await;
    registry.run_all().await;
    let strict = HealthSettings {
        check_type: "select".to_owned(),
        ..critical()
    };
    registry.apply(HealthSettings::default(), providers([("database", strict)]));
    let report = registry.run_all().await;
    assert_eq!(report.checks["database"].consecutive_failures, 3);
    assert_eq!(report.checks["database"].check_type, "select");
    assert_eq!(report.overall_status, Status::Unhealthy);
}

#[tokio::test]
async fn the_configuration_beats_the_registration_which_beats_the_defaults() {
    let registry = Registry::new();
    let typed = |check_type: &str| HealthSettings {
        check_type: check_type.to_owned(),
        ..HealthSettings::default()
    };
    registry.register("plain", || async { true });
    registry.register_with("own", typed("own"), || async { true });
    registry.register_with("both", typed("own"), || async { true });
    registry.apply(typed("default"), providers([("both", typed("yaml"))]));
    let report = registry.run_all().await;
    let kinds = report
        .checks
        .values()
        .map(|check| check.check_type.as_str());
    assert_eq!(kinds.collect::<Vec<_>>(), ["yaml", "own", "default"]);
}

#[tokio::test]
async fn a_disabled_check_neither_runs_nor_is_reported() {
    let (registry, runs) = (Registry::new(), Count::default());
    let counted = runs.clone();
    registry.register("off", move || {
        counted.up();
        async { false }
    });
    let off = HealthSettings {
        enabled: false,
        ..critical()
    };
    registry.apply(HealthSettings::default(), providers([("off", off)]));
    assert!(registry.run_all().await.checks.is_empty());
    assert_eq!(runs.get(), 0);
    assert!(registry.is_healthy());
    assert_eq!(registry.names(), ["off"]);
    registry.apply(HealthSettings::default(), BTreeMap::new());
    assert_eq!(registry.run_all().await.checks.len(), 1);
}

#[test]
fn a_provider_that_no_check_registers_is_told() {
    let registry = Registry::new();
    registry.register("database", || true);
    let off = HealthSettings {
        enabled: false,
        ..HealthSettings::default()
    };
    let on = HealthSettings::default();
    let named = providers([
        ("database", on.clone()),
        ("vector_store", on),
        ("unused", off),
    ]);
    registry.apply(HealthSettings::default(), named);
    assert_eq!(registry.unregistered_providers(), ["vector_store"]);
    registry.register_derived("vector_store", HealthResult::healthy);
    assert!(registry.unregistered_providers().is_empty());
}

#[test]
fn groups_read_as_they_are_written() {
    for group in [Group::Liveness, Group::Readiness] {
        assert_eq!(group.to_string().parse(), Ok(group));
    }
    assert!("startup".parse::<Group>().is_err());
}

#[cfg(feature = "test-util")]
#[tokio::test]
async fn a_reset_forgets_instances_and_results() {
    let linked = probes().filter(|probe| probe.name == "linked");
    let registry = Registry::with(linked);
    registry.register("linked", || async { false });
    registry.register("instance", || async { false });
    registry.run_all().await;
    registry.reset();
    assert_eq!(registry.names(), ["linked"]);
    assert_eq!(
        registry.last_report().checks["linked"].consecutive_failures,
        0
    );
    assert!(
        registry.run_all().await.healthy,
        "it is the linked one again"
    );
}
