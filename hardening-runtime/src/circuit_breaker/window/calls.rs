//! The results of the last N calls, as a ring of bits.
//!
//! The ring has a fixed 16,384 places, whatever N is: a call takes the next place and writes two
//! bits there (most often it finds them right and writes nothing), and the last N places are
//! counted, 64 at a time, when a failure or a slow call asks. So N may change at any moment: a
//! larger N sees results again that a smaller one had passed over.

use super::{Counts, Kept};
use crate::{
    circuit_breaker::word::GENERATION_BITS,
    sync::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};
use std::array;

/// Loom looks at every order of every access: it gets a few.
const WORDS: usize = if cfg!(hardening_loom) { 16 } else { 256 };
const PLACES: u64 = WORDS as u64 * 64;
/// Words that are swept clean ahead of the next place, so that a place which is taken but not yet
/// written reads as a success, not as what it was one lap of the ring ago.
const SWEPT: u64 = 8;
/// The largest N; a larger one means this.
const MOST_CALLS: u64 = PLACES - (SWEPT + 1) * 64;

/// The N that a setting means: 1 to 15,808.
pub(in super::super) fn last_calls(setting: u32) -> u64 {
    u64::from(setting).clamp(1, MOST_CALLS)
}

pub(super) struct CallWindow {
    cursor: AtomicU64,
    failures: Plane,
    slow: Plane,
}

#[repr(align(64))]
struct Plane([AtomicU64; WORDS]);

/// Where the ring stands, packed as `generation: 21 | filled: 15 | next: 28`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    /// The generation that the filled places belong to.
    generation: u64,
    /// Places filled in this generation, up to all.
    filled: u64,
    /// The next place, before it is taken modulo [`PLACES`].
    next: u64,
}

impl Default for CallWindow {
    fn default() -> Self {
        Self {
            cursor: AtomicU64::new(0),
            failures: Plane::new(),
            slow: Plane::new(),
        }
    }
}

impl CallWindow {
    /// Keeps a result, and returns what the last `n` calls hold; none for a success that is not
    /// the one which completes the `required` calls, or for a result of a past generation.
    pub(super) fn record(
        &self,
        n: u32,
        generation: u64,
        kept: Kept,
        required: u64,
    ) -> Option<Counts> {
        let taken = self.take_place(generation)?;
        let place = taken.place();
        if place.is_multiple_of(64) {
            self.failures.sweep(place);
            self.slow.sweep(place);
        }
        self.failures.set(place, kept == Kept::Failure);
        self.slow.set(place, kept == Kept::Slow);
        let matters = kept != Kept::Success || taken.filled == required;
        // Of several at once, the last one to look sees them all.
        matters.then(|| self.count(n, Cursor::unpack(self.cursor.load(Relaxed))))
    }

    /// What the last `n` calls of this generation hold.
    pub(super) fn counts(&self, n: u32, generation: u64) -> Counts {
        let cursor = Cursor::unpack(self.cursor.load(Relaxed));
        if cursor.generation == generation {
            self.count(n, cursor)
        } else {
            Counts::default()
        }
    }

    /// Takes the next place, and returns where that left the ring.
    fn take_place(&self, generation: u64) -> Option<Cursor> {
        let mut seen = self.cursor.load(Relaxed);
        loop {
            let taken = Cursor::unpack(seen).take(generation)?;
            match self
                .cursor
                .compare_exchange_weak(seen, taken.pack(), Relaxed, Relaxed)
            {
                Ok(_) => return Some(taken),
                Err(now) => seen = now,
            }
        }
    }

    fn count(&self, n: u32, cursor: Cursor) -> Counts {
        let calls = last_calls(n).min(cursor.filled);
        Counts {
            calls,
            failures: self.failures.count(cursor.next, calls),
            slow: self.slow.count(cursor.next, calls),
        }
    }
}

impl Cursor {
    const FILLED_BITS: u32 = 15;
    const NEXT_BITS: u32 = 64 - GENERATION_BITS - Self::FILLED_BITS;

    const fn unpack(packed: u64) -> Self {
        Self {
            generation: packed >> (64 - GENERATION_BITS),
            filled: packed >> Self::NEXT_BITS & ((1 << Self::FILLED_BITS) - 1),
            next: packed & ((1 << Self::NEXT_BITS) - 1),
        }
    }

    const fn pack(self) -> u64 {
        (self.generation << Self::FILLED_BITS | self.filled) << Self::NEXT_BITS
            | self.next & ((1 << Self::NEXT_BITS) - 1)
    }

    /// The place that was taken last.
    const fn place(self) -> u64 {
        self.next - 1
    }

    /// The cursor after a result of `generation`; none if that generation is over.
    const fn take(self, generation: u64) -> Option<Self> {
        let half = 1 << (GENERATION_BITS - 1);
        let ahead = generation.wrapping_sub(self.generation) & (2 * half - 1);
        let filled = match ahead {
            0 if self.filled < PLACES => self.filled + 1,
            0 => PLACES,
            _ if ahead < half => 1,
            _ => return None,
        };
        Some(Self {
            generation,
            filled,
            next: self.next + 1,
        })
    }
}

impl Plane {
    fn new() -> Self {
        Self(array::from_fn(|_| AtomicU64::new(0)))
    }

    #[allow(clippy::cast_possible_truncation)] // what is cut off is beyond WORDS
    fn word(&self, place: u64) -> &AtomicU64 {
        &self.0[(place / 64) as usize % WORDS]
    }

    fn sweep(&self, place: u64) {
        self.word(place + SWEPT * 64).store(0, Relaxed);
    }

    fn set(&self, place: u64, value: bool) {
        let (word, bit) = (self.word(place), 1 << (place % 64));
        if (word.load(Relaxed) & bit != 0) != value {
            if value {
                word.fetch_or(bit, AcqRel);
            } else {
                word.fetch_and(!bit, AcqRel);
            }
        }
    }

    /// The bits set in the `calls` places before `end`.
    fn count(&self, end: u64, calls: u64) -> u64 {
        let mut place = end + 2 * PLACES - calls;
        let end = end + 2 * PLACES;
        let mut count = 0;
        while place < end {
            let (first, bits) = (place % 64, (64 - place % 64).min(end - place));
            let mask = u64::MAX >> (64 - bits) << first;
            count += u64::from((self.word(place).load(Acquire) & mask).count_ones());
            place += bits;
        }
        count
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_window_is_of_fixed_size_whatever_the_traffic() {
        assert!(size_of::<CallWindow>() <= 4096 + 64);
    }

    #[test]
    fn a_thousand_successes_do_not_hide_ten_failures_from_a_window_of_ten() {
        let window = CallWindow::default();
        for _ in 0..1000 {
            window.record(10, 0, Kept::Success, 10);
        }
        let mut last = Counts::default();
        for _ in 0..10 {
            last = window.record(10, 0, Kept::Failure, 10).unwrap();
        }
        assert_eq!((last.calls, last.failures), (10, 10));
    }

    #[test]
    fn a_result_of_a_past_generation_is_not_kept() {
        let window = CallWindow::default();
        window.record(10, 2, Kept::Success, 1);
        assert_eq!(window.record(10, 1, Kept::Failure, 1), None);
        assert_eq!(window.counts(10, 2).failures, 0);
        let newest = (1 << GENERATION_BITS) - 1;
        assert_eq!(Cursor::unpack(0).take(newest), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn the_window_agrees_with_a_list(
            runs in prop::collection::vec((1..3000usize, 0..3u8, 0..8u8, 1..10_000u32), 1..40),
        ) {
            let window = CallWindow::default();
            let (mut list, mut generation) = (Vec::new(), 0);
            for (length, kind, restart, n) in runs {
                if restart == 0 {
                    generation += 1;
                    list.clear();
                }
                let kept = [Kept::Success, Kept::Slow, Kept::Failure][usize::from(kind)];
                for _ in 0..length {
                    window.record(n, generation, kept, 1);
                    list.push(kept);
                }
                let last = &list[list.len().saturating_sub(n as usize)..];
                let of = |kept| last.iter().filter(|what| **what == kept).count() as u64;
                prop_assert_eq!(window.counts(n, generation), Counts {
                    calls: last.len() as u64,
                    failures: of(Kept::Failure),
                    slow: of(Kept::Slow),
                });
            }
        }
    }
}
