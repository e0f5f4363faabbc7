//! Runs a body and keeps its panic, so that the circuit can count it before it is raised again; and asks
//! `failure_if`, whose panic nobody else need see.

use crate::event;
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
    thread,
};

pin_project_lite::pin_project! {
    /// A future whose panic is a value.
    pub(super) struct Caught<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Caught<F> {
    type Output = thread::Result<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.project().future;
        match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

/// Runs `body`, and keeps its panic. Nothing of ours is left half changed by it, and what the body
/// itself left so is the business of whoever catches the panic, which is always raised again.
#[inline]
pub(super) fn run<R>(body: impl FnOnce() -> R) -> thread::Result<R> {
    catch_unwind(AssertUnwindSafe(body))
}

/// Runs the future that `body` makes, and keeps the panic of either.
pub(super) async fn run_async<Fut: Future>(
    body: impl FnOnce() -> Fut,
) -> thread::Result<Fut::Output> {
    let future = run(body)?;
    Caught { future }.await
}

/// Whether `result` is a failure of the circuit `name`. A `failure_if` that panics is told of, and every
/// `Err` counts as if it had not been asked.
#[inline]
pub(super) fn judge<T, E>(
    name: &str,
    result: &Result<T, E>,
    failure_if: impl FnOnce(&Result<T, E>) -> bool,
) -> bool {
    run(|| failure_if(result)).unwrap_or_else(|_| {
        event::hook_panicked(name, "failure_if");
        result.is_err()
    })
}
