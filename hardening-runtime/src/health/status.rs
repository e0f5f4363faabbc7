//! What a check answers.

use serde::Serialize;
use std::fmt;

/// How something is, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Healthy,
    /// Usable, but not as it should be; or failing for too short a time to be sure.
    Degraded,
    /// Not usable.
    Unhealthy,
}

impl Status {
    /// Every status, from best to worst.
    pub const ALL: [Self; 3] = [Self::Healthy, Self::Degraded, Self::Unhealthy];

    /// The status as text: `healthy`, `degraded` or `unhealthy`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What one run of a check answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthResult {
    /// The answer. An unhealthy one counts as one failure.
    pub status: Status,
    /// What to tell the operator.
    pub message: Option<String>,
}

impl HealthResult {
    /// All is well.
    #[must_use]
    pub const fn healthy() -> Self {
        Self {
            status: Status::Healthy,
            message: None,
        }
    }

    /// It works, with reservations.
    #[must_use]
    pub fn degraded(message: impl Into<String>) -> Self {
        Self {
            status: Status::Degraded,
            message: Some(message.into()),
        }
    }

    /// It does not work.
    #[must_use]
    pub fn unhealthy(message: impl Into<String>) -> Self {
        Self {
            status: Status::Unhealthy,
            message: Some(message.into()),
        }
    }
}

/// What a check may return: `Result<(), E>` where `E: Display`, `bool`, or [`HealthResult`].
#[diagnostic::on_unimplemented(
    message = "a health check cannot return `{Self}`",
    label = "expected `Result<(), E>` (with `E: Display`), `bool` or `HealthResult`",
    note = "return `Result<(), E>` (an error is a failure, its text is the message), `bool`, or `hardening::health::HealthResult`"
)]
pub trait IntoHealth {
    /// The answer.
    fn into_health(self) -> HealthResult;
}

impl IntoHealth for HealthResult {
    fn into_health(self) -> HealthResult {
        self
    }
}

/// `false` is unhealthy, without a message.
impl IntoHealth for bool {
    fn into_health(self) -> HealthResult {
        HealthResult {
            status: if self {
                Status::Healthy
            } else {
                Status::Unhealthy
            },
            message: None,
        }
    }
}

/// An error is unhealthy, with the error's text for a message.
impl<E: fmt::Display> IntoHealth for Result<(), E> {
    fn into_health(self) -> HealthResult {
        match self {
            Ok(()) => HealthResult::healthy(),
            Err(error) => HealthResult::unhealthy(error.to_string()),
        }
    }
}
