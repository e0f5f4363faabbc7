//! The annotated item: whichever of our attributes the compiler runs first takes all the others of
//! the function with it, so that there is one plan for each function.

mod block;
mod shape;

pub(crate) use shape::misplaced;

use crate::{
    args,
    errors::Errors,
    expand,
    function::{Function, braced},
    plan::{Plan, Written},
    seen,
    surroundings::{Surroundings, take_root},
};
use block::block_with;
use hardening_config::LayerKind;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use shape::Item;
use syn::{Attribute, Meta};

/// What one of our attributes on a function or an `impl` block becomes.
pub(crate) fn attribute(kind: LayerKind, args: TokenStream, item: &TokenStream) -> TokenStream {
    if seen::is_seen(item) {
        return TokenStream::new();
    }
    let mut errors = Errors::default();
    let at = format_ident!("{}", kind.attribute(), span = Span::call_site());
    let own = Written::of(kind, at, args, None, &mut errors);
    let around = Surroundings::find();
    match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Function(function)) => function_with(vec![own], *function, &around, errors),
        Ok(Item::Block(block)) => block_with(own, block, &around, errors),
        Err(mistake) => {
            match misplaced(item.clone()) {
                Some(kind) if kind != "impl" => {
                    errors.at(&own.at, goes_elsewhere(&own.at, &kind));
                }
                // The compiler parses the item too, and says so itself.
                _ if args::is_unfinished(&mistake) => {}
                _ => errors.push(mistake),
            }
            let errors = errors.to_compile_errors();
            quote!(#errors #item)
        }
    }
}

impl Written {
    fn of(
        kind: LayerKind,
        at: Ident,
        mut args: TokenStream,
        meta: Option<Meta>,
        errors: &mut Errors,
    ) -> Self {
        let root = take_root(&mut args, errors);
        Self {
            kind,
            at,
            args,
            root,
            meta,
            inherited: false,
        }
    }
}

fn goes_elsewhere(attribute: &Ident, kind: &str) -> String {
    match kind {
        "trait" => format!(
            "`{attribute}` goes on a function, a method or an `impl` block: write it where the trait is implemented"
        ),
        kind => format!(
            "`{attribute}` goes on a function, a method or an `impl` block, not on this `{kind}`"
        ),
    }
}

fn function_with(
    mut ours: Vec<Written>,
    mut function: Function,
    around: &Surroundings,
    mut errors: Errors,
) -> TokenStream {
    if function.attributes.iter().any(hides_ours) {
        return deferred(&ours, function, around, errors);
    }
    ours.extend(take_ours(&mut function.attributes, around, &mut errors));
    let said = around.said_by(&ours);
    let around = said.as_ref().unwrap_or(around);
    let plan = Plan::of(&ours, &function, around, &mut errors);
    function.attributes.extend(seen::mark(
        &function.attributes,
        plan.layers.iter().map(|layer| layer.kind),
    ));
    expand::function(&function, &plan, around, &errors)
}

/// A `cfg_attr` that may turn into one of our attributes is not decided yet. Ours go behind it and
/// run again when it is.
fn deferred(
    ours: &[Written],
    function: Function,
    around: &Surroundings,
    mut errors: Errors,
) -> TokenStream {
    let said = around.said_by(ours);
    let around = said.as_ref().unwrap_or(around);
    if let Some(first) = ours.first() {
        around.refuse_missing(&first.at, &mut errors);
    }
    if errors.hinder() {
        return with_errors(function, &errors);
    }
    let ours = ours.iter().map(|written| written.as_attribute(around));
    let Function { attributes, .. } = &function;
    let (first, rest): (Vec<_>, Vec<_>) = attributes.iter().partition(|a| hides_ours(a));
    let bare = Function {
        attributes: Vec::new(),
        ..function.clone()
    };
    quote!(#(#first)* #(#ours)* #(#rest)* #bare)
}

fn hides_ours(attribute: &Attribute) -> bool {
    fn mentions(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(word) => LayerKind::from_attribute(&word.to_string()).is_some(),
            TokenTree::Group(group) => mentions(group.stream()),
            _ => false,
        })
    }
    attribute.path().is_ident("cfg_attr") && mentions(attribute.meta.to_token_stream())
}

/// Takes our attributes out of `attributes`, and leaves the others in their order.
fn take_ours(
    attributes: &mut Vec<Attribute>,
    around: &Surroundings,
    errors: &mut Errors,
) -> Vec<Written> {
    let mut ours = Vec::new();
    attributes.retain(|attribute| match our_kind(attribute, around) {
        Some((kind, at)) => {
            let args = errors.note(args_of(attribute, kind)).unwrap_or_default();
            let meta = match &attribute.meta {
                Meta::NameValue(pair) => Meta::Path(pair.path.clone()),
                meta => meta.clone(),
            };
            ours.push(Written::of(kind, at, args, Some(meta), errors));
            false
        }
        None => true,
    });
    ours
}

/// Whether `attribute` is ours: by its bare name, or by a path from our crate or a re-export of it.
/// With another path it is another crate's.
fn our_kind(attribute: &Attribute, around: &Surroundings) -> Option<(LayerKind, Ident)> {
    let path = attribute.path();
    let last = path.segments.last()?;
    let kind = LayerKind::from_attribute(&last.ident.to_string())?;
    let from = path.segments.iter().take(path.segments.len() - 1);
    let ours = match from.len() {
        0 => path.leading_colon.is_none(),
        _ => around.is_our_crate(from.map(|segment| &segment.ident)),
    };
    ours.then(|| (kind, last.ident.clone()))
}

fn args_of(attribute: &Attribute, kind: LayerKind) -> syn::Result<TokenStream> {
    match &attribute.meta {
        Meta::Path(_) => Ok(TokenStream::new()),
        Meta::List(list) => Ok(list.tokens.clone()),
        Meta::NameValue(pair) => Err(syn::Error::new_spanned(
            pair,
            format!(
                "write the arguments in parentheses: `#[{}(…)]`",
                kind.attribute()
            ),
        )),
    }
}

/// The method as it is, and its mistakes in its body: nothing else may stand beside it.
fn with_errors(function: Function, errors: &Errors) -> TokenStream {
    let errors = errors.to_compile_errors();
    let body = function.body.map(|body| {
        let body = body.stream();
        braced(quote!(#errors #body))
    });
    Function { body, ..function }.into_token_stream()
}
