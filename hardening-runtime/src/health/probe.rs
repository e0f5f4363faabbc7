//! Checks that are found at link time.

use super::status::HealthResult;
use std::{future::Future, pin::Pin};

/// One `#[health_check]` function, as static data.
///
/// The linker drops those of a crate that the program never names. Name the check in the
/// configuration's `health_checks.providers`, and its absence is reported at start
/// ([`super::Registry::unregistered_providers`]).
#[derive(Debug)]
pub struct Probe {
    /// The check's name.
    pub name: &'static str,
    /// The source file.
    pub file: &'static str,
    /// The line in that file.
    pub line: u32,
    /// Runs the check once. The future of a blocking check calls it when first polled.
    pub run: fn() -> Pin<Box<dyn Future<Output = HealthResult> + Send>>,
    /// Whether the function is not async, and so needs a thread of its own.
    pub blocking: bool,
    /// The settings that the attribute declares: key and value, as YAML text.
    pub settings: &'static [(&'static str, &'static str)],
}

inventory::collect!(Probe);

/// Every `#[health_check]` of the program.
pub fn probes() -> impl Iterator<Item = &'static Probe> {
    inventory::iter::<Probe>.into_iter()
}
