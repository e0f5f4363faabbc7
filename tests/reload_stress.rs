//! Reloads while calls are under way: each call sees one configuration.

mod support;

use hardening::{
    RetryEvent, bulkhead, retryable,
    testing::{alone, configure},
};
use std::{
    cell::RefCell,
    sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    thread,
    time::Duration,
};
use support::{AppError, AppResult, Runs};

/// Settings that belong together: so many attempts, with so many microseconds between them.
const PAIRS: [(u32, u64); 3] = [(2, 2), (3, 3), (5, 5)];
const RELOADS: usize = 300;
const CALLERS: usize = 4;

fn put((attempts, micros): (u32, u64)) {
    let yaml = format!(
        "
runtime:
  retry:
    expensive_policy:
      max_attempts: {attempts}
      base_delay: {micros}us
      max_delay: {micros}us
      exponential_base: 1
      jitter: none
      budget: false
  bulkhead: {{bulkhead_one_policy: {{max_concurrent: {attempts}, max_queue: 100, max_wait: 1h}}}}
"
    );
    configure(&yaml).unwrap();
}

thread_local! {
    static WAITS: RefCell<Vec<Duration>> = const { RefCell::new(Vec::new()) };
}

#[retryable(policy = "expensive", on_retry = |event: &RetryEvent| WAITS.with_borrow_mut(|waits| waits.push(event.delay)))]
fn retried(runs: &Runs) -> AppResult<()> {
    runs.up();
    Err(AppError::Busy)
}

/// What one call saw: its attempts, and the wait before each retry.
fn seen() -> (u32, Vec<Duration>) {
    let runs = Runs::new();
    retried(&runs).unwrap_err();
    (runs.get(), WAITS.take())
}

fn assert_is_one_of_the_pairs((attempts, waits): &(u32, Vec<Duration>)) {
    let fits = |(most, micros): &(u32, u64)| {
        *attempts == *most
            && waits.len() + 1 == *most as usize
            && waits
                .iter()
                .all(|wait| *wait == Duration::from_micros(*micros))
    };
    assert!(PAIRS.iter().any(fits), "{attempts} attempts, {waits:?}");
}

#[test]
fn a_call_sees_the_settings_of_one_configuration_and_never_a_mixture() {
    let _alone = alone();
    put(PAIRS[0]);
    let (done, calls) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                // At least once, also where the reloads are over before this thread begins.
                loop {
                    assert_is_one_of_the_pairs(&seen());
                    calls.fetch_add(1, SeqCst);
                    if done.load(SeqCst) {
                        break;
                    }
                }
            });
        }
        for pair in PAIRS.into_iter().cycle().take(RELOADS) {
            put(pair);
            // What begins after a reload has the new settings.
            assert_eq!(seen().0, pair.0);
        }
        done.store(true, SeqCst);
    });
    assert!(calls.load(SeqCst) > 0);
}

#[bulkhead(policy = "bulkhead_one")]
fn placed(inside: &AtomicU32) -> AppResult<u32> {
    let together = inside.fetch_add(1, SeqCst) + 1;
    thread::yield_now();
    inside.fetch_sub(1, SeqCst);
    Ok(together)
}

#[test]
fn a_bulkhead_under_reloads_loses_no_place_and_no_caller() {
    let _alone = alone();
    put(PAIRS[0]);
    let (done, inside) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..2 * CALLERS {
            scope.spawn(|| {
                while !done.load(SeqCst) {
                    assert!(
                        placed(&inside).unwrap() <= 5,
                        "the most of any configuration"
                    );
                }
            });
        }
        PAIRS.into_iter().cycle().take(RELOADS).for_each(put);
        done.store(true, SeqCst);
    });
    let snapshot = hardening::snapshot();
    let bulkhead = snapshot.site("placed").unwrap().bulkhead.unwrap();
    assert_eq!((bulkhead.running, bulkhead.queued.total()), (0, 0));
    assert_eq!(bulkhead.rejected, 0);
}
