//! `health_checks`: how often, how long, and what counts.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    error::Problem,
    file::{Node, Value},
    group::{read_list, settings, show_list},
    schema::{Expects, POSITIVE, Setting, whole},
    setting::{Nullable, words},
};

settings! {
    /// What the section says for all health checks.
    pub struct HealthDefaults {
        /// Whether the monitor runs. Default true.
        pub enabled: bool = true, Expects::Switch;
        /// The time between two runs of a check. Default 30 s.
        pub interval: Duration = Duration::from_secs(30), POSITIVE;
        /// How long a check may take. Default 10 s.
        pub timeout: Duration = Duration::from_secs(10), POSITIVE;
        /// Failures in a row that make a check unhealthy, from 1 to 1,000. Default 3.
        pub failure_threshold: u32 = 3, whole(1, 1000);
        /// Successes in a row that make it healthy again, from 1 to 1,000. Default 1.
        pub success_threshold: u32 = 1, whole(1, 1000);
    }
}

settings! {
    /// The settings of one health check; what it leaves out comes from its section.
    pub struct Provider {
        /// Whether it runs. Default true.
        pub enabled: bool = true, Expects::Switch;
        /// What it does, in a word for people. Default what the check says of itself.
        pub check_type: Option<String> = None, Expects::Text;
        /// It is no code, but the state of a layer. Default none.
        pub derive: Option<Derive> = None, Expects::Word(Derive::WORDS);
        /// The name of that circuit breaker or bulkhead, or the path of its function. Default the check's own name.
        pub name: Option<String> = None, Expects::Text;
        /// The time between two runs. Default that of all checks.
        pub interval: Duration = Duration::from_secs(30), POSITIVE;
        /// How long it may take. Default that of all checks.
        pub timeout: Duration = Duration::from_secs(10), POSITIVE;
        /// Failures in a row that make it unhealthy, from 1 to 1,000. Default that of all checks.
        pub failure_threshold: u32 = 3, whole(1, 1000);
        /// Successes in a row that make it healthy again, from 1 to 1,000. Default that of all checks.
        pub success_threshold: u32 = 1, whole(1, 1000);
        /// Whether it makes the whole report unhealthy. Default false.
        pub critical: bool = false, Expects::Switch;
        /// The reports that it is part of. Default readiness.
        pub groups: Vec<HealthGroup> = vec![HealthGroup::Readiness], Expects::List {
            of: &Expects::Word(HealthGroup::WORDS),
            min: 1,
        };
    }
}

/// What a check is derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Derive {
    /// The state of a circuit breaker.
    CircuitBreaker,
    /// The queue of a bulkhead.
    Bulkhead,
}

words!(Derive { CircuitBreaker = "circuit_breaker", Bulkhead = "bulkhead" });

impl Nullable for Derive {}

impl Derive {
    fn from_node(node: &Node) -> Option<Self> {
        match &node.value {
            Value::Text(word) => Self::from_word(word),
            _ => None,
        }
    }

    /// The name in YAML: `circuit_breaker` or `bulkhead`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.word()
    }
}

/// A health report that a platform asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HealthGroup {
    /// Whether the process should get calls.
    Readiness,
    /// Whether the process should be kept running.
    Liveness,
}

words!(HealthGroup { Readiness = "readiness", Liveness = "liveness" });

impl HealthGroup {
    fn from_node(node: &Node) -> Option<Self> {
        match &node.value {
            Value::Text(word) => Self::from_word(word),
            _ => None,
        }
    }
}

impl Setting for Vec<HealthGroup> {
    fn read(node: &Node, expects: &Expects) -> Result<Self, Vec<Problem>> {
        read_list(node, expects)
    }

    fn show(&self) -> String {
        show_list(self)
    }
}

/// The section as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthPolicy {
    /// Whether the monitor runs. Default true.
    pub enabled: bool,
    /// The time between two runs of a check. Default 30 s.
    pub interval: Duration,
    /// How long a check may take. Default 10 s.
    pub timeout: Duration,
    /// Failures in a row that make a check unhealthy. Default 3.
    pub failure_threshold: u32,
    /// Successes in a row that make it healthy again. Default 1.
    pub success_threshold: u32,
    /// The checks that the file names, each with all of its settings.
    pub providers: BTreeMap<String, Provider>,
}

impl HealthPolicy {
    pub(crate) fn new(all: &HealthDefaults, providers: BTreeMap<String, Provider>) -> Self {
        Self {
            enabled: all.enabled,
            interval: all.interval,
            timeout: all.timeout,
            failure_threshold: all.failure_threshold,
            success_threshold: all.success_threshold,
            providers,
        }
    }

    /// The settings of a check that the file does not name.
    #[must_use]
    pub fn unnamed(&self) -> Provider {
        Provider {
            interval: self.interval,
            timeout: self.timeout,
            failure_threshold: self.failure_threshold,
            success_threshold: self.success_threshold,
            ..Provider::default()
        }
    }
}

impl Default for HealthPolicy {
    fn default() -> Self {
        Self::new(&HealthDefaults::default(), BTreeMap::new())
    }
}
