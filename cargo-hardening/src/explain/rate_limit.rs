//! An op: its steady rate, its burst, and what one caller that takes all it can is admitted.

use std::time::Duration;

use hardening_config::{Limit, RateLimitPolicy, Scope};

use super::{figure, paragraph, row};
use crate::picture::{number, time};

const BAR: u64 = 40;

/// The calls that a full bucket has admitted to a caller without rest, `after` its first.
fn admitted(limits: &[Limit], after: Duration) -> u64 {
    let by_one = |limit: &Limit| {
        let refilled =
            u128::from(limit.capacity) * after.as_nanos() / limit.window.as_nanos().max(1);
        u64::from(limit.capacity).saturating_add(u64::try_from(refilled).unwrap_or(u64::MAX))
    };
    limits.iter().map(by_one).min().unwrap_or(0)
}

/// So many in the smallest unit of time that makes it at least one.
fn steady(limit: &Limit) -> String {
    let each = f64::from(limit.capacity) / limit.window.as_secs_f64();
    let units = [("a second", 1.0), ("a minute", 60.0), ("an hour", 3_600.0)];
    let unit = units.into_iter().find(|(_, seconds)| each * seconds >= 1.0);
    let (unit, seconds) = unit.unwrap_or(("a day", 86_400.0));
    format!("{} {unit}", number(each * seconds))
}

pub(super) fn explain(policy: &RateLimitPolicy) -> String {
    let mut rows = vec![row![
        "limit for",
        "burst",
        "steady rate",
        "one token every",
        "empty to full"
    ]];
    for limit in &policy.limits {
        rows.push(row![
            match limit.scope {
                Scope::Key => "each key",
                Scope::Global => "everybody",
            },
            limit.capacity.to_string(),
            steady(limit),
            time(limit.window / limit.capacity.max(1)),
            time(limit.window),
        ]);
    }
    figure(&rows) + &burst(policy) + &waiting(policy)
}

/// What is admitted over the longest window.
fn burst(policy: &RateLimitPolicy) -> String {
    let window = policy
        .limits
        .iter()
        .map(|limit| limit.window)
        .max()
        .unwrap_or_default();
    let moments = [0, 1, 2, 3, 4].map(|quarter| window / 4 * quarter);
    let most = admitted(&policy.limits, window).max(1);
    let mut rows = vec![row!["after", "admitted", ""]];
    for moment in moments {
        let count = admitted(&policy.limits, moment);
        let length =
            usize::try_from(u128::from(count) * u128::from(BAR) / u128::from(most)).unwrap_or(0);
        rows.push(row![
            time(moment),
            count.to_string(),
            "█".repeat(length.max(1))
        ]);
    }
    paragraph("One caller that takes all it can, from a full bucket:") + &figure(&rows)
}

fn waiting(policy: &RateLimitPolicy) -> String {
    if policy.max_wait.is_zero() {
        return paragraph("What is not admitted is rejected at once.");
    }
    paragraph(&format!(
        "What is not admitted waits for its turn, first come first served, for at most {}.",
        time(policy.max_wait)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_limits_admit_what_the_strictest_does() {
        let policy = RateLimitPolicy::per_key(10, Duration::from_secs(1))
            .and(RateLimitPolicy::global(20, Duration::from_secs(60)));
        let counts = [0, 1, 2, 60, 120].map(|s| admitted(&policy.limits, Duration::from_secs(s)));
        assert_eq!(counts, [10, 20, 20, 40, 60]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_engine_admits_as_many() {
        let policy = RateLimitPolicy::per_key(7, Duration::from_secs(10));
        let limiter = hardening_runtime::RateLimiter::new(policy.clone());
        let (mut count, mut seconds) = (0, 0);
        while seconds <= 40 {
            while limiter.check(&1).is_ok() {
                count += 1;
            }
            assert_eq!(
                count,
                admitted(&policy.limits, Duration::from_secs(seconds)),
                "{seconds}"
            );
            tokio::time::advance(Duration::from_secs(1)).await;
            seconds += 1;
        }
    }

    #[test]
    fn the_steady_rate_has_a_unit_that_makes_it_a_number_one_can_imagine() {
        for (capacity, window, rate) in [
            (30, 60, "30 a minute"),
            (600, 60, "10 a second"),
            (5, 3_600, "5 an hour"),
            (1, 864_000, "0.1 a day"),
        ] {
            let limits = RateLimitPolicy::per_key(capacity, Duration::from_secs(window)).limits;
            assert_eq!(steady(&limits[0]), rate);
        }
    }
}
