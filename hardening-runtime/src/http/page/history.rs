//! The last minute of every site: a point a second in rings, and what came in the last seconds.
//!
//! Pure: two snapshots and the time between them make a point. Memory is fixed: a minute of points, and three of a
//! site's figures to take differences from, some 9 KiB for a site that is called.

use crate::{clock::Moment, metrics::SiteFigures, report::SiteSnapshot};
use std::{collections::VecDeque, time::Duration};

/// How many points are kept, one a second.
pub(super) const POINTS: usize = 60;
/// What is called recent is at least this old, once there is so much, and less than twice as old.
const RECENT: Duration = Duration::from_secs(10);

/// One second of one site.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    /// Calls that ended, a second.
    pub(super) calls: f64,
    /// Of these, the errors.
    pub(super) errors: f64,
    /// 95 % of these took no longer; none without calls.
    pub(super) p95: Option<Duration>,
}

impl Point {
    /// What `period`, the figures of so many `seconds`, is of one second.
    fn of(period: &SiteFigures, seconds: f64) -> Self {
        let calls = period.calls();
        Self {
            calls: calls as f64 / seconds,
            errors: period.errors() as f64 / seconds,
            p95: (calls > 0).then_some(period.latency.p95),
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        *self == Self::default()
    }
}

/// What came in the last 10 to 20 seconds; in less, as long as the program is young.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Recent {
    /// Calls a second.
    pub(super) rate: f64,
    /// Calls that ended.
    pub(super) calls: u64,
    /// Of these, the errors.
    pub(super) errors: u64,
    /// Errors by calls, 0 to 1; 0 without calls.
    pub(super) error_rate: f64,
    /// 95 % took no longer; none without calls.
    pub(super) p95: Option<Duration>,
}

/// The history of all sites. They are known at link time, so a site is its place in the snapshot.
pub(super) struct History {
    /// Empty as long as nothing can have been called.
    sites: Vec<OfSite>,
    /// When the last point was taken.
    at: Moment,
    /// When the two baselines of what is recent were taken.
    older_at: Moment,
    newer_at: Moment,
    /// Seconds that have a point, since the beginning.
    pub(super) seconds: u64,
}

struct OfSite {
    points: VecDeque<Point>,
    /// The figures at the last point.
    last: SiteFigures,
    /// Those that what is recent is counted from, and those that it is counted from next.
    older: SiteFigures,
    newer: SiteFigures,
}

impl OfSite {
    fn from(figures: &SiteFigures) -> Self {
        Self {
            points: VecDeque::with_capacity(POINTS),
            last: figures.clone(),
            older: figures.clone(),
            newer: figures.clone(),
        }
    }

    /// Takes the point of the last `seconds`; several, if the sampler came late: then the calls are spread over them.
    fn take(&mut self, figures: &SiteFigures, seconds: usize) {
        let is_quiet = figures.calls() == self.last.calls();
        let point = if is_quiet {
            Point::default()
        } else {
            Point::of(&figures.since(&self.last), seconds as f64)
        };
        for _ in 0..seconds.min(POINTS) {
            if self.points.len() == POINTS {
                self.points.pop_front();
            }
            self.points.push_back(point);
        }
        self.last.clone_from(figures);
    }

    fn rotate(&mut self, figures: &SiteFigures) {
        std::mem::swap(&mut self.older, &mut self.newer);
        self.newer.clone_from(figures);
    }
}

impl History {
    /// That of a program whose sites have these figures now; none if nothing was called.
    pub(super) fn from(sites: &[SiteSnapshot], now: Moment) -> Self {
        Self {
            sites: sites.iter().map(|it| OfSite::from(&it.figures)).collect(),
            at: now,
            older_at: now,
            newer_at: now,
            seconds: 0,
        }
    }

    /// Takes a point of each site.
    pub(super) fn take(&mut self, sites: &[SiteSnapshot], now: Moment) {
        let nothing = SiteFigures::default();
        self.sites
            .resize_with(sites.len(), || OfSite::from(&nothing));
        let seconds = whole_seconds(now.since(self.at));
        self.at = now;
        self.seconds += seconds as u64;
        for (site, snapshot) in self.sites.iter_mut().zip(sites) {
            site.take(&snapshot.figures, seconds);
        }
        if now.since(self.newer_at) >= RECENT {
            (self.older_at, self.newer_at) = (self.newer_at, now);
            for (site, snapshot) in self.sites.iter_mut().zip(sites) {
                site.rotate(&snapshot.figures);
            }
        }
    }

    /// The points of a site, oldest first; none if nothing happened.
    pub(super) fn points(&self, site: usize) -> Vec<Point> {
        let points = self.sites.get(site).map(|site| &site.points);
        let busy = points.filter(|points| !points.iter().all(Point::is_idle));
        busy.map(|points| points.iter().copied().collect())
            .unwrap_or_default()
    }

    pub(super) fn last_point(&self, site: usize) -> Point {
        let points = self.sites.get(site).map(|site| &site.points);
        points.and_then(|it| it.back().copied()).unwrap_or_default()
    }

    /// What is recent at a site that has `figures` now.
    pub(super) fn recent(&self, site: usize, figures: &SiteFigures, now: Moment) -> Recent {
        let baseline = self.sites.get(site).map(|site| &site.older);
        let Some(older) = baseline.filter(|older| older.calls() < figures.calls()) else {
            return Recent::default();
        };
        let period = figures.since(older);
        let seconds = now.since(self.older_at).as_secs_f64().max(1.0);
        let calls = period.calls();
        Recent {
            rate: calls as f64 / seconds,
            calls,
            errors: period.errors(),
            error_rate: period.error_rate(),
            p95: (calls > 0).then_some(period.latency.p95),
        }
    }
}

/// The time between two points, at least a second.
fn whole_seconds(time: Duration) -> usize {
    let more = u64::from(time.subsec_millis() >= 500);
    usize::try_from(time.as_secs() + more)
        .unwrap_or(usize::MAX)
        .max(1)
}
