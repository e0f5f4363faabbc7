//! Functions that are not `async` but return a future: those that a user writes so, and those that
//! `#[async_trait]` makes of async ones.

use crate::function::ungrouped;
use syn::{
    AngleBracketedGenericArguments, GenericArgument, PathArguments, ReturnType, Type,
    TypeParamBound, TypePath,
};

/// How a function returns its future.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `Pin<Box<dyn Future<Output = T>>>`, or `BoxFuture<'_, T>`.
    Boxed,
    /// `impl Future<Output = T>`.
    Opaque,
}

/// The future that a function returns: how, and of what.
pub(crate) fn returned(output: &ReturnType) -> Option<(Kind, &Type)> {
    let ReturnType::Type(_, ty) = output else {
        return None;
    };
    match ungrouped(ty) {
        Type::ImplTrait(ty) => Some((Kind::Opaque, of_bounds(ty.bounds.iter())?)),
        Type::Path(path) => Some((Kind::Boxed, of_box(path)?)),
        _ => None,
    }
}

fn of_box(path: &TypePath) -> Option<&Type> {
    let last = path.path.segments.last()?;
    let argument = last_type(&last.arguments)?;
    if last.ident == "BoxFuture" || last.ident == "LocalBoxFuture" {
        return Some(argument);
    }
    let Type::Path(boxed) = (last.ident == "Pin").then(|| ungrouped(argument))? else {
        return None;
    };
    let boxed = boxed
        .path
        .segments
        .last()
        .filter(|last| last.ident == "Box")?;
    match ungrouped(last_type(&boxed.arguments)?) {
        Type::TraitObject(object) => of_bounds(object.bounds.iter()),
        _ => None,
    }
}

fn arguments(arguments: &PathArguments) -> Option<&AngleBracketedGenericArguments> {
    match arguments {
        PathArguments::AngleBracketed(arguments) => Some(arguments),
        _ => None,
    }
}

fn last_type(of: &PathArguments) -> Option<&Type> {
    let mut types = arguments(of)?
        .args
        .iter()
        .filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        });
    types.next_back()
}

/// The `T` of `Future<Output = T>`.
fn of_bounds<'a>(mut bounds: impl Iterator<Item = &'a TypeParamBound>) -> Option<&'a Type> {
    bounds.find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let last = bound
            .path
            .segments
            .last()
            .filter(|last| last.ident == "Future")?;
        arguments(&last.arguments)?
            .args
            .iter()
            .find_map(|argument| match argument {
                GenericArgument::AssocType(output) if output.ident == "Output" => Some(&output.ty),
                _ => None,
            })
    })
}
