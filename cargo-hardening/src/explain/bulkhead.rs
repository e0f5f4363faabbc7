//! A bulkhead: who runs, who waits, who is rejected.

use hardening_config::BulkheadPolicy;

use super::{figure, paragraph, row};
use crate::picture::time;

const BAR: u64 = 40;

pub(super) fn explain(policy: &BulkheadPolicy) -> String {
    let (running, waiting) = (
        u64::from(policy.max_concurrent),
        u64::from(policy.max_queue),
    );
    let all = running + waiting;
    let cells = usize::try_from((running * BAR / all).max(1)).unwrap_or(1);
    let rest = usize::try_from(BAR).unwrap_or(0) - cells;
    let places = |from: u64, to: u64| {
        if from == to {
            from.to_string()
        } else {
            format!("{from} – {to}")
        }
    };
    let mut rows = vec![
        row!["caller", "", ""],
        row![places(1, running), "runs", "█".repeat(cells)],
    ];
    if waiting > 0 {
        let bar = format!("{}{}", " ".repeat(cells), "░".repeat(rest));
        let wait = format!("waits, at most {}", time(policy.max_wait));
        rows.push(row![places(running + 1, all), wait, bar]);
    }
    rows.push(row![
        format!("{} and more", all + 1),
        "rejected at once",
        ""
    ]);
    figure(&rows) + &paragraph("By priority, then first come first served.")
}
