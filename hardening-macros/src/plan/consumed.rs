//! Which arguments the body of a retried function certainly consumes. A retry runs the body again,
//! so these have to be `Copy`, or be listed in `clone(…)`; generated code asks the compiler, which
//! knows their types and says so at the argument, or at the part of it that is taken.
//!
//! The scan sees names, not types, so whatever is not certain is left to the compiler's own message:
//! what stands in macro calls, in shadowed scopes, behind `cfg`, and methods that may only borrow. A
//! function that compiles without this check must compile with it.

mod part;
mod scan;
#[cfg(test)]
mod tests;

use crate::{
    function::{Function, conditions},
    pattern::bound,
};
pub(crate) use part::{Part, taken};
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use scan::Scan;
use syn::{
    Block, FnArg, Pat, Receiver, ReceiverKind, Type, WherePredicate, ext::IdentExt, parse::Parser,
};

/// An argument that the body consumes, unless its type says otherwise.
pub(crate) struct Consumed {
    /// The name as the body says it, where the signature does.
    pub(crate) name: Ident,
    pub(crate) how: How,
}

/// How an argument is consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// It is moved, if it is not `Copy`.
    Moved,
    /// A method is called on it, which for some types of `std` takes it by value.
    Method(&'static str),
}

/// What a body consumes.
#[derive(Default)]
pub(crate) struct Consumption {
    pub(crate) arguments: Vec<Consumed>,
    /// What it takes out of further ones.
    pub(crate) parts: Vec<Part>,
}

/// What the `body` of `function` consumes of its arguments, but for the `cloned` ones.
pub(super) fn by_body(function: &Function, body: TokenStream, cloned: &[Ident]) -> Consumption {
    let names: Vec<_> = candidates(function)
        .into_iter()
        .filter(|name| !cloned.contains(name) && mentions(body.clone(), name))
        .collect();
    let mut consumed = Consumption::default();
    if names.is_empty() || has_attribute(body.clone(), &is_cfg) {
        return consumed;
    }
    // The question for a part stands outside of what the body allows itself: `#[allow(deprecated)]`.
    let asks_parts = !has_attribute(body.clone(), &|_| true);
    let Ok(statements) = Block::parse_within.parse2(body) else {
        return consumed;
    };
    for argument in names {
        let called_once = is_called_once(function, &argument);
        let found = Scan::of(&statements, &argument, called_once);
        if asks_parts && !matches!(found.whole, Some((_, How::Moved))) {
            consumed.parts.extend(found.parts);
        }
        // Whatever the body calls by that name is asked for, should a macro have written one of both.
        consumed
            .arguments
            .extend(found.whole.map(|(mut name, how)| {
                name.set_span(name.span().located_at(argument.span()));
                Consumed { name, how }
            }));
    }
    consumed
}

/// The names of the arguments that are passed by value, as far as the signature shows.
pub(super) fn candidates(function: &Function) -> Vec<Ident> {
    let inputs = &function.signature.inputs;
    let by_value = inputs.iter().any(|input| match input {
        FnArg::Receiver(receiver) => receiver_by_value(receiver),
        FnArg::Typed(argument) => !is_copy(&argument.ty),
    });
    if !by_value {
        return Vec::new();
    }
    let mut names = Vec::new();
    for input in inputs {
        match input {
            FnArg::Receiver(receiver) if receiver_by_value(receiver) => {
                names.push(Ident::new("self", receiver.self_token.span));
            }
            FnArg::Typed(argument)
                if !is_copy(&argument.ty) && conditions(&argument.attrs).is_empty() =>
            {
                // `unit: unit` may be the pattern of a unit struct.
                let ty = argument.ty.to_token_stream();
                let bound = bound(&argument.pat).into_iter().map(|pat| &pat.ident);
                names.extend(bound.filter(|name| !mentions(ty.clone(), name)).cloned());
            }
            _ => {}
        }
    }
    names
}

/// Whether the signature says of `argument` that it can be called once only.
fn is_called_once(function: &Function, argument: &Ident) -> bool {
    let once = Ident::new("FnOnce", argument.span());
    let is_once = |bounds: &dyn ToTokens| mentions(bounds.to_token_stream(), &once);
    let signature = &function.signature;
    let ty = signature.inputs.iter().find_map(|input| match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(name) if same(&name.ident, argument) => Some(&*typed.ty),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    });
    match ty {
        Some(Type::ImplTrait(bounds)) => is_once(bounds),
        Some(Type::Path(path)) => path.path.get_ident().is_some_and(|parameter| {
            let bounded = signature.generics.type_params();
            let mut bounded = bounded.filter(|bounded| same(&bounded.ident, parameter));
            let clauses = signature.generics.where_clause.iter();
            let mut clauses = clauses.flat_map(|clause| &clause.predicates);
            bounded.any(|bounded| is_once(&bounded.bounds))
                || clauses.any(|clause| match clause {
                    WherePredicate::Type(clause) => {
                        is_once(&clause.bounds)
                            && mentions(clause.bounded_ty.to_token_stream(), parameter)
                    }
                    _ => false,
                })
        }),
        _ => false,
    }
}

fn receiver_by_value(receiver: &Receiver) -> bool {
    match &receiver.kind {
        ReceiverKind::Value => true,
        ReceiverKind::Typed(_, ty) => !is_copy(ty),
        _ => false,
    }
}

/// Types that are plainly `Copy`, or reborrowed.
fn is_copy(ty: &Type) -> bool {
    const COPY: [&str; 16] = [
        "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64",
        "i128", "isize", "f32", "f64",
    ];
    match ty {
        Type::Reference(_) | Type::Ptr(_) | Type::Never(_) => true,
        Type::Path(path) => COPY.iter().any(|name| path.path.is_ident(name)),
        _ => false,
    }
}

/// Whether `tokens` say `name` anywhere.
pub(super) fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => same(&word, name),
        TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}

fn same(one: &Ident, other: &Ident) -> bool {
    one.unraw() == other.unraw()
}

/// Whether `body` has an attribute of which `holds` is true.
fn has_attribute(body: TokenStream, holds: &dyn Fn(TokenStream) -> bool) -> bool {
    let mut hash = false;
    body.into_iter().any(|token| {
        let after_hash = std::mem::take(&mut hash);
        match token {
            TokenTree::Punct(punct) => {
                hash = punct.as_char() == '#' || (after_hash && punct.as_char() == '!');
                false
            }
            TokenTree::Group(group) => {
                let is_attribute = after_hash && group.delimiter() == Delimiter::Bracket;
                (is_attribute && holds(group.stream())) || has_attribute(group.stream(), holds)
            }
            _ => false,
        }
    })
}

/// Whether parts of a body are there only under this `attribute`.
fn is_cfg(attribute: TokenStream) -> bool {
    let first = attribute.into_iter().next();
    matches!(first, Some(TokenTree::Ident(word)) if word == "cfg" || word == "cfg_attr")
}
