//! `timeout`: bound the time.

use std::time::Duration;

use crate::{
    Doubt,
    group::settings,
    kind::LayerKind,
    schema::{Broken, Clash, POSITIVE, Policy},
};

settings! {
    /// How long a call, and each attempt in it, may take.
    pub struct TimeoutPolicy {
        /// The whole call, its retries and waits included. Default 15 s.
        pub call: Option<Duration> = Some(Duration::from_secs(15)), POSITIVE;
        /// Each attempt. Default none.
        pub attempt: Option<Duration> = None, POSITIVE;
    }
}

impl Policy for TimeoutPolicy {
    const KIND: LayerKind = LayerKind::Timeout;

    fn rules(&self) -> Vec<Broken> {
        match (self.call, self.attempt) {
            (None, None) => vec![Broken::doubtful(
                Doubt::NothingBounded,
                &["call", "attempt"],
                "neither `call` nor `attempt` is set: nothing is bounded",
            )],
            (Some(call), Some(attempt)) if attempt > call => vec![Broken::clash(
                &["attempt", "call"],
                &Clash {
                    what: "`attempt` ({attempt}) is longer than `call` ({call})",
                    alone: "so that the call always ends first",
                    inherited: "so that the call always ends first",
                    instead: "raise `call` or lower `attempt`",
                },
            )],
            _ => Vec::new(),
        }
    }
}
