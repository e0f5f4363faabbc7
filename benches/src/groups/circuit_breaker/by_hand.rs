//! The least that can do it: what one would write for one place of one program.
#![allow(clippy::cast_possible_truncation)] // 64 buckets, and 292 years of nanoseconds

use super::Failed;
use std::{
    array,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

const THRESHOLD: u64 = 5;

/// Opens after failures in a row, and stays open.
#[derive(Default)]
pub(super) struct Consecutive {
    is_open: AtomicBool,
    failures: AtomicU64,
}

impl Consecutive {
    #[inline]
    pub(super) fn call<T>(
        &self,
        body: impl FnOnce() -> Result<T, Failed>,
    ) -> Option<Result<T, Failed>> {
        if self.is_open.load(Relaxed) {
            return None;
        }
        let result = body();
        if result.is_ok() {
            if self.failures.load(Relaxed) != 0 {
                self.failures.store(0, Relaxed);
            }
        } else if self.failures.fetch_add(1, Relaxed) + 1 >= THRESHOLD {
            self.is_open.store(true, Relaxed);
        }
        Some(result)
    }
}

const BUCKETS: usize = 64;

/// Opens at a rate of failures over a window, and stays open. A ring of buckets by time, each a tag
/// (the bucket's number) and a count in one word.
pub(super) struct Windowed {
    is_open: AtomicBool,
    began: Instant,
    bucket: Duration,
    failure_rate: f64,
    minimum_calls: u64,
    calls: [AtomicU64; BUCKETS],
    failures: [AtomicU64; BUCKETS],
}

impl Windowed {
    pub(super) fn new(window: Duration, failure_rate: f64, minimum_calls: u64) -> Self {
        Self {
            is_open: AtomicBool::new(false),
            began: Instant::now(),
            bucket: window / BUCKETS as u32,
            failure_rate,
            minimum_calls,
            calls: array::from_fn(|_| AtomicU64::new(0)),
            failures: array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    #[inline]
    pub(super) fn call<T>(
        &self,
        body: impl FnOnce() -> Result<T, Failed>,
    ) -> Option<Result<T, Failed>> {
        if self.is_open.load(Relaxed) {
            return None;
        }
        let result = body();
        let bucket = self.began.elapsed().as_nanos() as u64 / self.bucket.as_nanos() as u64;
        add(&self.calls, bucket);
        if result.is_err() {
            add(&self.failures, bucket);
            let (calls, failures) = (sum(&self.calls, bucket), sum(&self.failures, bucket));
            if calls >= self.minimum_calls && failures as f64 >= self.failure_rate * calls as f64 {
                self.is_open.store(true, Relaxed);
            }
        }
        Some(result)
    }
}

fn add(ring: &[AtomicU64; BUCKETS], bucket: u64) {
    let cell = &ring[bucket as usize % BUCKETS];
    let seen = cell.load(Relaxed);
    if seen >> 32 == bucket {
        cell.fetch_add(1, Relaxed);
    } else {
        // Of two that come first in a bucket, one may be lost: it is by hand.
        let _ = cell.compare_exchange(seen, bucket << 32 | 1, Relaxed, Relaxed);
    }
}

fn sum(ring: &[AtomicU64; BUCKETS], bucket: u64) -> u64 {
    ring.iter()
        .map(|cell| cell.load(Relaxed))
        .filter(|cell| (cell >> 32) + BUCKETS as u64 > bucket)
        .map(|cell| cell & u64::from(u32::MAX))
        .sum()
}
