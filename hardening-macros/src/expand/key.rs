//! Keys, taken in part by part.

use super::Expansion;
use crate::plan::Layer;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, spanned::Spanned};

impl Expansion<'_> {
    /// Binds `name` to the key of a rate limit: the one that was written, or one for everybody.
    pub(super) fn limit_key(&self, layer: &Layer, name: &Ident) -> TokenStream {
        let parts = layer.code.key.as_ref().map(parts).unwrap_or_default();
        self.key(name, &quote!(LimitKey), &parts)
    }

    /// Binds `name` to the key of a cached result: the one that was written, or else all arguments
    /// but `self`, and the types and constants that the function is compiled for: they share a site,
    /// and need not be seen in its arguments.
    pub(super) fn cache_key(&self, layer: &Layer, name: &Ident) -> TokenStream {
        if let Some(key) = &layer.code.key {
            return self.key(name, &quote!(CacheKey), &parts(key));
        }
        let call = &self.call;
        let key = self.key(name, &quote!(CacheKey), &self.arguments());
        // What an `impl` block is generic over is not seen from here. A closure's name tells it.
        quote! {
            #key
            let #name = #call.key_among_types(#name, ::core::any::type_name_of_val(&|| {}));
        }
    }

    fn arguments(&self) -> Vec<TokenStream> {
        let names = self.function.argument_names().into_iter();
        let generics = &self.function.signature.generics;
        let types = generics.type_params().map(|parameter| {
            let name = &parameter.ident;
            quote!(::core::any::type_name::<#name>())
        });
        let consts = generics.const_params().map(|parameter| &parameter.ident);
        let opaque = self.function.opaque_arguments().into_iter();
        let opaque = opaque.map(|name| quote!(::core::any::type_name_of_val(&#name)));
        names
            .map(Ident::into_token_stream)
            .chain(types)
            .chain(consts.map(ToTokens::to_token_stream))
            .chain(opaque)
            .collect()
    }

    fn key(&self, name: &Ident, hasher: &TokenStream, parts: &[TokenStream]) -> TokenStream {
        let private = &self.private;
        // A user's `_unused` argument is used here after all.
        let quiet = parts
            .iter()
            .any(has_underscored)
            .then(|| quote!(#[allow(clippy::used_underscore_binding)]));
        let parts = parts
            .iter()
            .map(|part| quote_spanned!(part.span()=> .part(&#part)));
        quote!(#quiet let #name = #private::#hasher::new() #(#parts)* .done();)
    }
}

/// The parts of a key: a tuple hashes as they do one by one, and they are not moved into it.
fn parts(key: &Expr) -> Vec<TokenStream> {
    match key {
        Expr::Tuple(tuple) => tuple.elems.iter().map(part).collect(),
        key => vec![part(key)],
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
