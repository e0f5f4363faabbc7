//! The health section, with everything filled in.

use std::time::Duration;

use hardening_config::{
    Config, Derive, Environment, HealthGroup, HealthPolicy, Provider, check_health_setting,
};

const FILE: &str = r"
runtime:
  health_checks:
    enabled: false
    interval: 45
    failure_threshold: 7
    providers:
      database: {interval: 20, timeout: 2s, critical: true, groups: [readiness, liveness]}
      search: {enabled: false, check_type: query}
      plain:
";

fn health(file: &str) -> HealthPolicy {
    let config = Config::parse(file.as_bytes(), "h.yaml", &Environment::none()).unwrap();
    config.health().clone()
}

#[test]
fn a_check_inherits_what_it_leaves_out_from_its_section() {
    let health = health(FILE);
    let plain = Provider {
        interval: Duration::from_secs(45),
        failure_threshold: 7,
        ..Provider::default()
    };
    assert_eq!(health.providers["plain"], plain);
    assert_eq!(health.unnamed(), plain);
    let database = Provider {
        interval: Duration::from_secs(20),
        timeout: Duration::from_secs(2),
        critical: true,
        groups: vec![HealthGroup::Readiness, HealthGroup::Liveness],
        ..plain
    };
    assert_eq!(health.providers["database"], database);
    assert_eq!(
        health.providers["search"].check_type,
        Some("query".to_owned())
    );
}

#[test]
fn switching_the_monitor_off_does_not_switch_its_checks_off() {
    let health = health(FILE);
    assert!(!health.enabled);
    assert!(health.providers["plain"].enabled);
    assert!(!health.providers["search"].enabled);
}

#[test]
fn without_a_section_every_default_holds() {
    assert_eq!(health(""), HealthPolicy::default());
    assert_eq!(*Config::builtin().health(), HealthPolicy::default());
}

#[test]
fn the_checks_that_a_file_names_know_their_place() {
    let config = Config::parse(FILE.as_bytes(), "h.yaml", &Environment::none()).unwrap();
    let places = config.named_checks().into_iter();
    let places: Vec<_> = places
        .map(|(name, origin)| format!("{name} {origin}"))
        .collect();
    assert_eq!(
        places,
        [
            "database h.yaml:8:7",
            "search h.yaml:9:7",
            "plain h.yaml:10:7"
        ]
    );
}

#[test]
fn the_sites_that_a_file_overrides_know_their_place() {
    let file =
        "runtime:\n  overrides:\n    \"a::b\": {retry: {max_attempts: 1}, cache: {}}\n    c: {}\n";
    let config = Config::parse(file.as_bytes(), "h.yaml", &Environment::none()).unwrap();
    let sites = config.overridden().into_iter();
    let sites: Vec<_> = sites
        .map(|(path, origin)| format!("{path} {origin}"))
        .collect();
    assert_eq!(sites, ["a::b h.yaml:3:5", "c h.yaml:4:5"]);
    let layers = config.overridden_at("a::b").into_iter();
    let layers: Vec<_> = layers
        .map(|(kind, name, origin)| format!("{kind:?} {name} {origin}"))
        .collect();
    assert_eq!(
        layers,
        ["Retry retry h.yaml:3:14", "Cache cache h.yaml:3:40"]
    );
}

fn interval(file: &str, env: &[(&str, &str)], name: &str, inline: &[(&str, &str)]) -> u64 {
    let env = Environment::from_pairs(env.iter().copied());
    let config = Config::parse(file.as_bytes(), "h.yaml", &env).unwrap();
    let check = config.health_check(name, "src/lib.rs:30", inline).unwrap();
    check.interval.as_secs()
}

#[test]
fn the_stronger_setting_of_a_check_wins() {
    let inline = [("interval", "1")];
    let all = ("HARDENING__HEALTH_CHECKS__INTERVAL", "2");
    let one = ("HARDENING__HEALTH_CHECKS__DATABASE__INTERVAL", "3");
    for (file, env, name, inline, wins) in [
        ("", &[][..], "database", &[][..], 30),
        (FILE, &[], "other", &[], 45),
        (FILE, &[], "other", &inline, 1),
        (FILE, &[], "database", &inline, 20),
        (FILE, &[all], "other", &inline, 2),
        (FILE, &[all], "database", &inline, 20),
        (FILE, &[all, one], "database", &inline, 3),
    ] {
        assert_eq!(
            interval(file, env, name, inline),
            wins,
            "{name} {env:?} {inline:?}"
        );
    }
}

#[test]
fn a_check_with_wrong_settings_is_told_all_of_them() {
    let inline = [("interval", "0"), ("critcal", "true")];
    let errors = Config::builtin().health_check("a", "src/lib.rs:30", &inline);
    let errors = errors.unwrap_err().to_string();
    assert!(errors.contains("attribute at src/lib.rs:30: health_check.critcal: unknown key; did you mean `critical`?"), "{errors}");
    assert!(
        errors.contains("health_check.interval: `0` is out of range"),
        "{errors}"
    );
    for (key, text) in inline {
        assert!(check_health_setting(key, text).is_err());
    }
    check_health_setting("groups", "[liveness]").unwrap();
}

#[test]
fn a_check_may_be_derived_from_a_layer() {
    let health = health(
        "runtime: {health_checks: {providers: {ai: {derive: circuit_breaker}, reports: {derive: bulkhead, name: pdf}}}}",
    );
    let (ai, reports) = (&health.providers["ai"], &health.providers["reports"]);
    assert_eq!((ai.derive, &ai.name), (Some(Derive::CircuitBreaker), &None));
    assert_eq!(reports.derive, Some(Derive::Bulkhead));
    assert_eq!(reports.name.as_deref(), Some("pdf"));
}

#[track_caller]
fn refused(provider: &str) -> String {
    let file = format!("runtime: {{health_checks: {{providers: {{ai: {provider}}}}}}}");
    let refused = Config::parse(file.as_bytes(), "h.yaml", &Environment::none());
    refused.unwrap_err().to_string()
}

#[test]
fn a_derived_check_in_liveness_is_refused_where_it_says_so() {
    let said = refused("{derive: circuit_breaker, groups: [readiness, liveness]}");
    assert!(
        said.starts_with("h.yaml:1:") && said.contains("groups"),
        "{said}"
    );
    assert!(said.contains("write `groups: [readiness]`"), "{said}");
}

#[test]
fn a_name_without_what_it_is_the_name_of_is_refused() {
    let said = refused("{name: ai}");
    assert!(said.contains("write `derive: circuit_breaker`"), "{said}");
}
