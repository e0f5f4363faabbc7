//! Waiting for a place: one decision, polled by a task or by a parked thread.

use super::{
    Priority,
    queue::Ticket,
    state::{BulkheadState, Joined, Place},
};
use crate::{
    clock::{self, Moment, Sleep},
    outcome::Rejected,
};
use hardening_config::BulkheadPolicy;
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker, ready},
    thread::{self, Thread},
};

/// Why a call got no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WaitEnded {
    /// [`Rejected::BulkheadFull`]: the queue is full, or `max_wait` has passed.
    Full(Rejected),
    /// The call's own deadline came first. The call must not run.
    Deadline,
}

impl BulkheadState {
    /// Waits for a place, for at most the policy's `max_wait` from `now` on, and never beyond
    /// `deadline`. Does nothing until it is polled; a free place is taken in the first poll.
    pub(crate) fn enter(
        &self,
        policy: &BulkheadPolicy,
        priority: Priority,
        now: Moment,
        deadline: Option<Moment>,
    ) -> Enter<'_> {
        let longest = now.plus(policy.max_wait);
        Enter {
            state: self,
            now,
            until: deadline.map_or(longest, |deadline| deadline.min(longest)),
            deadline,
            max_concurrent: policy.max_concurrent,
            max_queue: if policy.max_wait.is_zero() {
                0
            } else {
                policy.max_queue
            },
            priority,
            waiter: None,
            timer: None,
        }
    }

    /// [`BulkheadState::enter`] for a blocking caller: parks the thread.
    pub(crate) fn enter_blocking(
        &self,
        policy: &BulkheadPolicy,
        priority: Priority,
        now: Moment,
        deadline: Option<Moment>,
    ) -> Result<Place<'_>, WaitEnded> {
        let mut entering = self.enter(policy, priority, now, deadline);
        if let Some(decided) = entering.at_once() {
            return decided;
        }
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        loop {
            if let Poll::Ready(decided) = entering.poll_place(&waker) {
                return decided;
            }
            if clock::now() >= entering.until {
                return Err(entering.give_up());
            }
            clock::park_until(entering.until);
        }
    }
}

/// A call on its way in. Dropping it leaves the queue.
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Enter<'a> {
    state: &'a BulkheadState,
    now: Moment,
    until: Moment,
    deadline: Option<Moment>,
    max_concurrent: u32,
    max_queue: u32,
    priority: Priority,
    waiter: Option<Waiter<'a>>,
    /// Boxed, because few calls wait and all of them carry this future.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<'a> Enter<'a> {
    /// The decision that needs no waiting.
    fn at_once(&self) -> Option<Result<Place<'a>, WaitEnded>> {
        if self.deadline.is_some_and(|deadline| deadline <= self.now) {
            return Some(Err(WaitEnded::Deadline));
        }
        let place = self.state.try_enter_within(self.max_concurrent);
        place.map(Ok)
    }

    /// Everything but the time.
    fn poll_place(&mut self, waker: &Waker) -> Poll<Result<Place<'a>, WaitEnded>> {
        let has_waited = self.waiter.is_some();
        let place = match &mut self.waiter {
            Some(waiter) => ready!(waiter.poll_place(waker)),
            None => match self.join(waker) {
                Joined::Entered => self.state.place(),
                Joined::Full => return Poll::Ready(Err(self.full())),
                Joined::Queued(ticket) => {
                    self.waiter = Some(Waiter::new(self.state, ticket));
                    return Poll::Pending;
                }
            },
        };
        // The task may have been slow to look: a call that has timed out in the queue never runs.
        Poll::Ready(if self.deadline.is_some_and(|at| at <= clock::now()) {
            Err(WaitEnded::Deadline)
        } else if has_waited && self.until < clock::now() {
            Err(self.full())
        } else {
            Ok(place)
        })
    }

    fn join(&self, waker: &Waker) -> Joined {
        let (max_concurrent, max_queue) = (self.max_concurrent, self.max_queue);
        self.state
            .join(max_concurrent, max_queue, self.priority, waker.clone())
    }

    /// The time is up. A place handed over in this very moment goes to the next.
    fn give_up(&mut self) -> WaitEnded {
        self.waiter = None;
        match self.deadline {
            Some(deadline) if deadline <= self.until => WaitEnded::Deadline,
            _ => self.full(),
        }
    }

    fn full(&self) -> WaitEnded {
        self.state.count_rejection();
        let name = self.state.name();
        WaitEnded::Full(Rejected::BulkheadFull { name })
    }
}

impl<'a> Future for Enter<'a> {
    type Output = Result<Place<'a>, WaitEnded>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.waiter.is_none()
            && let Some(decided) = this.at_once()
        {
            return Poll::Ready(decided);
        }
        if let Poll::Ready(decided) = this.poll_place(cx.waker()) {
            return Poll::Ready(decided);
        }
        let until = this.until;
        let timer = this
            .timer
            .get_or_insert_with(|| Box::pin(clock::sleep_until(until)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(this.give_up()))
    }
}

/// A place in the queue. Dropping it leaves the queue, or passes on the place that it was handed.
#[derive(Debug)]
pub(super) struct Waiter<'a> {
    state: &'a BulkheadState,
    /// None once the place was taken.
    ticket: Option<Ticket>,
}

impl<'a> Waiter<'a> {
    pub(super) const fn new(state: &'a BulkheadState, ticket: Ticket) -> Self {
        let ticket = Some(ticket);
        Self { state, ticket }
    }

    pub(super) fn poll_place(&mut self, waker: &Waker) -> Poll<Place<'a>> {
        match self.ticket {
            Some(ticket) if self.state.is_served(ticket, waker) => {
                self.ticket = None;
                Poll::Ready(self.state.place())
            }
            _ => Poll::Pending,
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.state.withdraw(ticket);
        }
    }
}

/// Wakes a parked thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
