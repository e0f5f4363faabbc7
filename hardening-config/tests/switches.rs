//! What stands above the policies: `watch`, and the `enabled` and `mode` of sections.

use hardening_config::{
    BulkheadPolicy, CachePolicy, CircuitBreakerPolicy, Config, Environment, Policy,
    RateLimitPolicy, Resolved, RetryPolicy, Selection, TimeoutPolicy,
};
use std::time::Duration;

fn parse_in(yaml: &str, env: &Environment) -> Result<Config, String> {
    Config::parse(yaml.as_bytes(), "hardening.yaml", env).map_err(|errors| errors.to_string())
}

fn parse(yaml: &str) -> Result<Config, String> {
    parse_in(yaml, &Environment::none())
}

fn watch(yaml: &str) -> Option<Duration> {
    parse(yaml).unwrap().runtime().watch
}

#[test]
fn the_file_is_not_watched_unless_it_says_so() {
    assert_eq!(Config::builtin().runtime().watch, None);
    assert_eq!(watch("runtime: {}"), None);
    assert_eq!(watch("runtime: {watch: null}"), None);
    assert_eq!(watch("runtime: {watch: 5}"), Some(Duration::from_secs(5)));
    assert_eq!(
        watch("runtime: {watch: 100ms}"),
        Some(Duration::from_millis(100))
    );
}

#[test]
fn an_interval_that_makes_no_sense_is_refused_at_its_place() {
    for (yaml, said) in [
        (
            "runtime:\n  watch: 0",
            "hardening.yaml:2:10: runtime.watch: `0` is out of range: write at least 100ms",
        ),
        (
            "runtime: {watch: 99ms}",
            "out of range: write at least 100ms",
        ),
        ("runtime: {watch: true}", "`true` is refused: write"),
        ("runtime: {wach: 5}", "unknown key; did you mean `watch`?"),
    ] {
        let errors = parse(yaml).unwrap_err();
        assert!(errors.contains(said), "{yaml}: {errors}");
    }
}

#[test]
fn the_environment_beats_the_file() {
    let env = Environment::from_pairs([("HARDENING__WATCH", "2s")]);
    let config = parse_in("runtime: {watch: 5}", &env).unwrap();
    assert_eq!(config.runtime().watch, Some(Duration::from_secs(2)));
    let env = Environment::from_pairs([("HARDENING__WATCH", "never")]);
    let errors = parse_in("runtime: {}", &env).unwrap_err();
    assert!(errors.contains("env HARDENING__WATCH"), "{errors}");
}

fn resolve<P: Policy>(yaml: &str, selection: &Selection<'_>) -> Resolved<P> {
    parse(yaml).unwrap().resolve(selection).unwrap()
}

/// Whether the op `a` is observed, and where that was said.
fn observed(yaml: &str, inline: &[(&str, &str)]) -> (bool, String) {
    let selection = Selection {
        site: "shop::place",
        at: "src/lib.rs:3",
        name: Some("a"),
        inline,
    };
    let resolved = resolve::<RateLimitPolicy>(yaml, &selection);
    let mode = resolved.settings.iter().find(|set| set.key == "mode");
    let mode = mode.expect("an op has a mode");
    assert_eq!(mode.value == "observe", resolved.observe);
    (resolved.observe, mode.origin.to_string())
}

#[test]
fn the_mode_of_the_section_holds_for_ops_that_do_not_say_it_themselves() {
    let op = "capacity: 1, window_seconds: 1";
    let plain = format!("runtime: {{rate_limiting: {{mode: observe, defaults: {{a: {{{op}}}}}}}}}");
    assert_eq!(
        observed(&plain, &[]),
        (true, "hardening.yaml:1:27".to_owned())
    );
    assert!(!observed(&plain, &[("mode", "enforce")]).0, "the attribute");
    let own = plain.replace(op, &format!("{op}, mode: enforce"));
    assert!(!observed(&own, &[]).0, "the op");
    let site = plain.replace(
        "runtime: {",
        "runtime: {overrides: {\"shop::place\": {rate_limit: {mode: enforce}}}, ",
    );
    assert!(!observed(&site, &[]).0, "the override");
    let none = plain.replace("mode: observe, ", "");
    assert_eq!(observed(&none, &[]), (false, "built-in".to_owned()));
}

#[test]
fn a_variable_observes_all_ops() {
    let yaml = "runtime: {rate_limiting: {defaults: {a: {capacity: 1, window_seconds: 1}}}}";
    let env = Environment::from_pairs([("HARDENING__RATE_LIMITING__MODE", "observe")]);
    let config = parse_in(yaml, &env).unwrap();
    let selection = Selection {
        name: Some("a"),
        ..Selection::default()
    };
    assert!(
        config
            .resolve::<RateLimitPolicy>(&selection)
            .unwrap()
            .observe
    );
}

#[test]
fn only_the_section_of_the_ops_has_a_mode() {
    for section in ["retry", "timeout", "bulkhead", "cache", "circuit_breaker"] {
        let errors = parse(&format!("runtime: {{{section}: {{mode: observe}}}}")).unwrap_err();
        assert!(errors.contains("mode"), "{errors}");
    }
}

/// Whether the layer is on with each place saying so, or not.
fn switched<P: Policy>() {
    let (section, named) = match P::KIND.section().unwrap() {
        "rate_limiting" => (
            "rate_limiting",
            "defaults: {a: {capacity: 1, window_seconds: 1, SWITCH}}",
        ),
        section => (section, "a_policy: {SWITCH}"),
    };
    for (on_section, on_policy, on_site) in [
        (true, true, true),
        (false, true, true),
        (true, false, false),
        (true, true, false),
        (false, false, true),
    ] {
        let named = named.replace("SWITCH", &format!("enabled: {on_policy}"));
        let yaml = format!(
            "runtime: {{{section}: {{enabled: {on_section}, {named}}}, \
             overrides: {{\"shop::place\": {{{section}: {{enabled: {on_site}}}}}}}}}"
        );
        let of = |site| Selection {
            site,
            name: Some("a"),
            ..Selection::default()
        };
        let here = resolve::<P>(&yaml, &of("shop::place")).enabled;
        let elsewhere = resolve::<P>(&yaml, &of("shop::other")).enabled;
        assert_eq!(here, on_section && on_site, "{yaml}");
        assert_eq!(elsewhere, on_section && on_policy, "{yaml}");
    }
}

#[test]
fn every_kind_can_be_switched_off_by_section_policy_and_override() {
    switched::<RetryPolicy>();
    switched::<RateLimitPolicy>();
    switched::<CircuitBreakerPolicy>();
    switched::<TimeoutPolicy>();
    switched::<BulkheadPolicy>();
    switched::<CachePolicy>();
}
