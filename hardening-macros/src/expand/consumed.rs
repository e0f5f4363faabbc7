//! Questions to the compiler: whether the types of what a body consumes let it run again.

use super::Expansion;
use crate::plan::{Consumed, How, Part, taken};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, Member, spanned::Spanned};

impl Expansion<'_> {
    /// Asks of all that the body consumes.
    pub(super) fn consumed(&self) -> Option<TokenStream> {
        let private = &self.private;
        let consumed = &self.plan.consumed;
        let arguments = consumed.arguments.iter().map(|one| self.asked(one));
        let parts = consumed.parts.iter().map(|part| self.asked_of_part(part));
        let asked: TokenStream = arguments.chain(parts).collect();
        (!asked.is_empty()).then(|| {
            quote!({
                #[allow(unused_imports)]
                use #private::consumed::{Again as _, MaybeKept as _, PartAgain as _, SelfAgain as _};
                #[allow(clippy::used_underscore_binding)]
                { #asked }
            })
        })
    }

    fn asked(&self, consumed: &Consumed) -> TokenStream {
        let (private, name) = (&self.private, &consumed.name);
        let span = name.span();
        let method = match consumed.how {
            How::Moved if name == "self" => "moved_self".to_owned(),
            How::Moved => "moved".to_owned(),
            How::Method(method) => format!("calls_{method}"),
        };
        let method = Ident::new(&method, span);
        quote_spanned!(span=> #private::consumed::Argument(&#name).#method().again();)
    }

    /// The type of what a pattern binds shows only where it is bound. So it is, where the function never
    /// gets to, and never leaves: for the code behind it, the argument is whole. One pattern at a time,
    /// as a guard that stood between two is not there.
    fn asked_of_part(&self, part: &Part) -> TokenStream {
        let of = &part.of;
        let Some(pattern) = &part.pattern else {
            return self.asked_of_place(of, member_span(of));
        };
        let asked = taken(pattern).map(|name| self.asked_of_place(name, name.span()));
        quote!(if false { match #of { #pattern => { #(#asked)* } _ => {} } loop {} })
    }

    /// Its address says its type: it need not be moved, nor be where a reference can point to.
    fn asked_of_place(&self, place: &impl ToTokens, span: Span) -> TokenStream {
        let private = &self.private;
        quote_spanned!(span=> #private::consumed::Part(::core::ptr::addr_of!(#place)).again();)
    }
}

/// Where the field's name stands.
fn member_span(place: &Expr) -> Span {
    match place {
        Expr::Field(field) => match &field.member {
            Member::Named(name) => name.span(),
            Member::Unnamed(index) => index.span,
        },
        place => place.span(),
    }
}
