//! Whole calls, on tokio's paused clock where time passes.

mod blocking;
mod driver;
mod events;
mod future;
#[cfg(feature = "test-util")]
mod on_a_paused_clock;

use super::*;
use crate::outcome::{Class, Classify, Failure, Rejected};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, PartialEq)]
struct Error(Class);

impl Classify for Error {
    fn classify(&self) -> Class {
        self.0
    }
}

const TRANSIENT: Result<(), Error> = Err(Error(Class::Transient));
const PERMANENT: Result<(), Error> = Err(Error(Class::Permanent));

/// Waits of exactly one second.
fn policy(max_attempts: u32) -> RetryPolicy {
    RetryPolicy {
        max_attempts,
        base_delay: SECOND,
        exponential_base: 1.0,
        jitter: Jitter::None,
        ..RetryPolicy::default()
    }
}

/// The same without waits: for tests that need no clock.
fn at_once(max_attempts: u32) -> RetryPolicy {
    RetryPolicy {
        base_delay: Duration::ZERO,
        ..policy(max_attempts)
    }
}

fn no_hook(_: &RetryEvent) {}
