//! The groups of scenarios, one a layer.

mod bulkhead;
mod retry;
mod timeout;

use crate::rounds::Scenario;

/// What one command measures, in under a minute.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) scenarios: fn() -> Vec<Scenario>,
}

pub(crate) const GROUPS: &[Group] = &[
    Group {
        name: "retry",
        about: "Retry",
        scenarios: retry::scenarios,
    },
    Group {
        name: "bulkhead",
        about: "Bulkhead",
        scenarios: bulkhead::scenarios,
    },
    Group {
        name: "timeout",
        about: "Timeout",
        scenarios: timeout::scenarios,
    },
];
