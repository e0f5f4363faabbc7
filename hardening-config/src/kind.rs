//! The kinds of layer, and what each is called where.

use std::sync::LazyLock;

use crate::{
    policy::Switches,
    schema::{Key, Settings},
};

/// Runs an expression with `$P` bound to the policy type of a kind.
macro_rules! with_policy {
    ($kind:expr, $P:ident => $then:expr, else $none:expr) => {
        match $kind {
            $crate::kind::LayerKind::Fallback => $none,
            $crate::kind::LayerKind::Cache => {
                type $P = $crate::policy::CachePolicy;
                $then
            }
            $crate::kind::LayerKind::Timeout => {
                type $P = $crate::policy::TimeoutPolicy;
                $then
            }
            $crate::kind::LayerKind::RateLimit => {
                type $P = $crate::policy::RateLimitPolicy;
                $then
            }
            $crate::kind::LayerKind::Retry => {
                type $P = $crate::policy::RetryPolicy;
                $then
            }
            $crate::kind::LayerKind::CircuitBreaker => {
                type $P = $crate::policy::CircuitBreakerPolicy;
                $then
            }
            $crate::kind::LayerKind::Bulkhead => {
                type $P = $crate::policy::BulkheadPolicy;
                $then
            }
        }
    };
}
pub(crate) use with_policy;

/// A kind of layer. The variants are in nesting order, outside to inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerKind {
    /// `#[fallback]`: degrade instead of failing.
    Fallback,
    /// `#[cached]`: remember results.
    Cache,
    /// `#[timeout]`: bound the time.
    Timeout,
    /// `#[rate_limited]`: a token bucket per key.
    RateLimit,
    /// `#[retryable]`: run again on transient failure.
    Retry,
    /// `#[circuit_breaker]`: stop calling what is down.
    CircuitBreaker,
    /// `#[bulkhead]`: bound concurrency.
    Bulkhead,
}

impl LayerKind {
    /// Every kind, outside to inside.
    pub const ALL: [Self; 7] = [
        Self::Fallback,
        Self::Cache,
        Self::Timeout,
        Self::RateLimit,
        Self::Retry,
        Self::CircuitBreaker,
        Self::Bulkhead,
    ];

    /// The name of its attribute, such as `retryable`.
    #[must_use]
    pub const fn attribute(self) -> &'static str {
        match self {
            Self::Fallback => "fallback",
            Self::Cache => "cached",
            Self::Timeout => "timeout",
            Self::RateLimit => "rate_limited",
            Self::Retry => "retryable",
            Self::CircuitBreaker => "circuit_breaker",
            Self::Bulkhead => "bulkhead",
        }
    }

    /// The kind whose attribute is called `name`.
    #[must_use]
    pub fn from_attribute(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.attribute() == name)
    }

    /// The name of its section under `runtime:`. A fallback has none.
    #[must_use]
    pub const fn section(self) -> Option<&'static str> {
        match self {
            Self::Fallback => None,
            Self::Cache => Some("cache"),
            Self::Timeout => Some("timeout"),
            Self::RateLimit => Some("rate_limiting"),
            Self::Retry => Some("retry"),
            Self::CircuitBreaker => Some("circuit_breaker"),
            Self::Bulkhead => Some("bulkhead"),
        }
    }

    /// The kind whose section is called `name`.
    #[must_use]
    pub fn from_section(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.section() == Some(name))
    }

    /// The kind that `name` means under a call site in `overrides:`: its section, or `rate_limit`.
    pub(crate) fn from_override(name: &str) -> Option<Self> {
        match name {
            "rate_limit" => Some(Self::RateLimit),
            name => Self::from_section(name),
        }
    }

    /// What its named settings are called in messages: `op`, or `policy`.
    #[must_use]
    pub const fn named(self) -> &'static str {
        match self {
            Self::RateLimit => "op",
            _ => "policy",
        }
    }

    /// Whether it can count what it would have rejected, and reject nothing: `mode: observe`.
    #[must_use]
    pub const fn can_observe(self) -> bool {
        matches!(self, Self::RateLimit | Self::CircuitBreaker)
    }

    /// Its settings: what a policy of the file, an override and the attribute itself may say.
    #[must_use]
    pub fn keys(self) -> &'static [Key] {
        static KEYS: LazyLock<Vec<Vec<Key>>> =
            LazyLock::new(|| LayerKind::ALL.into_iter().map(all_keys).collect());
        &KEYS[self as usize]
    }
}

fn all_keys(kind: LayerKind) -> Vec<Key> {
    let own = with_policy!(kind, P => P::KEYS, else return Vec::new());
    let switches = Switches::KEYS
        .iter()
        .filter(|key| key.name != "mode" || kind.can_observe());
    own.iter().chain(switches).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_and_sections_lead_back_to_their_kind() {
        for kind in LayerKind::ALL {
            assert_eq!(LayerKind::from_attribute(kind.attribute()), Some(kind));
            if let Some(section) = kind.section() {
                assert_eq!(LayerKind::from_section(section), Some(kind));
            }
        }
        assert_eq!(LayerKind::from_attribute("retry"), None);
    }

    #[test]
    fn the_variants_are_in_nesting_order() {
        assert!(LayerKind::ALL.is_sorted());
    }
}
