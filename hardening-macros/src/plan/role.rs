//! What the arguments of each attribute are for.

use hardening_config::{LayerKind, suggest};

/// What an argument is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Names the policy or op.
    Policy,
    /// Names the shared state.
    Name,
    /// Chooses the side of the retry.
    Per,
    /// Brings code.
    Code(Slot),
    /// A key of the policy.
    Setting,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Key,
    Cost,
    Priority,
    RetryIf,
    OnRetry,
    FailureIf,
    CacheIf,
    Clone,
}

/// The arguments of `kind` that are no settings.
fn special(kind: LayerKind) -> &'static [(&'static str, Role)] {
    use Role::{Code, Name, Per, Policy};
    match kind {
        LayerKind::Retry => &[
            ("policy", Policy),
            ("retry_if", Code(Slot::RetryIf)),
            ("on_retry", Code(Slot::OnRetry)),
            ("clone", Code(Slot::Clone)),
        ],
        LayerKind::RateLimit => &[
            ("op", Policy),
            ("key", Code(Slot::Key)),
            ("cost", Code(Slot::Cost)),
            ("per", Per),
        ],
        LayerKind::CircuitBreaker => &[
            ("policy", Policy),
            ("name", Name),
            ("failure_if", Code(Slot::FailureIf)),
            ("per", Per),
        ],
        LayerKind::Bulkhead => &[
            ("policy", Policy),
            ("name", Name),
            ("priority", Code(Slot::Priority)),
            ("per", Per),
        ],
        LayerKind::Cache => &[
            ("policy", Policy),
            ("name", Name),
            ("key", Code(Slot::Key)),
            ("cache_if", Code(Slot::CacheIf)),
        ],
        LayerKind::Timeout => &[("policy", Policy)],
        LayerKind::Fallback => &[],
    }
}

/// What `key` is for in an attribute of `kind`, if it may be written there.
pub(super) fn role(kind: LayerKind, key: &str) -> Option<Role> {
    let special = special(kind).iter().find(|(name, _)| *name == key);
    special.map(|(_, role)| *role).or_else(|| {
        let setting = kind.keys().iter().any(|known| known.name == key);
        setting.then_some(Role::Setting)
    })
}

/// All that may be written in an attribute of `kind`.
pub(super) fn known(kind: LayerKind) -> impl Iterator<Item = &'static str> {
    let special = special(kind).iter().map(|(name, _)| *name);
    special.chain(kind.keys().iter().map(|key| key.name))
}

/// What is said of a `key` that has no role.
pub(super) fn unknown(kind: LayerKind, key: &str) -> String {
    let attribute = kind.attribute();
    if kind == LayerKind::Fallback {
        return "`fallback` takes a closure over the error: `#[fallback(|error| …)]`".to_owned();
    }
    let known: Vec<_> = known(kind).collect();
    let near = match (kind, key) {
        (LayerKind::RateLimit, "policy" | "name") => Some("op"),
        _ => suggest(key, known.iter().copied()),
    };
    let hint = near.map_or_else(
        || elsewhere(key),
        |near| format!("; did you mean `{near}`?"),
    );
    format!(
        "`{attribute}` has no argument `{key}`{hint}\nit takes: {}",
        known.join(", ")
    )
}

/// The one attribute that does take `key`.
fn elsewhere(key: &str) -> String {
    let mut takers = LayerKind::ALL
        .into_iter()
        .filter(|kind| known(*kind).any(|known| known == key));
    match (takers.next(), takers.next()) {
        (Some(taker), None) => format!("; `{}` has", taker.attribute()),
        _ => String::new(),
    }
}
