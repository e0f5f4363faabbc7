//! Bulkhead: bound concurrency, queue by priority.
//!
//! A dependency that slows down fills every thread and connection that calls it, and then its
//! callers' callers. A bulkhead gives it a fixed number of places. More callers wait in a bounded
//! queue, for a bounded time; beyond that they are rejected at once, while there is still time to
//! do something else.
//!
//! # Rules
//!
//! - At most `max_concurrent` calls run together (default 10). A free place costs one
//!   compare-and-swap, and giving it back one subtraction; there is a lock only while somebody
//!   waits.
//! - At most `max_queue` calls wait (default 100; 0 rejects at once), each for at most `max_wait`
//!   (default 5 s; 0 rejects at once). After that: [`Rejected::BulkheadFull`]. The queue is one for
//!   all priorities, and for async and blocking callers.
//! - The highest [`Priority`] is served first, equals in order of arrival. A place goes from hand
//!   to hand: a newcomer never overtakes one who waits with the same or a higher priority.
//! - A low priority is not starved for ever: after 8 places in a row that passed over somebody of a
//!   lower priority, the next goes to the one of these that has waited longest.
//! - A caller that goes away leaves the queue. If it had been handed a place in that moment, the
//!   place goes to the next. A call whose deadline passes in the queue never runs:
//!   [`Rejected::TimedOut`].
//! - An attempt that is retried gives its place back before the wait, and queues again at the end.
//! - A reload takes effect with the next decision: growing admits those who wait, shrinking lets
//!   running calls finish. Calls that wait already keep the `max_wait` they came with.
//!
//! # When not to use
//!
//! To bound how *often* something is called, use a rate limit: ten calls together may be ten or
//! ten thousand a second. Do not enter a bulkhead while holding a place of the same one: with all
//! places held by such callers, each waits for the others until `max_wait`.
//!
//! The pattern is Michael Nygard's (*Release It!*); the queue with direct hand-over is the one
//! of a fair semaphore.

#[cfg(all(test, hardening_loom))]
mod model;
mod priority;
mod queue;
mod state;
#[cfg(all(test, not(hardening_loom)))]
mod tests;
mod wait;

pub use priority::Priority;
pub(crate) use state::BulkheadState;
pub use state::{BulkheadSnapshot, Place, Queued};
pub(crate) use wait::WaitEnded;

use crate::{
    clock::{self, Moment},
    context, event, name,
    outcome::Rejected,
};
use hardening_config::BulkheadPolicy;
use std::future::Future;

/// A bulkhead as a plain type, without attributes and configuration. See the [module](self) for
/// its rules.
///
/// ```
/// # use hardening_runtime as hardening;
/// use hardening::bulkhead::{Bulkhead, Priority};
/// use hardening::config::BulkheadPolicy;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), std::io::Error> {
/// let reports = Bulkhead::new(BulkheadPolicy { max_concurrent: 2, ..BulkheadPolicy::default() });
///
/// // A closure, with its errors:
/// let total = reports.call(Priority::Low, || async { Ok::<_, std::io::Error>(6 * 7) }).await?;
///
/// // Or a guard, which gives its place back on drop:
/// let place = reports.enter(Priority::Urgent).await?;
/// assert_eq!((total, reports.snapshot().running), (42, 1));
/// drop(place);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Bulkhead {
    policy: BulkheadPolicy,
    state: BulkheadState,
}

impl Bulkhead {
    /// A bulkhead called `bulkhead` in errors and events.
    #[must_use]
    pub fn new(policy: BulkheadPolicy) -> Self {
        Self::named("bulkhead", policy)
    }

    /// A bulkhead called `name` in errors and events. Names are kept for the life of the program:
    /// they should be few.
    #[must_use]
    pub fn named(name: &str, policy: BulkheadPolicy) -> Self {
        Self {
            policy,
            state: BulkheadState::new(name::intern(name)),
        }
    }

    /// The policy that it was built from.
    #[must_use]
    pub const fn policy(&self) -> &BulkheadPolicy {
        &self.policy
    }

    /// A place, if one is free and nobody waits for it.
    ///
    /// ```
    /// # use hardening_runtime as hardening;
    /// # use hardening::{bulkhead::Bulkhead, config::BulkheadPolicy};
    /// let one = Bulkhead::new(BulkheadPolicy { max_concurrent: 1, ..BulkheadPolicy::default() });
    /// let place = one.try_enter();
    /// assert!(place.is_some() && one.try_enter().is_none());
    /// drop(place);
    /// assert!(one.try_enter().is_some());
    /// ```
    #[inline]
    pub fn try_enter(&self) -> Option<Place<'_>> {
        self.state.try_enter(&self.policy)
    }

    /// Waits for a place. Dropping the future leaves the queue.
    ///
    /// Inside of a call with a deadline the wait ends with it, if that is before `max_wait`.
    /// Waiting needs a tokio runtime with its timer; a free place does not.
    ///
    /// # Errors
    ///
    /// [`Rejected::BulkheadFull`] when the queue is full or `max_wait` has passed,
    /// [`Rejected::TimedOut`] when the deadline of the call around came first.
    pub async fn enter(&self, priority: Priority) -> Result<Place<'_>, Rejected> {
        if let Some(place) = self.try_enter() {
            return Ok(place);
        }
        let began = clock::now();
        let deadline = context::current().deadline;
        let entered = self.state.enter(&self.policy, priority, began, deadline);
        entered.await.map_err(|ended| self.reject(ended, began))
    }

    /// [`Bulkhead::enter`] for blocking code: blocks the thread. Blocking and async callers wait
    /// in one queue.
    pub fn enter_blocking(&self, priority: Priority) -> Result<Place<'_>, Rejected> {
        if let Some(place) = self.try_enter() {
            return Ok(place);
        }
        let began = clock::now();
        let deadline = context::current().deadline;
        self.state
            .enter_blocking(&self.policy, priority, began, deadline)
            .map_err(|ended| self.reject(ended, began))
    }

    /// Runs `body` in a place, and gives the place back when it is done, has panicked or is dropped.
    ///
    /// # Errors
    ///
    /// The body's own, or those of [`Bulkhead::enter`], converted.
    pub async fn call<T, E, F>(&self, priority: Priority, body: impl FnOnce() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<Rejected>,
    {
        let _place = self.enter(priority).await?;
        body().await
    }

    /// [`Bulkhead::call`] for blocking code.
    ///
    /// ```
    /// # use hardening_runtime as hardening;
    /// # use hardening::{bulkhead::{Bulkhead, Priority}, config::BulkheadPolicy};
    /// let bulkhead = Bulkhead::new(BulkheadPolicy::default());
    /// let text = bulkhead.call_blocking(Priority::Normal, || std::fs::read_to_string("/nowhere"));
    /// assert_eq!(text.unwrap_err().kind(), std::io::ErrorKind::NotFound);
    /// ```
    pub fn call_blocking<T, E>(
        &self,
        priority: Priority,
        body: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<Rejected>,
    {
        let _place = self.enter_blocking(priority)?;
        body()
    }

    /// What it holds now, and how many it rejected. Reading changes nothing.
    #[must_use]
    pub fn snapshot(&self) -> BulkheadSnapshot {
        self.state.snapshot(&self.policy)
    }

    #[cold]
    fn reject(&self, ended: WaitEnded, began: Moment) -> Rejected {
        let name = self.state.name();
        let rejected = match ended {
            WaitEnded::Full(rejected) => rejected,
            WaitEnded::Deadline => Rejected::TimedOut {
                name,
                after: clock::now().since(began),
            },
        };
        event::rejected(name, "bulkhead", &rejected);
        rejected
    }
}
