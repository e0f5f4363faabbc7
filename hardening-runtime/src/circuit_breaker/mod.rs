//! Circuit breaker: stop calling what is down.
//!
//! A dependency that is down does not get up faster for being called, and each call to it costs its
//! caller a timeout. A circuit breaker watches what calls come to; when too many fail it *opens*
//! and rejects calls at once, and after a while it is *half-open*: it admits a few calls as probes,
//! which close it or open it again (M. Nygard, *Release It!*, 2007).
//!
//! # What opens it
//! - `failure_threshold` failures in a row (one above 1,048,576 switches this rule off);
//! - `failure_rate` reached over the window, once `minimum_calls` are in. The window is the last
//!   `window` (results leave it a 32nd part of it early, at most), or the last `window_calls` calls (15,808 at most; `minimum_calls` above
//!   `window_calls` means all of them). Rates are looked at after a failure or a slow call, and
//!   after the call that completes `minimum_calls`;
//! - `slow_call_rate` likewise, of successes that took longer than `slow_call`;
//! - `failure_threshold` calls in a row (two where it is 1) that were dropped by their callers, with
//!   nothing else between: a dependency that only hangs is down too.
//!
//! # What a call comes to
//! *Success*, *failure* or *neutral*. An error that is worth another try is a failure, and so is one of which
//! nothing is known; one that is permanent is neutral, and so is what a layer further in refused
//! ([`Origin`](crate::Origin)). A neutral call neither opens nor closes anything, and leaves
//! the failures in a row as they are. A panic is a failure. A call that is dropped is neutral, but
//! for the rule above. A result counts only in the state in which its call began: one that comes
//! late, after the circuit opened or closed, changes nothing.
//!
//! # How long, and what closes it
//! An open circuit rejects for `open_for`; each reopening in a row lasts `open_for_multiplier`
//! times the one before, up to `open_for_max` (or `open_for`, if that is longer), and a close
//! starts the series anew. Then `half_open_calls` probes are admitted together (1,023 at most), and
//! `success_threshold` successes close the circuit. A failed probe opens it again; so does one that
//! was slow, where slow calls count, and so do `failure_threshold` probes in a row (two
//! where it is 1) that were dropped. A neutral or dropped probe gives its place back. Probes that never return do not hold
//! their places for ever: when all places are taken and nothing has come of them for as long as the
//! circuit was open, they are given anew, and the old probes' results come too late.
//!
//! # A reload
//! Settings are read at each decision, so new ones hold at once, also for the present opening. State
//! and windows live on. A changed `window` keeps the counts, regrouped; a changed
//! `window_calls` counts the same calls, more or fewer of them; a change between the two starts
//! the other window empty.
//!
//! # What it costs
//! A closed circuit that counts failures in a row costs a load before the call and one after it; a
//! success writes nothing. A rate over time adds a read of the clock and, for nearly all successes, a
//! plain store to a word of the thread's own; a failure sums the window up under a lock (some 200 ns),
//! and so do a thread's first `minimum_calls` successes of each bucket, a 64th to a 128th of the window.
//! A rate over the last calls reads no clock and costs a compare-and-swap. An open circuit costs a
//! look at the time. Memory is fixed: 640 bytes a circuit, 3,520 more for a time window, 4,160 for a
//! window of calls, and neither without rates.
//!
//! On Linux, an open circuit that has more than 25 ms to go takes the time from the kernel's last tick:
//! its `retry_after` is then too long by the time since that tick (4 ms as a rule, 25 ms at most), but never
//! too short, and never longer than the circuit stays open in all. Nearer to its end, and with the feature
//! `test-util`, it reads the exact clock: when probes are admitted is exact.

mod call;
mod change;
mod entry;
mod guard;
mod prepared;
mod rules;
mod signal;
mod snapshot;
mod state;
mod tally;
mod trial;
mod window;
mod word;

#[cfg(all(test, hardening_loom))]
mod model;
#[cfg(all(test, not(hardening_loom)))]
mod tests;

pub(crate) use guard::Admitted;
pub use guard::Guard;
pub(crate) use prepared::Prepared;
pub(crate) use signal::Signal;
pub use snapshot::{Snapshot, State, WindowCounts};
pub(crate) use state::{BreakerState, Ticket};

use crate::{
    Classify, Rejected, clock, config::CircuitBreakerPolicy, context, name, outcome::Worth,
};
use std::{fmt, future::Future, panic, thread, time::Duration};

/// A circuit breaker around calls that the program makes itself; see the [module](self) for its
/// rules. Share it by reference, in a `static` or an `Arc`.
///
/// ```
/// # use hardening_runtime as hardening;
/// use hardening::{circuit_breaker::{CircuitBreaker, State}, config::CircuitBreakerPolicy};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let policy = CircuitBreakerPolicy { failure_threshold: 2, ..Default::default() };
/// let breaker = CircuitBreaker::named("geocoder", policy);
///
/// async fn locate() -> std::io::Result<(f64, f64)> {
///     Err(std::io::ErrorKind::ConnectionRefused.into())
/// }
/// for _ in 0..2 {
///     assert!(breaker.call(locate).await.is_err());
/// }
/// assert_eq!(breaker.state(), State::Open);
/// let rejected = breaker.call(locate).await.unwrap_err(); // `locate` did not run
/// assert!(rejected.to_string().contains("the circuit `geocoder` is open"));
/// # }
/// ```
pub struct CircuitBreaker {
    policy: Prepared,
    state: BreakerState,
}

impl CircuitBreaker {
    /// A closed circuit under `policy`, with the name `circuit_breaker`.
    #[must_use]
    pub fn new(policy: CircuitBreakerPolicy) -> Self {
        Self::named("circuit_breaker", policy)
    }

    /// A closed circuit under `policy`. The name is in its rejections and events, and is kept for
    /// the life of the program.
    #[must_use]
    pub fn named(name: &str, policy: CircuitBreakerPolicy) -> Self {
        Self {
            policy: Prepared::new(policy),
            state: BreakerState::new(name::intern(name)),
        }
    }

    /// Runs `body` unless the circuit rejects the call. Every `Err` is a failure, and so is a
    /// panic, which is raised again; a future that is dropped before its end is a drop by its
    /// caller, or, where the deadline of an annotated function around it has passed, a failure.
    ///
    /// The error is not asked what it is worth: it need not say. Around a bulkhead or a rate limit, whose
    /// refusals say nothing of the dependency, use [`call_if`](Self::call_if) with [`is_transient`].
    ///
    /// # Errors
    /// [`Rejected::CircuitOpen`] as `E`, and the errors of `body`.
    pub fn call<T, E, Fut>(&self, body: impl FnOnce() -> Fut) -> impl Future<Output = Result<T, E>>
    where
        Fut: Future<Output = Result<T, E>>,
        E: From<Rejected>,
    {
        self.call_if(body, Result::is_err)
    }

    /// Like [`call`](Self::call), where `failure_if` says which results are failures. Any other
    /// `Ok` is a success, any other `Err` is neutral.
    ///
    /// ```
    /// # use hardening_runtime as hardening;
    /// # use hardening::{circuit_breaker::{self, CircuitBreaker, State}, config::CircuitBreakerPolicy};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let breaker = CircuitBreaker::new(CircuitBreakerPolicy { failure_threshold: 1, ..Default::default() });
    /// let missing = || async { Err::<(), _>(std::io::Error::from(std::io::ErrorKind::NotFound)) };
    /// // A missing file says nothing against the disk.
    /// breaker.call_if(missing, circuit_breaker::is_transient).await.unwrap_err();
    /// assert_eq!(breaker.state(), State::Closed);
    /// # }
    /// ```
    pub async fn call_if<T, E, Fut>(
        &self,
        body: impl FnOnce() -> Fut,
        failure_if: impl FnOnce(&Result<T, E>) -> bool,
    ) -> Result<T, E>
    where
        Fut: Future<Output = Result<T, E>>,
        E: From<Rejected>,
    {
        let admitted = self.admit()?.with_deadline(context::current().deadline);
        let outcome = call::run_async(body).await;
        self.settle(admitted, outcome, failure_if)
    }

    /// [`call`](Self::call) for a body that blocks.
    #[inline]
    pub fn call_blocking<T, E: From<Rejected>>(
        &self,
        body: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let admitted = self.admit()?.blocking();
        // Taken apart, so that a value which fits in a register stays there while the circuit learns of it.
        match body() {
            Ok(value) => {
                admitted.settle(Signal::Success, clock::now);
                Ok(value)
            }
            Err(error) => {
                admitted.settle(Signal::Failure, clock::now);
                Err(error)
            }
        }
    }

    /// [`call_if`](Self::call_if) for a body that blocks.
    #[inline]
    pub fn call_blocking_if<T, E: From<Rejected>>(
        &self,
        body: impl FnOnce() -> Result<T, E>,
        failure_if: impl FnOnce(&Result<T, E>) -> bool,
    ) -> Result<T, E> {
        let admitted = self.admit()?.blocking();
        let result = body();
        let is_failure = call::judge(self.state.name(), &result, failure_if);
        admitted.settle(Signal::of_result(&result, is_failure), clock::now);
        result
    }

    /// Admits a call whose result the caller will say to the guard.
    ///
    /// ```
    /// # use hardening_runtime as hardening;
    /// # use hardening::circuit_breaker::CircuitBreaker;
    /// # fn ping() -> bool { true }
    /// # fn main() -> Result<(), hardening::Rejected> {
    /// let breaker = CircuitBreaker::named("broker", Default::default());
    /// let guard = breaker.enter()?;
    /// if ping() { guard.success() } else { guard.failure() }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Rejected::CircuitOpen`].
    #[inline]
    pub fn enter(&self) -> Result<Guard<'_>, Rejected> {
        self.admit().map(Guard::new)
    }

    /// What the circuit does with calls at present.
    #[inline]
    #[must_use]
    pub fn state(&self) -> State {
        self.state.state()
    }

    /// How long the circuit has been in its state.
    #[must_use]
    pub fn time_in_state(&self) -> Duration {
        self.snapshot().time_in_state
    }

    /// When a call that is rejected now may be admitted: zero when it would be admitted, none while
    /// the circuit is forced open.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.state.retry_after(&self.policy, clock::now())
    }

    /// All figures of the circuit at present.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.state.snapshot(&self.policy)
    }

    /// Rejects every call, until [`force_close`](Self::force_close) or [`reset`](Self::reset).
    pub fn force_open(&self) {
        self.state.force_open(clock::now());
    }

    /// Admits every call, whatever it comes to, until [`force_open`](Self::force_open) or
    /// [`reset`](Self::reset).
    pub fn force_close(&self) {
        self.state.force_close(clock::now());
    }

    /// Closes the circuit and forgets what it counted; from here it decides for itself again.
    pub fn reset(&self) {
        self.state.reset(clock::now());
    }

    #[inline]
    fn admit(&self) -> Result<Admitted<'_>, Rejected> {
        self.state.enter(&self.policy, clock::System)
    }

    #[inline]
    fn settle<T, E>(
        &self,
        admitted: Admitted<'_>,
        outcome: thread::Result<Result<T, E>>,
        failure_if: impl FnOnce(&Result<T, E>) -> bool,
    ) -> Result<T, E> {
        match outcome {
            Ok(result) => {
                let is_failure = call::judge(self.state.name(), &result, failure_if);
                admitted.settle(Signal::of_result(&result, is_failure), clock::now);
                result
            }
            Err(panic) => {
                admitted.settle(Signal::Failure, clock::now);
                panic::resume_unwind(panic)
            }
        }
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("name", &self.state.name())
            .field("state", &self.state())
            .field("policy", &*self.policy)
            .finish()
    }
}

/// Whether a result is a failure as the attribute counts them, for [`CircuitBreaker::call_if`]: an error
/// worth another try, or one of which [nothing is known](crate::Origin::Unknown). Permanent errors are then
/// neutral, and so is what a layer further in refused.
pub fn is_transient<T, E: Classify>(result: &Result<T, E>) -> bool {
    matches!(result, Err(error) if Signal::of_error(Worth::of(error)) == Signal::Failure)
}
