//! The text for Prometheus, read by Prometheus' own `promtool`.
//!
//! `./test` fetches it (`scripts/promtool`) and says where it is in `PROMTOOL`. Run alone, the tests
//! take the one on the PATH or that was fetched before; without one they check nothing and say so,
//! except where `CI` is set: there they fail.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{
    Rejected, bulkhead, cached, circuit_breaker, fallback,
    health::{HealthResult, Registry},
    metrics::{prometheus, prometheus_of_health},
    rate_limited, retryable, snapshot, timeout,
};
use std::{
    env,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};
use support::{AppError, AppResult, Runs};

#[fallback(|error| match error {
    AppError::Gone => Ok(0),
    error => Err(error),
})]
#[cached(ttl = 60, key = id)]
#[timeout(call = 5, attempt = 2)]
#[rate_limited(capacity = 3, window_seconds = 60)]
#[retryable(max_attempts = 2, base_delay = 0, clone(result))]
#[circuit_breaker(
    name = "prometheus \"quoted\" \\ name",
    failure_threshold = 2,
    open_for = 10
)]
#[bulkhead(max_concurrent = 4)]
async fn everything(id: u32, result: AppResult<u32>) -> AppResult<u32> {
    result
}

#[retryable]
#[circuit_breaker]
#[cached]
#[allow(dead_code, reason = "its series are there all the same")]
fn never_called(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

/// Where promtool is, if anywhere.
fn promtool() -> Option<PathBuf> {
    let fetched = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/promtool");
    let given = env::var_os("PROMTOOL").map(PathBuf::from);
    let known = given.into_iter().chain([fetched.into(), "promtool".into()]);
    let runs = |tool: &PathBuf| {
        let mut command = Command::new(tool);
        let command = command.arg("--version").stdout(Stdio::null());
        command
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    known.into_iter().find(runs)
}

/// Has promtool read `text`; says what it has to say.
fn complaints(text: &str) -> Option<String> {
    let Some(tool) = promtool() else {
        let hint =
            "no promtool: run `scripts/promtool`, which fetches it, or set PROMTOOL to its path";
        assert!(env::var_os("CI").is_none(), "{hint}");
        eprintln!("not checked: {hint}");
        return None;
    };
    let mut command = Command::new(tool);
    let command = command.args(["check", "metrics"]).stdin(Stdio::piped());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("promtool starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(text.as_bytes()).expect("promtool reads");
    drop(input);
    let output = child.wait_with_output().expect("promtool ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let said = if output.status.success() {
        said
    } else {
        format!("{}: {said}", output.status)
    };
    Some(said)
}

#[track_caller]
fn assert_accepted(text: &str) {
    if let Some(said) = complaints(text) {
        assert!(said.is_empty(), "promtool says:\n{said}\nof:\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn promtool_accepts_the_figures_of_every_layer_before_and_after_calls() {
    assert_accepted(&prometheus(&snapshot()));
    for (id, result) in [
        (1, Ok(1)),
        (1, Ok(1)),
        (2, Err(AppError::Busy)),
        (3, Err(AppError::Gone)),
        (4, Ok(4)),
    ] {
        let _ = everything(id, result).await;
    }
    let text = prometheus(&snapshot());
    assert_accepted(&text);
    let site = "prometheus::everything";
    for line in [
        format!("hardening_calls_total{{site=\"{site}\",outcome=\"success\"}} 2"),
        format!("hardening_cache_hits_total{{site=\"{site}\"}} 1"),
        format!("hardening_calls_total{{site=\"{site}\",outcome=\"error\"}} 1"),
        format!("hardening_calls_total{{site=\"{site}\",outcome=\"circuit_open\"}} 1"),
        format!("hardening_calls_total{{site=\"{site}\",outcome=\"rate_limited\"}} 1"),
        format!("hardening_rate_limit_tokens{{op=\"{site}\",limit=\"1\",scope=\"key\"}} 0"),
        format!("hardening_calls_total{{site=\"{site}\",outcome=\"panicked\"}} 0"),
        "hardening_calls_total{site=\"prometheus::never_called\",outcome=\"success\"} 0".to_owned(),
        "hardening_circuit_breaker_state{name=\"prometheus::never_called\",state=\"closed\"} 1"
            .to_owned(),
        "hardening_retry_budget_remaining{policy=\"default\"}".to_owned(),
        "hardening_cache_max_entries{name=\"prometheus::never_called\"} 1000".to_owned(),
    ] {
        let found = text.lines().any(|one| one.starts_with(&line));
        assert!(found, "no `{line}` in\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_gauge_of_a_state_that_was_left_returns_to_zero() {
    static RUNS: Runs = Runs::new();
    #[circuit_breaker(name = "prometheus_states", failure_threshold = 1, open_for = 10)]
    async fn ask(fails: bool) -> AppResult<()> {
        RUNS.up();
        if fails { Err(AppError::Busy) } else { Ok(()) }
    }
    let states =
        || {
            let text = prometheus(&snapshot());
            ["closed", "open", "half-open"].map(|state| {
            let series = format!(
                "hardening_circuit_breaker_state{{name=\"prometheus_states\",state=\"{state}\"}} "
            );
            let mut lines = text.lines();
            lines.find_map(|line| line.strip_prefix(&series)).unwrap().to_owned()
        })
        };
    assert_eq!(states(), ["1", "0", "0"]);
    assert!(ask(true).await.is_err());
    assert_eq!(states(), ["0", "1", "0"]);
    support::pass(11.0).await;
    assert!(ask(false).await.is_ok());
    assert_eq!(states(), ["1", "0", "0"]);
    assert_eq!(RUNS.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn promtool_accepts_a_health_report_behind_the_figures() {
    let registry = Registry::new();
    registry.register("database", || async { Err("\"refused\"\n") });
    registry.register("a \"quoted\" \\ name\n", HealthResult::healthy);
    let report = registry.run_all().await;
    let text = prometheus(&snapshot()) + &prometheus_of_health(&report);
    assert_accepted(&text);
    assert!(
        text.contains("hardening_health_check_status{check=\"database\",status=\"degraded\"} 1")
    );
}

#[tokio::test(start_paused = true)]
async fn every_series_has_a_row_on_the_page_and_every_row_a_series() {
    let page = include_str!("../docs/observability.md");
    let registry = Registry::new();
    registry.register("database", || async { true });
    let text = prometheus(&snapshot()) + &prometheus_of_health(&registry.run_all().await);
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let series: Vec<String> = types
        .map(|line| {
            let (name, kind) = line.split_once(' ').unwrap();
            format!("| `{name}` | {kind} |")
        })
        .collect();
    for row in &series {
        assert!(
            page.contains(row),
            "no row `{row}` in docs/observability.md"
        );
    }
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| `hardening_"));
    for row in rows {
        let known = series.iter().any(|series| row.starts_with(series));
        assert!(known, "no series for `{row}`");
    }
}

#[test]
fn promtool_is_heard_when_it_refuses() {
    for bad in ["a b c\n", "# TYPE calls counter\ncalls 1\n", "a 1\na 1\n"] {
        if let Some(said) = complaints(bad) {
            assert!(!said.is_empty(), "{bad}");
        }
    }
}
