//! What a scalar means: the core schema of YAML 1.2, and variables.

use super::tree::{Node, Value};
use crate::{
    env::{Environment, Replaced},
    error::Position,
};

/// The tag of a scalar: its name in the core schema, and as written.
type Tag = (Option<String>, String);

/// A scalar, its variables replaced when there is an `env`.
pub(super) fn node(
    text: &str,
    plain: bool,
    tag: Option<&Tag>,
    at: Position,
    env: Option<&Environment>,
) -> Node {
    let replaced = env.and_then(|env| env.replace(text));
    let has_variables = replaced.is_some();
    let (value, source, variables) = match replaced {
        None => (typed(text, plain, tag), text.into(), None),
        Some(Replaced::Text { text, variables }) => {
            // Other readers of YAML want quotes for it in a flow mapping, so quotes do not make it text.
            let value = typed(&text, true, tag);
            (value, text.into(), variables)
        }
        Some(Replaced::Unknown) => (Value::Unknown, text.into(), None),
        Some(Replaced::Wrong(reason)) => (Value::Unusable(reason), text.into(), None),
    };
    Node {
        source,
        variables: variables.map(Into::into),
        replaced: has_variables,
        plain,
        ..Node::new(value, at)
    }
}

fn typed(text: &str, plain: bool, tag: Option<&Tag>) -> Value {
    match tag {
        None if plain => resolve(text),
        None => Value::Text(text.into()),
        Some((Some(name), written)) => match (name.as_str(), resolve(text)) {
            ("str", _) => Value::Text(text.into()),
            ("null", value @ Value::Null)
            | ("bool", value @ Value::Bool(_))
            | ("int", value @ Value::Int(_))
            | ("float", value @ (Value::Int(_) | Value::Float(_))) => value,
            _ => Value::Unusable(tagged(written)),
        },
        Some((None, written)) if written == "!" => Value::Text(text.into()),
        Some((None, written)) => Value::Unusable(tagged(written)),
    }
}

pub(super) fn tagged(tag: &str) -> String {
    let tag: String = tag.chars().take(40).collect();
    format!("a value with the tag `{tag}` is refused: write it without")
}

/// A plain scalar by the core schema.
fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
        _ => number(text).unwrap_or_else(|| Value::Text(text.into())),
    }
}

fn number(text: &str) -> Option<Value> {
    let based = |digits: &str, base| {
        let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
        i64::from_str_radix(digits, base).ok().filter(|_| plain)
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return based(digits, 16).map(Value::Int);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return based(digits, 8).map(Value::Int);
    }
    if !is_decimal(text) {
        return None;
    }
    match text.parse() {
        Ok(whole) => Some(Value::Int(whole)),
        Err(_) => text.parse().ok().map(Value::Float),
    }
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent = exponent.map(|text| text.strip_prefix(['-', '+']).unwrap_or(text));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for (text, value) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("true", Value::Bool(true)),
            ("yes", Value::Text("yes".into())),
            ("12", Value::Int(12)),
            ("-3", Value::Int(-3)),
            ("+3", Value::Int(3)),
            ("0x1F", Value::Int(31)),
            ("0o17", Value::Int(15)),
            ("0x", Value::Text("0x".into())),
            ("0x-1", Value::Text("0x-1".into())),
            ("0.5", Value::Float(0.5)),
            (".5", Value::Float(0.5)),
            ("5.", Value::Float(5.0)),
            ("1e3", Value::Float(1000.0)),
            ("1e", Value::Text("1e".into())),
            (".", Value::Text(".".into())),
            ("-", Value::Text("-".into())),
            ("1.2.3", Value::Text("1.2.3".into())),
            ("inf", Value::Text("inf".into())),
            ("nan", Value::Text("nan".into())),
            (".inf", Value::Float(f64::INFINITY)),
            ("15s", Value::Text("15s".into())),
            ("1_000", Value::Text("1_000".into())),
            ("99999999999999999999", Value::Float(1e20)),
        ] {
            assert_eq!(resolve(text), value, "{text}");
        }
    }
}
