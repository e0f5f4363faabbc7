//! `cache`: remember results.

use std::time::Duration;

use crate::{
    Doubt,
    group::settings,
    kind::LayerKind,
    schema::{Broken, Clash, DURATION, POSITIVE, Policy, whole},
};

settings! {
    /// How long results are kept, how many, and what may be served when they are old.
    pub struct CachePolicy {
        /// How long a result is served. Default 3,600 s.
        pub ttl: Duration = Duration::from_secs(3600), POSITIVE;
        /// Results kept at most, from 1 to 1,000,000,000. Default 1,000.
        pub max_entries: u32 = 1000, whole(1, 1_000_000_000);
        /// For how long after `ttl` the last good result is served when the call fails. Default 0: never.
        pub stale_if_error: Duration = Duration::ZERO, DURATION;
        /// In the last part of `ttl`, this long, one caller runs the call anew while the others are
        /// served from the cache. Default 0: never.
        pub refresh_ahead: Duration = Duration::ZERO, DURATION;
        /// Each result's `ttl` is shortened by a random time of up to this, so that results stored
        /// together do not expire together. Default 0.
        pub ttl_jitter: Duration = Duration::ZERO, DURATION;
        /// How long callers wait for another's run of the same key before one of them begins a further run.
        /// Default 60 s.
        pub max_wait: Duration = Duration::from_secs(60), DURATION;
    }
}

const HALF: &str = "so half of `ttl` counts in its place";

impl CachePolicy {
    /// The same with `ttl_jitter` and `refresh_ahead` as they count: half of `ttl` where they are not
    /// shorter than that, so that results live, and hits are hits.
    #[must_use]
    pub fn within_ttl(mut self) -> Self {
        let (ttl, half) = (self.ttl, self.ttl / 2);
        for part in [&mut self.ttl_jitter, &mut self.refresh_ahead] {
            if *part >= ttl {
                *part = half;
            }
        }
        self
    }
}

impl Policy for CachePolicy {
    const KIND: LayerKind = LayerKind::Cache;

    fn give_way(&mut self) {
        *self = self.clone().within_ttl();
    }

    fn rules(&self) -> Vec<Broken> {
        let mut broken = Vec::new();
        if self.ttl_jitter >= self.ttl {
            broken.push(Broken::clash(
                &["ttl_jitter", "ttl"],
                &Clash {
                    what: "`ttl_jitter` ({ttl_jitter}) is not shorter than `ttl` ({ttl})",
                    alone: "so that results could expire at once",
                    inherited: HALF,
                    instead: "lower it, or raise `ttl`",
                },
            ));
        }
        if self.refresh_ahead >= self.ttl {
            broken.push(Broken::clash(
                &["refresh_ahead", "ttl"],
                &Clash {
                    what: "`refresh_ahead` ({refresh_ahead}) is not shorter than `ttl` ({ttl})",
                    alone: "so that every hit would run the call anew",
                    inherited: HALF,
                    instead: "lower it, or raise `ttl`",
                },
            ));
        }
        if !self.stale_if_error.is_zero() && self.stale_if_error < self.ttl {
            broken.push(Broken::doubtful(
                Doubt::StaleShorterThanTtl,
                &["stale_if_error", "ttl"],
                "`stale_if_error` ({stale_if_error}) begins when `ttl` ({ttl}) ends, and is shorter: \
                 an outage may outlast what was good for longer than that; raise `stale_if_error`",
            ));
        }
        broken
    }
}
