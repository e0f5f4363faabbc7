//! The innermost expression: one run of the body.

use super::{Expansion, returned::without_impl};
use crate::{future, moved::Body};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ReturnType;

impl Expansion<'_> {
    /// One run of the body.
    pub(super) fn attempt(&self, body: &Body) -> TokenStream {
        let Self { private, call, .. } = self;
        let shape = self.shape_at(Span::mixed_site());
        let returned = self.returned();
        let Body {
            tokens: body,
            is_unboxed,
        } = body;
        if self.function.future().is_some() && !is_unboxed {
            // Here the body makes the future; its `return` is that of this closure.
            let made = match &self.function.signature.output {
                ReturnType::Type(_, ty) => without_impl(ty.to_token_stream()),
                ReturnType::Default => quote!(()),
            };
            let made =
                (self.function.future() == Some(future::Kind::Boxed)).then(|| quote!(-> #made));
            quote!(#call.attempt(#shape, async { (|| #made { #body })().await }).await)
        } else if self.function.is_async() {
            // Nothing else says the type of an async block, and `?` needs it.
            quote! {
                #call.attempt(#shape, async {
                    if false {
                        return #private::typed::<#returned>();
                    }
                    #body
                }).await
            }
        } else {
            quote!(#call.attempt_blocking(#shape, || -> #returned { #body }))
        }
    }
}
