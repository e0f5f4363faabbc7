//! Retry around an async call that is `Ok` at once.

use crate::{
    contender::{
        Contender,
        Whose::{Limit, Ours, Peer},
    },
    goal::{Against, Goal},
    rounds::Scenario,
};
use backon::{ExponentialBuilder, Retryable as _};
use hardening::RetryPolicy;
use std::hint::black_box;

const LOOP: &str = "a loop by hand";

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![ok_at_once()]
}

async fn work(call: u64) -> Result<u64, std::io::Error> {
    Ok(black_box(call))
}

fn ok_at_once() -> Scenario {
    let policy = RetryPolicy::default();
    Scenario::new(
        "retry, `Ok` at once",
        vec![
            Contender::awaited(Limit, LOOP, async |call| {
                let mut attempt = 0;
                let _ = black_box(loop {
                    attempt += 1;
                    match work(call).await {
                        Err(_) if attempt < 3 => {}
                        result => break result,
                    }
                });
            }),
            Contender::awaited(Ours, "hardening::retry", async move |call| {
                let _ = black_box(hardening::retry(&policy, || work(call)).await);
            }),
            Contender::awaited(Peer, "backon", async |call| {
                let _ = black_box((|| work(call)).retry(ExponentialBuilder::default()).await);
            }),
        ],
        vec![
            Goal::plus(3.0, Against::Named(LOOP)).on(1),
            Goal::times(1.0, Against::BestPeer),
        ],
    )
}
