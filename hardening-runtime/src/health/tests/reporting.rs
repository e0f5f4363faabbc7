//! The report: aggregate, JSON, table.

use super::{super::report::Line, *};
use std::time::{SystemTime, UNIX_EPOCH};

fn line(name: &str, status: Status, critical: bool) -> Line {
    Line {
        name: name.to_owned(),
        critical,
        check: CheckReport {
            status,
            message: None,
            duration_ms: 0,
            consecutive_failures: 0,
            last_success: None,
            check_type: "ping".to_owned(),
        },
    }
}

fn overall(lines: &[(Status, bool)]) -> Status {
    let lines = lines.iter().enumerate();
    let lines = lines.map(|(at, &(status, critical))| line(&at.to_string(), status, critical));
    HealthReport::of(lines).overall_status
}

use Status::{Degraded, Healthy, Unhealthy};

#[test]
fn a_report_is_unhealthy_when_a_critical_check_is() {
    assert_eq!(overall(&[(Unhealthy, true), (Healthy, false)]), Unhealthy);
    assert_eq!(
        overall(&[(Degraded, false), (Unhealthy, true), (Healthy, true)]),
        Unhealthy
    );
}

#[test]
fn a_report_is_degraded_when_anything_else_is_not_healthy() {
    assert_eq!(overall(&[(Unhealthy, false), (Healthy, true)]), Degraded);
    assert_eq!(overall(&[(Degraded, true)]), Degraded);
    assert_eq!(overall(&[(Healthy, true), (Degraded, false)]), Degraded);
}

#[test]
fn a_report_of_healthy_checks_and_one_of_none_are_healthy() {
    assert_eq!(overall(&[(Healthy, true), (Healthy, false)]), Healthy);
    assert_eq!(overall(&[]), Healthy);
    assert!(HealthReport::of([]).healthy);
    assert!(!HealthReport::of([line("a", Degraded, false)]).healthy);
}

fn example() -> HealthReport {
    let mut database = line("database", Degraded, true);
    database.check.message = Some("refused\nby \u{1b}[31mpeer".to_owned());
    database.check.duration_ms = 12;
    database.check.consecutive_failures = 2;
    database.check.last_success = Some(UNIX_EPOCH + Duration::from_millis(951_782_400_250));
    HealthReport::of([database, line("ai", Healthy, false)])
}

#[test]
fn a_report_serialises_in_the_agreed_shape() {
    let json = serde_json::to_string(&example()).unwrap();
    let expected = concat!(
        r#"{"overall_status":"degraded","healthy":false,"checks":{"#,
        r#""ai":{"status":"healthy","message":null,"duration_ms":0,"consecutive_failures":0,"#,
        r#""last_success":null,"check_type":"ping"},"#,
        r#""database":{"status":"degraded","message":"refused\nby \u001b[31mpeer","#,
        r#""duration_ms":12,"consecutive_failures":2,"#,
        r#""last_success":"2000-02-29T00:00:00.250Z","check_type":"ping"}}}"#,
    );
    assert_eq!(json, expected);
    assert_eq!(serde_json::to_string(&Unhealthy).unwrap(), r#""unhealthy""#);
}

#[test]
fn a_report_displays_as_a_table_with_a_row_for_each_check() {
    let table = example().to_string();
    let expected = [
        "degraded: 1 of 2 checks are healthy",
        "  check     type  status          took  failed  last success              message",
        "  ai        ping  healthy         0 ms       0  never                     -",
        "  database  ping  degraded       12 ms       2  2000-02-29T00:00:00.250Z  refused by  [31mpeer",
    ];
    assert_eq!(table.lines().collect::<Vec<_>>(), expected);
    assert_eq!(
        HealthReport::of([]).to_string(),
        "healthy: 0 of 0 checks are healthy"
    );
}

#[test]
fn what_a_check_may_return_becomes_a_result() {
    assert_eq!(true.into_health(), HealthResult::healthy());
    assert_eq!(false.into_health().status, Unhealthy);
    assert_eq!(Ok::<(), String>(()).into_health(), HealthResult::healthy());
    let error = std::io::Error::other("no route");
    assert_eq!(
        Err::<(), _>(error).into_health(),
        HealthResult::unhealthy("no route")
    );
    let degraded = HealthResult::degraded("slow");
    assert_eq!(degraded.clone().into_health(), degraded);
}

#[tokio::test]
async fn a_success_is_dated_by_the_calendar() {
    let (registry, before) = (Registry::new(), SystemTime::now());
    registry.register("a", || async { true });
    let report = registry.run_all().await;
    let at = report.checks["a"].last_success.unwrap();
    assert!(before <= at && at <= SystemTime::now());
}
