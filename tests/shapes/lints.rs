//! Generated code keeps to the lints of strict users, and needs nothing of the prelude.
#![forbid(unsafe_code)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(
    dead_code,
    unused,
    absolute_paths_not_starting_with_crate,
    ambiguous_negative_literals,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    impl_trait_redundant_captures,
    let_underscore_drop,
    meta_variable_misuse,
    missing_debug_implementations,
    missing_docs,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unreachable_pub,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]

use crate::support::{AppError, AppResult, Runs};
use hardening::{
    Priority, bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable, timeout,
};
use std::{future::Future, pin::Pin};

/// Fails in the first two runs.
fn third(runs: &Runs) -> AppResult<u32> {
    match runs.up() {
        1 | 2 => Err(AppError::Busy),
        run => Ok(run),
    }
}

static RUNS: Runs = Runs::new();

#[fallback(|error| Err(error))]
#[cached]
#[timeout("9s")]
#[retryable(policy = "shapes", clone(name))]
#[rate_limited(capacity = 9, window_seconds = 60, key = (&name, 1))]
#[circuit_breaker]
#[bulkhead]
async fn all<T: std::hash::Hash + Sync>(name: String, value: &T) -> AppResult<u32> {
    let _: &T = value;
    drop(name);
    third(&RUNS)
}

#[fallback(|error| {
    drop(error);
    Ok(number)
})]
#[cached(key = number, cache_if = |value| *value > 0)]
#[retryable(policy = "shapes", retry_if = |error| *error == AppError::Busy, on_retry = |_| ())]
#[rate_limited(capacity = 9, window_seconds = 60, key = number, cost = 1)]
#[circuit_breaker(failure_if = |result| result.is_err() && number > 1)]
#[bulkhead(priority = Priority::High)]
fn blocking(number: u32, runs: &Runs) -> AppResult<u32> {
    third(runs)
}

#[cached]
async fn optional(number: u32) -> Option<u32> {
    Some(number + RUNS.up())
}

#[retryable(policy = "shapes")]
fn boxed(runs: &Runs) -> Pin<Box<dyn Future<Output = AppResult<u32>> + Send + '_>> {
    Box::pin(async move { third(runs) })
}

struct Client(Runs);

#[retryable(policy = "shapes")]
#[circuit_breaker]
impl Client {
    fn shared(&self) -> AppResult<u32> {
        third(&self.0)
    }
    async fn exclusive(&mut self, text: &str) -> AppResult<usize> {
        third(&self.0).map(|_| text.len())
    }
}

#[tokio::test(start_paused = true)]
async fn strict_lints_find_nothing_in_generated_code() {
    assert_eq!((all("a".to_owned(), &1).await, RUNS.take()), (Ok(3), 3));
    assert_eq!((all("a".to_owned(), &1).await, RUNS.get()), (Ok(3), 0));
    assert_eq!((optional(1).await, optional(1).await), (Some(2), Some(2)));
    let runs = Runs::new();
    assert_eq!((blocking(9, &runs), runs.take()), (Ok(3), 3));
    assert_eq!((boxed(&runs).await, runs.take()), (Ok(3), 3));
    let mut client = Client(runs);
    assert_eq!((client.shared(), client.0.take()), (Ok(3), 3));
    assert_eq!((client.exclusive("ab").await, client.0.take()), (Ok(2), 3));
}

mod without_prelude {
    #![no_implicit_prelude]

    #[::hardening::fallback(|error| ::core::result::Result::Err(error))]
    #[::hardening::cached(key = 0)]
    #[::hardening::timeout("9s")]
    #[::hardening::retryable(policy = "shapes")]
    #[::hardening::rate_limited(capacity = 9, window_seconds = 60)]
    #[::hardening::circuit_breaker]
    #[::hardening::bulkhead]
    pub(super) async fn all(runs: &super::Runs) -> super::AppResult<u32> {
        super::third(runs)
    }

    #[::hardening::cached(key = 0)]
    #[::hardening::retryable(policy = "shapes")]
    #[::hardening::circuit_breaker]
    pub(super) fn blocking(runs: &super::Runs) -> super::AppResult<u32> {
        super::third(runs)
    }
}

#[tokio::test(start_paused = true)]
async fn generated_code_takes_nothing_from_the_prelude() {
    let runs = Runs::new();
    assert_eq!((without_prelude::all(&runs).await, runs.take()), (Ok(3), 3));
    assert_eq!((without_prelude::blocking(&runs), runs.take()), (Ok(3), 3));
}
