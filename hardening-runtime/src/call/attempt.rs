//! The innermost driver: one run of the body.

use super::Call;
use crate::{
    event, inject,
    live::Live,
    metrics::{Event, Layer, Outcome},
    otel::CallSpan,
    outcome::{Failure, Rejected},
    shape::Split,
    site::Site,
    timeout::{self, Attempt, Ended},
};
use std::{
    convert::Infallible,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

pin_project_lite::pin_project! {
    /// A run of an async body under its deadlines; what [`Call::attempt`] returns.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Run<S, F> {
        #[pin]
        body: Attempt<Body<F>>,
        // What is said when its time is up.
        late: Late,
        shape: PhantomData<fn() -> S>,
    }
}

pin_project_lite::pin_project! {
    // A body behind what tests inject, which takes up the body's time.
    struct Body<F> {
        #[pin]
        injected: inject::Injected,
        #[pin]
        body: F,
    }
}

impl<F: Future> Future for Body<F> {
    type Output = Result<F::Output, Failure<Infallible>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        ready!(this.injected.poll_failure(cx))?;
        this.body.poll(cx).map(Ok)
    }
}

impl Call {
    /// Runs an async body, until it returns or its time is up.
    #[inline]
    pub fn attempt<S, F>(&mut self, _: S, body: F) -> Run<S, F>
    where
        F: Future,
        S: Split<F::Output>,
    {
        let (context, until) = self.next_attempt();
        let injected = inject::into(self.site, self.live.path);
        Run {
            body: timeout::attempt(context, until, Body { injected, body }),
            late: Late {
                site: self.site,
                live: self.live,
                of_call: until.is_some() && self.until.get() == until,
                span: self.span.clone(),
            },
            shape: PhantomData,
        }
    }

    /// Runs a blocking body.
    #[inline]
    pub fn attempt_blocking<S, R>(
        &mut self,
        _: S,
        body: impl FnOnce() -> R,
    ) -> Result<S::Value, Failure<S::Error>>
    where
        S: Split<R>,
    {
        let (context, _) = self.next_attempt();
        inject::into(self.site, self.live.path).blocking()?;
        let run = || timeout::run_blocking(context, body);
        let outcome = match self.span.enter(run) {
            Ok(returned) => S::split(returned).map_err(Failure::Error),
            Err(payload) => Err(Failure::Panicked(payload)),
        };
        self.span.attempted(Outcome::of(&outcome));
        outcome
    }
}

/// An attempt that was not over in time: which of the times that were given, the attempt's or the
/// call's.
struct Late {
    site: &'static Site,
    live: &'static Live,
    of_call: bool,
    span: CallSpan,
}

impl Late {
    /// The refusal, told and counted.
    #[cold]
    fn refused(&self) -> Rejected {
        let limits = &self.live.timeout;
        let after = if self.of_call {
            limits.call
        } else {
            limits.attempt
        };
        let late = Rejected::TimedOut {
            name: self.live.path,
            after: after.unwrap_or(Duration::ZERO),
        };
        event::rejected(late.name(), Layer::Timeout.as_str(), &late);
        self.site.metrics.count(Event::Rejected(Layer::Timeout));
        self.span.rejected(Layer::Timeout, &late);
        late
    }
}

impl<S, F> Future for Run<S, F>
where
    F: Future,
    S: Split<F::Output>,
{
    type Output = Result<S::Value, Failure<S::Error>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let span = &this.late.span;
        let outcome = match ready!(span.enter(|| this.body.poll(cx))) {
            Ended::Returned(Ok(returned)) => S::split(returned).map_err(Failure::Error),
            Ended::Returned(Err(Failure::Rejected(injected))) => Err(Failure::Rejected(injected)),
            Ended::Returned(Err(Failure::Panicked(injected))) => Err(Failure::Panicked(injected)),
            Ended::Returned(Err(Failure::Error(never))) => match never {},
            Ended::Panicked(payload) => Err(Failure::Panicked(payload)),
            Ended::Elapsed => Err(Failure::Rejected(this.late.refused())),
        };
        span.attempted(Outcome::of(&outcome));
        Poll::Ready(outcome)
    }
}
