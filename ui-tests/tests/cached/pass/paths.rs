//! A path stands for the closure that calls it: what coerces for a call coerces for a path.
#![deny(warnings)]
use hardening::{RetryEvent, cached, circuit_breaker, retryable};
use ui_tests::AppError;

fn some(list: &[u64]) -> bool {
    !list.is_empty()
}

fn long(text: &str) -> bool {
    text.len() > 1
}

fn any<T>(_: &T) -> bool {
    true
}

type Answer = Result<Vec<u64>, AppError>;

fn failed(answer: &Answer) -> bool {
    answer.is_err()
}

fn told(_: &RetryEvent) {}

struct Busy;

impl std::ops::Deref for Busy {
    type Target = AppError;
    fn deref(&self) -> &AppError {
        &AppError
    }
}

impl From<hardening::Rejected> for Busy {
    fn from(_: hardening::Rejected) -> Self {
        Self
    }
}

fn of_the_error_inside(_: &AppError) -> bool {
    true
}

#[cached(cache_if = some)]
#[retryable(retry_if = any, on_retry = told)]
#[circuit_breaker(failure_if = failed)]
fn list(id: u64) -> Answer {
    Ok(vec![id])
}

#[cached(cache_if = long)]
async fn text(id: u64) -> Result<String, AppError> {
    Ok(id.to_string())
}

#[cached(cache_if = Option::is_some)]
fn maybe(id: u64) -> Result<Option<u64>, AppError> {
    Ok(Some(id))
}

#[retryable(retry_if = of_the_error_inside, on_retry = drop)]
fn inside() -> Result<u64, Busy> {
    Ok(1)
}

fn main() {
    assert_eq!(list(1).unwrap(), [1]);
    assert_eq!(maybe(1).unwrap(), Some(1));
    assert_eq!(inside().map_err(|_| AppError).unwrap(), 1);
    drop(text(1));
}
