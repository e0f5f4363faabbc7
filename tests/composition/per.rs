//! The layers that `per` moves to the other side of the retry, with their new neighbours.

mod rate_limit_per_attempt {
    use crate::support::{
        Answer, AppError, Script, Step::*, circuit, figures, places, refused, seconds,
    };
    use hardening::{bulkhead, circuit_breaker, circuit_breaker::State, rate_limited, retryable};

    #[tokio::test(start_paused = true)]
    async fn each_attempt_pays_and_a_retry_waits_for_its_token() {
        #[retryable(policy = "composition")]
        #[rate_limited(capacity = 1, window_seconds = 4, per = "attempt")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        // 0: runs. 1: refused for 3 s, longer than the backoff of 2 s. 4: runs.
        let script = Script::of([Busy]);
        assert_eq!((ask(script).await, script.at()), (Ok(2), vec![0, 4_000]));
        let figures = figures("each_attempt_pays_and_a_retry_waits_for_its_token::ask");
        assert_eq!((figures.attempts, figures.rejected_by.rate_limit), (2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_is_further_off_than_max_delay_is_not_waited_for() {
        #[retryable(policy = "composition")]
        #[rate_limited(capacity = 1, window_seconds = 10, per = "attempt")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Busy]);
        assert_eq!(refused(ask(script).await), ("rate limited", Some(9_000)));
        assert_eq!((script.runs(), script.now()), (1, 1_000));
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_circuit_costs_no_token() {
        #[circuit_breaker(failure_threshold = 1, open_for = 5)]
        #[rate_limited(capacity = 2, window_seconds = 1000, per = "attempt")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Busy]);
        assert_eq!(ask(script).await, Err(AppError::Busy(1)));
        for _ in 0..5 {
            assert_eq!(refused(ask(script).await).0, "circuit open");
        }
        tokio::time::sleep(seconds(5)).await;
        assert_eq!((ask(script).await, script.runs()), (Ok(2), 2));
        assert_eq!(refused(ask(script).await).0, "rate limited");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_neutral_and_a_probe_that_gets_none_gives_its_place_back() {
        #[circuit_breaker(failure_threshold = 2, open_for = 5)]
        #[rate_limited(capacity = 3, window_seconds = 60, per = "attempt")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path =
            "a_refused_token_is_neutral_and_a_probe_that_gets_none_gives_its_place_back::ask";
        let script = Script::of([Fine, Busy, Busy]);
        ask(script).await.unwrap();
        for run in [2, 3] {
            assert_eq!(ask(script).await, Err(AppError::Busy(run)));
        }
        tokio::time::sleep(seconds(5)).await;
        for _ in 0..3 {
            assert_eq!(refused(ask(script).await), ("rate limited", Some(15_000)));
        }
        assert_eq!((circuit(path), script.runs()), (State::HalfOpen, 3));
        tokio::time::sleep(seconds(15)).await;
        assert_eq!((ask(script).await, circuit(path)), (Ok(4), State::Closed));
        for _ in 0..5 {
            assert_eq!(refused(ask(script).await).0, "rate limited");
        }
        assert_eq!((circuit(path), script.runs()), (State::Closed, 4));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_token_holds_no_place() {
        #[rate_limited(capacity = 1, window_seconds = 5, max_wait = 60, per = "attempt")]
        #[bulkhead(max_concurrent = 1, max_queue = 0)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "who_waits_for_a_token_holds_no_place::ask";
        let script = Script::of([Takes(1), Takes(1)]);
        ask(script).await.unwrap();
        let waiting = tokio::spawn(ask(script));
        crate::support::settle().await;
        assert_eq!(places(path), (0, 0));
        assert_eq!(waiting.await.unwrap(), Ok(2));
        assert_eq!((script.at(), places(path)), (vec![0, 5_000], (0, 0)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_bulkhead_has_cost_its_token() {
        #[rate_limited(capacity = 2, window_seconds = 1000, per = "attempt")]
        #[bulkhead(max_concurrent = 1, max_queue = 0)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Takes(1)]);
        let (one, other) = tokio::join!(ask(script), ask(script));
        assert_eq!((one, refused(other)), (Ok(1), ("bulkhead full", None)));
        assert_eq!(refused(ask(script).await).0, "rate limited");
        assert_eq!(script.runs(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waited_further_out_pays_at_the_time_of_its_attempt() {
        #[bulkhead(max_concurrent = 1, max_wait = 60, per = "call")]
        #[rate_limited(capacity = 1, window_seconds = 3, per = "attempt")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Takes(4), Takes(2)]);
        let answers = tokio::join!(ask(script), ask(script), ask(script));
        assert_eq!(
            (answers.0, answers.1),
            (Ok(1), Ok(2)),
            "at 4 the token of 3 is there"
        );
        assert_eq!(
            refused(answers.2),
            ("rate limited", Some(1_000)),
            "at 6 that of 7 is not"
        );
        assert_eq!(script.at(), [0, 4_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn each_blocking_attempt_pays() {
        #[retryable(policy = "composition")]
        #[circuit_breaker]
        #[rate_limited(capacity = 1, window_seconds = 4, per = "attempt")]
        fn ask(script: &Script) -> Answer {
            script.run_blocking()
        }
        let script = Script::of([Busy]);
        assert_eq!((ask(script), script.at()), (Ok(2), vec![0, 4_000]));
        assert_eq!(ask(script), Ok(3));
        assert_eq!(script.now(), 8_000);
    }
}

mod circuit_breaker_per_call {
    use crate::support::{
        Answer, AppError, Script, Step::*, circuit, places, refused, seconds, site,
    };
    use hardening::{
        bulkhead, circuit_breaker, circuit_breaker::State, rate_limited, retryable, timeout,
    };

    #[tokio::test(start_paused = true)]
    async fn a_call_counts_once_however_often_it_is_tried() {
        #[circuit_breaker(failure_threshold = 2, per = "call")]
        #[retryable(policy = "composition")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "a_call_counts_once_however_often_it_is_tried::ask";
        let script = Script::of([Busy, Busy, Fine, Busy, Busy, Busy, Busy, Busy, Busy]);
        assert_eq!(ask(script).await, Ok(3));
        assert_eq!(site(path).circuit.unwrap().failures_in_a_row, 0);
        assert_eq!(ask(script).await, Err(AppError::Busy(6)));
        assert_eq!(site(path).circuit.unwrap().failures_in_a_row, 1);
        assert_eq!(ask(script).await, Err(AppError::Busy(9)));
        assert_eq!(circuit(path), State::Open);
        assert_eq!(refused(ask(script).await), ("circuit open", Some(60_000)));
        assert_eq!(
            (script.runs(), script.now()),
            (9, 9_000),
            "an open circuit is not retried"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_limit_is_paid_before_the_circuit_is_asked() {
        #[rate_limited(capacity = 2, window_seconds = 1000)]
        #[circuit_breaker(failure_threshold = 1, per = "call")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Busy]);
        ask(script).await.unwrap_err();
        assert_eq!(refused(ask(script).await).0, "circuit open");
        assert_eq!(
            (refused(ask(script).await).0, script.runs()),
            ("rate limited", 1)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_calls_own_timeout_is_a_failure_also_between_two_attempts_of_it() {
        #[timeout(call = 2, allow = ["retries_exceed_timeout"])]
        #[circuit_breaker(failure_threshold = 2, per = "call")]
        #[retryable(policy = "composition")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "the_calls_own_timeout_is_a_failure_also_between_two_attempts_of_it::ask";
        let script = Script::of([Hangs, Busy, Busy, Fine]);
        assert_eq!(
            (refused(ask(script).await).0, script.now()),
            ("timed out", 2_000)
        );
        assert_eq!(site(path).circuit.unwrap().failures_in_a_row, 1);
        // The wait of 2 s after the second attempt would pass the deadline.
        assert_eq!(
            (ask(script).await, script.now()),
            (Err(AppError::Busy(3)), 3_000)
        );
        assert_eq!((circuit(path), script.runs()), (State::Open, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_per_call_keeps_its_place_over_its_retries() {
        #[circuit_breaker(failure_threshold = 1, open_for = 5, per = "call")]
        #[retryable(policy = "composition")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "a_probe_per_call_keeps_its_place_over_its_retries::ask";
        let script = Script::of([Busy, Busy, Busy, Busy]);
        ask(script).await.unwrap_err();
        tokio::time::sleep(seconds(5)).await;
        let probe = tokio::spawn(ask(script));
        crate::support::settle().await;
        assert_eq!(refused(ask(script).await).0, "circuit open");
        assert_eq!(probe.await.unwrap(), Ok(5));
        assert_eq!((circuit(path), script.runs()), (State::Closed, 5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_circuit_per_call_around_a_bulkhead_per_call() {
        #[circuit_breaker(failure_threshold = 1, per = "call")]
        #[bulkhead(max_concurrent = 1, max_queue = 0, per = "call")]
        #[retryable(policy = "composition")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "a_circuit_per_call_around_a_bulkhead_per_call::ask";
        let script = Script::of([Busy, Fine, Busy, Busy, Busy]);
        let (one, other) = tokio::join!(ask(script), ask(script));
        assert_eq!((one, refused(other)), (Ok(2), ("bulkhead full", None)));
        assert_eq!((circuit(path), places(path)), (State::Closed, (0, 0)));
        assert_eq!(ask(script).await, Err(AppError::Busy(5)));
        assert_eq!(
            (refused(ask(script).await).0, places(path)),
            ("circuit open", (0, 0))
        );
        assert_eq!(script.runs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_blocking_call_counts_once_too() {
        #[circuit_breaker(failure_threshold = 2, per = "call")]
        #[bulkhead(max_concurrent = 1, max_queue = 0, per = "call")]
        #[retryable(policy = "composition")]
        fn ask(script: &Script) -> Answer {
            script.run_blocking()
        }
        let path = "a_blocking_call_counts_once_too::ask";
        let script = Script::of([Busy; 6]);
        assert_eq!(ask(script), Err(AppError::Busy(3)));
        assert_eq!((circuit(path), places(path)), (State::Closed, (0, 0)));
        assert_eq!(ask(script), Err(AppError::Busy(6)));
        assert_eq!((refused(ask(script)).0, script.runs()), ("circuit open", 6));
    }
}

mod bulkhead_per_call {
    use crate::support::{Answer, Script, Step::*, figures, places, refused, settle};
    use hardening::{bulkhead, rate_limited, retryable};

    #[tokio::test(start_paused = true)]
    async fn a_call_keeps_its_place_over_its_retries() {
        #[bulkhead(max_concurrent = 1, max_wait = 60, per = "call")]
        #[retryable(policy = "composition")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Busy, Busy, Fine, Fine]);
        assert_eq!(tokio::join!(ask(script), ask(script)), (Ok(3), Ok(4)));
        assert_eq!(
            script.at(),
            [0, 1_000, 3_000, 3_000],
            "the second waits for the whole first"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_bulkhead_around_the_retry_is_not_retried() {
        #[bulkhead(max_concurrent = 1, max_queue = 0, per = "call")]
        #[retryable(policy = "composition")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "a_full_bulkhead_around_the_retry_is_not_retried::ask";
        let script = Script::of([Busy]);
        let waiting = tokio::spawn(ask(script));
        settle().await;
        assert_eq!(
            (refused(ask(script).await), script.now()),
            (("bulkhead full", None), 0)
        );
        assert_eq!(
            places(path),
            (1, 0),
            "held while its call waits for its retry"
        );
        assert_eq!((waiting.await.unwrap(), places(path)), (Ok(2), (0, 0)));
        let figures = figures(path);
        assert_eq!(
            (figures.bulkhead_full, figures.success, figures.attempts),
            (1, 1, 2)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_the_rate_limit_holds_no_place() {
        #[rate_limited(capacity = 1, window_seconds = 5, max_wait = 60)]
        #[bulkhead(max_concurrent = 1, max_queue = 0, per = "call")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let path = "who_waits_for_the_rate_limit_holds_no_place::ask";
        let script = Script::of([]);
        ask(script).await.unwrap();
        let waiting = tokio::spawn(ask(script));
        settle().await;
        assert_eq!(places(path), (0, 0));
        assert_eq!(
            (waiting.await.unwrap(), script.at()),
            (Ok(2), vec![0, 5_000])
        );
        // And a call that is refused a place has paid.
        let script = Script::of([Takes(6)]);
        let (one, other, third) = tokio::join!(ask(script), ask(script), ask(script));
        assert_eq!(
            (one, refused(other).0, third),
            (Ok(1), "bulkhead full", Ok(2))
        );
        assert_eq!(script.at(), [5_000, 15_000]);
    }
}
