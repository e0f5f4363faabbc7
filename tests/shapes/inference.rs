//! What the compiler infers in a body, and lends from it, is as it was without attributes.
#![forbid(unsafe_code)]

use crate::support::{AppError, AppResult, Runs};
use hardening::{bulkhead, cached, circuit_breaker, fallback, retryable, timeout};
use std::{fmt::Display, future::Future, slice::IterMut, sync::Arc};

/// Fails in the first two runs.
fn third(runs: &Runs) -> AppResult<u32> {
    match runs.up() {
        1 | 2 => Err(AppError::Busy),
        run => Ok(run),
    }
}

#[tokio::test(start_paused = true)]
async fn values_are_coerced_to_the_return_type() {
    #[retryable(policy = "shapes")]
    async fn boxed(runs: &Runs) -> AppResult<Box<dyn Display + Send>> {
        if third(runs)? == 4 {
            return Ok(Box::new("four"));
        }
        Ok(Box::new(3))
    }
    #[cached]
    async fn shared(number: u32) -> Arc<dyn Display + Send + Sync> {
        Arc::new(number + SHARED.up())
    }
    #[cached]
    fn listed(many: bool) -> &'static [u32] {
        SHARED.up();
        if many {
            return &[1, 2];
        }
        &[1]
    }
    static SHARED: Runs = Runs::new();
    let runs = Runs::new();
    assert_eq!(boxed(&runs).await.unwrap().to_string(), "3");
    assert_eq!(boxed(&runs).await.unwrap().to_string(), "four");
    assert_eq!(runs.get(), 4);
    assert_eq!(
        (shared(7).await.to_string(), shared(7).await.to_string()),
        ("8".into(), "8".into())
    );
    assert_eq!(
        (listed(true), listed(true), listed(false)),
        (&[1, 2][..], &[1, 2][..], &[1][..])
    );
    assert_eq!(SHARED.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn types_are_inferred_from_the_return_type() {
    #[retryable(policy = "shapes")]
    fn blocking(text: &str, runs: &Runs) -> AppResult<Vec<u8>> {
        third(runs)?;
        let parsed = text.split(' ').map(str::parse).collect::<Result<_, _>>();
        parsed.map_err(|_| AppError::Gone)
    }
    #[retryable(policy = "shapes")]
    async fn asynchronous(text: &str, runs: &Runs) -> AppResult<Vec<u8>> {
        third(runs)?;
        let first = text.parse().map_err(|_| AppError::Gone)?;
        Ok(std::iter::once(first).collect())
    }
    let runs = Runs::new();
    assert_eq!((blocking("1 2", &runs), runs.take()), (Ok(vec![1, 2]), 3));
    assert_eq!(
        (blocking("256", &runs), runs.take()),
        (Err(AppError::Gone), 3)
    );
    assert_eq!(
        (asynchronous("7", &runs).await, runs.take()),
        (Ok(vec![7]), 3)
    );
}

#[derive(Default)]
struct Table {
    rows: Vec<u32>,
    runs: Runs,
}

impl Table {
    fn is_gone(error: &AppError) -> bool {
        *error == AppError::Gone
    }

    #[retryable(policy = "shapes", retry_if = Self::is_gone)]
    fn judged_by_its_own(&self) -> AppResult<()> {
        self.runs.up();
        Err(AppError::Gone)
    }

    #[circuit_breaker(failure_threshold = 1)]
    fn first(&mut self) -> AppResult<&mut u32> {
        self.runs.up();
        self.rows.first_mut().ok_or(AppError::Gone)
    }

    #[timeout("1s")]
    #[bulkhead]
    async fn connected(&mut self) -> AppResult<&mut Self> {
        tokio::task::yield_now().await;
        self.runs.up();
        self.rows.push(0);
        Ok(self)
    }

    #[retryable(policy = "shapes")]
    async fn lent(&self) -> AppResult<&[u32]> {
        third(&self.runs)?;
        Ok(&self.rows)
    }
}

#[bulkhead]
fn parts<'a>(rows: &'a mut [u32], runs: &Runs) -> AppResult<IterMut<'a, u32>> {
    runs.up();
    Ok(rows.iter_mut())
}

#[tokio::test(start_paused = true)]
async fn what_is_lent_for_change_may_be_returned_by_what_runs_once() {
    let mut table = Table::default();
    *table.connected().await.unwrap().first().unwrap() += 5;
    assert_eq!((table.rows.clone(), table.runs.take()), (vec![5], 2));
    for row in parts(&mut table.rows, &table.runs).unwrap() {
        *row += 1;
    }
    assert_eq!((table.lent().await, table.runs.take()), (Ok(&[6][..]), 3));
    assert_eq!(
        (table.judged_by_its_own(), table.runs.take()),
        (Err(AppError::Gone), 3)
    );
}

trait Lends {
    type Item<'a>
    where
        Self: 'a;
    fn lend(&self) -> impl Future<Output = AppResult<Self::Item<'_>>> + Send;
}

impl Lends for Table {
    type Item<'a> = &'a [u32];

    #[retryable(policy = "shapes")]
    async fn lend(&self) -> AppResult<Self::Item<'_>> {
        third(&self.runs).map(|_| &*self.rows)
    }
}

#[tokio::test(start_paused = true)]
async fn an_associated_type_may_borrow() {
    let table = Table {
        rows: vec![1],
        ..Table::default()
    };
    assert_eq!((table.lend().await, table.runs.get()), (Ok(&[1][..]), 3));
}

#[tokio::test(start_paused = true)]
async fn a_fallbacks_question_mark_and_return_leave_the_function() {
    #[fallback(|error| {
        let left = left.checked_sub(1).ok_or(error)?;
        if left > 5 {
            return Err(AppError::Gone);
        }
        Ok(left)
    })]
    fn blocking(left: u32, runs: &Runs) -> AppResult<u32> {
        runs.up();
        Err(AppError::Busy)
    }
    #[fallback(|error| {
        let found = third(runs).map_err(|_| error)?;
        tokio::task::yield_now().await;
        Ok(found)
    })]
    async fn asynchronous(runs: &Runs) -> AppResult<u32> {
        runs.up();
        Err(AppError::Gone)
    }
    let runs = Runs::new();
    assert_eq!(blocking(0, &runs), Err(AppError::Busy));
    assert_eq!(blocking(3, &runs), Ok(2));
    assert_eq!((blocking(9, &runs), runs.take()), (Err(AppError::Gone), 3));
    assert_eq!(
        (asynchronous(&runs).await, runs.get()),
        (Err(AppError::Gone), 2)
    );
    assert_eq!((asynchronous(&runs).await, runs.get()), (Ok(4), 4));
}
