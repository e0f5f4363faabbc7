//! The file, the environment, and which value wins. The configuration is the process's, so each test
//! runs in a process of its own.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{circuit_breaker, rate_limited, retryable, timeout};
use std::{fs, path::Path};
use support::{AppError, AppResult, Runs, child, folder, is_child};

/// The functions that every file of these tests has to fit.
mod shop {
    use super::*;

    pub(super) const PLACE: u32 = line!() + 1;
    #[retryable(policy = "expensive", base_delay = 0)]
    pub(super) fn place(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }

    #[retryable(max_attempts = 2, base_delay = 0)]
    pub(super) fn list(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }

    pub(super) const SEARCH: u32 = line!() + 1;
    #[rate_limited(op = "search")]
    #[circuit_breaker(failure_threshold = 2)]
    pub(super) fn search(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }

    #[timeout("10s")]
    pub(super) async fn ask() -> AppResult<()> {
        std::future::pending().await
    }
}

fn runs(call: fn(&Runs) -> AppResult<()>) -> u32 {
    let runs = Runs::new();
    let _ = call(&runs);
    runs.get()
}

/// Runs the test `name` as a child with the file `yaml` and the variables `env`.
#[track_caller]
fn with_file(name: &str, yaml: &str, env: &[(&str, &str)]) {
    let folder = folder(name);
    let file = folder.join("some.yaml");
    fs::write(&file, yaml).unwrap();
    let mut all = vec![("HARDENING_CONFIG", file.to_str().unwrap())];
    all.extend(env);
    child(name, &folder, &all);
    fs::remove_dir_all(folder).unwrap();
}

const FILE: &str = "
runtime:
  retry:
    default_policy: {max_attempts: 6, jitter: none, max_delay: 5}
    expensive_policy: {max_attempts: 8}
  rate_limiting:
    defaults:
      search: {capacity: 3, window_seconds: 60}
";

#[test]
fn policies_by_name_have_the_numbers_of_the_file() {
    if !is_child() {
        return with_file("policies_by_name_have_the_numbers_of_the_file", FILE, &[]);
    }
    assert_eq!(runs(shop::place), 8);
    assert_eq!(runs(shop::list), 2, "inline beats the default policy");
    let started = hardening::init!().unwrap();
    assert!(started.file.unwrap().ends_with("some.yaml"));
    assert_eq!(started.sites, 4);
}

#[test]
fn the_environment_beats_the_file_and_the_code() {
    if !is_child() {
        let env = [
            ("HARDENING__RETRY__EXPENSIVE__MAX_ATTEMPTS", "7"),
            ("HARDENING__RETRY__DEFAULT__MAX_ATTEMPTS", "4"),
            ("HARDENING__RATE_LIMITING__SEARCH__CAPACITY", "1"),
        ];
        return with_file("the_environment_beats_the_file_and_the_code", FILE, &env);
    }
    assert_eq!(runs(shop::place), 7);
    assert_eq!(runs(shop::list), 4);
    assert_eq!((runs(shop::search), runs(shop::search)), (1, 0));
    let sites = hardening::sites();
    let place = sites
        .iter()
        .find(|site| site.path.ends_with("::place"))
        .unwrap();
    let attempts = place.layers[0]
        .settings
        .iter()
        .find(|s| s.key == "max_attempts")
        .unwrap();
    assert_eq!(attempts.value, "7");
    assert_eq!(
        attempts.origin,
        "env HARDENING__RETRY__EXPENSIVE__MAX_ATTEMPTS"
    );
}

const OVERRIDES: &str = r#"
  overrides:
    "config::shop::place": {retry: {max_attempts: 3, base_delay: 0}}
    "config::shop::list": {retry: {enabled: false}}
    "config::shop::search": {circuit_breaker: {enabled: false}, rate_limiting: {capacity: 4}}
"#;

#[test]
fn an_override_beats_the_code_at_one_call_site() {
    let file = format!("{FILE}{OVERRIDES}");
    if !is_child() {
        return with_file("an_override_beats_the_code_at_one_call_site", &file, &[]);
    }
    hardening::init!().unwrap();
    assert_eq!(runs(shop::place), 3);
    assert_eq!(runs(shop::list), 1, "switched off");
    let ran: u32 = (0..6).map(|_| runs(shop::search)).sum();
    assert_eq!(ran, 4, "no circuit, and a capacity of four");
}

#[test]
fn the_environment_beats_an_override() {
    let file = format!("{FILE}{OVERRIDES}");
    if !is_child() {
        let env = [("HARDENING__RETRY__EXPENSIVE__MAX_ATTEMPTS", "9")];
        return with_file("the_environment_beats_an_override", &file, &env);
    }
    assert_eq!(runs(shop::place), 9);
}

#[test]
fn an_override_for_a_function_that_does_not_exist_is_reported() {
    let file =
        format!("{FILE}{OVERRIDES}    \"config::shop::plaec\": {{retry: {{max_attempts: 1}}}}\n");
    if !is_child() {
        let name = "an_override_for_a_function_that_does_not_exist_is_reported";
        return with_file(name, &file, &[]);
    }
    let errors = hardening::init!().unwrap_err();
    let text = errors.to_string();
    assert_eq!(errors.len(), 1, "{text}");
    assert!(text.contains("some.yaml:14:5"), "{text}");
    assert!(
        text.contains("config::shop::place"),
        "suggests the nearest: {text}"
    );
}

#[test]
fn a_section_that_is_switched_off_lets_every_call_through() {
    let off = "
runtime:
  retry: {enabled: false, expensive_policy: {max_attempts: 4}}
  circuit_breaker: {enabled: false}
  rate_limiting:
    enabled: false
    defaults: {search: {capacity: 1, window_seconds: 60}}
";
    if !is_child() {
        return with_file(
            "a_section_that_is_switched_off_lets_every_call_through",
            off,
            &[],
        );
    }
    hardening::init!().unwrap();
    assert_eq!((runs(shop::place), runs(shop::list)), (1, 1));
    for _ in 0..5 {
        assert_eq!(runs(shop::search), 1);
    }
    let layers = hardening::sites().into_iter().flat_map(|site| site.layers);
    assert!(
        layers
            .into_iter()
            .all(|layer| layer.enabled == (layer.attribute == "timeout"))
    );
}

#[tokio::test(start_paused = true)]
async fn the_timeout_and_the_observe_mode_can_be_set_by_override() {
    let file = format!(
        "{FILE}
  overrides:
    config::shop::ask: {{timeout: {{call: 500ms}}}}
    config::shop::search: {{rate_limiting: {{mode: observe, capacity: 1}}, circuit_breaker: {{mode: observe}}}}
"
    );
    if !is_child() {
        let name = "the_timeout_and_the_observe_mode_can_be_set_by_override";
        return with_file(name, &file, &[]);
    }
    support::assert_took(support::timed(shop::ask()).await.1, 0.5);
    for _ in 0..5 {
        assert_eq!(runs(shop::search), 1);
    }
    let snapshot = hardening::snapshot();
    let would_have = &snapshot.site("shop::search").unwrap().figures.would_have;
    assert_eq!((would_have.rate_limited, would_have.circuit_open), (4, 3));
}

#[test]
fn init_returns_every_problem_at_once_and_changes_nothing() {
    let bad = "
runtime:
  retry:
    default_policy: {max_atempts: 3, base_delay: -1}
    quick_policy: {max_attempts: 0}
  circuit_braker: {}
  rate_limiting:
    defaults: {serch: {capacity: 1, window_seconds: 60}}
";
    if !is_child() {
        return with_file(
            "init_returns_every_problem_at_once_and_changes_nothing",
            bad,
            &[],
        );
    }
    let errors = hardening::init!().unwrap_err();
    let text = errors.to_string();
    for (place, word) in [
        ("some.yaml:4:22", "max_attempts"),
        ("some.yaml:4:50", "base_delay"),
        ("some.yaml:5:34", "max_attempts"),
        ("some.yaml:6:3", "circuit_breaker"),
    ] {
        assert!(
            text.contains(place) && text.contains(word),
            "{place}: {text}"
        );
    }
    for (line, name) in [(shop::PLACE, "`expensive`"), (shop::SEARCH, "`search`")] {
        let at = format!("tests/config.rs:{line}");
        let told = text.lines().find(|told| told.contains(&at));
        assert!(told.is_some_and(|told| told.contains(name)), "{at}: {text}");
    }
    assert_eq!(errors.len(), 6, "{text}");
    assert_eq!(runs(shop::place), 5, "the built-in policies are in force");
}

#[test]
fn init_checks_every_annotated_function_against_the_file() {
    let other = "
runtime:
  retry:
    default_policy: {max_delay: 1, base_delay: 1}
  rate_limiting:
    defaults: {serch: {capacity: 1, window_seconds: 60}}
";
    if !is_child() {
        return with_file(
            "init_checks_every_annotated_function_against_the_file",
            other,
            &[],
        );
    }
    let errors = hardening::init!().unwrap_err();
    let text = errors.to_string();
    assert_eq!(errors.len(), 2, "{text}");
    for (line, wanted, there) in [
        (shop::PLACE, "expensive", "default"),
        (shop::SEARCH, "search", "serch"),
    ] {
        assert!(text.contains(&format!("tests/config.rs:{line}")), "{text}");
        assert!(
            text.contains(&format!("`{wanted}`")) && text.contains(there),
            "{text}"
        );
    }
}

#[test]
fn the_embedded_text_is_in_force_where_no_file_is_found() {
    let name = "the_embedded_text_is_in_force_where_no_file_is_found";
    if !is_child() {
        let empty = folder(name);
        child(name, &empty, &[]);
        return fs::remove_dir_all(empty).unwrap();
    }
    let started = hardening::init!().unwrap();
    assert!(
        started.file.unwrap().ends_with("hardening.yaml"),
        "where it was while compiling"
    );
    hardening::check_rate_limit("by_name_search", &1).unwrap();
}

#[test]
fn a_call_before_init_finds_the_embedded_text_too() {
    let name = "a_call_before_init_finds_the_embedded_text_too";
    if !is_child() {
        let empty = folder(name);
        child(name, &empty, &[]);
        return fs::remove_dir_all(empty).unwrap();
    }
    hardening::check_rate_limit("by_name_search", &1).unwrap();
    let shown = hardening::snapshot().configuration;
    assert!(shown.embedded, "{shown:?}");
    assert_eq!(shown.file.as_deref(), Some("hardening.yaml"));
}

/// The child looks from `depth` folders below the file.
fn found_from(name: &str, file: &str, depth: usize) {
    let top = folder(name);
    fs::write(top.join(file), FILE).unwrap();
    let below: std::path::PathBuf =
        (0..depth).fold(top.clone(), |path, n| path.join(n.to_string()));
    fs::create_dir_all(&below).unwrap();
    child(name, &below, &[("FOUND_FROM", &depth.to_string())]);
    fs::remove_dir_all(&top).unwrap();
}

#[test]
fn the_file_is_found_in_the_working_directory_and_up_to_three_parents() {
    if !is_child() {
        let name = "the_file_is_found_in_the_working_directory_and_up_to_three_parents";
        found_from(name, "hardening.yaml", 0);
        found_from(name, "hardening.yml", 1);
        found_from(name, "hardening.yaml", 3);
        return found_from(name, "hardening.yaml", 4);
    }
    let found = std::env::var("FOUND_FROM").unwrap() != "4";
    assert_eq!(runs(shop::place), if found { 8 } else { 5 });
}

#[test]
fn variables_are_replaced_inside_values() {
    let quoted = r#"max_attempts: "${TEST_ATTEMPTS}", max_delay: "${NOT_SET:-1s}""#;
    let file = FILE.replace("max_attempts: 8", quoted);
    let block = "    quick_policy:\n      max_attempts: ${TEST_ATTEMPTS}\n  rate_limiting";
    let file = file.replace("  rate_limiting", block);
    if !is_child() {
        let env = [("TEST_ATTEMPTS", "3")];
        return with_file("variables_are_replaced_inside_values", &file, &env);
    }
    hardening::init!().unwrap();
    assert_eq!(runs(shop::place), 3);
    let runs = Runs::new();
    let _ = hardening::retry_blocking("quick", || {
        runs.up();
        Err::<(), _>(AppError::Busy)
    });
    assert_eq!(runs.get(), 3);
}

#[test]
fn a_file_that_hardening_config_names_must_exist() {
    let name = "a_file_that_hardening_config_names_must_exist";
    if !is_child() {
        return child(
            name,
            Path::new("."),
            &[("HARDENING_CONFIG", "no/such.yaml")],
        );
    }
    let text = hardening::init!().unwrap_err().to_string();
    assert!(
        text.contains("HARDENING_CONFIG") && text.contains("no/such.yaml"),
        "{text}"
    );
}

#[test]
fn one_environment_can_be_tried_without_changing_the_process() {
    use hardening::config::{Config, Environment, LayerKind, RetryPolicy, Selection};
    let env = Environment::from_pairs([("HARDENING__RETRY__EXPENSIVE__MAX_ATTEMPTS", "7")]);
    let config = Config::parse(FILE.as_bytes(), "some.yaml", &env).unwrap();
    let inline: &[(&str, &str)] = &[("max_attempts", "5"), ("base_delay", "\"200ms\"")];
    let resolved = config.resolve::<RetryPolicy>(&Selection {
        site: "shop::place",
        at: "src/shop.rs:1",
        name: Some("expensive"),
        inline,
    });
    let resolved = resolved.unwrap();
    assert_eq!(resolved.policy.max_attempts, 7);
    assert_eq!(resolved.policy.base_delay.as_millis(), 200);
    assert_eq!(config.names(LayerKind::Retry), ["default", "expensive"]);
}
