//! What a call costs, beside the best of the peers: `cargo run --release -p benches -- GROUP`, or `all`.
//!
//! Each scenario runs in one process, the contenders in turn on the same work; a round's ratios are
//! of figures taken within milliseconds of each other, which is what stays true on a noisy machine.
//! Reported are the medians, and of the ratios the middle half.
#![forbid(unsafe_code)]

mod contender;
mod goal;
mod groups;
mod rounds;
mod spread;
mod table;

use groups::GROUPS;
use std::{env, process::ExitCode, time::Instant};

/// The goals that are no time of a call.
const ELSEWHERE: &str = "\
Measured by other commands:

| what | goal | command |
|---|---|---|
| bytes per key of a limit, a million keys | ≤ 32, bounded | `cargo run --release -p benches --bin memory` |
| bytes per entry of a cache, and of a site's figures | – | `cargo run --release -p benches --bin memory` |
| bytes per site, of 1,000 with five layers | – | `cargo run --release -p benches --features sites --bin memory` |
| 1,000 functions of five layers, called in turn | – | `cargo run --release -p benches --features sites -- five_layers` |
| bytes of the futures | as many as the test says | `cargo test --test sizes` |
| five layers: allocations of a call | none | `cargo test --test allocations` |
| `cargo check` of 1,000 functions with two attributes | ≤ 1 × `#[tracing::instrument]` | `cargo run --release -p benches --bin compile_cost` |
| instructions of a call along each path | ≤ the baseline | `cargo run --release -p benches --bin instructions` |";

fn main() -> ExitCode {
    let wanted: Vec<String> = env::args().skip(1).collect();
    let unknown = wanted
        .iter()
        .any(|name| name != "all" && !GROUPS.iter().any(|group| group.name == name));
    if wanted.is_empty() || unknown {
        eprintln!("say what to measure: all, or some of");
        for group in GROUPS {
            eprintln!("  {:<16}{}", group.name, group.about);
        }
        return ExitCode::FAILURE;
    }
    let mut summary = Vec::new();
    for group in GROUPS {
        if wanted
            .iter()
            .any(|name| name == "all" || name == group.name)
        {
            println!("## {}\n", group.about);
            let began = Instant::now();
            for scenario in (group.scenarios)() {
                let measured = scenario.measure();
                println!("{}", table::scenario(&measured));
                summary.push(measured);
            }
            eprintln!("{}: {:.0} s", group.name, began.elapsed().as_secs_f64());
        }
    }
    println!("{}", table::summary(&summary));
    if wanted.iter().any(|name| name == "all") {
        println!("{ELSEWHERE}");
    }
    ExitCode::SUCCESS
}
