//! Timeout around a call that is ready at once, and around one that is not.
//!
//! The limit notes when it begins, polls the call, and sets a timer only when that is not done.

use crate::{
    contender::{
        Contender,
        Whose::{Limit, Ours, Peer},
    },
    goal::{Against, Goal},
    rounds::Scenario,
};
use hardening::timeout;
use std::{
    future::poll_fn,
    hint::black_box,
    pin::pin,
    task::Poll,
    time::{Duration, Instant},
};
use tokio::{
    task::yield_now,
    time::{Sleep, sleep_until},
};

const LONGEST: Duration = Duration::from_secs(15);
const TOKIO: &str = "tokio::time::timeout";

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![ready_at_once(), pending_once()]
}

#[allow(clippy::unused_async, reason = "the work that is awaited")]
async fn work(call: u64) -> u64 {
    black_box(call)
}

async fn yielding_work(call: u64) -> u64 {
    yield_now().await;
    black_box(call)
}

/// The limit: notes when it begins, polls, and sets a timer only when the work is not done.
async fn by_hand<F: Future>(longest: Duration, work: F) -> Option<F::Output> {
    let until = Instant::now() + longest;
    let (mut work, mut timer) = (pin!(work), pin!(None::<Sleep>));
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        if timer.is_none() {
            timer.set(Some(sleep_until(until.into())));
        }
        match timer.as_mut().as_pin_mut() {
            Some(timer) => timer.poll(cx).map(|()| None),
            None => Poll::Pending,
        }
    })
    .await
}

fn ready_at_once() -> Scenario {
    Scenario::new(
        "timeout, ready at once",
        vec![
            Contender::awaited(
                Limit,
                "by hand: the clock, the work, then a timer",
                async |call| {
                    let _ = black_box(by_hand(LONGEST, work(call)).await);
                },
            ),
            Contender::awaited(Ours, "hardening::timeout::within", async |call| {
                let _ = black_box(timeout::within(LONGEST, work(call)).await);
            }),
            Contender::awaited(Peer, TOKIO, async |call| {
                let _ = black_box(tokio::time::timeout(LONGEST, work(call)).await);
            }),
        ],
        vec![Goal::times(0.4, Against::Named(TOKIO))],
    )
}

fn pending_once() -> Scenario {
    Scenario::new(
        "timeout, ready after one more poll: a timer is set",
        vec![
            Contender::awaited(
                Limit,
                "by hand: the clock, the work, then a timer",
                async |call| {
                    let _ = black_box(by_hand(LONGEST, yielding_work(call)).await);
                },
            ),
            Contender::awaited(Ours, "hardening::timeout::within", async |call| {
                let _ = black_box(timeout::within(LONGEST, yielding_work(call)).await);
            }),
            Contender::awaited(Peer, TOKIO, async |call| {
                let _ = black_box(tokio::time::timeout(LONGEST, yielding_work(call)).await);
            }),
        ],
        vec![],
    )
}
