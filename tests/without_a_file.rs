//! A program without a configuration file, and without the text of one: nothing here says `init!()`, which
//! would compile it in. The test runs in a process of its own, where no file is.

mod support;

use hardening::{circuit_breaker, retryable};
use std::fs;
use support::{AppError, AppResult, Runs, child, folder, is_child};

#[retryable(policy = "expensive", base_delay = 0)]
fn place(runs: &Runs) -> AppResult<()> {
    runs.up();
    Err(AppError::Busy)
}

#[circuit_breaker(failure_threshold = 2)]
fn search(runs: &Runs) -> AppResult<()> {
    runs.up();
    Err(AppError::Busy)
}

fn runs(call: fn(&Runs) -> AppResult<()>) -> u32 {
    let runs = Runs::new();
    let _ = call(&runs);
    runs.get()
}

#[test]
fn the_built_in_policies_are_in_force() {
    let name = "the_built_in_policies_are_in_force";
    if !is_child() {
        let empty = folder(name);
        child(name, &empty, &[]);
        return fs::remove_dir_all(empty).unwrap();
    }
    assert_eq!(runs(place), 5);
    for op in [
        "search",
        "transform",
        "embed",
        "ai_generate",
        "health_check",
    ] {
        hardening::check_rate_limit(op, &1).unwrap();
    }
    let ran: u32 = (0..3).map(|_| runs(search)).sum();
    assert_eq!(ran, 2, "then the circuit is open");
    assert_eq!(hardening::snapshot().configuration.file, None);
}
