//! Timeout: bound the time. And the innermost driver, which runs the body once.
//!
//! A call that takes for ever holds whatever it holds for ever: a place, a connection, its caller's
//! patience. [`Timeout`] drops the body when its time is up, which releases all of that.
//!
//! # Rules
//!
//! - The body is polled first. A timer is set only when the body is not ready at once.
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
    context::{self, Context},
    event, name,
    outcome::Rejected,
};
use hardening_config::TimeoutPolicy;
use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
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
    /// Sets what was not known when it was made.
    fn begin(self: Pin<&mut Self>, context: Context, until: Option<Moment>) {
        let mut this = self.project();
        *this.context = context;
        this.timer.set(until.map(clock::sleep_until));
    }
}

impl<F: Future> Future for Attempt<F> {
    type Output = Ended<F::Output>;

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
        ready!(pin!(unconstrained(timer)).poll(cx));
        Poll::Ready(match drop_body(*this.context, this.body) {
            Ok(()) => Ended::Elapsed,
            Err(payload) => Ended::Panicked(payload),
        })
    }
}

/// One poll; a body that is ready is dropped here.
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
        let (context, until) = promise(longest);
        let ended = attempt(context, until, context::within(context, body)).await;
        settle(ended, self.name, longest).unwrap_or_else(|rejected| Err(rejected.into()))
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
pub fn within<F: Future>(longest: Duration, body: F) -> Within<F> {
    Within {
        attempt: attempt(context::current(), None, body),
        longest,
        began: false,
    }
}

pin_project_lite::pin_project! {
    /// A future with an end: what [`within`] returns. The time starts with the first poll.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Within<F> {
        // An `async fn` would hold the body twice: as its argument and in what it awaits.
        #[pin]
        attempt: Attempt<F>,
        longest: Duration,
        began: bool,
    }
}

impl<F: Future> Future for Within<F> {
    type Output = Result<F::Output, Rejected>;

    fn poll(self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let longest = Some(*this.longest);
        if !std::mem::replace(this.began, true) {
            let (context, until) = promise(longest);
            this.attempt.as_mut().begin(context, until);
        }
        let ended = ready!(this.attempt.poll(cx));
        Poll::Ready(settle(ended, "timeout", longest))
    }
}

/// The context of a call that takes at most `longest`, and its own deadline.
fn promise(longest: Option<Duration>) -> (Context, Option<Moment>) {
    let around = context::current();
    let until = longest.map(|longest| clock::now().plus(longest));
    let deadline = nearest(around.deadline, until);
    (Context { deadline, ..around }, until)
}

fn settle<R>(
    ended: Ended<R>,
    name: &'static str,
    longest: Option<Duration>,
) -> Result<R, Rejected> {
    match ended {
        Ended::Returned(result) => Ok(result),
        Ended::Panicked(payload) => resume_unwind(payload),
        Ended::Elapsed => {
            let after = longest.unwrap_or_default();
            let rejected = Rejected::TimedOut { name, after };
            event::rejected(name, "timeout", &rejected);
            Err(rejected)
        }
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests;
