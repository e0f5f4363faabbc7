//! The groups of scenarios, one a layer.

mod retry;

use crate::rounds::Scenario;

/// What one command measures, in under a minute.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) scenarios: fn() -> Vec<Scenario>,
}

pub(crate) const GROUPS: [Group; 1] = [Group {
    name: "retry",
    about: "Retry",
    scenarios: retry::scenarios,
}];
