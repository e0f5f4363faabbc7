//! The texts: what others parse, to the letter.

use super::{text::Text, *};
use crate::{
    health::{HealthResult, Registry},
    metrics::{Durations, Event, Layer, Outcome, SiteMetrics},
    report::SiteSnapshot,
};
use std::{collections::BTreeSet, time::Duration};

#[test]
fn a_label_is_escaped_and_a_family_without_samples_leaves_no_trace() {
    let mut text = Text::default();
    text.counter("nothing_total", "Nothing.");
    let mut family = text.gauge("things", "All things.");
    family.sample(&[("name", "a\"b\\c\nd"), ("kind", "größe")], 1.5);
    family.sample(&[], 0);
    let expected = "# HELP things All things.\n# TYPE things gauge\n\
                    things{name=\"a\\\"b\\\\c\\nd\",kind=\"größe\"} 1.5\nthings 0\n";
    assert_eq!(text.done(), expected);
}

const LAYERS: [&str; 6] = [
    "cached",
    "timeout",
    "rate_limited",
    "retryable",
    "circuit_breaker",
    "bulkhead",
];

/// A snapshot of sites with these paths, each with the figures that `metrics` has.
fn snapshot(sites: &[(&str, &SiteMetrics)]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (path, metrics) in sites {
        let figures = metrics.snapshot();
        snapshot.total.merge(&figures);
        let site = SiteSnapshot::stateless(path, &LAYERS, figures);
        snapshot.sites.push(site);
    }
    snapshot
}

fn call(metrics: &SiteMetrics, outcome: Outcome, millis: u64) {
    metrics.begin();
    metrics.record(outcome, Duration::from_millis(millis), 1);
}

#[track_caller]
fn assert_has(text: &str, line: &str) {
    assert!(
        text.lines().any(|one| one == line),
        "no `{line}` in\n{text}"
    );
}

#[test]
fn a_site_that_was_never_called_has_all_its_series_at_zero() {
    let text = prometheus(&snapshot(&[("shop::order", &SiteMetrics::new())]));
    let series = |line: &&str| line.contains("site=");
    assert!(text.lines().filter(series).count() > 40, "{text}");
    for line in text.lines().filter(series) {
        assert!(line.ends_with(" 0"), "{line}");
    }
    assert_has(
        &text,
        "hardening_calls_total{site=\"shop::order\",outcome=\"load_failed\"} 0",
    );
    assert_has(
        &text,
        "hardening_rejections_total{site=\"shop::order\",layer=\"timeout\"} 0",
    );
    assert!(
        !text.contains("hardening_fallbacks_total{"),
        "it has no fallback"
    );
}

#[test]
fn what_was_counted_stands_in_the_text() {
    let metrics = SiteMetrics::new();
    call(&metrics, Outcome::Success, 20);
    call(&metrics, Outcome::Success, 400);
    call(&metrics, Outcome::TimedOut, 70_000);
    metrics.count(Event::CacheHit);
    metrics.count(Event::Rejected(Layer::Timeout));
    metrics.begin();
    let text = prometheus(&snapshot(&[("ask", &metrics)]));
    for line in [
        "# TYPE hardening_calls_total counter",
        "hardening_calls_total{site=\"ask\",outcome=\"success\"} 2",
        "hardening_calls_total{site=\"ask\",outcome=\"timed_out\"} 1",
        "hardening_calls_in_flight{site=\"ask\"} 1",
        "# TYPE hardening_call_duration_seconds histogram",
        "hardening_call_duration_seconds_bucket{site=\"ask\",le=\"0.01\"} 0",
        "hardening_call_duration_seconds_bucket{site=\"ask\",le=\"0.025\"} 1",
        "hardening_call_duration_seconds_bucket{site=\"ask\",le=\"0.5\"} 2",
        "hardening_call_duration_seconds_bucket{site=\"ask\",le=\"60\"} 2",
        "hardening_call_duration_seconds_bucket{site=\"ask\",le=\"+Inf\"} 3",
        "hardening_call_duration_seconds_sum{site=\"ask\"} 70.42",
        "hardening_call_duration_seconds_count{site=\"ask\"} 3",
        "hardening_attempts_total{site=\"ask\"} 3",
        "hardening_cache_hits_total{site=\"ask\"} 1",
        "hardening_rejections_total{site=\"ask\",layer=\"timeout\"} 1",
    ] {
        assert_has(&text, line);
    }
}

#[test]
fn functions_with_one_path_are_one_series() {
    let (one, other) = (SiteMetrics::new(), SiteMetrics::new());
    call(&one, Outcome::Success, 1);
    call(&other, Outcome::Error, 1);
    let snapshot = snapshot(&[("Orders::place", &one), ("Orders::place", &other)]);
    let text = prometheus(&snapshot);
    assert_has(
        &text,
        "hardening_calls_total{site=\"Orders::place\",outcome=\"success\"} 1",
    );
    assert_has(
        &text,
        "hardening_calls_total{site=\"Orders::place\",outcome=\"error\"} 1",
    );
    let series = text.lines().filter(|line| !line.starts_with('#'));
    let series: Vec<_> = series.filter_map(|line| line.rsplit_once(' ')).collect();
    let distinct: BTreeSet<_> = series.iter().map(|(name, _)| name).collect();
    assert_eq!(distinct.len(), series.len());
    assert_eq!(json(&snapshot).sites["Orders::place"].requests.total, 2);
}

#[test]
fn limits_of_buckets_are_kept_within_six_per_cent() {
    for (micros, text) in BUCKET_LIMITS {
        let seconds: f64 = text.parse().unwrap();
        let limit = Duration::from_micros(micros);
        assert!((seconds - limit.as_secs_f64()).abs() < 1e-9, "{text}");
        let within = |duration| {
            let metrics = SiteMetrics::new();
            metrics.record(Outcome::Success, duration, 1);
            let durations: Durations = metrics.snapshot().durations;
            durations.count_within(limit) == 1
        };
        assert!(within(limit.mul_f64(0.94)), "{text}");
        assert!(!within(limit.mul_f64(1.07)), "{text}");
    }
}

#[test]
fn the_small_json_has_the_shape_that_dashboards_read() {
    let metrics = SiteMetrics::new();
    for _ in 0..3 {
        call(&metrics, Outcome::Success, 500);
    }
    call(&metrics, Outcome::RateLimited, 500);
    metrics.count(Event::CacheHit);
    metrics.count(Event::CacheMiss);
    let text = serde_json::to_value(json(&snapshot(&[("ask", &metrics)]))).unwrap();
    let figures = serde_json::json!({
        "requests": {"total": 4, "success": 3, "errors": 1, "errorRate": 0.25},
        "cache": {"hits": 1, "misses": 1, "hitRate": 0.5},
        "duration": {"avg": 0.5, "p95": 0.5, "p99": 0.5},
        "queue": {"queueSize": 0, "processing": 0, "urgent": 0},
    });
    let mut all = figures.clone();
    all["sites"] = serde_json::json!({"ask": figures});
    assert_eq!(text, all);
}

#[tokio::test(start_paused = true)]
async fn a_health_report_has_one_series_at_one_for_each_check() {
    let registry = Registry::new();
    registry.register("data \"base\"", || async {
        HealthResult::unhealthy("gone")
    });
    let text = prometheus_of_health(&registry.run_all().await);
    for line in [
        "hardening_health_status{status=\"healthy\"} 0",
        "hardening_health_status{status=\"degraded\"} 1",
        "hardening_health_check_status{check=\"data \\\"base\\\"\",status=\"degraded\"} 1",
        "hardening_health_check_status{check=\"data \\\"base\\\"\",status=\"unhealthy\"} 0",
        "hardening_health_check_consecutive_failures{check=\"data \\\"base\\\"\"} 1",
        "hardening_health_check_last_success_timestamp_seconds{check=\"data \\\"base\\\"\"} 0",
    ] {
        assert_has(&text, line);
    }
}
