//! The methods of an annotated `impl` block.

use super::{
    function_with, our_kind,
    shape::{Block, Member},
    take_ours, with_errors,
};
use crate::{
    args,
    errors::Errors,
    function::Function,
    plan::{Written, refuse_expanded, refuse_twice},
    seen,
    surroundings::Surroundings,
};
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, Meta};

/// An `impl` block with our attributes on it: each of its methods has them.
pub(super) fn block_with(
    own: Written,
    mut block: Block,
    around: &Surroundings,
    mut errors: Errors,
) -> TokenStream {
    let mut ours = vec![own];
    ours.extend(take_ours(&mut block.attributes, around, &mut errors));
    let said = around.said_by(&ours);
    let around = said.as_ref().unwrap_or(around);
    refuse_twice(&ours, &mut errors);
    if refuse_expanded(&ours, &block.attributes, around, &mut errors) {
        ours.clear();
    }
    let used = seen::beside_block(&ours, around);
    let mark = seen::mark(&block.attributes, ours.iter().map(|written| written.kind));
    block.attributes.extend(mark);
    let mut members = TokenStream::new();
    // Last, so that the compiler reads the others before it gives up.
    let mut rest = TokenStream::new();
    for member in block.members {
        match member {
            Member::Other(item) => members.extend(item.into_token_stream()),
            Member::Function(function) => members.extend(method_with(&ours, *function, around)),
            Member::Unread(tokens, mistake) => {
                if may_be_function(tokens.clone(), &mistake) {
                    errors.push(mistake);
                }
                rest.extend(tokens);
            }
        }
    }
    members.extend(rest);
    let (attributes, head) = (&block.attributes, &block.head);
    let body = Group::new(Delimiter::Brace, members);
    let errors = errors.to_compile_errors();
    quote!(#(#attributes)* #head #body #used #errors)
}

/// A method takes the attributes of its block that it does not carry itself.
fn method_with(block: &[Written], mut function: Function, around: &Surroundings) -> TokenStream {
    let mut errors = Errors::default();
    if take_skip(&mut function, around, &mut errors) || function.body.is_none() {
        return with_errors(function, &errors);
    }
    let has = |kind| {
        let mut kinds = function
            .attributes
            .iter()
            .filter_map(|a| our_kind(a, around));
        kinds.any(|(own, _)| own == kind)
    };
    let inherited = block
        .iter()
        .filter(|written| !has(written.kind))
        .cloned()
        .map(|written| Written {
            inherited: true,
            meta: None,
            ..written
        })
        .collect();
    function_with(inherited, function, around, errors)
}

/// Takes `#[hardening(skip)]` from the method; whether there was one, or what was meant for one.
fn take_skip(function: &mut Function, around: &Surroundings, errors: &mut Errors) -> bool {
    let before = function.attributes.len();
    function.attributes.retain(|attribute| {
        let is_skip = is_skip(attribute, around);
        if is_skip && !says_skip(attribute) {
            errors.at(attribute.meta.clone(), "write `#[hardening(skip)]`");
        }
        !is_skip
    });
    function.attributes.len() < before
}

fn is_skip(attribute: &Attribute, around: &Surroundings) -> bool {
    let path = attribute.path();
    path.get_ident()
        .is_some_and(|word| around.is_our_crate(std::iter::once(word)))
}

fn says_skip(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else {
        return false;
    };
    list.parse_args::<Ident>().is_ok_and(|word| word == "skip")
}

/// Whether `tokens` might be a function that the compiler reads and the parser here does not: then
/// its lack of our attributes has to be said.
fn may_be_function(tokens: TokenStream, mistake: &syn::Error) -> bool {
    let is_fn = |token| matches!(token, TokenTree::Ident(word) if word == "fn");
    tokens.into_iter().any(is_fn) && !args::is_unfinished(mistake)
}
