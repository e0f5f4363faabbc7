//! What a reload keeps, layer by layer. Each test holds `alone()`: it changes what is in force for the
//! whole program.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{
    bulkhead, cached, circuit_breaker,
    circuit_breaker::State,
    rate_limited, retryable,
    testing::{alone, configure},
};
use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};
use support::{AppError, AppResult, Runs, pass, timed};
use tokio::task::{JoinHandle, yield_now};

/// The settings of one test; every other is as it is written here.
fn put(changed: &[(&str, &str)]) {
    let mut settings = vec![
        ("retry.expensive_policy", "max_attempts: 2"),
        ("circuit_breaker.breaker_two_policy", "failure_threshold: 2"),
        (
            "bulkhead.bulkhead_one_policy",
            "max_concurrent: 1, max_wait: 1h",
        ),
        ("cache.cached_short_policy", "ttl: 1h, max_entries: 100"),
        ("limited_plain", "capacity: 4, window_seconds: 40"),
        (
            "limited_waits",
            "capacity: 1, window_seconds: 10, max_wait: 1h",
        ),
    ];
    for (key, value) in changed {
        let known = settings.iter_mut().find(|(known, _)| known == key);
        known.expect("a known key").1 = value;
    }
    let (ops, policies): (Vec<_>, Vec<_>) = settings
        .into_iter()
        .partition(|(key, _)| key.starts_with("limited"));
    let mut yaml = "runtime:\n  rate_limiting:\n    defaults:\n".to_owned();
    for (op, value) in ops {
        let _ = writeln!(yaml, "      {op}: {{{value}}}");
    }
    for (path, value) in policies {
        let (section, policy) = path.split_once('.').unwrap();
        let _ = writeln!(yaml, "  {section}: {{{policy}: {{{value}}}}}");
    }
    configure(&yaml).unwrap_or_else(|errors| panic!("{errors}\n{yaml}"));
}

#[circuit_breaker(policy = "breaker_two")]
async fn guarded(fail: bool) -> AppResult<()> {
    if fail { Err(AppError::Busy) } else { Ok(()) }
}

#[circuit_breaker(policy = "breaker_two", name = "reload keeps probes")]
async fn guarded_slow(seconds: u64, fail: bool) -> AppResult<()> {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    if fail { Err(AppError::Busy) } else { Ok(()) }
}

fn circuit(site: &str) -> circuit_breaker::Snapshot {
    let snapshot = hardening::snapshot();
    snapshot.site(site).unwrap().circuit.clone().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_counts_of_a_window_survive_a_changed_threshold() {
    let _alone = alone();
    let breaker = "circuit_breaker.breaker_two_policy";
    let before = "failure_threshold: 100, failure_rate: 0.5, minimum_calls: 10, window: 60";
    put(&[(breaker, before)]);
    for fail in [true, false, true, false] {
        let _ = guarded(fail).await;
    }
    put(&[(breaker, &before.replace("10", "5"))]);
    let window = circuit("guarded").window.unwrap();
    assert_eq!((window.calls, window.failures), (4, 2));
    assert_eq!(guarded(true).await, Err(AppError::Busy));
    assert_eq!(circuit("guarded").state, State::Open, "3 of 5");
}

#[tokio::test(start_paused = true)]
async fn the_counts_of_a_window_survive_being_regrouped() {
    let _alone = alone();
    let breaker = "circuit_breaker.breaker_two_policy";
    put(&[(
        breaker,
        "failure_threshold: 100, failure_rate: 1, window: 60",
    )]);
    let _ = guarded(true).await;
    pass(10.0).await;
    let _ = guarded(false).await;
    put(&[(
        breaker,
        "failure_threshold: 100, failure_rate: 1, window: 120",
    )]);
    let window = circuit("guarded").window.unwrap();
    assert_eq!((window.calls, window.failures), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_probe_in_flight_keeps_its_place_and_its_word() {
    let _alone = alone();
    let breaker = "circuit_breaker.breaker_two_policy";
    let before = "failure_threshold: 1, open_for: 10";
    put(&[(breaker, before)]);
    let _ = guarded_slow(0, true).await;
    pass(10.0).await;
    let probe = tokio::spawn(guarded_slow(5, false));
    yield_now().await;
    put(&[(breaker, "failure_threshold: 7, open_for: 100")]);
    let shown = circuit("guarded_slow");
    assert_eq!((shown.state, shown.probes), (State::HalfOpen, 1));
    let refused = guarded_slow(0, false).await;
    assert!(refused.is_err(), "one probe at a time, as before");
    put(&[(
        breaker,
        "failure_threshold: 7, open_for: 100, half_open_calls: 2, success_threshold: 2",
    )]);
    guarded_slow(0, false).await.unwrap();
    assert_eq!(circuit("guarded_slow").state, State::HalfOpen);
    probe.await.unwrap().unwrap();
    assert_eq!(circuit("guarded_slow").state, State::Closed);
}

#[rate_limited(op = "limited_plain")]
async fn limited() -> AppResult<()> {
    Ok(())
}

/// How many calls are admitted now.
async fn admitted() -> u32 {
    let mut count = 0;
    while limited().await.is_ok() {
        count += 1;
    }
    count
}

#[tokio::test(start_paused = true)]
async fn a_buckets_level_is_the_same_share_of_another_capacity() {
    let _alone = alone();
    for (capacity, left) in [(10, 5), (2, 1), (4, 2)] {
        hardening::testing::reset();
        put(&[]);
        limited().await.unwrap();
        limited().await.unwrap();
        let changed = format!("capacity: {capacity}, window_seconds: 40");
        put(&[("limited_plain", &changed)]);
        assert_eq!(admitted().await, left, "half of {capacity}");
    }
}

#[rate_limited(op = "limited_waits")]
async fn limited_waits() -> AppResult<()> {
    Ok(())
}

type Order = Arc<Mutex<Vec<(u32, u64)>>>;

/// Callers that wait in a line of which the first has the token; each says when it got through.
async fn in_line(callers: u32, order: &Order) -> Vec<JoinHandle<()>> {
    let began = tokio::time::Instant::now();
    let mut tasks = Vec::new();
    for caller in 0..callers {
        let order = Arc::clone(order);
        tasks.push(tokio::spawn(async move {
            limited_waits().await.unwrap();
            let second = began.elapsed().as_secs();
            order.lock().unwrap().push((caller, second));
        }));
        yield_now().await;
    }
    tasks
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_rate_limit_keeps_its_place_and_its_terms() {
    let _alone = alone();
    for changed in [
        "capacity: 100, window_seconds: 10, max_wait: 1h",
        "capacity: 1, window_seconds: 100, max_wait: 0",
    ] {
        hardening::testing::reset();
        put(&[]);
        let order = Order::default();
        let tasks = in_line(4, &order).await;
        put(&[("limited_waits", changed)]);
        for task in tasks {
            task.await.unwrap();
        }
        let order = order.lock().unwrap().clone();
        let callers: Vec<_> = order.iter().map(|(caller, _)| *caller).collect();
        assert_eq!(callers, [0, 1, 2, 3], "{changed}: {order:?}");
        assert_eq!(order.last(), Some(&(3, 30)), "{changed}: {order:?}");
    }
}

#[bulkhead(policy = "bulkhead_one")]
async fn placed(seconds: u64) -> AppResult<()> {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    Ok(())
}

async fn three_callers() -> Vec<JoinHandle<AppResult<()>>> {
    let mut tasks = Vec::new();
    for _ in 0..3 {
        tasks.push(tokio::spawn(placed(10)));
        yield_now().await;
    }
    tasks
}

async fn all(tasks: Vec<JoinHandle<AppResult<()>>>) -> f64 {
    let join = async {
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    };
    timed(join).await.1.round()
}

fn running_and_waiting() -> (u32, u32) {
    let snapshot = hardening::snapshot();
    let bulkhead = snapshot.site("placed").unwrap().bulkhead;
    bulkhead.map_or((0, 0), |it| (it.running, it.queued.total()))
}

#[tokio::test(start_paused = true)]
async fn a_grown_bulkhead_admits_those_who_wait_at_once() {
    let _alone = alone();
    put(&[]);
    let tasks = three_callers().await;
    assert_eq!(running_and_waiting(), (1, 2));
    put(&[(
        "bulkhead.bulkhead_one_policy",
        "max_concurrent: 3, max_wait: 1h",
    )]);
    assert_eq!(running_and_waiting(), (3, 0));
    assert!((all(tasks).await - 10.0).abs() < 0.1);
}

#[tokio::test(start_paused = true)]
async fn a_shrunk_bulkhead_lets_running_calls_finish_and_loses_nobody() {
    let _alone = alone();
    let bulkhead = "bulkhead.bulkhead_one_policy";
    put(&[(bulkhead, "max_concurrent: 2, max_wait: 1h")]);
    let tasks = three_callers().await;
    put(&[(bulkhead, "max_concurrent: 1, max_queue: 0, max_wait: 0")]);
    assert_eq!(running_and_waiting(), (2, 1));
    assert!(placed(1).await.is_err(), "newcomers have the new settings");
    assert!((all(tasks).await - 20.0).abs() < 0.1);
}

#[tokio::test(start_paused = true)]
async fn a_bulkhead_that_is_switched_off_keeps_nobody_waiting() {
    let _alone = alone();
    put(&[]);
    let tasks = three_callers().await;
    let off = "max_concurrent: 1, max_wait: 1h, enabled: false";
    put(&[("bulkhead.bulkhead_one_policy", off)]);
    assert!((all(tasks).await - 10.0).abs() < 0.1);
    put(&[]);
    let tasks = three_callers().await;
    assert_eq!(running_and_waiting(), (1, 2), "and counts right afterwards");
    assert!((all(tasks).await - 30.0).abs() < 0.1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_configuration_admits_nobody() {
    let _alone = alone();
    put(&[]);
    let tasks = three_callers().await;
    let bad = "runtime: {bulkhead: {bulkhead_one_policy: {max_concurrent: 3}}}";
    assert!(configure(bad).is_err(), "the ops are missing");
    assert_eq!(running_and_waiting(), (1, 2));
    assert!((all(tasks).await - 30.0).abs() < 0.1);
}

#[cached(policy = "cached_short", name = "reload keeps", key = id)]
async fn remembered(id: u32, runs: &Runs) -> AppResult<u32> {
    Ok(runs.up() * 100 + id)
}

async fn fill(entries: u32, runs: &Runs) {
    for id in 0..entries {
        remembered(id, runs).await.unwrap();
    }
}

fn entries() -> usize {
    hardening::cache::<u32, u32>("reload keeps").len()
}

#[tokio::test(start_paused = true)]
async fn a_cache_keeps_its_results_and_a_shrunk_one_puts_out_what_is_too_much() {
    let _alone = alone();
    put(&[]);
    let runs = Runs::new();
    fill(50, &runs).await;
    put(&[("cache.cached_short_policy", "ttl: 2h, max_entries: 200")]);
    assert_eq!(entries(), 50);
    put(&[("cache.cached_short_policy", "ttl: 2h, max_entries: 10")]);
    assert_eq!(entries(), 10, "at once, not with the next call");
    let shown = hardening::snapshot();
    let figures = shown.site("remembered").unwrap().cache.unwrap();
    assert_eq!((figures.misses, figures.evicted), (50, 40));
    put(&[]);
    fill(50, &runs).await;
    assert_eq!((entries(), runs.get()), (50, 90), "ten were still there");
}

#[tokio::test(start_paused = true)]
async fn a_changed_ttl_binds_what_is_there() {
    let _alone = alone();
    put(&[]);
    let runs = Runs::new();
    fill(1, &runs).await;
    pass(600.0).await;
    put(&[("cache.cached_short_policy", "ttl: 20m, max_entries: 100")]);
    fill(1, &runs).await;
    assert_eq!(runs.get(), 1);
    put(&[("cache.cached_short_policy", "ttl: 5m, max_entries: 100")]);
    fill(1, &runs).await;
    assert_eq!(runs.get(), 2);
}

#[retryable(policy = "expensive", base_delay = 0, jitter = "none")]
async fn retried(runs: &Runs) -> AppResult<()> {
    runs.up();
    Err(AppError::Busy)
}

#[tokio::test(start_paused = true)]
async fn a_spent_retry_budget_stays_spent() {
    let _alone = alone();
    let retry = "retry.expensive_policy";
    let budget = "budget: {ratio: 0, min_per_second: 0.5}";
    put(&[(retry, &format!("max_attempts: 100, {budget}"))]);
    let runs = Runs::new();
    let _ = retried(&runs).await;
    let spent = runs.take();
    assert!((2..100).contains(&spent), "{spent}");
    put(&[(retry, &format!("max_attempts: 50, {budget}"))]);
    let _ = retried(&runs).await;
    assert_eq!(runs.take(), 1, "no retry is left");
    put(&[(retry, "max_attempts: 50, budget: false")]);
    let _ = retried(&runs).await;
    assert_eq!(runs.take(), 50, "without a budget");
    put(&[(retry, &format!("max_attempts: 50, {budget}"))]);
    pass(4.0).await;
    let _ = retried(&runs).await;
    assert_eq!(runs.take(), 3, "two seconds for each");
}

/// A value whose end looks at everything, as a guard or a span of the program may.
#[derive(Clone)]
struct Curious;

impl Drop for Curious {
    fn drop(&mut self) {
        assert!(!hardening::sites().is_empty());
    }
}

#[cached(policy = "cached_short", key = id)]
async fn curious(id: u32) -> AppResult<Curious> {
    let _ = id;
    Ok(Curious)
}

#[tokio::test(start_paused = true)]
async fn what_a_shrunk_cache_drops_may_ask_for_everything() {
    let _alone = alone();
    put(&[]);
    for id in 0..20 {
        curious(id).await.unwrap();
    }
    put(&[("cache.cached_short_policy", "ttl: 1h, max_entries: 5")]);
    let shown = hardening::snapshot();
    let figures = shown.site("curious").unwrap().cache.unwrap();
    assert_eq!(figures.evicted, 15);
}
