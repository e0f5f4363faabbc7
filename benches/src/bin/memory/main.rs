//! What is kept in memory, beside the peers: `cargo run --release -p benches --bin memory`.
//!
//! A program of its own, since its allocator counts, which would slow down whoever allocates in the
//! scenarios that are timed. Counted is what was asked of the allocator and not given back; what it adds
//! for itself is not.
#![forbid(unsafe_code)]

mod cache;
mod rate_limit;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::{alloc::System, hint::black_box};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// All that is measured: add a function.
const TABLES: [fn() -> Table; 2] = [rate_limit::table, cache::table];

struct Table {
    /// What is counted, and for each of what.
    what: &'static str,
    rows: Vec<Row>,
}

struct Row {
    who: &'static str,
    bytes: f64,
    /// At most so many.
    goal: Option<f64>,
}

impl Row {
    const fn new(who: &'static str, bytes: f64) -> Self {
        Self {
            who,
            bytes,
            goal: None,
        }
    }

    const fn at_most(self, bytes: f64) -> Self {
        Self {
            goal: Some(bytes),
            ..self
        }
    }
}

fn main() {
    for table in TABLES {
        let Table { what, rows } = table();
        println!("### {what}\n\n| | bytes | goal | |\n|---|--:|--:|---|");
        for Row { who, bytes, goal } in rows {
            let verdict = match goal {
                Some(most) if bytes <= most => format!("≤ {most} | met"),
                Some(most) => format!("≤ {most} | **missed**"),
                None => String::from("|"),
            };
            println!("| {who} | {bytes:.1} | {verdict} |");
        }
        println!();
    }
}

/// Bytes of the heap that what `make` returns holds on to, for each of `count`. Made once before, so that
/// what the process keeps from the first time does not count.
fn bytes_each<T>(count: usize, make: impl Fn() -> T) -> f64 {
    drop(black_box(make()));
    let region = Region::new(ALLOCATOR);
    let held = black_box(make());
    let change = region.change();
    drop(held);
    (change.bytes_allocated as f64 - change.bytes_deallocated as f64) / count as f64
}
