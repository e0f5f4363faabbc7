//! Checks across the policies of one call site.

use hardening_config::{Config, Doubt, Environment, Finding, LayerKind, Selection, SiteLayer};

use LayerKind::{Bulkhead, CircuitBreaker, RateLimit, Retry, Timeout};

type Inline<'a> = &'a [(&'a str, &'a str)];

/// What is found about a site with these attributes, outside in, each on its line. `op` and `name` are
/// arguments as of an attribute.
fn found(file: &str, env: &Environment, layers: &[(LayerKind, Inline<'_>)]) -> Vec<Finding> {
    let config = Config::parse(file.as_bytes(), "h.yaml", env).unwrap();
    let is_setting = |(key, _): &&(&str, &str)| !["op", "name"].contains(key);
    let lines = layers.iter().zip(1..);
    let parts: Vec<(String, Vec<_>)> = lines
        .map(|((_, written), line)| {
            let settings = written.iter().filter(is_setting).copied().collect();
            (format!("src/lib.rs:{line}"), settings)
        })
        .collect();
    let layers = layers.iter().zip(&parts);
    let layers: Vec<_> = layers
        .map(|((kind, written), (at, inline))| SiteLayer {
            kind: *kind,
            selection: Selection {
                site: "shop::place",
                at,
                name: written.iter().any(|(key, _)| *key == "op").then_some("op"),
                inline,
            },
            shared: written.iter().any(|(key, _)| *key == "name"),
        })
        .collect();
    config.check_across(&layers)
}

fn inline(layers: &[(LayerKind, Inline<'_>)]) -> Vec<Finding> {
    found("", &Environment::none(), layers)
}

fn doubts(found: &[Finding]) -> Vec<Option<&str>> {
    found
        .iter()
        .map(|finding| finding.doubt.map(Doubt::name))
        .collect()
}

#[test]
fn the_defaults_are_beyond_doubt() {
    assert_eq!(
        inline(&[
            (Timeout, &[]),
            (Retry, &[]),
            (CircuitBreaker, &[]),
            (Bulkhead, &[])
        ]),
        []
    );
}

#[test]
fn retries_that_may_not_fit_the_call_print_their_arithmetic() {
    let file = "runtime: {retry: {default_policy: {max_attempts: 5, base_delay: 1}}}";
    let layers: &[(_, Inline<'_>)] =
        &[(Timeout, &[("call", "10"), ("attempt", "2")]), (Retry, &[])];
    let found = found(file, &Environment::none(), layers);
    assert_eq!(doubts(&found), [Some("retries_exceed_timeout")]);
    assert_eq!(
        found[0].error.to_string(),
        "attribute at src/lib.rs:1: the retries do not all fit into the call timeout: \
         5 attempts × 2s + waits of 500ms + 1s + 2s + 2.5s on average = 16s, and the call has 10s: \
         enough for 3 of 5 attempts \
         (`call` 10s, `attempt` 2s, `max_attempts` 5 from h.yaml:1:36, `base_delay` 1s from h.yaml:1:53); \
         raise `call`, or lower `attempt`, `max_attempts` or the delays"
    );
    assert_eq!(
        found[0].settings[0],
        (Timeout, "call"),
        "the first to blame"
    );
}

/// `#[timeout("1s")] #[retryable]` is ordinary code: it takes bad luck to lose the last attempt.
#[test]
fn what_takes_the_longest_waits_is_told_at_start_and_not_while_compiling() {
    let found = inline(&[(Timeout, &[("call", "1")]), (Retry, &[])]);
    assert_eq!(doubts(&found), [Some("retries_exceed_timeout")]);
    assert!(found[0].takes_bad_luck);
    assert_eq!(
        found[0].error.to_string(),
        "attribute at src/lib.rs:1: the retries may not all fit into the call timeout: \
         waits of up to 500ms + 1s = 1.5s, and the call has 1s: enough for 2 of 3 attempts at their \
         longest (`call` 1s); raise `call`, or lower `attempt`, `max_attempts` or the delays"
    );
    // 250 ms + 500 ms, and without jitter 500 ms + 1 s.
    let shorter = inline(&[(Timeout, &[("call", "700ms")]), (Retry, &[])]);
    assert!(!shorter[0].takes_bad_luck);
    let certain = inline(&[(Timeout, &[("call", "1")]), (Retry, &[("jitter", "false")])]);
    assert!(!certain[0].takes_bad_luck);
    let text = certain[0].error.to_string();
    assert!(text.contains(": waits of 500ms + 1s = 1.5s,"), "{text}");
}

#[test]
fn a_wait_that_lasts_until_the_call_is_over_is_an_error() {
    let retry = [("base_delay", "4"), ("jitter", "false")];
    let never = inline(&[(Timeout, &[("call", "4")]), (Retry, &retry)]);
    assert_eq!(doubts(&never), [None]);
    assert_eq!(
        never[0].error.to_string(),
        "attribute at src/lib.rs:2: no retry ever has time: the first wait lasts until the call is \
         over: it is at least 4s, and the call has 4s (`base_delay` 4s, `jitter` none, \
         `call` 4s from attribute at src/lib.rs:1); raise `call` or lower `base_delay`"
    );
    let barely = inline(&[(Timeout, &[("call", "4001ms")]), (Retry, &retry)]);
    assert_eq!(doubts(&barely), [Some("retries_exceed_timeout")]);
}

#[test]
fn attempts_behind_a_circuit_that_they_open_themselves_are_doubtful() {
    let retry: Inline<'_> = &[("max_attempts", "5")];
    let breaker: Inline<'_> = &[("failure_threshold", "2"), ("open_for", "60")];
    let doubtful = inline(&[(Retry, retry), (CircuitBreaker, breaker)]);
    assert_eq!(doubts(&doubtful), [Some("circuit_outlasts_retries")]);
    let text = doubtful[0].error.to_string();
    assert!(
        text.contains("2 failures open it for 1m, with 3 of 5 attempts left"),
        "{text}"
    );
    let observed = [breaker, &[("mode", "observe")]].concat();
    for harmless in [
        inline(&[(CircuitBreaker, breaker), (Retry, retry)]), // per = "call"
        inline(&[(Retry, retry), (CircuitBreaker, &observed)]),
        inline(&[(Retry, &[("max_attempts", "2")]), (CircuitBreaker, breaker)]),
        inline(&[
            (Retry, retry),
            (
                CircuitBreaker,
                &[("failure_threshold", "2"), ("open_for", "5")],
            ),
        ]),
        inline(&[
            (Retry, &[("enabled", "false"), ("max_attempts", "5")]),
            (CircuitBreaker, breaker),
        ]),
    ] {
        assert_eq!(harmless, []);
    }
}

const OPS: &str =
    "runtime: {rate_limiting: {defaults: {op: {capacity: 3, window_seconds: 60, scope: global}}}}";

#[test]
fn a_rate_that_the_rate_limit_leaves_no_calls_for_is_an_error() {
    let rate: Inline<'_> = &[("failure_rate", "0.5"), ("minimum_calls", "5")];
    let with = |layers: &[(LayerKind, Inline<'_>)]| found(OPS, &Environment::none(), layers);
    let never = with(&[(RateLimit, &[("op", "")]), (CircuitBreaker, rate)]);
    assert_eq!(doubts(&never), [None]);
    let text = never[0].error.to_string();
    assert!(
        text.contains("at most 4 in a window of 30s, and `minimum_calls` is 5"),
        "{text}"
    );
    assert!(text.contains("`capacity` 3 from h.yaml:1:43"), "{text}");
    // Each admitted call makes up to three attempts.
    assert_eq!(
        with(&[
            (RateLimit, &[("op", "")]),
            (Retry, &[]),
            (CircuitBreaker, rate)
        ]),
        []
    );
    let thirteen = [rate, &[("minimum_calls", "13")]].concat()[..].to_vec();
    let thirteen = [thirteen[0], thirteen[2]];
    let never = with(&[
        (RateLimit, &[("op", "")]),
        (Retry, &[]),
        (CircuitBreaker, &thirteen),
    ]);
    assert_eq!(doubts(&never), [None]);
    for possible in [
        with(&[
            (RateLimit, &[("op", "")]),
            (
                CircuitBreaker,
                &[("failure_rate", "0.5"), ("minimum_calls", "4")],
            ),
        ]),
        with(&[
            (RateLimit, &[("op", ""), ("scope", "key")]),
            (CircuitBreaker, rate),
        ]),
        with(&[
            (RateLimit, &[("op", ""), ("mode", "observe")]),
            (CircuitBreaker, rate),
        ]),
        with(&[
            (RateLimit, &[("op", "")]),
            (CircuitBreaker, &[rate, &[("window_calls", "9")]].concat()),
        ]),
        with(&[
            (RateLimit, &[("op", "")]),
            (CircuitBreaker, &[rate, &[("name", "shared")]].concat()),
        ]),
        with(&[
            (RateLimit, &[("op", "")]),
            (CircuitBreaker, &[("minimum_calls", "99")]),
        ]),
    ] {
        assert_eq!(possible, []);
    }
}

#[test]
fn what_is_doubtful_can_be_allowed_wherever_settings_are_written() {
    let short: Inline<'_> = &[("call", "1")];
    assert_eq!(inline(&[(Timeout, short), (Retry, &[])]).len(), 1);
    let allow = ("allow", "[retries_exceed_timeout]");
    assert_eq!(inline(&[(Timeout, &[short[0], allow]), (Retry, &[])]), []);
    assert_eq!(inline(&[(Timeout, short), (Retry, &[allow])]), []);
    for file in [
        "runtime: {retry: {default_policy: {allow: [retries_exceed_timeout]}}}",
        "runtime: {overrides: {shop::place: {timeout: {allow: [retries_exceed_timeout]}}}}",
    ] {
        assert_eq!(
            found(
                file,
                &Environment::none(),
                &[(Timeout, short), (Retry, &[])]
            ),
            []
        );
    }
    // What can never work is not allowed by any name.
    let never: Inline<'_> = &[("base_delay", "4"), ("jitter", "false"), allow];
    assert_eq!(doubts(&inline(&[(Timeout, short), (Retry, never)])), [None]);
}

#[test]
fn a_doubt_that_does_not_exist_is_refused() {
    let file = "runtime: {retry: {a_policy: {allow: [retries_exceed_timout]}}}";
    let errors = Config::parse(file.as_bytes(), "h.yaml", &Environment::none()).unwrap_err();
    let text = errors.to_string();
    assert!(
        text.contains("did you mean `retries_exceed_timeout`?"),
        "{text}"
    );
}

#[test]
fn values_of_variables_are_not_shown() {
    let env = Environment::from_pairs([
        ("HARDENING__RETRY__DEFAULT__MAX_ATTEMPTS", "77"),
        ("CALL", "1234ms"),
    ]);
    let file = "runtime: {timeout: {default_policy: {call: \"${CALL}\"}}}";
    let found = found(file, &env, &[(Timeout, &[]), (Retry, &[])]);
    let text = found[0].error.to_string();
    assert!(
        !text.contains("77") && !text.contains("1.234") && !text.contains('×'),
        "{text}"
    );
    assert!(text.contains("`call` is the value of `${CALL}`"), "{text}");
    let variable = "`max_attempts` is the value of `HARDENING__RETRY__DEFAULT__MAX_ATTEMPTS`";
    assert!(text.contains(variable), "{text}");
}

#[test]
fn values_of_variables_inside_of_lists_are_not_shown() {
    let env = Environment::from_pairs([("CAPACITY", "17")]);
    let file = "runtime: {rate_limiting: {defaults: {op: {limits: [{capacity: \"${CAPACITY}\", \
                window_seconds: 60, scope: global}]}}}}";
    let rate: Inline<'_> = &[("failure_rate", "0.5"), ("minimum_calls", "99")];
    let found = found(
        file,
        &env,
        &[(RateLimit, &[("op", "")]), (CircuitBreaker, rate)],
    );
    let text = found[0].error.to_string();
    assert!(!text.contains("17") && !text.contains("25"), "{text}");
    let variable = "`capacity` is a list with the value of `${CAPACITY}`";
    assert!(text.contains(variable), "{text}");
}

#[test]
fn whether_a_layer_does_anything_is_not_judged_while_a_variable_decides_it() {
    let never: Inline<'_> = &[("base_delay", "4"), ("jitter", "false")];
    let timeout: Inline<'_> = &[("call", "2")];
    let limit: Inline<'_> = &[("op", "")];
    let rate: Inline<'_> = &[("failure_rate", "0.5"), ("minimum_calls", "99")];
    for (file, layers) in [
        (
            "retry: {enabled: \"${ON}\"}",
            [(Timeout, timeout), (Retry, never)],
        ),
        (
            "timeout: {default_policy: {enabled: \"${ON}\"}}",
            [(Timeout, timeout), (Retry, never)],
        ),
        (
            "rate_limiting: {mode: \"${MODE}\", defaults: {op: {capacity: 3, window_seconds: 60, \
             scope: global}}}",
            [(RateLimit, limit), (CircuitBreaker, rate)],
        ),
        (
            "retry: {default_policy: {allow: [\"${ALLOW}\"]}}",
            [(Timeout, &[("call", "1")]), (Retry, &[])],
        ),
    ] {
        let file = format!("runtime: {{{file}}}");
        assert_eq!(
            found(&file, &Environment::compiling(), &layers),
            [],
            "{file}"
        );
        let pairs = [
            ("ON", "true"),
            ("MODE", "enforce"),
            ("ALLOW", "circuit_outlasts_retries"),
        ];
        let set = Environment::from_pairs(pairs);
        assert_eq!(found(&file, &set, &layers).len(), 1, "{file}");
    }
}

#[test]
fn what_a_variable_decides_is_not_judged_while_compiling() {
    let file = "runtime: {timeout: {default_policy: {call: \"${CALL}\"}}}";
    let layers: &[(_, Inline<'_>)] = &[
        (Timeout, &[]),
        (Retry, &[("base_delay", "1h"), ("max_delay", "1h")]),
    ];
    assert_eq!(found(file, &Environment::compiling(), layers), []);
    let set = Environment::from_pairs([("CALL", "1")]);
    assert_eq!(found(file, &set, layers).len(), 1);
}

#[test]
fn a_function_that_the_file_may_override_is_known_by_its_name() {
    let file = "runtime: {overrides: {\"shop::orders::place\": {retry: {max_attempts: 1}}}}";
    let config = Config::parse(file.as_bytes(), "h.yaml", &Environment::none()).unwrap();
    assert!(config.may_override("place"));
    assert!(!config.may_override("orders") && !config.may_override("replace"));
}

#[test]
fn a_policy_that_nobody_names_is_a_warning_unless_it_is_allowed() {
    let file =
        "runtime:\n  retry:\n    a_policy: {}\n    b_policy: {}\n    c_policy: {allow: [unused]}\n";
    let config = Config::parse(file.as_bytes(), "h.yaml", &Environment::none()).unwrap();
    let unused = config.unused(Retry, |name| name == "a");
    let text: Vec<_> = unused.iter().map(ToString::to_string).collect();
    assert_eq!(
        text,
        [
            "h.yaml:4:5: runtime.retry.b_policy: no function of this program names this policy: \
          remove it; if it is meant so, write `allow: [unused]`"
        ]
    );
    assert_eq!(
        Config::builtin().unused(Retry, |_| false),
        [],
        "nobody wrote the built-in ones"
    );
}

#[test]
fn what_is_doubtful_about_one_policy_can_be_allowed_too() {
    for (doubt, policy) in [
        (
            "stale_shorter_than_ttl",
            "cache: {default_policy: {ttl: 10, stale_if_error: 5, ALLOW}}",
        ),
        (
            "nothing_bounded",
            "timeout: {default_policy: {call: null, ALLOW}}",
        ),
        (
            "slow_call_without_rate",
            "circuit_breaker: {default_policy: {slow_call: 1, ALLOW}}",
        ),
        (
            "window_calls_without_rate",
            "circuit_breaker: {default_policy: {window_calls: 10, ALLOW}}",
        ),
    ] {
        let warnings = |allow: &str| {
            let file = format!("runtime: {{{}}}", policy.replace("ALLOW", allow));
            let config = Config::parse(file.as_bytes(), "h.yaml", &Environment::none()).unwrap();
            config
                .warnings()
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        let told = warnings("allow: []");
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].ends_with(&format!("write `allow: [{doubt}]`")),
            "{told:?}"
        );
        assert_eq!(warnings(&format!("allow: [{doubt}]")), [""; 0]);
    }
}

#[test]
fn a_stale_time_as_long_as_the_ttl_is_beyond_doubt() {
    let warnings = |stale: u32| {
        let file =
            format!("runtime: {{cache: {{default_policy: {{ttl: 10, stale_if_error: {stale}}}}}}}");
        let config = Config::parse(file.as_bytes(), "h.yaml", &Environment::none()).unwrap();
        config.warnings().len()
    };
    assert_eq!([0, 1, 9, 10, 11].map(warnings), [0, 1, 1, 0, 0]);
}
