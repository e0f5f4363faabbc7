//! What a generic error has to promise: only of types that stand in its place, and only where they are asked.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Generics, PathArguments, Type, parse_quote};

/// Adds `T: Trait` for each of `asked` that depends on a type parameter.
///
/// A pointer is worth what it points to, so the bound is on that. It is not on the error `name` itself:
/// a bound that needs its own implementation first is never met.
pub(super) fn add(generics: &mut Generics, name: &Ident, asked: Vec<(Type, TokenStream)>) {
    let parameters: Vec<Ident> = generics.type_params().map(|ty| ty.ident.clone()).collect();
    for (ty, bound) in asked {
        let ty = behind_pointers(&ty);
        if is(ty, name) || !mentions(ty.to_token_stream(), &parameters) {
            continue;
        }
        let clause = generics.make_where_clause();
        clause.predicates.push(parse_quote!(#ty: #bound));
    }
}

/// `E` of `Box<E>`, `Arc<E>`, `Rc<E>` or `&E`, as deep as they go.
fn behind_pointers(ty: &Type) -> &Type {
    let inner = match ty {
        Type::Reference(reference) => Some(&*reference.elem),
        Type::Paren(paren) => Some(&*paren.elem),
        Type::Group(group) => Some(&*group.elem),
        Type::Path(path) => path.path.segments.last().and_then(|last| {
            let is_pointer = ["Box", "Arc", "Rc"].iter().any(|name| last.ident == name);
            match &last.arguments {
                PathArguments::AngleBracketed(list) if is_pointer && list.args.len() == 1 => {
                    match list.args.first() {
                        Some(GenericArgument::Type(inner)) => Some(inner),
                        _ => None,
                    }
                }
                _ => None,
            }
        }),
        _ => None,
    };
    inner.map_or(ty, behind_pointers)
}

/// Whether `ty` is the error itself.
fn is(ty: &Type, name: &Ident) -> bool {
    match ty {
        Type::Path(path) if path.qself.is_none() && path.path.segments.len() == 1 => {
            let ident = &path.path.segments[0].ident;
            ident == name || ident == "Self"
        }
        _ => false,
    }
}

fn mentions(tokens: TokenStream, parameters: &[Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => parameters.contains(&ident),
        TokenTree::Group(group) => mentions(group.stream(), parameters),
        _ => false,
    })
}
