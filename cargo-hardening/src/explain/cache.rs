//! A cache: what a caller gets, by the age of the result.

use std::time::Duration;

use hardening_config::CachePolicy;

use super::{figure, paragraph, row};
use crate::picture::{range, span, time};

const BAR: usize = 24;

/// From when to when, by the age of a result, and what a caller then gets.
fn ages(policy: &CachePolicy) -> Vec<(Duration, Duration, &'static str)> {
    let ttl = policy.ttl;
    let refresh = ttl.saturating_sub(policy.refresh_ahead);
    let stale = ttl.saturating_add(policy.stale_if_error);
    let ages = [
        (Duration::ZERO, refresh, "the result"),
        (refresh, ttl, "the result; one caller refreshes"),
        (ttl, stale, "a new run; if it fails, this"),
    ];
    ages.into_iter().filter(|(from, to, _)| from < to).collect()
}

pub(super) fn explain(policy: &CachePolicy) -> String {
    let ages = ages(policy);
    let end = policy.ttl.saturating_add(policy.stale_if_error);
    let mut rows = vec![row!["age", "a caller gets", ""]];
    for (from, to, gets) in &ages {
        let sign = if *from < policy.ttl { '█' } else { '░' };
        rows.push(row![
            range(*from, *to),
            *gets,
            span(*from, *to, end, BAR, sign)
        ]);
    }
    rows.push(row![format!("{} and more", time(end)), "a new run", ""]);
    figure(&rows) + &notes(policy)
}

fn notes(policy: &CachePolicy) -> String {
    let mut notes = String::new();
    if !policy.ttl_jitter.is_zero() {
        notes += &paragraph(&format!(
            "`ttl_jitter`: each result expires after {}, at random.",
            range(policy.ttl.saturating_sub(policy.ttl_jitter), policy.ttl)
        ));
    }
    notes
        + &paragraph(&format!(
            "At most {} results. Of callers that miss one key together, one runs and the others wait \
             for it. If it takes longer than {}, another runs as well.",
            policy.max_entries,
            time(policy.max_wait)
        ))
}
