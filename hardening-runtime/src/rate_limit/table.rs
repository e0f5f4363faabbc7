//! The store: a table of atomics that grows level by level up to the bound.
//!
//! A known key is decided without a lock: its hash, one cache line, one compare-and-swap. Only the
//! first call of a key takes a lock, one of a few that are chosen by the key, so that a key is
//! never inserted twice and never gets two buckets.
//!
//! **Growth.** Each level has four times the slots of the one before; the first is 1 KiB and is
//! allocated by the first key, the last is as large as `max_keys` asks for. A key found in an older level moves to the newest.
//!
//! **Idle keys.** A key whose bucket is full again is no different from one never seen. Once
//! `threshold` keys are tracked, each new key sweeps a little of the table and takes the place of a
//! key that has been idle for a second before a new one; at the bound, of any that is idle.
//!
//! **A flood.** When `max_keys` are tracked and none near is idle, new keys share a few overflow
//! buckets, and keys that get a place later start from what their overflow bucket has left. So a
//! key never has more than its own bucket would have given it, and the keys that are tracked do
//! not notice the flood.

use super::{
    level::{Level, Seized, Slot},
    word::{self, UNUSED},
};
use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering, lock};
use std::sync::OnceLock;

const LEVELS: usize = 16;
const FIRST_SLOTS: usize = if cfg!(hardening_loom) { 4 } else { 64 };
const GROWTH: usize = 4;
const STRIPES: usize = if cfg!(hardening_loom) { 2 } else { 16 };
const OVERFLOWS: usize = if cfg!(hardening_loom) { 1 } else { 256 };
/// Groups swept for each new key, and when it would find no place otherwise.
const SWEEP: usize = 8;
const SEARCH: usize = 1_024;

/// Slots that are looked at for figures: 2 MiB.
const LOOKED_AT: usize = 1 << 17;

/// How long a key is idle before others take its place while there are more: a key in steady use
/// is often full again between two calls, and had better keep its place. A second.
const GRACE: u64 = 1_000_000_000;

/// How much may be kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Keys tracked at most.
    pub(super) max_keys: u32,
    /// Idle keys make place once this many are tracked.
    pub(super) threshold: u32,
}

impl Room {
    /// Slots that hold `max_keys` without crowding: two fifths more.
    fn slots(self) -> usize {
        let keys = self.max_keys as usize;
        keys.saturating_add(keys.div_ceil(5) * 2).max(1)
    }

    /// Slots of the level with this index. The last follows early, so that what the levels before
    /// it hold on to stays small beside it.
    fn slots_of_level(self, index: usize) -> usize {
        let growth = GROWTH.saturating_pow(u32::try_from(index).unwrap_or(u32::MAX));
        let slots = FIRST_SLOTS.saturating_mul(growth);
        if slots >= self.slots() / 4 {
            self.slots()
        } else {
            slots
        }
    }
}

#[derive(Debug)]
pub(super) struct Table {
    levels: [OnceLock<Level>; LEVELS],
    newest: AtomicU32,
    tracked: AtomicU32,
    hand: AtomicU32,
    stripes: [Mutex<()>; STRIPES],
    overflows: OnceLock<Box<[AtomicU64]>>,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            levels: [const { OnceLock::new() }; LEVELS],
            newest: AtomicU32::new(0),
            tracked: AtomicU32::new(0),
            hand: AtomicU32::new(0),
            stripes: std::array::from_fn(|_| Mutex::new(())),
            overflows: OnceLock::new(),
        }
    }

    /// Keys that have a bucket of their own.
    pub(super) fn tracked(&self) -> u32 {
        self.tracked.load(Ordering::Relaxed)
    }

    /// The bucket of `key`, and its word, if it takes one look to find it. It does for most.
    #[inline]
    pub(super) fn at_hand(&self, key: u64) -> Option<(&Slot, u64)> {
        self.newest()?.at_hand(key)
    }

    /// The same if it takes one look more: it does for most of the others.
    #[inline]
    pub(super) fn nearby(&self, key: u64) -> Option<(&Slot, u64)> {
        self.newest()?.nearby(key)
    }

    /// Replaces the word of `key` by what `decide` makes of it, and says what was decided. A new
    /// key is given a place, unless its word stays as it was.
    pub(super) fn apply<R>(
        &self,
        key: u64,
        now: u64,
        room: Room,
        decide: impl Fn(u64) -> (u64, R),
    ) -> R {
        let known = self.newest().and_then(|level| level.apply(key, &decide));
        known.unwrap_or_else(|| self.apply_to_newcomer(key, now, room, &decide))
    }

    #[cold]
    fn apply_to_newcomer<R>(
        &self,
        key: u64,
        now: u64,
        room: Room,
        decide: &impl Fn(u64) -> (u64, R),
    ) -> R {
        let _only_one_inserts_this_key = self.lock(key);
        if let Some(decision) = self.home(key).and_then(|level| level.apply(key, decide)) {
            return decision;
        }
        let shared = self.overflow_word(key);
        let (word, decision) = decide(shared);
        if word == shared {
            return decision;
        }
        match self.claim(key, now, room) {
            Some(place) => {
                place.publish(key, word);
                decision
            }
            None => apply_to(self.overflow(key), decide),
        }
    }

    /// Like [`Self::apply`], for a key that may not get a place by being looked at.
    pub(super) fn touch<R>(&self, key: u64, decide: impl Fn(u64) -> (u64, R)) -> R {
        if let Some(decision) = self.newest().and_then(|level| level.apply(key, &decide)) {
            return decision;
        }
        let _no_one_moves_this_key = self.lock(key);
        let known = self.home(key).and_then(|level| level.apply(key, &decide));
        known.unwrap_or_else(|| decide(self.overflow_word(key)).1)
    }

    /// Fills the bucket of `key`. One that has none of its own would start from what its overflow bucket
    /// has left, so that is filled then.
    pub(super) fn refill(&self, key: u64) {
        let _only_one_inserts_this_key = self.lock(key);
        let home = self.home(key);
        if self.overflow_word(key) == UNUSED {
            // Forgotten, it is full.
            if home.and_then(|level| level.remove(key)).is_some() {
                self.tracked.fetch_sub(1, Ordering::Relaxed);
            }
        } else if home
            .and_then(|level| level.apply(key, |_| (UNUSED, ())))
            .is_none()
        {
            self.overflow(key).store(UNUSED, Ordering::Release);
        }
    }

    /// Forgets every key. The memory is kept.
    pub(super) fn clear(&self) {
        for level in self.levels.iter().filter_map(OnceLock::get) {
            self.tracked.fetch_sub(level.clear(), Ordering::Relaxed);
        }
        for shared in self.overflows.get().into_iter().flatten() {
            shared.store(UNUSED, Ordering::Release);
        }
    }

    /// The words of the keys, and of the buckets that keys share. Of a large table, those of the
    /// newest level's first slots: whoever looks at figures should not read gigabytes.
    pub(super) fn words(&self) -> impl Iterator<Item = u64> {
        let levels = self.levels.iter().rev().filter_map(OnceLock::get);
        let owned = levels.flat_map(Level::words).take(LOOKED_AT);
        let shared = self.overflows.get().into_iter().flatten();
        let shared = shared.map(|word| word.load(Ordering::Acquire));
        owned.filter(|word| word::is_owned(*word)).chain(shared)
    }

    /// Bytes of the levels allocated so far.
    #[cfg(all(test, not(hardening_loom)))]
    pub(super) fn bytes(&self) -> usize {
        let levels = self.levels.iter().filter_map(OnceLock::get);
        levels.map(|level| level.slots() * 16).sum()
    }

    /// Bytes of the levels once `room` is used up.
    #[cfg(all(test, not(hardening_loom)))]
    pub(super) fn bytes_at_most(room: Room) -> usize {
        let levels = (0..LEVELS).map(|index| room.slots_of_level(index));
        let last = levels.clone().position(|slots| slots >= room.slots());
        levels
            .take(last.map_or(LEVELS, |last| last + 1))
            .sum::<usize>()
            * 16
    }

    fn lock(&self, key: u64) -> crate::sync::MutexGuard<'_, ()> {
        lock(&self.stripes[low_bits(key, STRIPES)])
    }

    #[inline]
    fn newest(&self) -> Option<&Level> {
        self.levels[self.newest.load(Ordering::Acquire) as usize].get()
    }

    /// The level that holds `key`: the newest, if it can be moved there. The key is locked.
    fn home(&self, key: u64) -> Option<&Level> {
        let newest = self.newest()?;
        if newest.get(key).is_some() {
            return Some(newest);
        }
        let older = self.levels[..self.newest.load(Ordering::Acquire) as usize].iter();
        let mut older = older.rev().filter_map(OnceLock::get);
        let home = older.find(|level| level.get(key).is_some())?;
        Some(self.move_up(key, home))
    }

    fn move_up<'a>(&'a self, key: u64, from: &'a Level) -> &'a Level {
        let Some((to, place)) = self
            .newest()
            .and_then(|level| Some((level, level.seize_free(key)?)))
        else {
            return from;
        };
        match from.remove(key) {
            Some(word) => place.publish(key, word),
            None => place.give_back(),
        }
        to
    }

    /// A place for the new `key`. None when all are taken by keys that are not idle.
    fn claim(&self, key: u64, now: u64, room: Room) -> Option<Seized<'_>> {
        let stale = now.saturating_sub(GRACE);
        if self.tracked() >= room.threshold {
            self.sweep(SWEEP, stale);
        }
        loop {
            let (index, level) = self.open(room);
            let crowded = self.tracked() as usize > level.slots() / 4 * 3;
            if crowded && self.grow(index, level, room) {
                continue;
            }
            let place = self.seize(level, key, stale, room);
            if place.is_some() {
                return place;
            }
            if !self.grow(index, level, room) {
                return self.seize_at_the_bound(level, key, now, room);
            }
        }
    }

    /// A place for `key` in this level, of nobody or of a key that was idle before `before`.
    fn seize<'a>(
        &'a self,
        level: &'a Level,
        key: u64,
        before: u64,
        room: Room,
    ) -> Option<Seized<'a>> {
        if self.tracked() >= room.threshold {
            let idle = level.seize_idle(key, before);
            idle.or_else(|| self.seize_free(level, key, room))
        } else {
            let free = self.seize_free(level, key, room);
            free.or_else(|| level.seize_idle(key, before))
        }
    }

    /// The same when nothing else is left: of any key that is idle now, also farther away.
    fn seize_at_the_bound<'a>(
        &'a self,
        level: &'a Level,
        key: u64,
        now: u64,
        room: Room,
    ) -> Option<Seized<'a>> {
        level.seize_idle(key, now).or_else(|| {
            self.sweep(SEARCH, now);
            self.seize(level, key, now, room)
        })
    }

    fn seize_free<'a>(&'a self, level: &'a Level, key: u64, room: Room) -> Option<Seized<'a>> {
        let one_more = |tracked| (tracked < room.max_keys).then_some(tracked + 1);
        self.tracked
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .ok()?;
        let place = level.seize_free(key);
        if place.is_none() {
            self.tracked.fetch_sub(1, Ordering::Relaxed);
        }
        place
    }

    /// The newest level and its index; the first is allocated here.
    fn open(&self, room: Room) -> (usize, &Level) {
        let index = self.newest.load(Ordering::Acquire) as usize;
        (index, self.level(index, room))
    }

    fn level(&self, index: usize, room: Room) -> &Level {
        self.levels[index].get_or_init(|| Level::new(room.slots_of_level(index)))
    }

    /// Adds the level after `index`, unless the bound is reached; says whether there is one now.
    fn grow(&self, index: usize, level: &Level, room: Room) -> bool {
        if level.slots() >= room.slots() || index + 1 == LEVELS {
            return false;
        }
        self.level(index + 1, room);
        let next = u32::try_from(index + 1).unwrap_or(0);
        self.newest.fetch_max(next, Ordering::AcqRel);
        true
    }

    /// Lets the hand go round over the next `count` groups, and frees the idle keys there.
    fn sweep(&self, count: usize, now: u64) {
        let groups = |level: &Level| level.group_count();
        let levels = || self.levels.iter().filter_map(OnceLock::get);
        let total = levels().map(groups).sum::<usize>();
        for _ in 0..count.min(total) {
            let mut group = self.hand.fetch_add(1, Ordering::Relaxed) as usize % total;
            let level = levels().find(|level| {
                let here = group < groups(level);
                group -= if here { 0 } else { groups(level) };
                here
            });
            if let Some(level) = level {
                let freed = level.sweep(group, now);
                self.tracked.fetch_sub(freed, Ordering::Relaxed);
            }
        }
    }

    /// The bucket that `key` shares while there is no place for it.
    fn overflow(&self, key: u64) -> &AtomicU64 {
        let shared = self
            .overflows
            .get_or_init(|| (0..OVERFLOWS).map(|_| AtomicU64::new(UNUSED)).collect());
        &shared[low_bits(key, OVERFLOWS)]
    }

    fn overflow_word(&self, key: u64) -> u64 {
        let used = self.overflows.get();
        used.map_or(UNUSED, |shared| {
            shared[low_bits(key, OVERFLOWS)].load(Ordering::Acquire)
        })
    }
}

/// One of `count` (a power of two), by the low bits of the hash; its place uses the high ones.
#[allow(clippy::cast_possible_truncation)]
const fn low_bits(key: u64, count: usize) -> usize {
    key as usize & (count - 1)
}

/// Replaces the word of a bucket that has no key.
pub(super) fn apply_to<R>(bucket: &AtomicU64, decide: impl Fn(u64) -> (u64, R)) -> R {
    let mut old = bucket.load(Ordering::Acquire);
    loop {
        let (new, decision) = decide(old);
        if new == old {
            return decision;
        }
        match bucket.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return decision,
            Err(now) => old = now,
        }
    }
}
