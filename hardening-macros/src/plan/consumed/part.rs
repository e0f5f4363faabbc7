//! What a body takes out of an argument and leaves the rest of it: `let (name, _) = pair`, `Some(name) =>`,
//! or a field whose value is needed. Whether that is `Copy`, or borrowed after all, only the compiler knows.

use super::scan::{has_macro, is_variable};
use crate::pattern::{bound, change_bindings};
use proc_macro2::Ident;
use quote::quote;
use syn::{Expr, Pat};

/// A place in an argument that the body takes something out of, unless the types say otherwise.
pub(crate) struct Part {
    /// The argument, or a field of it, as the body says it.
    pub(crate) of: Expr,
    /// The pattern that binds some of it; none, where all of it is needed.
    pub(crate) pattern: Option<Pat>,
}

impl Part {
    /// What is taken when the value of `field` is needed.
    pub(super) fn whole(field: &Expr) -> Self {
        Self {
            of: field.clone(),
            pattern: None,
        }
    }

    /// What is taken when `place` is matched with `pattern`.
    pub(super) fn bound(place: &Expr, pattern: &Pat) -> Option<Self> {
        let pattern = unguarded(pattern);
        takes(pattern).then(|| Self {
            of: place.clone(),
            pattern: Some(unchanged(pattern.clone())),
        })
    }

    /// Whether both take the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.text() == other.text()
    }

    fn text(&self) -> String {
        let Self { of, pattern } = self;
        quote!(#of => #pattern).to_string()
    }
}

/// The names in `pattern` that bind by value, as far as it shows.
pub(crate) fn taken(pattern: &Pat) -> impl Iterator<Item = &Ident> {
    let by_value = bound(pattern)
        .into_iter()
        .filter(|name| name.by_ref.is_none());
    by_value
        .map(|name| &name.ident)
        .filter(|name| is_variable(name))
}

/// Whether `pattern` takes anything, and can be matched again elsewhere: with a type it may look at
/// something else than what is named.
fn takes(pattern: &Pat) -> bool {
    !matches!(pattern, Pat::Type(_)) && !has_macro(pattern) && taken(pattern).next().is_some()
}

/// `pattern`, of which nothing that it binds is changed.
fn unchanged(mut pattern: Pat) -> Pat {
    change_bindings(&mut pattern, &mut |name| {
        name.mutability = name.mutability.filter(|_| name.by_ref.is_some());
    });
    pattern
}

fn unguarded(pattern: &Pat) -> &Pat {
    match pattern {
        Pat::Guard(guarded) => &guarded.pat,
        pattern => pattern,
    }
}
