//! An attribute's arguments, each in its role.

use super::{
    Code, Per, Written,
    role::{Role, Slot, known, role, unknown},
};
use crate::{
    args::{Arg, Value},
    errors::Errors,
    function::Function,
    literal,
};
use hardening_config::{LayerKind, suggest};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Expr, ExprLit, Lit, LitStr, spanned::Spanned};

/// A setting written inline.
pub(super) struct Setting {
    pub(super) key: Ident,
    /// Its value, as YAML.
    pub(super) text: String,
    /// Where the value stands.
    pub(super) at: TokenStream,
}

/// All arguments of one attribute.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) policy: Option<LitStr>,
    pub(super) name: Option<LitStr>,
    pub(super) per: Option<Per>,
    pub(super) settings: Vec<Setting>,
    pub(super) code: Code,
}

impl Collected {
    pub(super) fn from(
        written: &Written,
        args: Vec<Arg>,
        function: &Function,
        errors: &mut Errors,
    ) -> Self {
        let mut collected = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for arg in args {
            match arg {
                Arg::Bare(expr) => collected.bare(written, expr, &mut seen, errors),
                Arg::Named { key, .. } if seen.contains(&key.to_string()) => {
                    errors.mild(&key, format!("`{key}` is written twice; keep one of them"));
                }
                Arg::Named { key, value } => {
                    seen.push(key.to_string());
                    collected.named(written, key, value, function, errors);
                }
            }
        }
        collected
    }

    /// An argument without a name: the time of a `timeout`, the closure of a `fallback`.
    fn bare(&mut self, written: &Written, expr: Expr, seen: &mut Vec<String>, errors: &mut Errors) {
        match (written.kind, expr) {
            (LayerKind::Fallback, Expr::Closure(closure)) if closure.inputs.len() > 1 => {
                errors.at(
                    closure.inputs.iter().nth(1),
                    "the closure takes the error alone: the function's arguments are in scope in its body",
                );
            }
            (LayerKind::Fallback, Expr::Closure(closure)) if self.code.fallback.is_none() => {
                self.code.fallback = Some(closure);
            }
            (LayerKind::Fallback, expr @ Expr::Closure(_)) => {
                errors.at(expr, "one closure is enough; keep one of them");
            }
            (LayerKind::Timeout, expr) if is_literal(&expr) => {
                if seen.iter().any(|key| key == "call") {
                    errors.at(
                        expr,
                        "the time of the call is written twice; keep one of them",
                    );
                    return;
                }
                seen.push("call".to_owned());
                let key = Ident::new("call", Span::call_site());
                self.setting(key, &Value::Expr(expr), errors);
            }
            (kind, expr) => errors.mild(&expr, instead_of_bare(kind, &expr)),
        }
    }

    fn named(
        &mut self,
        written: &Written,
        key: Ident,
        value: Value,
        function: &Function,
        errors: &mut Errors,
    ) {
        let kind = written.kind;
        match role(kind, &key.to_string()) {
            Some(Role::Policy) => self.policy = errors.note_mild(text_literal(&key, value)),
            Some(Role::Name) => self.name = errors.note_mild(text_literal(&key, value)),
            Some(Role::Per) => self.per = errors.note_mild(per(kind, &key, value)),
            Some(Role::Code(slot)) => self.code(slot, &key, value, function, errors),
            Some(Role::Setting) => self.setting(key, &value, errors),
            None => errors.mild(&key, unknown(kind, &key.to_string())),
        }
    }

    fn setting(&mut self, key: Ident, value: &Value, errors: &mut Errors) {
        let at = match value {
            Value::Expr(expr) => expr.to_token_stream(),
            Value::List(_) => key.to_token_stream(),
        };
        if let Some(text) = errors.note_mild(literal::to_yaml(value)) {
            self.settings.push(Setting { key, text, at });
        }
    }

    fn code(
        &mut self,
        slot: Slot,
        key: &Ident,
        value: Value,
        function: &Function,
        errors: &mut Errors,
    ) {
        if slot == Slot::Clone {
            self.code.clone = errors
                .note(cloned(key, value, function))
                .unwrap_or_default();
            return;
        }
        let Value::Expr(expr) = value else {
            errors.at(key, format!("write `{key} = …`"));
            return;
        };
        let place = match slot {
            Slot::Key => &mut self.code.key,
            Slot::Cost => &mut self.code.cost,
            Slot::Priority => &mut self.code.priority,
            Slot::RetryIf => &mut self.code.retry_if,
            Slot::OnRetry => &mut self.code.on_retry,
            Slot::FailureIf => &mut self.code.failure_if,
            Slot::CacheIf => &mut self.code.cache_if,
            Slot::Clone => return,
        };
        if matches!(
            slot,
            Slot::RetryIf | Slot::OnRetry | Slot::FailureIf | Slot::CacheIf
        ) && !matches!(expr, Expr::Path(_) | Expr::Closure(_))
        {
            errors.at(
                &expr,
                format!("`{key}` takes a path to a function, or a closure"),
            );
        }
        *place = Some(match slot {
            Slot::RetryIf | Slot::OnRetry | Slot::FailureIf | Slot::CacheIf => called(expr),
            _ => expr,
        });
    }
}

/// A path as the closure that calls it, so that `fn(&[T])` can be given a `&Vec<T>` too.
fn called(expr: Expr) -> Expr {
    let Expr::Path(path) = &expr else { return expr };
    let span = Span::mixed_site().located_at(path.span());
    let value = Ident::new("value", span);
    let closure = quote_spanned!(span=> |#value| #path(#value));
    syn::parse2(closure).unwrap_or(expr)
}

fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) => true,
        Expr::Unary(unary) => is_literal(&unary.expr),
        _ => false,
    }
}

fn instead_of_bare(kind: LayerKind, expr: &Expr) -> String {
    let written = expr.to_token_stream().to_string();
    let text = match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    };
    let is_text = text.is_some();
    let is_amount =
        is_literal(expr) && text.is_none_or(|text| text.starts_with(|c: char| c.is_ascii_digit()));
    match kind {
        LayerKind::Fallback if matches!(expr, Expr::Path(_)) => {
            format!("write a closure over the error: `#[fallback(|error| {written}(error))]`")
        }
        LayerKind::Fallback => {
            format!("write a closure over the error: `#[fallback(|error| {written})]`")
        }
        LayerKind::Timeout => {
            let time = literal::duration(expr).unwrap_or_else(|| "15s".to_owned());
            let written = literal::shown(expr);
            format!(
                "`timeout` takes a number of seconds or text, which are checked while compiling: \
                 `#[timeout(\"{time}\")]`, not `{written}`"
            )
        }
        LayerKind::Cache if is_amount => format!("write `ttl = {written}`"),
        LayerKind::Retry if is_amount => format!("write `max_attempts = {written}`"),
        LayerKind::CircuitBreaker if is_amount => format!("write `failure_threshold = {written}`"),
        LayerKind::Bulkhead if is_amount => format!("write `max_concurrent = {written}`"),
        LayerKind::RateLimit if is_text => format!("write `op = {written}`"),
        LayerKind::Cache | LayerKind::RateLimit if !is_text && !is_amount => {
            format!("write `key = {written}`")
        }
        LayerKind::Retry if is_text => format!("write `policy = {written}`"),
        _ if is_text => format!("write `policy = {written}`, or `name = {written}`"),
        _ => {
            let known: Vec<_> = known(kind).collect();
            format!(
                "write `name = value`; `{}` takes: {}",
                kind.attribute(),
                known.join(", ")
            )
        }
    }
}

fn text_literal(key: &Ident, value: Value) -> syn::Result<LitStr> {
    match value {
        Value::Expr(Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        })) if !text.value().contains(char::is_control) => Ok(text),
        Value::Expr(Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        })) => Err(syn::Error::new_spanned(
            text,
            format!("`{key}` is one line of text, without control characters"),
        )),
        Value::Expr(other) => Err(syn::Error::new_spanned(
            other,
            format!("`{key}` is checked while compiling, so write it as text: `{key} = \"…\"`"),
        )),
        Value::List(_) => Err(syn::Error::new_spanned(
            key,
            format!("write `{key} = \"…\"`"),
        )),
    }
}

fn per(kind: LayerKind, key: &Ident, value: Value) -> syn::Result<Per> {
    let text = text_literal(key, value)?;
    match (text.value().as_str(), kind) {
        ("call", _) => Ok(Per::Call),
        ("attempt", _) => Ok(Per::Attempt),
        (other, _) => Err(syn::Error::new_spanned(
            &text,
            format!("`per` is \"call\" or \"attempt\", not \"{other}\""),
        )),
    }
}

fn cloned(key: &Ident, value: Value, function: &Function) -> syn::Result<Vec<Ident>> {
    let Value::List(list) = value else {
        return Err(syn::Error::new_spanned(
            key,
            "write the arguments in parentheses: `clone(a, b)`",
        ));
    };
    let arguments: Vec<_> = function.bindings().into_iter().map(|it| it.name).collect();
    let mut names = Vec::new();
    for arg in list {
        let name = match &arg {
            Arg::Bare(Expr::Path(path)) => path.path.require_ident()?,
            Arg::Bare(other) => return Err(syn::Error::new_spanned(other, NAMES)),
            Arg::Named { key, .. } => return Err(syn::Error::new_spanned(key, NAMES)),
        };
        if !arguments.contains(name) {
            return Err(syn::Error::new_spanned(name, no_argument(name, &arguments)));
        }
        names.push(name.clone());
    }
    Ok(names)
}

const NAMES: &str = "`clone` takes names of arguments: `clone(a, b)`";

fn no_argument(name: &Ident, arguments: &[Ident]) -> String {
    if name == "self" {
        return "`self` cannot be cloned for each attempt: take `&self`".to_owned();
    }
    let known: Vec<_> = arguments.iter().map(Ident::to_string).collect();
    let near = suggest(&name.to_string(), known.iter().map(String::as_str));
    let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    match &*known {
        [] => "this function has no arguments to clone".to_owned(),
        known => format!(
            "no argument is called `{name}`{hint} (known: {})",
            known.join(", ")
        ),
    }
}
