//! The places that callers hold in a flight, and what each does when it is dropped.

use super::{Board, Flight, Phase, Wake};
use crate::sync::lock;
use std::{hash::Hash, sync::Arc};

/// The leader's place. Dropped without an answer, it is handed over to the next who waits.
pub(in crate::cache) struct Pilot<'a, K: Hash + Eq, A> {
    pub(super) board: &'a Board<K, A>,
    pub(super) key: K,
    pub(super) flight: Arc<Flight<A>>,
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
    /// `store` does not run when the key was disturbed meanwhile.
    pub(in crate::cache) fn close<R>(&self, store: impl FnOnce() -> R) -> Option<R> {
        let mut table = lock(&self.board.0);
        let flight = Board::take_off(&mut table, &self.key, &self.flight)?;
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
            for (_, wake) in waiting {
                wake.wake();
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
    pub(in crate::cache) fn look(&mut self, mut wake: Wake) -> Option<Turn<'a, K, A>> {
        let mut cabin = lock(&self.flight.cabin);
        match &cabin.phase {
            Phase::Landed(answer) => {
                self.taken = false;
                Some(Turn::Answered(answer.clone()))
            }
            Phase::Vacant => {
                self.taken = false;
                cabin.phase = Phase::Led;
                let mine = cabin.take(self.ticket);
                drop(cabin);
                // Dropped outside the lock: the last waker of a task may drop the task.
                drop(mine);
                let flight = Arc::clone(&self.flight);
                Some(Turn::Leads(self.board.pilot(self.key.clone(), flight)))
            }
            Phase::Led => {
                let ticket = self.ticket;
                let mine = (cabin.waiting.iter_mut()).find(|waiting| waiting.0 == ticket);
                if let Some(mine) = mine.filter(|mine| !mine.1.same(&wake)) {
                    std::mem::swap(&mut mine.1, &mut wake);
                }
                drop(cabin);
                None
            }
        }
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
