//! A snapshot in the text format of Prometheus.
//!
//! A family per function below; what each means is in its help, and on the page *Observability*.
//! Series are there from the start and stay: those of a layer as long as the function has its
//! attribute, also while the layer is switched off.

use super::{
    Snapshot,
    state::state,
    text::{Family, Kind, Text},
};
use crate::{
    config::LayerKind,
    metrics::{Layer, SiteFigures},
    report::SiteSnapshot,
};
use std::{collections::BTreeMap, time::Duration};

/// The limits of the buckets of durations, in microseconds and as Prometheus writes them in
/// seconds. Each is within 6 % of what it says.
pub const BUCKET_LIMITS: [(u64, &str); 15] = [
    (100, "0.0001"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (5_000_000, "5"),
    (15_000_000, "15"),
    (60_000_000, "60"),
];

/// `snapshot` in the text format of Prometheus, version 0.0.4. Serve it as
/// [`PROMETHEUS_CONTENT_TYPE`](super::PROMETHEUS_CONTENT_TYPE).
///
/// Times are in seconds, counters end with `_total`. A site with every layer takes about 60 lines.
///
/// ```
/// # use hardening_runtime as hardening;
/// let text = hardening::metrics::prometheus(&hardening::snapshot());
/// assert!(text.contains("\nhardening_configuration_reloads_total 0\n"));
/// ```
#[must_use]
pub fn prometheus(snapshot: &Snapshot) -> String {
    let sites = sites(snapshot);
    let mut text = Text::default();
    calls(&mut text, &sites);
    layers(&mut text, &sites);
    state(&mut text, snapshot);
    text.done()
}

/// The figures of one path, and the attributes there.
#[derive(Default)]
struct Site {
    figures: SiteFigures,
    layers: Vec<&'static str>,
}

type Sites<'a> = BTreeMap<&'a str, Site>;

/// Functions of two `impl`s may have one path, and a series must not come twice: they are one.
fn sites(snapshot: &Snapshot) -> Sites<'_> {
    let mut sites = Sites::new();
    for SiteSnapshot {
        path,
        figures,
        layers,
        ..
    } in &snapshot.sites
    {
        let site = sites.entry(path).or_default();
        site.figures.merge(figures);
        site.layers.extend(layers);
    }
    sites
}

impl Site {
    fn has(&self, kind: LayerKind) -> bool {
        self.layers.contains(&kind.attribute())
    }
}

fn calls(text: &mut Text, sites: &Sites<'_>) {
    let mut calls = text.counter(
        "hardening_calls_total",
        "Calls that ended, by what they came to before a fallback.",
    );
    for (path, site) in sites {
        for (outcome, count) in site.figures.by_outcome() {
            calls.sample(&[("site", path), ("outcome", outcome.as_str())], count);
        }
    }
    let mut in_flight = text.gauge(
        "hardening_calls_in_flight",
        "Calls that have begun and not ended.",
    );
    for (path, site) in sites {
        in_flight.sample(&[("site", path)], site.figures.in_flight);
    }
    let mut durations = text.family(
        Kind::Histogram,
        "hardening_call_duration_seconds",
        "How long calls took, whatever they came to. Limits of buckets are within 6 %.",
    );
    for (path, site) in sites {
        histogram(&mut durations, path, &site.figures);
    }
    let mut attempts = text.counter(
        "hardening_attempts_total",
        "Runs of the body, by calls that ended.",
    );
    for (path, site) in sites {
        attempts.sample(&[("site", path)], site.figures.attempts);
    }
}

fn histogram(family: &mut Family<'_>, path: &str, figures: &SiteFigures) {
    let durations = &figures.durations;
    for (micros, limit) in BUCKET_LIMITS {
        let count = durations.count_within(Duration::from_micros(micros));
        family.sample_of("_bucket", &[("site", path), ("le", limit)], count);
    }
    let (count, site) = (durations.count(), ("site", path));
    family.sample_of("_bucket", &[site, ("le", "+Inf")], count);
    family.sample_of("_sum", &[site], durations.sum().as_secs_f64());
    family.sample_of("_count", &[site], count);
}

/// A counter of the sites that have a layer: its kind, name, help, and which figure it is.
type OfLayer = (
    LayerKind,
    &'static str,
    &'static str,
    fn(&SiteFigures) -> u64,
);

const OF_LAYERS: [OfLayer; 7] = [
    (
        LayerKind::Retry,
        "hardening_retries_total",
        "Attempts after the first.",
        |figures| figures.retries,
    ),
    (
        LayerKind::Fallback,
        "hardening_fallbacks_total",
        "Calls that the fallback answered.",
        |figures| figures.fallbacks,
    ),
    (
        LayerKind::Cache,
        "hardening_cache_hits_total",
        "Look-ups for which the cache had a good result.",
        |figures| figures.cache_hits,
    ),
    (
        LayerKind::Cache,
        "hardening_cache_misses_total",
        "Look-ups for which the cache had none.",
        |figures| figures.cache_misses,
    ),
    (
        LayerKind::Cache,
        "hardening_cache_stale_total",
        "Misses that got the last good result, because the run failed or was refused.",
        |figures| figures.cache_stale,
    ),
    (
        LayerKind::Cache,
        "hardening_cache_coalesced_total",
        "Misses that got the result of another caller's run.",
        |figures| figures.cache_coalesced,
    ),
    (
        LayerKind::RateLimit,
        "hardening_would_have_waited_total",
        "Calls that the rate limit would have made wait: mode observe.",
        |figures| figures.would_have.waited,
    ),
];

fn layers(text: &mut Text, sites: &Sites<'_>) {
    for (kind, name, help, figure) in OF_LAYERS {
        let mut family = text.counter(name, help);
        for (path, site) in sites.iter().filter(|(_, site)| site.has(kind)) {
            family.sample(&[("site", path)], figure(&site.figures));
        }
    }
    let mut rejections = text.counter(
        "hardening_rejections_total",
        "Refusals by each layer, also those that a retry or the fallback hid from the caller.",
    );
    for (path, site) in sites {
        let by = &site.figures.rejected_by;
        let of = [
            (LayerKind::RateLimit, Layer::RateLimit, by.rate_limit),
            (
                LayerKind::CircuitBreaker,
                Layer::CircuitBreaker,
                by.circuit_breaker,
            ),
            (LayerKind::Bulkhead, Layer::Bulkhead, by.bulkhead),
            (LayerKind::Timeout, Layer::Timeout, by.timeout),
        ];
        of_each_layer(&mut rejections, path, site, &of);
    }
    let mut observed = text.counter(
        "hardening_would_have_rejected_total",
        "Calls that a layer in mode observe let through and would have rejected.",
    );
    for (path, site) in sites {
        let would = &site.figures.would_have;
        let of = [
            (LayerKind::RateLimit, Layer::RateLimit, would.rate_limited),
            (
                LayerKind::CircuitBreaker,
                Layer::CircuitBreaker,
                would.circuit_open,
            ),
        ];
        of_each_layer(&mut observed, path, site, &of);
    }
}

fn of_each_layer(
    family: &mut Family<'_>,
    path: &str,
    site: &Site,
    counts: &[(LayerKind, Layer, u64)],
) {
    for (_, layer, count) in counts.iter().filter(|(kind, ..)| site.has(*kind)) {
        family.sample(&[("site", path), ("layer", layer.as_str())], count);
    }
}
