//! Bugs of what is shared, and with whom.

mod two_functions_of_one_name_shared_a_state {
    use crate::support::{AppError, circuit, refused};
    use hardening::circuit_breaker::State;

    mod one {
        use crate::support::{Answer, AppError};
        use hardening::{cached, circuit_breaker, rate_limited};

        #[circuit_breaker(failure_threshold = 1)]
        pub(super) fn ask() -> Answer {
            Err(AppError::Busy(1))
        }
        #[cached]
        pub(super) fn find(_id: u32) -> u32 {
            1
        }
        #[rate_limited(capacity = 1, window_seconds = 60)]
        pub(super) fn limited() -> Answer {
            Ok(1)
        }
    }

    mod other {
        use crate::support::Answer;
        use hardening::{cached, circuit_breaker, rate_limited};

        // All settings are equal, too.
        #[circuit_breaker(failure_threshold = 1)]
        pub(super) fn ask() -> Answer {
            Ok(2)
        }
        #[cached]
        pub(super) fn find(_id: u32) -> u32 {
            2
        }
        #[rate_limited(capacity = 1, window_seconds = 60)]
        pub(super) fn limited() -> Answer {
            Ok(2)
        }
    }

    #[test]
    fn each_has_its_own() {
        assert_eq!(one::ask(), Err(AppError::Busy(1)));
        assert_eq!(
            (refused(one::ask()).0, other::ask()),
            ("circuit open", Ok(2))
        );
        assert_eq!(
            circuit("two_functions_of_one_name_shared_a_state::one::ask"),
            State::Open
        );
        assert_eq!(
            circuit("two_functions_of_one_name_shared_a_state::other::ask"),
            State::Closed
        );
        assert_eq!((one::find(7), other::find(7)), (1, 2));
        assert_eq!((one::limited(), other::limited()), (Ok(1), Ok(2)));
        assert_eq!(refused(one::limited()).0, "rate limited");
    }
}

mod each_clone_had_a_state_of_its_own {
    use crate::support::{Answer, AppError, Script, Step::*, refused};
    use hardening::{cached, circuit_breaker, rate_limited};
    use std::sync::Arc;

    #[derive(Clone, Hash)]
    struct Client {
        id: u32,
    }

    impl Client {
        #[circuit_breaker(failure_threshold = 1)]
        async fn ask(&self, script: &Script) -> Answer {
            script.run().await
        }
        #[rate_limited(op = "composition_shared", key = "client")]
        fn limited(&self) -> Answer {
            Ok(self.id)
        }
        #[cached]
        fn of_type(&self, _key: u32) -> u32 {
            self.id
        }
        #[cached(key = (self.id, key))]
        fn of_instance(&self, key: u32) -> u32 {
            self.id + key
        }
        #[cached(key = self)]
        fn shared(self: Arc<Self>) -> u32 {
            self.id
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_instances_share_it_as_documented() {
        let (one, two) = (Client { id: 1 }, Client { id: 2 });
        let script = Script::of([Busy]);
        assert_eq!(one.clone().ask(script).await, Err(AppError::Busy(1)));
        assert_eq!(
            (refused(two.ask(script).await).0, script.runs()),
            ("circuit open", 1)
        );
        assert_eq!(
            (one.limited(), refused(two.limited()).0),
            (Ok(1), "rate limited")
        );
        assert!(hardening::check_rate_limit("composition_shared", "client").is_err());
        assert!(hardening::check_rate_limit("composition_shared", "another").is_ok());
        // Without a key, `self` is no part of it: one cache for the type.
        assert_eq!((one.of_type(5), two.of_type(5)), (1, 1));
        assert_eq!((one.of_instance(5), two.of_instance(5)), (6, 7));
        assert_eq!((Arc::new(one).shared(), Arc::new(two).shared()), (1, 2));
    }
}

mod generic_functions_mixed_up_their_types {
    use hardening::cached;

    #[cached]
    fn parsed<T: std::str::FromStr + Clone + Send + Sync + 'static>(text: &str) -> Option<T> {
        text.parse().ok()
    }

    #[test]
    fn each_type_has_its_own_values() {
        assert_eq!((parsed::<u8>("7"), parsed::<i64>("7")), (Some(7), Some(7)));
        assert_eq!(parsed::<String>("7"), Some("7".to_owned()));
        assert_eq!((parsed::<u8>("7"), parsed::<u8>("x")), (Some(7), None));
    }
}

mod cancelled_calls_were_retried {
    use crate::support::{Answer, Script, Step::*, dropped_after, figures, seconds};
    use hardening::retryable;

    #[retryable(policy = "composition")]
    async fn asks(script: &Script) -> Answer {
        script.run().await
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_goes_away_ends_the_call_in_its_body_and_in_its_wait() {
        let script = Script::of([Hangs, Busy]);
        dropped_after(1, asks(script)).await;
        let waiting = tokio::time::timeout(Duration::from_millis(500), asks(script));
        waiting.await.unwrap_err();
        tokio::time::sleep(seconds(60)).await;
        assert_eq!(script.at(), [0, 1_000]);
        let figures = figures("cancelled_calls_were_retried::asks");
        assert_eq!(
            (figures.dropped, figures.in_flight, figures.attempts),
            (2, 0, 2)
        );
    }

    use std::time::Duration;
}

mod recursion_on_one_key_hung {
    use crate::support::{AppError, figures};
    use hardening::{cached, timeout};

    #[cached(key = "one")]
    fn blocks(depth: u32) -> u32 {
        if depth == 0 { 0 } else { blocks(depth - 1) + 1 }
    }

    #[cached(key = "one")]
    #[timeout("30s")]
    async fn asks(depth: u32) -> Result<u32, AppError> {
        if depth == 0 {
            return Ok(0);
        }
        Ok(Box::pin(asks(depth - 1)).await? + 1)
    }

    #[tokio::test(start_paused = true)]
    async fn it_runs_the_body_at_every_depth() {
        assert_eq!(blocks(5), 5);
        let began = tokio::time::Instant::now();
        assert_eq!((asks(5).await, began.elapsed().as_nanos()), (Ok(5), 0));
        assert_eq!(figures("recursion_on_one_key_hung::asks").attempts, 6);
        assert_eq!(figures("recursion_on_one_key_hung::blocks").attempts, 6);
    }
}

mod a_refused_attempt_froze_the_clock_of_the_next {
    use crate::support::{Answer, Script, Step::*};
    use hardening::{rate_limited, retryable};

    #[retryable(policy = "composition")]
    #[rate_limited(capacity = 1, window_seconds = 3, per = "attempt")]
    async fn asks(script: &Script) -> Answer {
        script.run().await
    }

    /// The limit was judged at the time at which the call began, as long as no body had run.
    #[tokio::test(start_paused = true)]
    async fn a_token_that_came_meanwhile_is_there() {
        let script = Script::of([Fine]);
        assert_eq!(asks(script).await, Ok(1));
        assert_eq!((asks(script).await, script.at()), (Ok(2), vec![0, 3_000]));
    }
}

mod successes_of_a_past_window_took_the_place_of_the_calls_in_this_one {
    use hardening::{
        circuit_breaker::{CircuitBreaker, State},
        config::CircuitBreakerPolicy,
    };
    use std::time::Duration;

    /// A window of one second keeps its counts in a ring that comes round after this time.
    const LAP: Duration = Duration::from_nanos(1 << 30);

    fn call(breaker: &CircuitBreaker, fine: bool) {
        let guard = breaker.enter().unwrap();
        if fine {
            guard.success();
        } else {
            guard.failure();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_circuit_opens_once_enough_calls_are_in() {
        let breaker = CircuitBreaker::new(CircuitBreakerPolicy {
            failure_threshold: u32::MAX,
            failure_rate: Some(0.5),
            minimum_calls: 3,
            window: Duration::from_secs(1),
            ..Default::default()
        });
        call(&breaker, true);
        tokio::time::advance(LAP).await;
        for fine in [false, true, false] {
            assert_eq!(breaker.state(), State::Closed);
            call(&breaker, fine);
        }
        assert_eq!(breaker.state(), State::Open);
    }
}
