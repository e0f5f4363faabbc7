//! What is written between an attribute's parentheses.

use proc_macro2::TokenStream;
use syn::{
    Expr, Ident, Lit, Token,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
    token,
};

/// One argument.
pub(crate) enum Arg {
    /// `key = value`, or `key(…)`.
    Named { key: Ident, value: Value },
    /// Anything else: an expression by itself.
    Bare(Expr),
}

/// The value of a named argument.
pub(crate) enum Value {
    /// `key = expression`.
    Expr(Expr),
    /// `key(a, b)` or `key(a = 1, b = 2)`.
    List(Punctuated<Arg, Token![,]>),
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let named =
            input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]);
        let listed = input.peek(Ident::peek_any) && input.peek2(token::Paren);
        if named {
            let key = input.call(Ident::parse_any)?;
            input.parse::<Token![=]>()?;
            if input.is_empty() || input.peek(Token![,]) {
                return Err(no_value(&key));
            }
            let written = input.fork();
            let value =
                Value::Expr(expression(input).map_err(|error| finished(error, &key, &written))?);
            Ok(Self::Named { key, value })
        } else if input.peek(Ident::peek_any) && is_no_sign(input) {
            Err(no_value(&input.call(Ident::parse_any)?))
        } else if listed {
            let key = input.call(Ident::parse_any)?;
            let content;
            parenthesized!(content in input);
            let value = Value::List(Punctuated::parse_terminated(&content)?);
            Ok(Self::Named { key, value })
        } else {
            Ok(Self::Bare(expression(input)?))
        }
    }
}

/// An expression, taken out of the invisible brackets that a macro's `$value:expr` leaves around it.
fn expression(input: ParseStream<'_>) -> syn::Result<Expr> {
    let mut expr = input.parse()?;
    while let Expr::Group(group) = expr {
        expr = *group.expr;
    }
    Ok(expr)
}

/// Whether something else stands where the `=` of `key = value` belongs.
fn is_no_sign(input: ParseStream<'_>) -> bool {
    (input.peek2(Token![:]) && !input.peek2(Token![::])) || input.peek2(Lit)
}

/// The end of the arguments has no place of its own: what is not finished is underlined instead.
fn finished(error: syn::Error, key: &Ident, written: ParseStream<'_>) -> syn::Error {
    if !is_unfinished(&error) {
        return error;
    }
    let rest: TokenStream = written.parse().unwrap_or_default();
    syn::Error::new_spanned(
        rest,
        format!("this expression is not finished; `{key} = …` takes a whole one"),
    )
}

/// Whether the parser wanted more when there was no more, which the compiler reports by itself
/// where it parses the same tokens.
pub(crate) fn is_unfinished(error: &syn::Error) -> bool {
    error.to_string().starts_with("unexpected end of input")
}

fn no_value(key: &Ident) -> syn::Error {
    syn::Error::new_spanned(key, format!("write `{key} = …`"))
}

/// The arguments of one attribute.
pub(crate) fn parse(tokens: TokenStream) -> syn::Result<Vec<Arg>> {
    let parser = Punctuated::<Arg, Token![,]>::parse_terminated;
    Ok(parser.parse2(tokens)?.into_iter().collect())
}
