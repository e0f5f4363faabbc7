//! What stands under `runtime:` beside the sections.

use std::time::Duration;

use crate::{group::settings, schema::Expects};

/// Polling a file more often than this tells nobody anything sooner.
const SHORTEST: Expects = Expects::Duration {
    min: Duration::from_millis(100),
};

settings! {
    /// The settings of the runtime as a whole.
    pub struct RuntimePolicy {
        /// How often the file is looked at for changes, at least 100 ms. Default null: as the program asks, which is never.
        pub watch: Option<Duration> = None, SHORTEST;
    }
}
