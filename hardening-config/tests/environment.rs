//! `${VAR}` inside of values, and `HARDENING__…` instead of them.

use std::time::Duration;

use hardening_config::{
    Config, Environment, LayerKind, RateLimitPolicy, Resolved, RetryPolicy, Selection,
};

fn resolve(config: &Config, name: &str) -> Resolved<RetryPolicy> {
    let selection = Selection {
        name: Some(name),
        ..Selection::default()
    };
    config.resolve(&selection).unwrap()
}

fn read(settings: &str, env: &Environment) -> Result<RetryPolicy, String> {
    let file = format!("runtime:\n  retry:\n    a_policy:\n      {settings}\n");
    let config = Config::parse(file.as_bytes(), "h.yaml", env).map_err(|e| e.to_string())?;
    Ok(resolve(&config, "a").policy)
}

fn env() -> Environment {
    Environment::from_pairs([
        ("N", "7"),
        ("DELAY", "200ms"),
        ("SECRET", "hunter2"),
        ("OFF", "false"),
    ])
}

#[test]
fn variables_are_replaced_and_then_read_like_the_file() {
    let policy = read("max_attempts: ${N}", &env()).unwrap();
    assert_eq!(policy.max_attempts, 7);
    let policy = read("{max_attempts: \"${N}\", base_delay: '${DELAY}'}", &env()).unwrap();
    assert_eq!(policy.max_attempts, 7);
    assert_eq!(policy.base_delay, Duration::from_millis(200));
    assert_eq!(read("budget: ${OFF}", &env()).unwrap().budget, None);
    assert_eq!(
        read("max_attempts: ${N}0", &env()).unwrap().max_attempts,
        70
    );
    assert_eq!(
        read("max_attempts: ${NONE:-9}", &env())
            .unwrap()
            .max_attempts,
        9
    );
}

#[test]
fn an_unset_variable_is_an_error_at_its_place() {
    assert_eq!(
        read("max_attempts: ${NONE}", &env()).unwrap_err(),
        "h.yaml:4:21: runtime.retry.a_policy.max_attempts: the environment variable `NONE` is not \
         set: set it, or write `${NONE:-default}`"
    );
}

#[test]
fn while_compiling_a_variable_is_unchecked_and_its_default_is_checked() {
    let compiling = Environment::compiling();
    assert!(read("max_attempts: ${N}", &compiling).is_ok());
    assert!(read("max_attempts: ${N:-5}", &compiling).is_ok());
    let wrong = read("max_attempts: ${N:-lots}", &compiling).unwrap_err();
    assert!(wrong.contains("`lots` is refused"), "{wrong}");
    // What goes together cannot be known either.
    assert!(read("{base_delay: \"${B}\", max_delay: 0.1}", &compiling).is_ok());
    assert!(read("{base_delay: \"${B:-1}\", max_delay: 0.1}", &compiling).is_err());
    let op = "runtime: {rate_limiting: {defaults: {a: {capacity: '${C}', window_seconds: 1}}}}";
    Config::parse(op.as_bytes(), "h.yaml", &compiling).unwrap();
}

#[test]
fn a_variable_stands_for_no_mapping_or_list_whether_it_is_known_or_not() {
    for file in [
        "runtime: '${EMPTY}'",
        "runtime: {retry: '${EMPTY}'}",
        "runtime:\n  retry: ${NONE:-}\n",
        "runtime: {retry: {a_policy: '${EMPTY}'}}",
        "runtime: {retry: {a_policy: {<<: '${EMPTY}'}}}",
        "runtime: {retry: {retryable_codes: '${EMPTY}'}}",
        "runtime: {rate_limiting: {defaults: {a: {limits: '${EMPTY}'}}}}",
        "runtime: {overrides: {'a::b': {retry: '${EMPTY}'}}}",
    ] {
        let set = Environment::from_pairs([("EMPTY", "")]);
        for env in [Environment::compiling(), set] {
            assert!(
                Config::parse(file.as_bytes(), "h.yaml", &env).is_err(),
                "{file} {env:?}"
            );
        }
    }
}

#[test]
fn values_of_variables_are_never_printed() {
    for settings in [
        "max_attempts: ${SECRET}",
        "base_delay: ${SECRET}",
        "jitter: ${SECRET}",
        "budget: ${SECRET}",
        "budget: {ratio: \"x${SECRET}\"}",
    ] {
        let told = read(settings, &env()).unwrap_err();
        assert!(
            told.contains("the value of `${SECRET}` is refused"),
            "{told}"
        );
        assert!(!told.contains("hunter2"), "{told}");
    }
    let env = Environment::from_pairs([("B", "1234")]);
    let told = read("{base_delay: \"${B}\", max_delay: 1}", &env).unwrap_err();
    assert!(
        told.contains("`base_delay` (the value of `${B}`)"),
        "{told}"
    );
    assert!(!told.contains("1234"), "{told}");
    let env = Environment::from_pairs([("HARDENING__RETRY__A__MAX_ATTEMPTS", "hunter2")]);
    let told = read("max_attempts: 1", &env).unwrap_err();
    assert!(!told.contains("hunter2"), "{told}");
    assert!(!format!("{env:?}").contains("hunter2"));
}

#[test]
fn no_setting_of_any_section_prints_the_value_of_a_variable() {
    let env = |name: &str| Environment::from_pairs([(name, "hunter2"), ("SECRET", "hunter2")]);
    for kind in LayerKind::ALL {
        let Some(section) = kind.section() else {
            continue;
        };
        for key in kind.keys() {
            let key = key.name;
            let op =
                format!("limits: [{{capacity: 1, window_seconds: 1, {key}: \"${{SECRET}}\"}}]");
            let variable = format!("HARDENING__{section}__A__{key}").to_uppercase();
            for setting in [
                String::new(),
                format!("{key}: \"${{SECRET}}\""),
                format!("{key}: [\"${{SECRET}}\"]"),
                format!("{key}: {{ratio: \"${{SECRET}}\"}}"),
                op,
            ] {
                let policies = match kind {
                    LayerKind::RateLimit => format!("defaults: {{a: {{{setting}}}}}"),
                    _ => format!("a_policy: {{{setting}}}"),
                };
                let file = format!("runtime: {{{section}: {{{policies}}}}}");
                let name = if setting.is_empty() {
                    &variable
                } else {
                    "OTHER"
                };
                let told = Config::parse(file.as_bytes(), "h.yaml", &env(name));
                let told = told.map(drop).unwrap_err();
                assert!(!format!("{told} {told:?}").contains("hunter2"), "{told}");
            }
        }
    }
}

#[test]
fn inside_of_braces_a_variable_needs_no_quotes() {
    let file = "runtime: {retry: {retryable_codes: [429, ${CODE:-500}], a_policy: {max_attempts: ${N}, \
                base_delay: ${N}s, max_delay: ${MAX:-9s}, budget: {ratio: ${R:-0.5}}}}}";
    let env = Environment::from_pairs([("N", "3")]);
    let config = Config::parse(file.as_bytes(), "h.yaml", &env).unwrap();
    let policy = resolve(&config, "a").policy;
    assert_eq!(config.retryable_codes(), [429, 500]);
    assert_eq!(policy.max_attempts, 3);
    assert_eq!(
        (policy.base_delay.as_secs(), policy.max_delay.as_secs()),
        (3, 9)
    );
    // Mistakes are where they are, and show what is written.
    for (file, told) in [
        (
            "runtime: {retry: {a_policy: {max_attempts: ${N:-[9]}, x: 1}}}",
            "h.yaml:1:55: runtime.retry.a_policy.x: unknown key",
        ),
        (
            "runtime: {retry: {a_policy: {max_attempts: ${M:-a, b}}}}",
            "h.yaml:1:44: runtime.retry.a_policy.max_attempts: `a, b` is refused",
        ),
        (
            "runtime: {retry: {a_policy: {${N}: 1}}}",
            "h.yaml:1:30: runtime.retry.a_policy.${N}: unknown key",
        ),
    ] {
        let errors = Config::parse(file.as_bytes(), "h.yaml", &env).unwrap_err();
        assert!(errors.to_string().contains(told), "{file}: {errors}");
    }
    // No place is lost where it is known at run time only.
    let compiling = Config::parse(file.as_bytes(), "h.yaml", &Environment::compiling());
    compiling.unwrap();
}

#[test]
fn what_may_be_no_variable_is_told_to_take_quotes() {
    for (file, told) in [
        (
            "runtime: {retry: {a_policy: {max_attempts: ${N, base_delay: 2}}}",
            "h.yaml:1:44: inside of {…} and […], `${N, base_delay: 2}` needs quotes: write `\"${N, base_delay: 2}\"`",
        ),
        (
            "runtime:\n  retry:\n    retryable_codes: [429, ${CODE:-{}}]\n",
            "h.yaml:3:28: inside of {…} and […], `${CODE:-{}` needs quotes: write `\"${CODE:-{}\"`",
        ),
        (
            "runtime: {retry: {a_policy: {jitter: ${N:-\"full\"}}}}",
            "h.yaml:1:38: inside of {…} and […], `${N:-\"full\"}` needs quotes: write `'${N:-\"full\"}'`",
        ),
        (
            "runtime: {retry: {a_policy: {max_attempts: \"${N\", base_delay: 2}}}",
            "h.yaml:1:44: runtime.retry.a_policy.max_attempts: `${` is not closed: write `${NAME}`, or `$${` for \
             the text itself",
        ),
    ] {
        let env = Environment::from_pairs([("N", "3")]);
        let errors = Config::parse(file.as_bytes(), "h.yaml", &env).unwrap_err();
        assert_eq!(errors.to_string(), told);
    }
}

fn with(variables: &[(&str, &str)]) -> Result<Config, String> {
    let file = "runtime:\n  rate_limiting: {defaults: {search: {capacity: 30, window_seconds: 60}}}\n  \
                retry: {expensive_policy: {max_attempts: 5}, a__b_policy: {}, my-own_policy: {}}\n  \
                health_checks: {providers: {data-base: {interval: 20}}}\n";
    let env = Environment::from_pairs(variables.iter().copied());
    Config::parse(file.as_bytes(), "h.yaml", &env).map_err(|errors| errors.to_string())
}

#[test]
fn variables_take_the_place_of_settings() {
    let config = with(&[
        ("HARDENING__RETRY__EXPENSIVE__MAX_ATTEMPTS", "7"),
        ("HARDENING__RETRY__EXPENSIVE__BUDGET", "{ratio: 0.5}"),
        ("HARDENING__RETRY__A__B__BASE_DELAY", "250ms"),
        ("HARDENING__RETRY__MY_OWN__JITTER", "none"),
        ("HARDENING__RETRY__RETRYABLE_CODES", "[418]"),
        ("HARDENING__RATE_LIMITING__CLEANUP_THRESHOLD", "5"),
        ("HARDENING__CACHE__ENABLED", "false"),
        ("HARDENING__HEALTH_CHECKS__TIMEOUT", "3"),
        ("HARDENING__HEALTH_CHECKS__DATA_BASE__CRITICAL", "true"),
        ("HARDENING_CONFIG", "elsewhere.yaml"),
        ("HARDENINGX__Y", "1"),
    ])
    .unwrap();
    let expensive = resolve(&config, "expensive").policy;
    assert_eq!(expensive.max_attempts, 7);
    assert!((expensive.budget.unwrap().ratio - 0.5).abs() < f64::EPSILON);
    assert_eq!(
        resolve(&config, "a__b").policy.base_delay,
        Duration::from_millis(250)
    );
    assert_eq!(
        resolve(&config, "my-own").policy.jitter,
        hardening_config::Jitter::None
    );
    assert_eq!(config.retryable_codes(), [418]);
    assert_eq!(config.cleanup_threshold(), 5);
    let cache = config.resolve::<hardening_config::CachePolicy>(&Selection::default());
    assert!(!cache.unwrap().enabled);
    let provider = &config.health().providers["data-base"];
    assert_eq!(
        (provider.timeout, provider.interval),
        (Duration::from_secs(3), Duration::from_secs(20))
    );
    assert!(provider.critical);
}

#[test]
fn a_variable_may_follow_the_path_in_the_file() {
    let config = with(&[
        ("HARDENING__RETRY__EXPENSIVE_POLICY__MAX_ATTEMPTS", "7"),
        ("HARDENING__RETRY__DEFAULT_POLICY__MAX_DELAY", "9"),
        ("HARDENING__RATE_LIMITING__DEFAULTS__SEARCH__CAPACITY", "50"),
        (
            "HARDENING__HEALTH_CHECKS__PROVIDERS__DATA_BASE__INTERVAL",
            "5s",
        ),
    ])
    .unwrap();
    let expensive = resolve(&config, "expensive");
    assert_eq!(expensive.policy.max_attempts, 7);
    assert_eq!(expensive.policy.max_delay, Duration::from_secs(9));
    assert_eq!(
        expensive.settings[0].origin.to_string(),
        "env HARDENING__RETRY__EXPENSIVE_POLICY__MAX_ATTEMPTS"
    );
    let search = Selection {
        name: Some("search"),
        ..Selection::default()
    };
    let search = config.resolve::<RateLimitPolicy>(&search);
    assert_eq!(search.unwrap().policy.limits[0].capacity, 50);
    assert_eq!(
        config.health().providers["data-base"].interval,
        Duration::from_secs(5)
    );
}

#[test]
fn two_variables_for_one_setting_have_to_agree() {
    let both = |value| {
        with(&[
            ("HARDENING__RETRY__EXPENSIVE__MAX_ATTEMPTS", "7"),
            ("HARDENING__RETRY__EXPENSIVE_POLICY__MAX_ATTEMPTS", value),
        ])
    };
    let config = both("7").unwrap();
    assert_eq!(resolve(&config, "expensive").policy.max_attempts, 7);
    assert_eq!(
        both("8").unwrap_err(),
        "env HARDENING__RETRY__EXPENSIVE__MAX_ATTEMPTS: \
         `HARDENING__RETRY__EXPENSIVE_POLICY__MAX_ATTEMPTS` sets the same to something else: remove one of them"
    );
}

#[test]
fn a_policy_that_is_called_as_the_file_writes_others_is_meant_first() {
    let file = "runtime: {retry: {a_policy: {}, a_policy_policy: {}}}";
    let env = Environment::from_pairs([("HARDENING__RETRY__A_POLICY__MAX_ATTEMPTS", "9")]);
    let config = Config::parse(file.as_bytes(), "h.yaml", &env).unwrap();
    let attempts = ["a", "a_policy"].map(|name| resolve(&config, name).policy.max_attempts);
    assert_eq!(attempts, [3, 9]);
}

#[test]
fn a_variable_that_names_nothing_is_an_error_with_a_suggestion() {
    for name in ["EXPENSIVE", "EXPENSIVE_POLICY"] {
        let variable = format!("HARDENING__RETRY__{name}__BUDGET__RATIO");
        assert_eq!(
            with(&[(&variable, "0.5")]).unwrap_err(),
            format!(
                "env {variable}: a variable sets `budget` as a whole: write `HARDENING__RETRY__EXPENSIVE__BUDGET` \
                 with `true`, `false` or a mapping such as {{ratio: …, min_per_second: …}}"
            )
        );
    }

    for (variable, told) in [
        (
            "HARDENING__RETRY__EXPENSIV__MAX_ATTEMPTS",
            "did you mean `HARDENING__RETRY__EXPENSIVE__MAX_ATTEMPTS`?",
        ),
        (
            "HARDENING__RETRY__EXPENSIVE__MAX_ATEMPTS",
            "did you mean `HARDENING__RETRY__EXPENSIVE__MAX_ATTEMPTS`?",
        ),
        (
            "HARDENING__RETRIES__EXPENSIVE__MAX_ATTEMPTS",
            "did you mean `HARDENING__RETRY__EXPENSIVE__MAX_ATTEMPTS`?",
        ),
        (
            "HARDENING__RETRY__ENABELD",
            "did you mean `HARDENING__RETRY__ENABLED`?",
        ),
        (
            "HARDENING__RATE_LIMITING__SEARCH__CAPASITY",
            "did you mean `HARDENING__RATE_LIMITING__SEARCH__CAPACITY`?",
        ),
        (
            "HARDENING__RATE_LIMITING__DEFAULT__CAPACITY",
            "it names no setting",
        ),
        (
            "HARDENING__HEALTH_CHECKS__INTERVALL",
            "did you mean `HARDENING__HEALTH_CHECKS__INTERVAL`?",
        ),
        (
            "HARDENING__OVERRIDES__A__RETRY",
            "call sites cannot be named in variables",
        ),
        ("HARDENING__WACH", "did you mean `HARDENING__WATCH`?"),
        ("HARDENING__RETRI", "did you mean `HARDENING__RETRY`?"),
        ("HARDENING__FALLBACK__X", "it names no section"),
        ("HARDENING__", "it names no section"),
        ("HARDENING__RETRY", "it names no setting"),
    ] {
        let errors = with(&[(variable, "1")]).unwrap_err();
        assert!(errors.starts_with(&format!("env {variable}: ")), "{errors}");
        assert!(errors.contains(told), "{errors}");
    }
}

#[test]
fn a_value_out_of_range_in_a_variable_is_an_error_that_names_it() {
    let variable = "HARDENING__RETRY__EXPENSIVE__MAX_ATTEMPTS";
    assert_eq!(
        with(&[(variable, "0")]).unwrap_err(),
        format!(
            "env {variable}: the value of `{variable}` is refused: write a whole number from 1 to 100"
        )
    );
    let both = [
        ("HARDENING__RETRY__DEFAULT__BASE_DELAY", "9"),
        ("HARDENING__RETRY__DEFAULT__MAX_DELAY", "5"),
    ];
    let errors = with(&both).unwrap_err();
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.contains("which caps every wait"), "{errors}");
}

#[test]
fn variables_count_without_a_file_too() {
    let env = Environment::from_pairs([("HARDENING__RETRY__QUICK__MAX_ATTEMPTS", "9")]);
    let config = Config::builtin_in(&env).unwrap();
    assert_eq!(resolve(&config, "quick").policy.max_attempts, 9);
    assert_eq!(config.names(LayerKind::RateLimit).len(), 5);
    let env = Environment::from_pairs([("HARDENING__RETRY__QUIK__MAX_ATTEMPTS", "9")]);
    assert!(Config::builtin_in(&env).is_err());
}

#[test]
fn this_process_has_variables() {
    assert_ne!(Environment::process(), Environment::none());
}

#[test]
fn what_is_not_known_while_compiling_is_shown_as_it_is_written() {
    let file = "runtime: {rate_limiting: {defaults: {a: {capacity: '${C}', window_seconds: 1}, b: {limits: [{capacity: '${C:-x}${D}', window_seconds: 1}]}}}}";
    let config = Config::parse(file.as_bytes(), "h.yaml", &Environment::compiling()).unwrap();
    let shown = |op, key| {
        let selection = Selection {
            name: Some(op),
            ..Selection::default()
        };
        let resolved = config.resolve::<RateLimitPolicy>(&selection).unwrap();
        let setting = resolved
            .settings
            .into_iter()
            .find(|setting| setting.key == key);
        setting.map(|setting| setting.value)
    };
    assert_eq!(shown("a", "capacity").unwrap(), "${C}");
    assert_eq!(shown("a", "window_seconds").unwrap(), "1s");
    assert_eq!(
        shown("b", "limits").unwrap(),
        "[{capacity: ${C:-x}${D}, window_seconds: 1}]"
    );
}

#[test]
fn what_stands_beside_an_unknown_variable_is_checked_while_compiling() {
    for (settings, taken) in [
        ("budget: {ratio: '${R}', min_per_second: 5}", true),
        ("budget: {ratio: '${R}', min_per_second: -5}", false),
        ("budget: {ratio: '${R}', rato: 5}", false),
        ("enabled: {a: '${R}'}", false),
        ("max_attempts: ['${R}']", false),
    ] {
        let result = read(&format!("{{{settings}}}"), &Environment::compiling());
        assert_eq!(result.is_ok(), taken, "{settings}");
    }
}
