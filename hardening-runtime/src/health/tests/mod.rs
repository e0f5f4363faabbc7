//! The rules, each in a test. Every test has a registry of its own.

use super::*;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

#[cfg(feature = "test-util")]
mod blocking;
#[cfg(feature = "health-checks")]
mod builtin;
mod judging;
#[cfg(feature = "test-util")]
mod monitoring;
mod reporting;
#[cfg(feature = "test-util")]
mod running;
mod settings;

#[cfg(feature = "test-util")]
const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Counts the runs of a check.
#[derive(Clone, Default)]
struct Count(Arc<AtomicU32>);

impl Count {
    fn up(&self) {
        self.0.fetch_add(1, SeqCst);
    }

    fn get(&self) -> u32 {
        self.0.load(SeqCst)
    }
}

/// A dependency that can be switched off.
#[derive(Clone)]
struct Dependency(Arc<AtomicBool>);

impl Dependency {
    fn new(up: bool) -> Self {
        Self(Arc::new(AtomicBool::new(up)))
    }

    fn set(&self, up: bool) {
        self.0.store(up, SeqCst);
    }

    fn is_up(&self) -> bool {
        self.0.load(SeqCst)
    }
}

impl Check for Dependency {
    async fn check(&self) -> HealthResult {
        self.is_up().into_health()
    }

    fn check_type(&self) -> &'static str {
        "ping"
    }
}

fn critical() -> HealthSettings {
    HealthSettings {
        critical: true,
        ..HealthSettings::default()
    }
}

#[cfg(feature = "test-util")]
fn within(timeout: Duration) -> HealthSettings {
    HealthSettings {
        timeout,
        ..HealthSettings::default()
    }
}
