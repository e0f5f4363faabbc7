//! What a check finds, in words.

use std::fmt::Write as _;

use super::Part;
use crate::{
    error::{ConfigError, Origin, Problem},
    kind::LayerKind,
    layer::Effective,
    policy::Doubt,
    schema::Policy,
};

/// What is wrong, or doubtful, about policies of a call site together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is doubtful. `None`: it can never work.
    pub doubt: Option<Doubt>,
    /// Whether it takes waits that are longer than their jitter draws them on average. Ordinary code is
    /// like that: `init!()` tells it, and the compiler does not.
    pub takes_bad_luck: bool,
    /// The settings that have part in it, the first one to blame first.
    pub settings: Vec<(LayerKind, &'static str)>,
    /// Where, and in words; how to allow it is told by [`at_site`](Self::at_site).
    pub error: ConfigError,
}

impl Finding {
    /// As an error of the configuration in force at the call site `path`.
    #[must_use]
    pub fn at_site(mut self, path: &str) -> ConfigError {
        let allow = self.doubt.map(Doubt::how_to_allow);
        self.error.problem.message.extend(allow);
        ConfigError {
            key: path.to_owned(),
            ..self.error
        }
    }

    /// What is wrong, for those who write the attributes.
    #[must_use]
    pub fn in_code(&self) -> String {
        let allow = self.doubt.map_or(String::new(), |doubt| {
            let name = doubt.name();
            format!("; if it is meant so, write `allow = [\"{name}\"]`")
        });
        format!("{}{allow}", self.error.problem)
    }
}

/// What a finding says.
pub(super) struct Words<'a> {
    pub(super) what: &'a str,
    /// Left out when one of the settings may be a secret.
    pub(super) figures: String,
    pub(super) instead: &'a str,
}

/// The settings that a finding is about.
pub(super) struct About<'a> {
    /// Where the first layer is declared.
    at: &'a str,
    settings: Vec<(LayerKind, Effective)>,
    /// Whether one of them cannot be known here.
    unknown: bool,
}

impl<'a> About<'a> {
    pub(super) fn of<P: Policy>(part: &Part<'a, P>, keys: &[&str]) -> Self {
        let nothing = Self {
            at: part.at,
            settings: Vec::new(),
            unknown: false,
        };
        nothing.and(part, keys)
    }

    pub(super) fn and<P: Policy>(mut self, part: &Part<'_, P>, keys: &[&str]) -> Self {
        // Whether the layer does anything, too.
        let mut decisive = keys.iter().chain(&["enabled", "mode"]);
        self.unknown |= decisive.any(|key| part.resolved.unknown.contains(key));
        for key in keys {
            let mut all = part.resolved.settings.iter();
            let setting = all.find(|setting| setting.key == *key).cloned();
            self.settings
                .extend(setting.map(|setting| (P::KIND, setting)));
        }
        self
    }

    pub(super) fn error(self, words: &Words<'_>) -> Option<Finding> {
        self.finding(None, words)
    }

    pub(super) fn doubt(self, doubt: Doubt, words: &Words<'_>) -> Option<Finding> {
        self.finding(Some(doubt), words)
    }

    /// The finding, unless it depends on what is not known here.
    fn finding(self, doubt: Option<Doubt>, words: &Words<'_>) -> Option<Finding> {
        if self.unknown {
            return None;
        }
        let written = || {
            let all = self.settings.iter().map(|(_, setting)| setting);
            all.filter(|setting| setting.origin != Origin::BuiltIn)
        };
        let mut message = words.what.to_owned();
        if written().all(|setting| setting.variables.is_none()) {
            let _ = write!(message, ": {}", words.figures);
        }
        let listed: Vec<String> = written().map(|setting| listed(setting, self.at)).collect();
        if !listed.is_empty() {
            let _ = write!(message, " ({})", listed.join(", "));
        }
        let _ = write!(message, "; {}", words.instead);
        let here = Origin::Attribute { at: self.at.into() };
        let origin = written().next().map_or(&here, |setting| &setting.origin);
        Some(Finding {
            doubt,
            takes_bad_luck: false,
            error: ConfigError::new(origin, "", Problem::new(message)),
            settings: self
                .settings
                .iter()
                .map(|(kind, setting)| (*kind, setting.key))
                .collect(),
        })
    }
}

/// A setting with its value and where it came from, for those who read about it somewhere else.
fn listed(setting: &Effective, here: &str) -> String {
    let key = setting.key;
    match (&setting.variables, &setting.origin) {
        (Some(variables), _) => format!("`{key}` is {variables}"),
        (None, Origin::Attribute { at }) if **at == *here => format!("`{key}` {}", setting.value),
        (None, origin) => format!("`{key}` {} from {origin}", setting.value),
    }
}
