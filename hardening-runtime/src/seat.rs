//! Which shard a thread writes, of whatever every call counts: a seat that it has to itself until it
//! ends, or, when those are taken, one that it shares.

use crate::sync::{AtomicU32, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

/// Seats for one thread each.
const SINGLE: usize = 4;
/// Seats for all the others.
const SHARED: usize = 2;
pub(crate) const SHARDS: usize = SINGLE + SHARED;

/// The seats for one thread each: a bit for each that is taken. Who takes a seat sees all that
/// those who had it before wrote there, so plain loads and stores lose nothing.
pub(crate) struct Seats(AtomicU32);

impl Seats {
    #[cfg(not(hardening_loom))]
    const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    #[cfg(hardening_loom)]
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Takes the first free one of `places`.
    pub(crate) fn take(&self, places: usize) -> Option<usize> {
        let mut taken = self.0.load(Relaxed);
        loop {
            let free = taken.trailing_ones() as usize;
            if free >= places {
                return None;
            }
            let with = taken | 1 << free;
            match (self.0).compare_exchange_weak(taken, with, Acquire, Relaxed) {
                Ok(_) => return Some(free),
                Err(now) => taken = now,
            }
        }
    }

    /// Gives a seat to whoever comes next.
    pub(crate) fn leave(&self, seat: usize) {
        self.0.fetch_and(!(1 << seat), Release);
    }
}

/// This thread's shard, and whether it is alone there.
#[cfg(hardening_loom)]
pub(crate) const fn mine() -> (usize, bool) {
    (SINGLE, false)
}

#[cfg(not(hardening_loom))]
pub(crate) use of_this_thread::mine;

#[cfg(not(hardening_loom))]
mod of_this_thread {
    use super::{Relaxed, SHARDS, SHARED, SINGLE, Seats};
    use std::{cell::Cell, sync::atomic::AtomicUsize};

    static SEATS: Seats = Seats::new();
    const NONE: usize = usize::MAX;

    thread_local! {
        static SEAT: Cell<usize> = const { Cell::new(NONE) };
        /// Apart from the seat, so that reading that needs no look at whether it still exists.
        static LEAVING: Leaving = const { Leaving };
    }

    /// This thread's shard, and whether it is alone there.
    #[inline]
    pub(crate) fn mine() -> (usize, bool) {
        let seat = match SEAT.get() {
            NONE => sit_down(),
            seat => seat,
        };
        // The compiler cannot know that a seat is in range; this is cheaper than a panic's path.
        (seat.min(SHARDS - 1), seat < SINGLE)
    }

    #[cold]
    fn sit_down() -> usize {
        let seat = single().unwrap_or_else(shared);
        SEAT.set(seat);
        seat
    }

    /// A seat for this thread alone, if it is sure to be given back.
    fn single() -> Option<usize> {
        LEAVING.try_with(|_| ()).ok()?;
        SEATS.take(SINGLE)
    }

    fn shared() -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        SINGLE + NEXT.fetch_add(1, Relaxed) % SHARED
    }

    /// Gives the seat back when the thread ends. Other thread-locals' ends may still call
    /// annotated functions: they share.
    struct Leaving;

    impl Drop for Leaving {
        fn drop(&mut self) {
            let seat = SEAT.replace(shared());
            if seat < SINGLE {
                SEATS.leave(seat);
            }
        }
    }
}
