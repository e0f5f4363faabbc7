//! `timeout`: bound the time.

use std::time::Duration;

/// How long a call, and each attempt in it, may take.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeoutPolicy {
    /// The whole call, its retries and waits included. Default 15 s.
    pub call: Option<Duration>,
    /// Each attempt. Default none.
    pub attempt: Option<Duration>,
}

impl Default for TimeoutPolicy {
    fn default() -> Self {
        Self {
            call: Some(Duration::from_secs(15)),
            attempt: None,
        }
    }
}
