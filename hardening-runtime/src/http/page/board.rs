//! What the page shows at one moment, as JSON: made once a second, whoever looks.

use super::history::{History, Point, Recent};
use crate::{
    bulkhead::BulkheadSnapshot,
    cache::CacheFigures,
    circuit_breaker::{Snapshot as Circuit, State},
    clock::{self, Moment},
    health::HealthReport,
    http::{MOST, shorten},
    metrics::{Latency, SiteFigures, WouldHave},
    rate_limit::{LimitSnapshot, OpSnapshot},
    report::{RetryBudgetSnapshot, SiteSnapshot, Snapshot},
};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use std::time::Duration;

/// What is shown, ready to be sent and to be compared with what was sent.
pub(super) struct Board {
    /// Counts the points of the history.
    pub(super) tick: u64,
    /// The program's own clock, in seconds: what circuits say of times is on it.
    pub(super) at: u64,
    /// Settings change with it.
    pub(super) reloads: u64,
    pub(super) summary: Box<RawValue>,
    pub(super) health: Box<RawValue>,
    pub(super) sites: Vec<Seen>,
    /// Sites and checks that are not shown, as there are too many.
    pub(super) omitted: usize,
}

/// One site.
pub(super) struct Seen {
    pub(super) figures: Box<RawValue>,
    pub(super) point: Point,
}

/// The figures of a site: those of [`SiteSnapshot`], with what is recent, and its op's limits. What is not there or
/// nought is left out where it can be.
#[derive(Serialize)]
struct Figures<'a> {
    calls: u64,
    errors: u64,
    error_rate: f64,
    in_flight: u64,
    recent: RecentFigures,
    #[serde(serialize_with = "by_outcome")]
    outcomes: &'a SiteFigures,
    attempts: u64,
    retries: u64,
    fallbacks: u64,
    latency: &'a Latency,
    #[serde(skip_serializing_if = "Option::is_none")]
    would_have: Option<&'a WouldHave>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_budget: Option<&'a RetryBudgetSnapshot>,
    #[serde(skip_serializing_if = "Option::is_none")]
    breaker: Option<Breaker>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Limits<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<&'a BulkheadSnapshot>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<Cache>,
}

/// Rounded, since its last digits change each second and tell nothing.
#[derive(Serialize)]
struct RecentFigures {
    rate: f64,
    error_rate: f64,
    /// Seconds.
    p95: Option<f64>,
}

/// A circuit, with moments in the place of times, which would change each second.
#[derive(Serialize)]
struct Breaker {
    name: &'static str,
    state: State,
    forced: bool,
    since: u64,
    until: Option<u64>,
    failures_in_a_row: u64,
    opened: u64,
    rejected: u64,
    would_have_rejected: u64,
}

/// What a rate limit has left: of the limit that is nearest to its end, and of each.
#[derive(Serialize)]
struct Limits<'a> {
    op: &'static str,
    remaining: u32,
    capacity: u32,
    keys: u32,
    waiting: usize,
    each: &'a [LimitSnapshot],
}

/// What the site found in its cache, and what is in that.
#[derive(Serialize)]
struct Cache {
    name: &'static str,
    hits: u64,
    misses: u64,
    stale: u64,
    coalesced: u64,
    hit_rate: f64,
    entries: u64,
    max_entries: u64,
    evicted: u64,
}

/// All sites together.
#[derive(Serialize)]
struct Summary {
    sites: usize,
    calls: u64,
    error_rate: f64,
    in_flight: u64,
    recent: RecentFigures,
    /// Why the file is not what is in force.
    outdated: bool,
}

impl Board {
    pub(super) fn of(
        mut snapshot: Snapshot,
        mut health: HealthReport,
        history: &History,
        now: Moment,
    ) -> Self {
        let all = snapshot.sites.len();
        snapshot.sites.truncate(MOST);
        let omitted = all - snapshot.sites.len() + shorten(&mut health.checks);
        let recent: Vec<Recent> = (snapshot.sites.iter().enumerate())
            .map(|(index, site)| history.recent(index, &site.figures, now))
            .collect();
        Self {
            tick: history.seconds,
            at: seconds_of(now),
            reloads: snapshot.configuration.reloads,
            summary: raw(&Summary::of(&snapshot, all, &recent)),
            health: raw(&health),
            sites: (snapshot.sites.iter().zip(&recent).enumerate())
                .map(|(index, (site, recent))| Seen {
                    figures: raw(&Figures::of(site, &snapshot.ops, recent, now)),
                    point: history.last_point(index),
                })
                .collect(),
            omitted,
        }
    }
}

impl<'a> Figures<'a> {
    fn of(site: &'a SiteSnapshot, ops: &'a [OpSnapshot], recent: &Recent, now: Moment) -> Self {
        let figures = &site.figures;
        Self {
            calls: figures.calls(),
            errors: figures.errors(),
            error_rate: figures.error_rate(),
            in_flight: figures.in_flight,
            recent: RecentFigures::of(recent),
            outcomes: figures,
            attempts: figures.attempts,
            retries: figures.retries,
            fallbacks: figures.fallbacks,
            latency: &figures.latency,
            would_have: Some(&figures.would_have).filter(|it| **it != WouldHave::default()),
            retry_budget: site.retry_budget.as_ref(),
            breaker: site.circuit.as_ref().map(|it| Breaker::of(it, now)),
            limit: site.op.and_then(|op| Limits::of(op, ops)),
            queue: site.bulkhead.as_ref(),
            cache: site.cache.as_ref().map(|it| Cache::of(figures, it)),
        }
    }
}

impl RecentFigures {
    fn of(recent: &Recent) -> Self {
        Self {
            rate: rounded(recent.rate),
            error_rate: rounded(recent.error_rate),
            p95: recent.p95.map(seconds),
        }
    }
}

impl Breaker {
    fn of(circuit: &Circuit, now: Moment) -> Self {
        let began = now.as_nanos() - now.as_nanos().min(clock::nanos(circuit.time_in_state));
        let wait = circuit.retry_after.filter(|it| !it.is_zero());
        Self {
            name: circuit.name,
            state: circuit.state,
            forced: circuit.forced,
            since: seconds_of(Moment::from_nanos(began)),
            until: wait.map(|wait| seconds_of(now.plus(wait))),
            failures_in_a_row: circuit.failures_in_a_row,
            opened: circuit.opened,
            rejected: circuit.rejected,
            would_have_rejected: circuit.would_have_rejected,
        }
    }
}

impl<'a> Limits<'a> {
    /// None while the limit is switched off.
    fn of(op: &str, ops: &'a [OpSnapshot]) -> Option<Self> {
        let op = ops.iter().find(|it| it.op == op)?;
        let left = |it: &&LimitSnapshot| {
            u64::from(it.remaining) * 1_000_000 / u64::from(it.capacity.max(1))
        };
        let scarcest = op.limits.iter().min_by_key(left)?;
        Some(Self {
            op: op.op,
            remaining: scarcest.remaining,
            capacity: scarcest.capacity,
            keys: op.keys,
            waiting: op.waiting,
            each: &op.limits,
        })
    }
}

impl Cache {
    fn of(figures: &SiteFigures, store: &CacheFigures) -> Self {
        Self {
            name: store.name,
            hits: figures.cache_hits,
            misses: figures.cache_misses,
            stale: figures.cache_stale,
            coalesced: figures.cache_coalesced,
            hit_rate: figures.hit_rate(),
            entries: store.entries,
            max_entries: store.max_entries,
            evicted: store.evicted,
        }
    }
}

impl Summary {
    fn of(snapshot: &Snapshot, sites: usize, recent: &[Recent]) -> Self {
        let sum = |count: fn(&Recent) -> u64| recent.iter().map(count).sum::<u64>() as f64;
        let (calls, errors) = (sum(|it| it.calls), sum(|it| it.errors));
        Self {
            sites,
            calls: snapshot.total.calls(),
            error_rate: snapshot.total.error_rate(),
            in_flight: snapshot.total.in_flight,
            recent: RecentFigures {
                rate: rounded(recent.iter().fold(0.0, |sum, it| sum + it.rate)),
                error_rate: rounded(if calls > 0.0 { errors / calls } else { 0.0 }),
                p95: None,
            },
            outdated: snapshot.configuration.outdated,
        }
    }
}

/// `{"success": 7, "timed_out": 1}`: each call that ended is in one of them.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn by_outcome<S: Serializer>(figures: &&SiteFigures, serializer: S) -> Result<S::Ok, S::Error> {
    let outcomes = figures.by_outcome().into_iter();
    let some = outcomes.filter(|(_, calls)| *calls > 0);
    serializer.collect_map(some.map(|(kind, calls)| (kind.as_str(), calls)))
}

/// A point as `[calls, errors, p95]`; p95 in seconds, or null.
impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (calls, errors) = (rounded(self.calls), rounded(self.errors));
        (calls, errors, self.p95.map(seconds)).serialize(serializer)
    }
}

/// To a ten-thousandth.
fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

/// In seconds, to a microsecond.
fn seconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e6
}

/// To a second.
fn seconds_of(moment: Moment) -> u64 {
    (moment.as_nanos() + 500_000_000) / 1_000_000_000
}

/// `value` as JSON. What is shown has nothing that JSON cannot hold.
fn raw(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
