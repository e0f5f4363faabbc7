//! Many tasks ask for few keys that are not there.

use super::stores;
use crate::{
    contender::{
        Contender,
        Whose::{self, Ours, Peer},
    },
    goal::{Against, Goal},
    rounds::Scenario,
};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};

const TASKS: u64 = 1000;
const KEYS: u64 = 20;
const LOAD: Duration = Duration::from_millis(10);
const QUICK_CACHE: &str = "quick_cache";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        storm(
            "cache miss, 1,000 tasks on 20 keys, 10 ms load, 20 loads, one worker",
            Builder::new_current_thread,
        ),
        storm(
            "cache miss, 1,000 tasks on 20 keys, 10 ms load, 20 loads, two workers",
            || {
                let mut builder = Builder::new_multi_thread();
                builder.worker_threads(2);
                builder
            },
        ),
    ]
}

fn storm(what: &'static str, runtime: fn() -> Builder) -> Scenario {
    let ours = Arc::new(stores::ours(100_000));
    let quick_cache = Arc::new(stores::quick_cache(100_000));
    let moka = stores::moka_future(100_000);
    let contenders = vec![
        asking(Ours, "hardening::Cache", runtime(), move |key, loads| {
            let cache = ours.clone();
            async move {
                let load = || load(key, loads);
                cache.get_or_load(key, load).await.ok()
            }
        }),
        asking(Peer, QUICK_CACHE, runtime(), move |key, loads| {
            let cache = quick_cache.clone();
            async move { cache.get_or_insert_async(&key, load(key, loads)).await.ok() }
        }),
        asking(Peer, "moka", runtime(), move |key, loads| {
            let cache = moka.clone();
            async move { cache.try_get_with(key, load(key, loads)).await.ok() }
        }),
    ];
    Scenario {
        threads: &[1],
        calls: Some(1),
        ..Scenario::new(
            what,
            contenders,
            vec![Goal::times(1.1, Against::Named(QUICK_CACHE))],
        )
    }
}

async fn load(key: u64, loads: Arc<AtomicU64>) -> Result<u64, std::io::Error> {
    tokio::time::sleep(LOAD).await;
    loads.fetch_add(1, Relaxed);
    Ok(key)
}

/// One call is a whole storm, on keys that nobody has asked for before.
fn asking<F>(
    whose: Whose,
    name: &'static str,
    mut runtime: Builder,
    ask: impl Fn(u64, Arc<AtomicU64>) -> F + Sync + 'static,
) -> Contender
where
    F: Future<Output = Option<u64>> + Send + 'static,
{
    let runtime = runtime.enable_time().build().expect("a runtime");
    let asked = AtomicU64::new(0);
    Contender::timed(whose, name, move |turn| {
        let one = || {
            let first = asked.fetch_add(KEYS, Relaxed);
            storm_once(&runtime, first, &ask)
        };
        (0..turn.calls).map(|_| one()).sum()
    })
}

fn storm_once<F>(runtime: &Runtime, first: u64, ask: &impl Fn(u64, Arc<AtomicU64>) -> F) -> Duration
where
    F: Future<Output = Option<u64>> + Send + 'static,
{
    let loads = Arc::new(AtomicU64::new(0));
    let took = runtime.block_on(async {
        let began = Instant::now();
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| tokio::spawn(ask(first + task % KEYS, loads.clone())))
            .collect();
        for (task, running) in (0..).zip(tasks) {
            let value = running.await.expect("no panic");
            assert_eq!(value, Some(first + task % KEYS));
        }
        began.elapsed()
    });
    assert_eq!(loads.load(Relaxed), KEYS, "one load a key");
    took
}
