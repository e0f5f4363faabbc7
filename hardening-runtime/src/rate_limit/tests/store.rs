//! Memory: bounded, idle keys forgotten, and floods that give nobody anything.

use super::super::{
    level::Level,
    table::{Room, Table},
    word,
};
use super::{START, admits, at, burst, secs};
use crate::{
    config::RateLimitPolicy,
    rate_limit::{LimiterState, Prepared, hash_key},
};
use std::{collections::HashMap, sync::Arc, thread};

fn keys(numbers: std::ops::Range<u32>) -> impl Iterator<Item = u64> {
    numbers.map(|number| hash_key(&number))
}

fn policy(max_keys: u32) -> Prepared {
    Prepared::new(RateLimitPolicy::per_key(2, secs(60)).max_keys(max_keys))
}

#[test]
fn every_key_up_to_the_bound_has_a_bucket_of_its_own() {
    for max_keys in [1, 2, 3, 10, 100, 1_000, 20_000] {
        let (policy, state) = (policy(max_keys), LimiterState::new("search"));
        for key in keys(0..max_keys) {
            assert_eq!(burst(&state, &policy, key, at(secs(0))), 2);
        }
        assert_eq!(state.tracked_keys(), max_keys);
        let again = keys(0..max_keys).filter(|&key| admits(&state, &policy, key, at(secs(1))));
        assert_eq!(again.count(), 0, "of {max_keys}");
    }
}

#[test]
fn a_key_costs_a_slot_and_few_keys_cost_little() {
    assert_eq!(size_of::<[Level; 1]>(), 16, "a pointer until it is used");
    for (max_keys, bytes_per_key) in [
        (1_000, 32.0),
        (100_000, 32.0),
        (300_000, 32.0),
        (1_000_000, 32.0),
    ] {
        let room = Room {
            max_keys,
            threshold: 1_000,
        };
        let bytes = Table::bytes_at_most(room) as f64;
        assert!(
            bytes / f64::from(max_keys) <= bytes_per_key,
            "{max_keys}: {bytes}"
        );
    }
    let table = Table::new();
    assert_eq!(table.bytes(), 0);
    let room = Room {
        max_keys: 1_000_000,
        threshold: 1_000,
    };
    for key in keys(0..3) {
        table.apply(key, START, room, |_| (word::pack(START + 1, 0), ()));
    }
    assert_eq!(table.bytes(), 17 * 64);
}

/// A word of an owner, whose bucket is full again then.
fn owned(tat: u64) -> u64 {
    word::pack(tat, 0)
}

#[test]
fn a_key_whose_hash_marks_an_empty_slot_has_a_bucket_like_any_other() {
    let (policy, state) = (policy(100), LimiterState::new("search"));
    assert_eq!(burst(&state, &policy, 0, at(secs(0))), 2);
    assert_eq!(state.tracked_keys(), 1);
    assert_eq!(burst(&state, &policy, 0, at(secs(1))), 0);
    assert_eq!(burst(&state, &policy, 0, at(secs(30))), 1);
    state.reset(0);
    assert_eq!(burst(&state, &policy, 0, at(secs(30))), 2);
}

#[test]
fn a_key_is_at_hand_in_its_first_group_and_nearby_in_its_second() {
    // All of these point at the first group: the high half of a hash says which. The low bits say which slot
    // of it they would like: each another, or all the same.
    for keys in [[1, 2, 3, 4, 5], [4, 8, 12, 16, 20]] {
        let level = Level::new(64);
        for key in keys {
            let place = level.seize_free(key).expect("there is room");
            place.publish(key, owned(START + key));
        }
        let word = |found: Option<(_, u64)>| found.map(|(_, word)| word::tat(word));
        let [first @ .., second] = keys;
        for key in first {
            assert_eq!(word(level.at_hand(key)), Some(START + key));
            assert_eq!(word(level.nearby(key)), None);
        }
        assert_eq!(word(level.at_hand(second)), None);
        assert_eq!(word(level.nearby(second)), Some(START + second));
        for key in keys {
            assert_eq!(level.get(key).map(word::tat), Some(START + key));
        }
        assert_eq!((level.get(6), word(level.nearby(6))), (None, None));
    }
}

#[test]
fn a_key_takes_the_slot_that_it_is_looked_for_in_first_if_it_can() {
    for key in 1..=8 {
        let level = Level::new(1);
        level.seize_free(key).unwrap().publish(key, owned(START));
        let (slot, _) = level.at_hand(key).unwrap();
        let place = std::ptr::from_ref(slot).addr() % 64 / size_of_val(slot);
        assert_eq!(place as u64, key % 4);
        // The slot of an idle key is taken in the same order.
        let idle = level.seize_idle(key + 4, START + 1).unwrap();
        idle.publish(key + 4, owned(START));
        let (taken, _) = level.at_hand(key + 4).unwrap();
        assert!(std::ptr::eq(slot, taken));
    }
}

#[test]
fn a_key_is_found_beside_the_slot_that_it_had_before() {
    // Before the slot that it had, and behind it.
    for key in [7, 4] {
        let level = Level::new(1);
        level.seize_free(key).unwrap().publish(key, owned(START));
        assert_eq!(level.sweep(0, START + 1), 1, "idle, and forgotten");
        let former = level.seize_free(key).unwrap();
        let place = level.seize_free(key).unwrap();
        place.publish(key, owned(START + 2));
        former.give_back();
        assert_eq!(level.get(key).map(word::tat), Some(START + 2));
        assert_eq!(level.remove(key).map(word::tat), Some(START + 2));
        assert_eq!(level.get(key), None);
    }
}

#[test]
fn a_flood_of_new_keys_gives_nobody_a_fresh_allowance() {
    let (policy, state) = (policy(100), LimiterState::new("search"));
    let known: Vec<u64> = keys(0..100).collect();
    for &key in &known {
        assert_eq!(burst(&state, &policy, key, at(secs(0))), 2);
    }
    let flood: usize = keys(1_000..51_000)
        .map(|key| burst(&state, &policy, key, at(secs(1))))
        .sum();
    assert!(flood <= 2 * 256, "those without a place share: {flood}");
    assert_eq!(state.tracked_keys(), 100);
    for &key in &known {
        assert_eq!(burst(&state, &policy, key, at(secs(1))), 0);
    }
    // Half a minute later half of each bucket is back, and nobody has more than that.
    for &key in &known {
        assert_eq!(burst(&state, &policy, key, at(secs(31))), 1);
    }
}

#[test]
fn no_key_of_a_flood_ever_exceeds_its_own_limit() {
    let (policy, state) = (policy(50), LimiterState::new("search"));
    let mut log: HashMap<u32, Vec<u64>> = HashMap::new();
    let mut number = 1u32;
    for second in 0..3_000u64 {
        for _ in 0..10 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = number >> 24;
            if admits(&state, &policy, hash_key(&key), at(secs(second))) {
                log.entry(key).or_default().push(second);
            }
        }
        assert!(state.tracked_keys() <= 50);
    }
    for times in log.values() {
        for (first, &from) in times.iter().enumerate() {
            for (count, &to) in times[first..].iter().enumerate() {
                assert!((count as u64 + 1) * 30 <= 2 * 30 + (to - from), "{times:?}");
            }
        }
    }
}

#[test]
fn a_key_that_used_the_overflow_does_not_start_afresh_when_it_gets_a_place() {
    let (policy, state) = (policy(1), LimiterState::new("search"));
    assert_eq!(burst(&state, &policy, 1, at(secs(0))), 2);
    assert_eq!(
        burst(&state, &policy, 2, at(secs(30))),
        2,
        "from the overflow"
    );
    assert_eq!(burst(&state, &policy, 2, at(secs(59))), 0);
    // The only place is idle from second 60 on.
    assert_eq!(burst(&state, &policy, 2, at(secs(61))), 1);
    assert_eq!(state.tracked_keys(), 1);
    assert_eq!(burst(&state, &policy, 2, at(secs(61))), 0);
}

#[test]
fn a_key_that_is_reset_in_a_flood_has_a_full_bucket_and_its_neighbours_gain_nothing() {
    let (policy, state) = (policy(10), LimiterState::new("search"));
    for key in keys(0..10) {
        assert_eq!(burst(&state, &policy, key, at(secs(0))), 2);
    }
    let flood = || -> usize {
        keys(1_000..11_000)
            .map(|key| burst(&state, &policy, key, at(secs(0))))
            .sum()
    };
    flood();
    let known = hash_key(&3);
    state.reset(known);
    assert_eq!(state.remaining(&policy, known, at(secs(0))), 2);
    assert_eq!(burst(&state, &policy, known, at(secs(0))), 2);
    assert_eq!((flood(), state.tracked_keys()), (0, 10));
}

#[test]
fn a_key_without_a_place_is_reset_together_with_those_it_shares_with() {
    let (policy, state) = (policy(1), LimiterState::new("search"));
    for key in [1, 2, 2 + 256] {
        burst(&state, &policy, key, at(secs(0)));
    }
    assert_eq!(state.remaining(&policy, 2, at(secs(0))), 0);
    state.reset(2);
    assert_eq!(state.remaining(&policy, 2, at(secs(0))), 2);
    assert_eq!(
        burst(&state, &policy, 2 + 256, at(secs(0))),
        2,
        "its neighbour"
    );
    assert_eq!(burst(&state, &policy, 2, at(secs(0))), 0);
    assert_eq!(
        burst(&state, &policy, 1, at(secs(0))),
        0,
        "not its neighbour"
    );
}

#[test]
fn idle_keys_make_place_by_themselves() {
    let (policy, state) = (policy(1_000), LimiterState::new("search"));
    for round in 0..20u32 {
        let now = at(secs(u64::from(round) * 61));
        for key in keys(round * 1_000..(round + 1) * 1_000) {
            assert_eq!(burst(&state, &policy, key, now), 2, "round {round}");
        }
        assert!(state.tracked_keys() <= 1_000);
    }
}

#[test]
fn from_the_threshold_on_idle_keys_are_forgotten_as_new_ones_come() {
    let (policy, state) = (policy(100_000), LimiterState::new("search"));
    state.set_cleanup_threshold(100);
    for key in keys(0..5_000) {
        assert!(admits(&state, &policy, key, at(secs(0))));
    }
    assert_eq!(state.tracked_keys(), 5_000);
    for (number, key) in keys(5_000..10_000).enumerate() {
        assert!(admits(
            &state,
            &policy,
            key,
            at(secs(3_600 * (1 + number as u64)))
        ));
    }
    assert!(state.tracked_keys() <= 1_000, "{}", state.tracked_keys());
}

#[test]
fn keys_keep_their_bucket_while_the_table_grows() {
    let (policy, state) = (policy(1_000_000), LimiterState::new("search"));
    for key in keys(0..20_000) {
        assert!(admits(&state, &policy, key, at(secs(0))));
    }
    for key in keys(0..20_000) {
        assert_eq!(burst(&state, &policy, key, at(secs(0))), 1);
    }
    assert_eq!(state.tracked_keys(), 20_000);
}

#[test]
fn threads_that_bring_the_same_new_keys_share_one_bucket_each() {
    let state = Arc::new(LimiterState::new("search"));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let state = Arc::clone(&state);
            let bring = move || {
                keys(0..20_000)
                    .filter(|&key| admits(&state, &policy(50_000), key, at(secs(0))))
                    .count()
            };
            thread::spawn(bring)
        })
        .collect();
    let admitted: usize = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum();
    assert_eq!(admitted, 40_000);
    assert_eq!(state.tracked_keys(), 20_000);
}

#[test]
fn hashes_tell_keys_of_one_process_apart() {
    assert_eq!(hash_key("ann"), hash_key(&String::from("ann")));
    assert_ne!(hash_key("ann"), hash_key("bob"));
    assert_ne!(hash_key(&("ann", 1)), hash_key(&("ann", 2)));
}
