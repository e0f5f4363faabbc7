//! What a run came to: remembered, told to those who wait, and, where it failed, made good from what is
//! still good enough.

use super::{
    call::{Answer, Held, Miss, Place},
    entry::{Freshness, freshness},
    shard::New,
    share::{Share, Shared},
    state::{Key, Value, times},
};
use crate::{
    clock::{self, Moment},
    event,
    outcome::{Failure, Rejected},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering::Relaxed},
};

impl<K: Key, V> Place<'_, K, V> {
    const fn key(&self) -> &K {
        match self {
            Self::Pilot(pilot) => pilot.key(),
            Self::Loner(loner) => loner.key(),
        }
    }

    fn close<R>(&self, store: impl FnOnce() -> R) -> Option<R> {
        match self {
            Self::Pilot(pilot) => pilot.close(store),
            Self::Loner(loner) => loner.close(store),
        }
    }

    fn answer(self, answer: impl FnOnce() -> Answer<V>) {
        match self {
            Self::Pilot(pilot) => pilot.answer(|| Arc::new(answer())),
            Self::Loner(_) => {}
        }
    }
}

impl<K: Key, V: Value> Held<'_, K, V> {
    /// The number of the shared run; 0 when the run is not shared.
    pub(crate) fn flight(&self) -> u32 {
        match &self.place {
            Place::Pilot(pilot) => pilot.id(),
            Place::Loner(_) => 0,
        }
    }

    /// Takes what the run came to: remembers a value that `cache_if` finds worth it, serves the last
    /// good value in the place of a failure, tells those who wait. A panic of the body is not told:
    /// the next who waits runs the body itself.
    pub(crate) fn settle<E>(
        self,
        site: &str,
        outcome: Result<V, Failure<E>>,
        share: Share<E>,
        cache_if: impl FnOnce(&V) -> bool,
    ) -> Result<V, Failure<E>> {
        let now = clock::now();
        match outcome {
            Ok(value) => Ok(self.keep(site, value, cache_if, now)),
            // Dropped with its place, which the next who waits takes.
            Err(panicked @ Failure::Panicked(_)) => Err(panicked),
            Err(failure) => self.recover(site, failure, share, now),
        }
    }

    fn keep(self, site: &str, value: V, cache_if: impl FnOnce(&V) -> bool, now: Moment) -> V {
        let Self { call, place } = self;
        let judged = catch_unwind(AssertUnwindSafe(|| cache_if(&value)));
        let keep = judged.unwrap_or_else(|_| {
            event::hook_panicked(site, "cache_if");
            false
        });
        let new = keep.then(|| {
            let times = times(call.policy, now);
            New::of(place.key().clone(), value.clone(), times)
        });
        let (store, max_entries) = (&call.state.store, call.policy.max_entries);
        // A run that began later may have ended before this one: its result is the newer one.
        let newer = |stored| stored > call.now;
        drop(place.close(|| new.map(|new| store.insert(call.hash, new, max_entries, newer))));
        place.answer(|| Answer::Value(value.clone()));
        value
    }

    fn recover<E>(
        self,
        site: &str,
        failure: Failure<E>,
        share: Share<E>,
        now: Moment,
    ) -> Result<V, Failure<E>> {
        let last_good = self.last_good(site, now);
        if last_good.is_none() && is_this_callers_alone(&failure) {
            // Dropped with its place, which the next who waits takes.
            return Err(failure);
        }
        let Self { call, place } = self;
        place.close(|| ());
        if let Some(value) = last_good {
            place.answer(|| Answer::Value(value.clone()));
            return Ok(value);
        }
        let name = call.state.name();
        place.answer(|| Answer::Failed(Shared::of(&failure, name, &share)));
        Err(failure)
    }

    /// The remembered value, if it is still good enough to stand in for a failure.
    fn last_good(&self, site: &str, now: Moment) -> Option<V> {
        let Miss {
            state,
            policy,
            hash,
            ..
        } = &self.call;
        let same = |known: &K| known == self.place.key();
        let (value, stale_age) = state.store.read(*hash, same, |known| {
            let age = now.since(known.stored());
            match freshness(&known.times(), policy, now) {
                Freshness::Expired => None,
                Freshness::Stale => Some((known.item.value.clone(), Some(age))),
                Freshness::Fresh | Freshness::RefreshAhead => {
                    Some((known.item.value.clone(), None))
                }
            }
        })?;
        if let Some(age) = stale_age {
            state.store.counts.stale.fetch_add(1, Relaxed);
            event::served_stale(site, age);
        }
        Some(value)
    }
}

/// A caller whose own limit is used up says nothing of the key: others, under limits of their own,
/// may still run it.
const fn is_this_callers_alone<E>(failure: &Failure<E>) -> bool {
    matches!(failure, Failure::Rejected(Rejected::RateLimited { .. }))
}
