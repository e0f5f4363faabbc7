//! `hardening::snapshot()`: each figure that it shows, of functions that do what is counted.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{
    Priority, Rejected, SiteSnapshot, bulkhead, cached, circuit_breaker,
    circuit_breaker::State,
    fallback,
    metrics::{json, prometheus},
    rate_limited, retryable, snapshot, timeout,
};
use std::{
    future::{Future, pending},
    panic::AssertUnwindSafe,
    time::Duration,
};
use support::{AppError, AppResult, Runs, pass};

fn site(function: &str) -> SiteSnapshot {
    let snapshot = snapshot();
    let site = snapshot.site(function);
    site.unwrap_or_else(|| panic!("no site {function}")).clone()
}

#[retryable]
#[circuit_breaker]
#[bulkhead(max_concurrent = 3, max_queue = 7)]
#[cached(max_entries = 5)]
#[rate_limited(capacity = 2, window_seconds = 60)]
#[fallback(|error| Err(error))]
async fn never_called(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[tokio::test(start_paused = true)]
async fn a_site_that_was_never_called_shows_its_layers_at_rest() {
    let site = site("never_called");
    assert_eq!(
        site.layers,
        [
            "fallback",
            "cached",
            "rate_limited",
            "retryable",
            "circuit_breaker",
            "bulkhead"
        ]
    );
    assert_eq!((site.figures.calls(), site.figures.in_flight), (0, 0));
    assert_eq!(site.figures.latency.p99, Duration::ZERO);
    assert_eq!(site.circuit.unwrap().state, State::Closed);
    let bulkhead = site.bulkhead.unwrap();
    assert_eq!((bulkhead.max_concurrent, bulkhead.max_queue), (3, 7));
    assert_eq!((bulkhead.running, bulkhead.queued.total()), (0, 0));
    let cache = site.cache.unwrap();
    assert_eq!((cache.name, cache.entries), ("figures::never_called", 0));
    assert_eq!((cache.max_entries, cache.misses), (5, 0));
    assert_eq!(site.op, Some("figures::never_called"));
    assert_eq!(limits("figures::never_called"), [("key", 2, 2)]);
    let budget = site.retry_budget.unwrap();
    assert_eq!(budget.policy, "default");
    assert!(budget.remaining > 0);
}

/// Scope, capacity and remaining tokens of each limit of an op.
fn limits(op: &str) -> Vec<(&'static str, u32, u32)> {
    use hardening::config::Scope;
    let snapshot = snapshot();
    let op = snapshot.ops.iter().find(|one| one.op == op).unwrap();
    let scope = |scope| if scope == Scope::Key { "key" } else { "global" };
    let limits = op.limits.iter();
    limits
        .map(|limit| (scope(limit.scope), limit.capacity, limit.remaining))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn calls_successes_and_errors_by_kind_are_told_apart() {
    #[circuit_breaker(failure_threshold = 2, open_for = 60)]
    #[timeout(call = 5)]
    async fn kinds(id: u32) -> AppResult<u32> {
        match id {
            0 => Ok(0),
            1 => Err(AppError::Gone),
            2 => panic!("a body of the test"),
            _ => pending().await,
        }
    }
    assert!(kinds(0).await.is_ok());
    assert!(kinds(1).await.is_err());
    let panicked = tokio::spawn(kinds(2)).await;
    assert!(panicked.unwrap_err().is_panic());
    drop(tokio::time::timeout(Duration::from_secs(1), kinds(3)).await);
    assert!(matches!(
        kinds(4).await.unwrap_err().rejected(),
        Rejected::TimedOut { .. }
    ));
    assert!(matches!(
        kinds(5).await.unwrap_err().rejected(),
        Rejected::CircuitOpen { .. }
    ));
    let figures = site("kinds").figures;
    assert_eq!(
        (figures.success, figures.error, figures.panicked),
        (1, 1, 1)
    );
    assert_eq!(
        (figures.dropped, figures.timed_out, figures.circuit_open),
        (1, 1, 1)
    );
    let kinds: u64 = figures.by_outcome().iter().map(|(_, count)| count).sum();
    assert_eq!((figures.calls(), kinds), (6, 6));
}

#[tokio::test(start_paused = true)]
async fn attempts_retries_and_fallbacks_are_counted() {
    static RUNS: Runs = Runs::new();
    #[retryable(max_attempts = 3, base_delay = 0, budget = false)]
    #[fallback(|_error| Ok(9))]
    async fn tries() -> AppResult<u32> {
        RUNS.up();
        Err(AppError::Busy)
    }
    assert_eq!(tries().await, Ok(9));
    let site = site("tries");
    assert_eq!(RUNS.get(), 3);
    let figures = site.figures;
    assert_eq!(
        (figures.attempts, figures.retries, figures.fallbacks),
        (3, 2, 1)
    );
    assert_eq!(
        (figures.error, figures.success),
        (1, 0),
        "before the fallback"
    );
    assert_eq!(site.retry_budget, None, "it has none");
}

#[tokio::test(start_paused = true)]
async fn cache_hits_misses_and_stale_results_are_counted() {
    static RUNS: Runs = Runs::new();
    #[cached(ttl = 10, stale_if_error = 60)]
    async fn remembers(id: u32) -> AppResult<u32> {
        if RUNS.up() == 1 {
            Ok(id)
        } else {
            Err(AppError::Busy)
        }
    }
    for _ in 0..3 {
        assert_eq!(remembers(7).await, Ok(7));
    }
    pass(11.0).await;
    assert_eq!(remembers(7).await, Ok(7), "the last good one");
    assert_eq!(RUNS.get(), 2);
    let site = site("remembers");
    let figures = &site.figures;
    assert_eq!((figures.cache_hits, figures.cache_misses), (2, 2));
    assert_eq!(figures.cache_stale, 1);
    assert!((figures.hit_rate() - 0.5).abs() < 1e-9);
    let cache = site.cache.unwrap();
    assert_eq!((cache.entries, cache.stale), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn queue_length_priorities_and_calls_in_flight_are_shown() {
    #[bulkhead(name = "figures_queue", max_concurrent = 1, max_queue = 10, max_wait = 60, priority = priority)]
    async fn queues(priority: Priority) -> AppResult<()> {
        pending().await
    }
    let mut calls = Vec::new();
    for priority in [
        Priority::Low,
        Priority::Low,
        Priority::Urgent,
        Priority::Urgent,
        Priority::Urgent,
        Priority::High,
        Priority::Normal,
    ] {
        calls.push(tokio::spawn(queues(priority)));
        tokio::task::yield_now().await;
    }
    let site = site("queues");
    let bulkhead = site.bulkhead.unwrap();
    assert_eq!((bulkhead.name, bulkhead.running), ("figures_queue", 1));
    let queued = bulkhead.queued;
    assert_eq!(
        (queued.urgent, queued.high, queued.normal, queued.low),
        (3, 1, 1, 1)
    );
    assert_eq!((site.figures.in_flight, site.figures.calls()), (7, 0));
    let short = json(&snapshot());
    let queue = &short.sites[&site.path].queue;
    assert_eq!(
        (queue.queue_size, queue.processing, queue.urgent),
        (6, 1, 3)
    );
    let text = prometheus(&snapshot());
    let line = "hardening_bulkhead_queued{name=\"figures_queue\",priority=\"urgent\"} 3";
    assert!(text.lines().any(|one| one == line), "{text}");
    for call in calls {
        call.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn durations_are_shown_in_average_percentiles_and_maximum() {
    #[timeout(call = 100)]
    async fn takes(seconds: u64) -> AppResult<()> {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Ok(())
    }
    for _ in 0..90 {
        takes(1).await.unwrap();
    }
    for _ in 0..9 {
        takes(10).await.unwrap();
    }
    takes(50).await.unwrap();
    let latency = site("takes").figures.latency;
    let within = |duration: Duration, seconds: f64| {
        let seen = duration.as_secs_f64();
        assert!(
            (seen - seconds).abs() <= 0.065 * seconds,
            "{seen} for {seconds}"
        );
    };
    within(latency.avg, 2.3);
    within(latency.p50, 1.0);
    within(latency.p95, 10.0);
    within(latency.p99, 10.0);
    within(latency.max, 50.0);
}

#[tokio::test(start_paused = true)]
async fn a_circuit_shows_its_state_and_the_time_in_it() {
    #[circuit_breaker(name = "figures_circuit", failure_threshold = 1, open_for = 60)]
    async fn breaks() -> AppResult<()> {
        Err(AppError::Busy)
    }
    assert_eq!(site("breaks").circuit.unwrap().state, State::Closed);
    assert!(breaks().await.is_err());
    pass(5.0).await;
    let circuit = site("breaks").circuit.unwrap();
    assert_eq!(
        (circuit.name, circuit.state, circuit.opened),
        ("figures_circuit", State::Open, 1)
    );
    assert_eq!(circuit.time_in_state, Duration::from_secs(5));
    assert_eq!(circuit.retry_after, Some(Duration::from_secs(55)));
    let text = serde_json::to_value(circuit).unwrap();
    assert_eq!(
        (&text["time_in_state"], &text["retry_after"]),
        (&5.0.into(), &55.0.into())
    );
}

#[tokio::test(start_paused = true)]
async fn the_tokens_left_are_those_of_the_key_that_has_the_fewest_and_those_of_everybody() {
    #[rate_limited(op = "figures_tokens", key = user)]
    async fn limited(user: u32) -> AppResult<()> {
        let _ = user;
        Ok(())
    }
    let left = || limits(site("limited").op.unwrap());
    assert_eq!(left(), [("key", 5, 5), ("global", 9, 9)]);
    for user in [1, 1, 1, 2] {
        limited(user).await.unwrap();
    }
    assert_eq!(left(), [("key", 5, 2), ("global", 9, 5)]);
    assert_eq!(
        left(),
        [("key", 5, 2), ("global", 9, 5)],
        "reading takes nothing"
    );
    pass(10.0).await;
    assert_eq!(left(), [("key", 5, 3), ("global", 9, 6)]);
}

#[tokio::test(start_paused = true)]
async fn the_retries_left_are_those_of_the_policy() {
    #[retryable(policy = "figures_budget", max_attempts = 3, base_delay = 0)]
    async fn spends(fails: bool) -> AppResult<()> {
        if fails { Err(AppError::Busy) } else { Ok(()) }
    }
    let left = || site("spends").retry_budget.unwrap();
    assert_eq!((left().policy, left().remaining), ("figures_budget", 10));
    assert!(spends(true).await.is_err());
    assert_eq!(left().remaining, 8, "two retries");
    for _ in 0..10 {
        spends(false).await.unwrap();
    }
    assert_eq!(left().remaining, 13, "eleven calls earned a half each");
    pass(1.0).await;
    assert_eq!(left().remaining, 14, "one a second");
}

#[rate_limited(capacity = 40, window_seconds = 1, max_wait = 0.05)]
#[retryable(max_attempts = 3, base_delay = 0.01, max_delay = 0.05)]
#[circuit_breaker(failure_threshold = 4, open_for = 0.2)]
#[bulkhead(max_concurrent = 3, max_queue = 2, max_wait = 0.02)]
#[timeout(call = 0.4, attempt = 0.15, allow = ["retries_exceed_timeout"])]
async fn chaos(dice: u32) -> AppResult<u32> {
    tokio::time::sleep(Duration::from_millis(u64::from(dice % 37))).await;
    match dice % 11 {
        0 | 1 => Err(AppError::Busy),
        2 => Err(AppError::Gone),
        3 => panic!("a body of the test"),
        4 => pending().await,
        _ => Ok(dice),
    }
}

/// A generator of numbers that all look different, the same in each run.
fn numbers(seed: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(seed), |last| {
        Some(last.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))
    })
    .map(|number| number >> 8)
}

#[tokio::test(start_paused = true)]
async fn under_errors_rejections_drops_and_panics_the_kinds_sum_to_the_calls() {
    const CALLS: usize = 2_000;
    let mut calls = tokio::task::JoinSet::new();
    for dice in numbers(7).take(CALLS) {
        let gives_up = dice % 13 == 0;
        calls.spawn(async move {
            let patience = Duration::from_millis(if gives_up { 20 } else { 10_000 });
            let call = caught(chaos(dice));
            tokio::time::timeout(patience, call).await
        });
        tokio::time::sleep(Duration::from_millis(u64::from(dice % 12))).await;
    }
    let (mut ended, mut gone) = (0_u64, 0_u64);
    while let Some(call) = calls.join_next().await {
        match call.unwrap() {
            Ok(_) => ended += 1,
            Err(_) => gone += 1,
        }
    }
    let site = site("chaos");
    let figures = site.figures;
    let by_kind: Vec<_> = figures.by_outcome().to_vec();
    let sum: u64 = by_kind.iter().map(|(_, count)| count).sum();
    assert_eq!((sum, figures.in_flight), (CALLS as u64, 0), "{by_kind:?}");
    assert_eq!(figures.calls(), CALLS as u64);
    assert_eq!(
        (figures.dropped, figures.calls() - figures.dropped),
        (gone, ended)
    );
    for (outcome, count) in &by_kind {
        let cannot = outcome.as_str() == "load_failed"; // it has no cache
        assert_eq!(*count == 0, cannot, "{by_kind:?}");
    }
    assert_eq!(figures.durations.count(), CALLS as u64);
    let bulkhead = site.bulkhead.unwrap();
    assert_eq!((bulkhead.running, bulkhead.queued.total()), (0, 0));
    let short = json(&snapshot());
    let requests = &short.sites[&site.path].requests;
    assert_eq!(
        requests.total,
        requests.success + requests.errors + figures.dropped
    );
}

#[bulkhead(max_concurrent = 2, max_queue = 1, max_wait = "1h")]
#[retryable(max_attempts = 2, base_delay = 0, budget = false)]
async fn crowded(dice: u32) -> AppResult<u32> {
    for _ in 0..dice % 5 {
        tokio::task::yield_now().await;
    }
    match dice % 7 {
        0 => Err(AppError::Busy),
        1 => Err(AppError::Gone),
        2 => panic!("a body of the test"),
        3 => pending().await,
        _ => Ok(dice),
    }
}

/// How a call ended for its caller.
#[derive(Clone, Copy, PartialEq)]
enum Ending {
    Fine,
    Failed,
    Refused,
    Panicked,
    GaveUp,
}

/// Who calls what never ends gives up, and so do some of the others, if theirs takes long.
async fn one_call(dice: u32) -> Ending {
    let patience = async {
        for _ in 0..20 + dice % 20 {
            tokio::task::yield_now().await;
        }
        if dice % 7 != 3 && !dice.is_multiple_of(4) {
            pending::<()>().await;
        }
    };
    tokio::select! {
        result = caught(crowded(dice)) => match result {
            Ok(Ok(_)) => Ending::Fine,
            Ok(Err(AppError::Rejected(Rejected::BulkheadFull { .. }))) => Ending::Refused,
            Ok(Err(_)) => Ending::Failed,
            Err(_) => Ending::Panicked,
        },
        () = patience => Ending::GaveUp,
    }
}

/// One call after the other. What is refused is called again, so that each comes to its own end
/// however the threads take turns.
async fn caller(calls: impl Iterator<Item = u32>) -> Vec<Ending> {
    let mut endings = Vec::new();
    for dice in calls {
        loop {
            let ending = one_call(dice).await;
            endings.push(ending);
            if ending != Ending::Refused {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    endings
}

/// Both places and the queue are taken by calls that never end, so that one more is refused.
async fn one_too_many() -> Vec<Ending> {
    let mut held: Vec<_> = (0..3).map(|_| Box::pin(crowded(3))).collect();
    std::future::poll_fn(|context| {
        let mut polls = held.iter_mut().map(|call| call.as_mut().poll(context));
        assert!(polls.all(|poll| poll.is_pending()));
        std::task::Poll::Ready(())
    })
    .await;
    let refused = one_call(5).await;
    assert!(refused == Ending::Refused);
    vec![Ending::GaveUp, Ending::GaveUp, Ending::GaveUp, refused]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn on_many_threads_with_drops_and_panics_the_kinds_sum_to_the_calls_too() {
    let mut endings = one_too_many().await;
    let mut callers = tokio::task::JoinSet::new();
    for seed in 0..16 {
        callers.spawn(caller(numbers(seed).skip(1).take(250)));
    }
    endings.extend(callers.join_all().await.concat());
    let saw = |ending| endings.iter().filter(|one| **one == ending).count() as u64;
    let site = site("crowded");
    let figures = site.figures;
    let by_kind = figures.by_outcome();
    for (count, ending) in [
        (figures.success, Ending::Fine),
        (figures.error, Ending::Failed),
        (figures.bulkhead_full, Ending::Refused),
        (figures.panicked, Ending::Panicked),
        (figures.dropped, Ending::GaveUp),
    ] {
        assert!(count > 0 && count == saw(ending), "{by_kind:?}");
    }
    let sum: u64 = by_kind.iter().map(|(_, count)| count).sum();
    assert_eq!((sum, figures.calls()), (endings.len() as u64, sum));
    assert_eq!((figures.durations.count(), figures.in_flight), (sum, 0));
    let bulkhead = site.bulkhead.unwrap();
    assert_eq!((bulkhead.running, bulkhead.queued.total()), (0, 0));
}

/// Its two functions have one path, and the second has a bulkhead.
struct Shelf<T>(T);

impl Shelf<u8> {
    #[retryable(max_attempts = 1)]
    async fn top(&self) -> AppResult<u8> {
        Ok(self.0)
    }
}

impl Shelf<u16> {
    #[bulkhead(max_concurrent = 1)]
    async fn top(&self) -> AppResult<u16> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(self.0)
    }
}

#[tokio::test(start_paused = true)]
async fn the_small_json_has_the_bulkhead_of_either_function_of_one_path() {
    Shelf(1_u8).top().await.unwrap();
    let slow = tokio::spawn(async { Shelf(1_u16).top().await });
    tokio::task::yield_now().await;
    let short = json(&snapshot());
    let shelf = &short.sites["figures::Shelf::top"];
    assert_eq!((shelf.requests.total, shelf.queue.processing), (1, 1));
    slow.await.unwrap().unwrap();
}

/// `future`, with its panic as an error.
async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| {
        let poll = AssertUnwindSafe(|| future.as_mut().poll(context));
        match std::panic::catch_unwind(poll) {
            Ok(poll) => poll.map(Ok),
            Err(_) => std::task::Poll::Ready(Err("panicked".to_owned())),
        }
    })
    .await
}
