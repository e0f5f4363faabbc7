//! The figures as a small JSON document: for a dashboard or a script, where the whole snapshot is
//! too much.

use super::{Snapshot, by_name};
use crate::{bulkhead::BulkheadSnapshot, metrics::SiteFigures, report::SiteSnapshot};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// The figures of the program, and of each site. Serialises as
/// `{requests, cache, duration, queue, sites: {path: {requests, cache, duration, queue}}}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// All sites together. What is shared by name is counted once.
    #[serde(flatten)]
    pub total: Figures,
    /// Each site, by path; all from the start.
    pub sites: BTreeMap<String, Figures>,
}

/// The figures of one site, or of all together.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Figures {
    /// The calls that ended.
    pub requests: Requests,
    /// The look-ups in the cache.
    pub cache: Cache,
    /// How long calls took.
    pub duration: DurationSeconds,
    /// The bulkhead, which a site may share.
    pub queue: Queue,
}

/// Calls that ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct Requests {
    /// All of them, those included whose caller went away: these are neither successes nor errors.
    pub total: u64,
    /// Those that returned a value, before a fallback.
    pub success: u64,
    /// Those that failed, were refused or panicked, before a fallback.
    pub errors: u64,
    /// Errors by total, 0 to 1; 0 without calls.
    pub error_rate: f64,
}

/// Look-ups in the cache.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct Cache {
    /// Those that found a good result.
    pub hits: u64,
    /// Those that found none.
    pub misses: u64,
    /// Hits by hits and misses, 0 to 1; 0 without look-ups.
    pub hit_rate: f64,
}

/// How long calls took, in seconds; 0 without calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DurationSeconds {
    /// On average; exact.
    pub avg: f64,
    /// 95 % took no longer; within 6 %.
    pub p95: f64,
    /// 99 % took no longer; within 6 %.
    pub p99: f64,
}

/// What bulkheads hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
pub struct Queue {
    /// Calls that wait for a place.
    pub queue_size: u64,
    /// Calls that have one.
    pub processing: u64,
    /// Of those that wait, the urgent ones.
    pub urgent: u64,
}

/// The figures of `snapshot` in short, to be serialised. Durations are in seconds.
///
/// ```
/// # use hardening_runtime as hardening;
/// let figures = hardening::metrics::json(&hardening::snapshot());
/// assert_eq!(figures.total.requests.error_rate, 0.0);
/// ```
#[must_use]
pub fn json(snapshot: &Snapshot) -> Summary {
    let mut sites = BTreeMap::<String, (SiteFigures, Option<Queue>)>::new();
    for site in &snapshot.sites {
        // Functions of two `impl`s may have one path.
        let (figures, queue) = sites.entry(site.path.clone()).or_default();
        figures.merge(&site.figures);
        *queue = queue.take().or_else(|| queue_of(site));
    }
    let of_site = |(path, (figures, queue)): (_, (_, Option<_>))| {
        (path, Figures::of(&figures, queue.unwrap_or_default()))
    };
    Summary {
        total: Figures::of(&snapshot.total, queue_of_all(snapshot)),
        sites: sites.into_iter().map(of_site).collect(),
    }
}

fn queue_of(site: &SiteSnapshot) -> Option<Queue> {
    site.bulkhead.as_ref().map(Queue::of)
}

fn queue_of_all(snapshot: &Snapshot) -> Queue {
    let bulkheads = snapshot
        .sites
        .iter()
        .filter_map(|site| site.bulkhead.as_ref());
    let mut all = Queue::default();
    for (_, bulkhead) in by_name(bulkheads, |bulkhead| bulkhead.name) {
        let one = Queue::of(bulkhead);
        all.queue_size += one.queue_size;
        all.processing += one.processing;
        all.urgent += one.urgent;
    }
    all
}

impl Queue {
    fn of(bulkhead: &BulkheadSnapshot) -> Self {
        Self {
            queue_size: bulkhead.queued.total().into(),
            processing: bulkhead.running.into(),
            urgent: bulkhead.queued.urgent.into(),
        }
    }
}

impl Figures {
    fn of(figures: &SiteFigures, queue: Queue) -> Self {
        let latency = &figures.latency;
        Self {
            requests: Requests {
                total: figures.calls(),
                success: figures.success,
                errors: figures.errors(),
                error_rate: figures.error_rate(),
            },
            cache: Cache {
                hits: figures.cache_hits,
                misses: figures.cache_misses,
                hit_rate: figures.hit_rate(),
            },
            duration: DurationSeconds {
                avg: Duration::as_secs_f64(&latency.avg),
                p95: Duration::as_secs_f64(&latency.p95),
                p99: Duration::as_secs_f64(&latency.p99),
            },
            queue,
        }
    }
}
