//! The figures at the end. They are always on, and plain data, which `serde` can write.

use hardening::{Snapshot, health::HealthReport, metrics::SiteFigures};
use std::time::Duration;

/// A row for each annotated function, and what its failures were.
pub(crate) fn figures(snapshot: &Snapshot) {
    let sites = || {
        let named = |path: &str| path.rsplit("::").next().unwrap_or_default().to_owned();
        let sites = snapshot.sites.iter();
        sites.map(move |site| (named(&site.path), &site.figures))
    };
    println!();
    println!(
        "{:29}───────── rejected by ─────────{:12}── milliseconds ──",
        "", ""
    );
    println!(
        "site    calls    ok failed attempts  limit circuit bulkhead timeout  hit rate   p50   p95   p99"
    );
    for (name, figures) in sites() {
        row(&name, figures);
    }
    println!();
    for (name, figures) in sites() {
        println!(
            "{name} failed {} times: {}",
            figures.errors(),
            failures(figures)
        );
    }
    if let Some(site) = snapshot.site("answer") {
        answers(&site.figures);
    }
}

fn row(name: &str, figures: &SiteFigures) {
    let (by, took) = (&figures.rejected_by, &figures.latency);
    println!(
        "{name:7}{:>6}{:>6}{:>7}{:>9}{:>7}{:>8}{:>9}{:>8}{:>10}{:>6}{:>6}{:>6}",
        figures.calls(),
        figures.success,
        figures.errors(),
        figures.attempts,
        by.rate_limit,
        by.circuit_breaker,
        by.bulkhead,
        by.timeout,
        hit_rate(figures),
        milliseconds(took.p50),
        milliseconds(took.p95),
        milliseconds(took.p99),
    );
}

/// What the calls that failed came to: each is one of these.
fn failures(figures: &SiteFigures) -> String {
    let kinds = [
        (figures.error, "errors"),
        (figures.rate_limited, "rate limited"),
        (figures.circuit_open, "circuit open"),
        (figures.bulkhead_full, "bulkhead full"),
        (figures.timed_out, "timed out"),
        (figures.load_failed, "load failed"),
        (figures.panicked, "panicked"),
    ];
    let kinds = kinds.iter().filter(|(count, _)| *count > 0);
    let kinds: Vec<_> = kinds
        .map(|(count, kind)| format!("{count} {kind}"))
        .collect();
    kinds.join(", ")
}

/// What the users got: each call is one of these.
fn answers(figures: &SiteFigures) {
    let SiteFigures {
        cache_hits,
        cache_stale,
        fallbacks,
        ..
    } = figures;
    let fresh = figures.success - cache_hits - cache_stale;
    println!(
        "{} questions: {fresh} fresh answers, {cache_hits} from the cache, {cache_stale} stale, {fallbacks} apologies",
        figures.calls(),
    );
}

fn hit_rate(figures: &SiteFigures) -> String {
    match figures.cache_hits + figures.cache_misses {
        0 => "-".to_owned(),
        _ => format!("{:.0} %", figures.hit_rate() * 100.0),
    }
}

fn milliseconds(time: Duration) -> String {
    match time.as_millis() {
        0 => "<1".to_owned(),
        whole => whole.to_string(),
    }
}

/// What the health checks say now.
pub(crate) fn health(report: &HealthReport) {
    println!("\nhealth report: {report}");
}
