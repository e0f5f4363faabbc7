//! What our attributes were written on, read no further than they need.

use crate::function::Function;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{
    Attribute, ImplItem, Token,
    parse::{Parse, ParseStream, Parser},
};

/// An item that our attributes go on.
pub(super) enum Item {
    Function(Box<Function>),
    Block(Block),
}

/// An `impl` block: what stands before its braces, raw, and its members.
pub(super) struct Block {
    pub(super) attributes: Vec<Attribute>,
    pub(super) head: TokenStream,
    pub(super) members: Vec<Member>,
}

pub(super) enum Member {
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
