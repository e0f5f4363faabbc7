//! What `init!()` says: all that is wrong, what is doubtful, and what is in force. The configuration is
//! the process's, so each test runs in a process of its own.

mod support;

use hardening::{
    circuit_breaker, config::ConfigErrors, health_check, rate_limited, retryable, timeout,
};
use std::{fs, io, path::Path, sync::Mutex};
use support::{AppError, AppResult, Runs, child, folder, is_child};

mod shop {
    use super::*;

    pub(super) const PLACE: u32 = line!() + 1;
    #[timeout("30s")]
    #[retryable(policy = "expensive")]
    pub(super) async fn place(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }

    pub(super) const SEARCH: u32 = line!() + 1;
    #[rate_limited(op = "search")]
    #[circuit_breaker(failure_rate = 0.5)]
    pub(super) fn search() -> AppResult<()> {
        Ok(())
    }
}

#[health_check(name = "start_database")]
fn database() -> bool {
    true
}

/// Runs the test `name` as a child with the file `yaml` and the variables `env`.
#[track_caller]
fn with_file(name: &str, yaml: &str, env: &[(&str, &str)]) {
    let folder = folder(name);
    fs::write(folder.join("hardening.yaml"), yaml).unwrap();
    child(name, &folder, env);
    fs::remove_dir_all(folder).unwrap();
}

fn wrong() -> (ConfigErrors, String) {
    let errors = hardening::init!().unwrap_err();
    let text = errors.to_string();
    (errors, text)
}

const GOOD: &str = "
runtime:
  retry:
    expensive_policy: {max_attempts: 5, base_delay: 1, max_delay: 10}
  rate_limiting:
    defaults: {search: {capacity: 30, window_seconds: 60}}
";

#[test]
fn mistakes_of_the_file_the_sites_the_checks_and_the_environment_come_together() {
    let name = "mistakes_of_the_file_the_sites_the_checks_and_the_environment_come_together";
    let file = "
runtime:
  retry: {default_policy: {max_atempts: 3}}
  rate_limiting:
    defaults: {search: {capacity: 0, window_seconds: 60}}
  health_checks: {providers: {start_database: {interval: never}}}
  overrides:
    start::shop::plaec: {retry: {max_attempts: 1}}
";
    if !is_child() {
        let env = [("HARDENING__RETRY__EXPENSIV__MAX_ATTEMPTS", "7")];
        return with_file(name, file, &env);
    }
    let (errors, text) = wrong();
    for told in [
        "hardening.yaml:3:28: runtime.retry.default_policy.max_atempts: unknown key; did you mean `max_attempts`?",
        "hardening.yaml:5:35: runtime.rate_limiting.defaults.search.capacity: `0` is refused",
        "hardening.yaml:6:58: runtime.health_checks.providers.start_database.interval:",
        "hardening.yaml:8:5: runtime.overrides: no annotated function has this path; did you mean `start::shop::place`?",
        "retryable.policy: hardening.yaml defines no retry policy `expensive`",
        "env HARDENING__RETRY__EXPENSIV__MAX_ATTEMPTS: it names no setting",
    ] {
        assert!(text.contains(told), "no {told} in {text}");
    }
    assert_eq!(errors.len(), 6, "{text}");
    assert!(
        text.contains(&format!("tests/start.rs:{}", shop::PLACE + 1)),
        "{text}"
    );
    let debug = format!("{errors:?}");
    assert!(
        debug.starts_with("6 mistakes in the configuration\n"),
        "what a main prints: {debug}"
    );
}

#[test]
fn a_file_that_is_no_yaml_says_only_that() {
    let name = "a_file_that_is_no_yaml_says_only_that";
    if !is_child() {
        return with_file(name, "runtime: {retry: [}", &[]);
    }
    let (errors, text) = wrong();
    assert_eq!(errors.len(), 1, "{text}");
    assert!(
        text.contains("hardening.yaml:1:18: this is no YAML"),
        "{text}"
    );
}

#[test]
fn what_can_never_work_across_policies_is_an_error_at_start() {
    let name = "what_can_never_work_across_policies_is_an_error_at_start";
    let file = format!(
        "{GOOD}  overrides:
    start::shop::place: {{timeout: {{call: 1}}, retry: {{jitter: none}}}}
    start::shop::search: {{rate_limiting: {{capacity: 2, scope: global}}}}
"
    );
    if !is_child() {
        return with_file(name, &file, &[]);
    }
    let (errors, text) = wrong();
    assert_eq!(errors.len(), 2, "{text}");
    for told in [
        "hardening.yaml:4:41: start::shop::place: no retry ever has time: the first wait lasts until the \
         call is over: it is at least 1s, and the call has 1s (",
        "`call` 1s from hardening.yaml:8:36); raise `call` or lower `base_delay`",
        "start::shop::search: `failure_rate` can never count: the rate limit admits fewer calls than it \
         takes: at most 3 in a window of 30s, and `minimum_calls` is 10 (",
    ] {
        assert!(text.contains(told), "no {told} in {text}");
    }
    assert!(
        text.contains(&format!("attribute at tests/start.rs:{}", shop::SEARCH + 1)),
        "{text}"
    );
}

#[test]
fn a_limit_on_trial_may_be_what_an_enforced_one_may_not_and_a_reload_knows_it() {
    let name = "a_limit_on_trial_may_be_what_an_enforced_one_may_not_and_a_reload_knows_it";
    let with = |rest: &str| {
        format!(
            "{GOOD}  overrides:
    start::shop::search: {{rate_limiting: {{capacity: 2, scope: global{rest}}}}}
"
        )
    };
    if !is_child() {
        return with_file(name, &with(", mode: observe, allow: [unused]"), &[]);
    }
    hardening::init!().unwrap();
    fs::write("hardening.yaml", with("")).unwrap();
    let text = hardening::reload().unwrap_err().to_string();
    assert!(
        text.contains("start::shop::search: `failure_rate` can never count"),
        "{text}"
    );
    assert!(hardening::snapshot().configuration.outdated);
    let mut sites = hardening::sites().into_iter();
    let search = sites.find(|site| site.path == "start::shop::search");
    assert!(search.unwrap().layers[0].observe, "what was in force stays");
    fs::write("hardening.yaml", with(", mode: observe")).unwrap();
    hardening::reload().unwrap();
    assert!(!hardening::snapshot().configuration.outdated);
}

const DOUBTFUL: &str = "
runtime:
  retry:
    expensive_policy: {max_attempts: 5, base_delay: 1, max_delay: 10, jitter: none}
    forgotten_policy: {max_attempts: 1}
    kept_policy: {max_attempts: 1, allow: [unused]}
  rate_limiting:
    defaults:
      search: {capacity: 30, window_seconds: 60}
      serch: {capacity: 30, window_seconds: 60}
  health_checks: {providers: {start_queue: {}}}
  overrides:
    start::shop::place: {timeout: {call: 12, allow: []}}
";

#[test]
fn what_is_doubtful_is_a_warning_that_a_program_can_read_and_an_event() {
    let name = "what_is_doubtful_is_a_warning_that_a_program_can_read_and_an_event";
    if !is_child() {
        return with_file(name, DOUBTFUL, &[]);
    }
    let (started, log) = logged(|| hardening::init!().unwrap());
    for (warning, told) in started.warnings.iter().zip([
        "hardening.yaml:10:7: runtime.rate_limiting.defaults.serch: no function of this program names this op",
        "hardening.yaml:5:5: runtime.retry.forgotten_policy: no function of this program names this policy",
        "hardening.yaml:13:36: start::shop::place: the retries do not all fit into the call timeout: \
         waits of 1s + 2s + 4s + 8s = 15s, and the call has 12s: enough for 4 of 5 attempts",
        "no health check is registered for the provider `start_queue`",
    ]) {
        assert!(warning.starts_with(told), "{warning} is not {told}");
        let event = log.lines().find(|line| line.contains(told));
        assert!(event.is_some_and(|event| event.contains("WARN")), "{log}");
    }
    assert_eq!(started.warnings.len(), 4, "{:#?}", started.warnings);
}

#[test]
fn a_value_that_an_attribute_writes_and_an_inherited_one_are_a_warning_at_start() {
    let name = "a_value_that_an_attribute_writes_and_an_inherited_one_are_a_warning_at_start";
    let file = format!("{GOOD}  timeout: {{default_policy: {{attempt: 40}}}}\n");
    if !is_child() {
        // The file's own pair: the built-in `call` is shorter.
        return with_file(name, &file, &[]);
    }
    let started = hardening::init!().unwrap();
    let here = format!("attribute at tests/start.rs:{}: timeout.", shop::PLACE);
    for told in [
        "hardening.yaml:7:30: runtime.timeout.default_policy.attempt: `attempt` (40s) is longer than `call` (15s by default)",
        &format!(
            "{here}call: `attempt` (40s from hardening.yaml:7:30) is longer than `call` (30s)"
        ),
    ] {
        let mut warnings = started.warnings.iter();
        assert!(
            warnings.any(|warning| warning.starts_with(told)),
            "no {told} in {:#?}",
            started.warnings
        );
    }
}

/// One file may serve several programs of a workspace.
#[test]
fn an_override_for_a_crate_that_is_not_in_this_program_is_a_warning() {
    let name = "an_override_for_a_crate_that_is_not_in_this_program_is_a_warning";
    let file = format!(
        "{GOOD}  overrides:
    worker::jobs::run: {{timeout: {{call: 1}}}}
    strat::shop::place: {{timeout: {{call: 2}}}}
    worker::jobs::stop: {{timeout: {{call: 1, allow: [unused]}}}}
"
    );
    if !is_child() {
        return with_file(name, &file, &[]);
    }
    let started = hardening::init!().unwrap();
    let no_such_crate = "this program has no annotated function of that crate; if it is meant so, write \
                         `allow: [unused]`";
    assert_eq!(
        started.warnings,
        [
            format!("hardening.yaml:8:5: runtime.overrides.\"worker::jobs::run\": {no_such_crate}"),
            format!(
                "hardening.yaml:9:5: runtime.overrides.\"strat::shop::place\": {no_such_crate}; did you mean \
                 `start::shop::place`?"
            ),
        ]
    );
    hardening::reload().unwrap();
}

#[test]
fn an_override_for_a_layer_that_the_function_does_not_have_is_an_error() {
    let name = "an_override_for_a_layer_that_the_function_does_not_have_is_an_error";
    let file = format!(
        "{GOOD}  overrides:
    start::shop::place: {{retry: {{max_attempts: 2}}, rate_limit: {{enabled: false}}}}
    start::database:
      cache: {{}}
    place: {{}}
"
    );
    if !is_child() {
        return with_file(name, &file, &[]);
    }
    let (errors, text) = wrong();
    for told in [
        "hardening.yaml:8:52: runtime.overrides.\"start::shop::place\".rate_limit: the function has no \
         `#[rate_limited]`, so this changes nothing: it has `timeout`, `retry`",
        "hardening.yaml:9:5: runtime.overrides: no annotated function has this path",
        "hardening.yaml:11:5: runtime.overrides: no annotated function has this path",
    ] {
        assert!(text.contains(told), "no {told} in {text}");
    }
    assert_eq!(errors.len(), 3, "{text}");
}

#[test]
fn what_is_allowed_in_the_file_is_no_warning() {
    let name = "what_is_allowed_in_the_file_is_no_warning";
    let file = DOUBTFUL
        .replace("allow: []", "allow: [retries_exceed_timeout]")
        .replace("{max_attempts: 1}", "{max_attempts: 1, allow: [unused]}")
        .replace("      serch: {capacity: 30, window_seconds: 60}\n", "")
        .replace("{start_queue: {}}", "{start_database: {}}");
    if !is_child() {
        return with_file(name, &file, &[]);
    }
    assert_eq!(hardening::init!().unwrap().warnings, [""; 0]);
}

#[test]
fn the_log_says_what_is_in_force_and_where_it_came_from() {
    let name = "the_log_says_what_is_in_force_and_where_it_came_from";
    let file = format!(
        "{GOOD}  overrides:\n    start::shop::search: {{circuit_breaker: {{open_for: 5}}}}\n"
    );
    if !is_child() {
        let env = [("HARDENING__RETRY__EXPENSIVE__MAX_ATTEMPTS", "4")];
        return with_file(name, &file, &env);
    }
    let ((), log) = logged(|| drop(hardening::init!().unwrap()));
    let line = |words: &str| {
        let found = log.lines().find(|line| line.contains(words));
        found.unwrap_or_else(|| panic!("no {words} in {log}"))
    };
    let summary = line("configured");
    assert!(
        summary.contains("INFO") && summary.contains("hardening"),
        "{summary}"
    );
    for word in [
        "file=\"hardening.yaml\"",
        "sites=3",
        "policies=7",
        "overrides=1",
        "warnings=0",
        "embedded=false",
    ] {
        assert!(summary.contains(word), "no {word} in {summary}");
    }
    let place = line("start::shop::place");
    assert!(place.contains("DEBUG"), "{place}");
    let here = format!("tests/start.rs:{}", shop::PLACE);
    for word in [
        &*here,
        "retryable(expensive): max_attempts 4 (env HARDENING__RETRY__EXPENSIVE__MAX_ATTEMPTS)",
        "base_delay 1s (hardening.yaml:4:41)",
        "exponential_base 2 (built-in)",
        &format!("timeout: call 30s (attribute at {here})"),
    ] {
        assert!(place.contains(word), "no {word} in {place}");
    }
    let search = line("start::shop::search");
    assert!(
        search.contains("open_for 5s (hardening.yaml:8:45)"),
        "{search}"
    );
}

#[test]
fn a_reload_says_what_is_in_force_and_what_is_doubtful_as_the_start_does() {
    let name = "a_reload_says_what_is_in_force_and_what_is_doubtful_as_the_start_does";
    if !is_child() {
        return with_file(name, GOOD, &[]);
    }
    hardening::init!().unwrap();
    fs::write("hardening.yaml", DOUBTFUL).unwrap();
    let ((), log) = logged(|| hardening::reload().unwrap());
    for (level, told) in [
        ("INFO", "reloaded file=\"hardening.yaml\""),
        (
            "WARN",
            "defaults.serch: no function of this program names this op",
        ),
        (
            "WARN",
            "start::shop::place: the retries do not all fit into the call timeout",
        ),
        ("DEBUG", "jitter none (hardening.yaml:4:71)"),
        ("DEBUG", "timeout: call 12s (hardening.yaml:13:36)"),
    ] {
        let event = log.lines().find(|line| line.contains(told));
        assert!(
            event.is_some_and(|event| event.contains(level)),
            "no {told} in {log}"
        );
    }
    fs::write("hardening.yaml", "runtime: [").unwrap();
    let (_, log) = logged(|| hardening::reload().unwrap_err());
    assert!(!log.contains("settings in force"), "{log}");
}

/// The first call loads the file when nobody says `init!()`.
#[tokio::test(start_paused = true)]
async fn a_function_with_mistakes_keeps_what_is_switched_off_switched_off() {
    let name = "a_function_with_mistakes_keeps_what_is_switched_off_switched_off";
    let file = "
runtime:
  retry: {enabled: false}
  rate_limiting: {defaults: {search: {capacity: 1, window_seconds: 60}}}
";
    if !is_child() {
        return with_file(name, file, &[]);
    }
    let ((), log) = logged(|| drop(hardening::sites()));
    assert!(log.contains("no retry policy `expensive`"), "{log}");
    let runs = Runs::new();
    shop::place(&runs).await.unwrap_err();
    assert_eq!(runs.get(), 1, "the section is off");
}

#[test]
fn what_came_out_of_a_variable_says_which() {
    let name = "what_came_out_of_a_variable_says_which";
    let file = GOOD.replace("max_delay: 10", "max_delay: \"${MOST:-10}\"");
    let file = file.replace("base_delay: 1", "base_delay: \"${LEAST:-1}\"");
    if !is_child() {
        return with_file(
            name,
            &file,
            &[("MOST", "20s"), ("HARDENING__RETRY__ENABLED", "true")],
        );
    }
    hardening::init!().unwrap();
    let mut sites = hardening::sites().into_iter();
    let place = sites
        .find(|site| site.path == "start::shop::place")
        .unwrap();
    let settings = place.layers.iter().flat_map(|layer| &layer.settings);
    let origin = |key: &str| {
        let mut found = settings.clone().filter(|setting| setting.key == key);
        found.next().unwrap().origin.clone()
    };
    assert_eq!(
        origin("max_delay"),
        "hardening.yaml:4:68, the value of `${MOST}`"
    );
    assert_eq!(origin("base_delay"), "hardening.yaml:4:41", "its default");
}

/// Moves this very program, as an image of a service does, to where nothing else is.
#[test]
fn a_program_moved_to_an_empty_folder_runs_on_the_policies_it_was_compiled_with() {
    let name = "a_program_moved_to_an_empty_folder_runs_on_the_policies_it_was_compiled_with";
    if !is_child() {
        let folder = folder(name);
        let moved = folder.join("service");
        fs::copy(std::env::current_exe().unwrap(), &moved).unwrap();
        support::child_of(&moved, name, &folder, &[]);
        return fs::remove_dir_all(folder).unwrap();
    }
    assert!(!Path::new("hardening.yaml").exists());
    let started = hardening::init!().unwrap();
    assert_eq!(
        started.file.as_deref(),
        Some("hardening.yaml"),
        "as it was called then"
    );
    assert!(started.embedded && hardening::snapshot().configuration.embedded);
    let sites = hardening::sites();
    let place = sites
        .iter()
        .find(|site| site.path == "start::shop::place")
        .unwrap();
    let retry = place
        .layers
        .iter()
        .find(|layer| layer.attribute == "retryable")
        .unwrap();
    let jitter = retry
        .settings
        .iter()
        .find(|setting| setting.key == "jitter")
        .unwrap();
    assert_eq!(
        jitter.value, "none",
        "of this package's file; built-in is full"
    );
    assert!(
        jitter.origin.starts_with("hardening.yaml:3:"),
        "{}",
        jitter.origin
    );
}

#[test]
fn a_refused_file_resizes_no_bulkhead() {
    let name = "a_refused_file_resizes_no_bulkhead";
    if !is_child() {
        return with_file(name, GOOD, &[]);
    }
    /// Calls that run together, one inside of the other.
    #[hardening::bulkhead(max_queue = 0)]
    fn nested(calls: u32) -> AppResult<()> {
        if calls > 1 { nested(calls - 1) } else { Ok(()) }
    }
    hardening::init!().unwrap();
    nested(10).unwrap();
    nested(11).unwrap_err();
    let smaller = format!("{GOOD}  bulkhead: {{default_policy: {{max_concurrent: 3}}}}\n");
    fs::write(
        "hardening.yaml",
        format!("{smaller}  overrides: {{start::no_site: {{}}}}\n"),
    )
    .unwrap();
    hardening::reload().unwrap_err();
    nested(10).unwrap();
    fs::write("hardening.yaml", smaller).unwrap();
    hardening::reload().unwrap();
    nested(3).unwrap();
    nested(4).unwrap_err();
}

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `act` comes to, and what it logs.
fn logged<T>(act: impl FnOnce() -> T) -> (T, String) {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(|| Log)
        .finish();
    let result = tracing::subscriber::with_default(subscriber, act);
    let log = String::from_utf8(std::mem::take(&mut *LOG.lock().unwrap())).unwrap();
    (result, log)
}
