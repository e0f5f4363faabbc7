//! Figures as Markdown.

use crate::{
    contender::Whose,
    goal::{Bound, Verdict, verdicts},
    rounds::{Measured, Scenario},
    spread::Spread,
};
use std::fmt::Write as _;

/// A scenario: each contender's time, and how many times as long ours takes. Where several are ours, they are
/// no rivals of each other, and there is nothing to compare.
pub(crate) fn scenario(measured: &Measured) -> String {
    let scenario = &measured.scenario;
    let ours = the_only_one(scenario);
    let compared = ours.map_or(0, |_| scenario.threads.len());
    let mut text = format!("### {}\n\n| |", scenario.what);
    for threads in scenario.threads {
        let _ = write!(text, " {} |", on_threads(*threads));
    }
    text.push_str(&" ours ÷ it |".repeat(compared));
    text.push_str("\n|---|");
    text.push_str(&"--:|".repeat(scenario.threads.len() + compared));
    for (who, contender) in scenario.contenders.iter().enumerate() {
        let name = match contender.whose {
            Whose::Ours => format!("**{}**", contender.name),
            Whose::Limit => format!("*{}*", contender.name),
            Whose::Peer => contender.name.to_owned(),
        };
        let _ = write!(text, "\n| {name} |");
        for column in 0..scenario.threads.len() {
            let _ = write!(text, " {} |", time(measured.nanos(column, who).median));
        }
        for column in 0..compared {
            match ours.filter(|&ours| ours != who) {
                Some(ours) => {
                    let _ = write!(
                        text,
                        " {} |",
                        middle_half(measured.ratio(column, ours, who))
                    );
                }
                None => text.push_str(" |"),
            }
        }
    }
    text.push('\n');
    for verdict in verdicts(measured) {
        let _ = write!(text, "\n- {}", sentence(&verdict));
    }
    text.push('\n');
    text
}

/// The position of ours, if there is one and no more.
fn the_only_one(scenario: &Scenario) -> Option<usize> {
    let contenders = scenario.contenders.iter().enumerate();
    let mut ours = contenders.filter(|(_, contender)| contender.whose == Whose::Ours);
    ours.next()
        .filter(|_| ours.next().is_none())
        .map(|(who, _)| who)
}

/// All goals of all scenarios, one a line.
pub(crate) fn summary(all: &[Measured]) -> String {
    let mut text =
        String::from("## Goals\n\n| what | threads | goal | reached | |\n|---|--:|---|---|---|");
    for measured in all {
        for verdict in verdicts(measured) {
            let _ = write!(
                text,
                "\n| {} | {} | {} | {} | {} |",
                measured.scenario.what,
                verdict.threads,
                goal(&verdict),
                reached(&verdict),
                if verdict.met() { "met" } else { "**missed**" },
            );
        }
    }
    text.push('\n');
    text
}

fn sentence(verdict: &Verdict) -> String {
    format!(
        "{}, {}: {}, {}",
        goal(verdict),
        on_threads(verdict.threads),
        reached(verdict),
        if verdict.met() { "met" } else { "**missed**" },
    )
}

fn goal(verdict: &Verdict) -> String {
    match verdict.bound {
        Bound::Times(most) => format!("≤ {most} × {}", verdict.against),
        Bound::Plus(most) => format!("≤ {} + {most} ns", verdict.against),
    }
}

fn reached(verdict: &Verdict) -> String {
    match verdict.bound {
        Bound::Times(_) => format!("{} ×", middle_half(verdict.reached)),
        Bound::Plus(_) => format!("{} ns more", middle_half(verdict.reached)),
    }
}

fn on_threads(threads: u64) -> String {
    match threads {
        1 => "1 thread".to_owned(),
        more => format!("{more} threads"),
    }
}

fn middle_half(spread: Spread) -> String {
    format!(
        "{:.2} ({:.2}–{:.2})",
        spread.median, spread.low, spread.high
    )
}

fn time(nanos: f64) -> String {
    match nanos {
        ns if ns < 100.0 => format!("{ns:.1} ns"),
        ns if ns < 1e4 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
        ns => format!("{:.1} ms", ns / 1e6),
    }
}
