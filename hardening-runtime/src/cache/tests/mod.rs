//! The cache as its callers see it, and one regression test for each trap of this field.

mod bounds;
#[cfg(feature = "test-util")]
mod flights;
#[cfg(feature = "test-util")]
mod staleness;

use super::*;
use std::{
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Says which run it was of, so that a test sees who was answered by which.
#[derive(Default)]
pub(super) struct Runs(AtomicU32);

impl Runs {
    pub(super) fn begin(&self) -> u32 {
        self.0.fetch_add(1, SeqCst) + 1
    }

    pub(super) fn count(&self) -> u32 {
        self.0.load(SeqCst)
    }
}

pub(super) fn is_load_failed(error: &std::io::Error, text: &str) -> bool {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Rejected>());
    matches!(inner, Some(Rejected::LoadFailed { reason, .. }) if reason.contains(text))
}
