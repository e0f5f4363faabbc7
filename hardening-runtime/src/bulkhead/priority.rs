//! How urgent a call is.

use serde::Serialize;

/// How urgent a call is to get a place: `Urgent > High > Normal > Low`.
///
/// ```
/// # use hardening_runtime as hardening;
/// use hardening::bulkhead::Priority;
///
/// assert!(Priority::Urgent > Priority::High && Priority::Normal > Priority::Low);
/// assert_eq!(Priority::default(), Priority::Normal);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Work that nobody waits for.
    Low,
    /// Ordinary calls: the default.
    #[default]
    Normal,
    /// Calls that somebody waits for.
    High,
    /// Calls that everything else waits for.
    Urgent,
}

impl Priority {
    /// All priorities, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Urgent, Self::High, Self::Normal, Self::Low];

    /// The priority in lower case, as labels of metrics want it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}
