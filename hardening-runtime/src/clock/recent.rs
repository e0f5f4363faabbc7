//! The present, or a little before: for decisions that are far enough from their limit.
//!
//! Reading the processor's counter is not the 10 ns that it takes alone: the processor waits with what comes
//! after it, so a look into a table of which some is not in the nearest cache takes 20 to 40 ns longer.
//! The kernel keeps the time of its last tick (4 ms by default, at most 10) where it can be read like any
//! number. While that does not change, a reading taken since it last did is good enough for most.

use super::{Moment, now};
use std::time::Duration;

/// How far the time of a tick may be behind, with a margin: processors that are switched off or that a
/// hypervisor gives to others tick late.
const BEHIND: Duration = Duration::from_millis(25);

/// The present, read as exactly as it turns out to matter.
#[derive(Clone, Copy, Debug)]
pub enum Present {
    /// It is this.
    Exact(Moment),
    /// It is this, or up to 25 ms later.
    Recent(Moment),
}

impl From<Moment> for Present {
    #[inline]
    fn from(now: Moment) -> Self {
        Self::Exact(now)
    }
}

/// What tells the time: the runtime's clock, or a function of whoever has one of its own.
pub(crate) trait Clock: Copy {
    /// The present.
    fn now(&self) -> Moment;
    /// The present, or a little before.
    fn recent(&self) -> Present;
}

/// The runtime's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct System;

impl Clock for System {
    #[inline]
    fn now(&self) -> Moment {
        now()
    }

    #[inline]
    fn recent(&self) -> Present {
        Present::recent()
    }
}

impl<F: Fn() -> Moment + Copy> Clock for F {
    #[inline]
    fn now(&self) -> Moment {
        self()
    }

    #[inline]
    fn recent(&self) -> Present {
        Present::Exact(self())
    }
}

impl Present {
    /// The present, without a look at the exact clock more often than once in a tick.
    #[inline]
    #[must_use]
    pub(crate) fn recent() -> Self {
        #[cfg(any(hardening_loom, feature = "test-util", not(target_os = "linux")))]
        {
            Self::Exact(now())
        }
        #[cfg(not(any(hardening_loom, feature = "test-util", not(target_os = "linux"))))]
        {
            Self::Recent(tick::reading(&tick::LAST, tick::of_the_kernel(), now))
        }
    }

    /// What was read.
    #[inline]
    #[must_use]
    pub(crate) const fn reading(self) -> Moment {
        match self {
            Self::Exact(now) | Self::Recent(now) => now,
        }
    }

    /// The nanoseconds since then, by the clock that was read then. Between two recent readings that is
    /// nothing, or, for what a tick fell into, the whole time since the tick before: right on average, and
    /// in the sum of many.
    #[inline]
    #[must_use]
    pub(crate) fn nanos_since(self) -> u64 {
        let (began, now) = match self {
            Self::Exact(began) => (began, now()),
            Self::Recent(began) => (began, Self::recent().reading()),
        };
        now.as_nanos().saturating_sub(began.as_nanos())
    }

    /// The present.
    #[inline]
    #[must_use]
    pub(crate) fn exact(self) -> Moment {
        match self {
            Self::Exact(now) => now,
            Self::Recent(_) => asked(),
        }
    }

    /// It is not before this.
    #[inline]
    #[must_use]
    pub(crate) const fn earliest(self) -> Moment {
        match self {
            Self::Exact(now) | Self::Recent(now) => now,
        }
    }

    /// Whether it is before `moment`, as far as can be said without asking the clock: `false` is "perhaps not".
    #[inline]
    #[must_use]
    pub(crate) fn is_surely_before(self, moment: Moment) -> bool {
        match self {
            Self::Exact(now) => now < moment,
            Self::Recent(now) => now.plus(BEHIND) < moment,
        }
    }
}

/// Out of line: most never ask.
#[cold]
#[inline(never)]
fn asked() -> Moment {
    now()
}

#[cfg(all(not(hardening_loom), target_os = "linux"))]
#[cfg_attr(feature = "test-util", allow(dead_code))] // tests of users move the clock
mod tick {
    use super::Moment;
    use std::sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    };

    /// The first reading of the exact clock since a tick. Written once a tick, read by every hit.
    #[repr(align(128))]
    pub(super) struct Last {
        tick: AtomicU64,
        reading: AtomicU64,
    }

    pub(super) static LAST: Last = Last::new();

    impl Last {
        pub(super) const fn new() -> Self {
            Self {
                tick: AtomicU64::new(u64::MAX),
                reading: AtomicU64::new(0),
            }
        }
    }

    /// The time of the kernel's last tick, on a scale of its own.
    #[inline]
    pub(super) fn of_the_kernel() -> u64 {
        coarsetime::Instant::now_without_cache_update().as_ticks()
    }

    /// A reading of the exact clock that is not older than `tick`, which is the kernel's last.
    #[inline]
    pub(super) fn reading(last: &Last, tick: u64, now: impl FnOnce() -> Moment) -> Moment {
        if last.tick.load(Acquire) == tick {
            Moment::from_nanos(last.reading.load(Relaxed))
        } else {
            renewed(last, tick, now)
        }
    }

    #[cold]
    #[inline(never)]
    fn renewed(last: &Last, tick: u64, now: impl FnOnce() -> Moment) -> Moment {
        let now = now();
        // Never backwards: a thread that was held up here for some ticks must not take a later reading away.
        last.reading.fetch_max(now.as_nanos(), Relaxed);
        last.tick.store(tick, Release);
        now
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;

    const fn at(nanos: u64) -> Moment {
        Moment::from_nanos(nanos)
    }

    #[test]
    fn what_is_near_is_not_judged_by_a_recent_reading() {
        let behind = u64::try_from(BEHIND.as_nanos()).unwrap();
        assert!(Present::Recent(at(7)).is_surely_before(at(8 + behind)));
        assert!(!Present::Recent(at(7)).is_surely_before(at(7 + behind)));
        assert!(Present::Exact(at(7)).is_surely_before(at(8)));
        assert!(!Present::Exact(at(7)).is_surely_before(at(7)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_clock_is_read_once_in_a_tick_and_its_readings_do_not_go_back() {
        let last = tick::Last::new();
        let read = |tick, now| tick::reading(&last, tick, || at(now)).as_nanos();
        let again = |tick| tick::reading(&last, tick, || unreachable!("a second time")).as_nanos();
        assert_eq!((read(1, 10), again(1)), (10, 10));
        assert_eq!((read(2, 20), again(2)), (20, 20));
        // A thread that was held up between the tick and its reading.
        assert_eq!((read(1, 15), again(1)), (15, 20));
        assert_eq!((read(2, 25), again(2)), (25, 25));
    }

    #[test]
    fn recent_readings_of_many_short_times_sum_to_the_time_they_take() {
        let (mut exact, mut recent) = (0, 0);
        while exact < 200_000_000 {
            let (began, coarse) = (now(), Present::recent());
            while now().since(began) < Duration::from_micros(20) {
                std::hint::spin_loop();
            }
            exact += now().since(began).as_nanos();
            recent += u128::from(coarse.nanos_since());
        }
        // What is left of a tick at either end.
        assert!(
            exact.abs_diff(recent) <= 2 * BEHIND.as_nanos(),
            "{recent} of {exact}"
        );
    }

    #[test]
    fn an_exact_moment_is_measured_exactly() {
        let began = now();
        let apart = Present::Exact(began).nanos_since();
        assert!(u128::from(apart) <= now().since(began).as_nanos());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernels_tick_is_never_far_behind() {
        // The best of many: a thread that is interrupted between two looks proves nothing.
        let behind = || {
            let last = tick::Last::new();
            let began = tick::of_the_kernel();
            while tick::of_the_kernel() == began {
                std::hint::spin_loop();
            }
            let reading = tick::reading(&last, tick::of_the_kernel(), now);
            let ticked = tick::of_the_kernel();
            while tick::of_the_kernel() == ticked {
                std::hint::spin_loop();
            }
            now().since(reading)
        };
        assert!((0..20).any(|_| behind() <= BEHIND));
    }
}
