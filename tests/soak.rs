//! 64 tasks over functions with all layers, while callers go away, bodies panic, fail and hang, and
//! the clock jumps. At the end nothing is left over: no place, no queue, no probe, no call in
//! flight, no memory; and every call that began is counted as one outcome.
//!
//! A few seconds by default; `HARDENING_SOAK_SECONDS=60` for longer, and `HARDENING_SOAK_SEED` to
//! draw other calls.

#[path = "support/script.rs"]
mod support;

use hardening::{
    Priority, bulkhead, cached, circuit_breaker, fallback, metrics::SiteFigures, rate_limited,
    retryable, timeout,
};
use std::{
    env,
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use support::{Answer, AppError, site};

const TASKS: u64 = 64;
const KEYS: u64 = 200;
const MAX_ENTRIES: usize = 40;
const MAX_KEYS: u32 = 50;

/// A small generator (xorshift*), so that a seed is the same run on every machine.
struct Dice(AtomicU64);

impl Dice {
    const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1))
    }

    fn below(&self, bound: u64) -> u64 {
        let mut x = self.0.load(Relaxed);
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.0.store(x, Relaxed);
        (x.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    fn millis(&self, bound: u64) -> Duration {
        Duration::from_millis(self.below(bound))
    }
}

/// What a call's body does in each of its attempts, drawn before the call.
#[derive(Clone, Copy, Debug)]
struct Act {
    kind: u64,
    takes: Duration,
}

/// What the bodies themselves count.
struct Count {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Count {
    const fn new() -> Self {
        Self {
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
        }
    }

    fn run(&self) -> Running<'_> {
        self.begun.fetch_add(1, Relaxed);
        Running(self)
    }
}

/// A body under way, until it returns, panics or is dropped.
struct Running<'a>(&'a Count);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Relaxed);
    }
}

static BODIES: [Count; 3] = [const { Count::new() }; 3];

impl Act {
    fn outcome(self) -> Answer {
        match self.kind {
            0..=3 => Err(AppError::Busy(hardening::attempt())),
            4 => Err(AppError::Gone),
            5 => Err(AppError::Later { after: self.takes }),
            6 => panic!("a soaked body panics"),
            _ => Ok(1),
        }
    }

    async fn perform(self, count: &Count) -> Answer {
        let _running = count.run();
        if self.kind == 7 {
            pending::<()>().await;
        }
        if !self.takes.is_zero() {
            tokio::time::sleep(self.takes).await;
        }
        self.outcome()
    }
}

#[fallback(|error| match error {
    AppError::Gone => { tokio::task::yield_now().await; Ok(0) }
    error => Err(error),
})]
#[cached(name = "soak everything", key = key, ttl = 2, max_entries = 40, stale_if_error = 3, refresh_ahead = 0.5, ttl_jitter = 1)]
#[timeout(call = 3, attempt = 1, allow = ["retries_exceed_timeout"])]
#[rate_limited(op = "soak", key = key)]
#[retryable(policy = "soak")]
#[circuit_breaker(
    name = "soak",
    failure_threshold = 12,
    open_for = 1,
    half_open_calls = 3,
    success_threshold = 2
)]
#[bulkhead(name = "soak", max_concurrent = 20, max_queue = 20, max_wait = 0.5, priority = priority)]
async fn everything(key: u64, priority: Priority, act: Act) -> Answer {
    act.perform(&BODIES[0]).await
}

#[timeout(call = 2)]
#[circuit_breaker(
    name = "soak",
    failure_threshold = 12,
    open_for = 1,
    half_open_calls = 3,
    success_threshold = 2,
    per = "call"
)]
#[bulkhead(
    name = "soak",
    max_concurrent = 8,
    max_queue = 16,
    max_wait = 0.5,
    per = "call"
)]
#[retryable(policy = "soak", clone(text))]
#[rate_limited(op = "soak", key = key, per = "attempt")]
async fn other_way_round(key: u64, text: String, act: Act) -> Answer {
    let done = act.perform(&BODIES[1]).await?;
    drop(text);
    // A call within the call: it inherits the deadline, and takes a place of its own.
    let nested = everything(key, Priority::High, Act { kind: 9, ..act }).await;
    Ok(done + nested.unwrap_or(0))
}

#[cached(name = "soak blocking", key = key, ttl = 1, max_entries = 40)]
#[rate_limited(op = "soak_blocking", key = key)]
#[retryable(policy = "soak", max_attempts = 2)]
#[circuit_breaker(failure_threshold = 5, open_for = 0.5)]
#[bulkhead(max_concurrent = 1, max_queue = 0)]
fn blocking(key: u64, act: Act) -> Answer {
    let _running = BODIES[2].run();
    act.outcome()
}

/// How the calls of one function ended, as their callers saw it.
#[derive(Default)]
struct Seen {
    begun: AtomicU64,
    fine: AtomicU64,
    failed: AtomicU64,
    panicked: AtomicU64,
    dropped: AtomicU64,
}

impl Seen {
    fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }
}

/// A caller that is patient, or goes away; a panic is counted and kept from the task.
async fn call(seen: &Seen, patience: Option<Duration>, future: impl Future<Output = Answer>) {
    Seen::add(&seen.begun);
    let caught = Caught(Box::pin(future));
    let ended = match patience {
        Some(patience) => tokio::time::timeout(patience, caught).await.ok(),
        None => Some(caught.await),
    };
    Seen::add(match ended {
        None => &seen.dropped,
        Some(None) => &seen.panicked,
        Some(Some(Ok(_))) => &seen.fine,
        Some(Some(Err(_))) => &seen.failed,
    });
}

/// None where the future panics.
struct Caught<F>(std::pin::Pin<Box<F>>);

impl<F: Future> Future for Caught<F> {
    type Output = Option<F::Output>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            Err(_) => std::task::Poll::Ready(None),
        }
    }
}

async fn task(dice: Dice, until: std::time::Instant, seen: &'static [Seen; 3]) {
    while std::time::Instant::now() < until {
        for _ in 0..20 {
            one_call(&dice, seen).await;
        }
    }
}

async fn one_call(dice: &Dice, seen: &'static [Seen; 3]) {
    let act = Act {
        kind: dice.below(60),
        takes: dice.millis(80) * u32::try_from(dice.below(2)).unwrap(),
    };
    let key = dice.below(KEYS);
    let patience = (dice.below(8) == 0).then(|| dice.millis(300));
    let priority = [
        Priority::Low,
        Priority::Normal,
        Priority::High,
        Priority::Urgent,
    ];
    let priority = priority[usize::try_from(dice.below(4)).unwrap()];
    match dice.below(10) {
        0..=5 => call(&seen[0], patience, everything(key, priority, act)).await,
        6..=7 => {
            let text = "a text to clone".to_owned();
            call(&seen[1], patience, other_way_round(key, text, act)).await;
        }
        _ => call(&seen[2], None, async { blocking(key, act) }).await,
    }
    match dice.below(200) {
        0 => tokio::time::advance(dice.millis(5_000)).await,
        1..=20 => tokio::time::sleep(dice.millis(200)).await,
        _ => tokio::task::yield_now().await,
    }
}

/// Each call is one outcome, and those are the ones that the callers saw. Calls within calls make
/// for `more` of them.
fn settle_up(path: &str, seen: &Seen, more: u64, bodies: &Count) -> SiteFigures {
    let figures = site(path).figures;
    let count = |count: &AtomicU64| count.load(Relaxed);
    let (begun, fine, failed) = (count(&seen.begun), count(&seen.fine), count(&seen.failed));
    let (panicked, dropped) = (count(&seen.panicked), count(&seen.dropped));
    assert_eq!(begun, fine + failed + panicked + dropped, "{path}");
    assert_eq!(figures.in_flight, 0, "{path}");
    if more == 0 {
        assert_eq!(figures.calls(), begun, "{path}: {figures:?}");
        assert_eq!(
            (figures.panicked, figures.dropped),
            (panicked, dropped),
            "{path}"
        );
    } else {
        assert!(
            figures.calls() > begun && figures.calls() <= begun + more,
            "{path}"
        );
    }
    let runs = bodies.begun.load(Relaxed);
    assert_eq!(figures.attempts, runs, "{path}");
    assert_eq!(
        bodies.ended.load(Relaxed),
        runs,
        "{path}: a body is still somewhere"
    );
    figures
}

fn whole_number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

#[tokio::test(start_paused = true)]
async fn nothing_leaks() {
    let seconds = whole_number("HARDENING_SOAK_SECONDS").unwrap_or(3);
    let first = whole_number("HARDENING_SOAK_SEED").unwrap_or(42);
    hardening::testing::seed(first);
    std::panic::set_hook(Box::new(|info| {
        let text = info.payload_as_str().unwrap_or_default();
        if text != "a soaked body panics" {
            eprintln!("{info}");
        }
    }));
    let seen: &'static [Seen; 3] = Box::leak(Box::default());
    let until = std::time::Instant::now() + Duration::from_secs(seconds);
    let began = tokio::time::Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|number| tokio::spawn(task(Dice::new(first + number * 7919), until, seen)))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }

    let nested = BODIES[1].ended.load(Relaxed);
    let all = settle_up("soak::everything", &seen[0], nested, &BODIES[0]);
    let round = settle_up("soak::other_way_round", &seen[1], 0, &BODIES[1]);
    let block = settle_up("soak::blocking", &seen[2], 0, &BODIES[2]);
    for path in [
        "soak::everything",
        "soak::other_way_round",
        "soak::blocking",
    ] {
        let left = site(path);
        let (bulkhead, circuit) = (left.bulkhead.unwrap(), left.circuit.unwrap());
        assert_eq!(
            (bulkhead.running, bulkhead.queued.total()),
            (0, 0),
            "{path}"
        );
        assert_eq!(circuit.probes, 0, "{path}");
        assert!(left.rate_limit_keys.unwrap() <= MAX_KEYS, "{path}");
    }
    for (name, path, figures) in [
        ("soak everything", "soak::everything", &all),
        ("soak blocking", "soak::blocking", &block),
    ] {
        let (held, cache) = (
            hardening::cache::<u64, u32>(name).len(),
            site(path).cache.unwrap(),
        );
        assert!(held <= MAX_ENTRIES, "{name} holds {held}");
        assert!(cache.evicted > 0 && cache.expired > 0, "{name}: {cache:?}");
        assert_eq!(cache.misses, figures.cache_misses, "{name}");
    }

    // It was a soak: everything that may happen has happened.
    for (what, count) in [
        ("successes", all.success),
        ("errors", all.error),
        ("panics", all.panicked),
        ("drops", all.dropped),
        ("timeouts", all.timed_out),
        ("rate limits", all.rate_limited),
        (
            "open circuits",
            all.rejected_by.circuit_breaker + round.circuit_open,
        ),
        (
            "full bulkheads",
            all.rejected_by.bulkhead + round.rejected_by.bulkhead,
        ),
        ("fallbacks", all.fallbacks),
        ("hits", all.cache_hits),
        ("coalesced", all.cache_coalesced),
        ("stale", all.cache_stale),
        ("retries", all.retries + round.retries),
        ("blocking retries", block.retries),
    ] {
        assert!(count > 0, "no {what}");
        println!("{what}: {count}");
    }
    let calls = all.calls() + round.calls() + block.calls();
    println!("{calls} calls in {:?} of the paused clock", began.elapsed());

    // And it still works: an hour later all is as new.
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let fine = Act {
        kind: 9,
        takes: Duration::ZERO,
    };
    for _ in 0..4 {
        everything(KEYS + 1, Priority::Normal, fine).await.unwrap();
        other_way_round(KEYS + 2, String::new(), fine)
            .await
            .unwrap();
    }
    blocking(KEYS + 3, fine).unwrap();
    let healthy = site("soak::everything").circuit.unwrap();
    assert_eq!(healthy.state, circuit_breaker::State::Closed);
}
