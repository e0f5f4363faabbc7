//! What a call asks after it had to wait: as if it had come then, and nothing that it does not need.

use crate::support::{
    Answer, AppError, Script, Step::*, circuit, dropped_after, figures, panic_of_task, places,
    refused, seconds, settle, site,
};
use hardening::{
    Priority, bulkhead, cached, circuit_breaker, circuit_breaker::State, fallback, rate_limited,
    retryable, timeout,
};
use std::{
    future::Future,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};
use tokio::task::JoinHandle;

/// Runs `leads` for so many seconds, then drops it; `waits` comes right after it.
async fn handed_over(
    after: u64,
    leads: impl Future<Output = Answer> + Send + 'static,
    waits: impl Future<Output = Answer> + Send + 'static,
) -> Answer {
    let leader = tokio::spawn(dropped_after(after, leads));
    settle().await;
    let waiter = spawned(waits).await;
    leader.await.unwrap();
    waiter.await.unwrap()
}

/// A call on its way, as far as it goes by itself.
async fn spawned(call: impl Future<Output = Answer> + Send + 'static) -> JoinHandle<Answer> {
    let call = tokio::spawn(call);
    settle().await;
    call
}

/// Drops a call on its way.
async fn gone(call: JoinHandle<Answer>) {
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
}

mod for_another_run {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_takes_over_pays_the_limit_then_and_once() {
        #[cached(key = ())]
        #[rate_limited(capacity = 1, window_seconds = 3)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        // The token of 0 is back at 3. That of 4 is back at 7.
        let script = Script::of([Hangs, Busy]);
        let answer = handed_over(4, ask(script), ask(script)).await;
        assert_eq!(answer, Err(AppError::Busy(2)));
        assert_eq!(refused(ask(script).await), ("rate limited", Some(3_000)));
        assert_eq!((script.at(), script.now()), (vec![0, 4_000], 4_000));
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_over_pays_its_own_cost() {
        #[cached(key = ())]
        #[rate_limited(capacity = 3, window_seconds = 3, cost = cost)]
        async fn ask(script: &Script, cost: u32) -> Answer {
            script.run().await
        }
        // Full again at 3; two of three tokens are taken then.
        let script = Script::of([Hangs, Busy]);
        let answer = handed_over(3, ask(script, 3), ask(script, 2)).await;
        assert_eq!(answer, Err(AppError::Busy(2)));
        assert_eq!(refused(ask(script, 2).await), ("rate limited", Some(1_000)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_over_and_is_limited_is_retried_by_nobody() {
        #[cached(key = ())]
        #[rate_limited(capacity = 1, window_seconds = 4)]
        #[retryable(policy = "composition")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "who_takes_over_and_is_limited_is_retried_by_nobody::ask";
        let script = Script::of([Hangs]);
        let answer = handed_over(1, ask(script), ask(script)).await;
        assert_eq!(refused(answer), ("rate limited", Some(3_000)));
        assert_eq!((script.runs(), script.now()), (1, 1_000));
        let counted = figures(path);
        assert_eq!(
            (counted.rejected_by.rate_limit, counted.rate_limited),
            (1, 1)
        );
        assert_eq!((counted.attempts, counted.retries), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_refuses_who_takes_over_hands_over_to_the_next() {
        #[cached(key = ())]
        #[rate_limited(capacity = 1, window_seconds = 100, key = user)]
        async fn ask(script: &Script, user: u8) -> Answer {
            script.run().await
        }
        let script = Script::of([Hangs]);
        let leader = tokio::spawn(dropped_after(1, ask(script, 1)));
        settle().await;
        let (same, other) = (spawned(ask(script, 1)).await, spawned(ask(script, 2)).await);
        leader.await.unwrap();
        assert_eq!(refused(same.await.unwrap()).0, "rate limited");
        assert_eq!(other.await.unwrap(), Ok(2));
        assert_eq!(script.at(), [0, 1_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_the_retries_begins_when_it_takes_over() {
        #[cached(key = ())]
        #[retryable(policy = "composition", max_elapsed = 3)]
        async fn enough(script: &Script) -> Answer {
            script.run().await
        }
        #[cached(key = ())]
        #[retryable(policy = "composition", max_elapsed = 2)]
        async fn short(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Hangs, Busy, Busy]);
        let answer = handed_over(10, enough(script), enough(script)).await;
        assert_eq!(answer, Ok(4));
        assert_eq!(script.at(), [0, 10_000, 11_000, 13_000]);
        // The third attempt would begin after 3 seconds.
        let script = Script::of([Hangs, Busy, Busy]);
        let answer = handed_over(10, short(script), short(script)).await;
        assert_eq!(answer, Err(AppError::Busy(3)));
        assert_eq!((script.runs(), script.now()), (3, 11_000));
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_over_earns_its_share_of_the_budget_and_who_is_answered_earns_none() {
        #[cached(key = ())]
        #[retryable(policy = "composition_earned")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path =
            "who_takes_over_earns_its_share_of_the_budget_and_who_is_answered_earns_none::ask";
        let budget = || site(path).retry_budget.unwrap().remaining;
        let script = Script::of([Hangs, Takes(1)]);
        let leader = tokio::spawn(dropped_after(1, ask(script)));
        settle().await;
        let waiters = [spawned(ask(script)).await, spawned(ask(script)).await];
        assert_eq!(budget(), 1, "the leader's");
        leader.await.unwrap();
        for waiter in waiters {
            assert_eq!(waiter.await.unwrap(), Ok(2));
        }
        assert_eq!(budget(), 2, "and that of the one who took over");
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_the_call_begins_when_it_takes_over() {
        #[cached(key = id)]
        #[timeout(call = 4)]
        async fn ask(script: &Script, id: u8) -> Answer {
            script.run().await
        }
        let script = Script::of([Hangs, Takes(3)]);
        assert_eq!(handed_over(3, ask(script, 1), ask(script, 1)).await, Ok(2));
        assert_eq!(script.now(), 6_000);
        let script = Script::of([Hangs, Hangs]);
        let answer = handed_over(3, ask(script, 2), ask(script, 2)).await;
        assert_eq!((refused(answer).0, script.now()), ("timed out", 7_000));
        assert_eq!(script.left(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_knows_the_deadline_of_who_takes_over() {
        #[cached(key = ())]
        #[timeout(call = 4)]
        #[rate_limited(capacity = 1, window_seconds = 6, max_wait = 60)]
        async fn in_time(script: &Script) -> Answer {
            script.run().await
        }
        #[cached(key = ())]
        #[timeout(call = 4)]
        #[rate_limited(capacity = 1, window_seconds = 8, max_wait = 60)]
        async fn too_late(script: &Script) -> Answer {
            script.run().await
        }
        // The token of 6 comes before 3 + 4, that of 8 does not.
        let script = Script::of([Hangs]);
        let answer = handed_over(3, in_time(script), in_time(script)).await;
        assert_eq!((answer, script.at()), (Ok(2), vec![0, 6_000]));
        let script = Script::of([Hangs]);
        let answer = handed_over(3, too_late(script), too_late(script)).await;
        assert_eq!(refused(answer), ("rate limited", Some(5_000)));
        assert_eq!((script.runs(), script.now()), (1, 3_000));
    }

    #[tokio::test(start_paused = true)]
    async fn the_queue_knows_the_deadline_of_who_takes_over() {
        #[cached(key = ())]
        #[timeout(call = 4)]
        #[bulkhead(name = "composition deadline then", max_concurrent = 1, max_wait = 60)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        #[bulkhead(name = "composition deadline then", max_concurrent = 1, max_wait = 60)]
        async fn holds(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Hangs, Takes(60)]);
        let leader = tokio::spawn(dropped_after(3, ask(script)));
        settle().await;
        let (waiter, holder) = (spawned(ask(script)).await, spawned(holds(script)).await);
        leader.await.unwrap();
        assert_eq!(refused(waiter.await.unwrap()).0, "timed out");
        assert_eq!((script.at(), script.now()), (vec![0, 3_000], 7_000));
        gone(holder).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_circuit_that_opened_meanwhile_refuses_who_takes_over() {
        #[cached(key = id)]
        #[circuit_breaker(failure_threshold = 1, open_for = 5)]
        async fn ask(script: &Script, id: u8) -> Answer {
            script.run().await
        }
        let path = "a_circuit_that_opened_meanwhile_refuses_who_takes_over::ask";
        let script = Script::of([Hangs, Busy]);
        let opens = tokio::spawn(async {
            tokio::time::sleep(seconds(1)).await;
            ask(script, 2).await
        });
        let answer = handed_over(3, ask(script, 1), ask(script, 1)).await;
        assert_eq!(refused(answer), ("circuit open", Some(3_000)));
        opens.await.unwrap().unwrap_err();
        assert_eq!((script.runs(), figures(path).attempts), (2, 2));
        assert_eq!(site(path).circuit.unwrap().rejected, 1);
        assert_eq!(figures(path).rejected_by.circuit_breaker, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_over_is_the_probe_and_gives_its_place_back() {
        #[cached(key = ())]
        #[circuit_breaker(failure_threshold = 3, open_for = 5)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "who_takes_over_is_the_probe_and_gives_its_place_back::ask";
        let script = Script::of([Busy, Busy, Busy, Hangs, Hangs]);
        for _ in 0..3 {
            ask(script).await.unwrap_err();
        }
        tokio::time::sleep(seconds(5)).await;
        let first = tokio::spawn(dropped_after(1, ask(script)));
        settle().await;
        let (second, third) = (spawned(ask(script)).await, spawned(ask(script)).await);
        assert_eq!(site(path).circuit.unwrap().probes, 1);
        first.await.unwrap();
        settle().await;
        assert_eq!(site(path).circuit.unwrap().probes, 1, "the second is it");
        gone(second).await;
        assert_eq!((third.await.unwrap(), script.runs()), (Ok(6), 6));
        let after = site(path).circuit.unwrap();
        assert_eq!((after.state, after.probes), (State::Closed, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_over_queues_for_a_place_then() {
        #[cached(key = id)]
        #[bulkhead(max_concurrent = 1, max_wait = 60)]
        async fn ask(script: &Script, id: u8) -> Answer {
            script.run().await
        }
        let path = "who_takes_over_queues_for_a_place_then::ask";
        let script = Script::of([Hangs, Takes(3)]);
        let leader = tokio::spawn(dropped_after(2, ask(script, 1)));
        settle().await;
        let waiter = spawned(ask(script, 1)).await;
        assert_eq!(places(path), (1, 0), "a waiter stands in no queue");
        let other = spawned(ask(script, 2)).await;
        assert_eq!(places(path), (1, 1));
        leader.await.unwrap();
        settle().await;
        assert_eq!(places(path), (1, 1), "it stands behind the other");
        assert_eq!(
            (other.await.unwrap(), waiter.await.unwrap()),
            (Ok(2), Ok(3))
        );
        assert_eq!((script.at(), places(path)), (vec![0, 2_000, 5_000], (0, 0)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_over_goes_through_the_layers_whose_per_is_changed() {
        #[cached(key = ())]
        #[circuit_breaker(failure_threshold = 3, per = "call")]
        #[bulkhead(max_concurrent = 1, max_queue = 0, per = "call")]
        #[retryable(policy = "composition")]
        #[rate_limited(capacity = 1, window_seconds = 1, per = "attempt")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "who_takes_over_goes_through_the_layers_whose_per_is_changed::ask";
        let script = Script::of([Hangs, Busy, Takes(1)]);
        let leader = tokio::spawn(dropped_after(1, ask(script)));
        settle().await;
        let waiter = spawned(ask(script)).await;
        leader.await.unwrap();
        settle().await;
        assert_eq!(places(path), (1, 0), "the place is kept for the retry");
        assert_eq!(waiter.await.unwrap(), Ok(3));
        assert_eq!(script.at(), [0, 1_000, 2_000]);
        let counted = figures(path);
        assert_eq!((counted.attempts, counted.retries), (3, 1));
        assert_eq!((counted.rejected_by.rate_limit, places(path)), (0, (0, 0)));
        assert_eq!(site(path).circuit.unwrap().failures_in_a_row, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_outside_of_the_retry_is_not_retried_and_one_inside_is() {
        #[circuit_breaker(name = "composition outside", failure_threshold = 1, open_for = 4)]
        async fn opens_outside(script: &Script) -> Answer {
            script.run().await
        }
        #[cached(key = ())]
        #[circuit_breaker(
            name = "composition outside",
            failure_threshold = 1,
            open_for = 4,
            per = "call"
        )]
        #[retryable(policy = "composition")]
        async fn outside(script: &Script) -> Answer {
            script.run().await
        }
        #[circuit_breaker(name = "composition inside", failure_threshold = 1, open_for = 4)]
        async fn opens_inside(script: &Script) -> Answer {
            script.run().await
        }
        #[cached(key = ())]
        #[retryable(policy = "composition")]
        #[circuit_breaker(name = "composition inside", failure_threshold = 1, open_for = 4)]
        async fn inside(script: &Script) -> Answer {
            script.run().await
        }
        // Open from 1 to 5, which is within `max_delay` at 2.
        let script = Script::of([Hangs, Busy]);
        let opens = tokio::spawn(async {
            tokio::time::sleep(seconds(1)).await;
            opens_outside(script).await
        });
        let answer = handed_over(2, outside(script), outside(script)).await;
        assert_eq!(refused(answer), ("circuit open", Some(3_000)));
        assert_eq!((script.runs(), script.now()), (2, 2_000));
        opens.await.unwrap().unwrap_err();

        let script = Script::of([Hangs, Busy]);
        let opens = tokio::spawn(async {
            tokio::time::sleep(seconds(1)).await;
            opens_inside(script).await
        });
        let answer = handed_over(2, inside(script), inside(script)).await;
        assert_eq!((answer, script.at()), (Ok(3), vec![0, 1_000, 5_000]));
        opens.await.unwrap().unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_answered_asks_nothing_further_in() {
        #[cached(key = (), name = "composition answered")]
        #[rate_limited(capacity = 2, window_seconds = 1000)]
        #[retryable(policy = "composition")]
        #[circuit_breaker(failure_threshold = 9, failure_rate = 1.0, minimum_calls = 9)]
        #[bulkhead(max_concurrent = 9, max_queue = 0)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "who_is_answered_asks_nothing_further_in::ask";
        let script = Script::of([Takes(2)]);
        let leader = spawned(ask(script)).await;
        let waiters = [
            spawned(ask(script)).await,
            spawned(ask(script)).await,
            spawned(ask(script)).await,
        ];
        assert_eq!(places(path), (1, 0));
        for call in [leader].into_iter().chain(waiters) {
            assert_eq!(call.await.unwrap(), Ok(1));
        }
        let (counted, after) = (figures(path), site(path));
        assert_eq!(
            (counted.success, counted.attempts, counted.retries),
            (4, 1, 0)
        );
        assert_eq!((counted.cache_misses, counted.cache_coalesced), (4, 3));
        assert_eq!(counted.rejected_by.rate_limit, 0);
        assert_eq!(counted.rejected_by.bulkhead, 0);
        assert_eq!(after.circuit.unwrap().window.unwrap().calls, 1);
        // One token is spent, and one is left.
        hardening::cache::<(), u32>("composition answered").clear();
        assert_eq!(ask(script).await, Ok(2));
        hardening::cache::<(), u32>("composition answered").clear();
        assert_eq!(refused(ask(script).await).0, "rate limited");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_that_was_waited_for_is_retried_by_nobody_and_told_typed() {
        static HOOKS: AtomicU32 = AtomicU32::new(0);
        static JUDGED: AtomicU32 = AtomicU32::new(0);
        static FAILED: AtomicU32 = AtomicU32::new(0);
        #[fallback(|error| {
            FAILED.fetch_add(1, SeqCst);
            Err(error)
        })]
        #[cached(key = ())]
        #[retryable(
            policy = "composition",
            retry_if = |_| true,
            on_retry = |_| { HOOKS.fetch_add(1, SeqCst); }
        )]
        #[circuit_breaker(failure_threshold = 9, failure_if = |answer| {
            JUDGED.fetch_add(1, SeqCst);
            answer.is_err()
        })]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "a_failure_that_was_waited_for_is_retried_by_nobody_and_told_typed::ask";
        let script = Script::of([Busy, Busy, Busy]);
        let calls = [
            spawned(ask(script)).await,
            spawned(ask(script)).await,
            spawned(ask(script)).await,
        ];
        for call in calls {
            assert_eq!(call.await.unwrap(), Err(AppError::Busy(3)));
        }
        assert_eq!((script.at(), script.now()), (vec![0, 1_000, 3_000], 3_000));
        let counted = figures(path);
        assert_eq!(
            (counted.error, counted.attempts, counted.retries),
            (3, 3, 2)
        );
        assert_eq!(counted.cache_coalesced, 2);
        assert_eq!(HOOKS.load(SeqCst), 2);
        assert_eq!(JUDGED.load(SeqCst), 3, "each attempt once");
        assert_eq!(FAILED.load(SeqCst), 3, "each call once");
        assert_eq!(site(path).circuit.unwrap().failures_in_a_row, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_while_it_waits_leaves_all_as_it_was() {
        #[cached(key = (), name = "composition went away")]
        #[rate_limited(capacity = 2, window_seconds = 1000)]
        #[retryable(policy = "composition", allow = ["circuit_outlasts_retries"])]
        #[circuit_breaker(failure_threshold = 1)]
        #[bulkhead(max_concurrent = 1, max_queue = 0)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "who_goes_away_while_it_waits_leaves_all_as_it_was::ask";
        let script = Script::of([Takes(2)]);
        let leader = spawned(ask(script)).await;
        for _ in 0..3 {
            gone(spawned(ask(script)).await).await;
        }
        assert_eq!((circuit(path), places(path)), (State::Closed, (1, 0)));
        assert_eq!(leader.await.unwrap(), Ok(1));
        let counted = figures(path);
        assert_eq!((counted.dropped, counted.in_flight), (3, 0));
        assert_eq!((counted.attempts, counted.cache_coalesced), (1, 0));
        hardening::cache::<(), u32>("composition went away").clear();
        assert_eq!(ask(script).await, Ok(2), "the second token is there");
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_in_a_cost_gives_up_the_seat_and_the_lead() {
        #[cached(key = ())]
        #[rate_limited(capacity = 9, window_seconds = 9, cost = cost.weigh())]
        async fn ask(script: &'static Script, cost: Cost) -> Answer {
            script.run().await
        }
        #[derive(Clone, Copy)]
        struct Cost(bool);
        impl Cost {
            fn weigh(self) -> u32 {
                assert!(self.0, "{}", format!("no {}", "cost"));
                1
            }
        }
        let path = "a_panic_in_a_cost_gives_up_the_seat_and_the_lead::ask";
        let script = Script::of([Hangs]);
        let leads = tokio::spawn(ask(script, Cost(false)));
        assert_eq!(panic_of_task(leads).await, "no cost");
        let leader = tokio::spawn(dropped_after(1, ask(script, Cost(true))));
        settle().await;
        let waits = tokio::spawn(ask(script, Cost(false)));
        settle().await;
        let next = spawned(ask(script, Cost(true))).await;
        assert_eq!(panic_of_task(waits).await, "no cost");
        leader.await.unwrap();
        assert_eq!(next.await.unwrap(), Ok(2));
        assert_eq!(script.at(), [0, 1_000]);
        assert_eq!(figures(path).in_flight, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_called_while_its_cost_is_worked_out_comes_when_that_is_done() {
        #[cached(key = ())]
        #[rate_limited(capacity = 9, window_seconds = 9, cost = worked_out(takes).await)]
        async fn ask(script: &Script, takes: u64) -> Answer {
            script.run().await
        }
        async fn worked_out(takes: u64) -> u32 {
            tokio::time::sleep(seconds(takes)).await;
            1
        }
        let script = Script::of([Hangs, Takes(1)]);
        let leader = tokio::spawn(dropped_after(1, ask(script, 0)));
        settle().await;
        let (slow, behind) = (spawned(ask(script, 3)).await, spawned(ask(script, 0)).await);
        leader.await.unwrap();
        assert_eq!((slow.await.unwrap(), behind.await.unwrap()), (Ok(2), Ok(2)));
        assert_eq!((script.at(), script.now()), (vec![0, 3_000], 4_000));
    }
}

mod for_a_retry {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_circuit_is_asked_after_the_pause() {
        #[retryable(policy = "composition")]
        #[circuit_breaker(failure_threshold = 1, open_for = 1)]
        async fn closes(script: &Script) -> Answer {
            script.run().await
        }
        #[retryable(policy = "composition", allow = ["circuit_outlasts_retries"])]
        #[circuit_breaker(failure_threshold = 2, open_for = 60)]
        async fn opens(script: &Script) -> Answer {
            script.run().await
        }
        let path = "the_circuit_is_asked_after_the_pause";
        let script = Script::of([Busy]);
        assert_eq!((closes(script).await, script.at()), (Ok(2), vec![0, 1_000]));
        let closes = site(&format!("{path}::closes")).circuit.unwrap();
        assert_eq!((closes.state, closes.rejected), (State::Closed, 0));
        // Open since the second call, while the first pauses.
        let script = Script::of([Busy, Busy]);
        let (one, other) = tokio::join!(opens(script), opens(script));
        assert_eq!(refused(one), ("circuit open", Some(59_000)));
        assert_eq!(refused(other), ("circuit open", Some(59_000)));
        assert_eq!((script.at(), script.now()), (vec![0, 0], 1_000));
    }

    #[tokio::test(start_paused = true)]
    async fn the_place_and_the_token_are_asked_for_after_the_pause() {
        #[retryable(policy = "composition")]
        #[rate_limited(capacity = 1, window_seconds = 1, per = "attempt")]
        #[bulkhead(
            name = "composition after the pause",
            max_concurrent = 1,
            max_queue = 0
        )]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        #[bulkhead(
            name = "composition after the pause",
            max_concurrent = 1,
            max_queue = 0
        )]
        async fn between(script: &Script) -> Answer {
            script.run().await
        }
        let path = "the_place_and_the_token_are_asked_for_after_the_pause::ask";
        let script = Script::of([Busy]);
        let paused = spawned(ask(script)).await;
        assert_eq!(places(path), (0, 0));
        assert_eq!(between(script).await, Ok(2));
        assert_eq!(paused.await.unwrap(), Ok(3));
        assert_eq!(script.at(), [0, 0, 1_000]);
        let counted = figures(path);
        assert_eq!((counted.rejected_by.rate_limit, counted.attempts), (0, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_may_be_waited_for_after_the_pause() {
        #[retryable(policy = "composition")]
        #[circuit_breaker(failure_threshold = 9)]
        #[bulkhead(max_concurrent = 1, max_wait = 60)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "a_place_may_be_waited_for_after_the_pause::ask";
        let script = Script::of([Busy, Takes(3)]);
        let (paused, holds) = (spawned(ask(script)).await, spawned(ask(script)).await);
        assert_eq!(places(path), (1, 0));
        tokio::time::sleep(seconds(2)).await;
        assert_eq!(places(path), (1, 1));
        assert_eq!(
            (paused.await.unwrap(), holds.await.unwrap()),
            (Ok(3), Ok(2))
        );
        assert_eq!((script.at(), places(path)), (vec![0, 0, 3_000], (0, 0)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_priority_counts_in_the_queue_after_the_pause() {
        #[retryable(policy = "composition")]
        #[bulkhead(max_concurrent = 1, max_wait = 60, priority = priority)]
        async fn ask(script: &Script, priority: Priority) -> Answer {
            script.run().await
        }
        let script = Script::of([Busy, Takes(3)]);
        let paused = spawned(ask(script, Priority::Urgent)).await;
        let holds = spawned(ask(script, Priority::Normal)).await;
        let queues = spawned(ask(script, Priority::Normal)).await;
        assert_eq!(holds.await.unwrap(), Ok(2));
        assert_eq!(
            (paused.await.unwrap(), queues.await.unwrap()),
            (Ok(3), Ok(4))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn each_pause_leaves_nothing_for_the_next() {
        #[retryable(policy = "composition", max_attempts = 4)]
        #[rate_limited(capacity = 1, window_seconds = 1, max_wait = 10, per = "attempt")]
        #[bulkhead(max_concurrent = 1, max_wait = 0)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        // 0: runs. 1: runs. 3: runs. 7: runs. Each takes one token and one place.
        let path = "each_pause_leaves_nothing_for_the_next::ask";
        let script = Script::of([Busy, Busy, Busy]);
        assert_eq!(ask(script).await, Ok(4));
        assert_eq!(script.at(), [0, 1_000, 3_000, 7_000]);
        let counted = figures(path);
        assert_eq!((counted.attempts, counted.retries), (4, 3));
        assert_eq!(counted.rejected_by.rate_limit, 0);
        assert_eq!((counted.rejected_by.bulkhead, places(path)), (0, (0, 0)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_in_the_pause_has_asked_for_nothing() {
        #[retryable(policy = "composition", allow = ["circuit_outlasts_retries"])]
        #[circuit_breaker(failure_threshold = 1, open_for = 1)]
        #[rate_limited(capacity = 2, window_seconds = 1000, per = "attempt")]
        #[bulkhead(max_concurrent = 1, max_queue = 0)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "who_goes_away_in_the_pause_has_asked_for_nothing::ask";
        let script = Script::of([Busy]);
        dropped_after(0, ask(script)).await;
        assert_eq!((circuit(path), places(path)), (State::Open, (0, 0)));
        tokio::time::sleep(seconds(1)).await;
        assert_eq!(ask(script).await, Ok(2), "the probe and the second token");
        let counted = figures(path);
        assert_eq!((counted.dropped, counted.attempts), (1, 2));
        assert_eq!(counted.in_flight, 0);
    }
}

mod for_a_token {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_circuit_that_opened_meanwhile_refuses() {
        #[rate_limited(capacity = 1, window_seconds = 3, max_wait = 60)]
        #[retryable(policy = "composition", allow = ["circuit_outlasts_retries"])]
        #[circuit_breaker(failure_threshold = 1, open_for = 10)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "for_a_token::a_circuit_that_opened_meanwhile_refuses::ask";
        let script = Script::of([Fails(1)]);
        let (one, other) = tokio::join!(ask(script), ask(script));
        assert_eq!(refused(one), ("circuit open", Some(9_000)));
        assert_eq!(refused(other), ("circuit open", Some(8_000)));
        assert_eq!((script.at(), script.now()), (vec![0], 3_000));
        assert_eq!(site(path).circuit.unwrap().rejected, 2);
        assert_eq!(figures(path).attempts, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_the_retries_begins_with_the_token() {
        #[rate_limited(capacity = 1, window_seconds = 9, max_wait = 60)]
        #[retryable(policy = "composition", max_elapsed = 1)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Fine, Busy]);
        let (one, other) = tokio::join!(ask(script), ask(script));
        assert_eq!((one, other), (Ok(1), Ok(3)));
        assert_eq!(script.at(), [0, 9_000, 10_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_run_in_the_order_in_which_they_came() {
        #[rate_limited(capacity = 1, window_seconds = 2, max_wait = 60)]
        #[retryable(policy = "composition")]
        #[bulkhead(max_concurrent = 1, max_wait = 60)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([]);
        let calls = [
            spawned(ask(script)).await,
            spawned(ask(script)).await,
            spawned(ask(script)).await,
            spawned(ask(script)).await,
        ];
        let mut runs = Vec::new();
        for call in calls {
            runs.push(call.await.unwrap().unwrap());
        }
        assert_eq!(runs, [1, 2, 3, 4]);
        assert_eq!(script.at(), [0, 2_000, 4_000, 6_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_leaves_the_line_and_those_behind_move_up() {
        #[rate_limited(capacity = 1, window_seconds = 2, max_wait = 60)]
        #[retryable(policy = "composition", allow = ["circuit_outlasts_retries"])]
        #[circuit_breaker(failure_threshold = 1)]
        #[bulkhead(max_concurrent = 1, max_queue = 0)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "who_goes_away_leaves_the_line_and_those_behind_move_up::ask";
        let script = Script::of([]);
        assert_eq!(ask(script).await, Ok(1));
        let (first, second) = (spawned(ask(script)).await, spawned(ask(script)).await);
        gone(first).await;
        assert_eq!(
            (second.await.unwrap(), script.at()),
            (Ok(2), vec![0, 2_000])
        );
        assert_eq!((circuit(path), places(path)), (State::Closed, (0, 0)));
        let counted = figures(path);
        assert_eq!((counted.dropped, counted.attempts), (1, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_goes_away_in_line_gives_its_place_back() {
        #[circuit_breaker(failure_threshold = 1, open_for = 1)]
        #[rate_limited(capacity = 1, window_seconds = 5, max_wait = 60, per = "attempt")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "a_probe_that_goes_away_in_line_gives_its_place_back::ask";
        let script = Script::of([Busy]);
        ask(script).await.unwrap_err();
        tokio::time::sleep(seconds(1)).await;
        let probe = spawned(ask(script)).await;
        assert_eq!(site(path).circuit.unwrap().probes, 1);
        gone(probe).await;
        assert_eq!(site(path).circuit.unwrap().probes, 0);
        assert_eq!((ask(script).await, script.at()), (Ok(2), vec![0, 5_000]));
        assert_eq!(circuit(path), State::Closed);
    }
}

mod for_a_place {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_goes_away_in_the_queue_gives_its_place_back() {
        #[circuit_breaker(failure_threshold = 1, open_for = 1)]
        #[bulkhead(
            name = "composition probe in the queue",
            max_concurrent = 1,
            max_wait = 60
        )]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        #[bulkhead(
            name = "composition probe in the queue",
            max_concurrent = 1,
            max_wait = 60
        )]
        async fn holds(script: &Script) -> Answer {
            script.run().await
        }
        let path = "a_probe_that_goes_away_in_the_queue_gives_its_place_back::ask";
        let probes = || site(path).circuit.unwrap().probes;
        let script = Script::of([Busy, Takes(9)]);
        ask(script).await.unwrap_err();
        let holder = spawned(holds(script)).await;
        tokio::time::sleep(seconds(1)).await;
        let probe = spawned(ask(script)).await;
        assert_eq!((probes(), places(path)), (1, (1, 1)));
        gone(probe).await;
        assert_eq!((probes(), places(path)), (0, (1, 0)));
        assert_eq!((ask(script).await, script.at()), (Ok(3), vec![0, 0, 9_000]));
        assert_eq!((circuit(path), places(path)), (State::Closed, (0, 0)));
        assert_eq!(holder.await.unwrap(), Ok(2));
    }
}
