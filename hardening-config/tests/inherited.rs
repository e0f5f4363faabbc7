//! What is written somewhere is not refused for what it only inherits from a weaker place.

use hardening_config::{
    CachePolicy, CircuitBreakerPolicy, Config, Environment, LayerKind, Policy, Resolved,
    RetryPolicy, Selection, TimeoutPolicy,
};
use std::time::Duration;

type Inline<'a> = &'a [(&'a str, &'a str)];

const HOW: &str = "; if it is meant so, write `allow: [conflicts_with_inherited]`";

fn read(file: &str, env: &[(&str, &str)]) -> Config {
    let env = Environment::from_pairs(env.iter().copied());
    let file = format!("runtime: {{{file}}}");
    Config::parse(file.as_bytes(), "h.yaml", &env)
        .unwrap_or_else(|errors| panic!("{file}: {errors}"))
}

fn warnings(config: &Config) -> Vec<String> {
    config.warnings().iter().map(ToString::to_string).collect()
}

/// What is in force with these inline settings, which the compiler takes, and the one warning of the start.
#[track_caller]
fn with_a_warning<P: Policy>(file: &str, inline: Inline<'_>) -> (Resolved<P>, String) {
    let config = read(file, &[]);
    assert_eq!(warnings(&config), [""; 0], "of the file {file}");
    assert_eq!(
        config.check_settings(P::KIND, None, inline),
        [],
        "{inline:?}"
    );
    let selection = Selection {
        at: "src/lib.rs:30",
        inline,
        ..Selection::default()
    };
    let resolved = config.resolve::<P>(&selection).unwrap();
    let [warning] = resolved.warnings.as_slice() else {
        panic!("{inline:?}: {:?}", resolved.warnings);
    };
    let warning = warning.to_string();
    let told = warning
        .strip_suffix(HOW)
        .unwrap_or_else(|| panic!("{warning}"));
    (resolved, told.to_owned())
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_delay_written_inline_is_not_refused_for_the_one_that_it_inherits() {
    let (resolved, told) = with_a_warning::<RetryPolicy>("", &[("base_delay", "10")]);
    assert_eq!(
        told,
        "attribute at src/lib.rs:30: retryable.base_delay: `base_delay` (10s) is longer than \
         `max_delay` (5s by default), which caps every wait: raise `max_delay` or lower `base_delay`"
    );
    assert_eq!(resolved.policy.longest_wait(1), s(5));
    let (resolved, told) = with_a_warning::<RetryPolicy>("", &[("max_delay", "\"100ms\"")]);
    assert!(
        told.contains("retryable.max_delay: `base_delay` (500ms by default) is longer"),
        "{told}"
    );
    assert_eq!(resolved.policy.longest_wait(1), Duration::from_millis(100));
    let (_, told) =
        with_a_warning::<RetryPolicy>("", &[("max_elapsed", "0.1"), ("jitter", "false")]);
    assert!(told.contains("so that nothing is retried"), "{told}");
    // A wait that `max_delay` cuts short is over in time.
    let short: Inline<'_> = &[
        ("max_elapsed", "0.3"),
        ("jitter", "false"),
        ("max_delay", "0.2"),
    ];
    let (_, told) = with_a_warning::<RetryPolicy>("", short);
    assert!(told.contains("retryable.max_delay"), "{told}");
}

#[test]
fn an_attempt_and_a_call_are_not_refused_for_one_another() {
    let (resolved, told) = with_a_warning::<TimeoutPolicy>("", &[("attempt", "\"30s\"")]);
    assert!(
        told.contains("`attempt` (30s) is longer than `call` (15s by default)"),
        "{told}"
    );
    assert_eq!(resolved.policy.call, Some(s(15)));
    let file = "timeout: {default_policy: {call: 15, attempt: 5}}";
    let (_, told) = with_a_warning::<TimeoutPolicy>(file, &[("call", "2")]);
    assert!(
        told.contains("timeout.call: `attempt` (5s from h.yaml:1:48) is longer than `call` (2s)"),
        "{told}"
    );
}

#[test]
fn what_bounds_a_circuit_gives_way_to_what_is_written() {
    let file = "circuit_breaker: {default_policy: {open_for_max: 600}}";
    let (resolved, told) = with_a_warning::<CircuitBreakerPolicy>(file, &[("open_for", "3600")]);
    assert!(
        told.contains("so each opening lasts `open_for`: raise"),
        "{told}"
    );
    assert_eq!(resolved.policy.open_for_max, s(3600));
    let file = "circuit_breaker: {default_policy: {minimum_calls: 10}}";
    let window: Inline<'_> = &[("failure_rate", "0.5"), ("window_calls", "4")];
    let (resolved, told) = with_a_warning::<CircuitBreakerPolicy>(file, window);
    assert!(
        told.contains("so rates count once the window is full: raise"),
        "{told}"
    );
    assert_eq!(resolved.policy.minimum_calls, 4);
    let shown = resolved.settings.iter().find(|s| s.key == "minimum_calls");
    assert_eq!(shown.unwrap().value, "4", "what is shown is what counts");
}

#[test]
fn a_slow_call_that_is_switched_off_takes_its_inherited_rate_with_it() {
    let file = "circuit_breaker: {default_policy: {slow_call: 2, slow_call_rate: 0.5}}";
    let (_, told) = with_a_warning::<CircuitBreakerPolicy>(file, &[("slow_call", "null")]);
    assert!(
        told.contains("`slow_call_rate` never counts without `slow_call`"),
        "{told}"
    );
    // Where nobody says how slow is slow, it is forgotten.
    let forgotten: Inline<'_> = &[("slow_call_rate", "0.5")];
    let wrong = read("", &[]).check_settings(LayerKind::CircuitBreaker, None, forgotten);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
}

#[test]
fn parts_of_a_ttl_that_are_inherited_are_cut_to_half_of_it() {
    let file = "cache: {default_policy: {ttl: 3600, ttl_jitter: 300, refresh_ahead: 30}}";
    let (resolved, told) = with_a_warning::<CachePolicy>(file, &[("ttl", "60")]);
    assert!(
        told.contains("cached.ttl: `ttl_jitter` (5m from h.yaml:1:47) is not shorter than `ttl` (1m), so half of `ttl` counts"),
        "{told}"
    );
    assert_eq!(
        (resolved.policy.ttl_jitter, resolved.policy.refresh_ahead),
        (s(30), s(30))
    );
    let file = "cache: {default_policy: {ttl: 3600, refresh_ahead: 300}}";
    let (resolved, _) = with_a_warning::<CachePolicy>(file, &[("ttl", "10")]);
    assert_eq!(resolved.policy.refresh_ahead, s(5));
}

#[test]
fn a_policy_of_the_file_is_told_once_wherever_it_is_used() {
    let config = read(
        "retry: {default_policy: {max_delay: 8}, other_policy: {base_delay: 20}}",
        &[],
    );
    let told = warnings(&config);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("h.yaml:1:66: runtime.retry.other_policy.base_delay: `base_delay` (20s) is longer than `max_delay` (8s from h.yaml:1:36)"),
        "{told:?}"
    );
    let other = Selection {
        name: Some("other"),
        ..Selection::default()
    };
    let resolved = config.resolve::<RetryPolicy>(&other).unwrap();
    assert_eq!(resolved.warnings[0].to_string(), told[0]);
    let allowed = "retry: {other_policy: {base_delay: 20, allow: [conflicts_with_inherited]}}";
    assert_eq!(warnings(&read(allowed, &[])), [""; 0]);
}

#[test]
fn variables_and_overrides_are_stronger_places_too() {
    let file =
        "retry: {default_policy: {max_delay: 8}}, overrides: {a::b: {retry: {base_delay: 20}}}";
    let overridden = Selection {
        site: "a::b",
        ..Selection::default()
    };
    let resolved = read(file, &[]).resolve::<RetryPolicy>(&overridden).unwrap();
    assert!(
        resolved.warnings[0]
            .to_string()
            .starts_with("h.yaml:1:79: runtime.overrides.\"a::b\".retry.base_delay")
    );
    let base = ("HARDENING__RETRY__DEFAULT__BASE_DELAY", "20");
    let config = read("retry: {default_policy: {max_delay: 8}}", &[base]);
    let told = warnings(&config);
    assert!(
        told[0]
            .starts_with("env HARDENING__RETRY__DEFAULT__BASE_DELAY: `base_delay` (the value of"),
        "{told:?}"
    );
}

#[test]
fn values_written_at_one_place_are_an_error_as_ever() {
    let wrong = |file: &str, env: &[(&str, &str)]| {
        let env = Environment::from_pairs(env.iter().copied());
        let file = format!("runtime: {{{file}}}");
        Config::parse(file.as_bytes(), "h.yaml", &env).unwrap_err()
    };
    for file in [
        "retry: {default_policy: {base_delay: 20, max_delay: 8}}",
        "timeout: {a_policy: {call: 2, attempt: 5}}",
        "circuit_breaker: {a_policy: {open_for: 60, open_for_max: 30}}",
        "circuit_breaker: {a_policy: {slow_call: null, slow_call_rate: 1}}",
        "cache: {a_policy: {ttl: 5, ttl_jitter: 5}}",
        "overrides: {a::b: {retry: {base_delay: 20, max_delay: 8}}}",
    ] {
        assert_eq!(wrong(file, &[]).len(), 1, "{file}");
    }
    let both = [
        ("HARDENING__RETRY__DEFAULT__BASE_DELAY", "20"),
        ("HARDENING__RETRY__DEFAULT__MAX_DELAY", "8"),
    ];
    assert_eq!(wrong("", &both).len(), 1);
    let inline: Inline<'_> = &[("base_delay", "8"), ("max_delay", "1")];
    let problems = read("", &[]).check_settings(LayerKind::Retry, None, inline);
    assert!(
        problems[0].1.to_string().contains("which caps every wait"),
        "{problems:?}"
    );
}
