//! The places of a bulkhead, over attempts.

use crate::support::{
    Answer, Script, Step::*, dropped_after, panic_of, panic_of_task, places, refused, seconds,
    settle,
};
use hardening::{Priority, bulkhead, retryable, timeout};

#[tokio::test(start_paused = true)]
async fn a_retry_waits_without_holding_its_place_and_queues_again_at_the_end() {
    #[retryable(policy = "composition")]
    #[bulkhead(max_concurrent = 1)]
    async fn ask(
        script: &'static Script,
        order: &'static std::sync::Mutex<String>,
        name: char,
    ) -> Answer {
        order.lock().unwrap().push(name);
        script.run().await
    }
    let path = "a_retry_waits_without_holding_its_place_and_queues_again_at_the_end::ask";
    let order: &'static std::sync::Mutex<String> = Box::leak(Box::default());
    let script = Script::of([Busy, Takes(2), Takes(2), Fine]);
    let calls = ['a', 'b', 'c'].map(|name| tokio::spawn(ask(script, order, name)));
    settle().await;
    assert_eq!(
        places(path),
        (1, 1),
        "b runs and c waits, while a waits for its retry"
    );
    for call in calls {
        call.await.unwrap().unwrap();
    }
    // b from 0 to 2; a comes back at 1, behind c, which runs from 2 to 4.
    assert_eq!(*order.lock().unwrap(), "abca");
    assert_eq!(
        (script.at(), places(path)),
        (vec![0, 0, 2_000, 4_000], (0, 0))
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_leaves_the_queue_or_its_place() {
    #[bulkhead(max_concurrent = 1, max_queue = 2, max_wait = 60)]
    async fn ask(script: &'static Script) -> Answer {
        script.run().await
    }
    let path = "a_caller_that_goes_away_leaves_the_queue_or_its_place::ask";
    let script = Script::of([Hangs, Takes(1)]);
    let running = tokio::spawn(dropped_after(3, ask(script)));
    settle().await;
    let gone = tokio::spawn(dropped_after(1, ask(script)));
    let stays = tokio::spawn(ask(script));
    settle().await;
    assert_eq!(
        (places(path), refused(ask(script).await).0),
        ((1, 2), "bulkhead full")
    );
    gone.await.unwrap();
    assert_eq!(places(path), (1, 1));
    running.await.unwrap();
    assert_eq!((stays.await.unwrap(), script.at()), (Ok(2), vec![0, 3_000]));
    assert_eq!(places(path), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_gives_the_place_back() {
    #[bulkhead(max_concurrent = 1, max_queue = 0)]
    async fn ask(script: &'static Script) -> Answer {
        script.run().await
    }
    #[bulkhead(max_concurrent = 1, max_queue = 0)]
    fn ask_blocking(script: &'static Script) -> Answer {
        script.run_blocking()
    }
    let script = Script::of([Panic, Fine, Panic, Fine]);
    panic_of_task(tokio::spawn(ask(script))).await;
    assert_eq!(ask(script).await, Ok(2));
    panic_of(|| ask_blocking(script));
    assert_eq!(ask_blocking(script), Ok(4));
    assert_eq!(places("a_panic_gives_the_place_back::ask"), (0, 0));
    assert_eq!(places("a_panic_gives_the_place_back::ask_blocking"), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn one_queue_for_all_functions_of_a_name_by_priority() {
    #[bulkhead(name = "composition priorities", max_concurrent = 1, max_wait = 60, priority = priority)]
    async fn ask(script: &'static Script, priority: Priority) -> Answer {
        script.run().await
    }
    #[bulkhead(name = "composition priorities", max_concurrent = 1, max_wait = 60, priority = Priority::Urgent)]
    async fn urgent(script: &'static Script) -> Answer {
        script.run().await
    }
    let script = Script::of([Takes(1); 6]);
    let first = tokio::spawn(ask(script, Priority::Normal));
    settle().await;
    let rest = [
        tokio::spawn(ask(script, Priority::Low)),
        tokio::spawn(ask(script, Priority::Normal)),
        tokio::spawn(ask(script, Priority::High)),
        tokio::spawn(urgent(script)),
        tokio::spawn(ask(script, Priority::Normal)),
    ];
    settle().await;
    assert_eq!(first.await.unwrap(), Ok(1));
    let mut runs = Vec::new();
    for call in rest {
        runs.push(call.await.unwrap().unwrap());
    }
    assert_eq!((runs, script.now()), (vec![6, 4, 3, 2, 5], 6_000));
}

#[tokio::test(start_paused = true)]
async fn the_queue_does_not_outlast_the_deadline_of_a_call_around() {
    #[bulkhead(max_concurrent = 1, max_wait = 60)]
    fn blocking(script: &Script, deep: bool) -> Answer {
        if deep {
            // The place is ours: another of us waits in vain, and no longer than the call around.
            let began = script.now();
            assert_eq!(refused(blocking(script, false)).0, "timed out");
            assert_eq!(script.now() - began, 3_000);
        }
        script.run_blocking()
    }
    #[timeout(call = 3)]
    async fn around(script: &Script) -> Answer {
        blocking(script, true)
    }
    let script = Script::of([]);
    let _ = around(script).await;
    assert_eq!((script.at(), script.now()), (vec![3_000], 3_000));
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(
        places("the_queue_does_not_outlast_the_deadline_of_a_call_around::blocking"),
        (0, 0)
    );
}
