use super::{
    board::Board,
    frames,
    history::{History, POINTS, Point},
};
use crate::{
    clock::Moment,
    health::{CheckReport, HealthReport, Status},
    metrics::{Outcome, SiteMetrics},
    report::{SiteSnapshot, Snapshot},
};
use std::time::Duration;

fn at(millis: u64) -> Moment {
    Moment::from_nanos(1 << 55).plus(Duration::from_millis(millis))
}

fn site(metrics: &SiteMetrics) -> SiteSnapshot {
    SiteSnapshot::stateless("shop::place", &[], metrics.snapshot())
}

fn call(metrics: &SiteMetrics, times: u32, outcome: Outcome) {
    for _ in 0..times {
        metrics.begin();
        metrics.record(outcome, Duration::from_millis(100), 1);
    }
}

/// Calls and errors of each point, whose p95 is what every call takes, if there is one.
fn counts(points: &[Point]) -> Vec<(f64, f64)> {
    let count = |point: &Point| {
        assert_eq!(
            point.p95.is_some_and(is_near),
            point.calls > 0.0,
            "{point:?}"
        );
        (point.calls, point.errors)
    };
    points.iter().map(count).collect()
}

/// Within the 6 % of a percentile.
fn is_near(p95: Duration) -> bool {
    (94..=106).contains(&p95.as_millis())
}

#[test]
fn a_point_is_what_came_in_its_second() {
    let metrics = SiteMetrics::new();
    call(&metrics, 1000, Outcome::Error); // before
    let mut history = History::from(&[site(&metrics)], at(0));
    call(&metrics, 3, Outcome::Success);
    call(&metrics, 1, Outcome::TimedOut);
    call(&metrics, 1, Outcome::Dropped); // a call, and no error
    history.take(&[site(&metrics)], at(1000));
    history.take(&[site(&metrics)], at(2000));
    assert_eq!(counts(&history.points(0)), [(5.0, 1.0), (0.0, 0.0)]);
    assert_eq!(history.seconds, 2);
}

#[test]
fn a_program_in_which_nothing_was_called_yet_counts_from_nought() {
    let metrics = SiteMetrics::new();
    let mut history = History::from(&[], at(0));
    assert_eq!(history.points(0), []);
    call(&metrics, 2, Outcome::Success);
    history.take(&[site(&metrics)], at(1000));
    assert_eq!(counts(&history.points(0)), [(2.0, 0.0)]);
}

#[test]
fn a_sampler_that_comes_late_spreads_the_calls_over_the_seconds_it_missed() {
    let metrics = SiteMetrics::new();
    let mut history = History::from(&[site(&metrics)], at(0));
    call(&metrics, 9, Outcome::Success);
    history.take(&[site(&metrics)], at(3400));
    assert_eq!(counts(&history.points(0)), [(3.0, 0.0); 3]);
    call(&metrics, 1, Outcome::Success);
    history.take(&[site(&metrics)], at(3500)); // early: still a second of its own
    assert_eq!(counts(&[history.last_point(0)]), [(1.0, 0.0)]);
    history.take(&[site(&metrics)], at(1_000_000_000));
    assert_eq!(
        history.points(0),
        [],
        "long after, there is nothing to tell"
    );
    call(&metrics, 1, Outcome::Success);
    history.take(&[site(&metrics)], at(1_000_001_000));
    assert_eq!(history.points(0).len(), POINTS);
}

#[test]
fn what_is_recent_is_of_ten_to_twenty_seconds_and_of_less_in_the_beginning() {
    let metrics = SiteMetrics::new();
    let mut history = History::from(&[site(&metrics)], at(0));
    for second in 1..=60 {
        call(&metrics, 4, Outcome::Success);
        call(&metrics, 1, Outcome::Error);
        let now = at(second * 1000);
        history.take(&[site(&metrics)], now);
        let recent = history.recent(0, &metrics.snapshot(), now);
        let span = recent.calls / 5;
        assert_eq!(
            span,
            if second < 20 {
                second
            } else {
                10 + second % 10
            }
        );
        assert!((recent.rate - 5.0).abs() < 1e-9 && (recent.error_rate - 0.2).abs() < 1e-9);
        assert!(recent.p95.is_some_and(is_near), "{recent:?}");
    }
}

fn board(metrics: &SiteMetrics, message: &str, history: &History) -> Board {
    let check = CheckReport {
        status: Status::Degraded,
        message: Some(message.to_owned()),
        duration_ms: 1,
        consecutive_failures: 1,
        last_success: None,
        check_type: "ping".to_owned(),
    };
    let health = HealthReport {
        overall_status: Status::Degraded,
        healthy: false,
        checks: [("mail".to_owned(), check)].into(),
    };
    let snapshot = Snapshot {
        sites: vec![site(metrics)],
        ..Snapshot::default()
    };
    Board::of(snapshot, health, history, at(0))
}

#[test]
fn an_event_tells_what_changed_in_three_lines_whatever_the_texts_are() {
    let metrics = SiteMetrics::new();
    let mut history = History::from(&[site(&metrics)], at(0));
    let before = board(&metrics, "late", &history);
    let same = frames::changes(&before, &board(&metrics, "late", &history));
    assert!(
        same.ends_with("\"sites\":{}}\n\n") && !same.contains("health"),
        "{same}"
    );

    let told = frames::changes(&before, &board(&metrics, "a\nb\r\n\n<i>", &history));
    assert_eq!(told.matches('\n').count(), 3, "{told}");
    assert!(told.contains(r#""message":"a\nb\r\n\n<i>""#), "{told}");

    call(&metrics, 2, Outcome::Success);
    history.take(&[site(&metrics)], at(1000));
    let told = frames::changes(&before, &board(&metrics, "late", &history));
    assert!(
        told.starts_with("event: tick\ndata: {\"tick\":1,"),
        "{told}"
    );
    assert!(told.contains(r#""outcomes":{"success":2}"#), "{told}");
    assert!(told.contains(r#""point":[2.0,0.0,0.1]"#), "{told}");
}
