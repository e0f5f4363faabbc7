//! `enabled`, thrown at run time: of a section, of a policy and for one function, for every kind of
//! layer. Each test holds `alone()`: it changes what is in force for the whole program.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{
    bulkhead, cached, circuit_breaker, fallback,
    health::registry,
    health_check, rate_limited, retryable, testing,
    testing::{alone, configure},
    timeout,
};
use std::{fmt::Write as _, time::Duration};
use support::{AppError, AppResult, Runs};
use tokio::task::yield_now;

/// Where a switch is, and what it says.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Switch {
    /// Nowhere: all is on.
    Nowhere,
    Section,
    Policy,
    Override,
}

const SECTIONS: [(&str, &str); 6] = [
    (
        "retry",
        "expensive_policy: {max_attempts: 3, base_delay: 0, SWITCH}",
    ),
    (
        "rate_limiting",
        "defaults: {search: {capacity: 1, window_seconds: 1h, SWITCH}}",
    ),
    (
        "circuit_breaker",
        "breaker_two_policy: {failure_threshold: 1, SWITCH}",
    ),
    ("timeout", "timeout_strict_policy: {call: 1, SWITCH}"),
    (
        "bulkhead",
        "bulkhead_one_policy: {max_concurrent: 1, max_queue: 0, SWITCH}",
    ),
    ("cache", "cached_short_policy: {ttl: 1h, SWITCH}"),
];

/// Puts a configuration in force in which the layer of `section` at `site` is switched off there.
fn put(section: &str, site: &str, switch: Switch) {
    let mut yaml = "runtime:\n".to_owned();
    for (name, policies) in SECTIONS {
        let on = |at| !(name == section && switch == at);
        let policies = policies.replace("SWITCH", &format!("enabled: {}", on(Switch::Policy)));
        let section_on = on(Switch::Section);
        let _ = writeln!(yaml, "  {name}: {{enabled: {section_on}, {policies}}}");
    }
    if switch == Switch::Override {
        let off = format!("{{{section}: {{enabled: false}}}}");
        let _ = writeln!(yaml, "  overrides: {{\"switches::{site}\": {off}}}");
    }
    configure(&yaml).unwrap_or_else(|errors| panic!("{errors}\n{yaml}"));
}

/// Throws each switch off and on again; `is_on` says whether the layer acts.
async fn thrown(section: &str, site: &str, is_on: impl AsyncFn() -> bool) {
    for switch in [Switch::Section, Switch::Policy, Switch::Override] {
        testing::reset();
        put(section, site, Switch::Nowhere);
        assert!(is_on().await, "{section}, before {switch:?}");
        put(section, site, switch);
        assert!(!is_on().await, "{section}, {switch:?}");
        put(section, site, Switch::Nowhere);
        assert!(is_on().await, "{section}, after {switch:?}");
    }
}

#[retryable(policy = "expensive")]
async fn retried(runs: &Runs) -> AppResult<()> {
    runs.up();
    Err(AppError::Busy)
}

#[tokio::test(start_paused = true)]
async fn the_retry_can_be_switched() {
    let _alone = alone();
    thrown("retry", "retried", async || {
        let runs = Runs::new();
        retried(&runs).await.unwrap_err();
        let by_name = Runs::new();
        let _ = hardening::retry("expensive", || async {
            by_name.up();
            Err::<(), _>(AppError::Busy)
        })
        .await;
        assert!([1, 3].contains(&by_name.get()));
        assert!([1, 3].contains(&runs.get()));
        runs.get() == 3
    })
    .await;
}

#[rate_limited(op = "search")]
async fn limited(runs: &Runs) -> AppResult<()> {
    runs.up();
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_rate_limit_can_be_switched() {
    let _alone = alone();
    thrown("rate_limiting", "limited", async || {
        let runs = Runs::new();
        let mut refused = false;
        for _ in 0..3 {
            refused |= limited(&runs).await.is_err();
        }
        assert_eq!(!refused, runs.get() == 3);
        refused
    })
    .await;
}

#[circuit_breaker(policy = "breaker_two")]
async fn guarded(runs: &Runs) -> AppResult<()> {
    runs.up();
    Err(AppError::Busy)
}

#[tokio::test(start_paused = true)]
async fn the_circuit_breaker_can_be_switched() {
    let _alone = alone();
    thrown("circuit_breaker", "guarded", async || {
        let runs = Runs::new();
        for _ in 0..3 {
            let _ = guarded(&runs).await;
        }
        runs.get() < 3
    })
    .await;
}

#[timeout(policy = "timeout_strict")]
async fn bounded() -> AppResult<()> {
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_timeout_can_be_switched() {
    let _alone = alone();
    thrown("timeout", "bounded", async || bounded().await.is_err()).await;
}

#[bulkhead(policy = "bulkhead_one")]
async fn placed() -> AppResult<()> {
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_bulkhead_can_be_switched() {
    let _alone = alone();
    thrown("bulkhead", "placed", async || {
        let (one, other) = tokio::join!(placed(), placed());
        one.unwrap();
        other.is_err()
    })
    .await;
}

#[cached(policy = "cached_short", key = ())]
async fn remembered(runs: &Runs) -> AppResult<u32> {
    Ok(runs.up())
}

#[tokio::test(start_paused = true)]
async fn the_cache_can_be_switched_and_keeps_its_results_meanwhile() {
    let _alone = alone();
    thrown("cache", "remembered", async || {
        let runs = Runs::new();
        let (one, other) = (remembered(&runs).await, remembered(&runs).await);
        one == other
    })
    .await;
    testing::reset();
    put("cache", "remembered", Switch::Nowhere);
    let runs = Runs::new();
    assert_eq!(remembered(&runs).await, Ok(1));
    put("cache", "remembered", Switch::Section);
    assert_eq!(remembered(&runs).await, Ok(2));
    put("cache", "remembered", Switch::Nowhere);
    assert_eq!(remembered(&runs).await, Ok(1), "what it had");
}

#[fallback(|_error| Ok(0))]
#[rate_limited(op = "search")]
async fn with_fallback(runs: &Runs) -> AppResult<u32> {
    Ok(runs.up())
}

#[tokio::test(start_paused = true)]
async fn the_fallback_stays_when_everything_else_is_off() {
    let _alone = alone();
    put("rate_limiting", "with_fallback", Switch::Nowhere);
    let runs = Runs::new();
    let answers = (with_fallback(&runs).await, with_fallback(&runs).await);
    assert_eq!(answers, (Ok(1), Ok(0)));
    put("rate_limiting", "with_fallback", Switch::Section);
    assert_eq!(with_fallback(&runs).await, Ok(2));
}

static PROBES: Runs = Runs::new();

#[health_check(name = "switches")]
async fn probe() -> bool {
    PROBES.up();
    true
}

/// Runs of the check in ten minutes of the monitor.
async fn probes() -> u32 {
    PROBES.take();
    tokio::time::sleep(Duration::from_secs(600)).await;
    yield_now().await;
    PROBES.take()
}

#[tokio::test(start_paused = true)]
async fn health_checks_can_be_switched_all_and_each() {
    let _alone = alone();
    let on = "
runtime:
  retry: {expensive_policy: {}}
  rate_limiting: {defaults: {search: {capacity: 1, window_seconds: 1}}}
  circuit_breaker: {breaker_two_policy: {}}
  timeout: {timeout_strict_policy: {call: 1}}
  bulkhead: {bulkhead_one_policy: {}}
  cache: {cached_short_policy: {}}
  health_checks: {enabled: true, interval: 60, providers: {switches: {enabled: true}}}
";
    configure(on).unwrap();
    registry().spawn_monitor();
    assert!((9..=12).contains(&probes().await));
    configure(&on.replace("{enabled: true, interval", "{enabled: false, interval")).unwrap();
    assert_eq!(probes().await, 0, "the monitor rests");
    configure(on).unwrap();
    assert!((9..=12).contains(&probes().await));
    configure(&on.replace(
        "{switches: {enabled: true}}",
        "{switches: {enabled: false}}",
    ))
    .unwrap();
    assert_eq!(probes().await, 0, "the check rests");
    configure(on).unwrap();
    assert!((9..=12).contains(&probes().await));
}
