//! Retry: run again on transient failure.
//!
//! # Which failures
//! An error says itself whether it is worth another try ([`Classify`](crate::Classify)), unless
//! `retry_if` says it. Of the rejections of layers further in, an attempt's `TimedOut` and
//! `BulkheadFull` are retried, `RateLimited` and `CircuitOpen` only when their `retry_after` is
//! within `max_delay` and the deadline, whether it is refused by a layer of the same call or comes inside
//! the error of another ([`Origin`](crate::Origin)): an open circuit is not asked until the attempts are used
//! up. Panics are never retried, nor is a call whose caller went away. The last error is returned
//! unchanged.
//!
//! # How long the waits are
//! Before retry *n* the backoff is `base_delay * exponential_base^(n - 1)`, at most `max_delay`; the
//! jitter is drawn within that, so the cap holds after it. With `b` for that backoff:
//!
//! | jitter | the wait is drawn from |
//! |---|---|
//! | `none` | `b` |
//! | `full` (default) | `0 ..= b` |
//! | `equal` | `b / 2 ..= b` |
//! | `decorrelated` | `base_delay ..= 3 * the wait before`, at most `max_delay` |
//!
//! The formulas are those of Marc Brooker's
//! [Exponential Backoff And Jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
//! Jitter matters as much as the growth: callers that failed together and wait equally long come
//! back together.
//!
//! An upstream that says when to come back (`Class::TransientAfter`) is never asked earlier: the
//! wait is the longer of the backoff and `retry_after`, also above `max_delay`. A call that neither
//! a deadline nor `max_elapsed` bounds waits no longer than two minutes for it, or ten times `max_delay`
//! when that is longer; asked for more, it returns the error at once.
//!
//! **Nobody sleeps towards a deadline that the wait must miss.** When the wait would end at or after
//! the nearest deadline of all the calls around, or after `max_elapsed`, the error is returned at
//! once.
//!
//! # Why a budget
//! `max_attempts` bounds what one caller does to an upstream. It does not bound what all of them do
//! together: when an upstream fails every call, three attempts each are three times the traffic, at
//! the moment at which it can bear the least; three services that call each other make that
//! twenty-seven. The retries are then what keeps it down. Fewer attempts weaken the cure along with
//! the harm, since a handful of failures among many calls needs retries and hurts nobody.
//!
//! A budget tells the two apart by counting retries against calls. Each call earns a share of a retry
//! (`ratio`, 0.2 by default), each retry spends a whole one: with an upstream that fails now and
//! then, no retry is ever refused; with one that fails always, the traffic grows to 1.2 times and
//! no further. A reserve (`min_per_second`, 10 by default) lets a quiet service retry as well. This is
//! what Finagle's `RetryBudget` and tower's `TpsBudget` do.
//!
//! - One budget per policy, shared by all functions under it; one per [`Retry`].
//! - The reserve starts full, with ten seconds of `min_per_second` (at least one retry), and never
//!   holds more.
//! - What calls earned is bounded by what the calls of ten to twenty seconds earn, so that a healthy
//!   day does not pay for a storm; ten retries may always be kept, so that few calls an hour add up.
//! - A call earns without a clock or a lock. The calls of a thread are entered by the 64, and whenever a
//!   retry is decided, as if they had come evenly since the last time: no share is lost, and
//!   the bound may be off by what fewer than 64 calls of each thread earn.
//! - A retry is charged when it is decided, before its wait, so retries that wait are counted.
//! - Arithmetic in billionths: a ratio of 0.001 is one in a thousand, exactly, from any number of
//!   threads.
//! - `ratio` above 1,000 and `min_per_second` above 1,000,000 count as these.
//!
//! # What is told
//! A `tracing` event at `WARN` (target `hardening`) before each retry's wait, and one when a
//! transient failure is returned because attempts, time or budget are used up; then the `on_retry`
//! hook, whose panic does not reach the caller. The body finds its number in
//! [`attempt()`](crate::attempt).

mod backoff;
mod budget;
mod driver;
mod future;
mod state;
mod terms;

#[cfg(all(test, not(hardening_loom)))]
mod tests;

pub(crate) use driver::judged;
pub use driver::{RetryEvent, RetryReason};
pub use hardening_config::{Budget, Jitter, RetryPolicy};
pub use terms::{ByClass, Judge, Retry, RetryIf, RetryTerms};

#[doc(hidden)]
pub use {
    budget::BudgetState,
    driver::{Driver, Rules},
    terms::Terms,
};

use crate::{clock, context};
use future::{Retrying, context_of};
use std::future::Future;

/// Runs `body` until it succeeds, fails permanently, or `policy` is used up, and returns what its
/// last run returned.
///
/// `policy` is a [`RetryPolicy`], a [`Retry`] (which can say more, and shares a
/// [budget](self#why-a-budget) between its calls), or a reference to one. A policy alone makes a
/// call with a budget of its own: its reserve, and what one call earns.
///
/// Each run is a new future; the one before is dropped, with the error that it returned, before the
/// wait begins. Dropping the call at any point runs nothing again.
///
/// ```
/// # use hardening_runtime as hardening;
/// use hardening::retry::{RetryPolicy, retry};
/// use std::io;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let policy = RetryPolicy { base_delay: std::time::Duration::ZERO, ..RetryPolicy::default() };
/// let answer = retry(policy, || async {
///     match hardening::attempt() {
///         1 => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
///         attempt => Ok(attempt),
///     }
/// })
/// .await;
/// assert_eq!(answer.unwrap(), 2);
/// # }
/// ```
#[inline]
pub fn retry<P, F, Fut, T, E>(policy: P, body: F) -> impl Future<Output = Result<T, E>>
where
    P: RetryTerms,
    P::Judge: Judge<E>,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    Retrying::new(policy, body)
}

/// [`retry()`](retry()) for blocking code: the waits block the thread.
///
/// ```
/// # use hardening_runtime as hardening;
/// use hardening::retry::{RetryPolicy, retry_blocking};
///
/// let text = retry_blocking(RetryPolicy::default(), || std::fs::read_to_string("no such file"));
/// assert!(text.is_err()); // permanent: one attempt
/// ```
pub fn retry_blocking<P, T, E>(policy: P, mut body: impl FnMut() -> Result<T, E>) -> Result<T, E>
where
    P: RetryTerms,
    P::Judge: Judge<E>,
{
    let mut driver = policy.terms().begin();
    loop {
        let outcome = context::within_words(context_of(&driver), &mut body);
        let Some(delay) = policy.terms().next(&mut driver, &outcome) else {
            return outcome;
        };
        // The wait holds nothing that belongs to the attempt, such as a permit in its error.
        drop(outcome);
        clock::sleep_blocking(delay);
    }
}
