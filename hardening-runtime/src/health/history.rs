//! From answers to a status: thresholds, decided purely.

use super::status::Status;

/// What one run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// It answered that all is well.
    Well,
    /// It answered that it works, with reservations.
    Reserved,
    /// It answered that it does not work.
    Failed,
    /// It hung or panicked: no answer.
    Silent,
}

/// How many in a row count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thresholds {
    pub(super) failures: u32,
    pub(super) successes: u32,
}

/// Where a check stands after all its runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It has not run.
    Unknown,
    /// Its last answer was good.
    Passing(Status),
    /// It fails, not for long enough to be sure; or has recovered, not for long enough.
    Failing,
    /// It has failed for long enough, and has not recovered.
    Down,
}

/// The past of a check, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct History {
    standing: Standing,
    failures: u32,
    successes: u32,
}

impl History {
    pub(super) const NEW: Self = Self {
        standing: Standing::Unknown,
        failures: 0,
        successes: 0,
    };

    /// The status; none before the first run.
    pub(super) const fn status(self) -> Option<Status> {
        match self.standing {
            Standing::Unknown => None,
            Standing::Passing(status) => Some(status),
            Standing::Failing => Some(Status::Degraded),
            Standing::Down => Some(Status::Unhealthy),
        }
    }

    /// Failures in a row, up to now.
    pub(super) const fn failures(self) -> u32 {
        self.failures
    }

    /// The history after one more run.
    pub(super) fn after(self, finding: Finding, thresholds: Thresholds) -> Self {
        match finding {
            Finding::Well => self.passed(Status::Healthy, thresholds),
            Finding::Reserved => self.passed(Status::Degraded, thresholds),
            Finding::Failed => self.failed(false, thresholds),
            Finding::Silent => self.failed(true, thresholds),
        }
    }

    fn passed(self, answer: Status, thresholds: Thresholds) -> Self {
        let successes = self.successes.saturating_add(1);
        let recovering = matches!(self.standing, Standing::Failing | Standing::Down)
            && successes < thresholds.successes;
        Self {
            standing: if recovering {
                self.standing
            } else {
                Standing::Passing(answer)
            },
            failures: 0,
            successes,
        }
    }

    fn failed(self, silent: bool, thresholds: Thresholds) -> Self {
        let failures = self.failures.saturating_add(1);
        let down = match self.standing {
            Standing::Down => true,
            // Nothing good is known of it that would carry it over.
            Standing::Unknown if silent => true,
            _ => failures >= thresholds.failures,
        };
        Self {
            standing: if down {
                Standing::Down
            } else {
                Standing::Failing
            },
            failures,
            successes: 0,
        }
    }
}
