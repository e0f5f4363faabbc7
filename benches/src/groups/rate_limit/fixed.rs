//! The least that can limit by key: no growth, no bound, no other policy than the one it is born with.

use foldhash::quality::RandomState;
use std::{
    hash::BuildHasher,
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// A fingerprint of the key (0 is nobody), and when its bucket is full again.
#[derive(Default)]
#[repr(align(16))]
struct Slot {
    key: AtomicU64,
    full_at: AtomicU64,
}

pub(super) struct FixedTable {
    slots: Box<[Slot]>,
    hasher: RandomState,
    clock: quanta::Clock,
    began: quanta::Instant,
    window: u64,
    interval: u64,
}

impl FixedTable {
    /// Room for twice as many keys.
    pub(super) fn new(keys: usize, capacity: NonZeroU32, window: Duration) -> Self {
        let clock = quanta::Clock::new();
        let window = u64::try_from(window.as_nanos()).expect("a short window");
        Self {
            slots: (0..(keys * 2).next_power_of_two())
                .map(|_| Slot::default())
                .collect(),
            hasher: RandomState::default(),
            began: clock.now(),
            clock,
            window,
            interval: window / u64::from(capacity.get()),
        }
    }

    /// Takes a token; the error is when there is one, in nanoseconds.
    #[inline]
    pub(super) fn check(&self, key: &str) -> Result<(), u64> {
        let full_at = &self.slot(self.hasher.hash_one(key) | 1).full_at;
        let after_start = self.clock.now().duration_since(self.began);
        #[allow(clippy::cast_possible_truncation)] // 584 years
        let now = after_start.as_nanos() as u64;
        let mut before = full_at.load(Relaxed);
        loop {
            let after = before.max(now) + self.interval;
            if after > now + self.window {
                return Err(after - self.window);
            }
            match full_at.compare_exchange_weak(before, after, Relaxed, Relaxed) {
                Ok(_) => return Ok(()),
                Err(other) => before = other,
            }
        }
    }

    /// The slot of the key with this hash, taken for it if it has none.
    #[inline]
    fn slot(&self, key: u64) -> &Slot {
        let last = self.slots.len() - 1;
        #[allow(clippy::cast_possible_truncation)] // a place is found by the low bits
        let mut place = (key >> 8) as usize;
        loop {
            let slot = &self.slots[place & last];
            match slot.key.load(Relaxed) {
                owner if owner == key => return slot,
                0 if slot.key.compare_exchange(0, key, Relaxed, Relaxed).is_ok() => return slot,
                0 => {}
                _ => place += 1,
            }
        }
    }
}
