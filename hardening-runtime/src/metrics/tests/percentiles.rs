//! Percentiles against a sorted list.

use super::{
    super::histogram::{BUCKETS, bucket_of},
    *,
};
use proptest::prelude::*;

/// The error that the histogram promises, and the half bucket that is all there is under 128 ns.
fn is_near(found: Duration, exact: u64) -> bool {
    let (found, exact) = (found.as_nanos() as f64, exact as f64);
    (found - exact).abs() <= (exact * 0.06).max(8.0)
}

/// The value of which `percent` per cent are no longer, by the definition.
fn nearest_rank(sorted: &[u64], percent: u32) -> u64 {
    let rank = (sorted.len() * percent as usize).div_ceil(100).max(1);
    sorted[rank - 1]
}

fn recorded(nanos: &[u64]) -> SiteFigures {
    let metrics = SiteMetrics::new();
    for &nanos in nanos {
        call(&metrics, Outcome::Success, Duration::from_nanos(nanos));
    }
    metrics.snapshot()
}

/// Durations of every magnitude that has buckets of its own.
fn durations() -> impl Strategy<Value = Vec<u64>> {
    let magnitude = 0..43_u32;
    let duration = magnitude.prop_flat_map(|octave| (1_u64 << octave) - 1..1 << (octave + 1));
    proptest::collection::vec(duration, 1..300)
}

proptest! {
    #[test]
    fn every_percentile_is_within_the_error_of_the_sorted_lists(mut nanos in durations()) {
        let durations = recorded(&nanos).durations;
        nanos.sort_unstable();
        for percent in 0..=100 {
            let (found, exact) = (durations.percentile(percent), nearest_rank(&nanos, percent));
            prop_assert!(is_near(found, exact), "p{percent}: {found:?} for {exact} ns");
        }
    }

    #[test]
    fn number_sum_average_and_longest_are_exact(nanos in durations()) {
        let figures = recorded(&nanos);
        let (sum, count) = (nanos.iter().sum::<u64>(), nanos.len() as u64);
        prop_assert_eq!(figures.durations.count(), count);
        prop_assert_eq!(figures.durations.sum(), Duration::from_nanos(sum));
        prop_assert_eq!(figures.latency.avg, Duration::from_nanos(sum / count));
        prop_assert_eq!(figures.latency.max.as_nanos(), u128::from(*nanos.iter().max().unwrap()));
    }

    #[test]
    fn percentiles_never_cross(nanos in proptest::collection::vec(any::<u64>(), 1..100)) {
        let Latency { p50, p95, p99, max, .. } = recorded(&nanos).latency;
        prop_assert!(p50 <= p95 && p95 <= p99 && p99 <= max);
    }

    #[test]
    fn merged_percentiles_are_those_of_all_durations(one in durations(), other in durations()) {
        let mut merged = recorded(&one);
        merged.merge(&recorded(&other));
        prop_assert_eq!(merged, recorded(&[one, other].concat()));
    }

    #[test]
    fn the_durations_of_a_period_are_those_that_came_in_it(
        before in durations(), within in durations()
    ) {
        let whole = recorded(&[before.clone(), within.clone()].concat());
        let period = whole.since(&recorded(&before));
        let exact = recorded(&within);
        prop_assert_eq!(period.durations.count(), exact.durations.count());
        prop_assert_eq!(period.durations.sum(), exact.durations.sum());
        let longest = *within.iter().max().unwrap();
        prop_assert!(is_near(period.latency.max, longest));
    }

    #[test]
    fn longer_durations_are_in_later_buckets(nanos: u64, more: u64) {
        let (bucket, later) = (bucket_of(nanos), bucket_of(nanos.saturating_add(more)));
        prop_assert!(bucket <= later && later < BUCKETS);
    }

    #[test]
    fn a_count_up_to_a_limit_leaves_out_only_what_is_longer(nanos in durations(), limit in 0..1_u64 << 43) {
        let found = recorded(&nanos).durations.count_up_to(Duration::from_nanos(limit));
        let up_to = |limit: u64| nanos.iter().filter(|&&nanos| nanos <= limit).count() as u64;
        prop_assert!(found >= up_to(limit) && found <= up_to(limit + (limit / 8).max(16)));
    }
}

#[test]
fn one_slow_call_in_a_hundred_shows_in_the_longest_only() {
    let mut nanos = vec![1_000_000; 99];
    nanos.push(7_000_000_000);
    let latency = recorded(&nanos).latency;
    assert!(is_near(latency.p99, 1_000_000));
    assert_eq!(latency.max, ms(7000));
}

#[test]
fn a_duration_beyond_the_scale_is_counted_and_read_as_the_longest() {
    let figures = recorded(&[1_000, u64::MAX, u64::MAX]);
    assert_eq!(figures.calls(), 3);
    assert_eq!(figures.latency.p50, Duration::from_nanos(u64::MAX));
    let metrics = SiteMetrics::new();
    call(&metrics, Outcome::Dropped, Duration::MAX);
    assert_eq!(
        metrics.snapshot().latency.max,
        Duration::from_nanos(u64::MAX)
    );
}
