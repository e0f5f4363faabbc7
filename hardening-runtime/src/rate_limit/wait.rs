//! Waiting for a turn: the pure step, and its async and blocking drivers.

use super::{
    limiter::LimiterState,
    line::{Gate, Ticket},
    prepared::Prepared,
};
use crate::{
    clock::{self, Moment},
    outcome::Rejected,
};
use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    task::{Poll, Wake, Waker, ready},
    thread::{self, Thread},
    time::Duration,
};

/// A caller's place in line. Dropping it leaves the line, and those behind move up.
#[derive(Debug)]
#[must_use = "dropping it leaves the line"]
pub(crate) struct Place<'a> {
    state: &'a LimiterState,
    policy: &'a Prepared,
    key: u64,
    cost: u32,
    ticket: Ticket,
    /// When its turn comes, as things stood when it joined.
    expected: Moment,
    give_up: Moment,
    at_common_gate: bool,
}

/// So late timers fire and threads wake at times, also for a turn that came just in time.
const LATE: Duration = Duration::from_millis(25);

/// What a caller in line does next.
#[derive(Debug)]
pub(super) enum Step {
    /// It is its turn, or there is no point in waiting any longer.
    Done(Result<(), Rejected>),
    /// It looks again at this moment, or when it is woken.
    Until(Moment),
}

impl<'a> Place<'a> {
    pub(super) fn new(
        state: &'a LimiterState,
        policy: &'a Prepared,
        (key, cost): (u64, u32),
        expected: Moment,
        give_up: Moment,
    ) -> Self {
        let mut place = Self {
            state,
            policy,
            key,
            cost,
            ticket: state.lines().ticket(),
            expected,
            give_up,
            at_common_gate: false,
        };
        place.stand(place.own_gate(), Waker::noop());
        place
    }

    /// The decision: whoever is first of its key, and then first of those who are ready for the
    /// buckets that everybody shares, takes its tokens from all of them at once.
    pub(super) fn step(&mut self, now: Moment, waker: &Waker) -> Step {
        // Nobody looked for it in time: a call that has timed out in line never runs.
        if now > self.give_up.plus(LATE) {
            return self.until(now, now);
        }
        if !self.stand(self.own_gate(), waker) {
            return self.until_told(now);
        }
        let ask = self.state.ask(self.policy, self.key, self.cost, now);
        let limits = self.policy.rated();
        let of_key = self.state.ready_of(limits, &ask, (0, 0)).of_key;
        if of_key > ask.now {
            self.leave_common_gate();
            return self.until(Moment::from_nanos(of_key), now);
        }
        if self.policy.is_shared() && !self.stand(Gate::Everybody, waker) {
            return self.until_told(now);
        }
        match self.state.take(limits, &ask) {
            Ok(()) => Step::Done(Ok(())),
            Err(ready) => self.until(Moment::from_nanos(ready), now),
        }
    }

    /// Waits for those in front; whoever becomes first is told.
    fn until_told(&self, now: Moment) -> Step {
        let late = now >= self.expected;
        self.until(if late { self.give_up } else { self.expected }, now)
    }

    /// Waits for `moment`, if that is in time.
    fn until(&self, moment: Moment, now: Moment) -> Step {
        if moment > self.give_up || now >= self.give_up {
            return Step::Done(Err(self.state.rejected(Some(moment.since(now)))));
        }
        Step::Until(moment.max(now.plus(Duration::from_nanos(1))))
    }

    fn own_gate(&self) -> Gate {
        Gate::Key(self.key.max(1))
    }

    fn stand(&mut self, gate: Gate, waker: &Waker) -> bool {
        self.at_common_gate |= gate == Gate::Everybody;
        let cost = u64::from(self.cost);
        self.state.lines().stand(gate, self.ticket, cost, waker)
    }

    fn leave_common_gate(&mut self) {
        if std::mem::take(&mut self.at_common_gate) {
            self.state.lines().leave(Gate::Everybody, self.ticket);
        }
    }

    /// Waits for this caller's turn.
    pub(crate) async fn wait(mut self) -> Result<(), Rejected> {
        let mut timer = pin!(None);
        poll_fn(|cx| {
            loop {
                match self.step(clock::now(), cx.waker()) {
                    Step::Done(result) => return Poll::Ready(result),
                    Step::Until(moment) => timer.set(Some(clock::sleep_until(moment))),
                }
                if let Some(timer) = timer.as_mut().as_pin_mut() {
                    ready!(timer.poll(cx));
                }
            }
        })
        .await
    }

    /// Blocks the thread until it is this caller's turn.
    pub(crate) fn wait_blocking(mut self) -> Result<(), Rejected> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        loop {
            match self.step(clock::now(), &waker) {
                Step::Done(result) => return result,
                Step::Until(moment) => clock::park_until(moment),
            }
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.leave_common_gate();
        self.state.lines().leave(self.own_gate(), self.ticket);
    }
}

/// Wakes a blocked caller.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
