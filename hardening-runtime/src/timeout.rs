//! Timeout: bound the time. And the innermost driver, which runs the body once.
//!
//! A call that takes for ever holds whatever it holds for ever: a place, a connection, its caller's
//! patience. [`Timeout`] drops the body when its time is up, which releases all of that.
//!
//! # Rules
//!
//! - The body is polled first. A timer is set only when the body is not ready at once. The clock is read
//!   before, once: a body may ask for its deadline in its first poll, and one that holds the thread for
//!   long in it must not get that time on top.
//! - When the time is up, the body is dropped, and only then the caller gets
//!   [`Rejected::TimedOut`]. What the body spawned goes on: cancellation is by dropping.
//! - The body sees its deadline as [`deadline`](crate::deadline): the nearest one of all the calls
//!   around it. It is a moment, not a duration, so nothing has to be subtracted on the way in.
//! - A body that never yields cannot be interrupted. One that always has something ready can: the
//!   timer is not subject to tokio's cooperative budget.
//! - Timers have a resolution of a millisecond, and never fire early.
//!
//! Blocking code cannot be interrupted, so there is no blocking twin. It can ask for its
//! [`deadline`](crate::deadline), and waits of ours inside it end there.

use crate::{
    clock::{self, Moment, Sleep},
    context::{self, Context, Words},
    event, name,
    outcome::Rejected,
};
use hardening_config::TimeoutPolicy;
use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::{Poll, ready},
    time::Duration,
};
use tokio::task::coop::unconstrained;

/// How one run of a body ended.
pub(crate) enum Ended<R> {
    /// It returned.
    Returned(R),
    /// Its time was up first, and it was dropped.
    Elapsed,
    /// It panicked, or its drop did.
    Panicked(Box<dyn Any + Send>),
}

/// The nearer of two deadlines.
#[inline]
pub(crate) fn nearest(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Runs `body` in `context` until `until`.
///
/// `until` is what this call itself promised: the nearer one of its own and its attempt's
/// deadline. What it inherited belongs into `context.deadline`, together with `until`; the call
/// that set it has a timer for it, and drops us.
#[inline]
pub(crate) fn attempt<F: Future>(context: Context, until: Option<Moment>, body: F) -> Attempt<F> {
    Attempt {
        body: Some(body),
        timer: until.map(clock::sleep_until),
        context,
    }
}

pin_project_lite::pin_project! {
    /// One run of a body: what [`attempt`] returns.
    #[must_use = "futures do nothing unless awaited"]
    pub(crate) struct Attempt<F> {
        // None once it has ended: it is dropped before the result is out.
        #[pin]
        body: Option<F>,
        // Armed by its first poll, which comes after the body's.
        #[pin]
        timer: Option<Sleep>,
        context: Context,
    }
}

impl<F> Attempt<F> {
    /// Sets its context and its end anew; it was not polled yet. The body, to be made ready.
    #[inline]
    pub(crate) fn begin(
        self: Pin<&mut Self>,
        context: Context,
        until: Option<Moment>,
    ) -> Option<Pin<&mut F>> {
        let mut this = self.project();
        *this.context = context;
        if let Some(until) = until {
            this.timer.set(Some(clock::sleep_until(until)));
        }
        this.body.as_pin_mut()
    }

    /// Ends it before it has begun.
    pub(crate) fn end(self: Pin<&mut Self>) {
        self.project().body.set(None);
    }
}

impl<F: Future> Future for Attempt<F> {
    type Output = Ended<F::Output>;

    #[inline(always)]
    #[allow(clippy::inline_always)] // its result would come back through memory: see `call`
    fn poll(self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        assert!(this.body.is_some(), "polled after it has ended");
        match run_blocking(*this.context, || poll_body(this.body.as_mut(), cx)) {
            Ok(Poll::Ready(result)) => return Poll::Ready(Ended::Returned(result)),
            Ok(Poll::Pending) => {}
            Err(payload) => {
                let _also_panicked = drop_body(*this.context, this.body);
                return Poll::Ready(Ended::Panicked(payload));
            }
        }
        let Some(timer) = this.timer.as_pin_mut() else {
            return Poll::Pending;
        };
        ready!(poll_timer(timer, cx));
        Poll::Ready(match drop_body(*this.context, this.body) {
            Ok(()) => Ended::Elapsed,
            Err(payload) => Ended::Panicked(payload),
        })
    }
}

/// A body that always has something ready must not use up the timer's turn.
fn poll_timer(timer: Pin<&mut Sleep>, cx: &mut std::task::Context<'_>) -> Poll<()> {
    pin!(unconstrained(timer)).poll(cx)
}

/// One poll; a body that is ready is dropped here.
#[inline]
fn poll_body<F: Future>(
    mut body: Pin<&mut Option<F>>,
    cx: &mut std::task::Context<'_>,
) -> Poll<F::Output> {
    let Some(running) = body.as_mut().as_pin_mut() else {
        return Poll::Pending;
    };
    let result = ready!(running.poll(cx));
    body.set(None);
    Poll::Ready(result)
}

fn drop_body<F>(
    context: Context,
    mut body: Pin<&mut Option<F>>,
) -> Result<(), Box<dyn Any + Send>> {
    run_blocking(context, || body.set(None))
}

/// Runs blocking `body` in `context`. A panic is the error.
#[inline]
pub(crate) fn run_blocking<R>(
    context: Context,
    body: impl FnOnce() -> R,
) -> Result<R, Box<dyn Any + Send>> {
    // The panic is raised again at the outer edge, so nobody sees what it left half done who
    // would not have seen it without us.
    catch_unwind(AssertUnwindSafe(|| context::within(context, body)))
}

/// A timeout as a plain type, without attributes and configuration. See the [module](self) for its
/// rules.
///
/// ```
/// # use hardening_runtime as hardening;
/// use hardening::{config::TimeoutPolicy, timeout::Timeout};
/// use std::{io, time::Duration};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let quick = Timeout::new(TimeoutPolicy { call: Some(Duration::from_millis(5)), attempt: None });
/// let hanging = quick.call(|| std::future::pending::<io::Result<()>>()).await;
/// assert_eq!(hanging.unwrap_err().kind(), io::ErrorKind::TimedOut);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Timeout {
    name: &'static str,
    policy: TimeoutPolicy,
}

impl Timeout {
    /// A timeout called `timeout` in errors and events.
    #[must_use]
    pub fn new(policy: TimeoutPolicy) -> Self {
        Self::named("timeout", policy)
    }

    /// A timeout called `name` in errors and events. Names are kept for the life of the program:
    /// they should be few.
    #[must_use]
    pub fn named(name: &str, policy: TimeoutPolicy) -> Self {
        let name = name::intern(name);
        Self { name, policy }
    }

    /// The policy that it was built from.
    #[must_use]
    pub const fn policy(&self) -> &TimeoutPolicy {
        &self.policy
    }

    /// Runs `body` for at most the shorter one of the policy's `call` and `attempt`: here, a call
    /// is one attempt. Needs a tokio runtime with its timer unless the body is ready at once.
    ///
    /// # Errors
    ///
    /// The body's own, or [`Rejected::TimedOut`], converted.
    pub async fn call<T, E, F>(&self, body: impl FnOnce() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<Rejected>,
    {
        let longest = match (self.policy.call, self.policy.attempt) {
            (Some(call), Some(attempt)) => Some(call.min(attempt)),
            (call, attempt) => call.or(attempt),
        };
        match Bounded::new(longest, async { body().await }).await {
            Some(result) => result,
            None => Err(late(self.name, longest).into()),
        }
    }
}

/// Runs `body` for at most `longest`, whatever it returns.
///
/// ```
/// # use hardening_runtime as hardening;
/// # use std::time::Duration;
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let answer = hardening::timeout::within(Duration::from_secs(1), async { 42 }).await;
/// assert_eq!(answer, Ok(42));
/// # }
/// ```
///
/// # Errors
///
/// [`Rejected::TimedOut`], with the name `timeout`.
#[inline]
pub fn within<F: Future>(longest: Duration, body: F) -> Within<F> {
    let bounded = Bounded::new(Some(longest), body);
    Within { bounded }
}

pin_project_lite::pin_project! {
    /// A future with an end: what [`within`] returns. The time starts with the first poll.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Within<F> {
        // An `async fn` would hold the body twice: as its argument and in what it awaits.
        #[pin]
        bounded: Bounded<F>,
    }
}

impl<F: Future> Future for Within<F> {
    type Output = Result<F::Output, Rejected>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        let mut bounded = self.project().bounded;
        let ended = ready!(bounded.as_mut().poll(cx));
        Poll::Ready(ended.ok_or_else(|| late("timeout", bounded.longest)))
    }
}

pin_project_lite::pin_project! {
    // A body with an end, outside of any layers; none when its time was up first. Unlike an attempt it
    // lets panics pass.
    struct Bounded<F> {
        // None once it has ended: it is dropped before the result is out.
        #[pin]
        body: Option<F>,
        // Armed by its first poll, which comes after the body's.
        #[pin]
        timer: Sleep,
        longest: Option<Duration>,
        // The body's; none before its first poll, and in it: most bodies are ready then.
        context: Option<Words>,
    }
}

impl<F> Bounded<F> {
    #[inline]
    fn new(longest: Option<Duration>, body: F) -> Self {
        Self {
            body: Some(body),
            timer: clock::sleep_until(Moment::from_nanos(0)),
            longest,
            context: None,
        }
    }

    /// The time begins.
    #[inline]
    fn begin(self: Pin<&mut Self>) -> Words {
        let this = self.project();
        let until = this.longest.map(|longest| clock::now().plus(longest));
        if let Some(until) = until {
            this.timer.set_until(until);
        }
        let around = context::current();
        let deadline = nearest(around.deadline, until);
        Words::of(Context { deadline, ..around })
    }
}

impl<F: Future> Future for Bounded<F> {
    type Output = Option<F::Output>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        let context = self.context.unwrap_or_else(|| self.as_mut().begin());
        let mut this = self.project();
        assert!(this.body.is_some(), "polled after it has ended");
        let polled = context::within_words(context, || poll_body(this.body.as_mut(), cx));
        if let Poll::Ready(result) = polled {
            return Poll::Ready(Some(result));
        }
        *this.context = Some(context);
        if this.longest.is_none() {
            return Poll::Pending;
        }
        ready!(poll_timer(this.timer, cx));
        context::within_words(context, || this.body.set(None));
        Poll::Ready(None)
    }
}

/// The time of a call that may take `longest` was up.
#[cold]
fn late(name: &'static str, longest: Option<Duration>) -> Rejected {
    let after = longest.unwrap_or_default();
    let rejected = Rejected::TimedOut { name, after };
    event::rejected(name, "timeout", &rejected);
    rejected
}

#[cfg(all(test, not(hardening_loom)))]
mod tests;
