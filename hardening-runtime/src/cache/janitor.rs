//! When it is worth looking for expired results: the schedule of the sweeps.
//!
//! There is no background task. Each miss and each insert asks whether anything can have expired,
//! which is two loads; if so, it looks through a part of the store. Looking through all of it is
//! spaced by an eighth of a result's life (at most a minute), so each result is looked at about
//! eight times before it goes, whatever the traffic.

use crate::clock::Moment;
use std::sync::{
    Mutex, MutexGuard, TryLockError,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

pub(super) struct Janitor {
    /// No result expires before this moment.
    earliest: AtomicU64,
    /// No round begins before this moment.
    not_before: AtomicU64,
    /// A round is under way: the next miss goes on with it.
    running: AtomicBool,
    round: Mutex<Round>,
}

/// A look through all shards, in parts.
pub(super) struct Round {
    pub(super) shard: usize,
    pub(super) earliest: Moment,
}

const NEVER: Moment = Moment::from_nanos(u64::MAX);

impl Default for Janitor {
    fn default() -> Self {
        Self {
            earliest: AtomicU64::new(u64::MAX),
            not_before: AtomicU64::new(0),
            running: AtomicBool::new(false),
            round: Mutex::new(Round {
                shard: 0,
                earliest: NEVER,
            }),
        }
    }
}

impl Janitor {
    /// A result was stored that expires then. Called after the result can be found: a round that
    /// does not see the result has begun before, and so does not forget this.
    pub(super) fn note(&self, expires: Moment) {
        if expires.as_nanos() < self.earliest.load(Relaxed) {
            self.earliest.fetch_min(expires.as_nanos(), Relaxed);
        }
    }

    /// Whether anything can have expired.
    pub(super) fn anything_expired(&self, now: Moment) -> bool {
        now.as_nanos() >= self.earliest.load(Relaxed) || self.running.load(Relaxed)
    }

    /// Whether a sweep is worth its while.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        self.running.load(Relaxed)
            || (now.as_nanos() >= self.earliest.load(Relaxed)
                && now.as_nanos() >= self.not_before.load(Relaxed))
    }

    /// The round to go on with, begun if need be; none while another thread is at it.
    pub(super) fn enter(&self) -> Option<MutexGuard<'_, Round>> {
        let mut round = match self.round.try_lock() {
            Ok(round) => round,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        if !self.running.swap(true, Relaxed) {
            self.earliest.store(u64::MAX, Relaxed);
            *round = Round {
                shard: 0,
                earliest: NEVER,
            };
        }
        Some(round)
    }

    /// The round has seen every shard; the next begins at `next` or later.
    pub(super) fn finish(&self, round: &Round, next: Moment) {
        self.earliest.fetch_min(round.earliest.as_nanos(), Relaxed);
        self.not_before.store(next.as_nanos(), Relaxed);
        self.running.store(false, Relaxed);
    }
}
