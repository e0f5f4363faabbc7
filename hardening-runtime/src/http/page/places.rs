//! How many may look at once.

use crate::clock::{self, Moment};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The streams that are open at once. More are told to come again.
pub(super) const MOST_VIEWERS: usize = 16;
/// How long a stream lasts; then the page asks for another. So a server that shuts down does not wait for ever, and a
/// viewer that went away without a word, or reads nothing, does not keep its place.
pub(super) const LASTS: Duration = Duration::from_secs(60);

/// When each place is free again.
struct Places([Moment; MOST_VIEWERS]);

static PLACES: Mutex<Places> = Mutex::new(Places([FREE; MOST_VIEWERS]));
const FREE: Moment = Moment::from_nanos(0);

impl Places {
    /// Takes a place until then, if one is free.
    fn take(&mut self, now: Moment, until: Moment) -> Option<usize> {
        let free = self.0.iter().position(|taken| *taken <= now)?;
        self.0[free] = until;
        Some(free)
    }

    /// Gives a place back that was taken until then; nothing if another has it by now.
    fn give_back(&mut self, place: usize, until: Moment) {
        if self.0[place] == until {
            self.0[place] = FREE;
        }
    }

    /// When there will be a free one.
    fn next(&self) -> Moment {
        self.0.iter().copied().min().unwrap_or(FREE)
    }
}

fn places() -> MutexGuard<'static, Places> {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A viewer's place, until it is dropped, or its time is over.
pub(super) struct Place {
    index: usize,
    pub(super) until: Moment,
}

impl Place {
    /// A place for a minute; else how long it takes until one is free, at most.
    pub(super) fn take() -> Result<Self, Duration> {
        let now = clock::now();
        let until = now.plus(LASTS);
        let mut places = places();
        match places.take(now, until) {
            Some(index) => Ok(Self { index, until }),
            None => Err(places.next().since(now)),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        places().give_back(self.index, self.until);
    }
}

/// Nobody looks.
#[cfg(feature = "test-util")]
pub(super) fn forget() {
    *places() = Places([FREE; MOST_VIEWERS]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_nanos(1 << 55).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_place_is_free_when_it_is_given_back_or_its_time_is_over() {
        let mut places = Places([FREE; MOST_VIEWERS]);
        for index in 0..MOST_VIEWERS {
            let until = at(60 + index as u64);
            assert_eq!(places.take(at(0), until), Some(index));
        }
        assert_eq!(places.take(at(59), at(119)), None);
        assert_eq!(places.next(), at(60));
        places.give_back(3, at(63));
        assert_eq!(places.take(at(59), at(119)), Some(3));
        assert_eq!(places.take(at(60), at(120)), Some(0), "its time is over");
        places.give_back(0, at(60));
        assert_eq!(places.take(at(60), at(120)), None, "another has it by now");
    }
}
