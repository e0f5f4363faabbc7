//! What a body may know of the call that it runs in, and what nested calls inherit.
//!
//! A thread-local, set around each poll of a body (and around each run of a blocking one), so it
//! follows the body across `.await` and threads, and never leaks into another task.

use crate::clock::{self, Moment};
use std::{cell::Cell, time::Instant};

/// The innermost annotated call that the current code runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Context {
    /// Which attempt this is; the first is 1.
    pub(crate) attempt: u32,
    /// The nearest deadline of all the calls around.
    pub(crate) deadline: Option<Moment>,
    /// The shared cache runs that this code is a part of.
    pub(crate) flights: FlightSet,
}

impl Context {
    /// Outside of any call.
    pub(crate) const NONE: Self = Self {
        attempt: 0,
        deadline: None,
        flights: FlightSet::NONE,
    };
}

/// The shared runs ("flights") of caches that the current code is inside: a call that would wait
/// for one of them would wait for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FlightSet([u32; 4]);

impl FlightSet {
    pub(crate) const NONE: Self = Self([0; 4]);
    /// Stands in the last place when more flights are nested than there are places.
    const MORE: u32 = u32::MAX;

    #[inline]
    const fn from_words(words: [u64; 2]) -> Self {
        let [low, high] = words;
        #[allow(clippy::cast_possible_truncation)] // halves
        Self([
            low as u32,
            (low >> 32) as u32,
            high as u32,
            (high >> 32) as u32,
        ])
    }

    #[inline]
    const fn to_words(self) -> [u64; 2] {
        let [a, b, c, d] = self.0;
        [a as u64 | (b as u64) << 32, c as u64 | (d as u64) << 32]
    }

    /// This set and `flight`; 0 is no flight.
    #[inline]
    pub(crate) fn with(self, flight: u32) -> Self {
        if flight == 0 { self } else { self.and(flight) }
    }

    #[cold]
    fn and(mut self, flight: u32) -> Self {
        if !self.0.contains(&flight) {
            match self.0.iter_mut().find(|place| **place == 0) {
                Some(place) => *place = flight,
                None => self.0[3] = Self::MORE,
            }
        }
        self
    }

    /// Whether `flight` is in the set, as far as the set can tell.
    pub(crate) fn may_hold(self, flight: u32) -> bool {
        self.0.contains(&flight) || self.0[3] == Self::MORE
    }
}

/// A thread's context, field by field: a copy of the whole in one wide load, right after it was
/// stored in parts, waits for those stores (13 of 15 ns, on every poll of every body).
struct Slot {
    attempt: Cell<u32>,
    /// In nanoseconds; the end of the scale is none.
    deadline: Cell<u64>,
    flights: Cell<[u64; 2]>,
}

const NO_DEADLINE: u64 = u64::MAX;

thread_local! {
    static CURRENT: Slot = const {
        Slot {
            attempt: Cell::new(1),
            deadline: Cell::new(NO_DEADLINE),
            flights: Cell::new([0; 2]),
        }
    };
}

/// The context of the code that asks.
#[inline]
pub(crate) fn current() -> Context {
    CURRENT.with(Slot::get).to_context()
}

/// A context as it is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Words {
    attempt: u32,
    deadline: u64,
    flights: [u64; 2],
}

impl Words {
    #[inline]
    pub(crate) fn of(context: Context) -> Self {
        Self {
            attempt: context.attempt,
            deadline: context.deadline.map_or(NO_DEADLINE, Moment::as_nanos),
            flights: context.flights.to_words(),
        }
    }

    #[inline]
    fn to_context(self) -> Context {
        let has_deadline = self.deadline != NO_DEADLINE;
        Context {
            attempt: self.attempt,
            deadline: has_deadline.then_some(Moment::from_nanos(self.deadline)),
            flights: FlightSet::from_words(self.flights),
        }
    }
}

impl Slot {
    #[inline]
    fn get(&self) -> Words {
        Words {
            attempt: self.attempt.get(),
            deadline: self.deadline.get(),
            flights: self.flights.get(),
        }
    }

    /// The flights are seldom other ones; and who reads them next does so in one wide load.
    #[inline]
    fn set(&self, attempt: u32, deadline: u64, flights: Option<[u64; 2]>) {
        self.attempt.set(attempt);
        self.deadline.set(deadline);
        if let Some(flights) = flights {
            self.flights.set(flights);
        }
    }
}

/// Puts back the context around a body when it is dropped.
pub(crate) struct Restore {
    attempt: u32,
    deadline: u64,
    /// Where they were changed.
    flights: Option<[u64; 2]>,
}

impl Drop for Restore {
    #[inline]
    fn drop(&mut self) {
        // By value: what a panic would put back need not stand in memory all the time.
        let (attempt, deadline, flights) = (self.attempt, self.deadline, self.flights);
        CURRENT.with(move |slot| slot.set(attempt, deadline, flights));
    }
}

/// Enters another context. Often it is the one around, as in the first attempt of a call without a
/// deadline of its own; then nothing is written. Apart from the body, so that it is inlined whatever
/// the body is.
#[inline]
pub(crate) fn change(words: Words) -> Option<Restore> {
    CURRENT.with(|slot| {
        let around = slot.get();
        let other = words.flights != around.flights;
        (around != words).then(|| {
            slot.set(
                words.attempt,
                words.deadline,
                other.then_some(words.flights),
            );
            Restore {
                attempt: around.attempt,
                deadline: around.deadline,
                flights: other.then_some(around.flights),
            }
        })
    })
}

/// Enters the context around, but for these two: what else there is need not be looked at.
#[inline]
pub(crate) fn change_attempt(attempt: u32, deadline: Option<Moment>) -> Option<Restore> {
    let deadline = deadline.map_or(NO_DEADLINE, Moment::as_nanos);
    CURRENT.with(|slot| {
        let around = (slot.attempt.get(), slot.deadline.get());
        (around != (attempt, deadline)).then(|| {
            slot.set(attempt, deadline, None);
            Restore {
                attempt: around.0,
                deadline: around.1,
                flights: None,
            }
        })
    })
}

/// The nearest deadline of all the calls around.
#[inline]
pub(crate) fn current_deadline() -> Option<Moment> {
    let nanos = CURRENT.with(|slot| slot.deadline.get());
    (nanos != NO_DEADLINE).then_some(Moment::from_nanos(nanos))
}

/// Runs `body` in `context`, and restores the context around it, also when `body` panics.
#[inline]
pub(crate) fn within<R>(context: Context, body: impl FnOnce() -> R) -> R {
    within_words(Words::of(context), body)
}

/// [`within`] a context as it is stored.
#[inline]
pub(crate) fn within_words<R>(words: Words, body: impl FnOnce() -> R) -> R {
    let _restore = change(words);
    body()
}

/// Which attempt of the innermost annotated call the current code runs in. The first is 1, and so
/// is code outside of any call.
#[must_use]
pub fn attempt() -> u32 {
    current().attempt
}

/// The moment at which the call that the current code runs in will have timed out: the nearest
/// deadline of all the annotated calls around it. Under tokio's paused clock the moment is that
/// clock's (`tokio::time::Instant::from_std`).
#[must_use]
pub fn deadline() -> Option<Instant> {
    current().deadline.map(clock::to_std)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_too_many_flights_holds_every_flight() {
        let four = (1..=4).fold(FlightSet::NONE, FlightSet::with);
        assert!((1..=4).all(|flight| four.may_hold(flight)) && !four.may_hold(5));
        let five = four.with(5);
        assert!((1..=9).all(|flight| five.may_hold(flight)));
        assert_eq!(four.with(3), four);
        assert_eq!(FlightSet::NONE.with(0), FlightSet::NONE);
    }
}
