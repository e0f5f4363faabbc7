//! The names and settings that the macros check.

use hardening_config::{Config, Environment, LayerKind, RetryPolicy, Selection, check_setting};

fn crossbridge() -> Config {
    let bytes = include_bytes!("files/crossbridge.yml");
    Config::parse(bytes, "crossbridge.yml", &Environment::compiling()).unwrap()
}

#[test]
fn without_a_file_the_built_in_names_exist() {
    let config = Config::builtin();
    assert_eq!(config.file(), None);
    assert_eq!(
        config.names(LayerKind::Retry),
        ["default", "expensive", "quick", "conservative"]
    );
    assert_eq!(
        config.names(LayerKind::RateLimit),
        [
            "search",
            "transform",
            "embed",
            "ai_generate",
            "health_check"
        ]
    );
    for kind in [
        LayerKind::Cache,
        LayerKind::Timeout,
        LayerKind::CircuitBreaker,
        LayerKind::Bulkhead,
    ] {
        assert_eq!(config.names(kind), ["default"]);
    }
    assert!(config.names(LayerKind::Fallback).is_empty());
    assert!(config.health().providers.is_empty());
}

#[test]
fn with_a_file_only_what_it_defines_exists_and_default() {
    let file = b"runtime: {retry: {slow_policy: {}}}";
    let config = Config::parse(file, "h.yaml", &Environment::none()).unwrap();
    assert_eq!(config.names(LayerKind::Retry), ["default", "slow"]);
    assert!(config.names(LayerKind::RateLimit).is_empty());
    assert_eq!(
        config
            .check_name(LayerKind::Retry, "expensive")
            .unwrap_err()
            .to_string(),
        "h.yaml defines no retry policy `expensive` (known: default, slow)"
    );
    assert_eq!(
        config
            .check_name(LayerKind::RateLimit, "search")
            .unwrap_err()
            .to_string(),
        "h.yaml defines no op `search`, nor any other: write `search: {capacity: 30, \
         window_seconds: 60}` under `runtime.rate_limiting.defaults`"
    );
}

#[test]
fn an_undefined_name_is_answered_with_the_nearest() {
    let config = crossbridge();
    assert_eq!(config.check_name(LayerKind::Retry, "expensive"), Ok(()));
    let problem = config.check_name(LayerKind::Retry, "expnsive").unwrap_err();
    assert_eq!(problem.suggestion.as_deref(), Some("expensive"));
    assert_eq!(
        problem.to_string(),
        "crossbridge.yml defines no retry policy `expnsive`; did you mean `expensive`? \
         (known: default, expensive, quick, conservative)"
    );
    let problem = config
        .check_name(LayerKind::RateLimit, "serach")
        .unwrap_err();
    assert_eq!(problem.suggestion.as_deref(), Some("search"));
    let policy = config
        .check_name(LayerKind::Retry, "quick_policy")
        .unwrap_err();
    assert_eq!(policy.suggestion.as_deref(), Some("quick"));
}

#[test]
fn an_undefined_name_at_start_says_where_the_attribute_is() {
    let selection = Selection {
        at: "src/lib.rs:30",
        name: Some("expnsive"),
        ..Selection::default()
    };
    let errors = crossbridge()
        .resolve::<RetryPolicy>(&selection)
        .unwrap_err();
    assert!(
        errors
            .to_string()
            .starts_with("attribute at src/lib.rs:30: retryable.policy: crossbridge.yml defines no retry policy `expnsive`"),
        "{errors}"
    );
}

#[test]
#[allow(clippy::too_many_lines, reason = "it is a table")]
fn an_inline_setting_is_checked_like_the_file() {
    use LayerKind::{Bulkhead, Cache, CircuitBreaker, RateLimit, Retry, Timeout};
    for (kind, key, text) in [
        (Retry, "max_attempts", "5"),
        (Retry, "max_attempts", "5.0"),
        (Retry, "base_delay", "\"200ms\""),
        (Retry, "base_delay", "0.2"),
        (Retry, "budget", "{ratio: 0.1}"),
        (Retry, "budget", "false"),
        (Retry, "jitter", "true"),
        (Retry, "jitter", "\"equal\""),
        (Retry, "max_elapsed", "null"),
        (Retry, "enabled", "false"),
        (Timeout, "call", "\"15s\""),
        (RateLimit, "limits", "[{capacity: 1, window_seconds: 1}]"),
        (RateLimit, "scope", "global"),
        (RateLimit, "mode", "observe"),
        (CircuitBreaker, "failure_rate", "0.5"),
        (Cache, "ttl", "3600"),
        (Bulkhead, "max_queue", "0"),
    ] {
        assert_eq!(
            check_setting(kind, key, text),
            Ok(()),
            "{kind:?} {key} = {text}"
        );
    }
    for (kind, key, text, message) in [
        (
            Retry,
            "max_attempts",
            "0",
            "`0` is refused: write a whole number from 1 to 100",
        ),
        (
            Retry,
            "max_attempts",
            "1.5",
            "`1.5` is refused: write a whole number from 1 to 100",
        ),
        (
            Retry,
            "max_attempts",
            "-1",
            "`-1` is refused: write a whole number from 1 to 100",
        ),
        (
            Retry,
            "max_attempts",
            "\"5\"",
            "`5` in quotes is text: write a whole number from 1 to 100, without quotes",
        ),
        (
            Retry,
            "max_attempts",
            "99999999999999999999",
            "from 1 to 100",
        ),
        (
            Retry,
            "exponential_base",
            ".nan",
            "`.nan` is refused: write a number from 1 to 100",
        ),
        (Retry, "exponential_base", ".inf", "a number from 1 to 100"),
        (
            Retry,
            "base_delay",
            "\"10 parsecs\"",
            "`10 parsecs` is no duration",
        ),
        (Retry, "base_delay", "-0.5", "`-0.5` is negative"),
        (Retry, "base_delay", ".nan", "write a number of seconds"),
        (Retry, "base_delay", "1e300", "write a number of seconds"),
        (
            Retry,
            "base_delay",
            "\"11000d\"",
            "the longest duration is 10 years",
        ),
        (Retry, "max_elapsed", "0", "write a duration above 0"),
        (Retry, "budget", "{ratio: -1}", "`ratio`: `-1` is refused"),
        (
            Retry,
            "budget",
            "null",
            "nothing is refused: write `true`, `false` or a mapping such as",
        ),
        (Retry, "jitter", "ful", "did you mean `full`?"),
        (Retry, "mode", "observe", "unknown key"),
        (Retry, "colour", "1", "unknown key"),
        (
            RateLimit,
            "limits",
            "[{capacity: 1}]",
            "`[0]`: `window_seconds` is missing",
        ),
        (RateLimit, "capacity", "[", "this is no YAML"),
        (Retry, "max_attempts", "", "nothing is refused"),
        (Retry, "max_attempts", "${N:-5}", "`${N:-5}` is refused"),
        (LayerKind::Fallback, "max_attempts", "3", "unknown key"),
    ] {
        let problem = check_setting(kind, key, text).unwrap_err().to_string();
        assert!(problem.contains(message), "{key} = {text}: {problem}");
    }
}

fn check(kind: LayerKind, policy: Option<&str>, settings: &[(&str, &str)]) -> Vec<String> {
    let problems = crossbridge().check_settings(kind, policy, settings);
    let shown = problems
        .iter()
        .map(|(key, problem)| format!("{key}: {problem}"));
    shown.collect()
}

#[test]
fn inline_settings_are_checked_together_with_their_policy() {
    let long = [("base_delay", "8"), ("max_delay", "5")];
    assert_eq!(
        check(LayerKind::Retry, None, &long),
        [
            "base_delay: `base_delay` (8s) is longer than `max_delay` (5s), which caps every wait: raise `max_delay` or lower `base_delay`"
        ]
    );
    assert!(check(LayerKind::Retry, None, &long[..1]).is_empty());
    assert!(
        check(
            LayerKind::Retry,
            None,
            &[("base_delay", "8"), ("max_delay", "9")]
        )
        .is_empty()
    );
    let op = [("capacity", "3")];
    assert!(check(LayerKind::RateLimit, Some("search"), &op).is_empty());
    assert_eq!(
        check(LayerKind::RateLimit, None, &op),
        [
            "capacity: `window_seconds` is missing: write `op = \"…\"`, or `capacity` and `window_seconds`, or `limits` (known: search, transform, embed, ai_generate, health_check)"
        ]
    );
    assert_eq!(
        check(LayerKind::RateLimit, None, &[]),
        [
            ": it has no limit: write `op = \"…\"`, or `capacity` and `window_seconds`, or `limits` (known: search, transform, embed, ai_generate, health_check)"
        ]
    );
    assert_eq!(
        check(
            LayerKind::RateLimit,
            Some("search"),
            &[
                ("capacity", "3"),
                ("limits", "[{capacity: 1, window_seconds: 1}]")
            ]
        ),
        ["capacity: it cannot stand beside `limits`: write one of them"]
    );
}

#[test]
fn a_rate_limit_without_an_op_is_told_which_ops_exist() {
    for settings in [&[][..], &[("capacity", "3")], &[("max_wait", "1")]] {
        let problems = check(LayerKind::RateLimit, None, settings);
        assert_eq!(problems.len(), 1);
        let ops = "(known: search, transform, embed, ai_generate, health_check)";
        assert!(problems[0].contains("write `op = \"…\"`"), "{problems:?}");
        assert!(problems[0].ends_with(ops), "{problems:?}");
    }
}

#[test]
fn a_single_capacity_for_an_op_with_several_limits_is_refused_at_its_key() {
    let file = b"runtime: {rate_limiting: {defaults: {api: {limits: [{capacity: 1, window_seconds: 1}, {capacity: 9, window_seconds: 60}]}}}}";
    let config = Config::parse(file, "h.yaml", &Environment::compiling()).unwrap();
    let check = |inline: &[(&str, &str)]| {
        let problems = config.check_settings(LayerKind::RateLimit, Some("api"), inline);
        let keys = problems.into_iter();
        keys.map(|(key, problem)| format!("{key}: {problem}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        check(&[("capacity", "5")]),
        [
            "capacity: there are 2 limits here, so a single `capacity` says too little: write `limits`"
        ]
    );
    assert!(check(&[("limits", "[{capacity: 1, window_seconds: 1}]")]).is_empty());
    assert!(check(&[("max_wait", "1s")]).is_empty());
}

#[test]
fn what_is_wrong_with_a_setting_alone_is_not_told_twice() {
    let wrong = [("max_atempts", "5"), ("base_delay", "x"), ("jitter", "7")];
    for (key, text) in wrong {
        assert!(check_setting(LayerKind::Retry, key, text).is_err());
    }
    assert!(check(LayerKind::Retry, None, &wrong).is_empty());
    assert!(check(LayerKind::Fallback, None, &[("x", "1")]).is_empty());
}

#[test]
fn every_inline_mistake_is_reported_at_start() {
    let inline = [("max_atempts", "5"), ("base_delay", "x"), ("jitter", "7")];
    let selection = Selection {
        at: "src/lib.rs:30",
        name: Some("expnsive"),
        inline: &inline,
        ..Selection::default()
    };
    let errors = crossbridge()
        .resolve::<RetryPolicy>(&selection)
        .unwrap_err();
    let keys: Vec<_> = errors.iter().map(|error| error.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "retryable.policy",
            "retryable.max_atempts",
            "retryable.base_delay",
            "retryable.jitter"
        ]
    );
}

#[test]
fn a_policy_that_code_has_built_is_held_to_the_same_ranges_and_rules() {
    use hardening_config::{
        CircuitBreakerPolicy, Limit, Policy, RateLimitPolicy, Scope, TimeoutPolicy,
    };
    let told = |problems: Vec<hardening_config::Problem>| -> Vec<String> {
        problems.iter().map(ToString::to_string).collect()
    };
    assert!(RetryPolicy::default().validate().is_empty());
    assert!(TimeoutPolicy::default().validate().is_empty());
    let retry = RetryPolicy {
        max_attempts: 0,
        exponential_base: f64::NAN,
        ..RetryPolicy::default()
    };
    assert_eq!(
        told(retry.validate()),
        [
            "`max_attempts`: `0` is refused: write a whole number from 1 to 100",
            "`exponential_base`: `.nan` is refused: write a number from 1 to 100",
        ]
    );
    let breaker = CircuitBreakerPolicy {
        slow_call_rate: Some(0.5),
        ..CircuitBreakerPolicy::default()
    };
    assert_eq!(
        told(breaker.validate()),
        ["`slow_call_rate` never counts without `slow_call`: say how slow is slow"]
    );
    let limit = Limit {
        capacity: 5,
        window: std::time::Duration::from_secs(1),
        scope: Scope::Key,
    };
    let mut limits = RateLimitPolicy {
        limits: vec![limit, limit],
        max_wait: std::time::Duration::ZERO,
        max_keys: 10,
    };
    assert!(limits.validate().is_empty());
    limits.limits[1].capacity = 0;
    assert!(told(limits.validate())[0].contains("`limits[1].capacity`: `0` is refused"));
    limits.limits.clear();
    assert!(told(limits.validate())[0].contains("it has no limit"));
}
