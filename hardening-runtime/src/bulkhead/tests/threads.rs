//! Blocking callers, alone and together with async ones.

use super::*;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

/// One thread per call, async ones in runtimes of their own, all in one queue.
#[test]
fn blocking_and_async_callers_wait_in_one_queue() {
    let bulkhead = Arc::new(Bulkhead::new(policy(1, 10)));
    let order = Arc::new(Mutex::new(Vec::new()));
    let held = bulkhead.try_enter();
    let mut callers = Vec::new();
    let plan = [
        ("normal blocking", Priority::Normal),
        ("normal async", Priority::Normal),
        ("urgent async", Priority::Urgent),
        ("urgent blocking", Priority::Urgent),
        ("high async", Priority::High),
    ];
    for (at, (name, priority)) in plan.into_iter().enumerate() {
        let (bulkhead, order) = (bulkhead.clone(), order.clone());
        let before = bulkhead.snapshot().queued.total();
        assert_eq!(before as usize, at);
        let seen = bulkhead.clone();
        callers.push(thread::spawn(move || {
            let record = || order.lock().unwrap().push(name);
            if name.ends_with("async") {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .build();
                runtime.unwrap().block_on(async {
                    let _place = bulkhead.enter(priority).await.unwrap();
                    record();
                });
            } else {
                let _place = bulkhead.enter_blocking(priority).unwrap();
                record();
            }
        }));
        while seen.snapshot().queued.total() == before {
            thread::yield_now();
        }
    }
    drop(held);
    for caller in callers {
        caller.join().unwrap();
    }
    let expected = [
        "urgent async",
        "urgent blocking",
        "high async",
        "normal blocking",
        "normal async",
    ];
    assert_eq!(*order.lock().unwrap(), expected);
}

#[test]
fn never_more_than_the_limit_run_under_load() {
    let bulkhead = Bulkhead::new(policy(3, 100));
    let (inside, done) = (AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for at in 0..8 {
            let (bulkhead, inside, done) = (&bulkhead, &inside, &done);
            scope.spawn(move || {
                for round in 0..500 {
                    let place = bulkhead.enter_blocking(Priority::ALL[(at + round) % 4]);
                    assert!(inside.fetch_add(1, Ordering::SeqCst) < 3);
                    if round % 16 == 0 {
                        thread::yield_now();
                    }
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(place.unwrap());
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let snapshot = bulkhead.snapshot();
    assert_eq!((snapshot.running, snapshot.queued.total()), (0, 0));
    assert_eq!((done.into_inner(), snapshot.rejected), (4000, 0));
}
