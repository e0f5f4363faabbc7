//! fallback · cache · call timeout · rate limit · retry

mod fallback_and_cache {
    use crate::support::{Answer, AppError, Script, Step::*, figures, refused};
    use hardening::{Rejected, cached, fallback, rate_limited};

    #[tokio::test(start_paused = true)]
    async fn a_fallback_is_never_remembered() {
        #[fallback(|error| { assert_eq!(error, AppError::Busy(1)); Ok(77) })]
        #[cached(key = ())]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Busy]);
        assert_eq!(ask(script).await, Ok(77));
        assert_eq!(ask(script).await, Ok(2), "the body is asked again");
        assert_eq!(ask(script).await, Ok(2), "and its value remembered");
        assert_eq!(script.runs(), 2);
        let figures = figures("a_fallback_is_never_remembered::ask");
        assert_eq!(
            (figures.error, figures.success, figures.fallbacks),
            (1, 2, 1)
        );
        assert_eq!((figures.cache_hits, figures.cache_misses), (1, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn each_of_those_who_waited_for_a_failed_run_gets_its_own_fallback() {
        #[fallback(|error| { let _: AppError = error; Ok(mine) })]
        #[cached(key = ())]
        async fn ask(script: &Script, mine: u32) -> Answer {
            script.run().await
        }
        let script = Script::of([Fails(1), Takes(1)]);
        let answers = tokio::join!(ask(script, 71), ask(script, 72), ask(script, 73));
        assert_eq!(answers, (Ok(71), Ok(72), Ok(73)));
        assert_eq!(script.runs(), 1);
        let answers = tokio::join!(ask(script, 71), ask(script, 72));
        assert_eq!((answers, script.runs()), ((Ok(2), Ok(2)), 2));
    }

    #[test]
    fn a_blocking_fallback_is_never_remembered() {
        #[fallback(|_error| Ok(77))]
        #[cached(key = ())]
        fn ask(script: &Script) -> Answer {
            script.run_blocking()
        }
        let script = Script::of([Gone]);
        assert_eq!(
            (ask(script), ask(script), ask(script)),
            (Ok(77), Ok(2), Ok(2))
        );
        assert_eq!(script.runs(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fallback_sees_the_refusal_of_any_layer_and_may_await_and_fail() {
        #[fallback(|error| match error {
            AppError::Rejected(Rejected::RateLimited { retry_after, .. }) if soft => {
                tokio::time::sleep(retry_after.unwrap()).await;
                Ok(0)
            }
            other => Err(other)?,
        })]
        #[rate_limited(capacity = 1, window_seconds = 10)]
        async fn ask(script: &Script, soft: bool) -> Answer {
            script.run().await
        }
        let script = Script::of([]);
        assert_eq!(ask(script, true).await, Ok(1));
        assert_eq!(
            refused(ask(script, false).await),
            ("rate limited", Some(10_000))
        );
        assert_eq!((ask(script, true).await, script.now()), (Ok(0), 10_000));
        assert_eq!(script.runs(), 1);
    }
}

mod cache_and_call_timeout {
    use crate::support::{Answer, Script, Step::*, figures, refused};
    use hardening::{cached, timeout};

    #[tokio::test(start_paused = true)]
    async fn a_call_that_timed_out_is_not_remembered_and_told_to_all_who_wait() {
        #[cached(key = ())]
        #[timeout("2s")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Hangs, Takes(1)]);
        let (one, other) = tokio::join!(ask(script), ask(script));
        assert_eq!(
            (refused(one), refused(other)),
            (("timed out", None), ("timed out", None))
        );
        assert_eq!((script.runs(), script.left(), script.now()), (1, 1, 2_000));
        assert_eq!((ask(script).await, script.now()), (Ok(2), 3_000));
        let figures =
            figures("a_call_that_timed_out_is_not_remembered_and_told_to_all_who_wait::ask");
        assert_eq!(
            (figures.timed_out, figures.success, figures.attempts),
            (2, 1, 2)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_hit_needs_no_time_and_a_wait_for_another_is_not_the_calls_time() {
        #[cached(key = ())]
        #[timeout("3s")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Fails(2), Takes(2)]);
        // The second waits 1 s for the first, which goes away; its own time begins with its own run.
        let first = tokio::time::timeout(crate::support::seconds(1), ask(script));
        let (first, second) = tokio::join!(first, ask(script));
        assert!(first.is_err());
        assert_eq!(
            (second, script.now(), script.at()),
            (Ok(2), 3_000, vec![0, 1_000])
        );
        assert_eq!((ask(script).await, script.now()), (Ok(2), 3_000));
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_good_value_stands_in_for_a_timeout() {
        #[cached(key = (), ttl = 10, stale_if_error = 60)]
        #[timeout("2s")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Fine, Hangs]);
        assert_eq!(ask(script).await, Ok(1));
        tokio::time::sleep(crate::support::seconds(11)).await;
        assert_eq!((ask(script).await, script.now()), (Ok(1), 13_000));
        assert_eq!(script.runs(), 2);
        let figures = figures("the_last_good_value_stands_in_for_a_timeout::ask");
        assert_eq!((figures.cache_stale, figures.rejected_by.timeout), (1, 1));
    }
}

mod call_timeout_and_rate_limit {
    use crate::support::{Answer, Script, Step::*, figures, refused};
    use hardening::{rate_limited, timeout};

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_comes_after_the_deadline_is_refused_at_once() {
        #[timeout("4s")]
        #[rate_limited(capacity = 1, window_seconds = 5, max_wait = 60)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([]);
        assert_eq!(ask(script).await, Ok(1));
        assert_eq!(refused(ask(script).await), ("rate limited", Some(5_000)));
        assert_eq!((script.runs(), script.now()), (1, 0));
        let figures = figures("a_turn_that_comes_after_the_deadline_is_refused_at_once::ask");
        assert_eq!((figures.rate_limited, figures.timed_out), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_for_a_turn_is_the_calls_time() {
        #[timeout("4s")]
        #[rate_limited(capacity = 1, window_seconds = 3, max_wait = 60)]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Fine, Hangs, Takes(1)]);
        assert_eq!(ask(script).await, Ok(1));
        assert_eq!(refused(ask(script).await), ("timed out", None));
        assert_eq!((script.at(), script.now()), (vec![0, 3_000], 4_000));
        assert_eq!((ask(script).await, script.now()), (Ok(3), 7_000));
    }
}

mod rate_limit_and_retry {
    use crate::support::{Answer, AppError, Script, Step::*, figures, refused};
    use hardening::{rate_limited, retryable};

    #[tokio::test(start_paused = true)]
    async fn a_call_pays_once_however_often_it_is_tried() {
        #[rate_limited(capacity = 2, window_seconds = 1000)]
        #[retryable(policy = "composition")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([Busy, Busy, Fine, Busy, Busy, Busy]);
        assert_eq!(ask(script).await, Ok(3));
        assert_eq!(
            ask(script).await,
            Err(AppError::Busy(6)),
            "the last error, unchanged"
        );
        assert_eq!(script.at(), [0, 1_000, 3_000, 3_000, 4_000, 6_000]);
        let figures = figures("a_call_pays_once_however_often_it_is_tried::ask");
        assert_eq!((figures.attempts, figures.retries), (6, 4));
    }

    #[tokio::test(start_paused = true)]
    async fn the_retry_does_not_see_the_refusal_of_the_rate_limit_around_it() {
        #[rate_limited(capacity = 1, window_seconds = 2)]
        #[retryable(policy = "composition")]
        async fn ask(script: &Script) -> Answer {
            script.run().await
        }
        let script = Script::of([]);
        assert_eq!(ask(script).await, Ok(1));
        assert_eq!(refused(ask(script).await), ("rate limited", Some(2_000)));
        assert_eq!((script.runs(), script.now()), (1, 0));
        let figures =
            figures("the_retry_does_not_see_the_refusal_of_the_rate_limit_around_it::ask");
        assert_eq!(
            (figures.rate_limited, figures.attempts, figures.retries),
            (1, 1, 0)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_blocking_call_pays_once_however_often_it_is_tried() {
        #[rate_limited(capacity = 1, window_seconds = 10, max_wait = 20)]
        #[retryable(policy = "composition")]
        fn ask(script: &Script) -> Answer {
            script.run_blocking()
        }
        let script = Script::of([Busy, Busy, Fine]);
        assert_eq!((ask(script), script.at()), (Ok(3), vec![0, 1_000, 3_000]));
        assert_eq!(
            (ask(script), script.runs(), script.now()),
            (Ok(4), 4, 10_000)
        );
    }
}
