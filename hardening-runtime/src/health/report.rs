//! The report: every check, and what they come to together.

use super::{
    status::Status,
    timestamp::{self, rfc3339},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, time::SystemTime};

/// What the checks say. Serialises as
/// `{overall_status, healthy, checks: {name: {status, message, duration_ms, …}}}`; displays as a
/// table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HealthReport {
    /// Unhealthy when a critical check is, degraded when any check is not healthy. Healthy when
    /// there are no checks.
    pub overall_status: Status,
    /// Whether the overall status is healthy.
    pub healthy: bool,
    /// Each check, by name.
    pub checks: BTreeMap<String, CheckReport>,
}

/// What one check says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckReport {
    /// The status, thresholds applied.
    pub status: Status,
    /// What the last run had to say.
    pub message: Option<String>,
    /// How long the last run took, in whole milliseconds.
    pub duration_ms: u64,
    /// Runs that failed in a row, up to now.
    pub consecutive_failures: u32,
    /// When the check last succeeded; as text, RFC 3339 in UTC.
    #[serde(serialize_with = "timestamp::serialize")]
    pub last_success: Option<SystemTime>,
    /// What kind of check it is.
    pub check_type: String,
}

/// One check's part in the report.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) critical: bool,
    pub(super) check: CheckReport,
}

impl HealthReport {
    pub(super) fn of(lines: impl IntoIterator<Item = Line>) -> Self {
        let mut overall_status = Status::Healthy;
        let mut checks = BTreeMap::new();
        for line in lines {
            overall_status = overall_status.max(share(line.check.status, line.critical));
            checks.insert(line.name, line.check);
        }
        Self {
            overall_status,
            healthy: overall_status == Status::Healthy,
            checks,
        }
    }
}

/// What a check's status makes of the whole.
pub(super) const fn share(status: Status, critical: bool) -> Status {
    match (status, critical) {
        (Status::Healthy, _) => Status::Healthy,
        (Status::Unhealthy, true) => Status::Unhealthy,
        (Status::Degraded, _) | (Status::Unhealthy, false) => Status::Degraded,
    }
}

impl fmt::Display for HealthReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let healthy = |check: &&CheckReport| check.status == Status::Healthy;
        let good = self.checks.values().filter(healthy).count();
        let (overall, all) = (self.overall_status, self.checks.len());
        write!(f, "{overall}: {good} of {all} checks are healthy")?;
        if all == 0 {
            return Ok(());
        }
        let names = self.checks.keys().map(|name| name.chars().count());
        let types = self.checks.values().map(|c| c.check_type.chars().count());
        let (name, kind) = (
            names.max().unwrap_or(0).max(5),
            types.max().unwrap_or(0).max(4),
        );
        write!(
            f,
            "\n  {:name$}  {:kind$}  {:9}  {:>9}  {:>6}  {:24}  message",
            "check", "type", "status", "took", "failed", "last success"
        )?;
        for (label, check) in &self.checks {
            let took = format!("{} ms", check.duration_ms);
            let last = check
                .last_success
                .map_or_else(|| "never".to_owned(), rfc3339);
            let (status, failed) = (check.status, check.consecutive_failures);
            let check_type = &check.check_type;
            let message = one_line(check.message.as_deref().unwrap_or("-"));
            write!(
                f,
                "\n  {label:name$}  {check_type:kind$}  {status:9}  {took:>9}  {failed:>6}  {last:24}  {message}"
            )?;
        }
        Ok(())
    }
}

/// `text` without anything that would break the table, or steer the terminal.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}
