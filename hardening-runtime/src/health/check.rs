//! What a check is: something that can be asked again and again, from any thread.

use super::{
    probe::Probe,
    status::{HealthResult, IntoHealth},
};
use std::{fmt, future::Future, pin::Pin, sync::Arc};

/// A check with state of its own, such as a connection pool. For anything simpler, a closure does.
///
/// ```
/// # use hardening_runtime as hardening;
/// use hardening::health::{Check, HealthResult};
///
/// struct Pool { free: usize }
///
/// impl Check for Pool {
///     async fn check(&self) -> HealthResult {
///         match self.free {
///             0 => HealthResult::degraded("all connections are in use"),
///             _ => HealthResult::healthy(),
///         }
///     }
/// }
///
/// # hardening::health::Registry::new().register("pool", Pool { free: 3 });
/// ```
pub trait Check: Send + Sync + 'static {
    /// Asks once. Is dropped when it takes longer than its timeout.
    fn check(&self) -> impl Future<Output = HealthResult> + Send;

    /// The label in the report, unless the settings give one.
    fn check_type(&self) -> &'static str {
        CUSTOM
    }
}

const CUSTOM: &str = "custom";

type Answer = Pin<Box<dyn Future<Output = HealthResult> + Send>>;

/// Where a check runs, and what its answer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// On a task.
    Async,
    /// On a thread.
    Blocking,
    /// On a task; answers from memory, and its answer is its status.
    Derived,
}

/// Any check, ready to be asked.
#[doc(hidden)]
#[derive(Clone)]
pub struct AnyCheck {
    ask: Arc<dyn Fn() -> Answer + Send + Sync>,
    manner: Manner,
    check_type: &'static str,
}

impl fmt::Debug for AnyCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyCheck")
            .field("manner", &self.manner)
            .field("check_type", &self.check_type)
            .finish_non_exhaustive()
    }
}

impl AnyCheck {
    fn new(manner: Manner, ask: impl Fn() -> Answer + Send + Sync + 'static) -> Self {
        Self {
            ask: Arc::new(ask),
            manner,
            check_type: CUSTOM,
        }
    }

    pub(super) fn derived(
        check_type: &'static str,
        answer: impl Fn() -> HealthResult + Send + Sync + 'static,
    ) -> Self {
        let answer = Arc::new(answer);
        let ask = move || {
            let answer = Arc::clone(&answer);
            Box::pin(async move { answer() }) as Answer
        };
        Self {
            check_type,
            ..Self::new(Manner::Derived, ask)
        }
    }

    pub(super) fn probe(probe: &'static Probe) -> Self {
        let manner = if probe.blocking {
            Manner::Blocking
        } else {
            Manner::Async
        };
        Self {
            check_type: "ping",
            ..Self::new(manner, probe.run)
        }
    }

    pub(super) fn ask(&self) -> Answer {
        (self.ask)()
    }

    pub(super) const fn manner(&self) -> Manner {
        self.manner
    }

    pub(super) const fn check_type(&self) -> &'static str {
        self.check_type
    }
}

/// What [`super::Registry::register`] takes: a closure or function, async or not, that returns
/// `Result<(), E>`, `bool` or [`HealthResult`]; or a [`Check`].
///
/// `Kind` is found by the compiler. A closure that is not async runs on a thread of its own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be registered as a health check",
    label = "expected a closure or function that returns `Result<(), E>`, `bool` or `HealthResult`, async or not",
    note = "write `|| async {{ … }}`; what the closure captures must be `Send + Sync + 'static`, and its future `Send`",
    note = "an `async || …` closure that borrows what it captures cannot be called again while its future lives: clone instead, `move || {{ let pool = pool.clone(); async move {{ … }} }}`",
    note = "or implement `hardening::health::Check` for a type of yours"
)]
pub trait IntoCheck<Kind> {
    #[doc(hidden)]
    fn into_check(self) -> AnyCheck;
}

#[doc(hidden)]
#[derive(Debug)]
pub struct IsCheck;

#[doc(hidden)]
#[derive(Debug)]
pub struct IsAsync;

#[doc(hidden)]
#[derive(Debug)]
pub struct IsBlocking;

impl<C: Check> IntoCheck<IsCheck> for C {
    fn into_check(self) -> AnyCheck {
        let (check_type, check) = (self.check_type(), Arc::new(self));
        let ask = move || {
            let check = Arc::clone(&check);
            Box::pin(async move { check.check().await }) as Answer
        };
        AnyCheck {
            check_type,
            ..AnyCheck::new(Manner::Async, ask)
        }
    }
}

impl<F, A> IntoCheck<IsAsync> for F
where
    F: Fn() -> A + Send + Sync + 'static,
    A: Future<Output: IntoHealth> + Send + 'static,
{
    fn into_check(self) -> AnyCheck {
        AnyCheck::new(Manner::Async, move || {
            let answer = self();
            Box::pin(async move { answer.await.into_health() })
        })
    }
}

impl<F, R> IntoCheck<IsBlocking> for F
where
    F: Fn() -> R + Send + Sync + 'static,
    R: IntoHealth,
{
    fn into_check(self) -> AnyCheck {
        let check = Arc::new(self);
        AnyCheck::new(Manner::Blocking, move || {
            let check = Arc::clone(&check);
            Box::pin(async move { check().into_health() })
        })
    }
}
