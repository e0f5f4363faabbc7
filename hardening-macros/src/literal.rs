//! Settings written in an attribute, as the text that the configuration's reader reads: one grammar
//! and one set of checks for both.

use crate::args::{Arg, Value};
use syn::{Expr, Lit, UnOp, punctuated::Punctuated};

/// `value` as YAML, or a mistake at what is no literal.
pub(crate) fn to_yaml(value: &Value) -> syn::Result<String> {
    match value {
        Value::Expr(expr) => expression(expr),
        Value::List(args) => mapping(args),
    }
}

fn expression(expr: &Expr) -> syn::Result<String> {
    match expr {
        Expr::Lit(lit) => literal(&lit.lit),
        Expr::Group(group) => expression(&group.expr),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            Ok(format!("-{}", expression(&unary.expr)?))
        }
        Expr::Array(array) => {
            let items: syn::Result<Vec<_>> = array.elems.iter().map(expression).collect();
            Ok(format!("[{}]", items?.join(", ")))
        }
        // `(capacity = 5, window_seconds = 1)` parses as a tuple of assignments.
        Expr::Tuple(tuple) => assignments(expr, tuple.elems.iter()),
        Expr::Paren(paren) => assignments(expr, std::iter::once(&*paren.expr)),
        other => Err(not_a_literal(other)),
    }
}

fn assignments<'a>(whole: &Expr, items: impl Iterator<Item = &'a Expr>) -> syn::Result<String> {
    let mut pairs = Vec::new();
    for item in items {
        match item {
            Expr::Assign(assign) => match &*assign.left {
                Expr::Path(path) if path.path.get_ident().is_some() => {
                    let key = path.path.require_ident()?;
                    pairs.push(format!("{key}: {}", expression(&assign.right)?));
                }
                _ => return Err(not_a_literal(whole)),
            },
            _ => return Err(not_a_literal(whole)),
        }
    }
    Ok(format!("{{{}}}", pairs.join(", ")))
}

fn mapping(args: &Punctuated<Arg, syn::Token![,]>) -> syn::Result<String> {
    let mut pairs = Vec::new();
    for arg in args {
        match arg {
            Arg::Named { key, value } => pairs.push(format!("{key}: {}", to_yaml(value)?)),
            Arg::Bare(expr) => return Err(not_a_literal(expr)),
        }
    }
    Ok(format!("{{{}}}", pairs.join(", ")))
}

fn literal(lit: &Lit) -> syn::Result<String> {
    match lit {
        Lit::Str(text) => Ok(quoted(&text.value())),
        Lit::Int(int) if int.suffix().is_empty() => Ok(int.base10_digits().to_owned()),
        Lit::Float(float) if float.suffix().is_empty() => Ok(float.base10_digits().to_owned()),
        Lit::Bool(bool) => Ok(bool.value.to_string()),
        other => Err(not_a_literal(other)),
    }
}

/// `text` as a double-quoted YAML scalar.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.extend(format!("\\U{:08x}", u32::from(c)).chars()),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn not_a_literal(tokens: impl quote::ToTokens) -> syn::Error {
    syn::Error::new_spanned(
        tokens,
        "a setting is checked while compiling, so write it as a literal: a number, `true`, `false`, \
         or text such as \"500ms\"",
    )
}
