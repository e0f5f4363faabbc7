//! The timeline is held to the engine: what it says is what calls do.

use std::{cell::RefCell, time::Duration};

use proptest::prelude::*;
use tokio::time::Instant;

use super::*;

fn policy(jitter: Jitter, max_attempts: u32) -> RetryPolicy {
    RetryPolicy {
        max_attempts,
        base_delay: Duration::from_millis(700),
        max_delay: Duration::from_secs(20),
        exponential_base: 1.7,
        jitter,
        budget: None,
        ..RetryPolicy::default()
    }
}

/// When the engine runs the attempts of one call that always fails, on a paused clock.
async fn engine(policy: &RetryPolicy, attempt: Duration) -> Vec<Duration> {
    let (start, runs) = (Instant::now(), RefCell::new(Vec::new()));
    let outcome: Result<(), std::io::Error> = hardening_runtime::retry(policy.clone(), || async {
        runs.borrow_mut().push(start.elapsed());
        tokio::time::sleep(attempt).await;
        Err(std::io::ErrorKind::ConnectionReset.into())
    })
    .await;
    assert!(outcome.is_err());
    runs.into_inner()
}

/// Tokio's timer ticks in milliseconds.
const TICK: Duration = Duration::from_millis(2);

#[tokio::test(start_paused = true)]
async fn every_attempt_of_the_engine_starts_within_the_timeline() {
    for jitter in [
        Jitter::None,
        Jitter::Full,
        Jitter::Equal,
        Jitter::Decorrelated,
    ] {
        let policy = policy(jitter, 8);
        let timeline = starts(&policy, Duration::from_secs(1));
        for _ in 0..50 {
            let runs = engine(&policy, Duration::from_secs(1)).await;
            assert_eq!(runs.len(), timeline.len(), "{jitter:?}");
            for (run, start) in runs.iter().zip(&timeline) {
                let late = TICK * 8;
                assert!(
                    *run >= start.earliest && *run <= start.latest + late,
                    "{jitter:?} {run:?} {start:?}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_jitter_the_timeline_is_what_happens() {
    let policy = RetryPolicy {
        max_elapsed: Some(Duration::from_secs(15)),
        ..policy(Jitter::None, 20)
    };
    let timeline = starts(&policy, Duration::ZERO);
    let runs = engine(&policy, Duration::ZERO).await;
    assert_eq!(runs.len(), timeline.len());
    assert!(runs.len() < 20);
    for (run, start) in runs.iter().zip(&timeline) {
        assert!(
            run.abs_diff(start.earliest) <= TICK * 20,
            "{run:?} {start:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn each_jitter_reaches_both_ends_of_its_waits() {
    for jitter in [Jitter::Full, Jitter::Equal, Jitter::Decorrelated] {
        let policy = policy(jitter, 2);
        let wait = waits(&policy)[0];
        let (mut least, mut most) = (Duration::MAX, Duration::ZERO);
        for _ in 0..400 {
            let waited = engine(&policy, Duration::ZERO).await[1];
            (least, most) = (least.min(waited), most.max(waited));
        }
        let tenth = wait.most.abs_diff(wait.least) / 10;
        assert!(
            least < wait.least + tenth && most + tenth > wait.most,
            "{jitter:?} {wait:?}: {least:?} {most:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_policy_panics_and_every_line_fits(
        max_attempts in 1_u32..=100, base in 0_u64..1 << 40, more in 0_u64..1 << 50, factor in 1.0..=100.0_f64,
        jitter in 0..4_usize, elapsed in proptest::option::of(1_u64..1 << 45), attempt in 0_u64..1 << 40,
    ) {
        let policy = RetryPolicy {
            max_attempts,
            base_delay: Duration::from_micros(base),
            max_delay: Duration::from_micros(base + more),
            exponential_base: factor,
            jitter: [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated][jitter],
            max_elapsed: elapsed.map(Duration::from_micros),
            ..RetryPolicy::default()
        };
        let text = explain(&policy, Duration::from_micros(attempt));
        prop_assert!(text.lines().all(|line| line.chars().count() <= 80), "{}", text);
        for pair in starts(&policy, Duration::ZERO).windows(2) {
            prop_assert!(pair[0].earliest <= pair[1].earliest && pair[0].latest <= pair[1].latest);
        }
    }
}
