//! A circuit breaker: what leads from state to state, and how long it stays open.

use std::time::Duration;

use hardening_config::CircuitBreakerPolicy;

use super::{figure, paragraph, row};
use crate::picture::{number, span, time};

const BAR: usize = 40;
const OPENINGS: u32 = 8;

/// How long the circuit stays open for the first time, and each time that its probes fail.
fn openings(policy: &CircuitBreakerPolicy) -> Vec<Duration> {
    let mut openings = Vec::new();
    for reopened in 0..OPENINGS {
        let factor = policy.open_for_multiplier.powf(f64::from(reopened));
        let grown = Duration::try_from_secs_f64(policy.open_for.as_secs_f64() * factor);
        let longest = policy.open_for_max.max(policy.open_for);
        let opening = grown.unwrap_or(longest).min(longest);
        if openings.last() == Some(&opening) {
            break;
        }
        openings.push(opening);
    }
    openings
}

pub(super) fn explain(policy: &CircuitBreakerPolicy) -> String {
    let mut rows = vec![
        row!["from", "", "to", "when"],
        row![
            "closed",
            "→",
            "open",
            format!("{} failures in a row", policy.failure_threshold)
        ],
    ];
    let over = match policy.window_calls {
        Some(calls) => format!("the last {calls} calls"),
        None => time(policy.window),
    };
    if let Some(rate) = policy.failure_rate {
        rows.push(row![
            "",
            "",
            "",
            format!("or {}% failures over {over}", number(rate * 100.0))
        ]);
    }
    if let (Some(rate), Some(slow)) = (policy.slow_call_rate, policy.slow_call) {
        let percent = number(rate * 100.0);
        rows.push(row![
            "",
            "",
            "",
            format!("or {percent}% slower than {} over {over}", time(slow))
        ]);
    }
    if policy.failure_rate.is_some() || policy.slow_call_rate.is_some() {
        rows.push(row![
            "",
            "",
            "",
            format!("(rates count from {} calls on)", policy.minimum_calls)
        ]);
    }
    rows.push(row![
        "open",
        "→",
        "half-open",
        format!("after {}", time(policy.open_for))
    ]);
    rows.push(row!["half-open", "→", "closed", probes(policy)]);
    rows.push(row!["half-open", "→", "open", "when a probe fails"]);
    figure(&rows) + &reopenings(policy)
}

fn probes(policy: &CircuitBreakerPolicy) -> String {
    let succeed = match policy.success_threshold {
        1 => "1 probe succeeds".to_owned(),
        count => format!("{count} probes succeed"),
    };
    match policy.half_open_calls {
        1 => format!("{succeed} (one at a time)"),
        count => format!("{succeed} (up to {count} together)"),
    }
}

fn reopenings(policy: &CircuitBreakerPolicy) -> String {
    let openings = openings(policy);
    let [first, .., last] = openings.as_slice() else {
        let open_for = time(policy.open_for);
        return paragraph(&format!(
            "Down for good, the upstream is asked once in {open_for}."
        ));
    };
    debug_assert!(first <= last);
    let mut rows = vec![row!["opening", "lasts", ""]];
    for (opening, number) in openings.iter().zip(1..) {
        let bar = span(Duration::ZERO, *opening, *last, BAR, '█');
        rows.push(row![format!("{number:>7}"), time(*opening), bar]);
    }
    let longest = time(policy.open_for_max.max(policy.open_for));
    figure(&rows)
        + &paragraph(&format!(
            "Each opening in a row lasts {} times the one before, up to {longest}.",
            number(policy.open_for_multiplier)
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_engine_stays_open_as_long() {
        let policy = CircuitBreakerPolicy {
            failure_threshold: 1,
            open_for: Duration::from_secs(10),
            open_for_multiplier: 2.5,
            open_for_max: Duration::from_secs(200),
            ..CircuitBreakerPolicy::default()
        };
        let circuit = hardening_runtime::CircuitBreaker::new(policy.clone());
        let fail =
            || async { Err::<(), _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset)) };
        let expected = openings(&policy);
        assert_eq!(expected.len(), 5);
        for opening in expected {
            let _ = circuit.call(fail).await;
            tokio::time::advance(opening.saturating_sub(Duration::from_millis(1))).await;
            assert!(
                circuit
                    .call(fail)
                    .await
                    .is_err_and(|e| e.to_string().contains("open")),
                "{opening:?}"
            );
            tokio::time::advance(Duration::from_millis(1)).await;
        }
    }
}
