//! Five layers written by hand: out of the best crates, and out of bare atomics.

use crate::groups::metrics::{Client, by_hand};
use benches::annotated::{Answer, bare};
use foldhash::fast::FixedState;
use governor::{DefaultKeyedRateLimiter, Quota};
use hardening::{Rejected, clock};
use recloser::{AsyncRecloser, Recloser};
use std::{
    future::poll_fn,
    hash::BuildHasher,
    num::NonZeroU32,
    pin::pin,
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release},
    task::Poll,
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

pub(super) const PLACES: u32 = 1000;
pub(super) const CALL: Duration = Duration::from_secs(15);
pub(super) const ATTEMPTS: u32 = 3;

/// What the function around the layers returns when one of them refuses: their own errors, made one.
pub(super) const REFUSED: Rejected = Rejected::TimedOut {
    name: "by hand",
    after: CALL,
};

/// governor, tokio, recloser and prometheus-client, as one would put them together.
pub(super) struct Crates {
    limit: DefaultKeyedRateLimiter<String>,
    places: Semaphore,
    breaker: AsyncRecloser,
    figures: Client,
}

impl Crates {
    pub(super) fn new() -> Self {
        let per_second = NonZeroU32::new(1_000_000_000).expect("not zero");
        Self {
            limit: DefaultKeyedRateLimiter::keyed(Quota::per_second(per_second)),
            places: Semaphore::new(PLACES as usize),
            breaker: AsyncRecloser::from(Recloser::default()),
            figures: Client::default(),
        }
    }

    pub(super) async fn call(&self, key: &String, call: u64) -> Answer {
        let began = Instant::now();
        self.figures.begin();
        let result = self.layers(key, call).await;
        self.figures.record(result.is_ok(), began);
        result
    }

    async fn layers(&self, key: &String, call: u64) -> Answer {
        if self.limit.check_key(key).is_err() {
            return Err(REFUSED);
        }
        let _place = self.places.acquire().await.map_err(|_| REFUSED)?;
        tokio::time::timeout(CALL, self.attempts(call))
            .await
            .map_err(|_| REFUSED)?
    }

    async fn attempts(&self, call: u64) -> Answer {
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.breaker.call(bare(call)).await {
                Err(_) if attempt < ATTEMPTS => {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                result => return result.map_err(|_| REFUSED),
            }
        }
    }
}

/// No less than this can limit, bound, break, retry, time out and count.
pub(super) struct Atomics {
    /// Of each key's hash: when its bucket will be full again.
    full_at: Box<[AtomicU64]>,
    hasher: FixedState,
    taken: AtomicU32,
    failures: AtomicU32,
}

impl Atomics {
    pub(super) fn new() -> Self {
        Self {
            full_at: (0..1 << 15).map(|_| AtomicU64::new(0)).collect(),
            hasher: FixedState::default(),
            taken: AtomicU32::new(0),
            failures: AtomicU32::new(0),
        }
    }

    #[inline]
    pub(super) async fn call(&self, key: &str, call: u64) -> Answer {
        let began = clock::now().as_nanos();
        by_hand::begin();
        let result = self.layers(key, call, began).await;
        by_hand::record(
            usize::from(result.is_err()),
            clock::now().as_nanos() - began,
        );
        result
    }

    #[inline]
    async fn layers(&self, key: &str, call: u64, now: u64) -> Answer {
        if !self.limit(key, now) {
            return Err(REFUSED);
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.attempt(call).await {
                Err(_) if attempt < ATTEMPTS => {}
                result => return result,
            }
        }
    }

    #[inline]
    fn limit(&self, key: &str, now: u64) -> bool {
        let place = usize::try_from(self.hasher.hash_one(key) >> 49).unwrap_or(0);
        let cell = &self.full_at[place];
        let taken = |full_at: u64| {
            let then = full_at.max(now) + 1;
            (then - now <= 1_000_000_000).then_some(then)
        };
        cell.fetch_update(Relaxed, Relaxed, taken).is_ok()
    }

    #[inline]
    async fn attempt(&self, call: u64) -> Answer {
        if self.failures.load(Relaxed) >= 5 || self.taken.fetch_add(1, Acquire) >= PLACES {
            return Err(REFUSED);
        }
        let mut body = pin!(bare(call));
        let result = poll_fn(|cx| match body.as_mut().poll(cx) {
            Poll::Pending => Poll::Ready(Err(REFUSED)), // here the timer would be set
            ready @ Poll::Ready(_) => ready,
        })
        .await;
        self.taken.fetch_sub(1, Release);
        match &result {
            Ok(_) if self.failures.load(Relaxed) > 0 => self.failures.store(0, Relaxed),
            Ok(_) => {}
            Err(_) => _ = self.failures.fetch_add(1, Relaxed),
        }
        result
    }
}
