//! What is wrong is said with its place, what to write instead, and all at once.

use hardening_config::{Config, ConfigErrors, Environment};

fn errors(file: &str) -> ConfigErrors {
    Config::parse(file.as_bytes(), "hardening.yaml", &Environment::none()).unwrap_err()
}

fn only(file: &str) -> String {
    let errors = errors(file);
    assert_eq!(errors.len(), 1, "{errors}");
    errors.to_string()
}

/// The message for one setting of a retry policy.
fn retry(setting: &str) -> String {
    only(&format!("runtime: {{retry: {{a_policy: {{{setting}}}}}}}"))
        .replace("hardening.yaml:1:", "")
        .replace("runtime.retry.a_policy.", "")
}

#[test]
fn every_error_has_its_file_line_column_key_reason_and_suggestion() {
    let file = "runtime:\n  retry:\n    expensive_policy:\n      max_atempts: 5\n";
    let errors = errors(file);
    assert_eq!(
        errors.to_string(),
        "hardening.yaml:4:7: runtime.retry.expensive_policy.max_atempts: unknown key; \
         did you mean `max_attempts`? (known: max_attempts, base_delay, max_delay, \
         exponential_base, jitter, max_elapsed, budget, enabled, allow)"
    );
    let error = errors.iter().next().unwrap();
    assert_eq!(error.file(), Some("hardening.yaml"));
    assert_eq!((error.line(), error.column()), (Some(4), Some(7)));
    assert_eq!(error.key, "runtime.retry.expensive_policy.max_atempts");
    assert_eq!(error.reason(), "unknown key");
    assert_eq!(error.suggestion(), Some("max_attempts"));
}

#[test]
fn all_errors_come_at_once_in_the_order_of_the_file() {
    let file = "runtime:\n  retri: {}\n  retry:\n    a_policy: {max_attempts: 0, jitter: 7}\n  rate_limiting:\n    defaults:\n      x: {capacity: 1}\n  overrides:\n    a::b: {retries: {}}\n";
    let errors = errors(file);
    let lines: Vec<_> = errors.iter().map(|error| error.line().unwrap()).collect();
    assert_eq!(lines, [2, 4, 4, 7, 9], "{errors}");
    assert_eq!(errors.to_string().lines().count(), 5);
}

#[test]
fn values_out_of_range_say_the_range() {
    for (setting, message) in [
        (
            "max_attempts: 0",
            "46: max_attempts: `0` is refused: write a whole number from 1 to 100",
        ),
        (
            "max_attempts: 101",
            "46: max_attempts: `101` is refused: write a whole number from 1 to 100",
        ),
        (
            "max_attempts: 2.5",
            "46: max_attempts: `2.5` is refused: write a whole number from 1 to 100",
        ),
        (
            "max_attempts:",
            "45: max_attempts: nothing is refused: write a whole number from 1 to 100",
        ),
        (
            "exponential_base: 0.5",
            "50: exponential_base: `0.5` is refused: write a number from 1 to 100",
        ),
        (
            "exponential_base: .inf",
            "50: exponential_base: `.inf` is refused: write a number from 1 to 100",
        ),
        (
            "jitter: fulll",
            "40: jitter: `fulll` is refused: write `true`, `false`, `none`, `full`, `equal` or `decorrelated`; did you mean `full`?",
        ),
        (
            "enabled: yes",
            "41: enabled: `yes` is refused: write `true` or `false`",
        ),
        (
            "budget: {ratio: 2000}",
            "48: budget.ratio: `2000` is refused: write a number from 0 to 1000",
        ),
        (
            "base_delay: 10 parsecs",
            "44: base_delay: `10 parsecs` is no duration: write a number of seconds, or text such as \"500ms\", \"15s\", \"2m\", \"1h\"",
        ),
        (
            "base_delay: [1]",
            "44: base_delay: a list is refused: write a number of seconds, or text such as \"500ms\", \"15s\", \"2m\", \"1h\"",
        ),
        (
            "max_delay: 3651d",
            "43: max_delay: `3651d` is out of range: the longest duration is 10 years",
        ),
        (
            "max_elapsed: 0",
            "45: max_elapsed: `0` is out of range: write a duration above 0",
        ),
    ] {
        let given = retry(setting);
        let column: u32 = given.split(':').next().unwrap().parse().unwrap();
        let (_, told) = given.split_once(": ").unwrap();
        let (_, expected) = message.split_once(": ").unwrap();
        assert_eq!(told, expected);
        assert!((30..60).contains(&column), "{given}");
    }
}

#[test]
fn settings_at_the_ends_of_their_ranges_are_taken() {
    for setting in [
        "retry: {a_policy: {max_attempts: 1, exponential_base: 1, base_delay: 0, max_delay: 0, budget: {ratio: 0, min_per_second: 0}}}",
        "retry: {a_policy: {max_attempts: 100, exponential_base: 100, max_delay: 3650d, budget: {ratio: 1000, min_per_second: 1e6}}}",
        "retry: {a_policy: {budget: false, jitter: false, max_elapsed: null, base_delay: 500ms}}",
        "circuit_breaker: {a_policy: {failure_rate: 1, slow_call: 1ms, slow_call_rate: 0.001, window_calls: 1, half_open_calls: 1}}",
        "cache: {a_policy: {ttl: 1ns, max_entries: 1}}",
        "bulkhead: {a_policy: {max_concurrent: 1, max_queue: 0, max_wait: 0}}",
        "timeout: {a_policy: {call: null, attempt: null}}",
        "rate_limiting: {defaults: {a: {capacity: 1, window_seconds: 1ms}, b: {capacity: 1000000000, window_seconds: 3650d}}}",
    ] {
        let file = format!("runtime: {{{setting}}}");
        if let Err(errors) = Config::parse(file.as_bytes(), "h.yaml", &Environment::none()) {
            panic!("{setting}: {errors}");
        }
    }
}

#[test]
fn settings_beyond_the_ends_of_their_ranges_are_refused() {
    for setting in [
        "circuit_breaker: {a_policy: {failure_rate: 0}}",
        "circuit_breaker: {a_policy: {failure_rate: 1.1}}",
        "circuit_breaker: {a_policy: {window: 0}}",
        "circuit_breaker: {a_policy: {open_for: 0}}",
        "circuit_breaker: {a_policy: {half_open_calls: 0}}",
        "circuit_breaker: {a_policy: {success_threshold: 0}}",
        "circuit_breaker: {a_policy: {failure_threshold: 0}}",
        "circuit_breaker: {a_policy: {mode: off}}",
        "cache: {a_policy: {ttl: 0}}",
        "cache: {a_policy: {max_entries: 0}}",
        "bulkhead: {a_policy: {max_concurrent: 0}}",
        "bulkhead: {a_policy: {max_wait: -1}}",
        "timeout: {a_policy: {call: 0}}",
        "rate_limiting: {defaults: {a: {capacity: 0, window_seconds: 1}}}",
        "rate_limiting: {defaults: {a: {capacity: 1000000001, window_seconds: 1}}}",
        "rate_limiting: {defaults: {a: {capacity: 1, window_seconds: 0.0009}}}",
        "rate_limiting: {defaults: {a: {limits: []}}}",
        "rate_limiting: {defaults: {a: {limits: [{capacity: 1, window_seconds: 1, scope: all}]}}}",
        "rate_limiting: {cleanup_threshold: -1}",
        "retry: {retryable_codes: [99]}",
        "retry: {retryable_codes: [600]}",
        "health_checks: {interval: 0}",
        "health_checks: {failure_threshold: 0}",
        "health_checks: {providers: {a: {groups: [ready]}}}",
        "health_checks: {providers: {a: {groups: []}}}",
    ] {
        only(&format!("runtime: {{{setting}}}"));
    }
}

#[test]
fn settings_that_do_not_go_together_say_their_values_and_where_they_are() {
    let file = "runtime:\n  retry:\n    default_policy: {max_delay: 9}\n    slow_policy:\n      max_delay: 1\n      base_delay: 5\n";
    assert_eq!(
        only(file),
        "hardening.yaml:6:7: runtime.retry.slow_policy.base_delay: `base_delay` (5s) is longer than \
         `max_delay` (1s), which caps every wait: raise `max_delay` or lower `base_delay`"
    );
    for (setting, message) in [
        (
            "retry: {a_policy: {base_delay: 2, max_elapsed: 1, jitter: none}}",
            "`max_elapsed` (1s) is over before",
        ),
        (
            "timeout: {a_policy: {attempt: 20, call: 15}}",
            "`attempt` (20s) is longer than `call` (15s)",
        ),
        (
            "cache: {a_policy: {ttl: 10, refresh_ahead: 10}}",
            "`refresh_ahead` (10s) is not shorter than `ttl` (10s)",
        ),
        (
            "cache: {a_policy: {ttl: 10, ttl_jitter: 11}}",
            "`ttl_jitter` (11s) is not shorter than `ttl` (10s)",
        ),
        (
            "circuit_breaker: {a_policy: {open_for: 9, open_for_max: 8}}",
            "`open_for` (9s) is longer than `open_for_max` (8s)",
        ),
        (
            "circuit_breaker: {a_policy: {slow_call_rate: 1}}",
            "`slow_call_rate` never counts without `slow_call`",
        ),
        (
            "circuit_breaker: {a_policy: {failure_rate: 1, window_calls: 5, minimum_calls: 6}}",
            "`window_calls` (5) is less than `minimum_calls` (6)",
        ),
        (
            "rate_limiting: {defaults: {a: {}}}",
            "it has no limit: write `capacity` and `window_seconds`, or `limits`",
        ),
        (
            "rate_limiting: {defaults: {a: {capacity: 5}}}",
            "`window_seconds` is missing",
        ),
        (
            "rate_limiting: {defaults: {a: {capacity: 5, window_seconds: 1, limits: [{capacity: 5, window_seconds: 1}]}}}",
            "cannot stand beside `limits`",
        ),
        (
            "overrides: {\"a::b\": {retry: {base_delay: 2, max_delay: 1}}}",
            "`base_delay` (2s) is longer than `max_delay` (1s)",
        ),
    ] {
        let errors = errors(&format!("runtime: {{{setting}}}")).to_string();
        assert!(errors.contains(message), "{setting}: {errors}");
    }
}

#[test]
fn a_mistake_in_the_default_policy_is_reported_once() {
    let file = "runtime: {retry: {default_policy: {base_delay: 9, max_delay: 5}, a_policy: {}, b_policy: {jitter: none}}}";
    assert!(only(file).contains("runtime.retry.default_policy.base_delay"));
}

#[test]
fn keys_written_twice_name_both_places() {
    assert_eq!(
        only("runtime:\n  retry:\n    a_policy: {}\n    a_policy: {}\n"),
        "hardening.yaml:4:5: runtime.retry.a_policy: written twice: first at 3:5; remove one of them"
    );
    assert_eq!(
        only("runtime: {}\na: 1\na: 2\nruntime: {}\n"),
        "hardening.yaml:4:1: runtime: written twice: first at 1:1; put everything under one"
    );
    let both = only(
        "runtime: {overrides: {\"a::b\": {rate_limit: {max_wait: 1}, rate_limiting: {max_wait: 1}}}}",
    );
    assert!(both.contains("overridden twice"), "{both}");
}

#[test]
fn what_is_no_mapping_is_refused_where_one_is_needed() {
    for (file, message) in [
        (
            "- 1\n",
            "hardening.yaml:1:1: the file is a list: write a mapping with the key `runtime`",
        ),
        (
            "text",
            "hardening.yaml:1:1: the file is text: write a mapping with the key `runtime`",
        ),
        (
            "runtime: 5",
            "hardening.yaml:1:10: runtime: `5` is refused: write a mapping",
        ),
        (
            "runtime: {retry: [1]}",
            "hardening.yaml:1:18: runtime.retry: a list is refused: write a mapping",
        ),
        (
            "runtime: {? [a] : 1}",
            "hardening.yaml:1:13: runtime: a key that is no text is refused",
        ),
        (
            "a: 1\n---\nb: 2\n",
            "hardening.yaml:2:1: a second YAML document starts here: write everything in one, without `---`",
        ),
    ] {
        assert_eq!(only(file), message);
    }
    assert!(only("runtime:\n\tretry: 1\n").starts_with("hardening.yaml:2:"));
    assert!(only("a: [1\nb: 2\n").contains("this is no YAML"));
}

#[test]
fn what_stands_in_the_wrong_place_is_told_where_it_belongs() {
    for (file, message) in [
        (
            "runtime: {retry: {max_attempts: 3}}",
            "it belongs to a policy, such as `default_policy`",
        ),
        (
            "runtime: {rate_limiting: {search: {capacity: 1, window_seconds: 1}}}",
            "ops go under `defaults`",
        ),
        (
            "runtime: {cache: {users: {ttl: 1}}}",
            "a policy is called `users_policy` here",
        ),
        ("runtime: {fallback: {}}", "unknown key"),
        ("runtime: {retries: {}}", "did you mean `retry`?"),
        (
            "runtime: {overrides: {a: {health_checks: {}}}}",
            "unknown key",
        ),
        (
            "runtime: {retry: {a_policy: {mode: observe}}}",
            "unknown key",
        ),
    ] {
        let told = only(file);
        assert!(told.contains(message), "{told}");
    }
}

#[test]
fn a_hopeless_file_is_cut_short_and_counted() {
    let mut file = String::from("runtime:\n");
    for i in 0..300 {
        file.extend(["  k", &i.to_string(), ": 1\n"]);
    }
    let errors = errors(&file);
    assert_eq!((errors.len(), errors.iter().count()), (300, 100));
    assert!(errors.to_string().ends_with("… and 200 more mistakes"));
}

#[test]
fn what_could_not_be_read_breaks_no_rule_besides() {
    let told = only("runtime: {rate_limiting: {defaults: {a: {capasity: 5, window_seconds: 1}}}}");
    assert!(told.contains("did you mean `capacity`?"), "{told}");
}

#[test]
fn a_slip_in_the_ending_of_a_policy_suggests_that_policy() {
    for (written, meant) in [
        ("expensive_polic", "expensive_policy"),
        ("expensive-policy", "expensive_policy"),
        ("expensivepolicy", "expensive_policy"),
        ("expensive_Policy", "expensive_policy"),
        ("defalt_polic", "default_policy"),
        ("retryable_cods", "retryable_codes"),
    ] {
        let told = only(&format!("runtime: {{retry: {{{written}: {{}}}}}}"));
        let suggestion = format!("unknown key; did you mean `{meant}`?");
        assert!(told.contains(&suggestion), "{told}");
    }
    let told = only("runtime: {retry: {expensive: {}}}");
    assert!(
        told.contains("a policy is called `expensive_policy` here"),
        "{told}"
    );
}

#[test]
fn with_mistakes_what_could_be_read_is_there_for_those_who_know_more() {
    let read = |file: &str| Config::read(file.as_bytes(), "h.yaml", &Environment::none());
    let file = "runtime: {retry: {a_policy: {max_atempts: 3}, b_policy: {max_attempts: 2}}}";
    let mistaken = read(file).unwrap_err();
    assert_eq!(mistaken.errors.len(), 1);
    let names = mistaken.readable.unwrap();
    assert_eq!(
        names.names(hardening_config::LayerKind::Retry),
        ["default", "a", "b"]
    );
    for unreadable in ["runtime: {retry: [}", "- a", "runtime: {}\nruntime: {}"] {
        assert!(
            read(unreadable).unwrap_err().readable.is_none(),
            "{unreadable}"
        );
    }
}

/// The policy misses what was misspelt in it: that breaks no rule at the functions that name it.
#[test]
fn what_a_policy_could_not_say_is_no_second_mistake_at_its_functions() {
    use hardening_config::{RateLimitPolicy, Selection};
    let file = "runtime: {rate_limiting: {defaults: {a: {capcity: 3, window_seconds: 1}}}}";
    let mistaken = Config::read(file.as_bytes(), "h.yaml", &Environment::none()).unwrap_err();
    assert_eq!(mistaken.errors.len(), 1, "{}", mistaken.errors);
    let config = mistaken.readable.unwrap();
    let selection = Selection {
        name: Some("a"),
        ..Selection::default()
    };
    config.resolve::<RateLimitPolicy>(&selection).unwrap();
}

#[test]
fn errors_read_well_when_a_main_returns_them() {
    let errors = errors("runtime: {retri: {}, cach: {}}");
    assert_eq!(
        format!("{errors:?}"),
        format!("2 mistakes in the configuration\n{errors}")
    );
    let one = format!("{:?}", self::errors("runtime: {retri: {}}"));
    assert!(
        one.starts_with("a mistake in the configuration\nhardening.yaml:1:11: "),
        "{one}"
    );
}
