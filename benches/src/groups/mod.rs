//! The groups of scenarios, one a layer.

mod bulkhead;
mod cache;
mod circuit_breaker;
mod five_layers;
mod metrics;
mod rate_limit;
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
        name: "rate_limit",
        about: "Rate limit",
        scenarios: rate_limit::scenarios,
    },
    Group {
        name: "circuit_breaker",
        about: "Circuit breaker",
        scenarios: circuit_breaker::scenarios,
    },
    Group {
        name: "cache",
        about: "Cache",
        scenarios: cache::scenarios,
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
    Group {
        name: "metrics",
        about: "Figures of a call",
        scenarios: metrics::scenarios,
    },
    Group {
        name: "five_layers",
        about: "Layers through the attributes",
        scenarios: five_layers::scenarios,
    },
];
