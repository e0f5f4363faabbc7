//! The async driver: attempts and waits, as one future.
//!
//! Written by hand, because nearly all calls are over in their first poll: an `async fn` stores all
//! that it knows before it polls a body; here that is done when the body is not ready or has failed.

use super::{Driver, Judge, RetryTerms};
use crate::{
    clock::{self, Sleep},
    context::{self, Context, Words},
};
use std::{
    future::Future,
    pin::Pin,
    task::{self, Poll, ready},
    time::Duration,
};

pin_project_lite::pin_project! {
    /// What [`retry()`](super::retry()) returns.
    #[must_use = "futures do nothing unless awaited"]
    pub(super) struct Retrying<P, F, Fut> {
        policy: P,
        body: F,
        #[pin]
        stage: Stage<Fut>,
        // None before the first poll, and in it until an attempt is pending or has failed.
        kept: Option<Kept>,
    }
}

pin_project_lite::pin_project! {
    #[project = StageProjected]
    enum Stage<Fut> {
        // An attempt is to be made.
        Next,
        // An attempt is under way.
        Attempt { #[pin] attempt: Fut },
        // An attempt has failed, and is gone.
        Wait { #[pin] wait: Sleep },
        Ended,
    }
}

/// What a call knows from its first poll on.
struct Kept {
    driver: Driver,
    /// Of the attempt under way.
    context: Words,
}

impl Kept {
    #[inline]
    fn of(driver: Driver) -> Self {
        let context = context_of(&driver);
        Self { driver, context }
    }
}

/// What the body of the attempt under way may know.
#[inline]
pub(super) fn context_of(driver: &Driver) -> Words {
    Words::of(Context {
        attempt: driver.attempt(),
        deadline: driver.deadline(),
        ..context::current()
    })
}

impl<P, F, Fut> Retrying<P, F, Fut> {
    #[inline]
    pub(super) const fn new(policy: P, body: F) -> Self {
        Self {
            policy,
            body,
            stage: Stage::Next,
            kept: None,
        }
    }
}

impl<P, F, Fut, T, E> Future for Retrying<P, F, Fut>
where
    P: RetryTerms,
    P::Judge: Judge<E>,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            ready!(poll_wait(this.stage.as_mut(), cx));
            let (begun, restore) = if let Some(kept) = this.kept {
                (None, context::change(kept.context))
            } else {
                let driver = this.policy.terms().begin();
                let restore = context::change_attempt(driver.attempt(), driver.deadline());
                (Some(driver), restore)
            };
            let polled = poll_attempt(this.stage.as_mut(), this.body, cx);
            drop(restore);
            let outcome = match polled {
                Poll::Ready(Ok(value)) => return Poll::Ready(Ok(value)),
                polled => {
                    if let Some(driver) = begun {
                        *this.kept = Some(Kept::of(driver));
                    }
                    ready!(polled)
                }
            };
            let Some(kept) = this.kept else {
                unreachable!("just kept");
            };
            let Some(delay) = this.policy.terms().next(&mut kept.driver, &outcome) else {
                return Poll::Ready(outcome);
            };
            // The wait holds nothing that belongs to the attempt, such as a permit in its error.
            drop(outcome);
            kept.context = context_of(&kept.driver);
            this.stage.set(match delay {
                Duration::ZERO => Stage::Next, // at once: no timer, and no look at the clock
                delay => Stage::Wait {
                    wait: clock::sleep(delay),
                },
            });
        }
    }
}

/// Ready when there is nothing to wait for, or no longer.
#[inline]
fn poll_wait<Fut>(mut stage: Pin<&mut Stage<Fut>>, cx: &mut task::Context<'_>) -> Poll<()> {
    if let StageProjected::Wait { wait } = stage.as_mut().project() {
        ready!(wait.poll(cx));
        stage.set(Stage::Next);
    }
    Poll::Ready(())
}

/// Makes an attempt, or goes on with the one under way; one that is ready is dropped here.
#[inline]
fn poll_attempt<Fut: Future>(
    mut stage: Pin<&mut Stage<Fut>>,
    body: &mut impl FnMut() -> Fut,
    cx: &mut task::Context<'_>,
) -> Poll<Fut::Output> {
    if let StageProjected::Next = stage.as_mut().project() {
        let attempt = body();
        stage.set(Stage::Attempt { attempt });
    }
    let StageProjected::Attempt { attempt } = stage.as_mut().project() else {
        panic!("polled after it has ended");
    };
    let outcome = ready!(attempt.poll(cx));
    stage.set(Stage::Ended);
    Poll::Ready(outcome)
}
