//! What a function returns, as far as its tokens say: whether it can fail, where its error stands, and
//! its type where code can name it.

use super::{Expansion, located, ours};
use hardening_config::LayerKind;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{GenericArgument, PathArguments, Type, spanned::Spanned};

impl Expansion<'_> {
    /// How the function returns, for the call's driver.
    pub(super) fn shape_at(&self, span: Span) -> TokenStream {
        let private = &self.private;
        if self.is_fallible() {
            return quote!(#private::Fallible);
        }
        located(&ours("shape"), span).into_token_stream()
    }

    /// Finds how the function returns, where its tokens do not say. Every attribute but `cached`
    /// needs a `Result`; of that one, the compiler says what the return type is, whatever it is
    /// called.
    pub(super) fn found_shape(&self) -> Option<TokenStream> {
        if self.is_fallible() {
            return None;
        }
        let (private, shape) = (&self.private, ours("shape"));
        let returned = self.returned();
        let found = quote!({
            #[allow(unused_imports)]
            use #private::Otherwise as _;
            #private::Of::<#returned>::NEW.shape()
        });
        let found = if self.is_only_cached() {
            found
        } else {
            let span = self.error_span();
            quote_spanned!(span=> #private::refusing::<#returned, _>(#found))
        };
        Some(quote!(let #shape = #found;))
    }

    pub(super) fn is_only_cached(&self) -> bool {
        let mut layers = self.plan.layers.iter();
        layers.all(|layer| layer.kind == LayerKind::Cache)
    }

    /// Whether the return type is called `Result`, or is generic and called so at its end. What any
    /// other name stands for (a `SearchResult` is a value), the compiler knows.
    pub(super) fn is_fallible(&self) -> bool {
        match self.function.returns() {
            Some(Type::Path(path)) => {
                let last = path.path.segments.last();
                last.is_some_and(|last| {
                    let is_generic = !last.arguments.is_none();
                    last.ident == "Result"
                        || (is_generic && last.ident.to_string().ends_with("Result"))
                })
            }
            _ => false,
        }
    }

    /// Where the function says its error's type, or else what it returns.
    pub(super) fn error_span(&self) -> Span {
        self.part_span(|parts| {
            if let [_, error] = parts {
                Some(*error)
            } else {
                None
            }
        })
    }

    /// Where the function says its value's type, or else what it returns.
    pub(super) fn value_span(&self) -> Span {
        self.part_span(|parts| parts.first().copied())
    }

    /// Where a part of the return type stands that `choose` finds among its generic arguments.
    fn part_span(&self, choose: impl FnOnce(&[Span]) -> Option<Span>) -> Span {
        let Some(ty) = self.function.returns() else {
            return Span::call_site();
        };
        let last = match ty {
            Type::Path(path) => path.path.segments.last(),
            _ => None,
        };
        let parts: Vec<_> = match last.map(|last| &last.arguments) {
            Some(PathArguments::AngleBracketed(arguments)) => arguments
                .args
                .iter()
                .filter_map(|argument| match argument {
                    GenericArgument::Type(part) => Some(part.span()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        choose(&parts).unwrap_or_else(|| ty.span())
    }

    /// The return type, with `_` for what cannot be named.
    pub(super) fn returned(&self) -> TokenStream {
        let ty = self.function.returns().map(ToTokens::to_token_stream);
        ty.map_or_else(|| quote!(()), without_impl)
    }
}

/// `ty` with `_` in the place of each `impl Trait`, which only a signature can name.
pub(super) fn without_impl(ty: TokenStream) -> TokenStream {
    let mut plain = Vec::<TokenTree>::new();
    let mut tokens = ty.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "impl" => {
                skip_bounds(&mut tokens);
                plain.push(TokenTree::Ident(Ident::new("_", word.span())));
            }
            TokenTree::Group(group) => {
                let inner = without_impl(group.stream());
                let mut whole = proc_macro2::Group::new(group.delimiter(), inner);
                whole.set_span(group.span());
                plain.push(whole.into());
            }
            other => plain.push(other),
        }
    }
    plain.into_iter().collect()
}

/// Skips to the comma or the closing bracket behind the bounds of an `impl Trait`.
fn skip_bounds(tokens: &mut std::iter::Peekable<proc_macro2::token_stream::IntoIter>) {
    let (mut depth, mut before) = (0_usize, ' ');
    while let Some(token) = tokens.peek() {
        if let TokenTree::Punct(punct) = token {
            match punct.as_char() {
                ',' if depth == 0 => return,
                '>' if before != '-' && depth == 0 => return,
                '>' if before != '-' => depth -= 1,
                '<' => depth += 1,
                _ => {}
            }
            before = punct.as_char();
        } else {
            before = ' ';
        }
        tokens.next();
    }
}
