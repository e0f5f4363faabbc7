//! retry · circuit breaker · bulkhead · attempt timeout · body

mod retry_and_circuit_breaker {
    use crate::support::{Answer, Script, Step::*, circuit, figures, refused};
    use hardening::{circuit_breaker, circuit_breaker::State, retryable};

    #[tokio::test(start_paused = true)]
    async fn an_open_circuit_stops_the_retries() {
        #[retryable(policy = "composition", max_attempts = 10, allow = ["circuit_outlasts_retries"])]
        #[circuit_breaker(failure_threshold = 2, open_for = 60)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Busy; 10]);
        assert_eq!(refused(ask(script).await), ("circuit open", Some(58_000)));
        assert_eq!((script.at(), script.now()), (vec![0, 1_000], 3_000));
        let figures = figures("an_open_circuit_stops_the_retries::ask");
        assert_eq!((figures.circuit_open, figures.attempts), (1, 2));
        assert_eq!(figures.rejected_by.circuit_breaker, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_waits_for_a_circuit_that_opens_again_soon() {
        #[retryable(policy = "composition")]
        #[circuit_breaker(failure_threshold = 1, open_for = 4)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        // Fails at 0, is refused at 1 for another 3 s, more than the backoff of 2 s, and then probes.
        let script = Script::of([Busy]);
        assert_eq!((ask(script).await, script.at()), (Ok(2), vec![0, 4_000]));
        assert_eq!(
            circuit("a_retry_waits_for_a_circuit_that_opens_again_soon::ask"),
            State::Closed
        );
    }

    #[tokio::test(start_paused = true)]
    async fn each_attempt_counts_for_the_circuit() {
        #[retryable(policy = "composition")]
        #[circuit_breaker(failure_threshold = 3)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Busy, Busy, Fine, Busy, Busy, Fine]);
        assert_eq!((ask(script).await, ask(script).await), (Ok(3), Ok(6)));
        assert_eq!(
            circuit("each_attempt_counts_for_the_circuit::ask"),
            State::Closed
        );
        let script = Script::of([Busy; 3]);
        assert_eq!(ask(script).await, Err(crate::support::AppError::Busy(3)));
        assert_eq!(
            circuit("each_attempt_counts_for_the_circuit::ask"),
            State::Open
        );
        assert_eq!(refused(ask(script).await), ("circuit open", Some(60_000)));
        assert_eq!(script.runs(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn blocking_retries_and_their_circuit() {
        #[retryable(policy = "composition")]
        #[circuit_breaker(failure_threshold = 1, open_for = 4)]
        fn ask(script: &Script) -> Answer {
            script.run_blocking()
        }
        let script = Script::of([Busy]);
        assert_eq!((ask(script), script.at()), (Ok(2), vec![0, 4_000]));

        #[retryable(policy = "composition", allow = ["circuit_outlasts_retries"])]
        #[circuit_breaker(failure_threshold = 2, open_for = 60)]
        fn fail(script: &Script) -> Answer {
            script.run_blocking()
        }
        let script = Script::of([Busy; 10]);
        assert_eq!(refused(fail(script)), ("circuit open", Some(58_000)));
        assert_eq!((script.at(), script.now()), (vec![0, 1_000], 3_000));
    }
}

mod circuit_breaker_and_bulkhead {
    use crate::support::{
        Answer, Script, Step::*, circuit, places, refused, seconds, settle, site,
    };
    use hardening::{bulkhead, circuit_breaker, circuit_breaker::State};

    #[tokio::test(start_paused = true)]
    async fn a_full_bulkhead_says_nothing_of_the_dependency() {
        #[circuit_breaker(failure_threshold = 2)]
        #[bulkhead(max_concurrent = 1, max_queue = 0)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "a_full_bulkhead_says_nothing_of_the_dependency::ask";
        let script = Script::of([Takes(1), Busy]);
        let running = tokio::spawn(ask(script));
        settle().await;
        for _ in 0..5 {
            assert_eq!(refused(ask(script).await), ("bulkhead full", None));
        }
        assert_eq!((circuit(path), script.runs()), (State::Closed, 1));
        assert_eq!(running.await.unwrap(), Ok(1));
        ask(script).await.unwrap_err();
        assert_eq!(
            site(path).circuit.unwrap().failures_in_a_row,
            1,
            "a failure between is counted"
        );
        assert_eq!((places(path), script.runs()), ((0, 0), 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_finds_the_bulkhead_full_gives_its_place_back() {
        #[circuit_breaker(
            name = "composition probe of a full bulkhead",
            failure_threshold = 1,
            open_for = 5
        )]
        #[bulkhead(
            name = "composition probe of a full bulkhead",
            max_concurrent = 1,
            max_queue = 0
        )]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        #[bulkhead(
            name = "composition probe of a full bulkhead",
            max_concurrent = 1,
            max_queue = 0
        )]
        async fn hold(script: &Script) -> Answer {
            script.run().await
        }
        let path = "a_probe_that_finds_the_bulkhead_full_gives_its_place_back::ask";
        let (script, other) = (Script::of([Busy]), Script::of([Takes(2)]));
        ask(script).await.unwrap_err();
        tokio::time::sleep(seconds(5)).await;
        let holding = tokio::spawn(hold(other));
        settle().await;
        for _ in 0..3 {
            assert_eq!(refused(ask(script).await), ("bulkhead full", None));
            assert_eq!(site(path).circuit.unwrap().probes, 0);
        }
        assert_eq!((circuit(path), script.runs()), (State::HalfOpen, 1));
        holding.await.unwrap().unwrap();
        assert_eq!((ask(script).await, circuit(path)), (Ok(2), State::Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_circuit_takes_no_place_and_waits_in_no_queue() {
        #[circuit_breaker(failure_threshold = 1, name = "composition open, no place")]
        #[bulkhead(max_concurrent = 1, name = "composition open, no place")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "an_open_circuit_takes_no_place_and_waits_in_no_queue::ask";
        let script = Script::of([Takes(3), Busy]);
        let running = tokio::spawn(ask(script));
        settle().await;
        let _ = hardening::snapshot(); // reading changes nothing
        let queued = tokio::spawn(ask(script));
        settle().await;
        assert_eq!(places(path), (1, 1));
        running.await.unwrap().unwrap();
        queued.await.unwrap().unwrap_err();
        assert_eq!(refused(ask(script).await), ("circuit open", Some(60_000)));
        assert_eq!(
            (places(path), script.runs(), script.now()),
            ((0, 0), 2, 3_000)
        );
    }

    #[test]
    fn a_full_bulkhead_says_nothing_of_the_dependency_of_blocking_callers() {
        #[circuit_breaker(failure_threshold = 2)]
        #[bulkhead(max_concurrent = 1, max_queue = 0)]
        fn ask(script: &Script, deep: bool) -> Answer {
            if deep {
                for _ in 0..4 {
                    assert_eq!(refused(ask(script, false)), ("bulkhead full", None));
                }
            }
            script.run_blocking()
        }
        let path = "a_full_bulkhead_says_nothing_of_the_dependency_of_blocking_callers::ask";
        let script = Script::of([]);
        assert_eq!((ask(script, true), ask(script, false)), (Ok(1), Ok(2)));
        assert_eq!((circuit(path), places(path)), (State::Closed, (0, 0)));
    }
}

mod bulkhead_and_attempt_timeout {
    use crate::support::{Answer, Script, Step::*, places, refused, settle};
    use hardening::{bulkhead, timeout};

    #[tokio::test(start_paused = true)]
    async fn the_wait_in_the_queue_is_not_the_attempts_time() {
        #[bulkhead(max_concurrent = 1)]
        #[timeout(call = 60, attempt = 2)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Takes(1), Takes(1), Takes(1), Takes(1)]);
        let answers = tokio::join!(ask(script), ask(script), ask(script), ask(script));
        assert_eq!(answers, (Ok(1), Ok(2), Ok(3), Ok(4)));
        assert_eq!(script.at(), [0, 1_000, 2_000, 3_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_timed_out_gives_its_place_to_the_next() {
        #[bulkhead(max_concurrent = 1)]
        #[timeout(call = 60, attempt = 2)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "an_attempt_that_timed_out_gives_its_place_to_the_next::ask";
        let script = Script::of([Hangs, Takes(1)]);
        let (hanging, next) = tokio::join!(ask(script), ask(script));
        assert_eq!((refused(hanging), next), (("timed out", None), Ok(2)));
        assert_eq!(
            (script.at(), script.left(), places(path)),
            (vec![0, 2_000], 1, (0, 0))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_timed_out_in_the_queue_never_runs() {
        #[bulkhead(max_concurrent = 1, max_wait = 60)]
        #[timeout(call = 3)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "a_call_that_timed_out_in_the_queue_never_runs::ask";
        let script = Script::of([Takes(1), Takes(3), Takes(1)]);
        let first = tokio::spawn(ask(script));
        settle().await;
        let (long, late) = tokio::join!(ask(script), ask(script));
        // One waits until 1 and has 2 s left for a body of 3; the other is third in line till 3.
        assert_eq!(
            (refused(long), refused(late)),
            (("timed out", None), ("timed out", None))
        );
        assert_eq!(first.await.unwrap(), Ok(1));
        assert_eq!((script.at(), script.now()), (vec![0, 1_000], 3_000));
        assert_eq!(places(path), (0, 0));
        assert_eq!(ask(script).await, Ok(3));
    }
}

mod attempt_timeout_and_body {
    use crate::support::{Answer, Script, Step::*, figures, refused, seconds};
    use hardening::{Rejected, retryable, timeout};
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_takes_too_long_is_dropped_and_tried_again() {
        #[retryable(policy = "composition")]
        #[timeout(call = 60, attempt = 2)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Hangs, Takes(3), Takes(1)]);
        // 0 to 2, backoff 1, 3 to 5, backoff 2, 7 to 8.
        assert_eq!(
            (ask(script).await, script.at()),
            (Ok(3), vec![0, 3_000, 7_000])
        );
        assert_eq!((script.left(), script.now()), (2, 8_000));
        let figures = figures("an_attempt_that_takes_too_long_is_dropped_and_tried_again::ask");
        assert_eq!(
            (
                figures.success,
                figures.attempts,
                figures.rejected_by.timeout
            ),
            (1, 3, 2)
        );
        assert_eq!(figures.latency.max, seconds(8));
    }

    #[tokio::test(start_paused = true)]
    async fn the_body_sees_its_attempt_and_the_nearest_deadline() {
        #[retryable(policy = "composition")]
        #[timeout(call = 4, attempt = 2, allow = ["retries_exceed_timeout"])]
        async fn ask(script: &Script, seen: &std::sync::Mutex<Vec<(u32, Duration)>>) -> Answer {
            let left = hardening::deadline().unwrap() - tokio::time::Instant::now().into_std();
            seen.lock().unwrap().push((hardening::attempt(), left));
            script.run().await
        }
        let seen = std::sync::Mutex::default();
        let script = Script::of([Busy, Busy, Hangs]);
        let late = ask(script, &seen).await;
        let Err(crate::support::AppError::Rejected(Rejected::TimedOut { after, .. })) = late else {
            panic!("{late:?}");
        };
        assert_eq!(
            after,
            seconds(4),
            "the call's time was up, not the attempt's"
        );
        let seen = seen.into_inner().unwrap();
        assert_eq!(seen, [(1, seconds(2)), (2, seconds(2)), (3, seconds(1))]);
        assert_eq!((script.at(), script.now()), (vec![0, 1_000, 3_000], 4_000));
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_is_in_time_is_left_alone() {
        #[timeout(call = 60, attempt = 2)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Takes(1), Takes(2), Takes(3)]);
        assert_eq!(ask(script).await, Ok(1));
        assert_eq!(
            ask(script).await,
            Ok(2),
            "a body that is ready at the very end is in time"
        );
        assert_eq!(refused(ask(script).await), ("timed out", None));
        assert_eq!((script.left(), script.now()), (1, 5_000));
    }

    #[test]
    fn a_blocking_body_sees_its_attempt_too() {
        #[retryable(policy = "composition", base_delay = "1ms")]
        fn ask(script: &Script) -> Result<(u32, bool), crate::support::AppError> {
            script.run_blocking()?;
            Ok((hardening::attempt(), hardening::deadline().is_some()))
        }
        assert_eq!(ask(Script::of([Busy, Busy])), Ok((3, false)));
        assert_eq!(hardening::attempt(), 1);
    }
}
