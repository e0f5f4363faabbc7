//! What tells one expansion of another. Macros see tokens, not what a name stands for, so that
//! the first of our attributes on a function can only go by the names of the others.

use crate::{function::Function, plan::Written, surroundings::Surroundings};
use hardening_config::LayerKind;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::{Attribute, FnArg, Meta, parse_quote, spanned::Spanned};

/// How the names of items begin that are there for their attributes.
const SEEN: &str = "__hardening_seen";

fn name(written: &Written) -> Ident {
    format_ident!("{SEEN}_{}", written.kind.attribute())
}

/// Whether `item` is one that is there for its attribute: ours makes nothing of it.
pub(crate) fn is_seen(item: &TokenStream) -> bool {
    let mut words = item.clone().into_iter().take(3);
    words.any(|word| matches!(word, TokenTree::Ident(word) if word.to_string().starts_with(SEEN)))
}

/// For each attribute that another one took with it, an item that carries it. Ours makes nothing of
/// it, and has been used, and so has its import. Another crate's attribute of the same name keeps
/// the body, which says what is wrong.
pub(crate) fn in_function(
    ours: &[Written],
    function: &Function,
    around: &Surroundings,
) -> TokenStream {
    let mut taken = taken(ours).peekable();
    if taken.peek().is_none() {
        return TokenStream::new();
    }
    let signature = &function.signature;
    let (asyncness, output) = (&signature.asyncness, &signature.output);
    let inputs = signature.inputs.iter();
    let inputs = inputs.filter(|input| matches!(input, FnArg::Typed(_)));
    let (generics, clause) = (&signature.generics, &signature.generics.where_clause);
    let signature = quote!(#generics (#(#inputs),*) #output #clause);
    let items = taken.map(|(meta, written)| {
        let (seen, explained) = (name(written), explained(meta, written, around));
        quote!(#[#meta] #asyncness fn #seen #signature { #explained })
    });
    items.collect()
}

/// The same for the attributes of an `impl` block, beside it.
pub(crate) fn beside_block(ours: &[Written], around: &Surroundings) -> TokenStream {
    let items = taken(ours).map(|(meta, written)| {
        let (seen, explained) = (name(written), explained(meta, written, around));
        quote!(#[#meta] fn #seen() { #explained })
    });
    items.collect()
}

fn taken(ours: &[Written]) -> impl Iterator<Item = (&Meta, &Written)> {
    let taken = ours
        .iter()
        .map(|written| Some((written.meta.as_ref()?, written)));
    taken.flatten()
}

fn explained(meta: &Meta, written: &Written, around: &Surroundings) -> TokenStream {
    let (name, root) = (&written.at, around.crate_name());
    let text = format!(
        "`{name}` is not that of {root} here: write another crate's with its path, `#[that_crate::{name}]`, \
         or import this one, `use {root}::{name};`"
    );
    quote_spanned!(meta.path().span()=> ::core::compile_error! { #text })
}

/// What marks an item that has been expanded while attributes of unknown meaning are left on it:
/// one of ours under another name would expand it once more. The compiler ignores what tools are
/// told.
pub(crate) fn mark(
    attributes: &[Attribute],
    expanded: impl Iterator<Item = LayerKind>,
) -> Option<Attribute> {
    let is_known = |attribute: &Attribute| {
        let first = attribute.path().segments.first();
        first.is_some_and(|first| BUILT_IN.contains(&first.ident.to_string().as_str()))
    };
    if attributes.iter().all(is_known) {
        return None;
    }
    let kinds = expanded.map(|kind| format_ident!("{}", kind.attribute()));
    Some(parse_quote!(#[rustfmt::hardening(#(#kinds),*)]))
}

/// Attributes that often stand on functions and are certainly not ours.
const BUILT_IN: [&str; 17] = [
    "allow",
    "automatically_derived",
    "clippy",
    "cold",
    "deny",
    "deprecated",
    "diagnostic",
    "doc",
    "expect",
    "forbid",
    "inline",
    "must_use",
    "rustfmt",
    "test",
    "track_caller",
    "tracing",
    "warn",
];

/// The first of the attributes that have expanded the item already.
pub(crate) fn expanded_by(attributes: &[Attribute]) -> Option<Ident> {
    let mark = attributes.iter().find(|attribute| {
        let mut names = attribute
            .path()
            .segments
            .iter()
            .map(|segment| &segment.ident);
        names.next().is_some_and(|name| name == "rustfmt")
            && names.next().is_some_and(|name| name == "hardening")
    })?;
    let Meta::List(kinds) = &mark.meta else {
        return None;
    };
    match kinds.tokens.clone().into_iter().next()? {
        TokenTree::Ident(kind) => Some(kind),
        _ => None,
    }
}

/// What is written where the attribute that is being expanded stands: `remember`, of
/// `#[remember(ttl = 5)]`.
pub(crate) fn name_in_source() -> Option<String> {
    let text = Span::call_site().source_text()?;
    let path = text.trim_start_matches(['#', '[']).trim_start();
    let end = path.find(|c: char| !c.is_alphanumeric() && !"_:".contains(c));
    let path = &path[..end.unwrap_or(path.len())];
    (!path.is_empty()).then(|| path.to_owned())
}
