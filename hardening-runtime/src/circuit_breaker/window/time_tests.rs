use super::*;
use crate::seat::SHARDS;
use proptest::prelude::*;

const WINDOW: Duration = Duration::from_millis(3200);

/// A seat that other threads may have too.
const SHARED: (usize, bool) = (SHARDS - 1, false);

fn at(millis: u64) -> Moment {
    Moment::from_nanos(1 << 55).plus(Duration::from_millis(millis))
}

fn fail(window: &TimeWindow, millis: u64) -> Counts {
    window
        .record(WINDOW, 0, Kept::Failure, at(millis), 1, SHARED)
        .unwrap()
}

#[test]
fn the_window_is_of_fixed_size_whatever_the_traffic() {
    assert!(size_of::<TimeWindow>() <= 3584);
}

#[test]
fn results_leave_one_bucket_after_the_other_never_all_at_once() {
    let window = TimeWindow::default();
    for i in 0..320 {
        fail(&window, i * 10);
    }
    let mut before = window.counts(WINDOW, 0, at(3200)).failures;
    assert!(before >= 300);
    for i in 320..640 {
        let left = window.counts(WINDOW, 0, at(i * 10)).failures;
        assert!(left <= before && before - left <= 10);
        before = left;
    }
    assert_eq!(window.counts(WINDOW, 0, at(6400)), Counts::default());
}

#[test]
fn a_new_generation_sees_nothing_of_the_old_one() {
    let window = TimeWindow::default();
    fail(&window, 0);
    assert_eq!(window.counts(WINDOW, 1, at(0)), Counts::default());
    let counts = window
        .record(WINDOW, 1, Kept::Slow, at(0), 1, SHARED)
        .unwrap();
    assert_eq!((counts.calls, counts.failures, counts.slow), (1, 0, 1));
}

#[test]
fn successes_of_a_lap_ago_do_not_take_the_place_of_the_present_calls() {
    let window = TimeWindow::default();
    let record = |kept, now| window.record(WINDOW, 0, kept, now, 1, (0, true));
    record(Kept::Success, at(0));
    let a_lap_later = at(0).plus(Duration::from_nanos(lap()));
    record(Kept::Failure, a_lap_later);
    record(Kept::Success, a_lap_later);
    let counts = record(Kept::Failure, a_lap_later).unwrap();
    assert_eq!((counts.calls, counts.failures), (3, 2));
}

#[test]
fn a_longer_window_keeps_what_the_shorter_one_held() {
    let window = TimeWindow::default();
    for i in 0..10 {
        fail(&window, 1000 + i * 100);
    }
    let longer = WINDOW * 10;
    let record = |millis| window.record(longer, 0, Kept::Failure, at(millis), 1, SHARED);
    assert_eq!(record(2000).unwrap().failures, 11);
    assert_eq!(record(25_000).unwrap().failures, 12);
    assert_eq!(record(60_000).unwrap().failures, 1);
}

#[test]
fn a_shorter_window_drops_only_what_is_too_old_for_it() {
    let window = TimeWindow::default();
    for i in 0..10 {
        fail(&window, i * 300);
    }
    let shorter = Duration::from_millis(1600);
    let counts = window.record(shorter, 0, Kept::Failure, at(2800), 1, SHARED);
    // Those at 1,200 and 1,500 ms may go either way with their bucket; 5 are surely inside.
    let failures = counts.unwrap().failures;
    assert!((5..=7).contains(&failures), "{failures}");
}

#[test]
fn flapping_between_two_windows_does_not_move_results_in_time() {
    let window = TimeWindow::default();
    fail(&window, 0);
    for i in 1..200 {
        let of = if i % 2 == 0 { WINDOW } else { WINDOW * 7 / 3 };
        window.recut(Cut::of(of), 0, at(i * 10));
    }
    assert_eq!(window.counts(WINDOW, 0, at(2500)).failures, 1);
}

/// Nanoseconds after which the ring is back at the same place.
fn lap() -> u64 {
    (PLACES as u64) << Cut::shift(WINDOW)
}

/// Nanoseconds to the next result: as a rule few, at times a lap of the ring.
fn pauses() -> impl Strategy<Value = u64> {
    prop_oneof![40 => 0..100_000_000u64, 1 => Just(lap())]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_window_agrees_with_a_list(
        steps in prop::collection::vec((pauses(), 0..3u8, 0..40u8, 0..SHARDS, 1..5u64), 1..200),
    ) {
        let window = TimeWindow::default();
        let (mut now, mut generation) = (0, 0);
        let mut list: Vec<(u64, u64, Kept)> = Vec::new();
        for (pause, kind, restart, seat, required) in steps {
            now += pause;
            generation += u64::from(restart == 0);
            let kept = [Kept::Success, Kept::Slow, Kept::Failure][usize::from(kind)];
            list.push((now, generation, kept));
            let moment = Moment::from_nanos(now);
            let seat = (seat, seat + 1 < SHARDS);
            let decides = window.record(WINDOW, generation, kept, moment, required, seat);
            let counts = window.counts(WINDOW, generation, moment);
            let is_asked = kept != Kept::Success || counts.calls == required;
            prop_assert_eq!(decides, is_asked.then_some(counts));
            let cut = Cut::of(WINDOW);
            prop_assert!((64..128).contains(&cut.buckets));
            let seen = |young: &dyn Fn(u64) -> bool, kept: Option<Kept>| {
                let of = list.iter().filter(|(at, of, what)| {
                    *of == generation && young(*at) && kept.is_none_or(|kept| kept == *what)
                });
                of.count() as u64
            };
            let bucketed = |at: u64| (now >> cut.shift) - (at >> cut.shift) < cut.buckets;
            prop_assert_eq!(counts, Counts {
                calls: seen(&bucketed, None),
                failures: seen(&bucketed, Some(Kept::Failure)),
                slow: seen(&bucketed, Some(Kept::Slow)),
            });
            let nanos = clock::nanos(WINDOW);
            prop_assert!(counts.calls <= seen(&|at| now - at < nanos, None));
            prop_assert!(counts.calls >= seen(&|at| now - at <= nanos / 32 * 31, None));
        }
    }
}
