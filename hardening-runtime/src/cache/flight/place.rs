//! The places that callers hold in a flight, and what each does when it is dropped.

use super::{Board, Flight, Phase, Wake};
use crate::{clock::Moment, sync::lock};
use std::{hash::Hash, sync::Arc, time::Duration};

/// A leader's place. Dropped without an answer, it is handed over to the next who waits.
pub(in crate::cache) struct Pilot<'a, K: Hash + Eq, A> {
    pub(super) board: &'a Board<K, A>,
    pub(super) key: K,
    pub(super) flight: Arc<Flight<A>>,
    /// The board's when the run began, for one that got up beside a leader that stalls.
    pub(super) epoch: Option<u64>,
    pub(super) landed: bool,
}

impl<K: Hash + Eq, A> Pilot<'_, K, A> {
    pub(in crate::cache) fn id(&self) -> u32 {
        self.flight.id()
    }

    pub(in crate::cache) const fn key(&self) -> &K {
        &self.key
    }

    /// Ends the joining: who comes later begins a run of his own, or finds what `store` stored.
    /// `store` does not run when the key was disturbed meanwhile, nor when another leader closed; but
    /// that may have been for a failure, so what one that got up brings is stored.
    pub(in crate::cache) fn close<R>(&self, store: impl FnOnce() -> R) -> Option<R> {
        let mut table = lock(&self.board.0);
        let flight = Board::take_off(&mut table, &self.key, &self.flight);
        if flight.is_none() && self.epoch != Some(table.epoch) {
            return None;
        }
        let stored = store();
        drop(table);
        drop(flight);
        Some(stored)
    }

    /// Tells those who wait, if anybody does. Comes after [`Self::close`].
    pub(in crate::cache) fn answer(mut self, answer: impl FnOnce() -> A) {
        // Nobody can come any more, so none is none.
        if !lock(&self.flight.cabin).waiting.is_empty() {
            let answer = answer();
            let mut cabin = lock(&self.flight.cabin);
            cabin.phase = Phase::Landed(answer);
            let waiting = std::mem::take(&mut cabin.waiting);
            drop(cabin);
            for waiting in waiting {
                waiting.wake.wake();
            }
        }
        self.landed = true;
    }
}

impl<K: Hash + Eq, A> Drop for Pilot<'_, K, A> {
    fn drop(&mut self) {
        if !self.landed {
            self.board.vacate(&self.key, &self.flight);
        }
    }
}

/// The place of one who waits. Dropped, it is given up.
pub(in crate::cache) struct Seat<'a, K: Hash + Eq, A> {
    pub(super) board: &'a Board<K, A>,
    pub(super) key: K,
    pub(super) flight: Arc<Flight<A>>,
    pub(super) ticket: u32,
    pub(super) taken: bool,
}

/// What the wait came to.
pub(in crate::cache) enum Turn<'a, K: Hash + Eq, A> {
    Answered(A),
    Leads(Pilot<'a, K, A>),
}

impl<'a, K: Hash + Eq + Clone, A: Clone> Seat<'a, K, A> {
    /// Looks whether the wait is over; otherwise sees to it that `wake` is woken when it may be.
    pub(in crate::cache) fn look(
        &mut self,
        mut wake: Wake,
        now: impl FnOnce() -> Moment,
    ) -> Option<Turn<'a, K, A>> {
        let mut cabin = lock(&self.flight.cabin);
        match &cabin.phase {
            Phase::Landed(answer) => {
                self.taken = false;
                Some(Turn::Answered(answer.clone()))
            }
            Phase::Vacant => {
                self.taken = false;
                cabin.lead(now());
                let mine = cabin.take(self.ticket);
                drop(cabin);
                // Dropped outside the lock: the last waker of a task may drop the task.
                drop(mine);
                let flight = Arc::clone(&self.flight);
                Some(Turn::Leads(self.board.pilot(self.key.clone(), flight)))
            }
            Phase::Led(_) => {
                let ticket = self.ticket;
                let mine = (cabin.waiting.iter_mut()).find(|waiting| waiting.ticket == ticket);
                if let Some(mine) = mine.filter(|mine| !mine.wake.same(&wake)) {
                    std::mem::swap(&mut mine.wake, &mut wake);
                }
                drop(cabin);
                None
            }
        }
    }

    /// Has waited for `max_wait`, and leads as well, unless another got up less than that ago: then it says when
    /// to look again. The others give the one whose turn it is an eighth of the time to come.
    pub(in crate::cache) fn get_up(
        &mut self,
        now: Moment,
        max_wait: Duration,
    ) -> Result<Pilot<'a, K, A>, Moment> {
        let table = lock(&self.board.0);
        let mut cabin = lock(&self.flight.cabin);
        let Phase::Led(leaders) = cabin.phase else {
            return Err(now); // somebody has just answered, or gone away
        };
        let grace = if cabin.is_next_up(self.ticket) {
            Duration::ZERO
        } else {
            max_wait / 8
        };
        let due = cabin.led_since.plus(max_wait).plus(grace);
        if now < due {
            return Err(due);
        }
        cabin.phase = Phase::Led(leaders.saturating_add(1));
        cabin.led_since = now;
        let mine = cabin.take(self.ticket);
        drop(cabin);
        let epoch = Some(table.epoch);
        drop(table);
        drop(mine);
        self.taken = false;
        let (key, flight) = (self.key.clone(), Arc::clone(&self.flight));
        let mut pilot = self.board.pilot(key, flight);
        pilot.epoch = epoch;
        Ok(pilot)
    }

    /// Waits no longer, and runs the body for itself.
    pub(in crate::cache) fn leave(mut self) -> Loner<'a, K, A> {
        self.give_up();
        self.board.alone(self.key.clone())
    }
}

impl<K: Hash + Eq, A> Seat<'_, K, A> {
    fn give_up(&mut self) {
        if std::mem::take(&mut self.taken) {
            self.board.leave(&self.key, &self.flight, self.ticket);
        }
    }
}

impl<K: Hash + Eq, A> Drop for Seat<'_, K, A> {
    fn drop(&mut self) {
        self.give_up();
    }
}

/// One who runs the body for itself only.
pub(in crate::cache) struct Loner<'a, K, A> {
    pub(super) board: &'a Board<K, A>,
    pub(super) key: K,
    /// When the run began. None if it is a part of a run of the same key: that one's result is stored.
    pub(super) epoch: Option<u64>,
}

impl<K, A> Loner<'_, K, A> {
    pub(in crate::cache) const fn key(&self) -> &K {
        &self.key
    }

    /// Runs `store`, unless a key of this board was disturbed since the run began.
    pub(in crate::cache) fn close<R>(&self, store: impl FnOnce() -> R) -> Option<R> {
        let table = lock(&self.board.0);
        (Some(table.epoch) == self.epoch).then(store)
    }
}
