//! Layer by layer: what the configuration says, and the state that goes with it.

use super::{CacheLayer, Layer, Report};
use crate::{
    bulkhead::BulkheadState,
    cache,
    circuit_breaker::{self, BreakerState},
    config::{
        BulkheadPolicy, CachePolicy, CircuitBreakerPolicy, ConfigError, LayerKind, Policy,
        RateLimitPolicy, Resolved, RetryPolicy, Selection, SiteLayer, TimeoutPolicy,
    },
    rate_limit::{self, LimiterState},
    registry::{Identity, States},
    retry::BudgetState,
    site::Site,
};
use std::sync::OnceLock;

/// What has been found about one site.
pub(super) struct Resolver<'a> {
    site: &'static Site,
    path: &'static str,
    states: &'a mut States,
    pub(super) report: Vec<Report>,
    pub(super) errors: Vec<ConfigError>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(site: &'static Site, path: &'static str, states: &'a mut States) -> Self {
        Self {
            site,
            path,
            states,
            report: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// The policy of the layer of `kind`: none if it is not declared or switched off. Where it is
    /// wrong, the section's default.
    fn policy<P: Policy>(&mut self, kind: LayerKind) -> Option<(P, bool)> {
        let declared = self.site.layer(kind)?;
        let at = declared.at(self.site.file());
        let resolved = self
            .states
            .config()
            .resolve::<P>(&declared.selection(self.path, &at));
        match resolved {
            Ok(Resolved {
                policy,
                enabled,
                observe,
                settings,
                warnings,
                ..
            }) => {
                self.report.push(Report {
                    kind,
                    enabled,
                    observe,
                    settings,
                    warnings,
                });
                enabled.then_some((policy, observe))
            }
            Err(errors) => {
                self.errors.extend(errors);
                let config = self.states.config();
                let default = |site| {
                    config.resolve::<P>(&Selection {
                        site,
                        ..Selection::default()
                    })
                };
                // Its overrides count, unless they are what is wrong.
                let resolved = default(self.path).or_else(|_| default("")).ok()?;
                resolved
                    .enabled
                    .then_some((resolved.policy, resolved.observe))
            }
        }
    }

    /// What is doubtful about the policies together; what is wrong is added to the errors.
    pub(super) fn across(&mut self) -> Vec<ConfigError> {
        let layers = self.site.layers();
        let places: Vec<String> = layers
            .iter()
            .map(|layer| layer.at(self.site.file()))
            .collect();
        let layers: Vec<SiteLayer<'_>> = layers
            .iter()
            .zip(&places)
            .map(|(layer, at)| SiteLayer {
                kind: layer.kind,
                selection: layer.selection(self.path, at),
                shared: layer.name.is_some(),
            })
            .collect();
        let found = self.states.config().check_across(&layers);
        let (wrong, doubtful): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|finding| finding.doubt.is_none());
        let path = self.path;
        self.errors
            .extend(wrong.into_iter().map(|finding| finding.at_site(path)));
        let doubtful = doubtful.into_iter();
        doubtful.map(|finding| finding.at_site(path)).collect()
    }

    /// Under which identity the layer of `kind` keeps its state.
    fn identity(&self, shared: Option<&'static str>) -> Identity {
        shared.map_or(
            Identity::Site(std::ptr::from_ref::<Site>(self.site) as usize),
            Identity::Named,
        )
    }

    fn name_of(&self, kind: LayerKind) -> Option<&'static str> {
        self.site.layer(kind).and_then(|declared| declared.name)
    }

    fn policy_of(&self, kind: LayerKind) -> Option<&'static str> {
        self.site.layer(kind).and_then(|declared| declared.policy)
    }

    pub(super) fn timeout(&mut self) -> TimeoutPolicy {
        let none = TimeoutPolicy {
            call: None,
            attempt: None,
        };
        self.policy(LayerKind::Timeout)
            .map_or(none, |(policy, _)| policy)
    }

    pub(super) fn cache(&mut self) -> Option<CacheLayer> {
        let (policy, _): (CachePolicy, _) = self.policy(LayerKind::Cache)?;
        let identity = self.identity(self.name_of(LayerKind::Cache));
        Some(CacheLayer {
            policy: cache::Prepared::new(policy),
            identity,
            state: OnceLock::new(),
        })
    }

    pub(super) fn rate_limit(&mut self) -> Option<Layer<rate_limit::Prepared, LimiterState>> {
        let (policy, observe): (RateLimitPolicy, _) = self.policy(LayerKind::RateLimit)?;
        let identity = self.identity(self.policy_of(LayerKind::RateLimit));
        let state = self.states.limiter(identity, self.path);
        Some(Layer {
            policy: rate_limit::Prepared::new(policy),
            state,
            observe,
        })
    }

    pub(super) fn retry(&mut self) -> Option<Layer<RetryPolicy, BudgetState>> {
        let (policy, observe) = self.policy(LayerKind::Retry)?;
        let name = self.site.retry_policy();
        let state = self.states.budget(name);
        Some(Layer {
            policy,
            state,
            observe,
        })
    }

    pub(super) fn circuit_breaker(
        &mut self,
    ) -> Option<Layer<circuit_breaker::Prepared, BreakerState>> {
        let (policy, observe): (CircuitBreakerPolicy, _) =
            self.policy(LayerKind::CircuitBreaker)?;
        let identity = self.identity(self.name_of(LayerKind::CircuitBreaker));
        let state = self.states.breaker(identity, self.path);
        Some(Layer {
            policy: circuit_breaker::Prepared::new(policy),
            state,
            observe,
        })
    }

    pub(super) fn bulkhead(&mut self) -> Option<Layer<BulkheadPolicy, BulkheadState>> {
        let (policy, observe): (BulkheadPolicy, _) = self.policy(LayerKind::Bulkhead)?;
        let identity = self.identity(self.name_of(LayerKind::Bulkhead));
        let state = self.states.bulkhead(identity, self.path);
        Some(Layer {
            policy,
            state,
            observe,
        })
    }
}
