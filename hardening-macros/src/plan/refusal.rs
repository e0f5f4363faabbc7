//! Functions that a plan refuses, and what to write instead.

use super::Written;
use crate::{errors::Errors, function::Function, seen, surroundings::Surroundings};
use hardening_config::LayerKind;
use proc_macro2::{Group, Ident};
use syn::{Attribute, GenericArgument, PathArguments, Type};

/// The same attribute twice.
pub(crate) fn refuse_twice(ours: &[Written], errors: &mut Errors) {
    for (index, written) in ours.iter().enumerate() {
        if ours[..index]
            .iter()
            .any(|earlier| earlier.kind == written.kind)
        {
            errors.at(
                &written.at,
                format!(
                    "`{}` is already written here: keep one of them and write all its arguments there",
                    written.at
                ),
            );
        }
    }
}

/// A function that the attributes cannot go on.
pub(super) fn refuse_function(
    ours: &[Written],
    function: &Function,
    around: &Surroundings,
    errors: &mut Errors,
) {
    let Some(first) = ours.first() else { return };
    around.refuse_missing(&first.at, errors);
    match &function.body {
        None => errors.at(
            &first.at,
            "this method has no body here: write one, or the attribute where the method is implemented",
        ),
        Some(_) => {
            refuse_expanded(ours, &function.attributes, around, errors);
        }
    }
    if let Some(constness) = &function.signature.constness {
        errors.at(
            constness,
            format!(
                "`{}` needs a clock, so the function cannot be `const`",
                first.at
            ),
        );
    }
    refuse_blocking_timeout(ours, function, errors);
    refuse_return_type(ours, function, errors);
    refuse_borrowed_cache(ours, function, errors);
}

/// An item that another attribute of ours has expanded already, which did not know this one by
/// its name.
pub(crate) fn refuse_expanded(
    ours: &[Written],
    attributes: &[Attribute],
    around: &Surroundings,
    errors: &mut Errors,
) -> bool {
    let (Some(first), Some(by)) = (ours.first(), seen::expanded_by(attributes)) else {
        return false;
    };
    let (own, root) = (&first.at, around.crate_name());
    let name = seen::name_in_source().unwrap_or_else(|| own.to_string());
    errors.at(
        own,
        format!(
            "`#[{name}]` is `{root}::{own}`, which `#[{by}]` above it could not know by this name: write \
             `#[{root}::{own}]`, or `#[{name}]` first"
        ),
    );
    true
}

fn refuse_blocking_timeout(ours: &[Written], function: &Function, errors: &mut Errors) {
    let timeout = ours
        .iter()
        .find(|written| written.kind == LayerKind::Timeout);
    let Some(written) = timeout.filter(|_| !function.is_async()) else {
        return;
    };
    if has_a_runtime(function) {
        errors.at(
            at(written, function),
            "the attribute of tokio above has made this function blocking, so `timeout` cannot stop it: write \
             `#[tokio::main]` or `#[tokio::test]` below",
        );
    } else {
        errors.at(
            at(written, function),
            format!(
                "a blocking function cannot be stopped from outside, so `timeout` needs an `async fn`: make the function \
                 async, or give the blocking call inside it a time limit of its own{}",
                or_skip(written)
            ),
        );
    }
}

/// Whether it is what `#[tokio::main]` or `#[tokio::test]` makes: `let body = async { … }; …`.
fn has_a_runtime(function: &Function) -> bool {
    let words = function.body.iter().flat_map(Group::stream);
    let words: Vec<_> = words.take(4).map(|word| word.to_string()).collect();
    words == ["let", "body", "=", "async"]
}

/// Where an attribute is at fault: for one that stands on the block, the method that it does not fit.
fn at<'a>(written: &'a Written, function: &'a Function) -> &'a Ident {
    if written.inherited {
        &function.signature.ident
    } else {
        &written.at
    }
}

const fn or_skip(written: &Written) -> &'static str {
    if written.inherited {
        "; or leave this method out of its block's attributes with `#[hardening(skip)]`"
    } else {
        ""
    }
}

/// A return type that certainly holds no error. Types that only look like it (an alias) are left to
/// the compiler, which knows them.
fn refuse_return_type(ours: &[Written], function: &Function, errors: &mut Errors) {
    let Some(needs) = ours.iter().find(|written| written.kind != LayerKind::Cache) else {
        refuse_unit_cache(ours, function, errors);
        return;
    };
    let why = match needs.kind {
        LayerKind::Fallback => "`fallback` answers when the function fails, which this return type cannot say: return `Result<T, E>`".to_owned(),
        _ => format!(
            "`{}` may have to refuse a call, which this return type cannot say: return `Result<T, E>` where \
             `E: From<hardening::Rejected>`",
            needs.at
        ),
    };
    let message = format!("{why}{}", or_skip(needs));
    match function.returns() {
        None => errors.at(&function.signature.ident, message),
        Some(ty) if certainly_no_result(ty) => errors.at(ty, message),
        Some(_) => {}
    }
}

/// What is remembered outlives the call, and so cannot borrow from it.
fn refuse_borrowed_cache(ours: &[Written], function: &Function, errors: &mut Errors) {
    let is_cached = ours.iter().any(|written| written.kind == LayerKind::Cache);
    if let Some(ty) = function.returns()
        && is_cached
        && let Some(borrowed) = borrowed(ty)
    {
        errors.at(
            borrowed,
            "a cached value outlives the call, so it cannot be borrowed: return what owns it, such as `String`, `Vec<T>` or `Arc<T>`",
        );
    }
}

/// A reference that is the type, or the value in its `Result` or `Option`.
fn borrowed(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Reference(reference) => {
            let is_static = reference
                .lifetime
                .as_ref()
                .is_some_and(|lifetime| lifetime.ident == "static");
            (!is_static).then_some(ty)
        }
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let holds = last.ident.to_string().ends_with("Result") || last.ident == "Option";
            match &last.arguments {
                PathArguments::AngleBracketed(inside) if holds => match inside.args.first()? {
                    GenericArgument::Type(ty) => borrowed(ty),
                    _ => None,
                },
                _ => None,
            }
        }
        _ => None,
    }
}

fn refuse_unit_cache(ours: &[Written], function: &Function, errors: &mut Errors) {
    if !ours.is_empty() && function.returns().is_none() {
        errors.at(
            &function.signature.ident,
            "this function returns nothing that could be remembered: return the value, or take `cached` off",
        );
    }
}

fn certainly_no_result(ty: &Type) -> bool {
    const PLAIN: [&str; 24] = [
        "Option", "String", "Vec", "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize",
        "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64", "HashMap", "BTreeMap", "Arc",
        "Rc", "Self",
    ];
    match ty {
        Type::Path(path) if path.qself.is_none() => {
            let last = path.path.segments.last();
            last.is_some_and(|last| PLAIN.contains(&last.ident.to_string().as_str()))
        }
        Type::Group(group) => certainly_no_result(&group.elem),
        Type::Paren(paren) => certainly_no_result(&paren.elem),
        Type::Tuple(_)
        | Type::Array(_)
        | Type::Slice(_)
        | Type::Reference(_)
        | Type::Never(_)
        | Type::Ptr(_) => true,
        _ => false,
    }
}
