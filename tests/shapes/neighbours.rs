//! Attributes of other crates beside ours, in every order. What stands above has run before, so the
//! function that ours see is already what it made of it; what stands below wraps what ours made.

/// `#[tracing::instrument]`: above, a span for each attempt; below, one for the call.
mod instrument {
    use crate::support::{AppError, AppResult, Runs};
    use hardening::{cached, circuit_breaker, fallback, retryable};
    use std::sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::SeqCst},
    };
    use tracing::{
        Event, Metadata, Subscriber, instrument,
        span::{Attributes, Id, Record},
    };

    /// Counts the spans of one name on this thread.
    struct Spans(&'static str, Arc<AtomicU32>);

    impl Subscriber for Spans {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, span: &Attributes<'_>) -> Id {
            static NEXT: AtomicU64 = AtomicU64::new(1);
            if span.metadata().name() == self.0 {
                self.1.fetch_add(1, SeqCst);
            }
            Id::from_u64(NEXT.fetch_add(1, SeqCst))
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    fn count(name: &'static str) -> (Arc<AtomicU32>, tracing::subscriber::DefaultGuard) {
        let counted = Arc::new(AtomicU32::new(0));
        let guard = tracing::subscriber::set_default(Spans(name, Arc::clone(&counted)));
        (counted, guard)
    }

    #[derive(Debug, Default)]
    struct Client {
        runs: u32,
    }

    impl Client {
        fn run(&mut self, good: u32) -> AppResult<u32> {
            self.runs += 1;
            if self.runs < good {
                return Err(AppError::Busy);
            }
            Ok(self.runs)
        }

        #[instrument(skip(self))]
        #[retryable(base_delay = 0)]
        async fn above(&mut self, name: String) -> AppResult<usize> {
            self.run(3)?;
            Ok(name.len())
        }

        #[retryable(base_delay = 0)]
        #[instrument(skip(self))]
        async fn below(&mut self, name: String) -> AppResult<usize> {
            self.run(3)?;
            Ok(name.len())
        }

        #[instrument(skip(self), err, ret)]
        #[retryable(base_delay = 0, clone(name))]
        async fn telling(&mut self, name: String) -> AppResult<usize> {
            let length = async move { name.len() };
            self.run(1)?;
            Ok(length.await)
        }

        #[instrument(skip_all, err)]
        #[retryable(base_delay = 0)]
        async fn telling_errors(&mut self, good: Vec<u32>) -> AppResult<u32> {
            self.run(good[0])
        }

        #[instrument(skip_all, ret)]
        #[retryable(base_delay = 0)]
        async fn telling_results(&mut self, good: Vec<u32>) -> AppResult<u32> {
            self.run(good[0])
        }

        #[instrument(skip_all, err, ret)]
        #[retryable(base_delay = 0)]
        fn blocking(&mut self, good: Vec<u32>) -> AppResult<u32> {
            self.run(good[0])
        }

        #[instrument(skip_all)]
        #[retryable(base_delay = 0, clone(names))]
        async fn consuming(&mut self, names: Vec<&str>) -> AppResult<usize> {
            let owned = names.into_boxed_slice().len();
            self.run(3)?;
            Ok(owned)
        }

        #[fallback(|_| Ok(name.len() + self.runs as usize))]
        #[instrument(skip(self))]
        async fn degrading(&mut self, name: String) -> AppResult<usize> {
            self.run(9)?;
            Ok(name.capacity())
        }

        #[instrument(skip(self))]
        #[fallback(|_| Ok(name.len() + self.runs as usize))]
        async fn degrading_above(&mut self, name: String) -> AppResult<usize> {
            self.run(9)?;
            Ok(name.capacity())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn above_a_retried_method_it_makes_a_span_for_each_attempt() {
        let (spans, _guard) = count("above");
        let mut client = Client::default();
        assert_eq!(client.above("abc".into()).await, Ok(3));
        assert_eq!((client.runs, spans.load(SeqCst)), (3, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn below_it_makes_one_span_for_the_call() {
        let (spans, _guard) = count("below");
        let mut client = Client::default();
        assert_eq!(client.below("abc".into()).await, Ok(3));
        assert_eq!((client.runs, spans.load(SeqCst)), (3, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_it_tells_of_results_and_errors_moves_nothing_away() {
        let mut client = Client::default();
        assert_eq!(client.telling_errors(vec![3]).await, Ok(3));
        let mut client = Client::default();
        assert_eq!(client.telling_results(vec![3]).await, Ok(3));
        let mut client = Client::default();
        assert_eq!(client.blocking(vec![3]), Ok(3));
        let mut client = Client::default();
        assert_eq!(client.consuming(vec!["a", "b"]).await, Ok(2));
        assert_eq!(client.runs, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_body_moves_is_moved() {
        let mut client = Client::default();
        assert_eq!(client.telling("abc".into()).await, Ok(3));
        assert_eq!(client.runs, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fallback_has_the_arguments_in_scope_in_either_order() {
        let mut client = Client::default();
        assert_eq!(client.degrading("abc".into()).await, Ok(4));
        assert_eq!(client.degrading_above("abc".into()).await, Ok(5));
    }

    static REMEMBERED: Runs = Runs::new();

    #[cached]
    #[instrument]
    #[circuit_breaker]
    async fn between(id: u32) -> AppResult<u32> {
        REMEMBERED.up();
        Ok(id)
    }

    #[tokio::test(start_paused = true)]
    async fn between_two_of_ours_it_keeps_them_together() {
        assert_eq!((between(7).await, between(7).await), (Ok(7), Ok(7)));
        assert_eq!(REMEMBERED.get(), 1);
        let sites = hardening::sites();
        let mut sites = sites
            .iter()
            .filter(|site| site.path.ends_with("instrument::between"));
        assert_eq!(sites.next().unwrap().layers.len(), 2);
        assert!(sites.next().is_none());
    }

    #[tokio::test]
    async fn the_future_is_still_send() {
        let mut client = Client::default();
        let called = tokio::spawn(async move { client.above("abc".into()).await });
        assert_eq!(called.await.unwrap(), Ok(3));
    }
}

/// `#[tokio::main]` makes a function blocking: above ours, they retry the whole runtime.
mod tokio_main {
    use crate::support::{AppError, AppResult, Runs};
    use hardening::{retryable, timeout};

    static ABOVE: Runs = Runs::new();
    static BELOW: Runs = Runs::new();

    #[tokio::main(flavor = "current_thread")]
    #[retryable(base_delay = 0)]
    async fn above() -> AppResult<u32> {
        tokio::task::yield_now().await;
        if ABOVE.up() < 3 {
            return Err(AppError::Busy);
        }
        Ok(ABOVE.get())
    }

    #[retryable(base_delay = 0)]
    #[timeout("60s")]
    #[tokio::main(flavor = "current_thread")]
    async fn below() -> AppResult<u32> {
        tokio::task::yield_now().await;
        if BELOW.up() < 3 {
            return Err(AppError::Busy);
        }
        Ok(BELOW.get())
    }

    #[test]
    fn it_may_stand_above_and_below() {
        assert_eq!((above(), ABOVE.get()), (Ok(3), 3));
        assert_eq!((below(), BELOW.get()), (Ok(3), 3));
    }
}

/// A test that is itself tried again: these are tests only if `#[tokio::test]` is still there.
mod tokio_test {
    use crate::support::{AppError, AppResult, Runs};
    use hardening::{fallback, retryable, timeout};

    static ABOVE: Runs = Runs::new();
    static BELOW: Runs = Runs::new();

    #[tokio::test(start_paused = true)]
    #[retryable(base_delay = 0)]
    async fn it_may_stand_above() -> AppResult<()> {
        if ABOVE.up() < 3 {
            return Err(AppError::Busy);
        }
        assert_eq!(hardening::attempt(), 3);
        Ok(())
    }

    #[retryable]
    #[timeout("60s")]
    #[tokio::test(start_paused = true)]
    async fn it_may_stand_below() -> AppResult<()> {
        if BELOW.up() < 3 {
            return Err(AppError::Busy);
        }
        assert_eq!(hardening::attempt(), 3);
        Ok(())
    }

    #[fallback(|error| { assert!(error.rejected().retry_after().is_none()); Ok(()) })]
    #[tokio::test(start_paused = true)]
    #[timeout("1s")]
    async fn it_may_stand_between() -> AppResult<()> {
        std::future::pending().await
    }
}

/// `#[axum::debug_handler]` checks the signature, which ours do not change.
mod debug_handler {
    use crate::support::{AppError, Runs};
    use axum::{
        extract::{Request, State},
        handler::Handler,
        http::StatusCode,
        response::{IntoResponse, Response},
    };
    use hardening::{Classify, Rejected, bulkhead, retryable, timeout};
    use std::sync::Arc;

    #[derive(Debug, Classify)]
    #[classify(forward)]
    struct ApiError(AppError);

    impl From<Rejected> for ApiError {
        fn from(rejected: Rejected) -> Self {
            Self(rejected.into())
        }
    }

    impl IntoResponse for ApiError {
        fn into_response(self) -> Response {
            match self.0 {
                AppError::Rejected(Rejected::TimedOut { .. }) => StatusCode::GATEWAY_TIMEOUT,
                AppError::Gone => StatusCode::GONE,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            }
            .into_response()
        }
    }

    #[axum::debug_handler]
    #[retryable(base_delay = 0)]
    #[bulkhead]
    async fn above(State(runs): State<Arc<Runs>>) -> Result<&'static str, ApiError> {
        if runs.up() < 3 {
            return Err(ApiError(AppError::Busy));
        }
        Ok("fine")
    }

    #[retryable(base_delay = 0)]
    #[axum::debug_handler]
    #[timeout("1s")]
    async fn between(State(runs): State<Arc<Runs>>) -> Result<&'static str, ApiError> {
        if runs.up() < 2 {
            return Err(ApiError(AppError::Busy));
        }
        std::future::pending().await
    }

    #[retryable(base_delay = 0)]
    #[axum::debug_handler]
    async fn below(State(runs): State<Arc<Runs>>) -> Result<&'static str, ApiError> {
        runs.up();
        Err(ApiError(AppError::Gone))
    }

    async fn ask<T: 'static>(handler: impl Handler<T, Arc<Runs>>) -> (StatusCode, u32) {
        let runs = Arc::new(Runs::new());
        let response = handler.call(Request::default(), Arc::clone(&runs)).await;
        (response.status(), runs.get())
    }

    #[tokio::test(start_paused = true)]
    async fn handlers_of_axum_are_functions_like_others() {
        assert_eq!(ask(above).await, (StatusCode::OK, 3));
        assert_eq!(ask(between).await, (StatusCode::GATEWAY_TIMEOUT, 2));
        assert_eq!(ask(below).await, (StatusCode::GONE, 1));
    }
}

/// `#[async_trait]` with `#[instrument]` in it.
mod async_trait {
    use crate::support::{AppError, AppResult, Runs};
    use hardening::{retryable, timeout};

    #[async_trait::async_trait]
    trait Repository {
        async fn spans_attempts(&mut self, name: String) -> AppResult<usize>;
        async fn spans_calls(&mut self, name: String) -> AppResult<usize>;
    }

    struct Ours(Runs);
    struct Theirs(Runs);

    #[retryable(base_delay = 0)]
    #[async_trait::async_trait]
    #[timeout("60s")]
    impl Repository for Ours {
        #[tracing::instrument(skip(self))]
        async fn spans_attempts(&mut self, name: String) -> AppResult<usize> {
            attempt(&self.0, &name)
        }

        #[tracing::instrument(skip(self), err)]
        #[hardening::circuit_breaker]
        async fn spans_calls(&mut self, name: String) -> AppResult<usize> {
            attempt(&self.0, &name)
        }
    }

    #[async_trait::async_trait]
    #[retryable(base_delay = 0)]
    impl Repository for Theirs {
        #[tracing::instrument(skip(self), err)]
        #[hardening::circuit_breaker]
        async fn spans_attempts(&mut self, name: String) -> AppResult<usize> {
            attempt(&self.0, &name)
        }

        #[hardening::circuit_breaker]
        #[tracing::instrument(skip(self))]
        async fn spans_calls(&mut self, name: String) -> AppResult<usize> {
            attempt(&self.0, &name)
        }
    }

    fn attempt(runs: &Runs, name: &str) -> AppResult<usize> {
        if runs.up() < 3 {
            return Err(AppError::Busy);
        }
        Ok(name.len())
    }

    #[tokio::test(start_paused = true)]
    async fn it_may_stand_above_and_below_with_spans_inside() {
        let mut ours = Ours(Runs::new());
        assert_eq!(ours.spans_attempts("abc".into()).await, Ok(3));
        assert_eq!(ours.0.take(), 3);
        assert_eq!(ours.spans_calls("abc".into()).await, Ok(3));
        assert_eq!(ours.0.take(), 3);
        let mut theirs = Theirs(Runs::new());
        assert_eq!(theirs.spans_attempts("abc".into()).await, Ok(3));
        assert_eq!(theirs.0.take(), 3);
        assert_eq!(theirs.spans_calls("abc".into()).await, Ok(3));
        assert_eq!(theirs.0.take(), 3);
    }
}

/// Somebody else's attributes under names that are also ours: `#[tokio::main]`, which makes a
/// function blocking, so that one that was swallowed would not compile.
mod names_that_are_also_ours {
    use crate::support::{AppError, AppResult, Runs};
    use hardening::retryable;

    mod other {
        pub(super) use tokio::main as timeout;
        pub(super) use tokio::main as cached;
    }

    static RUNS: [Runs; 5] = [const { Runs::new() }; 5];

    async fn attempt(runs: &Runs) -> AppResult<u32> {
        tokio::task::yield_now().await;
        match runs.up() {
            3 => Ok(3),
            _ => Err(AppError::Busy),
        }
    }

    #[retryable(base_delay = 0)]
    #[other::timeout(flavor = "current_thread")]
    async fn below() -> AppResult<u32> {
        attempt(&RUNS[0]).await
    }

    #[other::cached(flavor = "current_thread")]
    #[retryable(base_delay = 0)]
    async fn above() -> AppResult<u32> {
        attempt(&RUNS[1]).await
    }

    #[hardening::timeout("60s")]
    #[other::timeout(flavor = "current_thread")]
    #[retryable(base_delay = 0)]
    async fn between() -> AppResult<u32> {
        attempt(&RUNS[2]).await
    }

    #[retryable(base_delay = 0)]
    #[cfg_attr(all(), other::cached(flavor = "current_thread"))]
    async fn conditional() -> AppResult<u32> {
        attempt(&RUNS[3]).await
    }

    mod bare {
        use super::{RUNS, attempt, other::cached};
        use crate::support::AppResult;

        // It runs first, so nothing of ours has to tell it from ours.
        #[cached(flavor = "current_thread")]
        #[hardening::retryable(base_delay = 0)]
        pub(super) async fn above() -> AppResult<u32> {
            attempt(&RUNS[4]).await
        }
    }

    #[test]
    fn they_are_left_alone_when_written_with_their_path() {
        assert_eq!([below(), above(), between()], [Ok(3), Ok(3), Ok(3)]);
        assert_eq!([conditional(), bare::above()], [Ok(3), Ok(3)]);
        assert_eq!(RUNS.each_ref().map(Runs::get), [3; 5]);
    }
}
