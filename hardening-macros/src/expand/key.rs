//! Keys, taken in part by part.

use super::Expansion;
use crate::plan::Layer;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Expr, spanned::Spanned};

impl Expansion<'_> {
    /// Binds `name` to the key of a rate limit: the one that was written, or one for everybody.
    pub(super) fn limit_key(&self, layer: &Layer, name: &Ident) -> TokenStream {
        let parts = layer.code.key.as_ref().map(parts).unwrap_or_default();
        let (quiet, key) = (quiet(&parts), self.key(&LIMIT, name, &parts));
        quote!(#quiet let #name = #key;)
    }

    /// Binds `name` to the key of a cached result: the one that was written, or else all arguments
    /// but `self`, and the types and constants that the function is compiled for: they share a site,
    /// and need not be seen in its arguments.
    pub(super) fn cache_key(&self, layer: &Layer, name: &Ident) -> TokenStream {
        let written = layer.code.key.as_ref().map(parts);
        let parts = written.unwrap_or_else(|| self.arguments());
        let (quiet, key) = (quiet(&parts), self.key(&CACHE, name, &parts));
        quote!(#quiet let #name = #key;)
    }

    fn arguments(&self) -> Vec<Part> {
        let bindings = self.function.bindings();
        let named = bindings.iter().map(|binding| Part {
            conditions: binding.conditions.clone(),
            tokens: binding.name.to_token_stream(),
        });
        let opaque = bindings.iter().filter(|binding| binding.is_opaque);
        let opaque = opaque.map(|binding| {
            let name = &binding.name;
            Part {
                conditions: binding.conditions.clone(),
                tokens: quote!(::core::any::type_name_of_val(&#name)),
            }
        });
        let generics = &self.function.signature.generics;
        let types = generics.type_params().map(|parameter| {
            let name = &parameter.ident;
            Part::of(quote!(::core::any::type_name::<#name>()))
        });
        let consts = generics.const_params();
        let consts = consts.map(|parameter| Part::of(parameter.ident.to_token_stream()));
        named.chain(types).chain(consts).chain(opaque).collect()
    }

    /// The key that is made of `parts`; `name` is free.
    fn key(&self, made: &Made, name: &Ident, parts: &[Part]) -> TokenStream {
        let private = &self.private;
        let [whole, taking] = [made.whole, made.taking].map(|name| format_ident!("{name}"));
        if let [Part { conditions, tokens }] = parts
            && conditions.is_empty()
        {
            return quote_spanned!(tokens.span()=> #private::#whole(&#tokens));
        }
        let (always, at_times): (Vec<_>, Vec<_>) =
            parts.iter().partition(|part| part.conditions.is_empty());
        let always = always.into_iter().map(Part::taken_in);
        let key = quote!(#private::#taking::new() #(#always)*);
        if at_times.is_empty() {
            return quote!(#key.done());
        }
        let at_times = at_times.into_iter().map(|part| {
            let (conditions, taken_in) = (&part.conditions, part.taken_in());
            quote!(#(#conditions)* let #name = #name #taken_in;)
        });
        quote!({
            let #name = #key;
            #(#at_times)*
            #name.done()
        })
    }
}

/// What makes keys, of one part or of several.
struct Made {
    whole: &'static str,
    taking: &'static str,
}

const LIMIT: Made = Made {
    whole: "limit_key",
    taking: "LimitKey",
};

const CACHE: Made = Made {
    whole: "cache_key",
    taking: "CacheKey",
};

/// A user's `_unused` argument is used here after all.
fn quiet(parts: &[Part]) -> Option<TokenStream> {
    parts
        .iter()
        .any(|part| has_underscored(&part.tokens))
        .then(|| quote!(#[allow(clippy::used_underscore_binding)]))
}

/// What a key takes in at once.
struct Part {
    /// The `cfg`s of the argument that it is of.
    conditions: Vec<Attribute>,
    tokens: TokenStream,
}

impl Part {
    const fn of(tokens: TokenStream) -> Self {
        Self {
            conditions: Vec::new(),
            tokens,
        }
    }

    fn taken_in(&self) -> TokenStream {
        let tokens = &self.tokens;
        quote_spanned!(tokens.span()=> .part(&#tokens))
    }
}

/// The parts of a key: a tuple hashes as they do one by one, and they are not moved into it.
fn parts(key: &Expr) -> Vec<Part> {
    match key {
        Expr::Tuple(tuple) => tuple.elems.iter().map(part).map(Part::of).collect(),
        key => vec![Part::of(part(key))],
    }
}

/// `&` binds closer than most expressions.
fn part(expr: &Expr) -> TokenStream {
    match expr {
        Expr::Path(_)
        | Expr::Field(_)
        | Expr::MethodCall(_)
        | Expr::Call(_)
        | Expr::Lit(_)
        | Expr::Macro(_)
        | Expr::Paren(_)
        | Expr::Reference(_)
        | Expr::Index(_) => quote!(#expr),
        expr => quote_spanned!(expr.span()=> (#expr)),
    }
}

fn has_underscored(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(word) => word.to_string().starts_with('_'),
        TokenTree::Group(group) => has_underscored(&group.stream()),
        _ => false,
    })
}
