//! Health checks that the file derives from circuit breakers and bulkheads. Every test puts a
//! configuration of its own in force.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{
    bulkhead, circuit_breaker,
    health::{CheckReport, Group, Status, registry},
    testing,
};
use std::future::pending;
use support::{AppError, AppResult, Runs, pass};

static RUNS: Runs = Runs::new();

#[circuit_breaker(name = "derived_ai", failure_threshold = 2, open_for = 60)]
async fn ai(fails: bool) -> AppResult<()> {
    RUNS.up();
    if fails { Err(AppError::Busy) } else { Ok(()) }
}

#[bulkhead(max_concurrent = 1, max_queue = 1, max_wait = 60)]
async fn reports() -> AppResult<()> {
    pending().await
}

fn configure(providers: &str) {
    let file = format!("runtime: {{health_checks: {{providers: {{{providers}}}}}}}");
    testing::configure(&file).unwrap();
}

const AI: &str = "ai: {derive: circuit_breaker, name: derived_ai, critical: true}";

async fn check(name: &str) -> CheckReport {
    registry().run_all().await.checks[name].clone()
}

async fn open() {
    assert!(ai(true).await.is_err() && ai(true).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_is_unhealthy_until_it_admits_a_probe() {
    let _alone = testing::alone();
    configure(AI);
    let closed = check("ai").await;
    assert_eq!((closed.status, closed.message), (Status::Healthy, None));
    assert_eq!(closed.check_type, "circuit_breaker");
    open().await;
    pass(12.0).await;
    let opened = check("ai").await;
    assert_eq!(
        opened.status,
        Status::Unhealthy,
        "at once, without a threshold"
    );
    assert_eq!(
        opened.message.as_deref(),
        Some("open for 12s, and for 48s more")
    );
    assert_eq!(
        registry().run_all().await.overall_status,
        Status::Unhealthy,
        "critical"
    );

    // A service that is taken out for it would never see the call that closes the circuit.
    pass(48.0).await;
    let probing = check("ai").await;
    assert_eq!(probing.status, Status::Degraded);
    assert_eq!(
        probing.message.as_deref(),
        Some("open; the next call is a probe")
    );
    RUNS.take();
    assert!(ai(false).await.is_ok());
    assert_eq!(RUNS.take(), 1);
    assert_eq!(check("ai").await.status, Status::Healthy);
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_never_fails_liveness() {
    let _alone = testing::alone();
    configure(AI);
    open().await;
    let alive = registry().run_group(Group::Liveness).await;
    assert!(alive.healthy && alive.checks.is_empty(), "{alive}");
    let ready = registry().run_group(Group::Readiness).await;
    assert_eq!(ready.overall_status, Status::Unhealthy);
}

#[tokio::test(start_paused = true)]
async fn a_bulkhead_is_degraded_while_calls_wait_and_unhealthy_when_it_is_full() {
    let _alone = testing::alone();
    configure("queue: {derive: bulkhead, name: \"derived_health::reports\"}");
    assert_eq!(check("queue").await.status, Status::Healthy);
    let running = tokio::spawn(reports());
    tokio::task::yield_now().await;
    assert_eq!(
        check("queue").await.status,
        Status::Healthy,
        "busy is not ill"
    );
    let waiting = tokio::spawn(reports());
    tokio::task::yield_now().await;
    let full = check("queue").await;
    assert_eq!(full.status, Status::Unhealthy);
    assert_eq!(
        full.message.as_deref(),
        Some("1 of 1 places taken, 1 of 1 waiting")
    );
    assert_eq!(full.check_type, "bulkhead");
    waiting.abort();
    assert!(waiting.await.is_err());
    assert_eq!(check("queue").await.status, Status::Healthy);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_reload_derives_what_the_file_says_then() {
    let _alone = testing::alone();
    configure(AI);
    open().await;
    assert_eq!(registry().failed_checks(), [""; 0]);
    registry().run_all().await;
    assert_eq!(registry().failed_checks(), ["ai"]);
    configure(&format!(
        "{AI}, queue: {{derive: bulkhead, name: \"derived_health::reports\"}}"
    ));
    assert_eq!(registry().names(), ["ai", "queue"]);
    assert_eq!(registry().failed_checks(), ["ai"], "its result is kept");
    configure("queue: {derive: bulkhead, name: \"derived_health::reports\"}");
    assert_eq!(registry().names(), ["queue"]);
    configure("");
    assert!(registry().names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_check_that_the_program_registers_is_not_replaced_by_a_derived_one() {
    let _alone = testing::alone();
    registry().register("ai", || async { true });
    configure(AI);
    open().await;
    let ours = check("ai").await;
    assert_eq!(
        (ours.status, ours.check_type.as_str()),
        (Status::Healthy, "custom")
    );
    configure("");
    assert_eq!(registry().names(), ["ai"]);
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_is_switched_off_is_healthy_and_one_that_nobody_has_is_degraded() {
    let _alone = testing::alone();
    configure("ai: {derive: circuit_breaker, name: derived_air}");
    let missing = check("ai").await;
    assert_eq!(missing.status, Status::Degraded);
    let said = missing.message.unwrap();
    assert!(
        said.contains("no function of this program has a circuit breaker `derived_air`"),
        "{said}"
    );
    testing::configure(&format!(
        "runtime: {{circuit_breaker: {{enabled: false}}, health_checks: {{providers: {{{AI}}}}}}}"
    ))
    .unwrap();
    let off = check("ai").await;
    assert_eq!(
        (off.status, off.message.as_deref()),
        (Status::Healthy, Some("switched off"))
    );
}

#[test]
fn a_layer_that_no_function_has_is_told_at_start() {
    const NAME: &str = "a_layer_that_no_function_has_is_told_at_start";
    if !support::is_child() {
        let folder = support::folder(NAME);
        let yaml = "runtime: {health_checks: {providers: {ai: {derive: circuit_breaker}}}}";
        std::fs::write(folder.join("hardening.yaml"), yaml).unwrap();
        support::child(NAME, &folder, &[]);
        std::fs::remove_dir_all(folder).unwrap();
        return;
    }
    let started = hardening::init!().unwrap();
    let told = started.warnings.join("\n");
    assert!(
        told.contains("the health check `ai` is derived from the circuit breaker `ai`"),
        "{told}"
    );
    assert!(told.contains("(known: derived_ai)"), "{told}");
    assert!(!told.contains("no health check is registered"), "{told}");
}
