//! What is written of a variant: its mark, read and checked by itself.

use crate::errors::Errors;
use proc_macro2::Ident;
use syn::{Attribute, Fields, Member, Meta, meta::ParseNestedMeta, parse::Parse};

/// What a variant's mark says.
pub(super) enum Mark {
    Transient,
    After(Member),
    Permanent,
    /// As the error in this field says; without one, as the only one does.
    Forward(Option<Member>),
}

const MARKS: [&str; 3] = ["transient", "permanent", "classify"];

/// The first of our marks among `attributes`.
pub(super) fn first(attributes: &[Attribute]) -> Option<&Attribute> {
    attributes
        .iter()
        .find(|attribute| MARKS.iter().any(|mark| attribute.path().is_ident(mark)))
}

/// The mark of `at`, which is a `what`.
pub(super) fn read(
    attributes: &[Attribute],
    fields: &Fields,
    at: &Ident,
    what: &str,
    errors: &mut Errors,
) -> Option<Mark> {
    let on_field = refuse_on_fields(fields, what, errors);
    let mut marks = Vec::new();
    for attribute in attributes {
        let path = attribute.path();
        let mark = if path.is_ident("transient") {
            transient(attribute)
        } else if path.is_ident("permanent") {
            permanent(attribute)
        } else if path.is_ident("classify") {
            forward(attribute)
        } else {
            continue;
        };
        marks.push((attribute, errors.note(mark)?));
    }
    if let Some((second, _)) = marks.get(1) {
        errors.at(
            second,
            format!("this {what} is already marked; keep one of the marks"),
        );
    }
    if marks.is_empty() && !on_field {
        errors.at(
            at,
            format!(
                "say whether `{at}` is worth another try: `#[transient]`, `#[transient(after = field)]`, `#[permanent]`, \
                 or `#[classify(forward)]` to ask the error inside it"
            ),
        );
    }
    marks.into_iter().next().map(|(_, mark)| mark)
}

/// A mark on a field, which would say nothing; whether there is one.
fn refuse_on_fields(fields: &Fields, what: &str, errors: &mut Errors) -> bool {
    let mut found = false;
    for (member, field) in fields.members().zip(fields) {
        let Some(mark) = first(&field.attrs) else {
            continue;
        };
        found = true;
        let member = show(&member);
        let instead = match mark.path().get_ident() {
            Some(ident) if ident == "classify" => format!("`#[classify(forward = {member})]`"),
            Some(ident) if ident == "transient" => format!("`#[transient(after = {member})]`"),
            _ => "`#[permanent]`".to_owned(),
        };
        errors.at(
            &mark.meta,
            format!("a mark is written on the {what}, not on a field: write {instead} there"),
        );
    }
    found
}

const TRANSIENT: &str = "write `#[transient]`, or `#[transient(after = field)]` with the name or number of a field that says \
                         how long to wait";
const FORWARD: &str = "write `#[classify(forward)]`, or `#[classify(forward = field)]` with the name or number of the field \
                       that holds the error to ask; or mark it `#[transient]` or `#[permanent]`";

fn transient(attribute: &Attribute) -> syn::Result<Mark> {
    if matches!(attribute.meta, Meta::Path(_)) {
        return Ok(Mark::Transient);
    }
    let (_, member) = argument(attribute, "after", TRANSIENT)?;
    match member {
        Some(member) => Ok(Mark::After(member)),
        None => Err(syn::Error::new_spanned(&attribute.meta, TRANSIENT)),
    }
}

fn permanent(attribute: &Attribute) -> syn::Result<Mark> {
    match &attribute.meta {
        Meta::Path(_) => Ok(Mark::Permanent),
        meta => Err(syn::Error::new_spanned(meta, "write `#[permanent]`")),
    }
}

fn forward(attribute: &Attribute) -> syn::Result<Mark> {
    match argument(attribute, "forward", FORWARD)? {
        (true, member) => Ok(Mark::Forward(member)),
        (false, _) => Err(syn::Error::new_spanned(&attribute.meta, FORWARD)),
    }
}

/// Whether the list of `attribute` has the word `name`, and the field that it is set to.
fn argument(
    attribute: &Attribute,
    name: &str,
    instead: &str,
) -> syn::Result<(bool, Option<Member>)> {
    let (mut is_there, mut member) = (false, None);
    match &attribute.meta {
        Meta::Path(_) => {}
        Meta::NameValue(pair) => return Err(syn::Error::new_spanned(&pair.value, instead)),
        Meta::List(_) => attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident(name) {
                return Err(syn::Error::new_spanned(meta.path, instead));
            }
            if std::mem::replace(&mut is_there, true) {
                return Err(meta.error(format!("`{name}` is already said; keep one of the two")));
            }
            member = field(&meta, instead)?;
            Ok(())
        })?,
    }
    Ok((is_there, member))
}

fn field(meta: &ParseNestedMeta<'_>, instead: &str) -> syn::Result<Option<Member>> {
    if !meta.input.peek(syn::Token![=]) {
        return Ok(None);
    }
    let member = Member::parse(meta.value()?);
    let member = member.map_err(|error| syn::Error::new(error.span(), instead))?;
    Ok(Some(member))
}

/// The field that `member` names, or a mistake that lists what there is; `wanted` says what to name.
pub(super) fn find<'a>(
    member: &Member,
    fields: &'a Fields,
    wanted: &str,
    errors: &mut Errors,
) -> Option<&'a syn::Field> {
    let found = fields
        .members()
        .zip(fields)
        .find(|(known, _)| show(known) == show(member));
    if found.is_none() {
        let known = match &*names(fields) {
            "" => "there are no fields here".to_owned(),
            known => format!("there is no such field here (known: {known})"),
        };
        errors.at(member, format!("{known}: name {wanted}"));
    }
    found.map(|(_, field)| field)
}

/// The names or numbers of `fields`, for people.
pub(super) fn names(fields: &Fields) -> String {
    let names = fields
        .members()
        .map(|member| format!("`{}`", show(&member)));
    names.collect::<Vec<_>>().join(", ")
}

fn show(member: &Member) -> String {
    match member {
        Member::Named(name) => name.to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}
