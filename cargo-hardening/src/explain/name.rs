//! Which policy, op or check is meant.

use std::fmt;

use hardening_config::{Config, LayerKind, Origin};

use crate::picture::{lines, wrapped};

/// Something in the file that has a name. Health checks have no kind.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Named {
    pub(super) kind: Option<LayerKind>,
    pub(super) name: String,
    origin: Origin,
}

const HEALTH: &str = "health_checks";

impl Named {
    fn section(&self) -> &'static str {
        self.kind
            .map_or(HEALTH, |kind| kind.section().unwrap_or_default())
    }

    /// The name that it alone has.
    fn qualified(&self) -> String {
        format!("{}.{}", self.section(), self.name)
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            None => "health check",
            Some(LayerKind::RateLimit) => "op",
            Some(LayerKind::CircuitBreaker) => "circuit breaker policy",
            Some(kind) => {
                return write!(
                    f,
                    "{} policy `{}` ({})",
                    kind.section().unwrap_or_default(),
                    self.name,
                    self.origin
                );
            }
        };
        write!(f, "{what} `{}` ({})", self.name, self.origin)
    }
}

fn all(config: &Config) -> Vec<Named> {
    let mut all = Vec::new();
    for kind in LayerKind::ALL {
        let defined = config.defined(kind).into_iter();
        all.extend(defined.map(|(name, origin)| named(Some(kind), name, origin)));
    }
    let checks = config.named_checks().into_iter();
    all.extend(checks.map(|(name, origin)| named(None, name, origin)));
    all
}

fn named(kind: Option<LayerKind>, name: &str, origin: Origin) -> Named {
    let name = name.to_owned();
    Named { kind, name, origin }
}

/// Everything that has a name, by section.
pub(super) fn list(config: &Config) -> String {
    let all = all(config);
    let sections = all.chunk_by(|one, other| one.kind == other.kind);
    let line = |section: &[Named]| {
        let names: Vec<&str> = section.iter().map(|named| named.name.as_str()).collect();
        let names = wrapped(&names.join(", "), 20);
        format!("  {:<16}  {}", section[0].section(), names.trim_start())
    };
    lines(sections.map(line))
}

/// The one that `wanted` means: a name, or a section, a point and a name.
///
/// # Errors
/// There is none, or several; in words that say what to write.
pub(super) fn find(config: &Config, wanted: &str) -> Result<Named, String> {
    let all = all(config);
    let by_name: Vec<&Named> = all.iter().filter(|named| named.name == wanted).collect();
    match by_name.as_slice() {
        [named] => Ok((*named).clone()),
        [] => qualified(&all, wanted)
            .cloned()
            .ok_or_else(|| nothing(config, &all, wanted)),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|named| format!("`{}`", named.qualified()))
                .collect();
            Err(format!(
                "several sections have `{wanted}`: write {}",
                names.join(", ")
            ))
        }
    }
}

/// `retry.expensive`; also by attribute, and as the override says it.
fn qualified<'a>(all: &'a [Named], wanted: &str) -> Option<&'a Named> {
    let (section, name) = wanted.split_once('.')?;
    let is_meant = |named: &&Named| {
        let also = match named.kind {
            None => section == "health_check",
            Some(LayerKind::RateLimit) => section == "rate_limit",
            Some(_) => false,
        };
        let by_attribute = named.kind.is_some_and(|kind| kind.attribute() == section);
        named.name == name && (also || by_attribute || named.section() == section)
    };
    all.iter().find(is_meant)
}

fn nothing(config: &Config, all: &[Named], wanted: &str) -> String {
    let file = config.file().unwrap_or("the built-in configuration");
    let message = format!("{file} defines no policy, op or health check `{wanted}`");
    let plain = wanted.strip_suffix("_policy").unwrap_or(wanted);
    let qualified: Vec<String> = all.iter().map(Named::qualified).collect();
    let names = all.iter().map(|named| named.name.as_str());
    let candidates = names.chain(qualified.iter().map(String::as_str));
    match hardening_config::suggest(plain, candidates) {
        Some(nearest) => format!("{message}; did you mean `{nearest}`?"),
        None => format!("{message}: `cargo hardening explain` lists what there is"),
    }
}
