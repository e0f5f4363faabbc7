//! Bulkhead: a place that is free, and one that is handed over.
//!
//! The limit is a counter that is compared and swapped, without a queue; where a place is awaited, it is tokio's
//! `try_acquire`, which has a queue but does not look at it.

use crate::{
    contender::{
        Contender,
        Whose::{Limit, Ours, Peer},
        runtime,
    },
    goal::{Against, Goal},
    rounds::Scenario,
};
use hardening::{Bulkhead, BulkheadPolicy, Priority};
use std::{
    convert::Infallible,
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::AcqRel, Ordering::Relaxed, Ordering::Release},
    },
    time::Duration,
};
use tokio::{sync::Semaphore, task::yield_now};
use tower::{Service, ServiceExt as _, limit::ConcurrencyLimit, service_fn};

const PLACES: u32 = 10;
const TRY_ACQUIRE: &str = "tokio `try_acquire`";
const ACQUIRE: &str = "tokio `acquire`";

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![free(), free_awaited(), handed_over()]
}

fn bulkhead(max_concurrent: u32) -> Bulkhead {
    Bulkhead::new(BulkheadPolicy {
        max_concurrent,
        max_queue: 1_000,
        max_wait: Duration::from_secs(3600),
    })
}

fn semaphore(places: u32) -> Semaphore {
    Semaphore::new(places as usize)
}

/// A limit by hand: a counter that is compared and swapped.
#[derive(Default)]
struct Counter(AtomicU32);

struct Counted<'a>(&'a AtomicU32);

impl Counter {
    fn enter(&self) -> Option<Counted<'_>> {
        let free = |running| (running < PLACES).then_some(running + 1);
        self.0.fetch_update(AcqRel, Relaxed, free).ok()?;
        Some(Counted(&self.0))
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Release);
    }
}

fn free() -> Scenario {
    let (counter, ours, semaphore) = (Counter::default(), bulkhead(PLACES), semaphore(PLACES));
    Scenario::new(
        "bulkhead, a free place, taken and given back",
        vec![
            Contender::blocking(Limit, "a counter by hand", move |_| {
                drop(black_box(counter.enter()));
            }),
            Contender::blocking(Ours, "hardening::Bulkhead::try_enter", move |_| {
                drop(black_box(ours.try_enter()));
            }),
            Contender::blocking(Peer, TRY_ACQUIRE, move |_| {
                drop(black_box(semaphore.try_acquire()));
            }),
        ],
        vec![Goal::times(1.0, Against::Named(TRY_ACQUIRE))],
    )
}

fn free_awaited() -> Scenario {
    let (ours, acquired) = (bulkhead(PLACES), semaphore(PLACES));
    let tried = semaphore(PLACES);
    let shared = Arc::new(semaphore(PLACES));
    let service = move || {
        let work = service_fn(async |call: u64| Ok::<u64, Infallible>(black_box(call)));
        ConcurrencyLimit::with_semaphore(work, Arc::clone(&shared))
    };
    Scenario::new(
        "bulkhead, a free place, awaited, with a priority",
        vec![
            Contender::blocking(Limit, TRY_ACQUIRE, move |_| {
                drop(black_box(tried.try_acquire()));
            }),
            Contender::awaited(Ours, "hardening::Bulkhead::enter", async move |_| {
                let _place = black_box(ours.enter(Priority::High).await);
            }),
            Contender::awaited(Peer, ACQUIRE, async move |_| {
                let _permit = black_box(acquired.acquire().await);
            }),
            Contender::awaited_with(
                Peer,
                "tower `ConcurrencyLimit`",
                service,
                async |service, call| {
                    let Ok(ready) = service.ready().await;
                    let _ = black_box(ready.call(call).await);
                },
            ),
        ],
        vec![
            Goal::times(1.0, Against::Named(TRY_ACQUIRE)),
            Goal::times(1.0, Against::BestPeer),
        ],
    )
}

/// Sixteen tasks of one thread and a single place, which goes from hand to hand.
fn handed_over() -> Scenario {
    let (ours, semaphore) = (Arc::new(bulkhead(1)), Arc::new(semaphore(1)));
    Scenario {
        threads: &[1],
        ..Scenario::new(
            "bulkhead, one place handed over between 16 tasks",
            vec![
                tasks(Ours, "hardening::Bulkhead::enter", move || {
                    let ours = Arc::clone(&ours);
                    async move || {
                        let _place = ours.enter(Priority::Normal).await;
                        yield_now().await;
                    }
                }),
                tasks(Peer, ACQUIRE, move || {
                    let semaphore = Arc::clone(&semaphore);
                    async move || {
                        let _permit = semaphore.acquire().await;
                        yield_now().await;
                    }
                }),
            ],
            vec![],
        )
    }
}

/// Tasks that do the work by turns; `work` makes what one of them does.
fn tasks<W>(
    whose: crate::contender::Whose,
    name: &'static str,
    work: impl Fn() -> W + Sync + 'static,
) -> Contender
where
    W: AsyncFn() + 'static,
{
    const TASKS: u64 = 16;
    Contender::timed(whose, name, move |turn| {
        let (local, calls) = (tokio::task::LocalSet::new(), turn.calls);
        local.block_on(&runtime(), async {
            let began = turn.begin();
            let tasks: Vec<_> = (0..TASKS)
                .map(|_| {
                    let work = work();
                    tokio::task::spawn_local(async move {
                        for _ in 0..calls / TASKS {
                            work().await;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("the work does not panic");
            }
            began.elapsed()
        })
    })
}
