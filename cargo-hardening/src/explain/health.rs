//! A health check: how soon it is noticed that something broke, and that it works again.

use std::time::Duration;

use hardening_config::{Config, Provider, schema::Settings as _};

use super::{figure, paragraph, row, rows};
use crate::picture::time;

pub(super) fn explain(config: &Config, name: &str) -> String {
    let health = config.health();
    let check = health
        .providers
        .get(name)
        .cloned()
        .unwrap_or_else(|| health.unnamed());
    let settings = Provider::KEYS.iter();
    let settings = settings.filter_map(|key| {
        let value = check.get(key.name).unwrap_or_default();
        // Null is what a check without more to it says.
        (value != "null").then(|| [key.name.to_owned(), value, String::new()])
    });
    let origin = config
        .named_checks()
        .into_iter()
        .find(|(check, _)| *check == name);
    let origin = origin
        .map(|(_, origin)| format!(" ({origin})"))
        .unwrap_or_default();
    let text = format!("health check `{name}`{origin}\n\n{}\n", rows(settings));
    text + &off(health.enabled, check.enabled) + &timeline(&counted(check))
}

fn off(monitor: bool, check: bool) -> String {
    match (monitor, check) {
        (_, false) => paragraph("It is switched off. If it were on:"),
        (false, true) => {
            paragraph("The monitor is switched off: it runs only when asked. If it were on:")
        }
        (true, true) => String::new(),
    }
}

/// A layer that a check is derived from has thresholds of its own: the check needs none.
fn counted(check: Provider) -> Provider {
    if check.derive.is_none() {
        return check;
    }
    Provider {
        failure_threshold: 1,
        success_threshold: 1,
        ..check
    }
}

/// At most so long after the change: every run takes until its timeout.
fn noticed(check: &Provider, runs: u32) -> Duration {
    let each = check.interval.saturating_add(check.timeout);
    each.saturating_mul(runs)
}

fn timeline(check: &Provider) -> String {
    let report = if check.critical {
        "the report is unhealthy"
    } else {
        "the report is degraded"
    };
    let mut lines = vec![row!["it breaks", "then", "within about"]];
    if check.failure_threshold > 1 {
        lines.push(row!["1 failed run", "degraded", time(noticed(check, 1))]);
    }
    let failures = match check.failure_threshold {
        1 => "1 failed run".to_owned(),
        count => format!("{count} failed runs"),
    };
    let unhealthy = time(noticed(check, check.failure_threshold));
    lines.push(row![failures, format!("unhealthy; {report}"), unhealthy]);
    let successes = match check.success_threshold {
        1 => "1 good run".to_owned(),
        count => format!("{count} good runs"),
    };
    lines.push(row![
        successes,
        "healthy again",
        time(noticed(check, check.success_threshold))
    ]);
    figure(&lines) + &paragraph("Each process shifts its intervals by up to a tenth, at random.")
}
