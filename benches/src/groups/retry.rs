//! Retry around an async call that is `Ok` at once, and around one that fails once.
//!
//! The limit is a loop by hand: three attempts, no delay, no rule for what is worth another. All are given three
//! attempts, each with its default backoff, or a delay of zero.

use crate::{
    contender::{
        Contender,
        Whose::{self, Limit, Ours, Peer},
    },
    goal::{Against, Goal},
    rounds::Scenario,
};
use backon::{ExponentialBuilder, Retryable as _};
use hardening::{Retry, RetryPolicy};
use std::{
    cell::Cell,
    future::{Ready, ready},
    hint::black_box,
    io::{Error, ErrorKind},
    sync::Arc,
    time::Duration,
};
use tokio_retry2::{
    Retry as TokioRetry, RetryError,
    strategy::{ExponentialBackoff, FixedInterval},
};
use tower::{
    Service, ServiceExt as _,
    retry::{
        Policy, Retry as TowerRetry,
        budget::{Budget as _, TpsBudget},
    },
    service_fn,
};

const LOOP: &str = "a loop by hand";

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![ok_at_once(), ok_at_once_with_a_budget(), one_failure()]
}

async fn work(call: u64) -> Result<u64, Error> {
    Ok(black_box(call))
}

/// The loop by hand: three attempts, and nothing else.
async fn three_attempts<F>(work: impl Fn() -> F) -> Result<u64, Error>
where
    F: Future<Output = Result<u64, Error>>,
{
    let mut attempt = 0;
    loop {
        attempt += 1;
        match work().await {
            Err(_) if attempt < 3 => {}
            result => return result,
        }
    }
}

/// backon counts the attempts after the first.
fn two_retries() -> ExponentialBuilder {
    ExponentialBuilder::default().with_max_times(2)
}

fn ok_at_once() -> Scenario {
    let policy = RetryPolicy::default();
    Scenario::new(
        "retry, `Ok` at once",
        vec![
            Contender::awaited(Limit, LOOP, async |call| {
                let _ = black_box(three_attempts(|| work(call)).await);
            }),
            Contender::awaited(Ours, "hardening::retry", async move |call| {
                let _ = black_box(hardening::retry(&policy, || work(call)).await);
            }),
            Contender::awaited(Peer, "backon", async |call| {
                let _ = black_box((|| work(call)).retry(two_retries()).await);
            }),
            Contender::awaited(Peer, "tokio-retry2", async |call| {
                let waits = ExponentialBackoff::from_millis(10).take(2);
                let work = async || work(call).await.map_err(RetryError::transient);
                let _ = black_box(TokioRetry::spawn(waits, work).await);
            }),
            tower(None, "tower, without a budget", work),
        ],
        vec![Goal::plus(3.0, Against::Named(LOOP)).on(1)],
    )
}

/// All calls share a budget: each earns its share of a retry.
fn ok_at_once_with_a_budget() -> Scenario {
    let retry = Retry::new(RetryPolicy::default());
    Scenario::new(
        "retry, `Ok` at once, with a budget that all calls share",
        vec![
            Contender::awaited(Limit, LOOP, async |call| {
                let _ = black_box(three_attempts(|| work(call)).await);
            }),
            Contender::awaited(Ours, "hardening::Retry", async move |call| {
                let _ = black_box(retry.call(|| work(call)).await);
            }),
            tower(Some(Arc::default()), "tower, with its `TpsBudget`", work),
        ],
        vec![Goal::times(1.0, Against::BestPeer)],
    )
}

thread_local! {
    static FAILED: Cell<bool> = const { Cell::new(false) };
}

/// Fails on every other run of its thread.
async fn fails_once(call: u64) -> Result<u64, Error> {
    if FAILED.replace(!FAILED.get()) {
        Ok(black_box(call))
    } else {
        Err(Error::from(ErrorKind::ConnectionReset))
    }
}

/// What a retry costs when there is nothing to wait for: a timer would make it a millisecond.
fn one_failure() -> Scenario {
    let policy = RetryPolicy {
        base_delay: Duration::ZERO,
        ..RetryPolicy::default()
    };
    let at_once = two_retries()
        .with_min_delay(Duration::ZERO)
        .with_max_delay(Duration::ZERO);
    Scenario {
        rounds: 15,
        ..Scenario::new(
            "retry, one failure, a delay of zero",
            vec![
                Contender::awaited(Limit, LOOP, async |call| {
                    let _ = black_box(three_attempts(|| fails_once(call)).await);
                }),
                Contender::awaited(Ours, "hardening::retry", async move |call| {
                    let _ = black_box(hardening::retry(&policy, || fails_once(call)).await);
                }),
                Contender::awaited(Peer, "backon", async move |call| {
                    let _ = black_box((|| fails_once(call)).retry(at_once).await);
                }),
                Contender::awaited(Peer, "tokio-retry2", async |call| {
                    let waits = FixedInterval::from_millis(0).take(2);
                    let work = async || fails_once(call).await.map_err(RetryError::transient);
                    let _ = black_box(TokioRetry::spawn(waits, work).await);
                }),
                tower(None, "tower, without a wait", fails_once),
            ],
            vec![Goal::plus(1_000.0, Against::Named(LOOP))],
        )
    }
}

fn tower<F>(
    budget: Option<Arc<TpsBudget>>,
    name: &'static str,
    work: impl Fn(u64) -> F + Clone + Sync + 'static,
) -> Contender
where
    F: Future<Output = Result<u64, Error>>,
{
    let policy = ThreeAttempts { left: 2, budget };
    let service = move || TowerRetry::new(policy.clone(), service_fn(work.clone()));
    let whose: Whose = Peer;
    Contender::awaited_with(whose, name, service, async |service, call| {
        let ready = service.ready().await.expect("it is ready at once");
        let _ = black_box(ready.call(call).await);
    })
}

/// tower's policy: what its documentation shows, and its budget.
#[derive(Clone)]
struct ThreeAttempts {
    left: u32,
    budget: Option<Arc<TpsBudget>>,
}

impl Policy<u64, u64, Error> for ThreeAttempts {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut u64, result: &mut Result<u64, Error>) -> Option<Ready<()>> {
        let budget = self.budget.as_ref();
        if result.is_ok() {
            budget.inspect(|budget| budget.deposit());
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        budget
            .is_none_or(|budget| budget.withdraw())
            .then(|| ready(()))
    }

    fn clone_request(&mut self, call: &u64) -> Option<u64> {
        Some(*call)
    }
}
