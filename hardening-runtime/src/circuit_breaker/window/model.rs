//! What must hold of the window by time however threads interleave, checked by loom.

use super::{Counts, Kept, calls::CallWindow, time::TimeWindow};
use crate::{clock::Moment, seat::SHARDS};
use Kept::{Failure, Success};
use loom::{sync::Arc, thread};
use std::time::Duration;

const BUCKET: u64 = 1 << 20;
/// Two buckets long.
const WINDOW: Duration = Duration::from_nanos(2 * BUCKET);
/// The seat of those who have none to themselves.
const SHARED: (usize, bool) = (SHARDS - 1, false);

fn alone(seat: usize) -> (usize, bool) {
    (seat, true)
}

/// A result in this bucket, from this seat, where so many calls are required.
fn keep(
    window: &TimeWindow,
    bucket: u64,
    kept: Kept,
    required: u64,
    seat: (usize, bool),
) -> Option<Counts> {
    window.record(WINDOW, 0, kept, at(bucket), required, seat)
}

fn at(bucket: u64) -> Moment {
    Moment::from_nanos((1 << 40) + bucket * BUCKET)
}

fn held(window: &TimeWindow, bucket: u64) -> u64 {
    window.counts(WINDOW, 0, at(bucket)).calls
}

/// Checks all interleavings of both, on a window that `before` began, and returns what they came to to `after`.
fn check(
    before: fn(&TimeWindow),
    first: fn(&TimeWindow) -> Option<Counts>,
    second: fn(&TimeWindow) -> Option<Counts>,
    after: fn(&TimeWindow, Option<Counts>, Option<Counts>),
) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        let window = Arc::new(TimeWindow::default());
        before(&window);
        let other = {
            let window = Arc::clone(&window);
            thread::spawn(move || second(&window))
        };
        let first = first(&window);
        after(&window, first, other.join().unwrap());
    });
}

#[test]
fn of_a_failure_and_the_success_that_completes_the_calls_the_later_sees_both() {
    check(
        |_| {},
        |window| keep(window, 0, Success, 2, alone(0)),
        |window| keep(window, 0, Failure, 2, alone(1)),
        |_, success, failure| {
            let last = success.or(failure).unwrap();
            assert_eq!((last.calls, last.failures), (2, 1));
            assert!(success.is_none() || failure.unwrap().calls == 1);
        },
    );
}

#[test]
fn one_of_several_successes_at_once_completes_the_calls() {
    for seat in [alone(1), SHARED] {
        let second = match seat {
            SHARED => |window: &TimeWindow| keep(window, 0, Success, 2, SHARED),
            _ => |window: &TimeWindow| keep(window, 0, Success, 2, alone(1)),
        };
        check(
            |_| {},
            |window| keep(window, 0, Success, 2, alone(0)),
            second,
            |window, first, second| {
                assert_ne!(first.is_some(), second.is_some());
                assert_eq!(held(window, 0), 2);
            },
        );
    }
}

#[test]
fn a_count_on_its_way_to_the_ring_is_seen_once() {
    check(
        |window| {
            keep(window, 0, Success, 1, alone(0));
            keep(window, 0, Success, 1, alone(0));
        },
        |window| keep(window, 1, Success, 1, alone(0)),
        |window| keep(window, 1, Failure, 1, alone(1)),
        |window, _, failure| {
            let calls = failure.unwrap().calls;
            assert!(calls == 3 || calls == 4, "{calls}");
            assert_eq!(held(window, 1), 4);
            assert_eq!(held(window, 2), 2);
        },
    );
}

#[test]
fn successes_that_decide_nothing_are_not_lost() {
    check(
        |window| {
            keep(window, 0, Success, 1, alone(0));
            keep(window, 0, Success, 1, SHARED);
        },
        |window| {
            keep(window, 0, Success, 1, alone(0));
            keep(window, 0, Success, 1, alone(0))
        },
        |window| {
            keep(window, 0, Success, 1, SHARED);
            keep(window, 0, Failure, 1, SHARED)
        },
        |window, _, failure| {
            assert!((4..=6).contains(&failure.unwrap().calls));
            assert_eq!(held(window, 0), 6);
        },
    );
}

#[test]
fn one_of_several_successes_at_once_completes_a_window_of_calls() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(|| {
        let window = Arc::new(CallWindow::default());
        let other = Arc::clone(&window);
        let other = thread::spawn(move || other.record(8, 0, Success, 2));
        let mine = window.record(8, 0, Success, 2);
        assert_ne!(mine.is_some(), other.join().unwrap().is_some());
    });
}
