//! `#[derive(Classify)]`: says of each variant of an error whether it is worth another try.

mod bounds;
mod mark;

use crate::{
    errors::Errors,
    surroundings::{Surroundings, take_root},
};
use mark::Mark;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Data, DeriveInput, Fields, Member, Meta, Path, Type, spanned::Spanned};

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
    let mut derive = Derive {
        private: quote!(#root::private),
        asked: Vec::new(),
        errors,
    };
    let arms = derive.arms(&input);
    derive.expand(input, &arms)
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

/// What is known of the error while its variants are read.
struct Derive {
    /// The path of the names that generated code may use.
    private: TokenStream,
    /// The types of fields that are asked, and the traits that answer.
    asked: Vec<(Type, TokenStream)>,
    errors: Errors,
}

/// What a variant says.
struct Said {
    /// The pattern of the field that it needs.
    pattern: TokenStream,
    class: TokenStream,
    /// Where the error comes from, if it is for the field to say.
    origin: Option<TokenStream>,
}

impl Said {
    /// It says `class` itself.
    fn own(pattern: TokenStream, class: TokenStream) -> Self {
        Self {
            pattern,
            class,
            origin: None,
        }
    }
}

/// A variant's part of what is generated.
struct Arm {
    class: TokenStream,
    origin: Option<TokenStream>,
}

impl Derive {
    fn expand(self, input: DeriveInput, arms: &[Arm]) -> TokenStream {
        let private = &self.private;
        let body = if !self.errors.is_empty() {
            quote!(#private::Class::Permanent)
        } else if is_empty_enum(&input) {
            quote!(match *self {})
        } else {
            let classes = arms.iter().map(|arm| &arm.class);
            quote!(match self { #(#classes)* })
        };
        let origin = self.origin(arms);
        let mut generics = input.generics;
        bounds::add(&mut generics, &input.ident, self.asked);
        let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
        let name = &input.ident;
        let errors = self.errors.to_compile_errors();
        quote! {
            #[automatically_derived]
            impl #impl_generics #private::Classify for #name #type_generics #where_clause {
                fn classify(&self) -> #private::Class {
                    #body
                }
                #origin
            }
            #errors
        }
    }

    /// Where the error comes from; left to the trait where no field has a say.
    fn origin(&self, arms: &[Arm]) -> Option<TokenStream> {
        let private = &self.private;
        let said: Vec<_> = arms.iter().filter_map(|arm| arm.origin.as_ref()).collect();
        if said.is_empty() || !self.errors.is_empty() {
            return None;
        }
        let others = (said.len() < arms.len()).then(|| quote!(_ => #private::Origin::Call,));
        Some(quote! {
            fn origin(&self) -> #private::Origin {
                match self { #(#said)* #others }
            }
        })
    }

    fn arms(&mut self, input: &DeriveInput) -> Vec<Arm> {
        match &input.data {
            Data::Struct(data) => {
                let class = self.class(&input.attrs, &data.fields, &input.ident, "struct");
                vec![arm(&quote!(Self), class)]
            }
            Data::Enum(_) if self.refuse_mark_on_enum(&input.attrs) => Vec::new(),
            Data::Enum(data) => data
                .variants
                .iter()
                .map(|variant| {
                    let name = &variant.ident;
                    let class = self.class(&variant.attrs, &variant.fields, name, "variant");
                    arm(&quote!(Self::#name), class)
                })
                .collect(),
            Data::Union(_) => {
                self.errors.at(
                    &input.ident,
                    "`Classify` can be derived for enums and structs; for a union, write `impl hardening::Classify`",
                );
                Vec::new()
            }
        }
    }

    /// A mark on the enum itself, which would say nothing.
    fn refuse_mark_on_enum(&mut self, attributes: &[Attribute]) -> bool {
        let mark = mark::first(attributes);
        if let Some(mark) = mark {
            self.errors.at(
                &mark.meta,
                "mark each variant: an enum has no class of its own",
            );
        }
        mark.is_some()
    }

    fn class(&mut self, attributes: &[Attribute], fields: &Fields, at: &Ident, what: &str) -> Said {
        let mark = mark::read(attributes, fields, at, what, &mut self.errors);
        let private = &self.private;
        match mark {
            None | Some(Mark::Permanent) => Said::own(any(), quote!(#private::Class::Permanent)),
            Some(Mark::Transient) => Said::own(any(), quote!(#private::Class::Transient)),
            Some(Mark::After(member)) => self.after(&member, fields),
            Some(Mark::Forward(Some(member))) => self.forward(&member, fields),
            Some(Mark::Forward(None)) => match fields.members().next() {
                Some(only) if fields.len() == 1 => self.forward(&only, fields),
                _ => {
                    self.refuse_forward(fields, at);
                    Said::own(any(), TokenStream::new())
                }
            },
        }
    }

    fn after(&mut self, member: &Member, fields: &Fields) -> Said {
        let private = &self.private;
        let wanted = "one of type `Duration`, or with the text of a `Retry-After` header, or an `Option` of one";
        if let Some(field) = mark::find(member, fields, wanted, &mut self.errors) {
            self.asked.push((field.ty.clone(), quote!(#private::After)));
        }
        let class = quote_spanned!(member.span()=> #private::After::class(after));
        Said::own(quote!({ #member: after, .. }), class)
    }

    fn forward(&mut self, member: &Member, fields: &Fields) -> Said {
        let wanted = "the one that holds the error to ask";
        let Some(field) = mark::find(member, fields, wanted, &mut self.errors) else {
            return Said::own(any(), TokenStream::new());
        };
        let private = &self.private;
        self.asked
            .push((field.ty.clone(), quote!(#private::Classify)));
        let span = field.ty.span();
        let inner = format_ident!("inner", span = span);
        Said {
            pattern: quote!({ #member: #inner, .. }),
            class: quote_spanned!(span=> #private::Classify::classify(#inner)),
            origin: Some(quote_spanned!(span=> #private::Classify::origin(#inner))),
        }
    }

    fn refuse_forward(&mut self, fields: &Fields, at: &Ident) {
        let message = match fields.members().next() {
            None => format!(
                "`#[classify(forward)]` asks the error inside, but `{at}` has no fields: mark it `#[transient]` or \
                 `#[permanent]`"
            ),
            Some(first) => format!(
                "`#[classify(forward)]` asks the one error inside, but `{at}` has {} fields: say which, as in \
                 `#[classify(forward = {})]` (known: {})",
                fields.len(),
                first.to_token_stream(),
                mark::names(fields)
            ),
        };
        self.errors.at(at, message);
    }
}

fn is_empty_enum(input: &DeriveInput) -> bool {
    matches!(&input.data, Data::Enum(data) if data.variants.is_empty())
}

/// The pattern that takes no field.
fn any() -> TokenStream {
    quote!({ .. })
}

fn arm(path: &TokenStream, said: Said) -> Arm {
    let pattern = &said.pattern;
    let arm = |says: TokenStream| quote!(#path #pattern => #says,);
    Arm {
        class: arm(said.class),
        origin: said.origin.map(arm),
    }
}
