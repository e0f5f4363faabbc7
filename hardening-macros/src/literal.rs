//! Settings written in an attribute, as the text that the configuration's reader reads: one grammar
//! and one set of checks for both.

use crate::args::{Arg, Value};
use quote::ToTokens;
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
        Expr::Lit(lit) => literal(&lit.lit).ok_or_else(|| not_a_literal(expr)),
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
            Arg::Bare(expr) => {
                return Err(syn::Error::new_spanned(
                    expr,
                    "write a list as `= [a, b]`; what stands in parentheses has keys: `(key = value)`",
                ));
            }
        }
    }
    Ok(format!("{{{}}}", pairs.join(", ")))
}

fn literal(lit: &Lit) -> Option<String> {
    match lit {
        Lit::Str(text) => Some(quoted(&text.value())),
        Lit::Int(int) if int.suffix().is_empty() => Some(int.base10_digits().to_owned()),
        Lit::Float(float) if float.suffix().is_empty() => Some(float.base10_digits().to_owned()),
        Lit::Bool(bool) => Some(bool.value.to_string()),
        _ => None,
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

fn not_a_literal(expr: &Expr) -> syn::Error {
    let instead = match expr {
        Expr::Lit(lit) => without_suffix(&lit.lit).map(|plain| format!("`{plain}`")),
        _ => duration(expr).map(|time| format!("`\"{time}\"`")),
    };
    let message = match instead {
        Some(instead) => format!("a setting is checked while compiling: write {instead}"),
        None => format!(
            "a setting is checked while compiling, when `{}` has no value yet: write it as a literal (a number, `true`, \
             `false`, or text such as \"500ms\"), or in the configuration file",
            shown(expr)
        ),
    };
    syn::Error::new_spanned(expr, message)
}

fn without_suffix(lit: &Lit) -> Option<String> {
    match lit {
        Lit::Int(int) => Some(int.base10_digits().to_owned()),
        Lit::Float(float) => Some(float.base10_digits().to_owned()),
        _ => None,
    }
}

/// `Duration::from_secs(5)` as the text of a setting.
pub(crate) fn duration(expr: &Expr) -> Option<String> {
    let Expr::Call(call) = expr else { return None };
    let Expr::Path(function) = &*call.func else {
        return None;
    };
    let unit = match &*function.path.segments.last()?.ident.to_string() {
        "from_hours" => "h",
        "from_mins" => "m",
        "from_secs" | "from_secs_f64" | "from_secs_f32" => "s",
        "from_millis" => "ms",
        _ => return None,
    };
    match call.args.first()? {
        Expr::Lit(number) if call.args.len() == 1 => {
            without_suffix(&number.lit).map(|number| format!("{number}{unit}"))
        }
        _ => None,
    }
}

/// `expr` as a user would write it, as far as it is short.
pub(crate) fn shown(expr: &Expr) -> String {
    match expr {
        Expr::Path(path) => path.to_token_stream().to_string().replace(" :: ", "::"),
        Expr::Call(call) => format!("{}(…)", shown(&call.func)),
        Expr::MethodCall(call) => format!("{}.{}(…)", shown(&call.receiver), call.method),
        Expr::Macro(called) => format!("{}!(…)", called.mac.path.to_token_stream()),
        Expr::Lit(lit) => lit.to_token_stream().to_string(),
        _ => "this".to_owned(),
    }
}
