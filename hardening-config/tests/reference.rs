//! `reference.yaml` is held to the code: it loads, it has every key, and every value in it is the default.

use hardening_config::{
    BulkheadPolicy, CachePolicy, CircuitBreakerPolicy, Config, Environment, HealthPolicy, Key,
    LayerKind, Policy, Provider, RetryPolicy, Selection, TimeoutPolicy,
    policy::{HealthDefaults, RuntimePolicy, SectionPolicy},
    schema::Settings,
};
use serde_yaml::Value;

const REFERENCE: &str = include_str!("../reference.yaml");

fn config() -> Config {
    Config::parse(REFERENCE.as_bytes(), "reference.yaml", &Environment::none()).unwrap()
}

fn section(path: &[&str]) -> Value {
    let root: Value = serde_yaml::from_str(REFERENCE).unwrap();
    path.iter()
        .fold(root["runtime"].clone(), |at, key| at[*key].clone())
}

fn keys(mapping: &Value) -> Vec<&str> {
    let keys = mapping.as_mapping().unwrap().keys();
    keys.map(|key| key.as_str().unwrap()).collect()
}

fn names<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Vec<&'a str> {
    keys.into_iter().map(|key| key.name).collect()
}

/// The default policy of the file says every key, and says what the code says.
fn holds<P: Policy + Default + std::fmt::Debug>() {
    let kind = P::KIND;
    let written = section(&[kind.section().unwrap(), "default_policy"]);
    assert_eq!(keys(&written), names(kind.keys()), "{kind:?}");
    let resolved = config().resolve::<P>(&Selection::default()).unwrap();
    assert_eq!(resolved.policy, P::default());
    assert!(resolved.enabled && !resolved.observe && resolved.warnings.is_empty());
    for setting in resolved.settings {
        let origin = setting.origin.to_string();
        assert!(
            origin.starts_with("reference.yaml:"),
            "{kind:?} {setting:?}"
        );
    }
}

#[test]
fn every_default_policy_is_the_default_of_the_code() {
    holds::<RetryPolicy>();
    holds::<CircuitBreakerPolicy>();
    holds::<TimeoutPolicy>();
    holds::<BulkheadPolicy>();
    holds::<CachePolicy>();
}

#[test]
fn the_ops_have_every_key() {
    let mut written = section(&["rate_limiting", "defaults", "search"]);
    let limits = section(&["rate_limiting", "defaults", "api"]);
    assert_eq!(keys(&limits), ["limits"]);
    written
        .as_mapping_mut()
        .unwrap()
        .insert("limits".into(), Value::Null);
    let (mut written, mut known) = (keys(&written), names(LayerKind::RateLimit.keys()));
    written.sort_unstable();
    known.sort_unstable();
    assert_eq!(written, known);
}

#[test]
fn the_optional_keys_of_an_op_are_its_defaults() {
    let config = config();
    let bare =
        b"runtime: {rate_limiting: {defaults: {search: {capacity: 30, window_seconds: 60}}}}";
    let bare = Config::parse(bare, "bare.yaml", &Environment::none()).unwrap();
    let search = Selection {
        name: Some("search"),
        ..Selection::default()
    };
    let resolve = |config: &Config| {
        let op = config
            .resolve::<hardening_config::RateLimitPolicy>(&search)
            .unwrap();
        (op.policy, op.enabled, op.observe)
    };
    assert_eq!(resolve(&config), resolve(&bare));
}

#[test]
fn every_section_says_its_own_keys() {
    for kind in LayerKind::ALL
        .into_iter()
        .filter(|kind| kind.section().is_some())
    {
        let written = section(&[kind.section().unwrap()]);
        let known = SectionPolicy::KEYS.iter().filter(|key| match key.name {
            "mode" | "cleanup_threshold" => kind == LayerKind::RateLimit,
            "retryable_codes" => kind == LayerKind::Retry,
            _ => true,
        });
        for key in names(known) {
            assert!(keys(&written).contains(&key), "{kind:?} {key}");
        }
    }
    let defaults = SectionPolicy::default();
    assert_eq!(config().cleanup_threshold(), defaults.cleanup_threshold);
    assert_eq!(config().retryable_codes(), defaults.retryable_codes);
}

#[test]
fn the_health_checks_are_the_defaults_of_the_code() {
    let health = config().health().clone();
    let mut bare = health.clone();
    bare.providers.clear();
    assert_eq!(bare, HealthPolicy::default());
    assert_eq!(health.providers["database"], Provider::default());
    let written = section(&["health_checks"]);
    assert_eq!(
        keys(&written),
        [names(HealthDefaults::KEYS), vec!["providers"]].concat()
    );
    let provider = section(&["health_checks", "providers", "database"]);
    assert_eq!(keys(&provider), names(Provider::KEYS));
}

#[test]
fn every_key_of_the_runtime_itself_is_there_with_its_default() {
    let written = section(&[]);
    for key in names(RuntimePolicy::KEYS) {
        assert!(keys(&written).contains(&key), "{key}");
    }
    assert_eq!(*config().runtime(), RuntimePolicy::default());
}

#[test]
fn the_override_names_every_kind() {
    let site = section(&["overrides", "shop::orders::place"]);
    assert_eq!(keys(&site).len(), LayerKind::ALL.len() - 1);
}
