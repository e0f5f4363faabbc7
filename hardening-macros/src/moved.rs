//! What attributes above ours, which have run first, leave to us. `#[tracing::instrument]` puts the body
//! into an `async move` block (with `err` or `ret` a second one, or a `move` closure), and
//! `#[async_trait]` into `Box::pin(async move { … })`: those take `self` and the arguments away with the
//! first attempt. Each is awaited where it stands, so borrowing is enough, and what the user's own
//! code moves is still moved. Code that looks different is left as it is.

use crate::{function::Function, future};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

/// The body of a function.
pub(crate) struct Body {
    /// In the braces that were written.
    pub(crate) block: Group,
    /// Whether the function returns a boxed future, and this is the inside of it.
    pub(crate) is_unboxed: bool,
}

/// The function's body, which borrows `self` and the arguments where it can.
pub(crate) fn borrowing(function: &Function, body: &Group) -> Body {
    let is_boxed = function.future() == Some(future::Kind::Boxed);
    let receiver = function.signature.receiver();
    let reborrows = receiver.is_some_and(is_mutable_reference);
    if is_boxed
        && let Some(inside) = inside_of_box(&body.stream())
        && (is_instrumented(&inside) || is_of_async_trait(&inside))
    {
        return Body {
            block: regrouped(body, block(inside, reborrows)),
            is_unboxed: true,
        };
    }
    Body {
        block: block_of(body, reborrows),
        is_unboxed: false,
    }
}

fn is_mutable_reference(receiver: &syn::Receiver) -> bool {
    matches!(&receiver.kind, syn::ReceiverKind::Reference(_, _, Some(_)))
}

/// A body that nobody has changed keeps its braces, with the place of each.
fn block_of(body: &Group, reborrows: bool) -> Group {
    let tokens = body.stream();
    if is_instrumented(&tokens) || is_of_async_trait(&tokens) {
        regrouped(body, block(tokens, reborrows))
    } else {
        body.clone()
    }
}

fn block(tokens: TokenStream, reborrows: bool) -> TokenStream {
    if is_instrumented(&tokens) {
        instrumented(tokens, reborrows)
    } else if is_of_async_trait(&tokens) {
        rebound(tokens, reborrows)
    } else {
        tokens
    }
}

/// The `…` of a body that is `Box::pin(async move { … })`.
fn inside_of_box(body: &TokenStream) -> Option<TokenStream> {
    let tokens: Vec<_> = body.clone().into_iter().collect();
    let [path @ .., TokenTree::Group(group)] = &*tokens else {
        return None;
    };
    let is_path = |token: &TokenTree| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(colon) => colon.as_char() == ':',
        _ => false,
    };
    if !is_word(path.last(), "pin") || !path.iter().all(is_path) {
        return None;
    }
    let inside: Vec<_> = group.stream().into_iter().collect();
    match &*inside {
        [first, second, TokenTree::Group(group)]
            if is_word(Some(first), "async") && is_word(Some(second), "move") =>
        {
            Some(group.stream())
        }
        _ => None,
    }
}

fn is_instrumented(body: &TokenStream) -> bool {
    let mut words = body.clone().into_iter().take(6);
    words.any(|word| is_word(Some(&word), "__tracing_attr_span"))
}

/// `let __tracing_instrument_future = async move { … };` of an async function, and `match (move || { … })()`
/// or `let x = (move || { … })();` of a blocking one.
fn instrumented(body: TokenStream, reborrows: bool) -> TokenStream {
    let mut tokens: Vec<TokenTree> = body.into_iter().collect();
    for at in 2..tokens.len() {
        let is_future = is_word(tokens.get(at - 2), "__tracing_instrument_future");
        if is_future && is_word(tokens.get(at), "async") && is_word(tokens.get(at + 1), "move") {
            tokens.remove(at + 1);
            change(&mut tokens, at + 1, |inside| outcome(inside, reborrows));
            break;
        }
        if is_closure(&tokens[at]) {
            change(&mut tokens, at, |closure| {
                closure.into_iter().skip(1).collect()
            });
            break;
        }
    }
    tokens.into_iter().collect()
}

/// With `err` or `ret`, its block begins with the outcome of another: `let … = async move { … }.await`, or
/// `match async move { … }.await`. Without, it begins with an attribute of its own, and the body follows.
fn outcome(inside: TokenStream, reborrows: bool) -> TokenStream {
    let mut tokens: Vec<TokenTree> = inside.into_iter().collect();
    let begins = is_word(tokens.first(), "let") || is_word(tokens.first(), "match");
    let mut first = tokens.iter().take(4);
    let inner = first.position(|token| is_word(Some(token), "async"));
    match inner.filter(|at| begins && is_word(tokens.get(at + 1), "move")) {
        Some(at) => {
            tokens.remove(at + 1);
            change(&mut tokens, at + 1, |inside| block(inside, reborrows));
            tokens.into_iter().collect()
        }
        None => block(tokens.into_iter().collect(), reborrows),
    }
}

/// It begins `if let ::core::option::Option::Some(__ret) = …`.
fn is_of_async_trait(block: &TokenStream) -> bool {
    let mut words = block.clone().into_iter();
    let begins = is_word(words.next().as_ref(), "if") && is_word(words.next().as_ref(), "let");
    let mut pattern = words.take(16).filter_map(|token| match token {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    });
    let pattern = pattern.next().and_then(|inside| inside.into_iter().next());
    begins && is_word(pattern.as_ref(), "__ret")
}

/// Without its `let name = name;`, and with `let mut __self = self;` made a borrow of `self`.
fn rebound(block: TokenStream, reborrows: bool) -> TokenStream {
    let mut kept = Vec::<TokenTree>::new();
    let mut left: &[TokenTree] = &block.into_iter().collect::<Vec<_>>();
    while let Some((first, rest)) = left.split_first() {
        match left {
            [
                TokenTree::Ident(word),
                TokenTree::Ident(name),
                TokenTree::Punct(is),
                TokenTree::Ident(same),
                TokenTree::Punct(end),
                after @ ..,
            ] if word == "let" && is.as_char() == '=' && name == same && end.as_char() == ';' => {
                left = after;
            }
            [
                TokenTree::Ident(name),
                TokenTree::Punct(_),
                TokenTree::Ident(this),
                after @ ..,
            ] if reborrows && name == "__self" && this == "self" => {
                kept.extend(left[..2].iter().cloned());
                kept.extend(quote!(&mut *#this));
                left = after;
            }
            _ => {
                kept.push(first.clone());
                left = rest;
            }
        }
    }
    kept.into_iter().collect()
}

/// `(move || …)`
fn is_closure(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else {
        return false;
    };
    let mut inside = group.stream().into_iter();
    group.delimiter() == Delimiter::Parenthesis
        && is_word(inside.next().as_ref(), "move")
        && matches!(inside.next(), Some(TokenTree::Punct(bar)) if bar.as_char() == '|')
}

fn is_word(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(found)) if found == word)
}

/// Changes what is inside of a group.
fn change(tokens: &mut [TokenTree], at: usize, to: impl FnOnce(TokenStream) -> TokenStream) {
    if let Some(TokenTree::Group(group)) = tokens.get_mut(at) {
        *group = regrouped(group, to(group.stream()));
    }
}

/// `tokens` in the brackets of `group`.
fn regrouped(group: &Group, tokens: TokenStream) -> Group {
    let mut changed = Group::new(group.delimiter(), tokens);
    changed.set_span(group.span());
    changed
}
