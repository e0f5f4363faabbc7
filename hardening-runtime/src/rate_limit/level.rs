//! One level of the table: groups of four slots, a cache line each, found by open addressing.
//!
//! **Invariants.** A slot's key changes only while its word is [`BUSY`], between the
//! compare-and-swap that took it and the store that publishes the new owner. So whoever reads a
//! word (acquire), then sees its own key beside it, and then swaps *that* word, has decided for its
//! own key: any change of owner since has made the word another, and later, one.
//! Only a key that is reset, or moves to a larger level, leaves nothing of its word behind: the next owner of its
//! slot would have to be full again at the same nanosecond to be taken for it.
//!
//! A slot that ever had an owner is never empty again. So a key is never placed beyond the first
//! group with an empty slot, and a search ends there.

use super::word::{self, BUSY, EMPTY, UNUSED};
use crate::sync::{AtomicU64, Ordering};

const SLOTS: usize = 4;
/// Groups in which a key may be placed. With 16, a table of which five slots in seven are taken, as they
/// are at the bound, has a place for all but about one of a million keys.
const REACH: usize = if cfg!(hardening_loom) { 1 } else { 16 };

/// One key's bucket: 16 bytes. The key's text is not stored, its hash is.
#[derive(Debug)]
pub(super) struct Slot {
    key: AtomicU64,
    word: AtomicU64,
}

#[derive(Debug)]
#[repr(align(64))]
struct Group([Slot; SLOTS]);

#[derive(Debug)]
pub(super) struct Level {
    groups: Box<[Group]>,
}

/// A slot taken for a new owner, and the word that it had.
#[derive(Debug)]
pub(super) struct Seized<'a> {
    slot: &'a Slot,
    before: u64,
}

impl Level {
    /// A level of at least `slots` slots. The number of groups has no small factor, so that a key's
    /// steps do not come back to the same few groups.
    pub(super) fn new(slots: usize) -> Self {
        let mut count = slots.div_ceil(SLOTS).max(1);
        while [2, 3, 5, 7]
            .iter()
            .any(|&factor| count.is_multiple_of(factor))
        {
            count += 1;
        }
        let group = |_| Group(std::array::from_fn(|_| Slot::new()));
        Self {
            groups: (0..count).map(group).collect(),
        }
    }

    pub(super) fn slots(&self) -> usize {
        self.groups.len() * SLOTS
    }

    /// The groups in which `key` may be: the one that the high half of its hash points at, and
    /// then in steps of a length that the low half chooses (double hashing).
    fn reach(&self, key: u64) -> impl Iterator<Item = &Group> {
        let count = self.groups.len();
        let mut place = part_of(key, count);
        let step = part_of(key.rotate_left(32), count - 1) + 1;
        (0..REACH.min(count)).map(move |_| {
            let group = &self.groups[place];
            place += step;
            place -= if place < count { 0 } else { count };
            group
        })
    }

    /// The bucket of `key`, and its word, if it is where most are: in the first group of its reach.
    #[inline]
    pub(super) fn at_hand(&self, key: u64) -> Option<(&Slot, u64)> {
        let first = &self.groups[part_of(key, self.groups.len())];
        let slot = &first.0[preferred(key)];
        let slot = if slot.is_of(key) {
            slot
        } else {
            first.likely(key)
        };
        slot.word_of(key)
    }

    /// The same, if it is in the second.
    #[inline]
    pub(super) fn nearby(&self, key: u64) -> Option<(&Slot, u64)> {
        let second = self.reach(key).nth(1)?;
        second.likely(key).word_of(key)
    }

    /// The bucket of `key`, and its word.
    fn find(&self, key: u64) -> Option<(&Slot, u64)> {
        for group in self.reach(key) {
            let found = group.find(key);
            if found.is_some() || group.0.iter().any(Slot::is_empty) {
                return found;
            }
        }
        None
    }

    /// The word of `key`.
    pub(super) fn get(&self, key: u64) -> Option<u64> {
        self.find(key).map(|(_, word)| word)
    }

    /// Replaces the word of `key` by what `decide` makes of it. One compare-and-swap, or none if
    /// the word stays as it is. Says what was decided, or that the key is not here.
    pub(super) fn apply<R>(&self, key: u64, decide: impl Fn(u64) -> (u64, R)) -> Option<R> {
        loop {
            let (slot, old) = self.find(key)?;
            let (new, decision) = decide(old);
            if new == old || slot.swap(old, new) {
                return Some(decision);
            }
        }
    }

    /// Takes a slot that nobody owns.
    pub(super) fn seize_free(&self, key: u64) -> Option<Seized<'_>> {
        let mut slots = self.reach(key).flat_map(|group| group.slots(key));
        slots.find_map(|slot| slot.seize(word::is_free))
    }

    /// Takes the slot of a key whose bucket was full again before `now`.
    pub(super) fn seize_idle(&self, key: u64, now: u64) -> Option<Seized<'_>> {
        for group in self.reach(key) {
            let mut slots = group.slots(key);
            if let Some(seized) = slots.find_map(|slot| slot.seize(|w| word::is_idle(w, now))) {
                return Some(seized);
            }
            if group.0.iter().any(Slot::is_empty) {
                return None;
            }
        }
        None
    }

    /// Frees the slots of one group whose buckets were full again before `now`; says how many.
    pub(super) fn sweep(&self, group: usize, now: u64) -> u32 {
        let idle =
            |slot: &&Slot| slot.free(|word| word::is_idle(word, now).then(|| word::freed(word)));
        count(self.groups[group % self.groups.len()].0.iter().filter(idle))
    }

    pub(super) fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// Frees the slot of `key` and forgets its past; says what its word was.
    pub(super) fn remove(&self, key: u64) -> Option<u64> {
        loop {
            let (slot, word) = self.find(key)?;
            if slot.swap(word, EMPTY) {
                return Some(word);
            }
        }
    }

    /// The word of every slot, those included that nobody owns.
    pub(super) fn words(&self) -> impl Iterator<Item = u64> {
        let slots = self.groups.iter().flat_map(|group| &group.0);
        slots.map(|slot| slot.word.load(Ordering::Acquire))
    }

    /// Frees every slot; says how many had an owner.
    pub(super) fn clear(&self) -> u32 {
        let slots = self.groups.iter().flat_map(|group| &group.0);
        count(slots.filter(|slot| slot.free(|word| word::is_owned(word).then_some(EMPTY))))
    }
}

/// The slot of a group that `key` takes if it can: whoever looks there first mostly need not look further.
#[allow(clippy::cast_possible_truncation)] // two bits
#[inline]
const fn preferred(key: u64) -> usize {
    key as usize % SLOTS
}

/// The share `key / 2^64` of `count`.
#[inline]
#[allow(clippy::cast_possible_truncation)] // at most `count`
const fn part_of(key: u64, count: usize) -> usize {
    ((key as u128 * count as u128) >> 64) as usize
}

fn count(slots: impl Iterator) -> u32 {
    u32::try_from(slots.count()).unwrap_or(u32::MAX)
}

impl Group {
    /// Its slots, in the order in which `key` takes one.
    fn slots(&self, key: u64) -> impl Iterator<Item = &Slot> {
        let first = preferred(key);
        (first..first + SLOTS).map(|slot| &self.0[slot % SLOTS])
    }

    /// The slot of `key`, and its word.
    #[inline]
    fn find(&self, key: u64) -> Option<(&Slot, u64)> {
        let likely = self.likely(key);
        if !likely.is_of(key) {
            return None;
        }
        // A slot that was freed has the key that it had.
        let found = likely.word_of(key);
        found.or_else(|| self.0.iter().find_map(|slot| slot.word_of(key)))
    }

    /// The first slot with this key, if there is one. Without a branch for each slot: which of them
    /// it is cannot be predicted.
    #[inline]
    fn likely(&self, key: u64) -> &Slot {
        let [a, b, c, _] = &self.0;
        let is = |slot: &Slot| usize::from(slot.is_of(key));
        let found = is(a) | is(b) << 1 | is(c) << 2 | 1 << 3;
        &self.0[found.trailing_zeros() as usize]
    }
}

impl Slot {
    pub(super) fn new() -> Self {
        Self {
            key: AtomicU64::new(0),
            word: AtomicU64::new(EMPTY),
        }
    }

    #[inline]
    pub(super) fn swap(&self, old: u64, new: u64) -> bool {
        let swapped = self
            .word
            .compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed);
        swapped.is_ok()
    }

    #[inline]
    fn is_of(&self, key: u64) -> bool {
        self.key.load(Ordering::Relaxed) == key
    }

    /// The slot and its word, if it is that of `key`. The key is looked at behind the word: before it, it may
    /// have been another's.
    #[inline]
    fn word_of(&self, key: u64) -> Option<(&Self, u64)> {
        let word = self.word.load(Ordering::Acquire);
        (self.is_of(key) && word::is_owned(word)).then_some((self, word))
    }

    /// Whether the slot never had an owner, and is not getting its first one now. The key is looked at behind
    /// the word here too: before it, it may be none yet, and the word that of an owner who was forgotten since.
    pub(super) fn is_empty(&self) -> bool {
        self.word.load(Ordering::Acquire) == EMPTY && self.key.load(Ordering::Relaxed) == 0
    }

    pub(super) fn seize(&self, wanted: impl Fn(u64) -> bool) -> Option<Seized<'_>> {
        let before = self.word.load(Ordering::Acquire);
        let seized = wanted(before) && self.swap(before, BUSY);
        seized.then_some(Seized { slot: self, before })
    }

    fn free(&self, into: impl Fn(u64) -> Option<u64>) -> bool {
        loop {
            let word = self.word.load(Ordering::Acquire);
            match into(word) {
                Some(new) if !self.swap(word, new) => {}
                freed => return freed.is_some(),
            }
        }
    }
}

impl Seized<'_> {
    /// Hands the slot to `key`, whose word is `word`.
    pub(super) fn publish(self, key: u64, word: u64) {
        self.slot.key.store(key, Ordering::Relaxed);
        let born = word::born(word, self.before);
        self.slot.word.store(born, Ordering::Release);
    }

    /// Leaves the slot free. It has had an owner now, as far as searches are concerned: a key may
    /// have been placed beyond it in the meantime.
    pub(super) fn give_back(self) {
        let freed = word::freed(word::born(UNUSED, self.before));
        self.slot.word.store(freed, Ordering::Release);
    }
}
