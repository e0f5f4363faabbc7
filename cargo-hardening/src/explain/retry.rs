//! A retry policy: attempts, the waits between them, and what all of it comes to at worst.

use std::time::Duration;

use hardening_config::{Jitter, RetryPolicy};

use super::{figure, paragraph, row};
use crate::picture::{number, range, span, time};

const BAR: usize = 26;

/// The shortest and the longest wait before a retry.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Wait {
    least: Duration,
    most: Duration,
}

/// The waits before each retry, as the runtime draws them.
fn waits(policy: &RetryPolicy) -> Vec<Wait> {
    let mut waits: Vec<Wait> = Vec::new();
    for retry in 1..policy.max_attempts {
        let before = waits.last().map_or(Duration::ZERO, |wait| wait.most);
        waits.push(wait(policy, retry, before));
    }
    waits
}

/// The wait before retry number `retry`, where the one before was at most `before`.
fn wait(policy: &RetryPolicy, retry: u32, before: Duration) -> Wait {
    let backoff = backoff(policy, retry);
    let (least, most) = match policy.jitter {
        Jitter::None => (backoff, backoff),
        Jitter::Full => (Duration::ZERO, backoff),
        Jitter::Equal => (backoff / 2, backoff),
        Jitter::Decorrelated => {
            let most = before.max(policy.base_delay).saturating_mul(3);
            (policy.base_delay, most)
        }
    };
    Wait {
        least: least.min(policy.max_delay),
        most: most.min(policy.max_delay),
    }
}

fn backoff(policy: &RetryPolicy, retry: u32) -> Duration {
    let grown = policy.exponential_base.powf(f64::from(retry - 1));
    let backoff = Duration::try_from_secs_f64(policy.base_delay.as_secs_f64() * grown);
    backoff.map_or(policy.max_delay, |backoff| backoff.min(policy.max_delay))
}

/// When an attempt starts: at the earliest, when all before fail at once, and at the latest.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Start {
    wait: Option<Wait>,
    earliest: Duration,
    latest: Duration,
}

/// The attempts that can happen, where each takes at most `attempt`. What would start after
/// `max_elapsed` does not.
fn starts(policy: &RetryPolicy, attempt: Duration) -> Vec<Start> {
    let last = policy.max_elapsed.unwrap_or(Duration::MAX);
    let mut starts = vec![Start {
        wait: None,
        earliest: Duration::ZERO,
        latest: Duration::ZERO,
    }];
    for wait in waits(policy) {
        let before = starts[starts.len() - 1];
        let earliest = before.earliest.saturating_add(wait.least);
        if earliest > last {
            break;
        }
        let latest = before
            .latest
            .saturating_add(attempt)
            .saturating_add(wait.most);
        starts.push(Start {
            wait: Some(wait),
            earliest,
            latest: latest.min(last),
        });
    }
    starts
}

pub(super) fn explain(policy: &RetryPolicy, attempt: Duration) -> String {
    let starts = starts(policy, attempt);
    let end = starts[starts.len() - 1].latest.saturating_add(attempt);
    let mut rows = vec![row!["attempt", "wait before", "starts at", ""]];
    for (start, number) in starts.iter().zip(1..).take(20) {
        let wait = start
            .wait
            .map_or("–".to_owned(), |wait| range(wait.least, wait.most));
        let sign = if start.earliest == start.latest {
            '█'
        } else {
            '░'
        };
        let bar = span(start.earliest, start.latest, end, BAR, sign);
        rows.push(row![
            format!("{number:>7}"),
            wait,
            range(start.earliest, start.latest),
            bar
        ]);
    }
    if starts.len() > 20 {
        rows.push(row![format!("{:>7}", "…"), "", "", ""]);
    }
    figure(&rows) + &paragraph(&total(policy, &starts, attempt)) + &budget(policy)
}

fn total(policy: &RetryPolicy, starts: &[Start], attempt: Duration) -> String {
    let (count, last) = (starts.len(), starts[starts.len() - 1].latest);
    let attempts = match count {
        1 => "1 attempt".to_owned(),
        count => format!("{count} attempts"),
    };
    let never = match policy.max_attempts as usize - count {
        0 => String::new(),
        never => format!(" `max_elapsed` is over before the other {never}."),
    };
    let bounded = match policy.max_elapsed {
        Some(max) if last == max => ", bounded by `max_elapsed`",
        _ => "",
    };
    if attempt.is_zero() {
        return format!(
            "Worst case: {attempts}, {} of waiting{bounded}, and the time that the attempts take: \
             `--attempt 2s` adds it. Longer where the upstream says when to come back.{never}",
            time(last)
        );
    }
    format!(
        "Worst case: {attempts} in {}{bounded}, each up to {}. Longer where the upstream says when to \
         come back.{never}",
        time(last.saturating_add(attempt)),
        time(attempt)
    )
}

fn budget(policy: &RetryPolicy) -> String {
    match &policy.budget {
        Some(budget) => paragraph(&format!(
            "Budget: together its calls may be retried {} times for each call made, and {} times \
             a second whatever the traffic.",
            number(budget.ratio),
            number(budget.min_per_second)
        )),
        None => {
            paragraph("No budget: when the upstream fails every call, each is tried to the end.")
        }
    }
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
