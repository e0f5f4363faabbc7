//! Which arguments an attempt borrows for itself alone. The body stands in an `async` block that
//! borrows what it uses, and a shared borrow of an argument is `Send` only if its type is `Sync`,
//! which an `F: Fn() + Send` need not be. A borrow for change asks for no more than the body does.
//!
//! Such an argument has to be `mut`, so only those are taken whose type may lack `Sync`, as far as
//! tokens tell.

use super::consumed::{candidates, mentions};
use crate::function::Function;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{ExprClosure, FnArg, Pat, Type};

/// The arguments of `function` that each run of its `body` borrows alone.
pub(super) fn arguments(
    function: &Function,
    body: &TokenStream,
    fallback: Option<&ExprClosure>,
) -> Vec<Ident> {
    if !function.is_async() {
        return Vec::new();
    }
    let by_value = candidates(function);
    let inputs = function.signature.inputs.iter();
    let plain = inputs.filter_map(|input| match input {
        FnArg::Typed(argument) if may_lack_sync(&argument.ty, function) => {
            plain_name(&argument.pat)
        }
        _ => None,
    });
    // What the body moves in parts, a fallback may still use the rest of.
    let is_used_after = |name: &Ident| fallback.is_some_and(|it| says(&it.to_token_stream(), name));
    plain
        .filter(|name| by_value.contains(name) && says(body, name) && !is_used_after(name))
        .cloned()
        .collect()
}

/// The name of an argument without a pattern, or with that of an extractor: `State(pool)`.
fn plain_name(pat: &Pat) -> Option<&Ident> {
    match pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
            // An upper-case name may be a constant's.
            let first = pat.ident.to_string().chars().next();
            first
                .is_some_and(|first| !first.is_uppercase())
                .then_some(&pat.ident)
        }
        Pat::TupleStruct(pat) if pat.elems.len() == 1 => {
            pat.elems.first().and_then(|inner| match inner {
                Pat::Ident(_) => plain_name(inner),
                _ => None,
            })
        }
        _ => None,
    }
}

/// Whether `ty` is known not to be `Sync` at times, or is, or holds, one that only callers know.
fn may_lack_sync(ty: &Type, function: &Function) -> bool {
    const OFTEN_NOT: [&str; 8] = [
        "impl", "dyn", "Cell", "RefCell", "OnceCell", "Receiver", "Request", "Body",
    ];
    let mut types = function.signature.generics.type_params();
    let ty = ty.to_token_stream();
    types.any(|parameter| mentions(ty.clone(), &parameter.ident))
        || any_word(&ty, &|word| {
            let word = word.to_string();
            OFTEN_NOT.contains(&&*word) || is_of_the_block(&word)
        })
}

/// Whether a type is called as the parameters of an `impl` block are, which are not seen from here.
fn is_of_the_block(word: &str) -> bool {
    word.len() == 1 && word.starts_with(|first: char| first.is_ascii_uppercase())
}

/// Whether `tokens` say `name`, in a format string too.
fn says(tokens: &TokenStream, name: &Ident) -> bool {
    let in_text = format!("{{{name}");
    any(tokens, &|token| match token {
        TokenTree::Literal(text) => text.to_string().contains(&in_text),
        _ => false,
    }) || mentions(tokens.clone(), name)
}

fn any_word(tokens: &TokenStream, holds: &dyn Fn(&Ident) -> bool) -> bool {
    any(
        tokens,
        &|token| matches!(token, TokenTree::Ident(word) if holds(word)),
    )
}

fn any(tokens: &TokenStream, holds: &dyn Fn(&TokenTree) -> bool) -> bool {
    tokens.clone().into_iter().any(|token| match &token {
        TokenTree::Group(group) => any(&group.stream(), holds),
        token => holds(token),
    })
}
