//! The innermost driver: one run of the body.

use super::{Call, entry::Stopped};
use crate::{
    clock::Moment,
    context, event, inject,
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
    pub struct Run<'a, S, F> {
        // What comes before it; mostly nothing.
        entering: Option<Entering<'a>>,
        #[pin]
        body: Attempt<Body<F>>,
        // What is said when its time is up.
        late: Late,
        shape: PhantomData<fn() -> S>,
    }
}

type Entering<'a> = Pin<Box<dyn Future<Output = Result<&'a mut Call, Stopped>> + Send + 'a>>;

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
    /// Runs an async body, until it returns or its time is up; before that, what was left for it.
    #[inline]
    pub fn attempt<S, F>(&mut self, _: S, body: F) -> Run<'_, S, F>
    where
        F: Future,
        S: Split<F::Output>,
    {
        let waits = self.waits();
        let (context, until, injected) = if waits {
            (context::current(), None, inject::nothing())
        } else {
            self.begin_attempt()
        };
        Run {
            body: timeout::attempt(context, until, Body { injected, body }),
            late: self.late(until),
            entering: waits.then(|| self.entering()),
            shape: PhantomData,
        }
    }

    #[inline(always)]
    fn begin_attempt(&mut self) -> (context::Context, Option<Moment>, inject::Injected) {
        let (context, until) = self.next_attempt();
        (context, until, inject::into(self.site, self.live.path))
    }

    #[cold]
    fn entering(&mut self) -> Entering<'_> {
        Box::pin(self.enter())
    }

    #[inline(always)]
    fn late(&self, until: Option<Moment>) -> Late {
        Late {
            site: self.site,
            live: self.live,
            of_call: until.is_some() && self.until.get() == until,
            span: self.span.clone(),
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

impl<S, F: Future> Run<'_, S, F> {
    /// What comes before the body is over: its time begins, unless a layer refused.
    #[cold]
    fn poll_entering(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Stopped>> {
        let mut this = self.project();
        let Some(entering) = this.entering else {
            return Poll::Ready(Ok(()));
        };
        let entered = ready!(entering.as_mut().poll(cx));
        let entered = entered.map(|call| {
            let (context, until, injected) = call.begin_attempt();
            let body = this.body.as_mut().begin(context, until);
            if let Some(body) = body {
                body.project().injected.set(injected);
            }
            *this.late = call.late(until);
        });
        *this.entering = None;
        Poll::Ready(entered)
    }
}

impl<S, F> Future for Run<'_, S, F>
where
    F: Future,
    S: Split<F::Output>,
{
    type Output = Result<S::Value, Failure<S::Error>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.entering.is_some()
            && let Err(stopped) = ready!(self.as_mut().poll_entering(cx))
        {
            return Poll::Ready(Err(stopped.failure()));
        }
        let this = self.project();
        let span = &this.late.span;
        let outcome = match ready!(span.enter(|| this.body.poll(cx))) {
            Ended::Returned(Ok(returned)) => S::split(returned).map_err(Failure::Error),
            Ended::Returned(Err(Failure::Rejected(injected))) => Err(Failure::Rejected(injected)),
            Ended::Returned(Err(Failure::Panicked(injected))) => Err(Failure::Panicked(injected)),
            Ended::Returned(Err(Failure::Answered)) => Err(Failure::Answered),
            Ended::Returned(Err(Failure::Error(never))) => match never {},
            Ended::Panicked(payload) => Err(Failure::Panicked(payload)),
            Ended::Elapsed => Err(Failure::Rejected(this.late.refused())),
        };
        span.attempted(Outcome::of(&outcome));
        Poll::Ready(outcome)
    }
}
