//! What the configuration says of a check.

use crate::config::{self, Config, ConfigErrors};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Should the platform restart this process?
    Liveness,
    /// May traffic come here?
    Readiness,
}

impl Group {
    /// The group's name in YAML: `liveness` or `readiness`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Liveness => "liveness",
            Self::Readiness => "readiness",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Group {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "liveness" => Ok(Self::Liveness),
            "readiness" => Ok(Self::Readiness),
            _ => Err(format!("`{text}` is no group: `liveness` or `readiness`")),
        }
    }
}

/// The settings of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthSettings {
    /// Whether the check runs. One that does not is in no report either. Default true.
    pub enabled: bool,
    /// How often the monitor runs it, ± 10 %, and exactly with the feature `test-util`. At least 100 ms. Default 30 s.
    pub interval: Duration,
    /// How long one run may take. Default 10 s.
    pub timeout: Duration,
    /// Failures in a row that make it unhealthy; 0 means 1. Default 3.
    pub failure_threshold: u32,
    /// Successes in a row that make it healthy again; 0 means 1. Default 1.
    pub success_threshold: u32,
    /// A label in the report. Default empty: what the check says of itself, such as `tcp`.
    pub check_type: String,
    /// Whether the report is unhealthy when this check is. Default false.
    pub critical: bool,
    /// The groups that it is in. Default readiness.
    pub groups: Vec<Group>,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            failure_threshold: 3,
            success_threshold: 1,
            check_type: String::new(),
            critical: false,
            groups: vec![Group::Readiness],
        }
    }
}

impl From<config::HealthGroup> for Group {
    fn from(group: config::HealthGroup) -> Self {
        match group {
            config::HealthGroup::Readiness => Self::Readiness,
            config::HealthGroup::Liveness => Self::Liveness,
        }
    }
}

impl From<config::Provider> for HealthSettings {
    fn from(policy: config::Provider) -> Self {
        Self {
            enabled: policy.enabled,
            interval: policy.interval,
            timeout: policy.timeout,
            failure_threshold: policy.failure_threshold,
            success_threshold: policy.success_threshold,
            check_type: policy.check_type.unwrap_or_default(),
            critical: policy.critical,
            groups: policy.groups.into_iter().map(Group::from).collect(),
        }
    }
}

/// What the configuration says of all checks, and of each: of those that it names, and of those
/// found at link time, which say something of themselves.
pub(crate) fn settings_of(
    config: &Config,
) -> Result<(HealthSettings, BTreeMap<String, HealthSettings>), ConfigErrors> {
    let defaults = config.health_check("", "", &[])?.into();
    let mut checks = BTreeMap::new();
    let mut errors = Vec::new();
    let mut add = |name: &str, at: &str, declared| match config.health_check(name, at, declared) {
        Ok(policy) => drop(checks.insert(name.to_owned(), policy.into())),
        Err(wrong) => errors.extend(wrong),
    };
    for name in config.health().providers.keys() {
        add(name, "", &[]);
    }
    for probe in super::probes() {
        let at = format!("{}:{}", probe.file, probe.line);
        add(probe.name, &at, probe.settings);
    }
    ConfigErrors::of(errors).map_or(Ok((defaults, checks)), Err)
}
