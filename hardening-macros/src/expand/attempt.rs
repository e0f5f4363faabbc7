//! The innermost expression: one run of the body.

use super::{Expansion, returned::without_impl};
use crate::{function::braced, future, moved::Body};
use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ReturnType;

impl Expansion<'_> {
    /// One run of the body, which stands in its own braces: where it is half typed, the compiler finds
    /// fault at the same place as in the function that was written, and says so once.
    pub(super) fn attempt(&self, body: &Body) -> TokenStream {
        let Self { private, call, .. } = self;
        let shape = self.shape_at(Span::mixed_site());
        let returned = self.returned();
        let block = &body.block;
        if self.function.future().is_some() && !body.is_unboxed {
            // Here the body makes the future; its `return` is that of this closure.
            let made = match &self.function.signature.output {
                ReturnType::Type(_, ty) => without_impl(ty.to_token_stream()),
                ReturnType::Default => quote!(()),
            };
            let made =
                (self.function.future() == Some(future::Kind::Boxed)).then(|| quote!(-> #made));
            quote!(#call.attempt(#shape, async { (|| #made #block)().await }).await)
        } else if self.function.is_async() {
            // Nothing else says the type of an async block, and `?` needs it.
            let (inside, unshared) = (within(block), self.unshared());
            let mut inside = braced(quote! {
                if false {
                    #unshared
                    return #private::typed::<#returned>();
                }
                #inside
            });
            if !is_half_typed(block) {
                // The compiler underlines this where the body ends without a value.
                inside.set_span(Span::mixed_site().located_at(block.span()));
            }
            quote!(#call.attempt(#shape, async #inside).await)
        } else {
            quote!(#call.attempt_blocking(#shape, || -> #returned #block))
        }
    }

    /// What makes the `async` block around it borrow arguments for change, see [`Plan::unshared`].
    ///
    /// [`Plan::unshared`]: crate::plan::Plan::unshared
    fn unshared(&self) -> Option<TokenStream> {
        let private = &self.private;
        let names = &self.plan.unshared;
        (!names.is_empty()).then(|| quote!(#private::alone((#(&mut #names,)*));))
    }
}

/// The body at the end of a block of ours: in its own braces only if it is half typed, as they are
/// one pair too many for the lints.
pub(super) fn within(block: &Group) -> TokenStream {
    if is_half_typed(block) {
        block.to_token_stream()
    } else {
        block.stream()
    }
}

fn is_half_typed(block: &Group) -> bool {
    match block.stream().into_iter().last() {
        Some(TokenTree::Punct(last)) => !matches!(last.as_char(), ';' | '?'),
        _ => false,
    }
}
