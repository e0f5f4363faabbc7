//! The annotated item: whichever of our attributes the compiler runs first takes all the others of
//! the function with it, so that there is one plan for each function.

use crate::{
    args,
    errors::Errors,
    expand,
    function::{Function, braced},
    plan::{Plan, Written},
    seen,
    surroundings::{Surroundings, take_root},
};
use hardening_config::LayerKind;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{
    Attribute, ImplItem, Meta, Token,
    parse::{Parse, ParseStream, Parser},
};

/// What one of our attributes on a function or an `impl` block becomes.
pub(crate) fn attribute(kind: LayerKind, args: TokenStream, item: &TokenStream) -> TokenStream {
    if seen::is_seen(item) {
        return TokenStream::new();
    }
    let mut errors = Errors::default();
    let at = format_ident!("{}", kind.attribute(), span = Span::call_site());
    let own = Written::of(kind, at, args, None, &mut errors);
    let around = Surroundings::find();
    match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Function(function)) => function_with(vec![own], *function, &around, errors),
        Ok(Item::Block(block)) => block_with(own, block, &around, errors),
        Err(mistake) => {
            match misplaced(item.clone()) {
                Some(kind) if kind != "impl" => {
                    errors.at(&own.at, goes_elsewhere(&own.at, &kind));
                }
                // The compiler parses the item too, and says so itself.
                _ if args::is_unfinished(&mistake) => {}
                _ => errors.push(mistake),
            }
            let errors = errors.to_compile_errors();
            quote!(#errors #item)
        }
    }
}

impl Written {
    fn of(
        kind: LayerKind,
        at: Ident,
        mut args: TokenStream,
        meta: Option<Meta>,
        errors: &mut Errors,
    ) -> Self {
        let root = take_root(&mut args, errors);
        Self {
            kind,
            at,
            args,
            root,
            meta,
            inherited: false,
        }
    }
}

/// What `item` is, when it is no function.
pub(crate) fn misplaced(item: TokenStream) -> Option<String> {
    let mut words = item.into_iter().filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    });
    let kind = words.find(|word| KINDS.contains(&word.as_str()))?;
    // A signature that is half typed deserves the parser's message.
    (kind != "fn").then_some(kind)
}

/// The words by which items begin.
const KINDS: [&str; 13] = [
    "fn",
    "struct",
    "enum",
    "union",
    "trait",
    "mod",
    "static",
    "type",
    "use",
    "let",
    "impl",
    "macro_rules",
    "const",
];

fn goes_elsewhere(attribute: &Ident, kind: &str) -> String {
    match kind {
        "trait" => format!(
            "`{attribute}` goes on a function, a method or an `impl` block: write it where the trait is implemented"
        ),
        kind => format!(
            "`{attribute}` goes on a function, a method or an `impl` block, not on this `{kind}`"
        ),
    }
}

/// An item that our attributes go on.
enum Item {
    Function(Box<Function>),
    Block(Block),
}

/// An `impl` block: what stands before its braces, raw, and its members.
struct Block {
    attributes: Vec<Attribute>,
    head: TokenStream,
    members: Vec<Member>,
}

enum Member {
    Function(Box<Function>),
    Other(Box<ImplItem>),
    /// Tokens that are no member yet, and what the parser says of them.
    Unread(TokenStream, syn::Error),
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        ahead.call(Attribute::parse_outer)?;
        if is_block(&ahead) {
            return input.parse().map(Self::Block);
        }
        let function = input.parse()?;
        Ok(Self::Function(Box::new(function)))
    }
}

fn is_block(input: ParseStream<'_>) -> bool {
    input.peek(Token![impl]) || (input.peek(Token![unsafe]) && input.peek2(Token![impl]))
}

impl Parse for Block {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let mut head = Vec::<TokenTree>::new();
        while !input.is_empty() {
            head.push(input.parse()?);
        }
        // Braces may stand in the head too (`impl Buffer<{ SIZE }>`): the last ones are the body.
        match head.pop() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => Ok(Self {
                attributes,
                head: head.into_iter().collect(),
                members: members.parse2(group.stream())?,
            }),
            _ => Err(input.error("expected the block's methods between braces")),
        }
    }
}

fn members(input: ParseStream<'_>) -> syn::Result<Vec<Member>> {
    let mut members = Vec::new();
    while !input.is_empty() {
        let ahead = input.fork();
        let is_function = ahead.parse::<Function>().is_ok();
        let ahead = input.fork();
        if is_function {
            members.push(Member::Function(input.parse()?));
        } else if let Err(mistake) = ahead.parse::<ImplItem>() {
            members.push(Member::Unread(unread(input)?, mistake));
        } else {
            members.push(Member::Other(input.parse()?));
        }
    }
    Ok(members)
}

/// A half-typed member: up to its body or semicolon, or to the next that can be read.
fn unread(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() {
        let token: TokenTree = input.parse()?;
        let is_last = match &token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(punct) => punct.as_char() == ';',
            _ => input.fork().parse::<ImplItem>().is_ok(),
        };
        tokens.extend([token]);
        if is_last {
            break;
        }
    }
    Ok(tokens)
}

/// Whether `tokens` might be a function that the compiler reads and the parser here does not: then
/// its lack of our attributes has to be said.
fn may_be_function(tokens: TokenStream, mistake: &syn::Error) -> bool {
    let is_fn = |token| matches!(token, TokenTree::Ident(word) if word == "fn");
    tokens.into_iter().any(is_fn) && !args::is_unfinished(mistake)
}

fn function_with(
    mut ours: Vec<Written>,
    mut function: Function,
    around: &Surroundings,
    mut errors: Errors,
) -> TokenStream {
    if function.attributes.iter().any(hides_ours) {
        return deferred(&ours, function, around, errors);
    }
    ours.extend(take_ours(&mut function.attributes, around, &mut errors));
    let said = around.said_by(&ours);
    let around = said.as_ref().unwrap_or(around);
    let plan = Plan::of(&ours, &function, around, &mut errors);
    function.attributes.extend(seen::mark(
        &function.attributes,
        plan.layers.iter().map(|layer| layer.kind),
    ));
    expand::function(&function, &plan, around, &errors)
}

/// A `cfg_attr` that may turn into one of our attributes is not decided yet. Ours go behind it and
/// run again when it is.
fn deferred(
    ours: &[Written],
    function: Function,
    around: &Surroundings,
    mut errors: Errors,
) -> TokenStream {
    let said = around.said_by(ours);
    let around = said.as_ref().unwrap_or(around);
    if let Some(first) = ours.first() {
        around.refuse_missing(&first.at, &mut errors);
    }
    if errors.hinder() {
        return with_errors(function, &errors);
    }
    let ours = ours.iter().map(|written| written.as_attribute(around));
    let Function { attributes, .. } = &function;
    let (first, rest): (Vec<_>, Vec<_>) = attributes.iter().partition(|a| hides_ours(a));
    let bare = Function {
        attributes: Vec::new(),
        ..function.clone()
    };
    quote!(#(#first)* #(#ours)* #(#rest)* #bare)
}

fn hides_ours(attribute: &Attribute) -> bool {
    fn mentions(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(word) => LayerKind::from_attribute(&word.to_string()).is_some(),
            TokenTree::Group(group) => mentions(group.stream()),
            _ => false,
        })
    }
    attribute.path().is_ident("cfg_attr") && mentions(attribute.meta.to_token_stream())
}

/// Takes our attributes out of `attributes`, and leaves the others in their order.
fn take_ours(
    attributes: &mut Vec<Attribute>,
    around: &Surroundings,
    errors: &mut Errors,
) -> Vec<Written> {
    let mut ours = Vec::new();
    attributes.retain(|attribute| match our_kind(attribute, around) {
        Some((kind, at)) => {
            let args = errors.note(args_of(attribute, kind)).unwrap_or_default();
            let meta = match &attribute.meta {
                Meta::NameValue(pair) => Meta::Path(pair.path.clone()),
                meta => meta.clone(),
            };
            ours.push(Written::of(kind, at, args, Some(meta), errors));
            false
        }
        None => true,
    });
    ours
}

/// Whether `attribute` is ours: by its bare name, or by a path from our crate or a re-export of it.
/// With another path it is another crate's.
fn our_kind(attribute: &Attribute, around: &Surroundings) -> Option<(LayerKind, Ident)> {
    let path = attribute.path();
    let last = path.segments.last()?;
    let kind = LayerKind::from_attribute(&last.ident.to_string())?;
    let from = path.segments.iter().take(path.segments.len() - 1);
    let ours = match from.len() {
        0 => path.leading_colon.is_none(),
        _ => around.is_our_crate(from.map(|segment| &segment.ident)),
    };
    ours.then(|| (kind, last.ident.clone()))
}

fn args_of(attribute: &Attribute, kind: LayerKind) -> syn::Result<TokenStream> {
    match &attribute.meta {
        Meta::Path(_) => Ok(TokenStream::new()),
        Meta::List(list) => Ok(list.tokens.clone()),
        Meta::NameValue(pair) => Err(syn::Error::new_spanned(
            pair,
            format!(
                "write the arguments in parentheses: `#[{}(…)]`",
                kind.attribute()
            ),
        )),
    }
}

fn block_with(
    own: Written,
    mut block: Block,
    around: &Surroundings,
    mut errors: Errors,
) -> TokenStream {
    let mut ours = vec![own];
    ours.extend(take_ours(&mut block.attributes, around, &mut errors));
    let said = around.said_by(&ours);
    let around = said.as_ref().unwrap_or(around);
    crate::plan::refuse_twice(&ours, &mut errors);
    if crate::plan::refuse_expanded(&ours, &block.attributes, around, &mut errors) {
        ours.clear();
    }
    let used = seen::beside_block(&ours, around);
    let mark = seen::mark(&block.attributes, ours.iter().map(|written| written.kind));
    block.attributes.extend(mark);
    let mut members = TokenStream::new();
    // Last, so that the compiler reads the others before it gives up.
    let mut rest = TokenStream::new();
    for member in block.members {
        match member {
            Member::Other(item) => members.extend(item.into_token_stream()),
            Member::Function(function) => members.extend(method_with(&ours, *function, around)),
            Member::Unread(tokens, mistake) => {
                if may_be_function(tokens.clone(), &mistake) {
                    errors.push(mistake);
                }
                rest.extend(tokens);
            }
        }
    }
    members.extend(rest);
    let (attributes, head) = (&block.attributes, &block.head);
    let body = Group::new(Delimiter::Brace, members);
    let errors = errors.to_compile_errors();
    quote!(#(#attributes)* #head #body #used #errors)
}

/// A method takes the attributes of its block that it does not carry itself.
fn method_with(block: &[Written], mut function: Function, around: &Surroundings) -> TokenStream {
    let mut errors = Errors::default();
    if take_skip(&mut function, around, &mut errors) || function.body.is_none() {
        return with_errors(function, &errors);
    }
    let has = |kind| {
        let mut kinds = function
            .attributes
            .iter()
            .filter_map(|a| our_kind(a, around));
        kinds.any(|(own, _)| own == kind)
    };
    let inherited = block
        .iter()
        .filter(|written| !has(written.kind))
        .cloned()
        .map(|written| Written {
            inherited: true,
            meta: None,
            ..written
        })
        .collect();
    function_with(inherited, function, around, errors)
}

/// Takes `#[hardening(skip)]` from the method; whether there was one, or what was meant for one.
fn take_skip(function: &mut Function, around: &Surroundings, errors: &mut Errors) -> bool {
    let before = function.attributes.len();
    function.attributes.retain(|attribute| {
        let is_skip = is_skip(attribute, around);
        if is_skip && !says_skip(attribute) {
            errors.at(attribute.meta.clone(), "write `#[hardening(skip)]`");
        }
        !is_skip
    });
    function.attributes.len() < before
}

fn is_skip(attribute: &Attribute, around: &Surroundings) -> bool {
    let path = attribute.path();
    path.get_ident()
        .is_some_and(|word| around.is_our_crate(std::iter::once(word)))
}

fn says_skip(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else {
        return false;
    };
    list.parse_args::<Ident>().is_ok_and(|word| word == "skip")
}

/// The method as it is, and its mistakes in its body: nothing else may stand beside it.
fn with_errors(function: Function, errors: &Errors) -> TokenStream {
    let errors = errors.to_compile_errors();
    let body = function.body.map(|body| {
        let body = body.stream();
        braced(quote!(#errors #body))
    });
    Function { body, ..function }.into_token_stream()
}
