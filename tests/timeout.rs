//! `#[timeout]` by itself.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{Rejected, timeout};
use std::{future::pending, io, time::Duration};
use support::{AppError, AppResult, assert_took, timed};

async fn slow(seconds: f64) -> f64 {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    seconds
}

fn late<T>(result: AppResult<T>) -> Duration {
    match result {
        Err(AppError::Rejected(Rejected::TimedOut { after, .. })) => after,
        Err(other) => panic!("not a timeout: {other}"),
        Ok(_) => panic!("in time"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_too_long_is_dropped_and_says_so() {
    struct Dropped<'a>(&'a std::cell::Cell<bool>);
    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    #[timeout("15s")]
    async fn ask(seconds: f64, dropped: &std::cell::Cell<bool>) -> AppResult<f64> {
        let _guard = Dropped(dropped);
        Ok(slow(seconds).await)
    }
    let dropped = std::cell::Cell::new(false);
    assert_eq!(ask(14.9, &dropped).await, Ok(14.9));
    dropped.set(false);
    let (answer, took) = timed(ask(100.0, &dropped)).await;
    assert_took(took, 15.0);
    assert!(dropped.get());
    let rejected = answer.unwrap_err().rejected();
    let name = "timeout::a_call_that_takes_too_long_is_dropped_and_says_so::ask";
    let after = Duration::from_secs(15);
    assert_eq!(rejected, Rejected::TimedOut { name, after });
}

#[tokio::test(start_paused = true)]
async fn the_time_is_written_in_every_form() {
    #[timeout(2)]
    async fn number() -> AppResult<()> {
        pending().await
    }
    #[timeout(0.5)]
    async fn part() -> AppResult<()> {
        pending().await
    }
    #[timeout("500ms")]
    async fn text() -> AppResult<()> {
        pending().await
    }
    #[timeout(call = "1m")]
    async fn call() -> AppResult<()> {
        pending().await
    }
    #[timeout]
    async fn default() -> AppResult<()> {
        pending().await
    }
    assert_took(timed(number()).await.1, 2.0);
    assert_took(timed(part()).await.1, 0.5);
    assert_took(timed(text()).await.1, 0.5);
    assert_took(timed(call()).await.1, 60.0);
    assert_took(timed(default()).await.1, 15.0);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_with_more_time_than_the_call_inherits_ends_with_the_call() {
    #[timeout(attempt = "30s")]
    async fn ask() -> AppResult<()> {
        pending().await
    }
    let (answer, took) = timed(ask()).await;
    assert_took(took, 15.0);
    assert_eq!(late(answer), Duration::from_secs(15));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_has_a_time_of_its_own() {
    #[timeout(call = "30s", attempt = "5s")]
    async fn both() -> AppResult<()> {
        pending().await
    }
    #[timeout(attempt = 3)]
    async fn attempt() -> AppResult<()> {
        pending().await
    }
    let (answer, took) = timed(both()).await;
    assert_took(took, 5.0);
    assert_eq!(late(answer), Duration::from_secs(5));
    let (answer, took) = timed(attempt()).await;
    assert_took(took, 3.0);
    assert_eq!(late(answer), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_selected_by_name_and_inline_settings_win() {
    #[timeout(policy = "timeout_strict")]
    async fn strict() -> AppResult<()> {
        pending().await
    }
    #[timeout(policy = "timeout_strict", attempt = "1s")]
    async fn inline() -> AppResult<()> {
        pending().await
    }
    assert_took(timed(strict()).await.1, 0.5);
    assert_took(timed(inline()).await.1, 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_switched_off_bounds_nothing() {
    #[timeout(policy = "timeout_off")]
    async fn ask() -> AppResult<f64> {
        assert!(hardening::deadline().is_none());
        Ok(slow(100.0).await)
    }
    assert_eq!(ask().await, Ok(100.0));
}

#[tokio::test(start_paused = true)]
async fn the_body_sees_its_deadline_also_through_nested_functions() {
    #[timeout("10s")]
    async fn outer() -> AppResult<()> {
        assert_eq!(left(), 10_000);
        slow(3.0).await;
        inner().await?;
        wider().await
    }
    #[timeout("2s")]
    async fn inner() -> AppResult<()> {
        assert_eq!(left(), 2_000);
        Ok(())
    }
    #[timeout("1h")]
    async fn wider() -> AppResult<()> {
        assert_eq!(left(), 7_000, "the nearest deadline of all calls around");
        Ok(())
    }
    fn left() -> u128 {
        let deadline = hardening::deadline().expect("a deadline");
        let left = deadline - tokio::time::Instant::now().into_std();
        left.as_millis()
    }
    assert!(hardening::deadline().is_none());
    assert_eq!(outer().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_ready_at_once_is_in_time_and_question_marks_leave_it() {
    #[timeout("1ms")]
    async fn ask(fail: bool) -> AppResult<u8> {
        if fail {
            Err(AppError::Gone)?;
        }
        Ok(1)
    }
    assert_eq!(ask(false).await, Ok(1));
    assert_eq!(ask(true).await, Err(AppError::Gone));
}

#[tokio::test(start_paused = true)]
async fn methods_generic_functions_and_other_errors_are_bounded() {
    struct Client(u8);
    impl Client {
        #[timeout("1s")]
        async fn shared(&self) -> AppResult<u8> {
            pending().await
        }
        #[timeout("1s")]
        async fn exclusive(&mut self) -> AppResult<u8> {
            self.0 += 1;
            pending().await
        }
        #[timeout("1s")]
        async fn new() -> AppResult<Self> {
            Ok(Self(0))
        }
    }
    trait Ask {
        async fn ask(&self) -> io::Result<u8>;
    }
    impl Ask for Client {
        #[timeout("1s")]
        async fn ask(&self) -> io::Result<u8> {
            pending().await
        }
    }
    #[timeout("1s")]
    async fn generic<F: Future<Output = ()>>(future: F) -> anyhow::Result<()> {
        future.await;
        Ok(())
    }
    let mut client = Client::new().await.unwrap();
    assert_eq!(late(client.shared().await), Duration::from_secs(1));
    assert_eq!(late(client.exclusive().await), Duration::from_secs(1));
    assert_eq!(client.0, 1);
    assert_eq!(
        client.ask().await.unwrap_err().kind(),
        io::ErrorKind::TimedOut
    );
    assert!(generic(pending()).await.unwrap_err().is::<Rejected>());
    generic(async {}).await.unwrap();
}
