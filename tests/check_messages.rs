//! What a report says of a check that failed.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

use hardening::{health, health_check};
use std::fmt;

/// As most errors are: for people and for programmers.
#[derive(Debug)]
struct Down;

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the disk is full")
    }
}

#[derive(Debug)]
struct OnlyDebug;

#[health_check]
fn told_as_it_displays() -> Result<(), Down> {
    Err(Down)
}

#[health_check]
async fn told_as_it_debugs() -> Result<(), OnlyDebug> {
    Err(OnlyDebug)
}

#[health_check]
fn without_words() -> bool {
    false
}

#[tokio::test(start_paused = true)]
async fn an_error_is_told_in_the_words_that_it_has_for_people() {
    let report = health::registry().run_all().await;
    let message = |check: &str| report.checks[check].message.clone();
    assert_eq!(message("told_as_it_displays").unwrap(), "the disk is full");
    assert_eq!(message("told_as_it_debugs").unwrap(), "OnlyDebug");
    assert_eq!(message("without_words"), None);
}
