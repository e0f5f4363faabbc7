//! From a plan to code. Nothing is refused here: every plan expands, and with mistakes the function
//! is emitted as it was, so that its callers and the editor still know it.
//!
//! Each layer wraps the expression that is further in. The body stands in the expansion once, in a
//! block of its own, so that its `?` and `return` leave the attempt and not the wrapper; nothing of
//! ours is a closure or a future around another layer, so a call stays one flat state machine. An async
//! function awaits once, where its attempt runs; a blocking one waits where it stands.

mod attempt;
mod consumed;
mod key;
mod layers;
mod returned;

use attempt::within;

use crate::{
    brackets,
    errors::Errors,
    function::{Function, braced},
    future,
    moved::Body,
    pattern::change_bindings,
    plan::{Layer, Plan},
    surroundings::Surroundings,
};
use hardening_config::{Declared, LayerKind};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{FnArg, Stmt, Token, Type};

/// The name of the item that tells a site's path.
const HERE: &str = "__HardeningHere";

/// The function with its plan, or as it was, with its mistakes.
pub(crate) fn function(
    function: &Function,
    plan: &Plan,
    around: &Surroundings,
    errors: &Errors,
) -> TokenStream {
    let Some(body) = &plan.body else {
        let errors = errors.to_compile_errors();
        return quote!(#function #errors);
    };
    let told = around.told_once();
    let body = if errors.hinder() {
        function.body.as_ref().map_or_else(TokenStream::new, within)
    } else {
        Expansion::new(function, plan, around).body(body)
    };
    let used = &plan.used;
    let mut function = Function {
        body: Some(braced(quote!(#told #used #body))),
        ..function.clone()
    };
    if errors.is_empty() {
        let retry = plan.layer(LayerKind::Retry);
        let cloned = retry.map_or(&[][..], |retry| &retry.code.clone);
        change_mut(&mut function, cloned, &plan.unshared);
    }
    let errors = errors.to_compile_errors();
    quote!(#function #errors)
}

/// The body changes each attempt's own copy of an argument that is `cloned`, and an attempt borrows those
/// that are `unshared` as if it changed them.
fn change_mut(function: &mut Function, cloned: &[Ident], unshared: &[Ident]) {
    for argument in &mut function.signature.inputs {
        let FnArg::Typed(argument) = argument else {
            continue;
        };
        let is_lent = matches!(*argument.ty, Type::Reference(_));
        change_bindings(&mut argument.pat, &mut |pat| {
            if cloned.contains(&pat.ident) {
                // With a reference, it may be `mut` that makes the name a copy.
                pat.mutability = pat.mutability.filter(|_| is_lent);
            } else if unshared.contains(&pat.ident) {
                pat.mutability = Some(Token![mut](pat.ident.span()));
            }
        });
    }
}

/// A name of ours in generated code, which the user's code can neither see nor shadow.
fn ours(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

struct Expansion<'a> {
    function: &'a Function,
    plan: &'a Plan,
    /// `::hardening::private`.
    private: TokenStream,
    call: Ident,
    outcome: Ident,
    site: Ident,
}

impl<'a> Expansion<'a> {
    fn new(function: &'a Function, plan: &'a Plan, around: &Surroundings) -> Self {
        let root = around.root();
        Self {
            function,
            plan,
            private: quote!(#root::private),
            call: ours("call"),
            outcome: ours("outcome"),
            site: format_ident!("__HARDENING_SITE", span = Span::mixed_site()),
        }
    }

    fn body(&self, body: &Body) -> TokenStream {
        let Self {
            call,
            outcome,
            site,
            ..
        } = self;
        let (static_site, shape) = (self.static_site(), self.found_shape());
        let attempt = self.attempt(body);
        let layers = self.plan.layers.iter().rev();
        let wrapped = layers.fold(attempt, |inner, layer| self.wrap(layer, &inner));
        let end = self.end();
        let consumed = self.consumed();
        let run = quote! {
            #consumed
            #shape
            let mut #call = #site.call();
            let #outcome = #wrapped;
            #end
        };
        match self.function.future() {
            None => quote!(#static_site #run),
            Some(future::Kind::Opaque) => quote!(#static_site async move { #run }),
            Some(future::Kind::Boxed) => {
                quote!(#static_site ::std::boxed::Box::pin(async move { #run }))
            }
        }
    }

    /// The site, as static data that the linker collects.
    fn static_site(&self) -> TokenStream {
        let Self {
            private,
            site,
            plan,
            ..
        } = self;
        let here = format_ident!("{}", HERE, span = Span::mixed_site());
        let layers: String = plan.layers.iter().map(declared).collect();
        quote! {
            enum #here {}
            static #site: #private::Site =
                #private::Site::new(::core::any::type_name::<#here>, ::core::file!(), #layers);
            #private::inventory::submit! { #private::Registered(&#site) }
        }
    }

    /// The outer edge, and the fallback behind it.
    fn end(&self) -> TokenStream {
        let Self {
            call,
            outcome,
            site,
            ..
        } = self;
        let span = self.error_span();
        // The compiler underlines this where the error cannot carry a rejection.
        let span = Span::mixed_site().located_at(span);
        let [call, outcome] = [call, outcome].map(|name| located(name, span));
        let shape = self.shape_at(span);
        let fallback = self.plan.layer(LayerKind::Fallback);
        let Some(closure) = fallback.and_then(|layer| layer.code.fallback.as_ref()) else {
            return quote_spanned!(span=> #call.finish(#shape, #outcome));
        };
        let end = quote_spanned!(span=> #call.end(#outcome));
        let [value, error] = ["value", "error"].map(ours);
        let pattern = closure
            .inputs
            .first()
            .map_or_else(|| quote!(_), ToTokens::to_token_stream);
        // As a statement, it gets the parentheses that it does need at the end of a block.
        let body = Stmt::Expr(brackets::without(&closure.body).clone(), None);
        quote! {
            match #end {
                ::core::result::Result::Ok(#value) => ::core::result::Result::Ok(#value),
                ::core::result::Result::Err(#error) => {
                    #site.degraded();
                    #[allow(unused_variables, clippy::no_effect_underscore_binding)]
                    let #pattern = #error;
                    #body
                }
            }
        }
    }
}

/// What the runtime is told of `layer`.
fn declared(layer: &Layer) -> String {
    let settings = layer.settings.iter();
    let declared = Declared {
        policy: layer.policy.as_deref(),
        name: layer.name.as_deref(),
        settings: settings.map(|(key, text)| (&**key, &**text)).collect(),
        ..Declared::new(layer.kind, line_of(&layer.at))
    };
    declared.to_string()
}

/// `name` at another place.
fn located(name: &Ident, at: Span) -> Ident {
    let mut name = name.clone();
    name.set_span(at);
    name
}

/// `path` at another place.
fn moved_to(path: &TokenStream, at: Span) -> TokenStream {
    let tokens = path.clone().into_iter();
    tokens
        .map(|mut token| {
            // Where it resolves stays: `$crate` is that of the macro that wrote it.
            token.set_span(token.span().located_at(at));
            token
        })
        .collect()
}

fn line_of(at: &Ident) -> u32 {
    u32::try_from(at.span().unwrap().line()).unwrap_or(u32::MAX)
}
