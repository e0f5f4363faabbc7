//! What is doubtful about settings that can work, by a name under which it can be allowed.

use crate::{
    error::Problem,
    file::{Node, Value},
    group::{read_list, show_list},
    schema::{Expects, Setting},
    setting::words,
};

/// What is doubtful: a warning, unless a policy, an override or an attribute says
/// `allow: [its_name]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// Attempts and waits can take longer than the call may.
    RetriesExceedTimeout,
    /// One call's failed attempts open the circuit, and no wait of it lasts until it admits a probe.
    CircuitOutlastsRetries,
    /// The last good result is served for a shorter time after `ttl` than before it.
    StaleShorterThanTtl,
    /// A timeout without a time.
    NothingBounded,
    /// `slow_call` without `slow_call_rate`.
    SlowCallWithoutRate,
    /// `window_calls` without a rate.
    WindowCallsWithoutRate,
    /// A value that does not go together with one that is inherited from a weaker place.
    ConflictsWithInherited,
    /// No function of the program names the policy or op.
    Unused,
}

words!(Doubt {
    RetriesExceedTimeout = "retries_exceed_timeout",
    CircuitOutlastsRetries = "circuit_outlasts_retries",
    StaleShorterThanTtl = "stale_shorter_than_ttl",
    NothingBounded = "nothing_bounded",
    SlowCallWithoutRate = "slow_call_without_rate",
    WindowCallsWithoutRate = "window_calls_without_rate",
    ConflictsWithInherited = "conflicts_with_inherited",
    Unused = "unused",
});

impl Doubt {
    /// Its name, as `allow` takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.word()
    }

    /// How to allow it, to end a message.
    pub(crate) fn how_to_allow(self) -> String {
        format!("; if it is meant so, write `allow: [{}]`", self.name())
    }

    fn from_node(node: &Node) -> Option<Self> {
        match &node.value {
            Value::Text(word) => Self::from_word(word),
            _ => None,
        }
    }
}

impl Setting for Vec<Doubt> {
    fn read(node: &Node, expects: &Expects) -> Result<Self, Vec<Problem>> {
        read_list(node, expects)
    }

    fn show(&self) -> String {
        show_list(self)
    }
}
