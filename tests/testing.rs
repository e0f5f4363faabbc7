//! `hardening::testing`. Every test here takes `alone()`, because it changes what all functions of
//! the program have in common.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{
    Rejected, bulkhead, cached, circuit_breaker, fallback, rate_limited,
    retry::{Retry, RetryPolicy, retry, retry_blocking},
    retryable,
    testing::{self, Fault, alone, cap_attempts, configure, inject},
    timeout,
};
use std::time::Duration;
use support::{AppError, AppResult, Runs, assert_took, timed};

#[retryable(policy = "expensive")]
async fn retried(runs: &Runs) -> AppResult<u32> {
    Ok(runs.up())
}

#[retryable(policy = "expensive")]
async fn failing(runs: &Runs) -> AppResult<u32> {
    runs.up();
    Err(AppError::Busy)
}

#[retryable(policy = "expensive")]
fn blocking(runs: &Runs) -> AppResult<u32> {
    Ok(runs.up())
}

#[tokio::test(start_paused = true)]
async fn an_injected_failure_takes_the_place_of_the_body() {
    let _alone = alone();
    inject("testing::retried", Fault::fail().times(2));
    let runs = Runs::new();
    let (answer, took) = timed(retried(&runs)).await;
    assert_eq!((answer, runs.get()), (Ok(1), 1));
    assert_took(took, 1.0 + 2.0);
    assert_eq!(retried(&runs).await, Ok(2), "two times, and no more");
}

#[tokio::test(start_paused = true)]
async fn a_site_is_found_by_the_end_of_its_path() {
    let _alone = alone();
    inject("retried", Fault::fail());
    inject("tried", Fault::panic());
    let runs = Runs::new();
    let refused = retried(&runs).await.unwrap_err().rejected();
    assert!(matches!(
        refused,
        Rejected::TimedOut {
            name: "testing::retried",
            ..
        }
    ));
    assert_eq!(
        (runs.get(), blocking(&runs)),
        (0, Ok(1)),
        "others are left alone"
    );
}

#[tokio::test(start_paused = true)]
async fn a_name_is_a_target_too_and_means_every_function_that_declares_it() {
    #[circuit_breaker(name = "testing_ai")]
    async fn one(runs: &Runs) -> AppResult<u32> {
        Ok(runs.up())
    }
    #[bulkhead(name = "testing_ai")]
    fn other(runs: &Runs) -> AppResult<u32> {
        Ok(runs.up())
    }
    let _alone = alone();
    let runs = Runs::new();
    inject("testing_ai", Fault::fail());
    assert!(one(&runs).await.is_err() && other(&runs).is_err());
    assert_eq!(retried(&runs).await, Ok(1), "others are left alone");
    testing::reset();
    inject("expensive", Fault::fail());
    inject("ai", Fault::fail());
    assert_eq!(retried(&runs).await, Ok(2), "a policy is no name");
    assert_eq!(one(&runs).await, Ok(3), "nor is the end of one");
}

#[tokio::test(start_paused = true)]
async fn a_fault_for_all_attempts_takes_the_place_of_the_one_before() {
    let _alone = alone();
    let runs = Runs::new();
    inject("retried", Fault::fail().times(1));
    inject("retried", Fault::panic());
    inject("retried", Fault::delay(Duration::from_secs(7)));
    let (answer, took) = timed(retried(&runs)).await;
    assert_eq!(answer, Ok(1));
    assert_took(took, 1.0 + 7.0);
    inject("retried", Fault::delay(Duration::from_secs(3)).times(1));
    assert_took(timed(retried(&runs)).await.1, 3.0);
    assert_took(timed(retried(&runs)).await.1, 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_failure_in_a_function_that_cannot_fail_says_so() {
    #[cached(key = ())]
    async fn plain() -> u32 {
        7
    }
    #[cached(key = ())]
    async fn optional() -> Option<u32> {
        Some(7)
    }
    let _alone = alone();
    inject("optional", Fault::fail());
    assert_eq!(optional().await, None);
    inject("plain", Fault::fail());
    let panic = tokio::spawn(plain()).await.unwrap_err().into_panic();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("a plain value cannot fail"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn rejections_panics_and_delays_can_be_injected() {
    #[timeout("5s")]
    #[fallback(|error| match error {
        AppError::Rejected(Rejected::BulkheadFull { name }) => Ok(name.to_owned()),
        other => Err(other),
    })]
    async fn ask() -> AppResult<String> {
        Ok("body".to_owned())
    }
    let _alone = alone();
    inject(
        "ask",
        Fault::reject(Rejected::BulkheadFull { name: "injected" }).times(1),
    );
    inject("ask", Fault::delay(Duration::from_secs(2)).times(1));
    inject("ask", Fault::fail().after(Duration::from_secs(1)).times(1));
    inject("ask", Fault::panic().times(1));
    assert_eq!(ask().await, Ok("injected".to_owned()));
    let (answer, took) = timed(ask()).await;
    assert_eq!(answer, Ok("body".to_owned()));
    assert_took(took, 2.0);
    let (answer, took) = timed(ask()).await;
    assert!(answer.is_err());
    assert_took(took, 1.0);
    assert!(tokio::spawn(ask()).await.unwrap_err().is_panic());
    assert_eq!(ask().await, Ok("body".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_injected_delay_is_bounded_by_the_timeout() {
    #[timeout("5s")]
    async fn ask() -> AppResult<()> {
        Ok(())
    }
    let _alone = alone();
    inject("ask", Fault::delay(Duration::from_secs(60)));
    let (answer, took) = timed(ask()).await;
    assert!(
        matches!(answer, Err(AppError::Rejected(Rejected::TimedOut { .. }))),
        "{answer:?}"
    );
    assert_took(took, 5.0);
}

#[tokio::test(start_paused = true)]
async fn blocking_functions_are_injected_into_as_well() {
    let _alone = alone();
    inject("testing::blocking", Fault::fail().times(1));
    inject(
        "testing::blocking",
        Fault::delay(Duration::from_secs(3)).times(1),
    );
    let runs = Runs::new();
    let (answer, took) = timed(async { blocking(&runs) }).await;
    assert_eq!(answer, Ok(1));
    assert_took(took, 1.0 + 3.0);
}

#[tokio::test(start_paused = true)]
async fn attempts_can_be_capped() {
    let _alone = alone();
    let runs = Runs::new();
    cap_attempts(2);
    let _ = failing(&runs).await;
    assert_eq!(runs.take(), 2);
    cap_attempts(1);
    let _ = failing(&runs).await;
    assert_eq!(runs.take(), 1);
    testing::reset();
    let _ = failing(&runs).await;
    assert_eq!(runs.take(), 5);
}

#[tokio::test(start_paused = true)]
async fn attempts_outside_of_annotated_functions_are_capped_too() {
    let _alone = alone();
    let runs = Runs::new();
    let fail = || {
        runs.up();
        Err::<(), _>(AppError::Busy)
    };
    let policy = RetryPolicy::default();
    let kept = Retry::new(policy.clone());
    for attempts in [1, 2] {
        cap_attempts(attempts);
        retry(&policy, || async { fail() }).await.unwrap_err();
        assert_eq!(runs.take(), attempts);
        kept.call(|| async { fail() }).await.unwrap_err();
        assert_eq!(runs.take(), attempts);
        retry_blocking(&policy, fail).unwrap_err();
        assert_eq!(runs.take(), attempts);
        retry("expensive", || async { fail() }).await.unwrap_err();
        assert_eq!(runs.take(), attempts);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_forgets_every_state_setting_and_figure() {
    #[circuit_breaker(failure_threshold = 1)]
    #[rate_limited(capacity = 1, window_seconds = 60, key = "circuit")]
    async fn guarded() -> AppResult<()> {
        Err(AppError::Busy)
    }
    #[cached(key = ())]
    async fn remembered(runs: &Runs) -> AppResult<u32> {
        Ok(runs.up())
    }
    let _alone = alone();
    let runs = Runs::new();
    configure("runtime: {retry: {expensive_policy: {max_attempts: 2}}, rate_limiting: {defaults: {search: {capacity: 1, window_seconds: 1}}}}").unwrap();
    for _ in 0..2 {
        let _ = failing(&runs).await;
        assert_eq!(runs.take(), 2);
        assert_eq!(remembered(&runs).await, Ok(1));
        assert_eq!(guarded().await, Err(AppError::Busy));
        assert!(matches!(guarded().await, Err(AppError::Rejected(_))));
        assert_eq!(
            hardening::snapshot()
                .site("testing::failing")
                .unwrap()
                .figures
                .error,
            1
        );
        assert_eq!(hardening::check_rate_limit("search", &1), Ok(()));
        runs.take();
        testing::reset();
        let empty = hardening::snapshot();
        assert_eq!(empty.site("testing::failing").unwrap().figures.calls(), 0);
        configure("runtime: {retry: {expensive_policy: {max_attempts: 2}}, rate_limiting: {defaults: {search: {capacity: 1, window_seconds: 1}}}}").unwrap();
    }
    testing::reset();
    let _ = failing(&runs).await;
    assert_eq!(runs.take(), 5, "the file's again");
}

#[tokio::test(start_paused = true)]
async fn a_configuration_can_be_put_in_force_and_a_bad_one_changes_nothing() {
    let _alone = alone();
    let runs = Runs::new();
    let good = "runtime: {retry: {expensive_policy: {max_attempts: 2}}}";
    configure(good).unwrap();
    let _ = failing(&runs).await;
    assert_eq!(runs.take(), 2);
    let errors = configure("runtime: {retry: {quick_policy: {}}}").unwrap_err();
    assert!(errors.to_string().contains("expensive"), "{errors}");
    assert!(configure("runtime: {retry: {expensive_policy: {max_attempts: 101}}}").is_err());
    let _ = failing(&runs).await;
    assert_eq!(runs.take(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_seed_makes_the_jitter_repeatable() {
    #[retryable(max_attempts = 4, base_delay = 1, jitter = "full")]
    async fn ask() -> AppResult<()> {
        Err(AppError::Busy)
    }
    let _alone = alone();
    testing::seed(7);
    let one = timed(ask()).await.1;
    testing::seed(7);
    let same = timed(ask()).await.1;
    testing::seed(8);
    let other = timed(ask()).await.1;
    assert!((one - same).abs() < 0.01, "{one} {same}");
    assert!((one - other).abs() > 0.01, "{one} {other}");
}

#[test]
fn a_reset_forgets_the_status_codes() {
    let _alone = alone();
    let transient = || [418, 503].map(|status| hardening::classify_status(status).is_transient());
    assert_eq!(transient(), [false, true]);
    configure("runtime: {retry: {retryable_codes: [418], expensive_policy: {}}}").unwrap();
    assert_eq!(transient(), [true, false]);
    testing::reset();
    assert_eq!(transient(), [false, true]);
}
