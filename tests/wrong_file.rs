//! What a function runs on whose policy nobody can read. Its configuration is the process's, so the test runs in
//! a process of its own.

#[path = "support/log.rs"]
mod log;
mod support;

use hardening::retryable;
use log::Log;
use std::fs;
use support::{AppError, AppResult, Runs, child, folder, is_child};

/// The file of this package defines it, and the built-in policies do not.
#[retryable(policy = "composition", base_delay = 0)]
fn named_by_the_file(runs: &Runs) -> AppResult<()> {
    runs.up();
    Err(AppError::Busy)
}

#[test]
fn where_the_file_is_wrong_what_it_would_have_defined_is_no_further_mistake() {
    if !is_child() {
        let name = "where_the_file_is_wrong_what_it_would_have_defined_is_no_further_mistake";
        let folder = folder(name);
        fs::write(folder.join("hardening.yaml"), "runtime: [").unwrap();
        child(name, &folder, &[]);
        return fs::remove_dir_all(folder).unwrap();
    }
    let log = Log::of_the_process();
    let runs = Runs::new();
    named_by_the_file(&runs).unwrap_err();
    assert_eq!(runs.get(), 3, "as the section's default says");
    assert_eq!(log.count("ERROR"), 1, "{:?}", log.with("ERROR"));
    assert_eq!(log.count("no configuration file"), 0);
    fs::write("hardening.yaml", "runtime: {}").unwrap();
    let told = hardening::reload().unwrap_err().to_string();
    assert!(told.contains("no retry policy `composition`"), "{told}");
}
