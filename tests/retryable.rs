//! `#[retryable]` by itself.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{Rejected, RetryEvent, retryable};
use std::{
    error::Error,
    io,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};
use support::{AppError, AppResult, Runs, assert_took, timed};

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_retried_after_a_growing_wait() {
    #[retryable]
    async fn ask(runs: &Runs) -> AppResult<u32> {
        match runs.up() {
            3 => Ok(3),
            _ => Err(AppError::Busy),
        }
    }
    let runs = Runs::new();
    let (answer, took) = timed(ask(&runs)).await;
    assert_eq!((answer, runs.get()), (Ok(3), 3));
    assert_took(took, 0.5 + 1.0);
}

#[tokio::test(start_paused = true)]
async fn exhausted_attempts_return_the_last_error_unchanged() {
    #[derive(Debug, PartialEq)]
    struct Numbered(u32);
    impl From<Rejected> for Numbered {
        fn from(_: Rejected) -> Self {
            Self(0)
        }
    }
    #[retryable(max_attempts = 4, retry_if = |_| true)]
    async fn ask(runs: &Runs) -> Result<(), Numbered> {
        Err(Numbered(runs.up()))
    }
    let runs = Runs::new();
    assert_eq!(ask(&runs).await, Err(Numbered(4)));
    assert_eq!(runs.get(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_is_not_retried() {
    #[retryable]
    async fn ask(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Gone)
    }
    let runs = Runs::new();
    let (answer, took) = timed(ask(&runs)).await;
    assert_eq!((answer, runs.get()), (Err(AppError::Gone), 1));
    assert_took(took, 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_named_policy_inherits_what_it_leaves_out_from_the_default_policy() {
    #[retryable(policy = "expensive")]
    async fn ask(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }
    let runs = Runs::new();
    let (_, took) = timed(ask(&runs)).await;
    assert_eq!(runs.get(), 5);
    assert_took(took, 1.0 + 2.0 + 4.0 + 8.0); // jitter: none is the default policy's
}

#[tokio::test(start_paused = true)]
async fn inline_settings_win_over_the_policy() {
    #[retryable(policy = "expensive", max_attempts = 2, base_delay = "200ms")]
    async fn ask(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }
    let runs = Runs::new();
    let (_, took) = timed(ask(&runs)).await;
    assert_eq!(runs.get(), 2);
    assert_took(took, 0.2);
}

#[tokio::test(start_paused = true)]
async fn a_duration_is_a_number_of_seconds_or_text_with_a_unit() {
    #[retryable(max_attempts = 2, base_delay = 2)]
    async fn whole() -> AppResult<()> {
        Err(AppError::Busy)
    }
    #[retryable(max_attempts = 2, base_delay = 0.25)]
    async fn part() -> AppResult<()> {
        Err(AppError::Busy)
    }
    #[retryable(max_attempts = 2, base_delay = "250ms")]
    async fn millis() -> AppResult<()> {
        Err(AppError::Busy)
    }
    #[retryable(max_attempts = 2, base_delay = "1m", max_delay = "1h")]
    async fn minute() -> AppResult<()> {
        Err(AppError::Busy)
    }
    #[retryable(max_attempts = 2, base_delay = "2")]
    async fn seconds_as_text() -> AppResult<()> {
        Err(AppError::Busy)
    }
    assert_took(timed(whole()).await.1, 2.0);
    assert_took(timed(part()).await.1, 0.25);
    assert_took(timed(millis()).await.1, 0.25);
    assert_took(timed(minute()).await.1, 60.0);
    assert_took(timed(seconds_as_text()).await.1, 2.0);
}

#[tokio::test(start_paused = true)]
async fn every_setting_of_the_backoff_counts() {
    #[retryable(
        max_attempts = 5,
        base_delay = 1,
        exponential_base = 3.0,
        max_delay = 5,
        jitter = "none"
    )]
    async fn ask() -> AppResult<()> {
        Err(AppError::Busy)
    }
    assert_took(timed(ask()).await.1, 1.0 + 3.0 + 5.0 + 5.0);
}

#[tokio::test(start_paused = true)]
async fn the_cap_holds_after_every_jitter() {
    #[retryable(max_attempts = 11, base_delay = 2, max_delay = 2, jitter = true)]
    async fn full() -> AppResult<()> {
        Err(AppError::Busy)
    }
    #[retryable(max_attempts = 11, base_delay = 2, max_delay = 2, jitter = "equal")]
    async fn equal() -> AppResult<()> {
        Err(AppError::Busy)
    }
    #[retryable(
        max_attempts = 11,
        base_delay = 2,
        max_delay = 2,
        jitter = "decorrelated"
    )]
    async fn decorrelated() -> AppResult<()> {
        Err(AppError::Busy)
    }
    assert!(timed(full()).await.1 <= 20.0 + 0.02);
    let equal = timed(equal()).await.1;
    assert!((10.0..=20.02).contains(&equal), "{equal}");
    assert_took(timed(decorrelated()).await.1, 20.0);
}

#[tokio::test(start_paused = true)]
async fn no_wait_begins_that_would_end_after_max_elapsed() {
    #[retryable(max_attempts = 10, base_delay = 1, max_elapsed = "4s")]
    async fn ask(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }
    let runs = Runs::new();
    let (_, took) = timed(ask(&runs)).await;
    assert_eq!(runs.get(), 3); // 1 s, 2 s, and 4 s more would be too late
    assert_took(took, 3.0);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_says_when_is_retried_then() {
    #[retryable(max_attempts = 2, base_delay = "100ms")]
    async fn ask(runs: &Runs, wait: Duration) -> AppResult<()> {
        match runs.up() {
            1 => Err(AppError::Later { wait }),
            _ => Ok(()),
        }
    }
    let runs = Runs::new();
    let (answer, took) = timed(ask(&runs, Duration::from_secs(7))).await;
    assert_eq!((answer, runs.take()), (Ok(()), 2));
    assert_took(took, 7.0);
    let (_, took) = timed(ask(&runs, Duration::from_millis(1))).await;
    assert_took(took, 0.1); // the backoff is longer
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_shared_by_the_functions_of_one_policy() {
    #[retryable(policy = "retryable_budget")]
    async fn one(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }
    #[retryable(policy = "retryable_budget")]
    async fn other(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }
    let runs = Runs::new();
    let _ = one(&runs).await;
    assert_eq!(runs.take(), 1 + 5, "the reserve: ten seconds of 0.5");
    let _ = other(&runs).await;
    assert_eq!(runs.take(), 1, "used up by the first function");
    support::pass(4.0).await;
    let _ = other(&runs).await;
    assert_eq!(runs.take(), 1 + 2, "refilled at 0.5 a second");
}

/// Each test runs in a runtime of its own, and there may be hundreds in a file.
#[test]
fn what_one_test_spends_of_a_budget_is_not_missing_in_the_next() {
    #[retryable(max_attempts = 3, base_delay = 0)]
    async fn ask(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }
    let runs = Runs::new();
    let runtime = || {
        let mut paused = tokio::runtime::Builder::new_current_thread();
        paused.enable_time().start_paused(true).build().unwrap()
    };
    for test in 1..=300 {
        runtime().block_on(ask(&runs)).unwrap_err();
        assert_eq!(runs.take(), 3, "test {test}");
    }
    runtime().block_on(async {
        for _ in 0..1_000 {
            ask(&runs).await.unwrap_err();
        }
    });
    assert!(
        runs.get() < 3_000,
        "within one it is a budget: {}",
        runs.get()
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_budget_every_attempt_is_made() {
    #[retryable(max_attempts = 100, base_delay = 0, budget = false)]
    async fn ask(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }
    let runs = Runs::new();
    for _ in 0..3 {
        let _ = ask(&runs).await;
    }
    assert_eq!(runs.get(), 300);
}

#[tokio::test(start_paused = true)]
async fn a_budget_can_be_written_inline() {
    #[retryable(
        max_attempts = 100,
        base_delay = 0,
        budget(ratio = 0, min_per_second = 0.1),
        policy = "retryable_four"
    )]
    async fn ask(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }
    let runs = Runs::new();
    let _ = ask(&runs).await;
    assert_eq!(runs.get(), 2, "the reserve is one retry");
}

#[tokio::test(start_paused = true)]
async fn retry_if_takes_a_path_or_a_closure() {
    #[derive(Debug, PartialEq)]
    struct Code(u16);
    impl From<Rejected> for Code {
        fn from(_: Rejected) -> Self {
            Self(0)
        }
    }
    fn is_server_error(error: &Code) -> bool {
        error.0 >= 500
    }
    #[retryable(retry_if = is_server_error)]
    async fn by_path(runs: &Runs, code: u16) -> Result<(), Code> {
        runs.up();
        Err(Code(code))
    }
    #[retryable(retry_if = |error| error.0 == lucky)]
    async fn by_closure(runs: &Runs, code: u16, lucky: u16) -> Result<(), Code> {
        runs.up();
        Err(Code(code))
    }
    let runs = Runs::new();
    assert_eq!(by_path(&runs, 503).await, Err(Code(503)));
    assert_eq!(runs.take(), 3);
    assert_eq!(by_path(&runs, 404).await, Err(Code(404)));
    assert_eq!(runs.take(), 1);
    let _ = by_closure(&runs, 7, 7).await;
    assert_eq!(runs.take(), 3);
    let _ = by_closure(&runs, 8, 7).await;
    assert_eq!(runs.take(), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_if_beats_what_the_error_says_of_itself() {
    #[retryable(retry_if = |error| matches!(error, AppError::Gone))]
    async fn ask(runs: &Runs, error: AppError) -> AppResult<()> {
        runs.up();
        Err(error.clone())
    }
    let runs = Runs::new();
    let _ = ask(&runs, AppError::Gone).await;
    assert_eq!(runs.take(), 3);
    let _ = ask(&runs, AppError::Busy).await;
    assert_eq!(runs.take(), 1);
}

#[tokio::test(start_paused = true)]
async fn on_retry_is_told_of_every_retry() {
    static TOLD: Mutex<Vec<(u32, u32, Duration)>> = Mutex::new(Vec::new());
    static SITE: Mutex<&str> = Mutex::new("");
    fn note(event: &RetryEvent) {
        *SITE.lock().unwrap() = event.site;
        let told = (event.attempt, event.max_attempts, event.delay);
        TOLD.lock().unwrap().push(told);
    }
    #[retryable(on_retry = note)]
    async fn ask() -> AppResult<()> {
        Err(AppError::Busy)
    }
    #[retryable(on_retry = |event| seen.set(event.attempt))]
    async fn by_closure(seen: &std::cell::Cell<u32>) -> AppResult<()> {
        Err(AppError::Busy)
    }
    let _ = ask().await;
    let half = Duration::from_millis(500);
    assert_eq!(*TOLD.lock().unwrap(), [(1, 3, half), (2, 3, half * 2)]);
    assert_eq!(
        *SITE.lock().unwrap(),
        "retryable::on_retry_is_told_of_every_retry::ask"
    );
    let seen = std::cell::Cell::new(0);
    let _ = by_closure(&seen).await;
    assert_eq!(seen.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_does_not_reach_the_caller() {
    #[retryable(on_retry = |_| panic!("a hook of the test"))]
    async fn ask(runs: &Runs) -> AppResult<u32> {
        match runs.up() {
            3 => Ok(3),
            _ => Err(AppError::Busy),
        }
    }
    assert_eq!(ask(&Runs::new()).await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn cloned_arguments_may_be_consumed_by_each_attempt() {
    #[retryable(clone(text, list))]
    async fn ask(text: String, mut list: Vec<u32>, runs: &Runs) -> AppResult<(String, Vec<u32>)> {
        list.push(runs.up());
        let consumed = (text, list);
        if runs.get() < 3 {
            drop(consumed);
            return Err(AppError::Busy);
        }
        Ok(consumed)
    }
    let answer = ask("t".to_owned(), vec![0], &Runs::new()).await;
    assert_eq!(answer, Ok(("t".to_owned(), vec![0, 3])));
}

#[tokio::test(start_paused = true)]
async fn question_marks_and_returns_leave_the_attempt_only() {
    async fn fails(runs: &Runs) -> AppResult<u32> {
        match runs.up() {
            3 => Ok(3),
            _ => Err(AppError::Busy),
        }
    }
    #[retryable]
    async fn ask(runs: &Runs, early: bool) -> AppResult<u32> {
        // A `?` inside a closure of the body is the closure's.
        let parse = |text: &str| -> Result<u32, std::num::ParseIntError> {
            let number = text.parse::<u32>()?;
            Ok(number)
        };
        let three = fails(runs).await?;
        if early {
            return Ok(three);
        }
        Ok(three + parse("1").unwrap_or(0))
    }
    let runs = Runs::new();
    assert_eq!((ask(&runs, true).await, runs.take()), (Ok(3), 3));
    assert_eq!((ask(&runs, false).await, runs.take()), (Ok(4), 3));
}

#[tokio::test(start_paused = true)]
async fn the_body_knows_its_attempt() {
    #[retryable]
    async fn ask() -> AppResult<u32> {
        match hardening::attempt() {
            3 => Ok(3),
            _ => Err(AppError::Busy),
        }
    }
    assert_eq!(ask().await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_runs_nothing_again() {
    #[retryable(base_delay = 1)]
    async fn ask(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }
    let runs = Runs::new();
    let half = Duration::from_millis(500);
    assert!(tokio::time::timeout(half, ask(&runs)).await.is_err());
    support::pass(100.0).await;
    assert_eq!(runs.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_raised_again_and_not_retried() {
    static RUNS: Runs = Runs::new();
    #[retryable]
    async fn ask() -> AppResult<()> {
        RUNS.up();
        panic!("a body of the test")
    }
    let panicked = tokio::spawn(ask()).await.unwrap_err().into_panic();
    assert_eq!(panicked.downcast_ref(), Some(&"a body of the test"));
    assert_eq!(RUNS.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn common_errors_say_what_they_are_worth() {
    fn reset() -> io::Error {
        io::ErrorKind::ConnectionReset.into()
    }
    #[retryable]
    async fn by_io(runs: &Runs) -> io::Result<()> {
        runs.up();
        Err(reset())
    }
    #[retryable]
    async fn by_anyhow(runs: &Runs) -> anyhow::Result<()> {
        use anyhow::Context as _;
        runs.up();
        Err(reset()).context("while asking")
    }
    #[retryable]
    async fn by_box(runs: &Runs, transient: bool) -> Result<(), Box<dyn Error + Send + Sync>> {
        runs.up();
        if transient {
            Err(reset())?;
        }
        Err("no such user".into())
    }
    let runs = Runs::new();
    assert_eq!(by_io(&runs).await.unwrap_err().kind(), reset().kind());
    assert_eq!(runs.take(), 3);
    assert_eq!(
        by_anyhow(&runs).await.unwrap_err().to_string(),
        "while asking"
    );
    assert_eq!(runs.take(), 3);
    assert!(by_box(&runs, true).await.unwrap_err().is::<io::Error>());
    assert_eq!(runs.take(), 3);
    assert_eq!(
        by_box(&runs, false).await.unwrap_err().to_string(),
        "no such user"
    );
    assert_eq!(runs.take(), 1);
}

#[tokio::test(start_paused = true)]
async fn methods_of_every_kind_are_retried() {
    struct Client {
        runs: Runs,
        count: u32,
    }
    impl Client {
        #[retryable]
        async fn shared(&self) -> AppResult<u32> {
            match self.runs.up() {
                3 => Ok(3),
                _ => Err(AppError::Busy),
            }
        }
        #[retryable]
        async fn exclusive(&mut self) -> AppResult<u32> {
            self.count += 1;
            if self.count < 3 {
                Err(AppError::Busy)?;
            }
            Ok(self.count)
        }
        #[retryable]
        async fn associated(runs: &AtomicU32) -> AppResult<Self> {
            if runs.fetch_add(1, SeqCst) < 2 {
                return Err(AppError::Busy);
            }
            Ok(Self {
                runs: Runs::new(),
                count: 0,
            })
        }
        #[retryable(clone(self_))]
        async fn consuming(self_: std::sync::Arc<Self>) -> AppResult<std::sync::Arc<Self>> {
            match self_.runs.up() {
                3 => Ok(self_),
                _ => Err(AppError::Busy),
            }
        }
    }
    let mut client = Client::associated(&AtomicU32::new(0)).await.unwrap();
    assert_eq!(client.shared().await, Ok(3));
    assert_eq!(client.exclusive().await, Ok(3));
    assert_eq!(client.runs.take(), 3);
    let client = Client::consuming(std::sync::Arc::new(client))
        .await
        .unwrap();
    assert_eq!(client.runs.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn generic_functions_are_retried() {
    #[retryable]
    async fn ask<'a, T, const N: usize, F>(
        value: &'a T,
        runs: &Runs,
        ok: F,
    ) -> AppResult<[&'a T; N]>
    where
        T: ?Sized,
        F: Fn(u32) -> bool,
    {
        if ok(runs.up()) {
            Ok([value; N])
        } else {
            Err(AppError::Busy)
        }
    }
    #[retryable]
    async fn shown(value: impl std::fmt::Display, runs: &Runs) -> AppResult<String> {
        if runs.up() < 2 {
            return Err(AppError::Busy);
        }
        Ok(value.to_string())
    }
    let runs = Runs::new();
    assert_eq!(ask("x", &runs, |run| run == 3).await, Ok(["x", "x"]));
    assert_eq!(runs.take(), 3);
    assert_eq!(shown(5, &runs).await, Ok("5".to_owned()));
    assert_eq!(runs.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_future_is_send_when_the_bodys_is() {
    #[retryable(policy = "expensive", on_retry = |_| (), retry_if = |_| true)]
    async fn ask(text: &str) -> AppResult<usize> {
        tokio::task::yield_now().await;
        Ok(text.len())
    }
    assert_eq!(tokio::spawn(ask("four")).await.unwrap(), Ok(4));
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_switched_off_lets_the_first_attempt_stand() {
    #[retryable(policy = "retryable_off")]
    async fn ask(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }
    #[retryable(enabled = false)]
    async fn inline(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }
    let runs = Runs::new();
    assert_eq!(ask(&runs).await, Err(AppError::Busy));
    assert_eq!(inline(&runs).await, Err(AppError::Busy));
    assert_eq!(runs.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_signature_never_changes() {
    /// Documented.
    #[retryable]
    #[must_use = "of the test"]
    #[allow(clippy::ptr_arg)]
    pub(crate) async fn ask(mut list: Vec<u8>, (a, b): (u8, u8), _: u8) -> AppResult<usize> {
        list.push(a + b);
        Ok(list.len())
    }
    let pointer: fn(Vec<u8>, (u8, u8), u8) -> _ = ask;
    assert_eq!(pointer(vec![], (1, 2), 3).await, Ok(1));
}
