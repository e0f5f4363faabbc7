//! `#[derive(Classify)]`: says of each variant of an error whether it is worth another try.

use crate::{
    errors::Errors,
    surroundings::{Surroundings, take_root},
};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{
    Attribute, Data, DeriveInput, Fields, Member, Meta, Path, Type, parse_quote, spanned::Spanned,
};

/// What the derive becomes.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let mut input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::default();
    let said = root_of(&mut input.attrs, &mut errors);
    let around = Surroundings::find().with(said);
    around.refuse_missing(&input.ident, &mut errors);
    if errors.hinder() {
        return errors.to_compile_errors();
    }
    let root = around.root();
    let private = quote!(#root::private);
    let mut forwarded = Vec::new();
    let arms = arms(&input, &private, &mut forwarded, &mut errors);
    let mut generics = input.generics.clone();
    if !forwarded.is_empty() && !generics.params.is_empty() {
        let clause = generics.make_where_clause();
        for ty in forwarded {
            clause
                .predicates
                .push(parse_quote!(#ty: #private::Classify));
        }
    }
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let name = &input.ident;
    let body = if errors.is_empty() && !is_empty_enum(&input) {
        quote!(match self { #(#arms)* })
    } else if errors.is_empty() {
        quote!(match *self {})
    } else {
        quote!(#private::Class::Permanent)
    };
    let errors = errors.to_compile_errors();
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Classify for #name #type_generics #where_clause {
            fn classify(&self) -> #private::Class {
                #body
            }
        }
        #errors
    }
}

/// Takes what `#[classify(crate = …)]` on the whole type says.
fn root_of(attributes: &mut Vec<Attribute>, errors: &mut Errors) -> Option<Path> {
    let mut root = None;
    attributes.retain_mut(|attribute| {
        let Meta::List(list) = &mut attribute.meta else {
            return true;
        };
        if !list.path.is_ident("classify") {
            return true;
        }
        let before = errors.len();
        let said = take_root(&mut list.tokens, errors);
        let is_root = said.is_some() || errors.len() > before;
        root = root.take().or(said);
        !(is_root && list.tokens.is_empty())
    });
    root
}

fn is_empty_enum(input: &DeriveInput) -> bool {
    matches!(&input.data, Data::Enum(data) if data.variants.is_empty())
}

fn arms(
    input: &DeriveInput,
    private: &TokenStream,
    forwarded: &mut Vec<Type>,
    errors: &mut Errors,
) -> Vec<TokenStream> {
    match &input.data {
        Data::Struct(data) => {
            let mark = mark(&input.attrs, &input.ident, "struct", errors);
            let class = class(mark, &data.fields, &input.ident, private, forwarded, errors);
            vec![arm(&quote!(Self), class)]
        }
        Data::Enum(_) if refuse_mark_on_enum(&input.attrs, errors) => Vec::new(),
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|variant| {
                let name = &variant.ident;
                let mark = mark(&variant.attrs, name, "variant", errors);
                let class = class(mark, &variant.fields, name, private, forwarded, errors);
                arm(&quote!(Self::#name), class)
            })
            .collect(),
        Data::Union(_) => {
            errors.at(
                &input.ident,
                "`Classify` can be derived for enums and structs; for a union, write `impl hardening::Classify`",
            );
            Vec::new()
        }
    }
}

/// A mark on the enum itself, which would say nothing.
fn refuse_mark_on_enum(attributes: &[Attribute], errors: &mut Errors) -> bool {
    let mark = attributes.iter().find(|attribute| {
        ["transient", "permanent", "classify"]
            .iter()
            .any(|mark| attribute.path().is_ident(mark))
    });
    if let Some(mark) = mark {
        errors.at(
            &mark.meta,
            "mark each variant: an enum has no class of its own",
        );
    }
    mark.is_some()
}

/// What a variant's mark says.
enum Mark {
    Transient,
    After(Member),
    Permanent,
    Forward,
}

fn mark(attributes: &[Attribute], at: &Ident, what: &str, errors: &mut Errors) -> Option<Mark> {
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
        if let Some(mark) = errors.note(mark) {
            marks.push((attribute, mark));
        } else {
            return None;
        }
    }
    if let Some((second, _)) = marks.get(1) {
        errors.at(
            second,
            format!("this {what} is already marked; keep one of the marks"),
        );
    }
    if marks.is_empty() {
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

const WRITE: &str = "write `#[transient]`, or `#[transient(after = field)]` with the name or number of a field that says \
                     how long to wait";

fn transient(attribute: &Attribute) -> syn::Result<Mark> {
    if matches!(attribute.meta, Meta::Path(_)) {
        return Ok(Mark::Transient);
    }
    if let Meta::NameValue(pair) = &attribute.meta {
        return Err(syn::Error::new_spanned(&pair.value, WRITE));
    }
    let mut after = None;
    attribute.parse_nested_meta(|meta| {
        if !meta.path.is_ident("after") {
            return Err(syn::Error::new_spanned(meta.path, WRITE));
        }
        let value = meta.value()?;
        after = Some(
            value
                .parse::<Member>()
                .map_err(|error| syn::Error::new(error.span(), WRITE))?,
        );
        Ok(())
    })?;
    Ok(after.map_or(Mark::Transient, Mark::After))
}

fn permanent(attribute: &Attribute) -> syn::Result<Mark> {
    match &attribute.meta {
        Meta::Path(_) => Ok(Mark::Permanent),
        meta => Err(syn::Error::new_spanned(meta, "write `#[permanent]`")),
    }
}

fn forward(attribute: &Attribute) -> syn::Result<Mark> {
    let says_forward = match &attribute.meta {
        Meta::List(list) => list
            .parse_args::<Ident>()
            .is_ok_and(|word| word == "forward"),
        _ => false,
    };
    if says_forward {
        return Ok(Mark::Forward);
    }
    Err(syn::Error::new_spanned(
        &attribute.meta,
        "write `#[classify(forward)]`, or mark it `#[transient]` or `#[permanent]`",
    ))
}

/// The pattern of the fields that the class needs, and the class.
type Class = (TokenStream, TokenStream);

fn class(
    mark: Option<Mark>,
    fields: &Fields,
    at: &Ident,
    private: &TokenStream,
    forwarded: &mut Vec<Type>,
    errors: &mut Errors,
) -> Class {
    let any = quote!({ .. });
    match mark {
        None | Some(Mark::Permanent) => (any, quote!(#private::Class::Permanent)),
        Some(Mark::Transient) => (any, quote!(#private::Class::Transient)),
        Some(Mark::After(member)) => after(&member, fields, private, errors),
        Some(Mark::Forward) => match fields.iter().next() {
            Some(field) if fields.len() == 1 => {
                forwarded.push(field.ty.clone());
                let member = field
                    .ident
                    .clone()
                    .map_or_else(|| quote!(0), ToTokens::into_token_stream);
                let inner = format_ident!("inner", span = field.ty.span());
                let class = quote_spanned!(field.ty.span()=> #private::Classify::classify(#inner));
                (quote!({ #member: #inner }), class)
            }
            _ => {
                errors.at(
                        at,
                        format!(
                            "`#[classify(forward)]` asks the one error inside, but `{at}` has {} fields: give it one, or mark \
                             it `#[transient]` or `#[permanent]`",
                            fields.len()
                        ),
                    );
                (any, quote!(#private::Class::Permanent))
            }
        },
    }
}

fn after(member: &Member, fields: &Fields, private: &TokenStream, errors: &mut Errors) -> Class {
    let exists = fields
        .iter()
        .enumerate()
        .any(|(index, field)| match member {
            Member::Named(name) => field.ident.as_ref() == Some(name),
            Member::Unnamed(position) => field.ident.is_none() && position.index as usize == index,
        });
    if !exists {
        let known: Vec<_> = fields
            .members()
            .map(|member| format!("`{}`", member.to_token_stream()))
            .collect();
        let known = match &*known {
            [] => "there are no fields here".to_owned(),
            known => format!("there is no such field here (known: {})", known.join(", ")),
        };
        errors.at(
            member,
            format!("{known}: name one of type `Duration` or `Option<Duration>`"),
        );
    }
    let class = quote_spanned!(member.span()=> #private::After::class(after));
    (quote!({ #member: after, .. }), class)
}

fn arm(path: &TokenStream, (pattern, class): Class) -> TokenStream {
    quote!(#path #pattern => #class,)
}
