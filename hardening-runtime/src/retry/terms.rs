//! What the programmatic functions take: a policy, or a [`Retry`] that says more.

use super::{
    RetryEvent,
    budget::BudgetState,
    driver::{Driver, Rules, judged},
};
use crate::{
    clock::{self, Moment},
    context, name,
    outcome::{Class, Classify, Worth},
};
use hardening_config::RetryPolicy;
use std::{
    fmt,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

type Hook = dyn Fn(&RetryEvent) + Send + Sync;

/// The site of calls that were given no name.
const UNNAMED: &str = "retry";

/// A policy, and what a policy cannot say: which errors are retried, who is told, until when.
///
/// Clones, and all calls through one `Retry`, share its [budget](super#why-a-budget).
///
/// ```
/// # use hardening_runtime as hardening;
/// # fn call_upstream() -> std::io::Result<u32> { Ok(7) }
/// use hardening::retry::{Retry, RetryPolicy};
/// use std::io::{Error, ErrorKind};
///
/// let upstream = Retry::new(RetryPolicy { max_attempts: 5, ..RetryPolicy::default() })
///     .name("upstream")
///     .retry_if(|error: &Error| error.kind() != ErrorKind::NotFound)
///     .on_retry(|event| eprintln!("attempt {} failed: {}", event.attempt, event.reason));
///
/// let answer = upstream.call_blocking(|| call_upstream())?;
/// # assert_eq!(answer, 7);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct Retry<J = ByClass> {
    policy: RetryPolicy,
    budget: Arc<BudgetState>,
    judge: J,
    hook: Option<Arc<Hook>>,
    name: &'static str,
    deadline: Option<Moment>,
}

impl Retry {
    /// Retries as `policy` says, with a budget of its own, whatever its errors'
    /// [`Classify`] says is transient.
    #[must_use]
    pub fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            budget: Arc::new(BudgetState::new()),
            judge: ByClass,
            hook: None,
            name: UNNAMED,
            deadline: None,
        }
    }
}

impl<J> Retry<J> {
    /// Retries exactly the errors for which `retry_if` says so, instead of asking [`Classify`].
    /// The closure's argument needs its type: `|error: &MyError| …`. A panic in it is reported, does not
    /// reach the caller, and means no.
    #[must_use]
    pub fn retry_if<E, F: Fn(&E) -> bool>(self, retry_if: F) -> Retry<RetryIf<F>> {
        Retry {
            judge: RetryIf(retry_if),
            policy: self.policy,
            budget: self.budget,
            hook: self.hook,
            name: self.name,
            deadline: self.deadline,
        }
    }

    /// Tells `on_retry` of each attempt that failed and is followed by another, before the wait.
    /// A panic in it is reported and does not reach the caller.
    #[must_use]
    pub fn on_retry(mut self, on_retry: impl Fn(&RetryEvent) + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(on_retry));
        self
    }

    /// No retry starts, and no wait begins, that would end at or after this moment. An attempt that
    /// is under way is left alone, and can ask for the moment: [`deadline`](crate::deadline).
    ///
    /// A deadline that is inherited from an annotated function around the call holds as well.
    /// Under tokio's paused clock the moment is that clock's (`tokio::time::Instant::into_std`).
    #[must_use]
    pub fn deadline(mut self, deadline: Instant) -> Self {
        let now = clock::now();
        let left = deadline.saturating_duration_since(clock::to_std(now));
        self.deadline = Some(now.plus(left));
        self
    }

    /// The name of these calls in events. Default `retry`.
    ///
    /// Names are kept for the life of the program: give the operation, not the request.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = name::intern(name);
        self
    }

    /// [`retry`](super::retry()) with these settings.
    #[inline]
    pub fn call<F, Fut, T, E>(&self, body: F) -> impl Future<Output = Result<T, E>>
    where
        J: Judge<E>,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        super::retry(self, body)
    }

    /// [`retry_blocking`](super::retry_blocking) with these settings.
    pub fn call_blocking<T, E>(&self, body: impl FnMut() -> Result<T, E>) -> Result<T, E>
    where
        J: Judge<E>,
    {
        super::retry_blocking(self, body)
    }
}

impl<J> fmt::Debug for Retry<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("name", &self.name)
            .field("policy", &self.policy)
            .field("budget", &self.budget)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// Says which errors are worth another try: [`ByClass`] or [`RetryIf`].
pub trait Judge<E> {
    /// What `error` is worth to the calls of `site`.
    #[doc(hidden)]
    fn worth(&self, site: &'static str, error: &E) -> Worth;
}

/// Asks the error: [`Classify`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ByClass;

impl<E: Classify> Judge<E> for ByClass {
    fn worth(&self, _: &'static str, error: &E) -> Worth {
        Worth::of(error)
    }
}

/// Asks a closure: transient where it says yes, permanent where it says no.
#[derive(Clone, Copy)]
pub struct RetryIf<F>(F);

impl<F> fmt::Debug for RetryIf<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryIf").finish_non_exhaustive()
    }
}

impl<E, F: Fn(&E) -> bool> Judge<E> for RetryIf<F> {
    fn worth(&self, site: &'static str, error: &E) -> Worth {
        judged(site, || {
            let class = if (self.0)(error) {
                Class::Transient
            } else {
                Class::Permanent
            };
            class.into()
        })
    }
}

/// What [`retry`](super::retry()) and [`retry_blocking`](super::retry_blocking) can be given: a
/// [`RetryPolicy`], a [`Retry`], or a reference to one.
pub trait RetryTerms {
    /// What says which errors are worth another try.
    type Judge;

    /// The terms of one call.
    #[doc(hidden)]
    fn terms(&self) -> Terms<'_, Self::Judge>;
}

/// A one-off call: its budget is its own.
impl RetryTerms for RetryPolicy {
    type Judge = ByClass;

    fn terms(&self) -> Terms<'_, ByClass> {
        Terms {
            rules: Rules {
                site: UNNAMED,
                policy: self,
                budget: None,
            },
            judge: &ByClass,
            hook: None,
            deadline: None,
        }
    }
}

impl<J> RetryTerms for Retry<J> {
    type Judge = J;

    fn terms(&self) -> Terms<'_, J> {
        Terms {
            rules: Rules {
                site: self.name,
                policy: &self.policy,
                budget: Some(&self.budget),
            },
            judge: &self.judge,
            hook: self.hook.as_deref(),
            deadline: self.deadline,
        }
    }
}

impl<R: RetryTerms + ?Sized> RetryTerms for &R {
    type Judge = R::Judge;

    fn terms(&self) -> Terms<'_, R::Judge> {
        (**self).terms()
    }
}

/// The terms of one call, of whichever kind.
#[doc(hidden)]
pub struct Terms<'a, J> {
    rules: Rules<'a>,
    judge: &'a J,
    hook: Option<&'a Hook>,
    deadline: Option<Moment>,
}

impl<J> fmt::Debug for Terms<'_, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl Terms<'static, ByClass> {
    /// A policy and a budget that outlive the call.
    pub(crate) const fn lent(
        name: &'static str,
        policy: &'static RetryPolicy,
        budget: &'static BudgetState,
    ) -> Self {
        Self {
            rules: Rules {
                site: name,
                policy,
                budget: Some(budget),
            },
            judge: &ByClass,
            hook: None,
            deadline: None,
        }
    }
}

impl<J> Terms<'_, J> {
    /// A call begins, within the nearest of its own deadline and those around it.
    #[allow(clippy::inline_always)] // what the kind of terms lacks is then not asked for
    #[inline(always)]
    pub(super) fn begin(&self) -> Driver {
        let driver = Driver::begin(self.rules, None, clock::now);
        // After whatever asks the clock: then what is known of the context is still known to the compiler when
        // the attempt enters it.
        let around = context::current_deadline();
        driver.until(match (self.deadline, around) {
            (Some(own), Some(around)) => Some(own.min(around)),
            (own, around) => own.or(around),
        })
    }

    /// What follows an attempt. Tells the hook, if there is one.
    #[inline]
    pub(super) fn next<T, E>(&self, driver: &mut Driver, outcome: &Result<T, E>) -> Option<Duration>
    where
        J: Judge<E>,
    {
        let tell = |event: &RetryEvent| {
            if let Some(hook) = self.hook {
                hook(event);
            }
        };
        let judge = |error: &E| self.judge.worth(self.rules.site, error);
        driver.next_plain(self.rules, outcome, judge, tell)
    }
}
