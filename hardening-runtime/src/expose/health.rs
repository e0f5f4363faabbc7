//! A health report in the text format of Prometheus.

use super::text::Text;
use crate::health::{HealthReport, Status};
use std::time::UNIX_EPOCH;

/// `report` in the text format of Prometheus, version 0.0.4. No series is one of
/// [`prometheus`](super::prometheus)'s, so the two texts can be served one after the other.
///
/// ```
/// # use hardening_runtime as hardening;
/// let report = hardening::health::registry().last_report(); // runs nothing
/// let mut text = hardening::metrics::prometheus(&hardening::snapshot());
/// text += &hardening::metrics::prometheus_of_health(&report);
/// ```
#[must_use]
pub fn prometheus_of_health(report: &HealthReport) -> String {
    let statuses = Status::ALL.map(Status::as_str);
    let mut text = Text::default();
    let mut overall = text.gauge(
        "hardening_health_status",
        "1 for the status of the whole report, 0 for the others.",
    );
    for status in statuses {
        let is = u8::from(status == report.overall_status.as_str());
        overall.sample(&[("status", status)], is);
    }
    let mut status = text.gauge(
        "hardening_health_check_status",
        "1 for the status of the check, 0 for the others.",
    );
    for (name, check) in &report.checks {
        status.one_of(
            [("check", name)],
            "status",
            &statuses,
            check.status.as_str(),
        );
    }
    let mut took = text.gauge(
        "hardening_health_check_duration_seconds",
        "How long the last run of the check took.",
    );
    for (name, check) in &report.checks {
        took.sample(&[("check", name)], check.duration_ms as f64 / 1000.0);
    }
    let mut failures = text.gauge(
        "hardening_health_check_consecutive_failures",
        "Runs of the check that failed in a row, up to now.",
    );
    for (name, check) in &report.checks {
        failures.sample(&[("check", name)], check.consecutive_failures);
    }
    let mut succeeded = text.gauge(
        "hardening_health_check_last_success_timestamp_seconds",
        "When the check last succeeded, since 1970; 0 if it never did.",
    );
    for (name, check) in &report.checks {
        let since = check
            .last_success
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        succeeded.sample(&[("check", name)], since.unwrap_or_default().as_secs());
    }
    text.done()
}
