//! What is counted where.

use super::*;

fn rejections() -> [(Rejected, Outcome, Option<Layer>); 5] {
    let (name, retry_after) = ("ai", None);
    let (reason, class) = ("down".into(), crate::Class::Permanent);
    let op = name;
    let after = ms(5);
    [
        (
            Rejected::RateLimited { op, retry_after },
            Outcome::RateLimited,
            Some(Layer::RateLimit),
        ),
        (
            Rejected::CircuitOpen { name, retry_after },
            Outcome::CircuitOpen,
            Some(Layer::CircuitBreaker),
        ),
        (
            Rejected::BulkheadFull { name },
            Outcome::BulkheadFull,
            Some(Layer::Bulkhead),
        ),
        (
            Rejected::TimedOut { name, after },
            Outcome::TimedOut,
            Some(Layer::Timeout),
        ),
        (
            Rejected::LoadFailed {
                name,
                reason,
                class,
            },
            Outcome::LoadFailed,
            None,
        ),
    ]
}

fn by_outcome(figures: &SiteFigures) -> [u64; Outcome::COUNT] {
    [
        figures.success,
        figures.error,
        figures.rate_limited,
        figures.circuit_open,
        figures.bulkhead_full,
        figures.timed_out,
        figures.load_failed,
        figures.panicked,
        figures.dropped,
    ]
}

fn by_event(figures: &SiteFigures) -> [u64; Event::COUNT] {
    let rejected = &figures.rejected_by;
    [
        figures.retries,
        figures.fallbacks,
        figures.cache_hits,
        figures.cache_misses,
        figures.cache_stale,
        figures.cache_coalesced,
        rejected.rate_limit,
        rejected.circuit_breaker,
        rejected.bulkhead,
        rejected.timeout,
        figures.would_have.rate_limited,
        figures.would_have.waited,
        figures.would_have.circuit_open,
    ]
}

#[test]
fn a_call_is_counted_as_one_kind_and_the_kinds_sum_to_the_calls() {
    let metrics = SiteMetrics::new();
    let mut expected = [0; Outcome::COUNT];
    for (kind, outcome) in OUTCOMES.into_iter().enumerate() {
        for _ in 0..=kind {
            call(&metrics, outcome, ms(1));
            expected[kind] += 1;
            let figures = metrics.snapshot();
            assert_eq!(by_outcome(&figures), expected);
            assert_eq!(figures.calls(), expected.iter().sum::<u64>());
            assert_eq!(figures.durations.count(), figures.calls());
        }
    }
    let figures = metrics.snapshot();
    assert_eq!(by_event(&figures), [0; Event::COUNT]);
    assert_eq!(figures.attempts, figures.calls());
    assert_eq!(figures.rejections(), 3 + 4 + 5 + 6 + 7);
    assert_eq!(
        figures.success + figures.errors() + figures.dropped,
        figures.calls()
    );
    assert!((figures.error_rate() - 35.0 / 45.0).abs() < 1e-12);
}

#[test]
fn an_event_is_counted_at_once_and_in_one_place() {
    let metrics = SiteMetrics::new();
    let mut expected = [0; Event::COUNT];
    for (kind, event) in EVENTS.into_iter().enumerate() {
        for _ in 0..=kind {
            metrics.count(event);
            expected[kind] += 1;
            assert_eq!(by_event(&metrics.snapshot()), expected);
        }
    }
    let figures = metrics.snapshot();
    assert_eq!(figures.calls(), 0);
    assert!((figures.hit_rate() - 3.0 / 7.0).abs() < 1e-12);
}

#[test]
fn what_a_call_returns_decides_its_kind() {
    let failed = |failure| Outcome::of::<(), _>(&Err(failure));
    assert_eq!(Outcome::of::<_, ()>(&Ok(7)), Outcome::Success);
    assert_eq!(failed(Failure::Error("no")), Outcome::Error);
    assert_eq!(
        failed(Failure::Panicked(Box::new("boom"))),
        Outcome::Panicked
    );
    for (rejected, outcome, layer) in rejections() {
        assert_eq!(Event::rejected(&rejected), layer.map(Event::Rejected));
        assert_eq!(failed(rejected.into()), outcome);
    }
}

#[test]
fn a_rejection_that_a_retry_hid_is_counted_by_layer_only() {
    let metrics = SiteMetrics::new();
    metrics.begin();
    metrics.count(Event::Rejected(Layer::Bulkhead));
    metrics.count(Event::Retry);
    metrics.record(Outcome::Success, ms(30), 2);
    let figures = metrics.snapshot();
    assert_eq!((figures.success, figures.rejections()), (1, 0));
    assert_eq!((figures.rejected_by.bulkhead, figures.retries), (1, 1));
    assert_eq!(figures.attempts, 2);
}

#[test]
fn in_flight_returns_to_zero_whatever_the_calls_come_to() {
    let metrics = SiteMetrics::new();
    for _ in OUTCOMES {
        metrics.begin();
    }
    for (ended, outcome) in (1..).zip(OUTCOMES) {
        metrics.record(outcome, ms(1), 1);
        assert_eq!(metrics.snapshot().in_flight, OUTCOMES.len() as u64 - ended);
    }
}

#[test]
fn a_site_that_was_never_called_is_all_zero_and_takes_no_shard() {
    static METRICS: SiteMetrics = SiteMetrics::new();
    let figures = METRICS.snapshot();
    assert_eq!(figures, SiteFigures::default());
    assert_eq!(figures.latency, Latency::default());
    assert!(figures.error_rate().abs() < f64::EPSILON && figures.hit_rate().abs() < f64::EPSILON);
    assert_eq!(METRICS.shards().count(), 0);
}

#[test]
fn a_site_takes_no_more_memory_than_its_page_says() {
    assert_eq!(size_of::<Shard>(), 2688);
    assert!(SHARDS * size_of::<Shard>() + size_of::<SiteMetrics>() <= 16 * 1024);
    assert!(size_of::<SiteMetrics>() <= 150);
}

#[test]
fn a_reset_leaves_only_the_calls_in_flight() {
    let metrics = SiteMetrics::new();
    call(&metrics, Outcome::Error, ms(500));
    for event in EVENTS {
        metrics.count(event);
    }
    metrics.begin();
    metrics.reset();
    let in_flight = SiteFigures {
        in_flight: 1,
        ..SiteFigures::default()
    };
    assert_eq!(metrics.snapshot(), in_flight);

    metrics.record(Outcome::Success, ms(20), 1);
    let fresh = SiteMetrics::new();
    call(&fresh, Outcome::Success, ms(20));
    assert_eq!(metrics.snapshot(), fresh.snapshot());
    metrics.reset();
    assert_eq!(metrics.snapshot(), SiteFigures::default());
}

#[test]
fn figures_of_a_period_and_of_what_was_before_merge_to_the_whole() {
    let metrics = SiteMetrics::new();
    let mut expected = SiteFigures::default();
    let mut earlier = metrics.snapshot();
    for (elapsed, (outcome, event)) in (1..).zip(OUTCOMES.into_iter().zip(EVENTS)) {
        call(&metrics, outcome, ms(elapsed));
        metrics.count(event);
        let now = metrics.snapshot();
        let period = now.since(&earlier);
        assert_eq!((period.calls(), period.latency.max), (1, ms(elapsed)));
        expected.merge(&period);
        earlier = now;
    }
    assert_eq!(earlier, expected);
}

#[test]
fn totals_over_all_sites_are_those_of_one_that_had_all_calls() {
    let (quick, slow, both) = (SiteMetrics::new(), SiteMetrics::new(), SiteMetrics::new());
    for elapsed in 1..=100 {
        for (site, elapsed) in [(&quick, ms(elapsed)), (&slow, ms(elapsed * 50))] {
            call(site, Outcome::Success, elapsed);
            call(&both, Outcome::Success, elapsed);
        }
    }
    let mut total = SiteFigures::default();
    total.merge(&quick.snapshot());
    total.merge(&slow.snapshot());
    assert_eq!(total, both.snapshot());
    assert_eq!(total.latency.max, ms(5000));
}

#[test]
fn figures_serialise_with_durations_in_seconds_and_without_the_buckets() {
    let metrics = SiteMetrics::new();
    call(&metrics, Outcome::Success, ms(1500));
    let json = serde_json::to_value(metrics.snapshot()).unwrap();
    assert_eq!(
        json["latency"],
        serde_json::json!({"avg": 1.5, "p50": 1.5, "p95": 1.5, "p99": 1.5, "max": 1.5})
    );
    assert_eq!(
        (&json["success"], &json["durations"]),
        (&1.into(), &().into())
    );
    assert_eq!(json["rejected_by"]["timeout"], 0);
}
