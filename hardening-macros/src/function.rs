//! A function as we need it: its signature parsed, its body left as raw tokens, so that half-typed
//! code still gets completion and a name that we break is never the user's.

use crate::{future, pattern::bound};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    AttrStyle, Attribute, FnArg, Ident, ReturnType, Signature, Token, Type, Visibility,
    parse::{Parse, ParseStream, Parser},
};

/// A function or method, with or without a body.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) defaultness: Option<Ident>,
    pub(crate) signature: Signature,
    /// The body in its braces, which the compiler points at where it wants more; none for a method
    /// that a trait only declares.
    pub(crate) body: Option<Group>,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let defaultness = defaultness(input)?;
        let signature = input.parse()?;
        let body = body(input)?.map(|body| without_inner(body, &mut attributes));
        Ok(Self {
            attributes,
            visibility,
            defaultness,
            signature,
            body,
        })
    }
}

fn defaultness(input: ParseStream<'_>) -> syn::Result<Option<Ident>> {
    let is_default = input
        .cursor()
        .ident()
        .is_some_and(|(ident, _)| ident == "default");
    is_default.then(|| input.parse()).transpose()
}

fn body(input: ParseStream<'_>) -> syn::Result<Option<Group>> {
    if input.parse::<Option<Token![;]>>()?.is_some() {
        return Ok(None);
    }
    let token = input.parse::<TokenTree>()?;
    block_of(token.clone())
        .map(Some)
        .ok_or_else(|| syn::Error::new_spanned(token, "expected the function's body"))
}

/// The block that `token` is, or that a macro has passed on as a whole.
fn block_of(token: TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = token else {
        return None;
    };
    match group.delimiter() {
        Delimiter::Brace => Some(group),
        Delimiter::None => {
            let mut inside = group.stream().into_iter();
            inside.next().and_then(block_of)
        }
        _ => None,
    }
}

/// `block` without the attributes that it begins with. They are the function's, and may not stand in
/// the block inside it that the body becomes.
fn without_inner(block: Group, attributes: &mut Vec<Attribute>) -> Group {
    let split = |input: ParseStream<'_>| {
        let inner = input.call(Attribute::parse_inner)?;
        Ok((inner, input.parse::<TokenStream>()?))
    };
    match split.parse2(block.stream()) {
        Ok((inner, rest)) if !inner.is_empty() => {
            attributes.extend(inner.into_iter().map(|attribute| Attribute {
                style: AttrStyle::Outer,
                ..attribute
            }));
            let mut without = Group::new(block.delimiter(), rest);
            without.set_span(block.span());
            without
        }
        _ => block,
    }
}

/// `ty`, out of the invisible brackets that a macro's `$ty:ty` leaves around it.
pub(crate) fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        ty => ty,
    }
}

/// A body of these tokens.
pub(crate) fn braced(tokens: TokenStream) -> Group {
    Group::new(Delimiter::Brace, tokens)
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self {
            attributes,
            visibility,
            defaultness,
            signature,
            body,
        } = self;
        let body = body
            .as_ref()
            .map_or_else(|| quote!(;), ToTokens::to_token_stream);
        tokens.extend(quote!(#(#attributes)* #visibility #defaultness #signature #body));
    }
}

impl Function {
    /// Whether calling the function makes a future.
    pub(crate) fn is_async(&self) -> bool {
        self.signature.asyncness.is_some() || self.future().is_some()
    }

    /// How a function that is not `async` returns a future, if it does.
    pub(crate) fn future(&self) -> Option<future::Kind> {
        match self.signature.asyncness {
            Some(_) => None,
            None => future::returned(&self.signature.output).map(|(kind, _)| kind),
        }
    }

    /// What a call comes to: the return type, or that of the future; none for `()`.
    pub(crate) fn returns(&self) -> Option<&Type> {
        match (&self.signature.output, self.signature.asyncness) {
            (ReturnType::Default, _) => None,
            (ReturnType::Type(_, ty), Some(_)) => Some(ungrouped(ty)),
            (output @ ReturnType::Type(_, ty), None) => {
                Some(ungrouped(future::returned(output).map_or(ty, |(_, ty)| ty)))
            }
        }
    }

    /// The names that the arguments bind, `self` left out.
    pub(crate) fn bindings(&self) -> Vec<Binding> {
        let mut all = Vec::new();
        for input in &self.signature.inputs {
            let FnArg::Typed(argument) = input else {
                continue;
            };
            let is_opaque = mentions_impl(argument.ty.to_token_stream());
            all.extend(bound(&argument.pat).into_iter().map(|pat| Binding {
                name: pat.ident.clone(),
                is_mutable: pat.mutability.is_some(),
                is_opaque,
                conditions: conditions(&argument.attrs),
            }));
        }
        all
    }
}

/// A name that an argument binds.
pub(crate) struct Binding {
    pub(crate) name: Ident,
    pub(crate) is_mutable: bool,
    /// Whether the argument's type is an `impl Trait`, or has one in it.
    pub(crate) is_opaque: bool,
    /// The `cfg`s under which there is such an argument.
    pub(crate) conditions: Vec<Attribute>,
}

/// The attributes among `attributes` that decide whether something is there.
pub(crate) fn conditions(attributes: &[Attribute]) -> Vec<Attribute> {
    let decides = |attribute: &&Attribute| {
        let path = attribute.path();
        path.is_ident("cfg") || path.is_ident("cfg_attr")
    };
    attributes.iter().filter(decides).cloned().collect()
}

fn mentions_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "impl",
        TokenTree::Group(group) => mentions_impl(group.stream()),
        _ => false,
    })
}
