//! `#[fallback]` by itself.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{cached, fallback, retryable};
use std::io;
use support::{AppError, AppResult, Runs, timed};

#[tokio::test(start_paused = true)]
async fn it_answers_in_the_functions_place_with_the_error_and_the_arguments() {
    #[fallback(|error| Ok(format!("{error:?} for {record}")))]
    async fn analyse(record: &str, runs: &Runs) -> AppResult<String> {
        match runs.up() {
            1 => Err(AppError::Gone),
            _ => Ok(record.to_owned()),
        }
    }
    let runs = Runs::new();
    assert_eq!(analyse("r", &runs).await, Ok("Gone for r".to_owned()));
    assert_eq!(
        analyse("r", &runs).await,
        Ok("r".to_owned()),
        "not asked for when all is well"
    );
}

#[tokio::test(start_paused = true)]
async fn it_may_await_in_an_async_function() {
    #[fallback(|_| {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        Ok(local(record).await?)
    })]
    async fn analyse(record: u32) -> AppResult<u32> {
        let _ = record;
        Err(AppError::Busy)
    }
    async fn local(record: u32) -> AppResult<u32> {
        if record == 0 {
            Err(AppError::Gone)
        } else {
            Ok(record)
        }
    }
    let (answer, took) = timed(analyse(3)).await;
    assert_eq!(answer, Ok(3));
    support::assert_took(took, 1.0);
    assert_eq!(
        analyse(0).await,
        Err(AppError::Gone),
        "a `?` in it leaves the function"
    );
}

#[tokio::test(start_paused = true)]
async fn its_value_has_the_functions_return_type_so_it_may_fail_too() {
    #[fallback(|error| match error {
        AppError::Gone => Ok(0),
        other => Err(other),
    })]
    async fn ask(error: AppError) -> AppResult<u32> {
        Err(error.clone())
    }
    #[fallback(|_| return Ok(7))]
    async fn returns() -> AppResult<u32> {
        Err(AppError::Busy)
    }
    assert_eq!(ask(AppError::Gone).await, Ok(0));
    assert_eq!(ask(AppError::Busy).await, Err(AppError::Busy));
    assert_eq!(returns().await, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn its_results_are_never_cached_and_never_retried() {
    static FALLBACKS: Runs = Runs::new();
    #[fallback(|_| { FALLBACKS.up(); Err(AppError::Busy) })]
    #[cached(key = ())]
    #[retryable(max_attempts = 2)]
    async fn fails(runs: &Runs) -> AppResult<u32> {
        runs.up();
        Err(AppError::Busy)
    }
    #[fallback(|_| Ok(0))]
    #[cached(key = ())]
    async fn degraded(runs: &Runs) -> AppResult<u32> {
        match runs.up() {
            1 => Err(AppError::Gone),
            run => Ok(run),
        }
    }
    let runs = Runs::new();
    assert_eq!(fails(&runs).await, Err(AppError::Busy));
    assert_eq!((runs.take(), FALLBACKS.get()), (2, 1));
    assert_eq!(
        (degraded(&runs).await, degraded(&runs).await),
        (Ok(0), Ok(2))
    );
}

#[tokio::test(start_paused = true)]
async fn the_closure_may_take_a_pattern_or_a_type_or_nothing() {
    #[fallback(|_: AppError| Ok(1))]
    async fn typed() -> AppResult<u8> {
        Err(AppError::Busy)
    }
    #[fallback(|| Ok(2))]
    async fn nothing() -> AppResult<u8> {
        Err(AppError::Busy)
    }
    #[fallback(move |mut error| {
        error.push('!');
        Err(error)
    })]
    async fn mutable() -> Result<u8, Text> {
        Err(Text("no".to_owned()))
    }
    assert_eq!(typed().await, Ok(1));
    assert_eq!(nothing().await, Ok(2));
    assert_eq!(mutable().await.unwrap_err().0, "no!");
}

#[derive(Debug)]
struct Text(String);
impl Text {
    fn push(&mut self, c: char) {
        self.0.push(c);
    }
}
impl From<hardening::Rejected> for Text {
    fn from(rejected: hardening::Rejected) -> Self {
        Self(rejected.to_string())
    }
}

#[test]
fn the_closures_body_is_one_expression_whatever_it_begins_with() {
    fn before(number: u32) -> AppResult<u32> {
        number.checked_sub(1).ok_or(AppError::Gone)
    }
    // As a statement, the `match` would end before the call.
    #[fallback(|error| match error { AppError::Gone => before, _ => Ok }(number))]
    fn analyse(number: u32) -> AppResult<u32> {
        Err(if number == 1 {
            AppError::Gone
        } else {
            AppError::Busy
        })
    }
    assert_eq!((analyse(1), analyse(2)), (Ok(0), Ok(2)));
}

#[tokio::test(start_paused = true)]
async fn it_is_counted_and_the_outcome_before_it_stays_in_the_figures() {
    #[fallback(|_| Ok(0))]
    async fn ask() -> AppResult<u8> {
        Err(AppError::Gone)
    }
    for _ in 0..3 {
        assert_eq!(ask().await, Ok(0));
    }
    let snapshot = hardening::snapshot();
    let path = "it_is_counted_and_the_outcome_before_it_stays_in_the_figures::ask";
    let figures = &snapshot.site(path).unwrap().figures;
    assert_eq!(
        (figures.fallbacks, figures.error, figures.success),
        (3, 3, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_does_not_reach_it() {
    #[fallback(|_| Ok(0))]
    async fn ask() -> AppResult<u8> {
        panic!("a body of the test")
    }
    assert!(tokio::spawn(ask()).await.unwrap_err().is_panic());
}

#[tokio::test(start_paused = true)]
async fn methods_generic_and_blocking_functions_degrade() {
    struct Client {
        known: u32,
    }
    impl Client {
        #[fallback(|_| Ok(self.known))]
        async fn shared(&self) -> AppResult<u32> {
            Err(AppError::Busy)
        }
        #[fallback(|_| { self.known += 1; Ok(self.known) })]
        async fn exclusive(&mut self) -> AppResult<u32> {
            self.known += 10;
            Err(AppError::Busy)
        }
        #[fallback(|_| Ok(Self { known }))]
        fn associated(known: u32) -> io::Result<Self> {
            let _ = known;
            Err(io::ErrorKind::NotFound.into())
        }
    }
    #[fallback(|error| Ok(vec![error.to_string()]))]
    fn generic<T: ToString>(values: &[T]) -> anyhow::Result<Vec<String>> {
        anyhow::ensure!(!values.is_empty(), "empty");
        Ok(values.iter().map(T::to_string).collect())
    }
    let mut client = Client::associated(5).unwrap();
    assert_eq!(client.shared().await, Ok(5));
    assert_eq!(client.exclusive().await, Ok(16));
    assert_eq!(generic(&[1, 2]).unwrap(), ["1", "2"]);
    assert_eq!(generic::<u8>(&[]).unwrap(), ["empty"]);
}
