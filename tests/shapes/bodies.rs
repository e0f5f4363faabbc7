//! Bodies: whatever leaves them leaves the attempt, and the next attempt begins anew.
#![forbid(unsafe_code)]

use crate::support::{AppError, AppResult, Runs};
use hardening::{bulkhead, cached, circuit_breaker, fallback, retryable, timeout};
use std::{future::Future, num::ParseIntError, pin::Pin};

/// Fails in the first two runs.
fn third(runs: &Runs) -> AppResult<u32> {
    match runs.up() {
        1 | 2 => Err(AppError::Busy),
        run => Ok(run),
    }
}

/// An error with conversions for `?`.
#[derive(Debug, PartialEq, hardening::Classify)]
enum Wide {
    #[transient]
    Parse,
    #[classify(forward)]
    App(AppError),
}

impl From<ParseIntError> for Wide {
    fn from(_: ParseIntError) -> Self {
        Self::Parse
    }
}

impl From<AppError> for Wide {
    fn from(error: AppError) -> Self {
        Self::App(error)
    }
}

impl From<hardening::Rejected> for Wide {
    fn from(rejected: hardening::Rejected) -> Self {
        Self::App(rejected.into())
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_mark_converts_the_error_and_leaves_the_attempt() {
    #[retryable(policy = "shapes")]
    fn blocking(texts: &[&str], runs: &Runs) -> Result<u32, Wide> {
        let text = texts[runs.up() as usize - 1];
        let number: u32 = text.parse()?;
        (number > 0).then_some(number).ok_or(AppError::Gone)?;
        Ok(number)
    }
    #[retryable(policy = "shapes")]
    async fn asynchronous(texts: &[&str], runs: &Runs) -> Result<u32, Wide> {
        let text = texts[runs.up() as usize - 1];
        let number: u32 = async { text.parse() }.await?;
        (number > 0).then_some(number).ok_or(AppError::Gone)?;
        Ok(number)
    }
    let runs = Runs::new();
    assert_eq!((blocking(&["x", "y", "7"], &runs), runs.take()), (Ok(7), 3));
    let gone = || Err(Wide::App(AppError::Gone));
    assert_eq!((blocking(&["x", "0"], &runs), runs.take()), (gone(), 2));
    let answer = asynchronous(&["x", "y", "7"], &runs).await;
    assert_eq!((answer, runs.take()), (Ok(7), 3));
    let answer = asynchronous(&["x", "0"], &runs).await;
    assert_eq!((answer, runs.take()), (gone(), 2));
}

#[tokio::test(start_paused = true)]
async fn a_return_leaves_the_attempt_from_wherever_it_stands() {
    #[retryable(policy = "shapes")]
    fn blocking(runs: &Runs) -> AppResult<u32> {
        let run = match runs.up() {
            1 => return Err(AppError::Busy),
            run => run,
        };
        for n in 0.. {
            if run == 2 && n == 1 {
                return Err(AppError::Busy);
            }
            if n > 5 {
                return Ok(n);
            }
        }
        unreachable!()
    }
    #[retryable(policy = "shapes")]
    #[circuit_breaker]
    #[allow(clippy::never_loop, reason = "what is left is what is tested")]
    async fn asynchronous(runs: &Runs) -> AppResult<u32> {
        let Some(run) = runs.up().checked_sub(1) else {
            return Err(AppError::Gone);
        };
        loop {
            tokio::task::yield_now().await;
            return if run < 2 {
                Err(AppError::Busy)
            } else {
                Ok(run)
            };
        }
    }
    let runs = Runs::new();
    assert_eq!((blocking(&runs), runs.take()), (Ok(6), 3));
    assert_eq!((asynchronous(&runs).await, runs.take()), (Ok(2), 3));
}

#[tokio::test(start_paused = true)]
async fn labels_are_the_bodys_own() {
    #[retryable(policy = "shapes")]
    #[cached]
    #[allow(clippy::never_loop, reason = "labels are what is tested")]
    async fn labelled(up_to: u32) -> AppResult<u32> {
        let mut sum = 0;
        'outer: for a in 0..up_to {
            'inner: loop {
                if a % 2 == 1 {
                    continue 'outer;
                }
                sum += a;
                break 'inner;
            }
            if sum > 10 {
                break 'outer;
            }
        }
        let sum = 'block: {
            if sum < 6 {
                break 'block 0;
            }
            sum
        };
        third(&RUNS)?;
        Ok(sum)
    }
    static RUNS: Runs = Runs::new();
    assert_eq!((labelled(5).await, RUNS.take()), (Ok(6), 3));
    assert_eq!(labelled(5).await, Ok(6));
    assert_eq!(RUNS.take(), 0);
}

#[tokio::test(start_paused = true)]
async fn closures_functions_and_async_blocks_keep_their_own_question_marks() {
    #[retryable(policy = "shapes")]
    fn blocking(runs: &Runs) -> AppResult<u32> {
        fn nested(text: &str) -> Result<u32, ParseIntError> {
            Ok(text.parse::<u32>()? + 1)
        }
        let parse = |text: &str| -> Option<u32> { nested(text).ok()?.checked_sub(2) };
        let all = ["3", "x"].iter().map(|text| Some(parse(text)? + 1));
        let sum: u32 = all.flatten().sum();
        Ok(sum + third(runs)?)
    }
    #[retryable(policy = "shapes")]
    #[timeout("1s")]
    async fn asynchronous(runs: &Runs) -> AppResult<u32> {
        let inner = async {
            let number: u32 = "x".parse()?;
            Ok::<_, ParseIntError>(number)
        };
        let spawned = tokio::spawn(async {
            let early: Option<u32> = None;
            Some(early? + 1)
        });
        let closure = |by: u32| async move { 7_u32.checked_sub(by).ok_or(AppError::Gone) };
        assert!(inner.await.is_err() && spawned.await.expect("a run").is_none());
        Ok(closure(1).await? + third(runs)?)
    }
    let runs = Runs::new();
    assert_eq!((blocking(&runs), runs.take()), (Ok(3 + 3), 3));
    assert_eq!((asynchronous(&runs).await, runs.take()), (Ok(6 + 3), 3));
}

#[tokio::test(start_paused = true)]
async fn recursion_goes_through_the_layers_each_time() {
    #[bulkhead(max_concurrent = 4)]
    fn blocking(left: u32, runs: &Runs) -> AppResult<u32> {
        runs.up();
        if left == 0 {
            return Ok(0);
        }
        Ok(1 + blocking(left - 1, runs)?)
    }
    #[bulkhead(max_concurrent = 4, max_queue = 0)]
    async fn asynchronous(left: u32, runs: &Runs) -> AppResult<u32> {
        runs.up();
        if left == 0 {
            return Ok(0);
        }
        Ok(1 + Box::pin(asynchronous(left - 1, runs)).await?)
    }
    #[bulkhead(max_concurrent = 4, max_queue = 0)]
    fn boxed(left: u32, runs: &Runs) -> Pin<Box<dyn Future<Output = AppResult<u32>> + Send + '_>> {
        Box::pin(async move {
            runs.up();
            match left {
                0 => Ok(0),
                left => Ok(1 + boxed(left - 1, runs).await?),
            }
        })
    }
    let runs = Runs::new();
    assert_eq!((blocking(3, &runs), runs.take()), (Ok(3), 4));
    assert_eq!((asynchronous(3, &runs).await, runs.take()), (Ok(3), 4));
    assert_eq!((boxed(3, &runs).await, runs.take()), (Ok(3), 4));
    let full = asynchronous(4, &runs).await.map_err(AppError::rejected);
    assert!(matches!(
        full,
        Err(hardening::Rejected::BulkheadFull { .. })
    ));
    assert_eq!(runs.take(), 4, "the fifth found no place");
}

#[tokio::test(start_paused = true)]
async fn macros_in_a_body_may_leave_it() {
    macro_rules! bail_unless {
        ($test:expr, $error:expr) => {
            if !$test {
                return Err($error);
            }
        };
    }
    #[retryable(policy = "shapes")]
    async fn bails(runs: &Runs) -> AppResult<Vec<String>> {
        let run = runs.up();
        bail_unless!(run > 1, AppError::Busy);
        let words = vec![format!("{}", third(runs)?)];
        bail_unless!(matches!(&*words, [word] if word == "3"), AppError::Gone);
        Ok(words)
    }
    let runs = Runs::new();
    assert_eq!(bails(&runs).await, Ok(vec!["3".to_owned()]));
    assert_eq!((bails(&runs).await, runs.get()), (Err(AppError::Gone), 5));
}

#[tokio::test(start_paused = true)]
async fn a_body_may_never_return() {
    #[timeout("2s")]
    async fn for_ever(runs: &Runs) -> AppResult<u32> {
        runs.up();
        loop {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    }
    #[fallback(|error| Err(error))]
    fn panics(text: &str) -> AppResult<u32> {
        panic!("{text}")
    }
    #[circuit_breaker]
    fn not_yet() -> AppResult<u32> {
        todo!("later")
    }
    let runs = Runs::new();
    let late = for_ever(&runs).await.map_err(AppError::rejected);
    assert!(matches!(late, Err(hardening::Rejected::TimedOut { .. })));
    assert_eq!(runs.get(), 1);
    let payload = std::panic::catch_unwind(|| panics("aside")).unwrap_err();
    assert_eq!(
        payload.downcast_ref::<String>().map(|text| &**text),
        Some("aside")
    );
    assert!(std::panic::catch_unwind(not_yet).is_err());
}

#[tokio::test(start_paused = true)]
async fn items_uses_and_inner_attributes_stand_in_a_body_as_before() {
    #[retryable(policy = "shapes")]
    fn blocking(runs: &Runs) -> AppResult<u64> {
        #![allow(unused_variables)]
        //! A body may be documented from inside.
        use std::convert::From as Into;
        const UNIT: u32 = 2;
        static SCALE: u32 = UNIT * 5;
        struct Scaled(u32);
        impl From<Scaled> for u64 {
            fn from(scaled: Scaled) -> Self {
                u64::from(scaled.0 * SCALE)
            }
        }
        let unused = ();
        Ok(Into::from(Scaled(third(runs)?)))
    }
    #[retryable(policy = "shapes")]
    async fn asynchronous(runs: &Runs) -> AppResult<u32> {
        #![expect(unused_variables, reason = "to see that it is where it was")]
        let unused = ();
        third(runs)
    }
    let runs = Runs::new();
    assert_eq!((blocking(&runs), runs.take()), (Ok(30), 3));
    assert_eq!((asynchronous(&runs).await, runs.take()), (Ok(3), 3));
}
