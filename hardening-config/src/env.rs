//! The environment: `${VAR}` inside values.

use std::collections::BTreeMap;

/// The environment variables that the configuration may use.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    compiling: bool,
}

/// Names only: values may be secrets.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables.keys())
            .field("compiling", &self.compiling)
            .finish()
    }
}

/// What `${VAR}` has become.
#[derive(Debug, PartialEq)]
pub(crate) enum Replaced {
    /// The text, and which variables are in it.
    Text {
        text: String,
        variables: Option<String>,
    },
    /// It is known at run time only.
    Unknown,
    /// It cannot be.
    Wrong(String),
}

/// Variables that start so override settings.
const PREFIX: &str = "HARDENING__";

impl Environment {
    /// No variable is set.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The variables of this process, as they are now. What is no UTF-8 in them is replaced.
    #[must_use]
    pub fn process() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self::from_pairs(std::env::vars_os().map(|(name, value)| (text(name), text(value))))
    }

    /// These variables.
    #[must_use]
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<String>,
    {
        let own = |(name, value): (N, V)| (name.into(), value.into());
        Self {
            variables: pairs.into_iter().map(own).collect(),
            compiling: false,
        }
    }

    /// While compiling: the variables of the program are not known yet, and those of the compiler
    /// mean nothing. `${VAR}` is not checked; `${VAR:-default}` is checked with its default.
    #[must_use]
    pub fn compiling() -> Self {
        Self {
            variables: BTreeMap::new(),
            compiling: true,
        }
    }

    /// The variables that override settings.
    pub(crate) fn overrides(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.variables
            .iter()
            .filter_map(|(name, value)| Some((&**name, name.strip_prefix(PREFIX)?, &**value)))
    }

    /// `text` with `${VAR}` and `${VAR:-default}` replaced, and `$${` as `${`. `None` if it has none.
    pub(crate) fn replace(&self, text: &str) -> Option<Replaced> {
        if !text.contains("${") {
            return None;
        }
        let (mut replaced, mut variables, mut rest) = (String::new(), Vec::new(), text);
        let mut unknown = false;
        while let Some(start) = rest.find("${") {
            let (before, after) = rest.split_at(start);
            if let Some(before) = before.strip_suffix('$') {
                replaced.push_str(before);
                replaced.push_str("${");
                rest = &after[2..];
                continue;
            }
            replaced.push_str(before);
            let Some((inside, after)) = after[2..].split_once('}') else {
                return Some(Replaced::Wrong(
                    "`${` is not closed: write `${NAME}`, or `$${` for the text itself".to_owned(),
                ));
            };
            match self.variable(inside) {
                Ok(Value::Set(name, value)) => {
                    variables.push(name);
                    replaced.push_str(value);
                }
                Ok(Value::Default(default)) => replaced.push_str(default),
                Ok(Value::Unknown) => unknown = true,
                Err(reason) => return Some(Replaced::Wrong(reason)),
            }
            rest = after;
        }
        if unknown {
            return Some(Replaced::Unknown);
        }
        replaced.push_str(rest);
        let names: Vec<String> = variables
            .iter()
            .map(|name| format!("`${{{name}}}`"))
            .collect();
        Some(Replaced::Text {
            text: replaced,
            variables: (!names.is_empty()).then(|| names.join(" and ")),
        })
    }

    /// The variable `NAME` or `NAME:-default`; an empty one counts as unset when there is a default.
    fn variable<'a>(&'a self, inside: &'a str) -> Result<Value<'a>, String> {
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        let valid = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !valid || name.is_empty() || name.as_bytes()[0].is_ascii_digit() {
            return Err(
                "`${…}` takes the name of a variable: write `${NAME}` or `${NAME:-default}`"
                    .to_owned(),
            );
        }
        let value = self
            .variables
            .get(name)
            .filter(|value| default.is_none() || !value.is_empty());
        match (value, default) {
            (Some(value), _) => Ok(Value::Set(name, value)),
            (None, Some(default)) => Ok(Value::Default(default)),
            (None, None) if self.compiling => Ok(Value::Unknown),
            (None, None) => Err(format!(
                "the environment variable `{name}` is not set: set it, or write `${{{name}:-default}}`"
            )),
        }
    }
}

enum Value<'a> {
    Set(&'a str, &'a str),
    Default(&'a str),
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> Environment {
        Environment::from_pairs([("SIX", "6"), ("EMPTY", ""), ("A", "${SIX}")])
    }

    #[allow(clippy::unnecessary_wraps, reason = "it is what `replace` gives")]
    fn text(text: &str, variables: Option<&str>) -> Option<Replaced> {
        Some(Replaced::Text {
            text: text.to_owned(),
            variables: variables.map(String::from),
        })
    }

    #[test]
    fn variables_are_replaced_once() {
        assert_eq!(env().replace("${SIX}"), text("6", Some("`${SIX}`")));
        assert_eq!(
            env().replace("a${SIX}b${A}"),
            text("a6b${SIX}", Some("`${SIX}` and `${A}`"))
        );
        assert_eq!(env().replace("plain $SIX {}"), None);
    }

    #[test]
    fn a_default_stands_in_for_what_is_unset_or_empty() {
        assert_eq!(env().replace("${NONE:-5}s"), text("5s", None));
        assert_eq!(env().replace("${EMPTY:-5}"), text("5", None));
        assert_eq!(env().replace("${EMPTY}"), text("", Some("`${EMPTY}`")));
        assert_eq!(env().replace("${NONE:-}"), text("", None));
    }

    #[test]
    fn two_dollars_are_the_text_itself() {
        assert_eq!(env().replace("$${SIX}"), text("${SIX}", None));
    }

    #[test]
    fn what_cannot_be_replaced_says_why() {
        for wrong in ["${SIX", "${}", "${1A}", "${A B}", "${NONE}", "${A${SIX}}"] {
            assert!(
                matches!(env().replace(wrong), Some(Replaced::Wrong(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn while_compiling_only_defaults_are_known() {
        assert_eq!(
            Environment::compiling().replace("${SIX}"),
            Some(Replaced::Unknown)
        );
        assert_eq!(
            Environment::compiling().replace("${SIX:-7}"),
            text("7", None)
        );
    }

    #[test]
    fn what_follows_an_unknown_variable_is_checked_too() {
        for wrong in ["${SIX}${", "${SIX} ${1A}", "${SIX}${}"] {
            let replaced = Environment::compiling().replace(wrong);
            assert!(matches!(replaced, Some(Replaced::Wrong(_))), "{wrong}");
        }
    }
}
