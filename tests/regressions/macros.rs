//! Bugs of generated code.

mod question_mark_and_return_left_the_wrapper {
    use crate::support::{Answer, AppError, Script, Step::*, figures, places};
    use hardening::{bulkhead, retryable};

    #[retryable(policy = "composition")]
    #[bulkhead(max_concurrent = 1)]
    async fn asks(script: &Script) -> Answer {
        let run = script.run().await?;
        if run > 2 {
            return Ok(run * 10);
        }
        Err(AppError::Busy(run))?;
        unreachable!()
    }

    #[retryable(policy = "composition", base_delay = "1ms")]
    #[bulkhead(max_concurrent = 1)]
    fn blocks(script: &Script) -> Answer {
        let run = script.run_blocking()?;
        if run > 2 {
            return Ok(run * 10);
        }
        return Err(AppError::Busy(run));
    }

    struct Client;

    #[retryable(policy = "composition")]
    impl Client {
        async fn ask(&mut self, script: &Script) -> Answer {
            let run = script.run().await?;
            match run {
                3 => return Ok(30),
                _ => Err(AppError::Busy(run))?,
            }
            Ok(0)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_mark_ends_the_attempt_and_not_the_call() {
        let script = Script::of([Busy, Busy]);
        assert_eq!((asks(script).await, script.runs()), (Ok(30), 3));
        let script = Script::of([]);
        assert_eq!((asks(script).await, script.runs()), (Ok(30), 3));
        let script = Script::of([Busy]);
        assert_eq!((Client.ask(script).await, script.runs()), (Ok(30), 3));
        assert_eq!(
            places("question_mark_and_return_left_the_wrapper::asks"),
            (0, 0)
        );
        assert_eq!(
            figures("question_mark_and_return_left_the_wrapper::asks").attempts,
            6
        );
    }

    #[test]
    fn a_question_mark_ends_a_blocking_attempt_and_not_the_call() {
        let script = Script::of([Busy]);
        assert_eq!((blocks(script), script.runs()), (Ok(30), 3));
        assert_eq!(
            places("question_mark_and_return_left_the_wrapper::blocks"),
            (0, 0)
        );
    }
}

mod a_question_mark_in_a_closure_was_rewritten {
    use crate::support::{Answer, AppError, Script, Step::*};
    use hardening::retryable;

    #[retryable(policy = "composition")]
    async fn asks(script: &Script, texts: &[&str]) -> Answer {
        let parse = |text: &str| -> Result<u32, std::num::ParseIntError> {
            let number: u32 = text.parse()?;
            Ok(number)
        };
        let optional =
            || -> Option<u32> { Some(*texts.iter().find_map(|t| parse(t).ok()).as_ref()?) };
        let later = async {
            script.run().await?;
            if false {
                return Err(AppError::Gone);
            }
            Ok::<_, AppError>(optional())
        };
        later.await?.ok_or(AppError::Gone)
    }

    #[tokio::test(start_paused = true)]
    async fn closures_and_async_blocks_keep_their_own_question_marks() {
        let script = Script::of([Busy]);
        assert_eq!((asks(script, &["x", "7"]).await, script.runs()), (Ok(7), 2));
        let script = Script::of([Busy]);
        assert_eq!(
            (asks(script, &["x"]).await, script.runs()),
            (Err(AppError::Gone), 2)
        );
    }
}

mod an_inner_error_looked_like_a_success {
    use crate::support::{AppError, circuit, figures};
    use hardening::{cached, circuit_breaker, circuit_breaker::State};

    type Outcome<T> = Result<T, AppError>;
    type Fixed = Outcome<()>;

    #[circuit_breaker(failure_threshold = 200)]
    async fn fails() -> Fixed {
        Err(AppError::Busy(0))
    }

    #[cached]
    fn remembers(_id: u8) -> Outcome<u8> {
        Err(AppError::Gone)
    }

    #[tokio::test]
    async fn two_hundred_failures_of_two_hundred_are_seen_through_aliases() {
        for _ in 0..200 {
            assert_eq!(
                circuit("an_inner_error_looked_like_a_success::fails"),
                State::Closed
            );
            fails().await.unwrap_err();
        }
        assert_eq!(
            circuit("an_inner_error_looked_like_a_success::fails"),
            State::Open
        );
        assert_eq!(
            figures("an_inner_error_looked_like_a_success::fails").error,
            200
        );
        remembers(1).unwrap_err();
        remembers(1).unwrap_err();
        assert_eq!(
            figures("an_inner_error_looked_like_a_success::remembers").attempts,
            2
        );
    }
}

mod moved_arguments_failed_on_the_second_attempt {
    use crate::support::{AppError, Script, Step::*};
    use hardening::retryable;

    #[retryable(policy = "composition", clone(text, many))]
    async fn takes(
        script: &Script,
        mut text: String,
        many: Vec<u8>,
    ) -> Result<(String, usize), AppError> {
        text.push('!');
        let (text, many) = (text, many);
        script.run().await?;
        Ok((text, many.into_boxed_slice().len()))
    }

    #[tokio::test(start_paused = true)]
    async fn each_attempt_gets_its_own_copy() {
        let script = Script::of([Busy, Busy]);
        let taken = takes(script, "hi".to_owned(), vec![1, 2]).await;
        assert_eq!((taken, script.runs()), (Ok(("hi!".to_owned(), 2)), 3));
    }
}

mod the_future_was_not_send {
    use crate::support::{AppError, Script, Step::*};
    use hardening::{
        bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable, timeout,
    };
    use std::{error::Error, fmt::Debug, rc::Rc};

    #[fallback(|error| { drop(error); tokio::task::yield_now().await; Ok(5) })]
    #[cached(key = name)]
    #[timeout(call = 60, attempt = 10)]
    #[rate_limited(capacity = 100, window_seconds = 1, key = name)]
    #[retryable(policy = "composition", base_delay = "1ms")]
    #[circuit_breaker(name = "regressions send")]
    #[bulkhead(name = "regressions send")]
    async fn all_layers<'a, T: Debug + Send + Sync>(
        script: &'a Script,
        name: &'a str,
        _with: &T,
    ) -> Result<u32, AppError> {
        script.run().await
    }

    // An error that is not `Send` is in no future across a wait.
    #[fallback(|error| if error.to_string().is_empty() { Err(error) } else { Ok(5) })]
    #[cached(key = ())]
    #[timeout(call = 60, attempt = 10)]
    #[rate_limited(capacity = 100, window_seconds = 1)]
    #[retryable(policy = "composition", base_delay = "1ms", retry_if = |_| true)]
    #[circuit_breaker]
    #[bulkhead]
    async fn local_error(script: &Script) -> Result<u32, Box<dyn Error>> {
        let run = script.run().await?;
        Ok(run)
    }

    #[derive(Debug)]
    struct Local(#[allow(dead_code)] Rc<str>);
    impl From<hardening::Rejected> for Local {
        fn from(rejected: hardening::Rejected) -> Self {
            Self(rejected.to_string().into())
        }
    }

    #[cached(key = ())]
    #[retryable(policy = "composition", base_delay = "1ms", retry_if = |_| true)]
    #[bulkhead(per = "call")]
    async fn opaque_error(script: &Script) -> Result<u32, Local> {
        script
            .run()
            .await
            .map_err(|error| Local(error.to_string().into()))
    }

    const fn is_send<T: Send>(future: T) -> T {
        future
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn it_runs_under_spawn_with_every_layer_and_any_error() {
        let script = Script::of([Busy, Gone]);
        let name = "x".to_owned();
        let spawned = tokio::spawn(async move { is_send(all_layers(script, &name, &1)).await });
        assert_eq!((spawned.await.unwrap(), script.runs()), (Ok(5), 2));
        let script = Script::of([Busy]);
        let spawned = tokio::spawn(async move { is_send(local_error(script)).await.ok() });
        assert_eq!((spawned.await.unwrap(), script.runs()), (Some(2), 2));
        let script = Script::of([Busy]);
        let spawned = tokio::spawn(async move { is_send(opaque_error(script)).await.ok() });
        assert_eq!((spawned.await.unwrap(), script.runs()), (Some(2), 2));
    }
}

mod an_attribute_of_another_crate_was_swallowed {
    use crate::support::AppError;
    use hardening::retryable;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    /// Somebody else's attributes under names that are also ours.
    mod other {
        pub(super) use tokio::test as cached;
        pub(super) use tokio::test as timeout;
    }

    static FIRST: AtomicU32 = AtomicU32::new(0);
    static SECOND: AtomicU32 = AtomicU32::new(0);

    // These are tests only if the other crate's attribute is still there.
    #[retryable(policy = "composition")]
    #[other::cached(start_paused = true)]
    async fn it_stays_below_ours() -> Result<(), AppError> {
        if FIRST.fetch_add(1, SeqCst) == 0 {
            return Err(AppError::Busy(1));
        }
        assert_eq!(hardening::attempt(), 2);
        Ok(())
    }

    // It runs first, and leaves a blocking function to ours.
    #[other::timeout(start_paused = true)]
    #[retryable(policy = "composition", base_delay = "1ms")]
    async fn it_stays_above_ours() -> Result<(), AppError> {
        if SECOND.fetch_add(1, SeqCst) == 0 {
            return Err(AppError::Busy(1));
        }
        assert_eq!(hardening::attempt(), 2);
        Ok(())
    }
}

/// The crate denies warnings: these imports are only named by attributes that another one took.
mod an_import_was_left_unused {
    use crate::support::{Answer, Script};
    use hardening::{
        bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable, timeout,
    };

    #[retryable(policy = "composition")]
    #[fallback(|_| Ok(0))]
    #[cached(key = ())]
    #[timeout("10s")]
    #[rate_limited(capacity = 1, window_seconds = 1)]
    #[circuit_breaker]
    #[bulkhead]
    pub(super) async fn asks(script: &Script) -> Answer {
        script.run().await
    }

    #[tokio::test(start_paused = true)]
    async fn they_all_wrap() {
        assert_eq!(asks(Script::of([])).await, Ok(1));
        let sites = hardening::sites();
        let site = sites
            .iter()
            .find(|site| site.path.ends_with("an_import_was_left_unused::asks"));
        assert_eq!(site.unwrap().layers.len(), 7);
    }
}

mod names_of_ours_met_names_of_the_users {
    #![allow(clippy::too_many_arguments)]
    use crate::support::{AppError, Script, Step::*};
    use hardening::{
        bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable, timeout,
    };

    #[allow(dead_code, non_camel_case_types)]
    mod core {}
    #[allow(dead_code)]
    mod std {}
    #[allow(dead_code)]
    mod hardening_runtime {}
    #[allow(dead_code, non_snake_case)]
    fn Ok() {}
    #[allow(dead_code)]
    trait Drop {}
    #[allow(unused_macros)]
    macro_rules! panic {
        () => {
            compile_error!("theirs")
        };
    }

    #[fallback(|error| Err(error))]
    #[cached(key = (call, outcome, key))]
    #[timeout(call = 60, attempt = 10)]
    #[rate_limited(capacity = 100, window_seconds = 1, key = key, cost = cost)]
    #[retryable(policy = "composition", clone(retry))]
    #[circuit_breaker]
    #[bulkhead]
    async fn asks(
        call: u8,
        outcome: u8,
        key: u8,
        cost: u32,
        site: &Script,
        delay: u8,
        retry: Box<u8>,
        (place, probe): (u8, u8),
        shape: [u8; 2],
    ) -> Result<u32, AppError> {
        let sum = call + outcome + key + delay + *{ retry } + place + probe + shape[0] + shape[1];
        let run = site.run().await?;
        Result::Ok(u32::from(sum) + run * 100)
    }

    #[::tokio::test(start_paused = true)]
    async fn neither_sees_the_other() {
        let script = Script::of([Busy]);
        let sum = asks(1, 1, 1, 1, script, 1, Box::new(1), (1, 1), [1, 1]).await;
        assert_eq!((sum, script.runs()), (Result::Ok(209), 2));
    }
}

mod a_check_in_an_impl_block_did_not_compile {
    use crate::support::AppError;
    use hardening::{health::registry, health_check, retryable, timeout};
    use std::{
        marker::PhantomData,
        sync::atomic::{AtomicU32, Ordering::SeqCst},
    };

    static PINGS: AtomicU32 = AtomicU32::new(0);
    static FLUSHES: AtomicU32 = AtomicU32::new(0);

    struct Db;

    impl Db {
        /// Its documentation.
        #[health_check(name = "regressions ping")]
        async fn ping() -> bool {
            tokio::task::yield_now().await;
            PINGS.fetch_add(1, SeqCst) < 10
        }

        #[must_use]
        #[health_check(name = "regressions unused")]
        fn never_called_by_hand() -> bool {
            true
        }
    }

    struct Disk<T>(PhantomData<T>);

    impl<T> Disk<T> {
        #[health_check(name = "regressions flush")]
        fn flush() -> Result<(), AppError> {
            if FLUSHES.fetch_add(1, SeqCst) > 10 {
                return Err(AppError::Gone);
            }
            Ok(())
        }
    }

    static GUARDED: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];

    struct Guarded;

    impl Guarded {
        #[health_check(name = "regressions above")]
        #[retryable(max_attempts = 2, base_delay = 0)]
        #[timeout("5s")]
        async fn above() -> Result<(), AppError> {
            second(&GUARDED[0])
        }

        #[retryable(max_attempts = 2, base_delay = 0)]
        #[health_check(name = "regressions below")]
        fn below() -> Result<(), AppError> {
            second(&GUARDED[1])
        }
    }

    #[retryable(max_attempts = 2, base_delay = 0)]
    impl Guarded {
        #[health_check(name = "regressions block")]
        async fn block() -> Result<(), AppError> {
            second(&GUARDED[2])
        }
    }

    /// Every second run is good.
    fn second(runs: &AtomicU32) -> Result<(), AppError> {
        match runs.fetch_add(1, SeqCst) % 2 {
            0 => Err(AppError::Busy(1)),
            _ => Ok(()),
        }
    }

    /// Of checks that our attributes wrap, above and below.
    async fn they_run_through_their_layers() {
        let runs = || GUARDED.each_ref().map(|runs| runs.load(SeqCst));
        assert_eq!(runs(), [2, 2, 2]);
        assert_eq!(Guarded::above().await, Ok(()));
        assert_eq!(Guarded::below(), Ok(()));
        assert_eq!(Guarded::block().await, Ok(()));
        assert_eq!(runs(), [4, 4, 4]);
        let sites = hardening::sites();
        for name in ["above", "below", "block"] {
            let path = format!("impl_block_did_not_compile::Guarded::{name}");
            let found = sites.iter().filter(|site| site.path.ends_with(&path));
            assert_eq!(found.count(), 1, "{path}");
        }
    }

    trait Checked {
        fn check() -> impl Future<Output = bool>;
    }

    impl Checked for Disk<u8> {
        #[health_check(name = "regressions trait")]
        async fn check() -> bool {
            Db::ping().await
        }
    }

    #[tokio::test]
    async fn it_is_found_at_link_time_and_can_be_called() {
        let report = registry().run_all().await;
        for name in [
            "ping", "unused", "flush", "trait", "above", "below", "block",
        ] {
            let check = &report.checks[&format!("regressions {name}")];
            assert_eq!(check.message, None);
        }
        assert_eq!((PINGS.load(SeqCst), FLUSHES.load(SeqCst)), (2, 1));
        assert!(Db::ping().await && Disk::check().await);
        assert_eq!(Disk(PhantomData::<u16>).0, PhantomData);
        assert_eq!(Disk::<u16>::flush(), Ok(()));
        assert_eq!((PINGS.load(SeqCst), FLUSHES.load(SeqCst)), (4, 2));
        they_run_through_their_layers().await;
    }
}
