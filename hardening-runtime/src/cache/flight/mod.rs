//! One run for all who ask for the same key at the same time ("single flight").
//!
//! A flight is led by one caller; the others hold a [`Seat`] and wait. It ends in one of three ways:
//!
//! - the leader answers: everybody who waits is woken and takes the answer;
//! - the leader goes away without an answer (dropped, panicked): the flight has no leader, the first who
//!   waits is woken, and whoever looks first leads. One who is woken and goes away wakes the next;
//! - nobody is left: the flight is taken off the board.
//!
//! A leader may stall. Then one who waits gets up and leads as well ([`Seat::get_up`]), so that the flight has
//! two leaders: the first to answer does so for everybody. Only one gets up in a `max_wait`, or all who wait would
//! run the body at the same moment. Those who are a part of another run go first, and of each kind the one who
//! waits longest: so runs that wait for each other part, however many wait for them. One that got up knows that
//! it is a part of the flight, and never waits for it again.
//!
//! A waiter may leave at any moment.
//!
//! Locks are taken in the order board, flight; nobody is woken and nothing is dropped that is the user's
//! while a lock is held. The order and the hand-over are model-checked (`mod model`).

#[cfg(all(test, hardening_loom))]
mod model;
mod place;

pub(in crate::cache) use place::{Loner, Pilot, Seat, Turn};

use crate::{
    clock::Moment,
    context::FlightSet,
    sync::{Mutex, MutexGuard, lock},
};
use std::{collections::HashMap, hash::Hash, sync::Arc, task::Waker, thread::Thread};

/// How one who waits is woken.
#[derive(Clone)]
pub(in crate::cache) enum Wake {
    Task(Waker),
    Thread(Thread),
}

impl Wake {
    fn wake(self) {
        match self {
            Self::Task(waker) => waker.wake(),
            Self::Thread(thread) => thread.unpark(),
        }
    }

    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Task(a), Self::Task(b)) => a.will_wake(b),
            (Self::Thread(a), Self::Thread(b)) => a.id() == b.id(),
            _ => false,
        }
    }
}

enum Phase<A> {
    /// By so many.
    Led(u32),
    Vacant,
    Landed(A),
}

struct Cabin<A> {
    phase: Phase<A>,
    /// When the last of those who lead began.
    led_since: Moment,
    /// Those who wait, in the order in which they came.
    waiting: Vec<Waiting>,
    next_ticket: u32,
}

struct Waiting {
    ticket: u32,
    /// It is a part of another run.
    nested: bool,
    wake: Wake,
}

impl<A> Cabin<A> {
    /// Takes one who waits off the list.
    fn take(&mut self, ticket: u32) -> Option<Wake> {
        let at = self
            .waiting
            .iter()
            .position(|waiting| waiting.ticket == ticket)?;
        Some(self.waiting.remove(at).wake)
    }

    /// Whether it is this one's turn to get up. Those go first who are a part of another run: that may be
    /// the very one for which the leader waits.
    fn is_next_up(&self, ticket: u32) -> bool {
        let nested = self.waiting.iter().find(|waiting| waiting.nested);
        let next = nested.or(self.waiting.first());
        next.is_some_and(|next| next.ticket == ticket)
    }

    /// Somebody begins to lead a flight that nobody leads.
    fn lead(&mut self, now: Moment) {
        self.phase = Phase::Led(1);
        self.led_since = now;
    }

    /// One of those who lead gives up. An answer that another has given stays.
    fn give_up(&mut self) {
        match &mut self.phase {
            Phase::Led(leaders) if *leaders > 1 => *leaders -= 1,
            Phase::Led(_) => self.phase = Phase::Vacant,
            Phase::Vacant | Phase::Landed(_) => {}
        }
    }

    /// How the next leader is woken, if the flight needs one.
    fn successor(&self) -> Option<Wake> {
        self.next().filter(|_| self.is_vacant())
    }

    const fn is_vacant(&self) -> bool {
        matches!(self.phase, Phase::Vacant)
    }

    /// How the first who waits is woken. He stays on the list until he comes.
    fn next(&self) -> Option<Wake> {
        self.waiting.first().map(|first| first.wake.clone())
    }
}

pub(in crate::cache) struct Flight<A> {
    id: u32,
    cabin: Mutex<Cabin<A>>,
}

impl<A> Flight<A> {
    fn new(now: Moment) -> Arc<Self> {
        Arc::new(Self {
            id: number(),
            cabin: Mutex::new(Cabin {
                phase: Phase::Led(1),
                led_since: now,
                waiting: Vec::new(),
                next_ticket: 0,
            }),
        })
    }

    pub(in crate::cache) const fn id(&self) -> u32 {
        self.id
    }
}

/// A number that no other flight under way has; never 0, nor the mark of a set that is too full.
fn number() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static LAST: AtomicU32 = AtomicU32::new(0);
    LAST.fetch_add(1, Relaxed) % (u32::MAX - 1) + 1
}

/// The flights under way of a part of the keys.
pub(in crate::cache) struct Board<K, A>(Mutex<Table<K, A>>);

struct Table<K, A> {
    flights: HashMap<K, Arc<Flight<A>>, foldhash::fast::RandomState>,
    /// Counts the calls of [`Board::disturb`] and [`Board::disturb_all`].
    epoch: u64,
}

/// How one who found nothing in the store goes on.
pub(in crate::cache) enum Entered<'a, K: Hash + Eq, A, R> {
    /// Runs the body for everybody.
    Leads(Pilot<'a, K, A>),
    /// Waits for another's run.
    Follows(Seat<'a, K, A>),
    /// Runs the body for itself only: it is a part of the run that it would wait for.
    Alone(Loner<'a, K, A>),
    /// Found a result in the store after all.
    Found(R),
}

impl<K: Hash + Eq + Clone, A: Clone> Board<K, A> {
    pub(in crate::cache) fn new() -> Self {
        Self(Mutex::new(Table {
            flights: HashMap::default(),
            epoch: 0,
        }))
    }

    /// Joins the flight of the key, or begins one. `inside` are the flights that the caller is a
    /// part of. One who `refreshes` has a result that is still good, and takes it (`seek`) when
    /// somebody refreshes it already; anybody else looks again whether a flight has landed since it
    /// found nothing.
    pub(in crate::cache) fn enter<R>(
        &self,
        key: K,
        now: Moment,
        inside: FlightSet,
        refreshes: bool,
        seek: impl FnOnce(&K) -> Option<R>,
        wake: impl FnOnce() -> Wake,
    ) -> Entered<'_, K, A, R> {
        let mut table = lock(&self.0);
        let flight = table.flights.get(&key).cloned();
        if flight.is_some() == refreshes
            && let Some(found) = seek(&key)
        {
            return Entered::Found(found);
        }
        let Some(flight) = flight else {
            let flight = Flight::new(now);
            table.flights.insert(key.clone(), Arc::clone(&flight));
            return Entered::Leads(self.pilot(key, flight));
        };
        if inside.may_hold(flight.id) {
            return Entered::Alone(Loner {
                board: self,
                key,
                epoch: None,
            });
        }
        let mut cabin = lock(&flight.cabin);
        if cabin.is_vacant() {
            cabin.lead(now);
            drop(cabin);
            return Entered::Leads(self.pilot(key, flight));
        }
        let ticket = cabin.next_ticket;
        cabin.next_ticket = ticket.wrapping_add(1);
        cabin.waiting.push(Waiting {
            ticket,
            nested: inside != FlightSet::NONE,
            wake: wake(),
        });
        drop(cabin);
        Entered::Follows(Seat {
            board: self,
            key,
            flight,
            ticket,
            taken: true,
        })
    }

    /// For one who waits for nobody.
    pub(in crate::cache) fn alone(&self, key: K) -> Loner<'_, K, A> {
        let epoch = Some(lock(&self.0).epoch);
        Loner {
            board: self,
            key,
            epoch,
        }
    }

    const fn pilot(&self, key: K, flight: Arc<Flight<A>>) -> Pilot<'_, K, A> {
        Pilot {
            board: self,
            key,
            flight,
            epoch: None,
            landed: false,
        }
    }
}

impl<K: Hash + Eq, A> Board<K, A> {
    #[cfg(test)]
    pub(in crate::cache) fn len(&self) -> usize {
        lock(&self.0).flights.len()
    }

    #[cfg(all(test, not(hardening_loom)))]
    pub(in crate::cache) fn seats(&self) -> usize {
        let table = lock(&self.0);
        let waiting = |flight: &Arc<Flight<A>>| lock(&flight.cabin).waiting.len();
        table.flights.values().map(waiting).sum()
    }

    /// Runs `change`, which makes results of the key that are being computed out of date: they are
    /// told to those who wait, and not stored.
    pub(in crate::cache) fn disturb<Q, R>(&self, key: &Q, change: impl FnOnce() -> R) -> R
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let mut table = lock(&self.0);
        table.epoch += 1;
        let flight = table.flights.remove_entry(key);
        let changed = change();
        drop(table);
        drop(flight);
        changed
    }

    /// Results that are being computed are told to those who wait, and not stored.
    pub(in crate::cache) fn disturb_all(&self) {
        let mut table = lock(&self.0);
        table.epoch += 1;
        let flights = std::mem::take(&mut table.flights);
        drop(table);
        drop(flights);
    }

    /// Takes the flight off the board, if it is there; to be dropped outside of the lock.
    fn take_off(
        table: &mut MutexGuard<'_, Table<K, A>>,
        key: &K,
        flight: &Arc<Flight<A>>,
    ) -> Option<(K, Arc<Flight<A>>)> {
        let known = table.flights.get(key)?;
        if Arc::ptr_eq(known, flight) {
            table.flights.remove_entry(key)
        } else {
            None
        }
    }

    /// A leader gives the flight up. If it was the last: wakes the next, or takes the flight off the board.
    fn vacate(&self, key: &K, flight: &Arc<Flight<A>>) {
        let table = lock(&self.0);
        let mut cabin = lock(&flight.cabin);
        cabin.give_up();
        let (vacant, next) = (cabin.is_vacant(), cabin.successor());
        drop(cabin);
        if vacant {
            Self::pass_on(table, key, flight, next);
        }
    }

    /// One who waits gives it up. If it was this one's turn to lead, it is the next one's.
    fn leave(&self, key: &K, flight: &Arc<Flight<A>>, ticket: u32) {
        let table = lock(&self.0);
        let mut cabin = lock(&flight.cabin);
        let gone = cabin.take(ticket);
        let (vacant, next) = (cabin.is_vacant(), cabin.successor());
        drop(cabin);
        if vacant {
            Self::pass_on(table, key, flight, next);
        } else {
            drop(table);
        }
        drop(gone);
    }

    fn pass_on(
        mut table: MutexGuard<'_, Table<K, A>>,
        key: &K,
        flight: &Arc<Flight<A>>,
        next: Option<Wake>,
    ) {
        let gone = match next {
            Some(_) => None,
            None => Self::take_off(&mut table, key, flight),
        };
        drop(table);
        drop(gone);
        if let Some(next) = next {
            next.wake();
        }
    }
}
