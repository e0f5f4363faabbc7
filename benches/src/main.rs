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
use std::{env, process::ExitCode};

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
            for scenario in (group.scenarios)() {
                let measured = scenario.measure();
                println!("{}", table::scenario(&measured));
                summary.push(measured);
            }
        }
    }
    println!("{}", table::summary(&summary));
    ExitCode::SUCCESS
}
