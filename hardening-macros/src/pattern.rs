//! The names that a pattern binds.

use syn::{Pat, PatIdent};

/// The places at which `pat` binds a name, each name once.
pub(crate) fn bound(pat: &Pat) -> Vec<&PatIdent> {
    let all = match pat {
        Pat::Ident(pat) => {
            let inner = pat.subpat.iter().flat_map(|(_, inner)| bound(inner));
            return std::iter::once(pat).chain(inner).collect();
        }
        Pat::Paren(pat) => return bound(&pat.pat),
        Pat::Reference(pat) => return bound(&pat.pat),
        Pat::Type(pat) => return bound(&pat.pat),
        Pat::Struct(pat) => {
            let fields = pat.fields.iter();
            return fields.flat_map(|field| bound(&field.pat)).collect();
        }
        // Each case binds the same names.
        Pat::Or(pat) => return pat.cases.first().map(bound).unwrap_or_default(),
        Pat::Slice(pat) => &pat.elems,
        Pat::Tuple(pat) => &pat.elems,
        Pat::TupleStruct(pat) => &pat.elems,
        _ => return Vec::new(),
    };
    all.iter().flat_map(bound).collect()
}

/// Changes each place at which `pat` binds a name.
pub(crate) fn change_bindings(pat: &mut Pat, change: &mut dyn FnMut(&mut PatIdent)) {
    let all = match pat {
        Pat::Ident(pat) => {
            change(pat);
            if let Some((_, inner)) = &mut pat.subpat {
                change_bindings(inner, change);
            }
            return;
        }
        Pat::Paren(pat) => return change_bindings(&mut pat.pat, change),
        Pat::Reference(pat) => return change_bindings(&mut pat.pat, change),
        Pat::Type(pat) => return change_bindings(&mut pat.pat, change),
        Pat::Struct(pat) => {
            let fields = pat.fields.iter_mut();
            return fields.for_each(|field| change_bindings(&mut field.pat, change));
        }
        Pat::Or(pat) => {
            let cases = pat.cases.iter_mut();
            return cases.for_each(|pat| change_bindings(pat, change));
        }
        Pat::Slice(pat) => &mut pat.elems,
        Pat::Tuple(pat) => &mut pat.elems,
        Pat::TupleStruct(pat) => &mut pat.elems,
        _ => return,
    };
    for pat in all {
        change_bindings(pat, change);
    }
}
