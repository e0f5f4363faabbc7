//! The innermost driver: one run of the body.

use super::{Call, entry::Stopped};
use crate::{
    clock::Moment,
    context::Context,
    inject,
    metrics::{Layer, Outcome},
    outcome::{Failure, Rejected},
    shape::Split,
    timeout::{self, Attempt, Ended},
};
use std::{
    convert::Infallible,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{self, Poll, ready},
    time::Duration,
};

pin_project_lite::pin_project! {
    /// A run of an async body under its deadlines; what [`Call::attempt`] returns.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Run<'a, S, F> {
        // None while it is lent to what comes before the body.
        call: Option<&'a mut Call>,
        // What comes before the body; mostly nothing.
        entering: Option<Entering<'a>>,
        // Whether the body's time has begun: from the start, unless the call waits first.
        has_begun: bool,
        #[pin]
        body: Attempt<Body<F>>,
        // Whether the call's time is up before the attempt's.
        is_last: bool,
        shape: PhantomData<fn() -> S>,
    }
}

/// What a poll of it panics with then.
const ENDED: &str = "polled after it has ended";

type Entering<'a> = Pin<Box<dyn Future<Output = Result<&'a mut Call, Stopped>> + Send + Sync + 'a>>;

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
    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
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
        let has_begun = !self.waits();
        let (context, until) = if has_begun {
            self.next_attempt()
        } else {
            (Context::NONE, None)
        };
        let injected = if has_begun {
            inject::into(self.site, self.live.path)
        } else {
            inject::nothing()
        };
        Run {
            is_last: self.ends_at(until),
            call: Some(self),
            entering: None,
            has_begun,
            body: timeout::attempt(context, until, Body { injected, body }),
            shape: PhantomData,
        }
    }

    /// Whether the call itself ends then.
    #[inline(always)]
    fn ends_at(&self, until: Option<Moment>) -> bool {
        until.is_some() && self.until.get() == until
    }

    /// The refusal of an attempt that was not over in time, told and counted: which of the times that were given,
    /// the attempt's or the call's.
    #[cold]
    fn late(&self, is_last: bool) -> Rejected {
        let limits = &self.live.timeout;
        let after = if is_last { limits.call } else { limits.attempt };
        let late = Rejected::TimedOut {
            name: self.live.path,
            after: after.unwrap_or(Duration::ZERO),
        };
        self.refused(Layer::Timeout, late).0
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

impl<'a, S, F> Run<'a, S, F> {
    /// The body's time begins; before that, what was left for it.
    #[inline(always)]
    fn poll_begin(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Result<(), Stopped>> {
        if self.entering.is_some() || self.call.as_ref().is_some_and(|call| call.waits()) {
            let entered = ready!(self.as_mut().poll_entering(cx));
            if let Err(stopped) = entered {
                return Poll::Ready(Err(stopped));
            }
        }
        let this = self.project();
        let call = this.call.as_deref_mut().expect(ENDED);
        let (context, until) = call.next_attempt();
        *this.is_last = call.ends_at(until);
        if let Some(body) = this.body.begin(context, until) {
            let injected = inject::into(call.site, call.live.path);
            body.project().injected.set(injected);
        }
        *this.has_begun = true;
        Poll::Ready(Ok(()))
    }

    #[cold]
    fn poll_entering(
        self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Result<(), Stopped>> {
        let mut this = self.project();
        let enter = |call: &'a mut Call| -> Entering<'a> { Box::pin(call.enter()) };
        if let Some(call) = this.call.take() {
            *this.entering = Some(enter(call));
        }
        let entering = this.entering.as_mut().expect(ENDED);
        let entered = ready!(entering.as_mut().poll(cx));
        if entered.is_err() {
            this.body.as_mut().end();
        }
        *this.entering = None;
        Poll::Ready(entered.map(|call| *this.call = Some(call)))
    }
}

impl<S, F> Future for Run<'_, S, F>
where
    F: Future,
    S: Split<F::Output>,
{
    type Output = Result<S::Value, Failure<S::Error>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        if !self.has_begun
            && let Err(stopped) = ready!(self.as_mut().poll_begin(cx))
        {
            return Poll::Ready(Err(stopped.failure()));
        }
        let this = self.project();
        let call = this.call.as_deref().expect(ENDED);
        let span = &call.span;
        let outcome = match ready!(span.enter(|| this.body.poll(cx))) {
            Ended::Returned(Ok(returned)) => S::split(returned).map_err(Failure::Error),
            Ended::Returned(Err(Failure::Rejected(injected))) => Err(Failure::Rejected(injected)),
            Ended::Returned(Err(Failure::Panicked(injected))) => Err(Failure::Panicked(injected)),
            Ended::Returned(Err(Failure::Answered)) => Err(Failure::Answered),
            Ended::Returned(Err(Failure::Error(never))) => match never {},
            Ended::Panicked(payload) => Err(Failure::Panicked(payload)),
            Ended::Elapsed => Err(Failure::Rejected(call.late(*this.is_last))),
        };
        span.attempted(Outcome::of(&outcome));
        Poll::Ready(outcome)
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;
    use crate::shape::Fallible;
    use crate::site::Site;
    use std::{pin::pin, task::Waker};

    static SITE: Site = Site::new(
        || "call::attempt::tests::place::here",
        "src/call/attempt.rs",
        "rate_limited 1\n capacity 1\n window_seconds 60\n",
    );

    #[test]
    #[should_panic(expected = "polled after it has ended")]
    fn a_refused_attempt_runs_no_body_when_it_is_polled_once_more() {
        let mut call = SITE.call();
        call.pause(Duration::ZERO);
        call.rate_limit(7, 2).expect("it is asked after the pause");
        let body = async { Ok::<_, Rejected>(()) };
        let (mut run, mut cx) = (
            pin!(call.attempt(Fallible, body)),
            task::Context::from_waker(Waker::noop()),
        );
        let refused = run.as_mut().poll(&mut cx);
        assert!(matches!(
            refused,
            Poll::Ready(Err(Failure::Rejected(Rejected::RateLimited { .. })))
        ));
        let _ = run.as_mut().poll(&mut cx);
    }
}
