//! Bugs of what is called besides the body.

mod a_hooks_panic_reached_the_caller {
    use crate::support::{Answer, AppError, Script, Step::*, figures, places, site};
    use hardening::{Retry, RetryPolicy, bulkhead, cached, circuit_breaker, retryable};

    #[cached(key = (), cache_if = |_| panic!("cache_if panics, as the test wants"))]
    #[retryable(policy = "composition", on_retry = |_| panic!("on_retry panics, as the test wants"))]
    #[bulkhead(max_concurrent = 1)]
    async fn asks(script: &'static Script) -> Answer {
        script.run().await
    }

    #[cached(key = (), cache_if = |_| panic!("cache_if panics, as the test wants"))]
    #[retryable(policy = "composition", base_delay = 0, on_retry = |_| panic!("on_retry panics, as the test wants"))]
    fn blocks(script: &Script) -> Answer {
        script.run_blocking()
    }

    #[tokio::test(start_paused = true)]
    async fn the_call_goes_on() {
        let script = Script::of([Busy, Busy]);
        assert_eq!(
            (asks(script).await, script.at()),
            (Ok(3), vec![0, 1_000, 3_000])
        );
        assert_eq!(
            (asks(script).await, script.runs()),
            (Ok(4), 4),
            "what panics remembers nothing"
        );
        assert_eq!(places("a_hooks_panic_reached_the_caller::asks"), (0, 0));
        let script = Script::of([Busy, Busy]);
        assert_eq!((blocks(script), script.runs()), (Ok(3), 3));
    }

    #[circuit_breaker(failure_threshold = 3, failure_if = |_| panic!("failure_if panics, as the test wants"))]
    #[bulkhead(max_concurrent = 1, max_queue = 0, per = "call")]
    async fn judged(script: &'static Script) -> Answer {
        script.run().await
    }

    #[circuit_breaker(failure_threshold = 3, failure_if = |_| panic!("failure_if panics, as the test wants"))]
    fn judged_blocking(script: &Script) -> Answer {
        script.run_blocking()
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_whose_failure_if_panics_counts_as_if_there_were_none() {
        let steps = [Busy, Busy, Fine, Gone, Busy, Busy];
        let (script, blocking) = (Script::of(steps), Script::of(steps));
        for errors_in_a_row in [1, 2, 0, 1, 2, 3] {
            let is_error = errors_in_a_row > 0;
            assert_eq!(judged(script).await.is_err(), is_error);
            assert_eq!(judged_blocking(blocking).is_err(), is_error);
        }
        for function in ["judged", "judged_blocking"] {
            let path = format!("a_hooks_panic_reached_the_caller::{function}");
            let (figures, circuit) = (figures(&path), site(&path).circuit.unwrap());
            assert_eq!(circuit.state, circuit_breaker::State::Open);
            assert_eq!((figures.in_flight, figures.calls()), (0, 6));
            assert_eq!((figures.error, figures.success), (5, 1));
        }
        let path = "a_hooks_panic_reached_the_caller::judged";
        assert_eq!((places(path), script.runs()), ((0, 0), 6));
    }

    #[retryable(policy = "composition", retry_if = |_| panic!("retry_if panics, as the test wants"))]
    async fn asked(script: &'static Script) -> Answer {
        script.run().await
    }

    #[retryable(policy = "composition", retry_if = |_| panic!("retry_if panics, as the test wants"))]
    fn asked_blocking(script: &Script) -> Answer {
        script.run_blocking()
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_whose_retry_if_panics_is_not_tried_again() {
        let (script, blocking) = (Script::of([Busy]), Script::of([Busy]));
        assert_eq!(asked(script).await, Err(AppError::Busy(1)));
        assert_eq!(asked_blocking(blocking), Err(AppError::Busy(1)));
        for function in ["asked", "asked_blocking"] {
            let figures = figures(&format!("a_hooks_panic_reached_the_caller::{function}"));
            assert_eq!((figures.error, figures.calls()), (1, 1));
        }
        let script = Script::of([Busy]);
        let retry = Retry::new(RetryPolicy::default())
            .retry_if(|_: &AppError| panic!("retry_if panics, as the test wants"));
        let answer = retry.call(|| script.run()).await;
        assert_eq!((answer, script.runs()), (Err(AppError::Busy(1)), 1));
    }
}

mod a_hook_ran_inside_a_lock {
    use crate::support::{Answer, Script, Step::*, figures, seconds};
    use hardening::{cached, circuit_breaker, retryable};
    use std::sync::{Arc, Mutex};
    use tracing::{Event, Metadata, Subscriber, span};

    #[cached(name = "regressions hook", key = id, cache_if = |_| hardening::cache::<u32, u32>("regressions hook").get(&7).is_none())]
    #[retryable(policy = "composition", allow = ["circuit_outlasts_retries"], on_retry = |event| seen(event.attempt))]
    #[circuit_breaker(failure_threshold = 2, open_for = 3)]
    async fn asks(script: &Script, id: u32) -> Answer {
        script.run().await
    }

    fn seen(attempt: u32) {
        let figures = figures("a_hook_ran_inside_a_lock::asks");
        assert_eq!(
            (figures.in_flight, figures.retries),
            (1, u64::from(attempt) - 1)
        );
    }

    /// Asks for everything there is, on every event.
    #[derive(Clone, Default)]
    struct Curious(Arc<Mutex<Vec<String>>>);

    impl Subscriber for Curious {
        fn enabled(&self, of: &Metadata<'_>) -> bool {
            of.target() == "hardening"
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, event: &Event<'_>) {
            let circuit = hardening::snapshot();
            let circuit = circuit.site("a_hook_ran_inside_a_lock::asks").unwrap();
            let state = circuit.circuit.as_ref().unwrap().state;
            let level = event.metadata().level();
            self.0
                .lock()
                .unwrap()
                .push(format!("{level} while {state}"));
        }
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    #[tokio::test(start_paused = true)]
    async fn hooks_and_events_may_ask_for_everything() {
        let curious = Curious::default();
        // With one subscriber alone, tracing lets the thread that comes by an event first decide for
        // all whether it is wanted: another test's, which subscribes to nothing.
        let _another = tracing::Dispatch::new(Curious::default());
        let _subscribed = tracing::subscriber::set_default(curious.clone());
        let script = Script::of([Busy, Busy]);
        // Fails at 0 and at 1, opens till 4; is refused at 3 and gives up.
        asks(script, 7).await.unwrap_err();
        tokio::time::sleep(seconds(1)).await;
        assert_eq!(
            (asks(script, 7).await, asks(script, 7).await),
            (Ok(3), Ok(3))
        );
        assert_eq!(script.runs(), 3);
        let told = curious.0.lock().unwrap().clone();
        assert_eq!(
            told,
            [
                "WARN while closed", // retrying
                "ERROR while open",  // opened
                "WARN while open",   // retrying
                "DEBUG while open",  // rejected
                "WARN while open",   // gave up
                "INFO while half-open",
                "INFO while closed",
                "TRACE while closed", // hit
            ]
        );
    }
}

mod an_old_states_gauge_never_came_back {
    use crate::support::{
        Answer, Script, Step::*, dropped_after, figures, places, seconds, settle, site,
    };
    use hardening::{bulkhead, circuit_breaker, retryable, timeout};

    #[timeout(call = 20)]
    #[retryable(policy = "composition")]
    #[circuit_breaker(failure_threshold = 3, open_for = 50)]
    #[bulkhead(max_concurrent = 1, max_wait = 2)]
    async fn asks(script: &'static Script) -> Answer {
        script.run().await
    }

    #[tokio::test(start_paused = true)]
    async fn every_gauge_is_zero_again() {
        let path = "an_old_states_gauge_never_came_back::asks";
        let script = Script::of([Hangs, Busy, Busy, Busy, Panic, Fine]);
        let hangs = tokio::spawn(dropped_after(3, asks(script)));
        settle().await;
        let waits = tokio::spawn(dropped_after(1, asks(script)));
        settle().await;
        assert_eq!((figures(path).in_flight, places(path)), (2, (1, 1)));
        hangs.await.unwrap();
        waits.await.unwrap();
        asks(script).await.unwrap_err(); // opens
        assert_eq!(site(path).circuit.unwrap().failures_in_a_row, 0);
        tokio::time::sleep(seconds(50)).await;
        tokio::spawn(asks(script)).await.unwrap_err(); // the probe panics
        tokio::time::sleep(seconds(50)).await;
        asks(script).await.unwrap();
        let (circuit, figures) = (site(path).circuit.unwrap(), figures(path));
        assert_eq!(circuit.state, circuit_breaker::State::Closed);
        assert_eq!(
            (circuit.probes, circuit.failures_in_a_row, circuit.opened),
            (0, 0, 2)
        );
        assert_eq!((places(path), figures.in_flight), ((0, 0), 0));
        assert_eq!(
            (
                figures.dropped,
                figures.error,
                figures.panicked,
                figures.success
            ),
            (2, 1, 1, 1)
        );
        assert_eq!((figures.calls(), script.runs()), (5, 6));
    }
}
