//! Memory: the bound, and what has expired.

use super::*;
use crate::clock::Moment;
use proptest::prelude::*;
use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

fn policy(max_entries: u32, ttl: u64) -> Prepared {
    Prepared::new(CachePolicy {
        max_entries,
        ttl: secs(ttl),
        ..CachePolicy::default()
    })
}

fn at(seconds: u64) -> Moment {
    Moment::from_nanos(1 << 50).plus(secs(seconds))
}

#[test]
fn exactly_max_entries_fit_and_never_more() {
    for max_entries in [1, 2, 63, 64, 100, 1000, 5000] {
        let policy = policy(max_entries, 60);
        let state = CacheState::<u32, u32>::new("users", max_entries);
        for key in 0..max_entries {
            state.insert(&policy, key, key, at(0));
        }
        assert_eq!(
            state.figures(at(0)).evicted,
            0,
            "all fit into {max_entries}"
        );
        for key in max_entries..max_entries * 3 {
            state.insert(&policy, key, key, at(0));
            assert_eq!(state.len(at(0)), max_entries as usize);
        }
        assert_eq!(state.figures(at(0)).evicted, u64::from(max_entries) * 2);
    }
}

#[test]
fn a_bound_of_nothing_holds_nothing() {
    let state = CacheState::<u32, u32>::new("users", 0);
    state.insert(&policy(0, 60), 1, 1, at(0));
    assert_eq!(state.len(at(0)), 0);
}

#[test]
fn concurrent_inserts_stay_within_the_bound() {
    let policy = policy(500, 60);
    let state = CacheState::<u32, u32>::new("users", 500);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (state, policy) = (&state, &policy);
            scope.spawn(move || {
                for key in 0..2000 {
                    state.insert(policy, key * 4 + thread, key, at(0));
                    assert!(state.store.len() <= 500);
                }
            });
        }
    });
    assert_eq!(state.len(at(0)), 500);
}

#[test]
fn a_lowered_bound_holds_from_the_next_insert_on_and_a_raised_one_too() {
    let state = CacheState::<u32, u32>::new("users", 1000);
    for key in 0..1000 {
        state.insert(&policy(1000, 60), key, key, at(0));
    }
    state.insert(&policy(10, 60), 1000, 0, at(0));
    assert_eq!(state.len(at(0)), 10);
    for key in 0..3000 {
        state.insert(&policy(2000, 60), key, key, at(0));
    }
    assert_eq!(state.len(at(0)), 2000);
}

#[test]
fn what_is_asked_for_again_outlives_a_flood_of_keys() {
    let policy = policy(100, 60);
    let state = CacheState::<u32, u32>::new("users", 100);
    for key in 0..20 {
        state.insert(&policy, key, key, at(0));
    }
    for flood in 1000..4000 {
        for key in 0..20 {
            assert_eq!(state.get(&policy, &key, at(0)), Some(key));
        }
        state.insert(&policy, flood, flood, at(0));
    }
}

#[test]
fn an_insert_or_a_miss_of_another_key_frees_what_has_expired() {
    let (policy, state) = (
        policy(1000, 60),
        CacheState::<u32, Arc<u32>>::new("users", 1000),
    );
    let store = |keys: std::ops::Range<u32>, now| -> Vec<Weak<u32>> {
        keys.map(|key| {
            let value = Arc::new(key);
            let weak = Arc::downgrade(&value);
            state.insert(&policy, key, value, now);
            weak
        })
        .collect()
    };
    let alive = |values: &[Weak<u32>]| {
        values
            .iter()
            .filter(|value| value.strong_count() > 0)
            .count()
    };

    let old = store(0..500, at(0));
    assert_eq!(alive(&old), 500);
    let new = store(5000..5001, at(61));
    assert_eq!((alive(&old), alive(&new)), (0, 1));

    let Lookup::Miss(miss) = state.lookup(&policy, &7, at(130)) else {
        panic!("nothing is stored")
    };
    assert_eq!(alive(&new), 1, "a lookup alone does no housekeeping");
    drop(miss.join_blocking::<()>(7, Share::OPAQUE));
    assert_eq!(alive(&new), 0);
    assert_eq!(state.figures(at(130)).expired, 501);
}

#[test]
fn figures_count_no_expired_results() {
    let (policy, state) = (policy(1000, 60), CacheState::<u32, u32>::new("users", 1000));
    for key in 0..500 {
        state.insert(&policy, key, key, at(u64::from(key / 250)));
    }
    for (second, entries) in [(59, 500), (60, 250), (61, 0)] {
        assert_eq!(state.figures(at(second)).entries, entries);
    }
    assert_eq!(state.store.len(), 500, "counting frees nothing");
    state.purge_expired(at(61));
    assert_eq!(state.store.len(), 0);
    assert_eq!(state.figures(at(61)).expired, 500);
}

#[test]
fn a_large_cache_is_swept_in_parts() {
    let (old, policy) = (policy(100_000, 60), policy(100_000, 600));
    let state = CacheState::<u32, u32>::new("users", 100_000);
    for key in 0..90_000 {
        state.insert(&old, key, key, at(0));
    }
    let mut inserts = 0;
    while state.store.len() > inserts as usize {
        state.insert(&policy, 1_000_000 + inserts, 0, at(61));
        inserts += 1;
        assert!(inserts < 40, "{} left", state.store.len());
    }
    assert!(inserts > 3, "one insert did all the work");
}

#[test]
fn a_monitor_frees_what_has_expired_in_a_cache_that_nobody_touches() {
    let state = CacheState::<u32, u32>::new("users", 1000);
    for key in 0..100 {
        state.insert(&policy(1000, 60 + u64::from(key)), key, key, at(0));
    }
    let erased: &dyn ErasedCache = &state;
    assert_eq!(erased.purge_expired(at(59)), 0);
    assert_eq!(erased.purge_expired(at(69)), 10);
    assert_eq!(erased.purge_expired(at(69)), 0);
    assert_eq!(erased.purge_expired(at(1000)), 90);
    assert_eq!(state.store.len(), 0);
}

#[test]
fn a_key_need_not_be_built_to_be_looked_up() {
    let policy = policy(10, 60);
    let state = CacheState::<(String, u32), u32>::new("users", 10);
    state.insert(&policy, ("ann".to_owned(), 1), 5, at(0));
    let (name, page) = ("ann", 1);
    let same = |key: &(String, u32)| key.0 == name && key.1 == page;
    let found = state.lookup_like(&policy, &(name, &page), same, at(0));
    assert!(matches!(found, Lookup::Hit(5)));
}

#[test]
fn a_hit_clones_the_value_once() {
    struct Counted(Arc<AtomicU32>);
    impl Clone for Counted {
        fn clone(&self) -> Self {
            self.0.fetch_add(1, SeqCst);
            Self(Arc::clone(&self.0))
        }
    }
    let (clones, policy) = (Arc::new(AtomicU32::new(0)), policy(10, 60));
    let state = CacheState::<u32, Counted>::new("users", 10);
    state.insert(&policy, 1, Counted(Arc::clone(&clones)), at(0));
    assert!(matches!(state.lookup(&policy, &1, at(0)), Lookup::Hit(_)));
    assert_eq!(clones.load(SeqCst), 1);
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u16, u32),
    Get(u16),
    Invalidate(u16),
    Pass(u64),
    Purge,
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..200_u16, any::<u32>()).prop_map(|(key, value)| Step::Insert(key, value)),
        6 => (0..200_u16).prop_map(Step::Get),
        1 => (0..200_u16).prop_map(Step::Invalidate),
        2 => (1..40_u64).prop_map(Step::Pass),
        1 => Just(Step::Purge),
        1 => Just(Step::Clear),
    ]
}

proptest! {
    /// The model: a map that never evicts. The cache may have less, never anything else.
    #[test]
    fn it_holds_a_part_of_what_a_map_holds(
        steps in prop::collection::vec(step(), 0..400), max_entries in 1..150_u32,
    ) {
        let (policy, mut now) = (policy(max_entries, 60), 0);
        let state = CacheState::<u16, u32>::new("users", max_entries);
        let mut model: HashMap<u16, (u32, u64)> = HashMap::new();
        for step in steps {
            match step {
                Step::Insert(key, value) => {
                    state.insert(&policy, key, value, at(now));
                    model.insert(key, (value, now + 60));
                    prop_assert_eq!(state.get(&policy, &key, at(now)), Some(value));
                }
                Step::Get(key) => {
                    let known = model.get(&key).filter(|known| now < known.1).map(|known| known.0);
                    let found = state.get(&policy, &key, at(now));
                    prop_assert!(found.is_none() || found == known);
                    let complete = state.figures(at(0)).evicted == 0;
                    prop_assert!(!complete || found == known, "lost without being evicted");
                }
                Step::Invalidate(key) => {
                    state.invalidate(&key);
                    model.remove(&key);
                }
                Step::Pass(seconds) => now += seconds,
                Step::Purge => {
                    let live = model.values().filter(|known| now < known.1).count();
                    prop_assert!(state.len(at(now)) <= live);
                }
                Step::Clear => {
                    state.clear();
                    model.clear();
                    prop_assert_eq!(state.store.len(), 0);
                }
            }
            prop_assert!(state.store.len() <= max_entries as usize);
        }
    }
}
