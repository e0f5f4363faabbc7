//! The user's code without brackets that it does not need where we put it. Those around the value of
//! an argument, or the body of a closure, are no mistake of the user's, but the compiler's lints take
//! them for one around the value of a `let`, the argument of a call or the end of a block.

use proc_macro2::TokenTree;
use quote::ToTokens;
use syn::{Expr, Stmt};

/// `expr` out of its parentheses, and out of the braces of a block that is one expression.
pub(crate) fn without(expr: &Expr) -> &Expr {
    match inside(expr) {
        Some(inside) if !has_attributes(inside) => without(inside),
        _ => expr,
    }
}

fn inside(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Paren(paren) if paren.attrs.is_empty() => Some(&paren.expr),
        Expr::Group(group) if group.attrs.is_empty() => Some(&group.expr),
        Expr::Block(block) if block.attrs.is_empty() && block.label.is_none() => {
            match &*block.block.stmts {
                [Stmt::Expr(only, None)] => Some(only),
                _ => None,
            }
        }
        _ => None,
    }
}

/// An attribute of an expression is allowed at the end of a block, and hardly elsewhere.
fn has_attributes(expr: &Expr) -> bool {
    let first = expr.to_token_stream().into_iter().next();
    matches!(first, Some(TokenTree::Punct(hash)) if hash.as_char() == '#')
}
