//! The places and those who wait for one: what all calls of a bulkhead share.

use super::{
    Priority,
    queue::{Queue, Ticket},
};
use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering, lock};
use hardening_config::BulkheadPolicy;
use serde::Serialize;
use std::{fmt, task::Waker};

/// The state of one bulkhead. It outlives its policy: each decision brings the policy in force.
///
/// `counts` decides everything. It holds both numbers, so entering and leaving are one atomic step
/// each while nobody waits, and whoever leaves learns in that very step whether somebody does.
/// Places are only taken past the lock while nobody waits; otherwise they are handed over under
/// it. Who has a ticket that is no longer in the queue has been handed a place: there is no other
/// flag, so a grant cannot be lost between two.
pub(crate) struct BulkheadState {
    name: &'static str,
    counts: AtomicU64,
    /// The `max_concurrent` last seen, for those who leave. Written under the lock.
    limit: AtomicU32,
    rejected: AtomicU64,
    queue: Mutex<Queue<Waker>>,
}

/// Running in the lower half, waiting in the upper.
const ONE_RUNNING: u64 = 1;
const ONE_WAITING: u64 = 1 << 32;

#[allow(clippy::cast_possible_truncation)] // the lower half
const fn running(counts: u64) -> u32 {
    counts as u32
}

const fn waiting(counts: u64) -> u32 {
    (counts >> 32) as u32
}

/// What became of a call that found no free place at first.
pub(super) enum Joined {
    Entered,
    Queued(Ticket),
    Full,
}

impl BulkheadState {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            counts: AtomicU64::new(0),
            limit: AtomicU32::new(0),
            rejected: AtomicU64::new(0),
            queue: Mutex::new(Queue::new()),
        }
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// A place, if one is free and nobody waits for it.
    #[inline]
    pub(crate) fn try_enter(&self, policy: &BulkheadPolicy) -> Option<Place<'_>> {
        self.try_enter_within(policy.max_concurrent)
    }

    #[inline]
    pub(super) fn try_enter_within(&self, max_concurrent: u32) -> Option<Place<'_>> {
        if self.limit.load(Ordering::Relaxed) != max_concurrent {
            self.resize(max_concurrent);
        }
        let mut counts = self.counts.load(Ordering::Relaxed);
        while waiting(counts) == 0 && running(counts) < max_concurrent {
            match self.exchange(counts, counts + ONE_RUNNING) {
                Ok(_) => return Some(Place { state: self }),
                Err(actual) => counts = actual,
            }
        }
        None
    }

    /// Takes over a changed policy: growing admits those who wait, shrinking lets running calls
    /// finish. Each decision does this by itself; after a reload it need not wait for one.
    #[cold]
    pub(crate) fn resize(&self, max_concurrent: u32) {
        let queue = lock(&self.queue);
        self.limit.store(max_concurrent, Ordering::Relaxed);
        drop(queue);
        self.hand_over();
    }

    /// Joins the queue, unless a place has become free or the queue is full.
    #[cold]
    pub(super) fn join(
        &self,
        max_concurrent: u32,
        max_queue: u32,
        priority: Priority,
        waker: Waker,
    ) -> Joined {
        // Whoever left may not have got to this yet, and nobody should be refused because of it.
        if self.can_hand_over() {
            self.hand_over();
        }
        let mut queue = lock(&self.queue);
        let mut counts = self.counts.load(Ordering::Relaxed);
        loop {
            let free = waiting(counts) == 0 && running(counts) < max_concurrent;
            let step = match free {
                true => ONE_RUNNING,
                false if waiting(counts) >= max_queue => return Joined::Full,
                false => ONE_WAITING,
            };
            match self.exchange(counts, counts + step) {
                Ok(_) if free => return Joined::Entered,
                Ok(_) => return Joined::Queued(queue.push(priority, waker)),
                Err(actual) => counts = actual,
            }
        }
    }

    /// Whether `ticket` has been handed a place; if not, `waker` is woken when it is.
    pub(super) fn is_served(&self, ticket: Ticket, waker: &Waker) -> bool {
        let mut queue = lock(&self.queue);
        let Some(registered) = queue.get_mut(ticket) else {
            return true;
        };
        if !registered.will_wake(waker) {
            let replaced = std::mem::replace(registered, waker.clone());
            drop(queue); // dropping a waker may run foreign code
            drop(replaced);
        }
        false
    }

    /// Leaves the queue; a place that was handed over in the meantime goes to the next.
    #[cold]
    pub(super) fn withdraw(&self, ticket: Ticket) {
        let mut queue = lock(&self.queue);
        let left = queue.remove(ticket);
        if left.is_some() {
            self.counts.fetch_sub(ONE_WAITING, Ordering::AcqRel);
        }
        drop(queue);
        if left.is_none() {
            self.leave();
        }
    }

    /// A place that was counted for us.
    pub(super) const fn place(&self) -> Place<'_> {
        Place { state: self }
    }

    #[inline]
    fn leave(&self) {
        let before = self.counts.fetch_sub(ONE_RUNNING, Ordering::AcqRel);
        if waiting(before) > 0 {
            self.hand_over();
        }
    }

    /// Hands free places to those who wait. They are woken outside of the lock.
    #[cold]
    fn hand_over(&self) {
        let mut more = true;
        while more {
            let mut queue = lock(&self.queue);
            let served = self.serve_next(&mut queue);
            more = served.is_some() && self.can_hand_over();
            drop(queue);
            if let Some(waker) = served {
                waker.wake();
            }
        }
    }

    /// Under the lock and while somebody waits, `running` can only fall: what was seen holds.
    fn serve_next(&self, queue: &mut Queue<Waker>) -> Option<Waker> {
        if !self.can_hand_over() {
            return None;
        }
        let served = queue.pop();
        let moved = ONE_WAITING - ONE_RUNNING;
        self.counts.fetch_sub(moved, Ordering::AcqRel);
        served
    }

    fn can_hand_over(&self) -> bool {
        let counts = self.counts.load(Ordering::Acquire);
        waiting(counts) > 0 && running(counts) < self.limit.load(Ordering::Relaxed)
    }

    fn exchange(&self, current: u64, new: u64) -> Result<u64, u64> {
        self.counts
            .compare_exchange_weak(current, new, Ordering::AcqRel, Ordering::Relaxed)
    }

    pub(super) fn count_rejection(&self) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    /// The figures of now.
    pub(crate) fn snapshot(&self, policy: &BulkheadPolicy) -> BulkheadSnapshot {
        let queue = lock(&self.queue);
        let queued = |priority| u32::try_from(queue.waiting(priority)).unwrap_or(u32::MAX);
        BulkheadSnapshot {
            name: self.name,
            max_concurrent: policy.max_concurrent,
            max_queue: policy.max_queue,
            running: running(self.counts.load(Ordering::Relaxed)),
            queued: Queued {
                urgent: queued(Priority::Urgent),
                high: queued(Priority::High),
                normal: queued(Priority::Normal),
                low: queued(Priority::Low),
            },
            rejected: self.rejected.load(Ordering::Relaxed),
        }
    }
}

impl fmt::Debug for BulkheadState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts.load(Ordering::Relaxed);
        f.debug_struct("BulkheadState")
            .field("name", &self.name)
            .field("running", &running(counts))
            .field("waiting", &waiting(counts))
            .finish_non_exhaustive()
    }
}

/// A place in a bulkhead. Dropping it hands it to the next in the queue.
#[must_use = "the place is given back when this is dropped"]
#[derive(Debug)]
pub struct Place<'a> {
    state: &'a BulkheadState,
}

impl Drop for Place<'_> {
    #[inline]
    fn drop(&mut self) {
        self.state.leave();
    }
}

/// What a bulkhead holds at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BulkheadSnapshot {
    /// The bulkhead.
    pub name: &'static str,
    /// Calls that may have a place at once.
    pub max_concurrent: u32,
    /// Calls that may wait for one.
    pub max_queue: u32,
    /// Calls that have a place.
    pub running: u32,
    /// Calls that wait for one.
    pub queued: Queued,
    /// Calls rejected since start, because the queue was full or the wait too long.
    pub rejected: u64,
}

/// Calls that wait for a place, by priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Queued {
    /// Of [`Priority::Urgent`].
    pub urgent: u32,
    /// Of [`Priority::High`].
    pub high: u32,
    /// Of [`Priority::Normal`].
    pub normal: u32,
    /// Of [`Priority::Low`].
    pub low: u32,
}

impl Queued {
    /// All that wait.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.urgent + self.high + self.normal + self.low
    }
}
