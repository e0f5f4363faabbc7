//! `mode: observe`: what would have been rejected is counted and told, and nobody is. Each test holds
//! `alone()`: it changes what is in force for the whole program.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

#[path = "support/log.rs"]
mod log;
mod support;

use hardening::{
    check_rate_limit, circuit_breaker,
    circuit_breaker::State,
    metrics::WouldHave,
    rate_limited,
    testing::{alone, configure},
};
use log::Log;
use support::{AppError, AppResult, Runs, pass, timed};

/// An op and a breaker as they are written here.
fn put(section_mode: &str, op: &str, breaker: &str) {
    let yaml = format!(
        "
runtime:
  rate_limiting: {{mode: {section_mode}, defaults: {{search: {{{op}}}}}}}
  circuit_breaker: {{breaker_two_policy: {{{breaker}}}}}
"
    );
    configure(&yaml).unwrap_or_else(|errors| panic!("{errors}\n{yaml}"));
}

const OP: &str = "capacity: 2, window_seconds: 20";
const BREAKER: &str = "failure_threshold: 2, open_for: 10";

fn observed(settings: &str) -> String {
    format!("{settings}, mode: observe")
}

#[rate_limited(op = "search")]
async fn limited(runs: &Runs) -> AppResult<u32> {
    Ok(runs.up())
}

fn would_have(site: &str) -> WouldHave {
    let snapshot = hardening::snapshot();
    snapshot.site(site).unwrap().figures.would_have.clone()
}

fn op(name: &str) -> hardening::rate_limit::OpSnapshot {
    let mut ops = hardening::snapshot().ops.into_iter();
    ops.find(|op| op.op == name).unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_observed_op_rejects_nobody_and_counts_whom_it_would_have_rejected() {
    let _alone = alone();
    put("enforce", &observed(OP), BREAKER);
    let runs = Runs::new();
    for _ in 0..5 {
        limited(&runs).await.unwrap();
    }
    assert_eq!(runs.get(), 5);
    assert_eq!(would_have("limited").rate_limited, 3);
    assert_eq!(op("search").would_have_rejected, 3);
    let figures = hardening::snapshot().total;
    let refused = (figures.rate_limited, figures.rejected_by.rate_limit);
    assert_eq!((figures.success, refused), (5, (0, 0)));
    assert_eq!(figures.would_have.rate_limited, 3);
}

#[tokio::test(start_paused = true)]
async fn calls_above_the_limit_take_no_tokens() {
    let _alone = alone();
    put("enforce", &observed(OP), BREAKER);
    let runs = Runs::new();
    for _ in 0..50 {
        limited(&runs).await.unwrap();
    }
    pass(10.0).await;
    limited(&runs).await.unwrap();
    assert_eq!(would_have("limited").rate_limited, 48, "one token is back");
    put("enforce", OP, BREAKER);
    assert!(
        limited(&runs).await.is_err(),
        "enforced, with the tokens there are"
    );
    pass(10.0).await;
    limited(&runs).await.unwrap();
    assert_eq!(runs.get(), 52);
}

#[tokio::test(start_paused = true)]
async fn the_section_observes_all_ops_but_those_that_say_otherwise() {
    let _alone = alone();
    let runs = Runs::new();
    put("observe", OP, BREAKER);
    for _ in 0..5 {
        limited(&runs).await.unwrap();
    }
    let own = format!("{OP}, mode: enforce");
    put("observe", &own, BREAKER);
    assert!(limited(&runs).await.is_err());
    put("observe", OP, BREAKER);
    limited(&runs).await.unwrap();
    assert_eq!((runs.get(), would_have("limited").rate_limited), (6, 4));
}

#[tokio::test(start_paused = true)]
async fn an_observed_op_waits_for_nothing() {
    let _alone = alone();
    let waits = "capacity: 1, window_seconds: 10, max_wait: 15";
    put("enforce", &observed(waits), BREAKER);
    let runs = Runs::new();
    let calls = async {
        for _ in 0..3 {
            limited(&runs).await.unwrap();
        }
    };
    assert!(timed(calls).await.1 < 0.01);
    let seen = would_have("limited");
    assert_eq!((seen.waited, seen.rate_limited), (2, 0));
    assert_eq!(op("search").would_have_waited, 2);
    assert_eq!(op("search").waiting, 0);
    let short = waits.replace("15", "1");
    put("enforce", &observed(&short), BREAKER);
    limited(&runs).await.unwrap();
    let seen = would_have("limited");
    assert_eq!((seen.waited, seen.rate_limited), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn by_name_it_is_the_same() {
    let _alone = alone();
    put("enforce", &observed(OP), BREAKER);
    for _ in 0..5 {
        check_rate_limit("search", "ann").unwrap();
    }
    assert_eq!(op("search").would_have_rejected, 3);
    let waits = "capacity: 1, window_seconds: 10, max_wait: 1h";
    put("enforce", &observed(waits), BREAKER);
    check_rate_limit("search", "ann").unwrap();
    let shown = op("search");
    let seen = (shown.would_have_rejected, shown.would_have_waited);
    assert_eq!(seen, (4, 0), "it never waits, observed or not");
}

#[tokio::test(start_paused = true)]
async fn it_is_told_at_most_every_ten_seconds() {
    let _alone = alone();
    let log = Log::default();
    let _subscribed = tracing::subscriber::set_default(log.clone());
    put(
        "enforce",
        &observed("capacity: 1, window_seconds: 1h"),
        BREAKER,
    );
    let runs = Runs::new();
    for _ in 0..101 {
        limited(&runs).await.unwrap();
        pass(0.1).await;
    }
    limited(&runs).await.unwrap();
    let told = log.with("would have rejected");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("WARN") && told[0].contains("count=1"));
    assert!(told[1].contains("name=\"search\"") && told[1].contains("count=100"));
    assert_eq!(log.count("message=rejected"), 0);
}

#[circuit_breaker(policy = "breaker_two")]
async fn guarded(fail: bool, runs: &Runs) -> AppResult<()> {
    runs.up();
    if fail { Err(AppError::Busy) } else { Ok(()) }
}

fn circuit() -> circuit_breaker::Snapshot {
    let snapshot = hardening::snapshot();
    snapshot.site("guarded").unwrap().circuit.clone().unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_observed_circuit_opens_probes_and_closes_and_lets_every_call_through() {
    let _alone = alone();
    put("enforce", OP, &observed(BREAKER));
    let runs = Runs::new();
    for _ in 0..5 {
        assert_eq!(guarded(true, &runs).await, Err(AppError::Busy));
    }
    let shown = circuit();
    assert_eq!((runs.get(), shown.state), (5, State::Open));
    assert_eq!((shown.rejected, shown.would_have_rejected), (0, 3));
    assert_eq!(would_have("guarded").circuit_open, 3);
    pass(5.0).await;
    guarded(false, &runs).await.unwrap();
    assert_eq!(
        circuit().state,
        State::Open,
        "what it would have rejected says nothing"
    );
    pass(5.0).await;
    let _ = guarded(true, &runs).await;
    assert_eq!(
        (circuit().state, circuit().opened),
        (State::Open, 2),
        "the probe"
    );
    pass(10.0).await;
    guarded(false, &runs).await.unwrap();
    assert_eq!(circuit().state, State::Closed);
    assert_eq!((runs.get(), would_have("guarded").circuit_open), (8, 4));
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_can_be_observed_and_enforced_again() {
    let _alone = alone();
    put("enforce", OP, BREAKER);
    let runs = Runs::new();
    for _ in 0..3 {
        let _ = guarded(true, &runs).await;
    }
    assert_eq!(runs.take(), 2);
    put("enforce", OP, &observed(BREAKER));
    guarded(false, &runs).await.unwrap();
    assert_eq!((runs.take(), circuit().state), (1, State::Open));
    put("enforce", OP, BREAKER);
    guarded(false, &runs).await.unwrap_err().rejected();
    assert_eq!(runs.get(), 0);
    let figures = hardening::snapshot()
        .site("guarded")
        .unwrap()
        .figures
        .clone();
    assert_eq!(figures.rejected_by.circuit_breaker, 2);
    assert_eq!(figures.would_have.circuit_open, 1);
}

#[tokio::test(start_paused = true)]
async fn an_observed_circuit_that_opens_is_no_error() {
    let _alone = alone();
    let log = Log::default();
    let _subscribed = tracing::subscriber::set_default(log.clone());
    put("enforce", OP, &observed(BREAKER));
    let runs = Runs::new();
    for _ in 0..20 {
        let _ = guarded(true, &runs).await;
    }
    let opened = log.with("opened");
    assert_eq!(opened.len(), 1);
    assert!(opened[0].starts_with("WARN") && opened[0].contains("observed=true"));
    assert_eq!(
        (log.count("would have rejected"), log.count("ERROR")),
        (1, 0)
    );
    put("enforce", OP, BREAKER);
    pass(10.0).await;
    let _ = guarded(true, &runs).await;
    assert_eq!(log.count("ERROR"), 1, "enforced, it is");
}

#[tokio::test(start_paused = true)]
async fn an_observed_layer_that_is_switched_off_counts_nothing() {
    let _alone = alone();
    let off = |settings| format!("{settings}, mode: observe, enabled: false");
    put("observe", &off(OP), &off(BREAKER));
    let runs = Runs::new();
    for _ in 0..5 {
        limited(&runs).await.unwrap();
        let _ = guarded(true, &runs).await;
    }
    assert_eq!(runs.get(), 10);
    let total = hardening::snapshot().total;
    assert_eq!(total.would_have, WouldHave::default());
}
