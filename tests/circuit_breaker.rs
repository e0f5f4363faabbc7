//! `#[circuit_breaker]` by itself.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{Rejected, circuit_breaker};
use std::{future::pending, time::Duration};
use support::{AppError, AppResult, Runs, pass};

#[allow(
    clippy::needless_pass_by_value,
    reason = "reads better where it is called"
)]
fn is_open<T>(result: AppResult<T>) -> bool {
    matches!(
        result,
        Err(AppError::Rejected(Rejected::CircuitOpen { .. }))
    )
}

#[tokio::test(start_paused = true)]
async fn consecutive_failures_open_the_circuit_and_a_good_probe_closes_it() {
    #[circuit_breaker(policy = "breaker_two")]
    async fn ask(runs: &Runs, answer: AppResult<u32>) -> AppResult<u32> {
        runs.up();
        answer
    }
    let runs = Runs::new();
    let failed = || Err(AppError::Busy);
    let _ = ask(&runs, failed()).await;
    let _ = ask(&runs, Ok(1)).await;
    let _ = ask(&runs, failed()).await;
    assert_eq!(
        ask(&runs, Ok(2)).await,
        Ok(2),
        "a success in between begins anew"
    );
    let _ = ask(&runs, failed()).await;
    let _ = ask(&runs, failed()).await;
    runs.take();
    let open = ask(&runs, Ok(3)).await.unwrap_err().rejected();
    assert_eq!(open.retry_after(), Some(Duration::from_secs(10)));
    assert!(open.name().ends_with("::ask"), "{open}");
    assert_eq!(runs.get(), 0, "an open circuit runs no body");
    pass(9.9).await;
    assert!(is_open(ask(&runs, Ok(4)).await));
    pass(0.1).await;
    assert_eq!(ask(&runs, Ok(5)).await, Ok(5), "the probe");
    assert_eq!(ask(&runs, Ok(6)).await, Ok(6), "closed");
    assert_eq!(runs.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_bad_probe_opens_again_for_longer_up_to_the_maximum() {
    #[circuit_breaker(
        failure_threshold = 1,
        open_for = "10s",
        open_for_multiplier = 2.0,
        open_for_max = "30s"
    )]
    async fn ask() -> AppResult<()> {
        Err(AppError::Busy)
    }
    for open_for in [10, 20, 30, 30] {
        assert_eq!(ask().await, Err(AppError::Busy));
        let open = ask().await.unwrap_err().rejected();
        assert_eq!(open.retry_after(), Some(Duration::from_secs(open_for)));
        pass(f64::from(u32::try_from(open_for).unwrap())).await;
    }
}

#[tokio::test(start_paused = true)]
async fn half_open_admits_as_many_probes_as_it_says() {
    #[circuit_breaker(
        failure_threshold = 1,
        open_for = 1,
        half_open_calls = 2,
        success_threshold = 2
    )]
    async fn ask(runs: &Runs, fail: bool) -> AppResult<()> {
        runs.up();
        tokio::time::sleep(Duration::from_millis(100)).await;
        if fail { Err(AppError::Busy) } else { Ok(()) }
    }
    let runs = Runs::new();
    let _ = ask(&runs, true).await;
    pass(1.0).await;
    runs.take();
    let (a, b, c, d) = tokio::join!(
        ask(&runs, false),
        ask(&runs, false),
        ask(&runs, false),
        ask(&runs, false)
    );
    assert_eq!(runs.get(), 2);
    assert!(a.is_ok() && b.is_ok() && is_open(c) && is_open(d));
    assert_eq!(ask(&runs, false).await, Ok(()), "two successes closed it");
}

#[tokio::test(start_paused = true)]
async fn a_failure_rate_counts_once_enough_calls_are_in() {
    #[circuit_breaker(
        failure_threshold = 1000,
        failure_rate = 0.5,
        minimum_calls = 4,
        window = "10s"
    )]
    async fn ask(fail: bool) -> AppResult<()> {
        if fail { Err(AppError::Busy) } else { Ok(()) }
    }
    let _ = ask(true).await;
    let _ = ask(true).await;
    let _ = ask(false).await;
    assert!(!is_open(ask(true).await), "the fourth call still ran");
    assert!(is_open(ask(false).await));
}

#[tokio::test(start_paused = true)]
async fn a_window_of_calls_slides() {
    #[circuit_breaker(failure_threshold = 1000, failure_rate = 0.5, window_calls = 4)]
    async fn ask(fail: bool) -> AppResult<()> {
        if fail { Err(AppError::Busy) } else { Ok(()) }
    }
    for _ in 0..100 {
        ask(false).await.unwrap();
    }
    let _ = ask(true).await;
    assert_eq!(ask(true).await, Err(AppError::Busy), "one of the last four");
    assert!(is_open(ask(false).await), "two of the last four");
}

#[tokio::test(start_paused = true)]
async fn slow_successes_open_the_circuit() {
    #[circuit_breaker(slow_call = "1s", slow_call_rate = 1.0, minimum_calls = 2)]
    async fn ask() -> AppResult<()> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok(())
    }
    assert_eq!((ask().await, ask().await), (Ok(()), Ok(())));
    assert!(is_open(ask().await));
}

#[tokio::test(start_paused = true)]
async fn permanent_errors_are_neutral() {
    #[circuit_breaker(failure_threshold = 2, open_for = 10)]
    async fn ask(answer: AppResult<()>) -> AppResult<()> {
        answer
    }
    for _ in 0..10 {
        assert_eq!(ask(Err(AppError::Gone)).await, Err(AppError::Gone));
    }
    let _ = ask(Err(AppError::Busy)).await;
    let _ = ask(Err(AppError::Gone)).await;
    let _ = ask(Err(AppError::Busy)).await;
    assert!(
        is_open(ask(Ok(())).await),
        "a neutral call does not end the row"
    );
    pass(10.0).await;
    let _ = ask(Err(AppError::Gone)).await;
    let _ = ask(Err(AppError::Busy)).await;
    assert!(
        is_open(ask(Ok(())).await),
        "a neutral probe neither closes nor keeps its place"
    );
}

#[tokio::test(start_paused = true)]
async fn without_classify_every_error_is_a_failure() {
    #[derive(Debug, PartialEq)]
    struct Plain;
    impl From<Rejected> for Plain {
        fn from(_: Rejected) -> Self {
            Self
        }
    }
    #[circuit_breaker(failure_threshold = 1)]
    async fn ask(runs: &Runs) -> Result<(), Plain> {
        runs.up();
        Err(Plain)
    }
    let runs = Runs::new();
    for _ in 0..3 {
        let _ = ask(&runs).await;
    }
    assert_eq!(runs.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn failure_if_says_which_results_are_failures() {
    fn is_empty(result: &AppResult<Vec<u8>>) -> bool {
        result.as_ref().is_ok_and(Vec::is_empty)
    }
    #[circuit_breaker(failure_threshold = 1, failure_if = is_empty)]
    async fn by_path(answer: AppResult<Vec<u8>>) -> AppResult<Vec<u8>> {
        answer
    }
    #[circuit_breaker(failure_threshold = 1, failure_if = |result| result.is_err() && strict)]
    async fn by_closure(strict: bool) -> AppResult<()> {
        Err(AppError::Gone)
    }
    assert_eq!(by_path(Err(AppError::Busy)).await, Err(AppError::Busy));
    assert_eq!(by_path(Ok(vec![1])).await, Ok(vec![1]));
    assert_eq!(
        by_path(Ok(vec![])).await,
        Ok(vec![]),
        "the result is passed on"
    );
    assert!(is_open(by_path(Ok(vec![1])).await));
    assert_eq!(by_closure(false).await, Err(AppError::Gone));
    assert_eq!(by_closure(true).await, Err(AppError::Gone));
    assert!(is_open(by_closure(false).await));
}

#[tokio::test(start_paused = true)]
async fn functions_of_one_name_share_a_circuit() {
    #[circuit_breaker(name = "breaker of two functions", failure_threshold = 1)]
    async fn one() -> AppResult<()> {
        Err(AppError::Busy)
    }
    #[circuit_breaker(name = "breaker of two functions", failure_threshold = 1)]
    fn other() -> AppResult<()> {
        Ok(())
    }
    assert_eq!(other(), Ok(()));
    let _ = one().await;
    let open = other().unwrap_err().rejected();
    assert_eq!(open.name(), "breaker of two functions");
}

mod here {
    use crate::support::{AppError, AppResult};
    #[hardening::circuit_breaker(failure_threshold = 1)]
    pub(super) async fn same() -> AppResult<()> {
        Err(AppError::Busy)
    }
}

mod there {
    use crate::support::AppResult;
    #[hardening::circuit_breaker(failure_threshold = 1)]
    pub(super) async fn same() -> AppResult<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn functions_of_one_name_in_two_modules_never_share() {
    let _ = here::same().await;
    assert!(is_open(here::same().await));
    assert_eq!(there::same().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn methods_of_one_name_on_two_types_never_share() {
    struct One;
    struct Other;
    trait Ask {
        async fn ask(&self) -> AppResult<()>;
    }
    impl Ask for One {
        #[circuit_breaker(failure_threshold = 1)]
        async fn ask(&self) -> AppResult<()> {
            Err(AppError::Busy)
        }
    }
    impl Ask for Other {
        #[circuit_breaker(failure_threshold = 1)]
        async fn ask(&self) -> AppResult<()> {
            Ok(())
        }
    }
    let _ = One.ask().await;
    assert!(is_open(One.ask().await));
    assert_eq!(Other.ask().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_and_is_raised_again() {
    #[circuit_breaker(failure_threshold = 1)]
    async fn ask(fine: bool) -> AppResult<()> {
        assert!(fine, "a body of the test");
        Ok(())
    }
    assert!(tokio::spawn(ask(false)).await.unwrap_err().is_panic());
    assert!(is_open(ask(true).await));
}

#[tokio::test(start_paused = true)]
async fn callers_that_give_up_in_a_row_open_the_circuit() {
    #[circuit_breaker(failure_threshold = 3)]
    async fn ask(hang: bool) -> AppResult<()> {
        if hang {
            pending::<()>().await;
        }
        Ok(())
    }
    let give_up = || async {
        let second = Duration::from_secs(1);
        tokio::time::timeout(second, ask(true)).await.unwrap_err();
    };
    give_up().await;
    give_up().await;
    assert_eq!(
        ask(false).await,
        Ok(()),
        "a call in between begins the row anew"
    );
    give_up().await;
    give_up().await;
    assert_eq!(ask(false).await, Ok(()));
    for _ in 0..3 {
        give_up().await;
    }
    assert!(is_open(ask(false).await));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_gives_its_place_back() {
    #[circuit_breaker(failure_threshold = 2, open_for = 1)]
    async fn ask(answer: Option<AppResult<()>>) -> AppResult<()> {
        match answer {
            Some(answer) => answer,
            None => pending().await,
        }
    }
    let _ = ask(Some(Err(AppError::Busy))).await;
    let _ = ask(Some(Err(AppError::Busy))).await;
    assert!(is_open(ask(Some(Ok(()))).await));
    pass(1.0).await;
    drop(tokio::time::timeout(Duration::from_millis(1), ask(None)).await);
    assert_eq!(ask(Some(Ok(()))).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn one_caller_that_goes_away_neither_opens_nor_reopens_a_circuit_of_threshold_one() {
    #[circuit_breaker(failure_threshold = 1, open_for = 1)]
    async fn ask(answer: Option<AppResult<()>>) -> AppResult<()> {
        match answer {
            Some(answer) => answer,
            None => pending().await,
        }
    }
    let give_up = async || drop(tokio::time::timeout(Duration::from_millis(1), ask(None)).await);
    give_up().await;
    assert_eq!(ask(Some(Ok(()))).await, Ok(()));
    let _ = ask(Some(Err(AppError::Busy))).await;
    assert!(is_open(ask(Some(Ok(()))).await));
    pass(1.0).await;
    give_up().await;
    assert_eq!(ask(Some(Ok(()))).await, Ok(()));
    give_up().await;
    give_up().await;
    assert!(is_open(ask(Some(Ok(()))).await), "it only hangs");
}

#[tokio::test(start_paused = true)]
async fn a_late_result_counts_only_in_the_state_in_which_its_call_began() {
    #[circuit_breaker(failure_threshold = 1, open_for = 10)]
    async fn ask(after: u64, answer: AppResult<()>) -> AppResult<()> {
        tokio::time::sleep(Duration::from_secs(after)).await;
        answer
    }
    let late = tokio::spawn(ask(5, Ok(())));
    tokio::task::yield_now().await;
    let _ = ask(0, Err(AppError::Busy)).await;
    assert_eq!(late.await.unwrap(), Ok(()));
    assert!(
        is_open(ask(0, Ok(())).await),
        "a success from before does not close it"
    );
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_switched_off_never_opens() {
    #[circuit_breaker(policy = "breaker_off")]
    async fn ask(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }
    let runs = Runs::new();
    for _ in 0..5 {
        assert_eq!(ask(&runs).await, Err(AppError::Busy));
    }
    assert_eq!(runs.get(), 5);
}

#[tokio::test(start_paused = true)]
async fn in_observe_mode_an_open_circuit_lets_calls_through_and_counts_them() {
    #[circuit_breaker(policy = "breaker_observed")]
    async fn ask(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }
    let runs = Runs::new();
    for _ in 0..4 {
        assert_eq!(ask(&runs).await, Err(AppError::Busy));
    }
    assert_eq!(runs.get(), 4);
    let snapshot = hardening::snapshot();
    let path = "in_observe_mode_an_open_circuit_lets_calls_through_and_counts_them::ask";
    let figures = &snapshot.site(path).unwrap().figures;
    assert_eq!((figures.error, figures.rejected_by.circuit_breaker), (4, 0));
    assert_eq!(figures.would_have.circuit_open, 3);
}

#[tokio::test(start_paused = true)]
async fn methods_and_generic_functions_have_one_circuit_each() {
    struct Client(u32);
    impl Client {
        #[circuit_breaker(failure_threshold = 1)]
        async fn shared(&self) -> AppResult<u32> {
            Err(AppError::Busy)
        }
        #[circuit_breaker(failure_threshold = 1)]
        async fn exclusive(&mut self) -> AppResult<u32> {
            self.0 += 1;
            Ok(self.0)
        }
        #[circuit_breaker(failure_threshold = 1)]
        fn associated() -> AppResult<Self> {
            Ok(Self(0))
        }
    }
    #[circuit_breaker(failure_threshold = 1)]
    async fn generic<T: Send>(value: T, fail: bool) -> AppResult<T> {
        if fail { Err(AppError::Busy) } else { Ok(value) }
    }
    let mut client = Client::associated().unwrap();
    let _ = client.shared().await;
    assert!(is_open(client.shared().await));
    assert_eq!(client.exclusive().await, Ok(1));
    let _ = generic(1_u8, true).await;
    assert!(is_open(generic("all types share one", false).await));
}
