//! A timeout: the call, and the attempts in it.

use std::time::Duration;

use hardening_config::TimeoutPolicy;

use super::{figure, paragraph, row};
use crate::picture::{span, time};

const BAR: usize = 40;

pub(super) fn explain(policy: &TimeoutPolicy) -> String {
    let whole = policy.call.max(policy.attempt).unwrap_or_default();
    let line = |name: &str, bound: Option<Duration>| match bound {
        Some(bound) => row![
            name,
            time(bound),
            span(Duration::ZERO, bound, whole, BAR, '█')
        ],
        None => row![name, "no bound", ""],
    };
    let rows = [
        row!["what", "at most", ""],
        line("each attempt", policy.attempt),
        line("the whole call", policy.call),
    ];
    figure(&rows) + &together(policy)
}

fn together(policy: &TimeoutPolicy) -> String {
    let (Some(call), Some(attempt)) = (policy.call, policy.attempt) else {
        return String::new();
    };
    if attempt > call {
        return paragraph("No attempt has its whole time: the call's end cuts off what runs then.");
    }
    let fit = call.as_nanos() / attempt.as_nanos().max(1);
    paragraph(&format!(
        "{fit} attempts that hang fit into a call, if nothing waits between them; the call's end \
         cuts off what runs then."
    ))
}
