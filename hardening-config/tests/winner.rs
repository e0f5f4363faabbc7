//! Which value wins, as a table.

use hardening_config::{Config, Environment, LayerKind, RateLimitPolicy, RetryPolicy, Selection};

const FILE: &str = r#"
runtime:
  rate_limiting:
    defaults:
      search: {capacity: 30, window_seconds: 60}
      two: {limits: [{capacity: 1, window_seconds: 1}, {capacity: 9, window_seconds: 60}]}
  retry:
    default_policy: {max_attempts: 2}
    named_policy: {max_attempts: 3}
    bare_policy:
  overrides:
    "shop::place": {retry: {max_attempts: 5}, rate_limit: {capacity: 50}}
"#;
const NO_DEFAULT: &str = "runtime: {retry: {named_policy: {max_attempts: 3}}}";

const FOR_DEFAULT: (&str, &str) = ("HARDENING__RETRY__DEFAULT__MAX_ATTEMPTS", "6");
const FOR_NAMED: (&str, &str) = ("HARDENING__RETRY__NAMED__MAX_ATTEMPTS", "7");
const FOR_BARE: (&str, &str) = ("HARDENING__RETRY__BARE__MAX_ATTEMPTS", "8");

const HERE: &str = "src/lib.rs:30";
const INLINE: &[(&str, &str)] = &[("max_attempts", "4")];

struct Case {
    file: &'static str,
    name: Option<&'static str>,
    inline: &'static [(&'static str, &'static str)],
    site: &'static str,
    env: &'static [(&'static str, &'static str)],
    wins: &'static str,
    origin: &'static str,
}

const CASE: Case = Case {
    file: FILE,
    name: None,
    inline: &[],
    site: "shop::list",
    env: &[],
    wins: "2",
    origin: "h.yaml:8:22",
};

#[test]
#[allow(clippy::too_many_lines, reason = "it is a table")]
fn the_stronger_value_wins_and_says_where_it_came_from() {
    let named = Some("named");
    let table = [
        // Built-in, then the default policy.
        Case {
            file: "",
            wins: "3",
            origin: "built-in",
            ..CASE
        },
        Case { ..CASE },
        // A named policy: its own value, else that of the default policy.
        Case {
            name: named,
            wins: "3",
            origin: "h.yaml:9:20",
            ..CASE
        },
        Case {
            name: Some("bare"),
            ..CASE
        },
        Case {
            name: named,
            file: NO_DEFAULT,
            wins: "3",
            origin: "h.yaml:1:34",
            ..CASE
        },
        // Inline beats both.
        Case {
            inline: INLINE,
            wins: "4",
            origin: "attribute at src/lib.rs:30",
            ..CASE
        },
        Case {
            inline: INLINE,
            name: named,
            wins: "4",
            origin: "attribute at src/lib.rs:30",
            ..CASE
        },
        // The override of the site beats inline, and every policy.
        Case {
            site: "shop::place",
            wins: "5",
            origin: "h.yaml:12:29",
            ..CASE
        },
        Case {
            site: "shop::place",
            name: named,
            wins: "5",
            origin: "h.yaml:12:29",
            ..CASE
        },
        Case {
            site: "shop::place",
            inline: INLINE,
            wins: "5",
            origin: "h.yaml:12:29",
            ..CASE
        },
        // The environment beats everything, for the policy that it names.
        Case {
            env: &[FOR_DEFAULT],
            wins: "6",
            origin: "env HARDENING__RETRY__DEFAULT__MAX_ATTEMPTS",
            ..CASE
        },
        Case {
            env: &[FOR_DEFAULT],
            site: "shop::place",
            inline: INLINE,
            wins: "6",
            origin: "env HARDENING__RETRY__DEFAULT__MAX_ATTEMPTS",
            ..CASE
        },
        Case {
            env: &[FOR_NAMED],
            name: named,
            site: "shop::place",
            inline: INLINE,
            wins: "7",
            origin: "env HARDENING__RETRY__NAMED__MAX_ATTEMPTS",
            ..CASE
        },
        // For `default`, it stands where the default policy stands, in what inherits from it.
        Case {
            env: &[FOR_DEFAULT],
            name: Some("bare"),
            wins: "6",
            origin: "env HARDENING__RETRY__DEFAULT__MAX_ATTEMPTS",
            ..CASE
        },
        Case {
            env: &[FOR_DEFAULT],
            name: Some("bare"),
            site: "shop::place",
            inline: INLINE,
            wins: "6",
            origin: "env HARDENING__RETRY__DEFAULT__MAX_ATTEMPTS",
            ..CASE
        },
        Case {
            env: &[FOR_DEFAULT],
            name: named,
            inline: INLINE,
            wins: "4",
            origin: "attribute at src/lib.rs:30",
            ..CASE
        },
        Case {
            env: &[FOR_DEFAULT],
            name: named,
            wins: "3",
            origin: "h.yaml:9:20",
            ..CASE
        },
        Case {
            env: &[FOR_DEFAULT, FOR_BARE],
            name: Some("bare"),
            wins: "8",
            origin: "env HARDENING__RETRY__BARE__MAX_ATTEMPTS",
            ..CASE
        },
        // Another policy's is nobody's business.
        Case {
            env: &[FOR_NAMED],
            ..CASE
        },
    ];
    for (row, case) in table.into_iter().enumerate() {
        let env = Environment::from_pairs(case.env.iter().copied());
        let config = Config::parse(case.file.as_bytes(), "h.yaml", &env).unwrap();
        let selection = Selection {
            site: case.site,
            at: HERE,
            name: case.name,
            inline: case.inline,
        };
        let resolved = config.resolve::<RetryPolicy>(&selection).unwrap();
        let setting = resolved
            .settings
            .iter()
            .find(|s| s.key == "max_attempts")
            .unwrap();
        assert_eq!(
            (setting.value.as_str(), setting.origin.to_string().as_str()),
            (case.wins, case.origin),
            "row {row}"
        );
        assert_eq!(
            resolved.policy.max_attempts.to_string(),
            case.wins,
            "row {row}"
        );
    }
}

fn op(selection: &Selection<'_>, env: &[(&str, &str)]) -> Result<Vec<String>, String> {
    let env = Environment::from_pairs(env.iter().copied());
    let config = Config::parse(FILE.as_bytes(), "h.yaml", &env).map_err(|e| e.to_string())?;
    let resolved = config
        .resolve::<RateLimitPolicy>(selection)
        .map_err(|e| e.to_string())?;
    let settings = resolved.settings.iter();
    Ok(settings
        .map(|s| format!("{}={} ({})", s.key, s.value, s.origin))
        .collect())
}

#[test]
fn an_inline_setting_of_an_op_changes_its_only_limit() {
    let selection = Selection {
        at: HERE,
        name: Some("search"),
        inline: &[("capacity", "5")],
        ..Selection::default()
    };
    assert_eq!(
        op(
            &selection,
            &[("HARDENING__RATE_LIMITING__SEARCH__MODE", "observe")]
        )
        .unwrap(),
        [
            "capacity=5 (attribute at src/lib.rs:30)",
            "window_seconds=1m (h.yaml:5:30)",
            "scope=key (built-in)",
            "max_wait=0s (built-in)",
            "max_keys=100000 (built-in)",
            "enabled=true (built-in)",
            "mode=observe (env HARDENING__RATE_LIMITING__SEARCH__MODE)",
        ]
    );
    let overridden = Selection {
        site: "shop::place",
        ..selection
    };
    assert_eq!(
        op(&overridden, &[]).unwrap()[0],
        "capacity=50 (h.yaml:12:60)"
    );
    let env = [("HARDENING__RATE_LIMITING__SEARCH__CAPACITY", "70")];
    assert_eq!(
        op(&overridden, &env).unwrap()[0],
        "capacity=70 (env HARDENING__RATE_LIMITING__SEARCH__CAPACITY)"
    );
}

#[test]
fn an_inline_setting_of_an_op_with_several_limits_says_too_little() {
    let selection = Selection {
        at: HERE,
        name: Some("two"),
        inline: &[("capacity", "5")],
        ..Selection::default()
    };
    assert_eq!(
        op(&selection, &[]).unwrap_err(),
        "attribute at src/lib.rs:30: rate_limited.capacity: there are 2 limits here, so a single \
         `capacity` says too little: write `limits`"
    );
    let limits = [("limits", "[{capacity: 3, window_seconds: 1m}]")];
    let replaced = Selection {
        inline: &limits,
        ..selection
    };
    assert_eq!(
        op(&replaced, &[]).unwrap()[..2],
        [
            "capacity=3 (attribute at src/lib.rs:30)",
            "window_seconds=1m (attribute at src/lib.rs:30)",
        ]
    );
}

#[test]
fn a_rate_limit_without_an_op_says_everything_inline() {
    let whole = [("capacity", "5"), ("window_seconds", "\"1s\"")];
    let selection = Selection {
        at: HERE,
        inline: &whole,
        ..Selection::default()
    };
    assert_eq!(
        op(&selection, &[]).unwrap()[0],
        "capacity=5 (attribute at src/lib.rs:30)"
    );
    let half = Selection {
        inline: &whole[..1],
        ..selection
    };
    assert!(
        op(&half, &[])
            .unwrap_err()
            .contains("`window_seconds` is missing")
    );
    let nothing = Selection {
        inline: &[],
        ..selection
    };
    assert!(op(&nothing, &[]).unwrap_err().contains("it has no limit"));
}

fn retry(file: &str, selection: &Selection<'_>, env: &[(&str, &str)]) -> (bool, String) {
    let env = Environment::from_pairs(env.iter().copied());
    let config = Config::parse(file.as_bytes(), "h.yaml", &env).unwrap();
    let resolved = config.resolve::<RetryPolicy>(selection).unwrap();
    let enabled = resolved
        .settings
        .iter()
        .find(|s| s.key == "enabled")
        .unwrap();
    assert_eq!(enabled.value, resolved.enabled.to_string());
    (resolved.enabled, enabled.origin.to_string())
}

#[test]
fn a_section_a_policy_an_override_and_a_variable_can_switch_off() {
    let here = Selection {
        site: "a::b",
        ..Selection::default()
    };
    let named = Selection {
        name: Some("x"),
        ..here
    };
    for (file, selection, env, expected) in [
        ("", here, &[][..], (true, "built-in")),
        (
            "runtime: {retry: {enabled: false}}",
            here,
            &[],
            (false, "h.yaml:1:19"),
        ),
        (
            "runtime: {retry: {default_policy: {enabled: false}}}",
            here,
            &[],
            (false, "h.yaml:1:36"),
        ),
        (
            "runtime: {retry: {x_policy: {enabled: false}}}",
            here,
            &[],
            (true, "built-in"),
        ),
        (
            "runtime: {retry: {x_policy: {enabled: false}}}",
            named,
            &[],
            (false, "h.yaml:1:30"),
        ),
        // A policy inherits its switch like any setting, and an override beats it.
        (
            "runtime: {retry: {default_policy: {enabled: false}, x_policy: {}}}",
            named,
            &[],
            (false, "h.yaml:1:36"),
        ),
        (
            "runtime: {retry: {default_policy: {enabled: false}}, overrides: {a::b: {retry: {enabled: true}}}}",
            here,
            &[],
            (true, "h.yaml:1:81"),
        ),
        // The section's is for all of it.
        (
            "runtime: {retry: {enabled: false}, overrides: {a::b: {retry: {enabled: true}}}}",
            here,
            &[],
            (false, "h.yaml:1:19"),
        ),
        (
            "runtime: {retry: {enabled: false}}",
            here,
            &[("HARDENING__RETRY__ENABLED", "true")],
            (true, "built-in"),
        ),
        (
            "",
            here,
            &[("HARDENING__RETRY__ENABLED", "false")],
            (false, "env HARDENING__RETRY__ENABLED"),
        ),
    ] {
        let (enabled, origin) = retry(file, &selection, env);
        assert_eq!((enabled, origin.as_str()), expected, "{file} {env:?}");
    }
}

#[test]
fn only_what_can_reject_has_a_mode() {
    let has_mode = |kind: LayerKind| kind.keys().iter().any(|key| key.name == "mode");
    let with: Vec<_> = LayerKind::ALL
        .into_iter()
        .filter(|kind| has_mode(*kind))
        .collect();
    assert_eq!(with, [LayerKind::RateLimit, LayerKind::CircuitBreaker]);
}

#[test]
fn a_default_makes_way_for_what_was_written() {
    let file = "runtime: {circuit_breaker: {default_policy: {open_for: 1h}}}";
    let config = Config::parse(file.as_bytes(), "h.yaml", &Environment::none()).unwrap();
    let breaker = config
        .resolve::<hardening_config::CircuitBreakerPolicy>(&Selection::default())
        .unwrap();
    assert_eq!(breaker.policy.open_for_max, breaker.policy.open_for);
    let file = "runtime: {circuit_breaker: {default_policy: {failure_rate: 0.5, window_calls: 5}}}";
    let config = Config::parse(file.as_bytes(), "h.yaml", &Environment::none()).unwrap();
    let breaker = config
        .resolve::<hardening_config::CircuitBreakerPolicy>(&Selection::default())
        .unwrap();
    assert_eq!(breaker.policy.minimum_calls, 5);
}
