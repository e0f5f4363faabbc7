//! Every interleaving of a few threads, by loom.

use super::{
    LimiterState, Prepared,
    lane::{Ask, Lane},
    level::{Level, Slot},
    prepared::Rated,
    table::{Room, Table},
    word,
};
use crate::{
    clock::Moment,
    config::{Limit, RateLimitPolicy, Scope},
};
use loom::{sync::Arc, thread};
use std::time::Duration;

const START: u64 = 1 << 55;
const MINUTE: u64 = 60_000_000_000;

fn limit(capacity: u32) -> Rated {
    Rated::from(&Limit {
        capacity,
        window: Duration::from_nanos(MINUTE),
        scope: Scope::Key,
    })
}

fn ask(key: u64, now: u64, max_keys: u32) -> Ask {
    let room = Room {
        max_keys,
        threshold: 1,
    };
    Ask::new(key, 1, Moment::from_nanos(now), room)
}

/// As a call does: at once, if the bucket is at hand, and else with care.
fn takes(lane: &Lane, capacity: u32, ask: Ask) -> bool {
    let limit = limit(capacity);
    let at_once = lane.take_at_once(Table::at_hand, &limit.rate, (ask.key, ask.cost), ask.now);
    at_once.unwrap_or_else(|| lane.take(&limit, &ask)).is_ok()
}

/// A lane whose memory is allocated: loom does not see through the standard library's `OnceLock`.
fn opened() -> Arc<Lane> {
    let lane = Arc::new(Lane::new());
    assert!(takes(&lane, 1, ask(1, START, 10)));
    lane
}

fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(4);
    builder.check(model);
}

#[test]
fn a_bucket_that_threads_race_for_gives_exactly_its_capacity() {
    explore(|| {
        let lane = Arc::new(Lane::new());
        assert!(takes(&lane, 3, ask(7, START, 10)));
        let other = Arc::clone(&lane);
        let racer = thread::spawn(move || {
            u32::from(takes(&other, 3, ask(7, START, 10)))
                + u32::from(takes(&other, 3, ask(7, START, 10)))
        });
        let here = u32::from(takes(&lane, 3, ask(7, START, 10)));
        assert_eq!(here + racer.join().unwrap(), 2);
    });
}

#[test]
fn a_new_key_that_threads_bring_together_gets_one_bucket() {
    explore(|| {
        let lane = opened();
        let other = Arc::clone(&lane);
        let racer = thread::spawn(move || takes(&other, 1, ask(7, START, 10)));
        let here = takes(&lane, 1, ask(7, START, 10));
        assert!(here ^ racer.join().unwrap());
        assert_eq!(lane.tracked_keys(), 2);
    });
}

/// The slot of an idle key goes to a new one while the idle one comes back: neither charges the
/// other's bucket, and neither gets more than its own.
#[test]
fn a_key_that_returns_while_its_slot_is_reclaimed_loses_and_gains_nothing() {
    explore(|| {
        let lane = Arc::new(Lane::new());
        assert!(takes(&lane, 2, ask(7, START, 1)));
        let later = START + 2 * MINUTE;
        let other = Arc::clone(&lane);
        let racer = thread::spawn(move || takes(&other, 2, ask(8, later, 1)));
        assert!(takes(&lane, 2, ask(7, later, 1)));
        assert!(racer.join().unwrap());
        assert_eq!(lane.tracked_keys(), 1);
        for key in [7, 8] {
            let left = (0..3)
                .filter(|_| takes(&lane, 2, ask(key, later, 1)))
                .count();
            assert!(left <= 1, "{left} more of key {key}");
        }
    });
}

/// A slot that goes to another key between a look at its key and one at its word.
#[test]
fn whoever_swaps_a_word_has_decided_for_its_own_key() {
    const IDLE: u64 = START;
    const OTHERS: u64 = START + MINUTE;
    let with_care: fn(&Level) -> Option<u64> = |level| level.apply(7, |word| (word + 1, word));
    let at_once: fn(&Level) -> Option<u64> = |level| {
        let (slot, word) = level.at_hand(7)?;
        slot.swap(word, word + 1).then_some(word)
    };
    for change in [with_care, at_once] {
        explore(move || {
            let level = Arc::new(Level::new(1));
            level.seize_free(7).unwrap().publish(7, IDLE);
            let other = Arc::clone(&level);
            let racer = thread::spawn(move || {
                let seized = other.seize_idle(8, OTHERS);
                seized.map(|place| place.publish(8, OTHERS))
            });
            let changed = change(&level);
            assert!(matches!(changed, None | Some(IDLE)), "{changed:?}");
            let others = racer.join().unwrap().map(|()| OTHERS);
            assert_eq!(level.get(8), others);
        });
    }
}

#[test]
fn a_slot_that_ever_had_an_owner_is_never_empty_again() {
    explore(|| {
        let slot = Arc::new(Slot::new());
        let other = Arc::clone(&slot);
        let racer = thread::spawn(move || {
            other.seize(word::is_free).unwrap().publish(7, START);
            assert!(other.swap(START, word::EMPTY), "forgotten");
        });
        let had_an_owner = !slot.is_empty();
        assert!(!(had_an_owner && slot.is_empty()));
        racer.join().unwrap();
        assert!(!slot.is_empty());
    });
}

#[test]
fn keys_with_room_keep_their_own_bucket_while_others_come_and_idle_ones_go() {
    explore(|| {
        let lane = Arc::new(Lane::new());
        assert!(takes(&lane, 1, ask(6, START, 2)));
        let later = START + 2 * MINUTE;
        let other = Arc::clone(&lane);
        let racer = thread::spawn(move || takes(&other, 1, ask(8, later, 2)));
        assert!(takes(&lane, 1, ask(7, later, 2)));
        assert!(racer.join().unwrap());
        assert_eq!(lane.tracked_keys(), 2);
        assert!(!takes(&lane, 1, ask(7, later, 2)));
        assert!(!takes(&lane, 1, ask(8, later, 2)));
    });
}

/// Four keys fill the first level; the next ones make the table grow while a known key is in use.
#[test]
fn a_key_that_moves_to_a_larger_level_keeps_what_it_has_used() {
    explore(|| {
        let lane = Arc::new(Lane::new());
        for key in [1 << 60, 2 << 60, 3 << 60, 4 << 60] {
            assert!(takes(&lane, 2, ask(key, START, 100)));
        }
        assert!(
            takes(&lane, 2, ask(5 << 60, START, 100)),
            "in the second level"
        );
        let other = Arc::clone(&lane);
        let racer = thread::spawn(move || takes(&other, 2, ask(1 << 60, START, 100)));
        let here = takes(&lane, 2, ask(1 << 60, START, 100));
        assert!(here ^ racer.join().unwrap());
        assert_eq!(lane.tracked_keys(), 5);
    });
}

/// A call that one limit refuses leaves no trace in the other.
#[test]
fn all_limits_are_taken_or_none() {
    explore(|| {
        let minute = Duration::from_nanos(MINUTE);
        let policy = RateLimitPolicy::global(3, minute).and(RateLimitPolicy::global(1, minute));
        let state = Arc::new((LimiterState::new("model"), Prepared::new(policy)));
        let now = Moment::from_nanos(START);
        assert_eq!(state.0.remaining(&state.1, 1, now), 1);
        let admits =
            move |state: &(LimiterState, Prepared)| state.0.try_admit(&state.1, 1, 1, now).is_ok();
        let other = Arc::clone(&state);
        let racer = thread::spawn(move || admits(&other));
        let here = admits(&state);
        assert!(here ^ racer.join().unwrap());
        let first = Prepared::new(RateLimitPolicy::global(3, minute));
        assert_eq!(state.0.remaining(&first, 1, now), 2);
    });
}

/// One who leaves the line and one who becomes first because of it.
#[test]
fn a_line_whose_first_goes_away_moves_up_and_empties() {
    use super::{
        Admission,
        wait::{Place, Step},
    };
    use std::task::Waker;

    fn join<'a>(state: &'a (LimiterState, Prepared), now: Moment) -> Place<'a> {
        match state.0.admit(&state.1, 1, 1, now, None) {
            Ok(Admission::Wait(place)) => place,
            other => panic!("{other:?}"),
        }
    }

    explore(|| {
        let minute = Duration::from_nanos(MINUTE);
        let policy = RateLimitPolicy::per_key(1, minute).waiting(minute * 9);
        let state = Arc::new((LimiterState::new("model"), Prepared::new(policy)));
        let (now, later) = (
            Moment::from_nanos(START),
            Moment::from_nanos(START + MINUTE),
        );
        assert!(state.0.try_admit(&state.1, 1, 1, now).is_ok());
        let other = Arc::clone(&state);
        let leaves = thread::spawn(move || drop(join(&other, now)));
        let mut place = join(&state, now);
        leaves.join().unwrap();
        assert!(matches!(
            place.step(later, Waker::noop()),
            Step::Done(Ok(()))
        ));
        drop(place);
        assert_eq!(state.0.waiting(), 0);
    });
}
