//! What a section says besides its policies.

use crate::{
    error::Problem,
    file::Node,
    group::{read_list, settings, show_list},
    kind::LayerKind,
    policy::Mode,
    schema::{Expects, Key, Setting, Settings, whole},
};

settings! {
    /// The settings of a section.
    pub struct SectionPolicy {
        /// Whether its layers do anything; `false` lets every call through. Default true.
        pub enabled: bool = true, Expects::Switch;
        /// Rate limits: whether ops that do not say it themselves reject, or only count what they would have
        /// rejected. Default enforce.
        pub mode: Mode = Mode::Enforce, Expects::Word(Mode::WORDS);
        /// Rate limits: idle keys are reclaimed once this many are tracked, up to 1,000,000,000. Default 1,000.
        pub cleanup_threshold: u32 = 1000, whole(0, 1_000_000_000);
        /// Retry: HTTP status codes that are worth another try, from 100 to 599. Default 429, 500, 502, 503, 504.
        pub retryable_codes: Vec<u16> = vec![429, 500, 502, 503, 504], Expects::List {
            of: &whole(100, 599),
            min: 0,
        };
    }
}

impl SectionPolicy {
    /// The keys that the section of `kind` has.
    pub(crate) fn keys(kind: LayerKind) -> impl Iterator<Item = &'static Key> {
        Self::KEYS.iter().filter(move |key| match key.name {
            // Circuit breakers inherit theirs from `default_policy`; ops inherit nothing else.
            "mode" | "cleanup_threshold" => kind == LayerKind::RateLimit,
            "retryable_codes" => kind == LayerKind::Retry,
            _ => true,
        })
    }
}

impl Setting for Vec<u16> {
    fn read(node: &Node, expects: &Expects) -> Result<Self, Vec<Problem>> {
        read_list(node, expects)
    }

    fn show(&self) -> String {
        show_list(self)
    }
}

impl Setting for u16 {
    fn read(node: &Node, expects: &Expects) -> Result<Self, Vec<Problem>> {
        let value = u32::read(node, expects)?;
        Self::try_from(value).map_err(|_| expects.refuse(node))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}
