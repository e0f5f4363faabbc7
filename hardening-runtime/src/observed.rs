//! What a layer in `mode: observe` let through that it would have rejected: counted always, and told
//! once in a while, lest a limit on trial fill the log.

use crate::{
    clock::{Moment, nanos},
    sync::{AtomicU64, Ordering::Relaxed},
};
use std::time::Duration;

/// An operator who tries a limit reads one line of each op and circuit in this time.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// The rejections that did not happen.
#[derive(Debug)]
pub(crate) struct Observed {
    total: AtomicU64,
    /// How many had been told, when they were told last.
    told: AtomicU64,
    /// From when on the next may be told.
    next: AtomicU64,
}

impl Observed {
    pub(crate) fn new() -> Self {
        Self {
            total: AtomicU64::new(0),
            told: AtomicU64::new(0),
            next: AtomicU64::new(0),
        }
    }

    /// One more. If it is time to tell, how many there were since the last time.
    pub(crate) fn add(&self, now: Moment) -> Option<u64> {
        let total = self.total.fetch_add(1, Relaxed) + 1;
        let (now, next) = (now.as_nanos(), self.next.load(Relaxed));
        let after = now.saturating_add(nanos(TELL_EVERY));
        // Whoever swaps tells; a clock that went back (a second paused runtime) tells anew.
        let is_due = now >= next || after < next;
        let wins = is_due
            && self
                .next
                .compare_exchange(next, after, Relaxed, Relaxed)
                .is_ok();
        wins.then(|| total.saturating_sub(self.told.swap(total, Relaxed)))
    }

    pub(crate) fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_nanos(1 << 55).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn the_first_is_told_and_then_those_of_ten_seconds_together() {
        let observed = Observed::new();
        assert_eq!(observed.add(at(0)), Some(1));
        for second in 1..10 {
            assert_eq!(observed.add(at(second)), None);
        }
        assert_eq!(observed.add(at(10)), Some(10));
        assert_eq!(observed.add(at(11)), None);
        assert_eq!(observed.add(at(3600)), Some(2));
        assert_eq!(observed.total(), 13);
    }

    #[test]
    fn a_clock_that_goes_back_does_not_silence_it() {
        let observed = Observed::new();
        assert_eq!(observed.add(at(1000)), Some(1));
        assert_eq!(observed.add(at(5)), Some(1));
    }

    #[test]
    fn threads_tell_once_and_count_all() {
        let observed = Observed::new();
        let tell = || (0..1000).filter_map(|_| observed.add(at(0))).count();
        let told: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(tell)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!((told, observed.total()), (1, 4000));
    }
}
