//! One limit of an operation: its buckets, by key or for everybody, and how their words are read.

use super::{
    bucket::{Charge, Rate, narrow},
    level::Slot,
    prepared::Rated,
    table::{Room, Table, apply_to},
    word::{self, GENERATIONS, UNUSED},
};
use crate::{
    clock::Moment,
    config::Scope,
    sync::{AtomicU64, Ordering},
};
use std::sync::OnceLock;

/// A TAT further ahead than a window and this was written before the clock went back (to another
/// paused runtime, say); then the bucket counts as used up, and refills from now.
const CLOCK_STEP: u64 = 1_000_000_000;

/// Who asks for how much, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    pub(super) key: u64,
    pub(super) cost: u64,
    pub(super) now: u64,
    pub(super) room: Room,
}

impl Ask {
    pub(super) fn new(key: u64, cost: u32, now: Moment, room: Room) -> Self {
        Self {
            key: key.max(1), // 0 marks an empty slot
            cost: u64::from(cost),
            now: word::present(now),
            room,
        }
    }
}

/// What was taken from a bucket: how much later it is full.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken(u64);

/// The state of the limit with one index in its policy, and of those after it.
#[derive(Debug)]
pub(super) struct Lane {
    /// The windows that the words of this lane were reckoned with. A reload that changes the
    /// window begins another generation; each word is carried over, by the share of its bucket
    /// that is used up, when its key is next asked about.
    windows: [AtomicU64; GENERATIONS],
    turn: AtomicU64,
    everybody: AtomicU64,
    keys: Table,
    next: OnceLock<Box<Lane>>,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self {
            windows: std::array::from_fn(|_| AtomicU64::new(0)),
            turn: AtomicU64::new(0),
            everybody: AtomicU64::new(UNUSED),
            keys: Table::new(),
            next: OnceLock::new(),
        }
    }

    /// The lane of the limit after this one.
    pub(super) fn next(&self) -> &Self {
        self.next.get_or_init(|| Box::new(Self::new()))
    }

    /// This lane and those after it that were ever used.
    pub(super) fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |lane| lane.next.get().map(|next| &**next))
    }

    pub(super) fn tracked_keys(&self) -> u32 {
        self.keys.tracked()
    }

    /// Takes the tokens, or says at which moment they will be there.
    pub(super) fn take(&self, limit: &Rated, ask: &Ask) -> Result<Taken, u64> {
        let rate = limit.rate;
        let generation = self.generation(rate.window());
        let decide = |word| {
            let (tat, settled) = self.read(word, generation, rate, ask.now);
            let charge = rate.charge(tat, ask.cost, ask.now);
            decide(charge, settled, generation, ask.now)
        };
        match limit.scope {
            Scope::Key => self.keys.apply(ask.key, ask.now, ask.room, decide),
            Scope::Global => apply_to(&self.everybody, decide),
        }
    }

    /// [`take`](Self::take) of a key's bucket, as nearly every call can: `look` finds the bucket, nothing has to
    /// be carried over, and nobody else takes from it at this moment. None for any other. It calls nothing,
    /// and stays in registers.
    #[allow(clippy::inline_always)] // as its caller is
    #[inline(always)]
    pub(super) fn take_at_once<'a>(
        &'a self,
        look: impl FnOnce(&'a Table, u64) -> Option<(&'a Slot, u64)>,
        rate: &Rate,
        (key, cost): (u64, u64),
        now: u64,
    ) -> Option<Result<Taken, u64>> {
        let (slot, word) = look(&self.keys, key)?;
        let (tat, generation) = (word::tat(word), word::generation(word));
        let window = self.windows[generation].load(Ordering::Relaxed);
        if window != rate.window() || !is_plausible(tat, *rate, now) {
            return None;
        }
        let (new, decision) = decide(rate.charge(tat, cost, now), word, generation, now);
        (new == word || slot.swap(word, new)).then_some(decision)
    }

    /// Gives back what was just taken. The bucket is never more than full.
    pub(super) fn give_back(&self, limit: &Rated, ask: &Ask, taken: Taken) {
        let rate = limit.rate;
        let generation = self.generation(rate.window());
        let decide = |word| {
            let (tat, settled) = self.read(word, generation, rate, ask.now);
            let before = tat.saturating_sub(taken.0).max(ask.now);
            let nothing_left = tat <= ask.now;
            let new = word::pack(before, generation);
            (if nothing_left { settled } else { new }, ())
        };
        self.look(limit.scope, ask.key, decide);
    }

    /// The moment at which the bucket is full; nothing is taken, and no key gets a place.
    pub(super) fn full_at(&self, limit: &Rated, ask: &Ask) -> u64 {
        let rate = limit.rate;
        let generation = self.generation(rate.window());
        let decide = |word| {
            let (tat, settled) = self.read(word, generation, rate, ask.now);
            (settled, tat)
        };
        self.look(limit.scope, ask.key, decide)
    }

    /// The moment at which the bucket is full that is the furthest from it: everybody's, or, of
    /// those of the keys, the one that is used up most.
    pub(super) fn full_last_at(&self, limit: &Rated, ask: &Ask) -> u64 {
        match limit.scope {
            Scope::Global => self.full_at(limit, ask),
            Scope::Key => {
                let rate = limit.rate;
                let generation = self.generation(rate.window());
                let tat = |word| self.read(word, generation, rate, ask.now).0;
                self.keys.words().map(tat).max().unwrap_or(UNUSED)
            }
        }
    }

    pub(super) fn reset_key(&self, key: u64) {
        self.keys.refill(key.max(1));
    }

    pub(super) fn reset(&self) {
        self.everybody.store(UNUSED, Ordering::Release);
        self.keys.clear();
    }

    fn look<R>(&self, scope: Scope, key: u64, decide: impl Fn(u64) -> (u64, R)) -> R {
        match scope {
            Scope::Key => self.keys.touch(key, decide),
            Scope::Global => apply_to(&self.everybody, decide),
        }
    }

    /// The TAT that `word` stands for under `rate`, and the word to leave in its place when
    /// nothing is taken: `word` itself, unless it has to be carried over.
    #[inline]
    fn read(&self, word: u64, generation: usize, rate: Rate, now: u64) -> (u64, u64) {
        let tat = word::tat(word);
        if tat <= now {
            return (tat, word);
        }
        let of_word = word::generation(word);
        if of_word == generation && is_plausible(tat, rate, now) {
            return (tat, word);
        }
        let window = self.windows[of_word].load(Ordering::Relaxed).max(1);
        let ahead = (tat - now).min(window);
        let scaled = (u128::from(ahead) * u128::from(rate.window())).div_ceil(u128::from(window));
        let tat = now + narrow(scaled);
        (tat, word::pack(tat, generation))
    }

    /// The generation of this window; a new one takes the place of the oldest.
    #[inline]
    fn generation(&self, window: u64) -> usize {
        let known = |slot: &AtomicU64| slot.load(Ordering::Relaxed) == window;
        let generation = self.windows.iter().position(known);
        generation.unwrap_or_else(|| self.begin_generation(window))
    }

    #[cold]
    fn begin_generation(&self, window: u64) -> usize {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % GENERATIONS as u64;
        #[allow(clippy::cast_possible_truncation)] // below GENERATIONS
        let generation = turn as usize;
        self.windows[generation].store(window, Ordering::Relaxed);
        generation
    }
}

/// Whether the clock has not gone back since `tat` was written.
#[inline]
const fn is_plausible(tat: u64, rate: Rate, now: u64) -> bool {
    tat <= now + rate.window() + CLOCK_STEP
}

/// The word that follows, and what was taken. One that is refused leaves `settled`.
#[inline]
fn decide(charge: Charge, settled: u64, generation: usize, now: u64) -> (u64, Result<Taken, u64>) {
    let Charge { base, after, ready } = charge;
    if ready <= now {
        (word::pack(after, generation), Ok(Taken(after - base)))
    } else {
        (settled, Err(ready))
    }
}
