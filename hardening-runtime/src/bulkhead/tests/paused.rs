//! Waits, under the paused clock.

use super::*;
use crate::clock::now;
use std::{cell::RefCell, rc::Rc, sync::Arc};
use tokio::{
    task::{spawn_local, yield_now},
    time::{advance, sleep},
};

#[tokio::test(start_paused = true)]
async fn a_wait_ends_after_max_wait() {
    let bulkhead = Bulkhead::named("reports", policy(1, 10));
    let (_place, began) = (bulkhead.try_enter(), now());
    let rejected = bulkhead.enter(Priority::Normal).await.unwrap_err();
    assert_eq!(rejected, full("reports"));
    assert_eq!(now().since(began), SECOND * 5);
    let snapshot = bulkhead.snapshot();
    assert_eq!((snapshot.queued.total(), snapshot.rejected), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_blocking_wait_ends_after_max_wait() {
    let bulkhead = Bulkhead::named("reports", policy(1, 10));
    let (_place, began) = (bulkhead.try_enter(), now());
    let rejected = bulkhead.enter_blocking(Priority::Normal).unwrap_err();
    assert_eq!(rejected, full("reports"));
    assert_eq!(now().since(began), SECOND * 5);
    assert_eq!(bulkhead.snapshot().queued.total(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_before_max_wait_is_a_timeout() {
    let bulkhead = Bulkhead::named("reports", policy(1, 10));
    let (_place, began) = (bulkhead.try_enter(), now());
    let call = bulkhead.state.enter(
        bulkhead.policy(),
        Priority::Normal,
        began,
        Some(began.plus(SECOND)),
    );
    assert_eq!(call.await.unwrap_err(), WaitEnded::Deadline);
    assert_eq!(now().since(began), SECOND);
    let snapshot = bulkhead.snapshot();
    assert_eq!((snapshot.queued.total(), snapshot.rejected), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_blocking_wait_ends_at_the_deadline_of_the_call_around() {
    let bulkhead = Bulkhead::named("reports", policy(1, 10));
    let _place = bulkhead.try_enter();
    let around = context::Context {
        attempt: 1,
        deadline: Some(now().plus(SECOND)),
        ..context::current()
    };
    let waited = context::within(around, || bulkhead.enter_blocking(Priority::Normal));
    let (name, after) = ("reports", SECOND);
    assert_eq!(waited.unwrap_err(), Rejected::TimedOut { name, after });
}

#[tokio::test(start_paused = true)]
async fn a_call_that_timed_out_in_the_queue_never_runs() {
    let bulkhead = Bulkhead::new(policy(1, 10));
    let place = bulkhead.try_enter();
    let deadline = Some(now().plus(SECOND));
    let mut late = pin!(
        bulkhead
            .state
            .enter(bulkhead.policy(), Priority::Normal, now(), deadline)
    );
    assert!(poll_once(late.as_mut()).is_pending());
    // It is handed the place in time, but its task looks only when the time is up.
    drop(place);
    assert_eq!(bulkhead.snapshot().running, 1);
    advance(SECOND).await;
    assert!(matches!(
        poll_once(late),
        Poll::Ready(Err(WaitEnded::Deadline))
    ));
    assert_eq!(bulkhead.snapshot().running, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_looks_after_its_max_wait_never_runs_and_its_place_goes_to_the_next() {
    let bulkhead = Bulkhead::named("reports", policy(1, 10));
    for (before, runs) in [(SECOND * 4, true), (SECOND * 8, false)] {
        let place = bulkhead.try_enter();
        let mut late = pin!(bulkhead.enter(Priority::Normal));
        assert!(poll_once(late.as_mut()).is_pending());
        advance(before).await;
        let mut next = pin!(bulkhead.enter(Priority::Normal));
        assert!(poll_once(next.as_mut()).is_pending());
        advance(SECOND).await;
        drop(place);
        match poll_once(late) {
            Poll::Ready(Ok(_)) => assert!(runs),
            Poll::Ready(Err(rejected)) => assert_eq!((runs, rejected), (false, full("reports"))),
            Poll::Pending => panic!("it was handed the place"),
        }
        assert!(matches!(poll_once(next), Poll::Ready(Ok(_))));
    }
    assert_eq!(bulkhead.snapshot().rejected, 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_time_is_up_takes_no_free_place() {
    let state = BulkheadState::new("late");
    let ended = state.enter(&policy(1, 1), Priority::Normal, now(), Some(now()));
    assert_eq!(ended.await.unwrap_err(), WaitEnded::Deadline);
    let ended = state.enter_blocking(&policy(1, 1), Priority::Normal, now(), Some(now()));
    assert_eq!(ended.unwrap_err(), WaitEnded::Deadline);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_rejects_and_a_caller_that_goes_away_makes_room() {
    let bulkhead = Bulkhead::new(policy(1, 1));
    let _place = bulkhead.try_enter();
    {
        let mut waiting = pin!(bulkhead.enter(Priority::Low));
        assert!(poll_once(waiting.as_mut()).is_pending());
        assert!(bulkhead.enter(Priority::Urgent).await.is_err());
    }
    assert_eq!(bulkhead.snapshot().queued.total(), 0);
    let mut next = pin!(bulkhead.enter(Priority::Low));
    assert!(poll_once(next.as_mut()).is_pending());
}

#[tokio::test(start_paused = true)]
async fn a_place_handed_to_a_caller_that_goes_away_goes_to_the_next() {
    let bulkhead = Bulkhead::new(policy(1, 10));
    let place = bulkhead.try_enter();
    let mut first = Box::pin(bulkhead.enter(Priority::Normal));
    let mut second = pin!(bulkhead.enter(Priority::Normal));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_pending());
    drop(place);
    drop(first);
    assert!(matches!(poll_once(second), Poll::Ready(Ok(_))));
    assert_eq!(bulkhead.snapshot().running, 0);
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_does_not_overtake_one_who_was_handed_the_place() {
    let bulkhead = Bulkhead::new(policy(1, 10));
    let place = bulkhead.try_enter();
    let mut waiting = pin!(bulkhead.enter(Priority::Low));
    assert!(poll_once(waiting.as_mut()).is_pending());
    drop(place);
    assert!(bulkhead.try_enter().is_none());
    assert!(matches!(poll_once(waiting), Poll::Ready(Ok(_))));
}

/// Three who wait, and one that fails and tries again: it must not be served in between.
#[tokio::test(start_paused = true)]
async fn a_retry_gives_its_place_back_and_queues_again_at_the_end() {
    let bulkhead = Arc::new(Bulkhead::new(policy(1, 10)));
    let order = Rc::new(RefCell::new(Vec::new()));
    let run = |name: &'static str| {
        let (bulkhead, order) = (bulkhead.clone(), order.clone());
        async move {
            let body = || async {
                order.borrow_mut().push(name);
                sleep(SECOND / 10).await;
                Err::<(), _>(full("upstream"))
            };
            bulkhead.call(Priority::Normal, body).await
        }
    };
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let retried = spawn_local({
                let (first, second) = (run("retried"), run("retried"));
                async move {
                    let _ = first.await;
                    let _ = second.await;
                }
            });
            yield_now().await;
            let others = ["a", "b", "c"].map(|name| spawn_local(run(name)));
            retried.await.unwrap();
            for other in others {
                assert!(other.await.unwrap().is_err());
            }
        })
        .await;
    assert_eq!(*order.borrow(), ["retried", "a", "b", "c", "retried"]);
    assert_eq!(bulkhead.snapshot().running, 0);
}

#[tokio::test(start_paused = true)]
async fn growing_admits_those_who_wait_and_shrinking_lets_running_calls_finish() {
    let state = BulkheadState::new("reloaded");
    let (small, large) = (policy(1, 10), policy(3, 10));
    let first = state.try_enter(&small);
    let enter = || Box::pin(state.enter(&small, Priority::Normal, now(), None));
    let mut waiting = [enter(), enter(), enter()];
    for entering in &mut waiting {
        assert!(poll_once(entering.as_mut()).is_pending());
    }
    // The next decision brings the new policy; it serves those who wait before itself.
    assert!(state.try_enter(&large).is_none());
    let [second, third, mut fourth] = waiting;
    let places = (second.await.unwrap(), third.await.unwrap());
    assert!(poll_once(fourth.as_mut()).is_pending());

    state.resize(1);
    assert_eq!(state.snapshot(&large).running, 3);
    drop((first, places.0));
    assert!(poll_once(fourth.as_mut()).is_pending());
    drop(places.1);
    assert!(fourth.await.is_ok());
    assert_eq!(state.snapshot(&large).running, 0);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_moves_to_another_task_is_woken_there() {
    let bulkhead = Arc::new(Bulkhead::new(policy(1, 10)));
    let place = bulkhead.try_enter();
    let owned = bulkhead.clone();
    let mut entering = Box::pin(async move { owned.enter(Priority::Normal).await.is_ok() });
    assert!(poll_once(entering.as_mut()).is_pending());
    let moved = tokio::spawn(entering);
    yield_now().await;
    drop(place);
    assert!(moved.await.unwrap());
}
