//! What the program's sites are, and how they fare.

use crate::{
    bulkhead::BulkheadSnapshot,
    cache::CacheFigures,
    circuit_breaker::Snapshot as CircuitSnapshot,
    clock,
    config::Declared,
    journal::{self, ConfigurationSnapshot},
    live::Report,
    metrics::SiteFigures,
    rate_limit::OpSnapshot,
    registry,
    site::{self, Site},
};
use serde::Serialize;

/// One annotated function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SiteInfo {
    /// Module path, type and function: what `overrides:` calls it.
    pub path: String,
    /// Its source file.
    pub file: &'static str,
    /// The line of its first attribute.
    pub line: u32,
    /// Its layers, outside in.
    pub layers: Vec<LayerInfo>,
}

/// One layer of an annotated function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LayerInfo {
    /// The name of its attribute.
    pub attribute: &'static str,
    /// The policy, or op, that it names.
    pub policy: Option<&'static str>,
    /// The name under which it shares its state.
    pub name: Option<&'static str>,
    /// Whether it is in force.
    pub enabled: bool,
    /// Whether it only counts what it would reject.
    pub observe: bool,
    /// Its settings, and where each came from.
    pub settings: Vec<SettingInfo>,
}

/// One setting of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SettingInfo {
    /// Its key.
    pub key: &'static str,
    /// Its value, as it would be written in YAML.
    pub value: String,
    /// Where it came from: `hardening.yaml:14:7`, `attribute at src/lib.rs:30`,
    /// `env HARDENING__…` or `built-in`.
    pub origin: String,
}

impl SiteInfo {
    /// Its settings on one line, with where each came from.
    pub(crate) fn in_words(&self) -> String {
        let layers: Vec<_> = self.layers.iter().filter_map(LayerInfo::in_words).collect();
        layers.join("; ")
    }
}

impl LayerInfo {
    /// `retryable(expensive): max_attempts 5 (hardening.yaml:4:22), …`. A fallback has no settings.
    fn in_words(&self) -> Option<String> {
        let settings = self.settings.iter();
        let settings: Vec<_> = settings
            .map(|SettingInfo { key, value, origin }| format!("{key} {value} ({origin})"))
            .collect();
        let policy = self.policy.map(|name| format!("({name})"));
        let named = format!("{}{}", self.attribute, policy.unwrap_or_default());
        (!settings.is_empty()).then(|| format!("{named}: {}", settings.join(", ")))
    }
}

/// Every annotated function of the program, by path.
#[must_use]
pub fn sites() -> Vec<SiteInfo> {
    in_order().map(info).collect()
}

/// All sites by path and line: functions of two `impl`s may have one path.
fn in_order() -> impl Iterator<Item = &'static Site> {
    let mut sites: Vec<_> = site::all().collect();
    sites.sort_by_key(|site| (site.live().path, site.line()));
    sites.into_iter()
}

fn info(site: &'static Site) -> SiteInfo {
    let path = site.live().path;
    let report = registry::with(|states| states.report(site)).unwrap_or_default();
    let layers = site.layers().iter();
    let layers = layers
        .map(|declared| layer(declared, &report.layers))
        .collect();
    SiteInfo {
        path: path.to_owned(),
        file: site.file(),
        line: site.line(),
        layers,
    }
}

fn layer(declared: &Declared<'static>, reports: &[Report]) -> LayerInfo {
    let report = reports.iter().find(|report| report.kind == declared.kind);
    LayerInfo {
        attribute: declared.kind.attribute(),
        policy: declared.policy,
        name: declared.name,
        enabled: report.is_none_or(|report| report.enabled),
        observe: report.is_some_and(|report| report.observe),
        settings: report.map(settings).unwrap_or_default(),
    }
}

fn settings(report: &Report) -> Vec<SettingInfo> {
    let settings = report.settings.iter();
    settings
        .map(|setting| SettingInfo {
            key: setting.key,
            value: setting.value.clone(),
            origin: setting.source(),
        })
        .collect()
}

/// The live state and the figures of one site.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SiteSnapshot {
    /// Module path, type and function.
    pub path: String,
    /// The attributes that it has, outside in, those included that are switched off.
    pub layers: Vec<&'static str>,
    /// Rate, errors, durations, and what the layers did.
    pub figures: SiteFigures,
    /// The retries that its policy has left; none without a retry or without a budget.
    pub retry_budget: Option<RetryBudgetSnapshot>,
    /// Its circuit, which it may share.
    pub circuit: Option<CircuitSnapshot>,
    /// Its bulkhead, which it may share.
    pub bulkhead: Option<BulkheadSnapshot>,
    /// Its cache, which it may share.
    pub cache: Option<CacheFigures>,
    /// Its operation, whose figures are in [`Snapshot::ops`]; its path for a limit that is written
    /// at it.
    pub op: Option<&'static str>,
    /// Keys that its rate limit tracks.
    pub rate_limit_keys: Option<u32>,
}

#[cfg(all(test, not(hardening_loom)))]
impl SiteSnapshot {
    /// A site whose layers show nothing of themselves.
    pub(crate) fn stateless(path: &str, layers: &[&'static str], figures: SiteFigures) -> Self {
        Self {
            path: path.to_owned(),
            layers: layers.to_vec(),
            figures,
            retry_budget: None,
            circuit: None,
            bulkhead: None,
            cache: None,
            op: None,
            rate_limit_keys: None,
        }
    }
}

/// What is left of the retries that all calls under one policy may make together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RetryBudgetSnapshot {
    /// The policy.
    pub policy: &'static str,
    /// Retries that could be made now.
    pub remaining: u64,
}

/// The state of the whole program.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The figures of all sites together.
    pub total: SiteFigures,
    /// Each site, by path. All are there from the start, called or not.
    pub sites: Vec<SiteSnapshot>,
    /// Each op that is in use, by name, and each rate limit that is written at its function.
    pub ops: Vec<OpSnapshot>,
    /// Which configuration is in force, and how reloads went.
    pub configuration: ConfigurationSnapshot,
}

impl Snapshot {
    /// The site of this path, or the only one whose path ends with `::` and it.
    #[must_use]
    pub fn site(&self, path: &str) -> Option<&SiteSnapshot> {
        let exact = self.sites.iter().find(|site| site.path == path);
        exact.or_else(|| {
            let mut ends = self.sites.iter().filter(|site| {
                site.path
                    .strip_suffix(path)
                    .is_some_and(|rest| rest.ends_with("::"))
            });
            ends.next().filter(|_| ends.next().is_none())
        })
    }
}

/// The live state and the figures of every site.
#[must_use]
pub fn snapshot() -> Snapshot {
    let sites: Vec<_> = in_order().map(of_site).collect();
    let mut total = SiteFigures::default();
    for site in &sites {
        total.merge(&site.figures);
    }
    let mut ops = registry::with(|states| states.ops());
    ops.sort_by_key(|op| op.op);
    Snapshot {
        total,
        sites,
        ops,
        configuration: journal::snapshot(),
    }
}

fn of_site(site: &'static Site) -> SiteSnapshot {
    let live = site.live();
    SiteSnapshot {
        path: live.path.to_owned(),
        layers: site.layers().iter().map(declared).collect(),
        figures: site.metrics.snapshot(),
        retry_budget: live.retry.as_ref().and_then(|layer| {
            Some(RetryBudgetSnapshot {
                policy: site.retry_policy(),
                remaining: layer.state.remaining(&layer.policy.budget?, clock::now()),
            })
        }),
        circuit: live
            .circuit_breaker
            .as_ref()
            .map(|layer| layer.state.snapshot(&layer.policy)),
        bulkhead: live
            .bulkhead
            .as_ref()
            .map(|layer| layer.state.snapshot(&layer.policy)),
        cache: live.cache.as_ref().map(|layer| layer.figures(live.path)),
        op: live.rate_limit.as_ref().map(|layer| layer.state.name()),
        rate_limit_keys: live
            .rate_limit
            .as_ref()
            .map(|layer| layer.state.tracked_keys()),
    }
}

fn declared(layer: &Declared<'static>) -> &'static str {
    layer.kind.attribute()
}
