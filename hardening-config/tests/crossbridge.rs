//! A file that users already have loads as it is, with its numbers.

use std::time::Duration;

use hardening_config::{
    CircuitBreakerPolicy, Config, Environment, HealthGroup, LayerKind, RateLimitPolicy,
    RetryPolicy, Selection,
};

fn crossbridge() -> Config {
    let bytes = include_bytes!("files/crossbridge.yml");
    Config::parse(bytes, "crossbridge.yml", &Environment::none()).unwrap()
}

fn retry(config: &Config, name: Option<&str>) -> RetryPolicy {
    let selection = Selection {
        name,
        ..Selection::default()
    };
    config.resolve(&selection).unwrap().policy
}

fn op(config: &Config, name: &str) -> RateLimitPolicy {
    let selection = Selection {
        name: Some(name),
        ..Selection::default()
    };
    config.resolve(&selection).unwrap().policy
}

#[test]
fn its_retry_policies_have_its_numbers() {
    for (name, attempts, base, max) in [
        ("default", 3, 0.5, 5.0),
        ("expensive", 5, 1.0, 10.0),
        ("quick", 2, 0.1, 1.0),
        ("conservative", 3, 2.0, 30.0),
    ] {
        for config in [crossbridge(), Config::builtin()] {
            let policy = retry(&config, Some(name));
            assert_eq!(policy.max_attempts, attempts, "{name}");
            assert_eq!(policy.base_delay, Duration::from_secs_f64(base), "{name}");
            assert_eq!(policy.max_delay, Duration::from_secs_f64(max), "{name}");
            assert!((policy.exponential_base - 2.0).abs() < f64::EPSILON);
        }
    }
    assert_eq!(retry(&crossbridge(), None), RetryPolicy::default());
}

#[test]
fn its_operations_have_its_numbers() {
    for (name, capacity) in [
        ("search", 30),
        ("transform", 10),
        ("embed", 60),
        ("ai_generate", 20),
        ("health_check", 100),
    ] {
        for config in [crossbridge(), Config::builtin()] {
            let policy = op(&config, name);
            assert_eq!(policy.limits.len(), 1);
            assert_eq!(policy.limits[0].capacity, capacity, "{name}");
            assert_eq!(policy.limits[0].window, Duration::from_secs(60), "{name}");
            assert_eq!(policy.max_wait, Duration::ZERO);
        }
    }
    assert_eq!(crossbridge().cleanup_threshold(), 1000);
}

#[test]
fn its_health_checks_have_its_numbers() {
    let config = crossbridge();
    let health = config.health();
    assert_eq!(health.interval, Duration::from_secs(30));
    assert_eq!(health.timeout, Duration::from_secs(10));
    assert_eq!((health.failure_threshold, health.success_threshold), (3, 1));
    let intervals: Vec<_> = health
        .providers
        .iter()
        .map(|(name, provider)| (name.as_str(), provider.interval.as_secs()))
        .collect();
    assert_eq!(
        intervals,
        [
            ("ai_provider", 60),
            ("database", 20),
            ("embedding_provider", 60),
            ("vector_store", 30)
        ]
    );
    let database = &health.providers["database"];
    assert!(database.enabled && !database.critical);
    assert_eq!(database.check_type.as_deref(), Some("ping"));
    assert_eq!(database.timeout, Duration::from_secs(10));
    assert_eq!(database.groups, [HealthGroup::Readiness]);
    let (name, origin) = &config.named_checks()[3];
    assert_eq!(
        format!("{name} at {origin}"),
        "database at crossbridge.yml:49:7"
    );
}

#[test]
fn sections_that_it_leaves_out_have_their_default() {
    let config = crossbridge();
    assert_eq!(config.names(LayerKind::CircuitBreaker), ["default"]);
    let breaker = config
        .resolve::<CircuitBreakerPolicy>(&Selection::default())
        .unwrap();
    assert_eq!(breaker.policy, CircuitBreakerPolicy::default());
    assert!(breaker.enabled);
    assert_eq!(config.retryable_codes(), [429, 500, 502, 503, 504]);
}

#[test]
fn a_setting_knows_its_line() {
    let config = crossbridge();
    let selection = Selection {
        name: Some("expensive"),
        at: "src/lib.rs:30",
        inline: &[("jitter", "equal")],
        ..Selection::default()
    };
    let resolved = config.resolve::<RetryPolicy>(&selection).unwrap();
    let shown: Vec<String> = resolved
        .settings
        .iter()
        .map(|setting| format!("{}={} ({})", setting.key, setting.value, setting.origin))
        .collect();
    assert_eq!(
        shown,
        [
            "max_attempts=5 (crossbridge.yml:27:7)",
            "base_delay=1s (crossbridge.yml:28:7)",
            "max_delay=10s (crossbridge.yml:29:7)",
            "exponential_base=2 (crossbridge.yml:24:7)",
            "jitter=equal (attribute at src/lib.rs:30)",
            "max_elapsed=null (built-in)",
            "budget={ratio: 0.2, min_per_second: 10} (built-in)",
            "enabled=true (built-in)",
        ]
    );
}
