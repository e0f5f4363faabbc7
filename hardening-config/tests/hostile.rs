//! Whatever is in the file: no panic, no long wait, and errors that point into it.
#![allow(
    clippy::format_push_string,
    clippy::format_collect,
    clippy::naive_bytecount,
    reason = "the inputs are small, and made once"
)]

use std::time::{Duration, Instant};

use hardening_config::{Config, ConfigErrors, Environment, MAX_BYTES, find};
use proptest::prelude::*;

fn read(bytes: &[u8]) -> Result<Config, ConfigErrors> {
    Config::parse(bytes, "h.yaml", &Environment::none())
}

fn refusal(bytes: &[u8]) -> String {
    read(bytes).unwrap_err().to_string()
}

fn many(text: &str) -> String {
    text.repeat(MAX_BYTES / text.len())
}

/// Fills a megabyte between `start` and `end` with what `item` gives for 0, 1, 2, …
fn filled(start: &str, item: impl Fn(usize) -> String, end: &str) -> String {
    let mut text = start.to_owned();
    for index in 0.. {
        let item = item(index);
        if text.len() + item.len() + end.len() > MAX_BYTES {
            break;
        }
        text.push_str(&item);
    }
    text + end
}

/// So many that it is within all limits.
fn few(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect()
}

#[test]
fn a_megabyte_of_anything_is_answered_soon() {
    let ops = "runtime:\n  rate_limiting:\n    defaults:\n";
    let policies = "runtime:\n  retry:\n";
    let inputs = [
        many("["),
        many("{"),
        many("- "),
        many("? "),
        many("{a: "),
        many("[]"),
        many("\""),
        many("'"),
        many("a: "),
        many("a\n"),
        many("\n"),
        many(" "),
        many("\t"),
        many("#"),
        many("---\n"),
        many("%TAG ! a\n"),
        many("&a "),
        many("!a "),
        many("*a "),
        many("|\n "),
        many("${"),
        "a".repeat(MAX_BYTES),
        "9".repeat(MAX_BYTES),
        format!(
            "runtime: {{retry: {{x_policy: {{max_delay: {}}}}}}}",
            "9".repeat(1 << 19)
        ),
        format!("runtime: {{retry: {}", many("x_policy: {}, ").split_off(64)),
        format!("runtime: {}", many("${A} ").split_off(64)),
        filled("x: [", |_| "\"${A:-${B:-c}}\", ".to_owned(), "]"),
        filled("", |i| format!("a{i}: {i}\n"), ""),
        filled("", |i| format!("a{i}: &a{i} {i}\n"), ""),
        filled("runtime:\n", |i| format!("  a{i}: {i}\n"), ""),
        filled(policies, |i| format!("    retry{i}: 5\n"), ""),
        filled(policies, |i| format!("    a{i}_policy: {{}}\n"), ""),
        filled(
            policies,
            |i| format!("    a{i}_policy: {{max_atempts: 5}}\n"),
            "",
        ),
        filled(policies, |_| "    a_policy: {}\n".to_owned(), ""),
        filled(
            &format!("{policies}    a_policy:\n"),
            |i| format!("      max_attempt{i}: 1\n"),
            "",
        ),
        filled(
            &format!("{policies}    budget_policy: {{budget: {{"),
            |i| format!("r{i}: 1, "),
            "}}",
        ),
        filled(ops, |i| format!("      a{i}: {{capacity: 0}}\n"), ""),
        filled(
            &format!("{ops}      a:\n        limits: ["),
            |_| "{capacty: 1}, ".to_owned(),
            "]",
        ),
        filled(
            "runtime:\n  overrides:\n",
            |i| format!("    a{i}: {{retry: 0}}\n"),
            "",
        ),
        format!(
            "{policies}{}    default_policy: {{}}\n",
            few(10_000, |i| format!(
                "    a{i}_policy: {{max_attempts: 5}}\n"
            ))
        ),
        format!(
            "{ops}{}",
            few(6_000, |i| format!(
                "      a{i}: {{capacity: 5, window_seconds: 1}}\n"
            ))
        ),
        format!("{ops}{}", few(15_000, |i| format!("      a{i}: {{}}\n"))),
        format!(
            "runtime:\n  overrides:\n{}",
            few(6_000, |i| format!(
                "    a{i}: {{retry: {{max_attempts: 5}}}}\n"
            ))
        ),
    ];
    for input in inputs {
        let start = Instant::now();
        let result = read(input.as_bytes());
        let took = start.elapsed();
        let head: String = input.chars().take(60).collect();
        // Tens of milliseconds, on a machine that does nothing else; minutes, if it were quadratic.
        assert!(took < Duration::from_secs(30), "{head}: {took:?}");
        if let Err(errors) = result {
            assert!(errors.to_string().len() < 100_000, "{head}");
        }
    }
}

#[test]
fn a_file_over_a_mebibyte_is_not_read() {
    let limit = vec![b'#'; MAX_BYTES];
    assert!(read(&limit).is_ok());
    let over = vec![b'#'; MAX_BYTES + 1];
    assert_eq!(
        refusal(&over),
        "h.yaml:1:1: the file has 1048577 bytes; the limit is 1048576 (1 MiB)"
    );
}

#[test]
fn deep_nesting_is_refused_at_its_place() {
    for deep in ["[".repeat(1000), "{a: ".repeat(1000), "- ".repeat(1000)] {
        let message = refusal(deep.as_bytes());
        assert!(
            message.contains("values are nested more than 64 levels deep"),
            "{message}"
        );
    }
    let mut chain = String::from("a0: &a0 [x]\n");
    for i in 1..3000 {
        chain.push_str(&format!("a{i}: &a{i} [[[[*a{}]]]]\n", i - 1));
    }
    assert_eq!(
        refusal(chain.as_bytes()),
        "h.yaml:17:15: values are nested more than 64 levels deep"
    );
}

#[test]
fn sixty_four_levels_are_read_and_one_more_is_not() {
    let nested = |open: &str, close: &str, levels: usize| {
        format!("x: {}{}\n", open.repeat(levels), close.repeat(levels))
    };
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        // The file itself is the first level.
        read(nested(open, close, 63).as_bytes()).unwrap();
        let message = refusal(nested(open, close, 64).as_bytes());
        assert!(
            message.ends_with("values are nested more than 64 levels deep"),
            "{message}"
        );
    }
    let by_lines = |levels: usize| few(levels, |i| format!("{}a:\n", " ".repeat(i)));
    read(by_lines(64).as_bytes()).unwrap();
    assert!(refusal(by_lines(65).as_bytes()).contains("more than 64 levels"));
    let by_alias = |levels: usize| {
        format!(
            "a: &a {}\nb: [*a]\n",
            nested("[", "]", levels).trim_start_matches("x: ")
        )
    };
    read(by_alias(62).as_bytes()).unwrap();
    assert_eq!(
        refusal(by_alias(63).as_bytes()),
        "h.yaml:3:5: values are nested more than 64 levels deep"
    );
}

#[test]
fn fifty_thousand_values_are_read_and_one_more_is_not() {
    // Keys count too: two mappings, two keys and the list are 5 besides the codes.
    let codes = |count: usize| {
        format!(
            "runtime: {{retry: {{retryable_codes: [{}]}}}}\n",
            few(count, |_| "500, ".to_owned())
        )
    };
    read(codes(49_995).as_bytes()).unwrap();
    assert_eq!(
        refusal(codes(49_996).as_bytes()),
        "h.yaml:1:1: runtime: it holds more than 50000 values once aliases are expanded"
    );
    // As many by way of an alias count the same.
    let aliased = |count: usize| {
        let list = few(count, |_| "500, ".to_owned());
        format!("codes: &codes [{list}]\nruntime: {{retry: {{retryable_codes: *codes}}}}\n")
    };
    read(aliased(49_995).as_bytes()).unwrap();
    assert!(refusal(aliased(49_996).as_bytes()).contains("more than 50000 values"));
}

#[test]
fn the_first_hundred_mistakes_are_listed_and_the_rest_is_counted() {
    let wrong = |count: usize| {
        format!(
            "runtime:\n  retry:\n{}",
            few(count, |i| format!("    a{i}_policy: {{max_attempts: 0}}\n"))
        )
    };
    let errors = |count: usize| read(wrong(count).as_bytes()).unwrap_err();
    assert_eq!((errors(100).iter().len(), errors(100).len()), (100, 100));
    assert_eq!((errors(101).iter().len(), errors(101).len()), (100, 101));
    assert!(
        errors(150)
            .to_string()
            .ends_with("\n… and 50 more mistakes")
    );
}

#[test]
fn names_have_at_most_two_hundred_characters() {
    let policy = |length: usize| {
        format!(
            "runtime: {{retry: {{{}_policy: {{}}}}}}",
            "é".repeat(length)
        )
    };
    read(policy(200).as_bytes()).unwrap();
    let message = refusal(policy(201).as_bytes());
    assert!(
        message.ends_with("the name has 201 characters: write at most 200"),
        "{message}"
    );
}

/// `levels` of nine aliases each.
fn bomb(levels: usize) -> String {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for i in 1..levels {
        let aliases = vec![format!("*a{}", i - 1); 9].join(", ");
        text.push_str(&format!("a{i}: &a{i} [{aliases}]\n"));
    }
    text
}

#[test]
fn an_alias_bomb_is_refused_where_it_would_be_read_and_harmless_elsewhere() {
    let elsewhere = bomb(20);
    assert!(read(elsewhere.as_bytes()).is_ok());
    for here in [
        "runtime: *a19",
        "runtime: {retry: *a19}",
        "<<: {runtime: [*a19]}",
    ] {
        let text = format!("{elsewhere}{here}\n");
        let message = refusal(text.as_bytes());
        assert!(
            message.contains("runtime: it holds more than 50000 values once aliases are expanded"),
            "{message}"
        );
    }
    let merged = "a0: &a0 {x: 1}\n".to_owned()
        + &(1..30)
            .map(|i| format!("a{i}: &a{i} {{<<: [*a{0}, *a{0}]}}\n", i - 1))
            .collect::<String>()
        + "runtime: *a29\n";
    assert!(refusal(merged.as_bytes()).contains("more than 50000 values"));
}

#[test]
fn a_bomb_in_a_variable_or_an_attribute_is_refused() {
    let aliases = |i: usize| vec![format!("*a{i}"); 9].join(", ");
    let mut value = "{a0: &a0 [x]".to_owned();
    for i in 1..30 {
        value.push_str(&format!(", a{i}: &a{i} [{}]", aliases(i - 1)));
    }
    value.push('}');
    let env = Environment::from_pairs([("HARDENING__RETRY__DEFAULT__BUDGET", value.clone())]);
    assert!(Config::builtin_in(&env).is_err());
    let retry = hardening_config::LayerKind::Retry;
    assert!(hardening_config::check_setting(retry, "budget", &value).is_err());
}

#[test]
fn what_is_no_text_is_refused_at_the_byte() {
    assert_eq!(
        refusal(b"a: 1\nb: \xC3\xA4\xFF\n"),
        "h.yaml:2:5: byte 0xFF is no UTF-8: save the file as UTF-8"
    );
    assert_eq!(
        refusal(b"a: \xC3"),
        "h.yaml:1:4: byte 0xC3 is no UTF-8: save the file as UTF-8"
    );
    assert_eq!(
        refusal(b"\xFF\xFEa\0"),
        "h.yaml:1:1: the file is UTF-16: save it as UTF-8"
    );
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
    let file = "runtime:\n  retry:\n    default_policy:\n      max_attempts: 0\n";
    let expected = refusal(file.as_bytes());
    assert!(expected.starts_with("h.yaml:4:21: "), "{expected}");
    assert_eq!(refusal(format!("\u{FEFF}{file}").as_bytes()), expected);
    assert_eq!(refusal(file.replace('\n', "\r\n").as_bytes()), expected);
    let first = "runtime: {retry: {x: 1}}";
    assert_eq!(
        refusal(format!("\u{FEFF}{first}").as_bytes()),
        refusal(first.as_bytes())
    );
}

#[test]
fn an_empty_file_is_the_defaults_and_a_warning() {
    for empty in [
        "",
        "\n",
        "# nothing\n",
        "---\n",
        "a: 1\n",
        "null",
        "\u{FEFF}",
    ] {
        let config = read(empty.as_bytes()).unwrap();
        assert_eq!(
            config.warnings()[0].to_string(),
            "h.yaml:1:1: there is no key `runtime`: nothing in this file is used"
        );
    }
    for empty in [
        "runtime:",
        "runtime: {}",
        "runtime:\n  retry:\n  cache:\n    default_policy:\n",
    ] {
        assert!(read(empty.as_bytes()).unwrap().warnings().is_empty());
    }
}

#[test]
fn beside_runtime_everything_is_allowed() {
    let file = "application: {a: 1, a: 2}\n? [1, 2]\n: x\n5: y\nnull: z\nx: !custom {y: !!binary aGk=}\n\
                z: ${UNSET}\nself: &s [*s]\n'on': yes\nretry: {max_atempts: lots}\nruntime: {}\n";
    read(file.as_bytes()).unwrap();
}

#[test]
fn anchors_and_merge_keys_work_across_the_file() {
    let file = "shared: &shared {max_attempts: 7, base_delay: 1}\nmore: &more {max_attempts: 1, max_delay: 9}\n\
                runtime:\n  retry:\n    default_policy: *shared\n    a_policy: {<<: [*shared, *more], base_delay: 2}\n";
    let config = read(file.as_bytes()).unwrap();
    let settings = |name| {
        let selection = hardening_config::Selection {
            name: Some(name),
            ..Default::default()
        };
        let resolved = config
            .resolve::<hardening_config::RetryPolicy>(&selection)
            .unwrap();
        let settings = resolved.settings.into_iter().take(3);
        settings
            .map(|s| format!("{}={} {}", s.key, s.value, s.origin))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        settings("default"),
        [
            "max_attempts=7 h.yaml:1:18",
            "base_delay=1s h.yaml:1:35",
            "max_delay=5s built-in"
        ]
    );
    assert_eq!(
        settings("a"),
        [
            "max_attempts=7 h.yaml:1:18",
            "base_delay=2s h.yaml:6:38",
            "max_delay=9s h.yaml:2:31"
        ]
    );
}

fn points_into(text: &[u8], errors: &ConfigErrors) -> bool {
    let lines =
        text.split(|byte| *byte == b'\n').count() + text.iter().filter(|b| **b == b'\r').count();
    errors.iter().all(|error| {
        let position = error.position().unwrap();
        position.line >= 1 && position.line as usize <= lines + 1 && position.column >= 1
    })
}

/// A file, with some pieces cut out, doubled, or replaced.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<Vec<u8>> = [
        "{", "}", "[", "]", ":", ": ", "- ", "\n", "  ", "\t", "'", "\"", "&a ", "*a", "<<: ",
        "!t ", "---\n", "# ", "|", ">", "%", "@", "`", "null", "-1", ".nan", "1e999", "${A}",
        "${A:-", "runtime:", "\u{FEFF}", "é",
    ]
    .map(|piece| piece.as_bytes().to_vec())
    .to_vec();
    let edit = (
        any::<prop::sample::Index>(),
        0_usize..40,
        prop::sample::select(pieces),
    );
    let files = [
        include_str!("../reference.yaml"),
        include_str!("files/crossbridge.yml"),
    ];
    (
        prop::sample::select(files.to_vec()),
        prop::collection::vec(edit, 1..8),
    )
        .prop_map(|(file, edits)| {
            let mut bytes = file.as_bytes().to_vec();
            for (at, cut, piece) in edits {
                let at = at.index(bytes.len() + 1);
                let end = (at + cut).min(bytes.len());
                bytes.splice(at..end, piece);
            }
            bytes
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_broken_file_panics_and_every_error_points_into_it(bytes in mutated()) {
        if let Err(errors) = read(&bytes) {
            prop_assert!(points_into(&bytes, &errors), "{errors}");
            prop_assert!(errors.len() > 0 && !errors.to_string().is_empty());
        }
        let _ = Config::parse(&bytes, "h.yaml", &Environment::compiling());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_soup_of_signs_panics(text in "(runtime: |retry: |a_policy: |[-:?{}\\[\\],&*!|>'\"%@`# \n\t]|<<|\\$\\{|[a-c0-2.]){0,80}") {
        if let Err(errors) = read(text.as_bytes()) {
            prop_assert!(points_into(text.as_bytes(), &errors), "{errors}");
        }
    }

    #[test]
    fn no_variable_panics_or_is_shown(value in "[a-z{}\\[\\]:, &*!0-9\"'-]{0,30}", inside in any::<bool>()) {
        let secret = format!("s3cr3t{value}");
        let env = if inside {
            Environment::from_pairs([("A", secret)])
        } else {
            Environment::from_pairs([("HARDENING__RETRY__A__BUDGET", secret)])
        };
        let file = b"runtime: {retry: {a_policy: {base_delay: '${A:-1}', jitter: '${A:-full}', budget: '${A:-false}'}}}";
        if let Err(errors) = Config::parse(file, "h.yaml", &env) {
            let text = format!("{errors} {errors:?}");
            prop_assert!(!text.contains("s3cr3t"), "{text}");
        }
    }
}

#[test]
fn a_missing_file_is_an_error_only_when_it_was_asked_for() {
    let nowhere = std::path::Path::new("/nowhere/at/all");
    assert_eq!(find::run_time(nowhere, None).unwrap(), None);
    assert_eq!(find::run_time(nowhere, Some(" ")).unwrap(), None);
    assert_eq!(
        find::run_time(nowhere, Some("conf/h.yaml"))
            .unwrap_err()
            .to_string(),
        "env HARDENING_CONFIG: there is no file `/nowhere/at/all/conf/h.yaml`: give its path, or unset the variable"
    );
}
