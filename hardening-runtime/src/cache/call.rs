//! A call that found nothing in the store: it waits for another's run, or leads one.

use super::{
    flight::{Entered, Loner, Pilot, Seat, Turn, Wake},
    prepared::Prepared,
    share::{Share, Shared},
    state::{CacheState, Key, Value},
};
use crate::{
    clock::{self, Moment},
    context,
    outcome::Failure,
};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

/// What a run tells those who wait for it.
pub(crate) enum Answer<V> {
    Value(V),
    Failed(Shared),
}

pub(crate) type Told<V> = Arc<Answer<V>>;

/// A call that was not served.
#[must_use = "join it"]
pub(crate) struct Miss<'a, K, V> {
    pub(super) state: &'a CacheState<K, V>,
    pub(super) policy: &'a Prepared,
    pub(super) hash: u64,
    /// When the store was asked; then, when the run began.
    pub(super) now: Moment,
    /// The store has a result that is still good, and this caller is to run the body anew.
    pub(super) refreshes: bool,
}

/// How a call that was not served goes on.
#[must_use]
pub(crate) enum Joined<'a, K: Key, V: Value, E> {
    /// Another caller's run answered.
    Answered(Result<V, Failure<E>>),
    /// This caller runs the body, and settles with what came of it.
    Lead(Lead<'a, K, V, E>),
}

/// The place of one who runs the body. Dropped unsettled (its caller went away, the body panicked),
/// it is handed over to the next who waits.
#[must_use = "settle it"]
pub(crate) struct Lead<'a, K: Key, V: Value, E> {
    held: Held<'a, K, V>,
    share: Share<E>,
}

/// What a [`Lead`] holds, which says nothing of the error's type. Dropped, it is handed over too.
#[must_use = "settle it"]
pub(crate) struct Held<'a, K: Key, V: Value> {
    pub(super) call: Miss<'a, K, V>,
    pub(super) place: Place<'a, K, V>,
}

pub(super) enum Place<'a, K: Key, V> {
    Pilot(Pilot<'a, K, Told<V>>),
    Loner(Loner<'a, K, Told<V>>),
}

/// How the wait ended, whatever the error's type.
enum End<'a, K: Key, V> {
    Answered(Answered<V>),
    Runs(Place<'a, K, V>),
}

/// What another caller's run came to.
pub(crate) enum Answered<V> {
    /// It was over when this caller came.
    Found(V),
    /// It told all who waited.
    Told(Told<V>),
}

impl<V: Value> Answered<V> {
    /// As a caller gets it whose errors can be told by `share`.
    pub(crate) fn outcome<E>(self, share: &Share<E>) -> Result<V, Failure<E>> {
        match self {
            Self::Found(value) => Ok(value),
            Self::Told(answer) => match &*answer {
                Answer::Value(value) => Ok(value.clone()),
                Answer::Failed(failure) => Err(failure.to_failure(share)),
            },
        }
    }
}

impl<'a, K: Key, V: Value> End<'a, K, V> {
    /// The end of a wait that need not begin; otherwise the seat to wait in.
    fn at_once(entered: Entered<'a, K, Told<V>, V>) -> Result<Self, Seat<'a, K, Told<V>>> {
        match entered {
            Entered::Follows(seat) => Err(seat),
            Entered::Leads(pilot) => Ok(Self::Runs(Place::Pilot(pilot))),
            Entered::Alone(loner) => Ok(Self::Runs(Place::Loner(loner))),
            Entered::Found(value) => Ok(Self::Answered(Answered::Found(value))),
        }
    }

    fn of(turn: Turn<'a, K, Told<V>>) -> Self {
        match turn {
            Turn::Answered(answer) => Self::Answered(Answered::Told(answer)),
            Turn::Leads(pilot) => Self::Runs(Place::Pilot(pilot)),
        }
    }
}

/// How a call that was not served goes on, whatever the error's type.
#[must_use]
pub(crate) enum Start<'a, K: Key, V: Value> {
    /// At once: it runs the body, or need not.
    Known(Result<Held<'a, K, V>, Answered<V>>),
    /// It waits for another caller's run first.
    Waits(Following<'a, K, V>),
}

/// On the heap: callers who wait for nobody need no room for a timer in their futures.
pub(crate) type Following<'a, K, V> =
    Pin<Box<dyn Future<Output = Result<Held<'a, K, V>, Answered<V>>> + Send + Sync + 'a>>;

impl<'a, K: Key, V: Value> Miss<'a, K, V> {
    /// When the store was asked.
    pub(crate) const fn asked(&self) -> Moment {
        self.now
    }

    /// Waits for another caller's run of the key, or leads one. After `max_wait` one of those who wait leads as
    /// well; the others wait anew. A waiting caller that is dropped leaves the queue.
    pub(crate) const fn join<E>(self, key: K, share: Share<E>) -> Join<'a, K, V, E> {
        Join {
            at: Joining::New(Some((self, key))),
            share,
        }
    }

    /// [`join`](Self::join), as far as it goes without waiting.
    pub(crate) fn start(mut self, key: K, waker: &Waker) -> Start<'a, K, V> {
        match End::at_once(self.enter(key, || Wake::Task(waker.clone()))) {
            Ok(end) => Start::Known(self.ended(end)),
            Err(seat) => Start::Waits(Box::pin(async move {
                let end = follow(seat, self.patience()).await;
                self.now = clock::now();
                self.ended(end)
            })),
        }
    }

    /// [`join`](Self::join) for a blocking caller; both wait in one queue.
    pub(crate) fn join_blocking<E>(self, key: K, share: Share<E>) -> Joined<'a, K, V, E> {
        Joined::of(self.follow_blocking(key), share)
    }

    /// [`start`](Self::start) for a blocking caller, and the wait.
    pub(crate) fn follow_blocking(mut self, key: K) -> Result<Held<'a, K, V>, Answered<V>> {
        let entered = self.enter(key, || Wake::Thread(std::thread::current()));
        let end = match End::at_once(entered) {
            Ok(end) => end,
            Err(seat) => {
                let end = follow_blocking(seat, self.patience());
                self.now = clock::now();
                end
            }
        };
        self.ended(end)
    }

    fn patience(&self) -> Patience {
        let max_wait = self.policy.max_wait;
        let until = self.now.plus(max_wait);
        Patience { until, max_wait }
    }

    fn enter(&self, key: K, wake: impl FnOnce() -> Wake) -> Entered<'a, K, Told<V>, V> {
        let state = self.state;
        state.store.counts.misses.fetch_add(1, Relaxed);
        state.tidy(self.policy, self.now);
        let board = state.board(self.hash);
        if self.policy.max_wait.is_zero() && !self.refreshes {
            return Entered::Alone(board.alone(key));
        }
        let present = self.now.into();
        let seek = |key: &K| state.peek(self.policy, self.hash, |known| known == key, present);
        let inside = context::current().flights;
        board.enter(key, self.now, inside, self.refreshes, seek, wake)
    }

    fn ended(self, end: End<'a, K, V>) -> Result<Held<'a, K, V>, Answered<V>> {
        match end {
            End::Runs(place) => Ok(Held { call: self, place }),
            End::Answered(answered) => {
                self.state.store.counts.coalesced.fetch_add(1, Relaxed);
                Err(answered)
            }
        }
    }
}

impl<'a, K: Key, V: Value, E> Joined<'a, K, V, E> {
    fn of(ended: Result<Held<'a, K, V>, Answered<V>>, share: Share<E>) -> Self {
        match ended {
            Ok(held) => Self::Lead(Lead { held, share }),
            Err(answered) => Self::Answered(answered.outcome(&share)),
        }
    }
}

/// A call that was not served, until it is known how it goes on.
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Join<'a, K: Key, V: Value, E> {
    at: Joining<'a, K, V>,
    share: Share<E>,
}

enum Joining<'a, K: Key, V: Value> {
    /// None once it has started.
    New(Option<(Miss<'a, K, V>, K)>),
    Waits(Following<'a, K, V>),
}

impl<K: Key, V: Value, E> Unpin for Join<'_, K, V, E> {}

impl<'a, K: Key, V: Value, E> Future for Join<'a, K, V, E> {
    type Output = Joined<'a, K, V, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let share = self.share;
        if let Joining::New(new) = &mut self.at {
            let Some((miss, key)) = new.take() else {
                return Poll::Pending; // it has ended
            };
            match miss.start(key, cx.waker()) {
                Start::Known(ended) => return Poll::Ready(Joined::of(ended, share)),
                Start::Waits(following) => self.at = Joining::Waits(following),
            }
        }
        match &mut self.at {
            Joining::Waits(following) => {
                let ended = ready!(following.as_mut().poll(cx));
                self.at = Joining::New(None);
                Poll::Ready(Joined::of(ended, share))
            }
            Joining::New(_) => Poll::Pending,
        }
    }
}

/// How long one waits before it leads as well.
#[derive(Clone, Copy)]
struct Patience {
    until: Moment,
    /// Between two who get up.
    max_wait: Duration,
}

async fn follow<K: Key, V: Value>(
    mut seat: Seat<'_, K, Told<V>>,
    Patience { until, max_wait }: Patience,
) -> End<'_, K, V> {
    let mut timer = pin!(clock::sleep_until(until));
    let end = poll_fn(|cx| {
        loop {
            if let Some(turn) = seat.look(Wake::Task(cx.waker().clone()), clock::now) {
                return Poll::Ready(End::of(turn));
            }
            ready!(timer.as_mut().poll(cx));
            match seat.get_up(clock::now(), max_wait) {
                Ok(pilot) => return Poll::Ready(End::Runs(Place::Pilot(pilot))),
                Err(later) => timer.set(clock::sleep_until(later)),
            }
        }
    });
    end.await
}

fn follow_blocking<K: Key, V: Value>(
    mut seat: Seat<'_, K, Told<V>>,
    Patience {
        mut until,
        max_wait,
    }: Patience,
) -> End<'_, K, V> {
    // Nobody drops a blocking caller at the deadline around it.
    let deadline = context::current().deadline;
    loop {
        if let Some(turn) = seat.look(Wake::Thread(std::thread::current()), clock::now) {
            return End::of(turn);
        }
        let now = clock::now();
        if deadline.is_some_and(|deadline| deadline <= now) {
            return End::Runs(Place::Loner(seat.leave()));
        }
        if until <= now {
            match seat.get_up(now, max_wait) {
                Ok(pilot) => return End::Runs(Place::Pilot(pilot)),
                Err(later) => until = later,
            }
        }
        clock::park_until(deadline.map_or(until, |deadline| deadline.min(until)));
    }
}

impl<K: Key, V: Value, E> Lead<'_, K, V, E> {
    /// The context of the body: the current one, and that the body is a part of this run. The body is
    /// polled in it.
    pub(crate) fn context(&self) -> context::Context {
        let context = context::current();
        context::Context {
            flights: context.flights.with(self.held.flight()),
            ..context
        }
    }

    /// Takes what the run came to, and answers those who wait.
    pub(crate) fn settle(
        self,
        site: &str,
        outcome: Result<V, Failure<E>>,
        cache_if: impl FnOnce(&V) -> bool,
    ) -> Result<V, Failure<E>> {
        self.held.settle(site, outcome, self.share, cache_if)
    }
}
