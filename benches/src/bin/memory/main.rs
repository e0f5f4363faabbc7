//! What is kept in memory, beside the peers: `cargo run --release -p benches --bin memory`.
//!
//! A program of its own, since its allocator counts, which would slow down whoever allocates in the
//! scenarios that are timed. Counted is what was asked of the allocator and not given back; what it adds
//! for itself is not. How large the futures of annotated functions are, `cargo test --test sizes` says.
#![forbid(unsafe_code)]

mod cache;
mod figures;
mod rate_limit;
#[cfg(feature = "sites")]
mod sites;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};
use std::{alloc::System, hint::black_box};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// All that is measured: add a function.
const TABLES: &[fn() -> Table] = &[
    rate_limit::table,
    cache::table,
    figures::table,
    #[cfg(feature = "sites")]
    sites::table,
];

struct Table {
    /// What is counted, and for each of what.
    what: &'static str,
    rows: Vec<Row>,
}

struct Row {
    who: &'static str,
    /// How many there are.
    count: usize,
    /// Of each of them.
    bytes: f64,
    /// At most so many.
    goal: Option<f64>,
}

impl Row {
    const fn new(who: &'static str, count: usize, bytes: f64) -> Self {
        Self {
            who,
            count,
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
        println!("### {what}\n\n| | bytes of each | in all | goal | |\n|---|--:|--:|---|---|");
        for row in rows {
            let Row { who, bytes, .. } = row;
            let verdict = match row.goal {
                Some(most) if bytes <= most => format!("≤ {most} | met"),
                Some(most) => format!("≤ {most} | **missed**"),
                None => String::from("|"),
            };
            let all = in_all(bytes * row.count as f64);
            println!("| {who} | {bytes:.1} | {all} | {verdict} |");
        }
        println!();
    }
}

fn in_all(bytes: f64) -> String {
    match bytes {
        bytes if bytes < 1e4 => format!("{bytes:.0} B"),
        bytes if bytes < 1e6 => format!("{:.1} kB", bytes / 1e3),
        bytes => format!("{:.1} MB", bytes / 1e6),
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
    kept(change) / count as f64
}

/// Bytes that were asked for and not given back.
fn kept(change: Stats) -> f64 {
    change.bytes_allocated as f64 - change.bytes_deallocated as f64
}
