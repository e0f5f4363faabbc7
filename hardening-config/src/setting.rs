//! The types that settings have: how each is read and shown.

use std::time::Duration;

use crate::{
    duration::{A_DURATION, parse_duration, show_duration},
    error::Problem,
    file::{Node, Value, text},
    schema::{Expects, LONGEST, Setting},
};

impl Setting for bool {
    fn read(node: &Node, expects: &Expects) -> Result<Self, Vec<Problem>> {
        match node.value {
            Value::Bool(value) => Ok(value),
            _ => Err(expects.refuse(node)),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for u32 {
    fn read(node: &Node, expects: &Expects) -> Result<Self, Vec<Problem>> {
        let Expects::Whole { min, max } = expects else {
            return Err(expects.refuse(node));
        };
        whole(&node.value)
            .filter(|value| (min..=max).contains(&value))
            .ok_or_else(|| expects.refuse(node))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// `5`, and `5.0` too, as JSON Schema has it.
fn whole(value: &Value) -> Option<u32> {
    match *value {
        Value::Int(value) => u32::try_from(value).ok(),
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and in range"
        )]
        Value::Float(value)
            if value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value) =>
        {
            Some(value as u32)
        }
        _ => None,
    }
}

impl Setting for f64 {
    fn read(node: &Node, expects: &Expects) -> Result<Self, Vec<Problem>> {
        let Expects::Number { min, max, above } = expects else {
            return Err(expects.refuse(node));
        };
        node.number()
            .filter(|value| (min..=max).contains(&value) && (!*above || value > min))
            .ok_or_else(|| expects.refuse(node))
    }

    fn show(&self) -> String {
        match self {
            value if value.is_nan() => ".nan".to_owned(),
            value if value.is_infinite() => if *value > 0.0 { ".inf" } else { "-.inf" }.to_owned(),
            value => value.to_string(),
        }
    }
}

impl Setting for Duration {
    fn read(node: &Node, expects: &Expects) -> Result<Self, Vec<Problem>> {
        let Expects::Duration { min } = expects else {
            return Err(expects.refuse(node));
        };
        let wrong = |message: String| vec![Problem::new(message).or_at(node.at)];
        let read = match &node.value {
            Value::Text(text) if node.is_secret() => parse_duration(text).ok(),
            Value::Text(text) => Some(parse_duration(text).map_err(|p| vec![p.or_at(node.at)])?),
            _ => node
                .number()
                .and_then(|seconds| Self::try_from_secs_f64(seconds).ok()),
        };
        let negative = node.number().is_some_and(|seconds| seconds < 0.0);
        match read {
            None if negative => Err(wrong(format!(
                "{} is negative: write {A_DURATION}",
                node.show()
            ))),
            None => Err(expects.refuse(node)),
            Some(value) if value > LONGEST => Err(wrong(format!(
                "{} is out of range: the longest duration is 10 years",
                node.show()
            ))),
            Some(value) if value < *min && min.as_nanos() == 1 => Err(wrong(format!(
                "{} is out of range: write a duration above 0",
                node.show()
            ))),
            Some(value) if value < *min => Err(wrong(format!(
                "{} is out of range: write at least {}",
                node.show(),
                show_duration(*min)
            ))),
            Some(value) => Ok(value),
        }
    }

    fn show(&self) -> String {
        show_duration(*self)
    }
}

impl Setting for String {
    fn read(node: &Node, expects: &Expects) -> Result<Self, Vec<Problem>> {
        match node.text() {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(expects.refuse(node)),
        }
    }

    fn show(&self) -> String {
        text(self)
    }
}

/// `null` is `None`.
impl<T: Nullable> Setting for Option<T> {
    const NULLABLE: bool = true;

    fn read(node: &Node, expects: &Expects) -> Result<Self, Vec<Problem>> {
        match node.value {
            Value::Null => Ok(None),
            _ => T::read(node, expects).map(Some),
        }
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| "null".to_owned(), T::show)
    }
}

/// What `null` switches off.
pub trait Nullable: Setting {}
impl Nullable for u32 {}
impl Nullable for f64 {}
impl Nullable for Duration {}
impl Nullable for String {}

/// An enum that is written as a word.
macro_rules! words {
    ($Name:ident { $($Variant:ident = $word:literal),* $(,)? }) => {
        impl $Name {
            pub(crate) const WORDS: &'static [&'static str] = &[$($word),*];

            fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$Variant),)*
                    _ => None,
                }
            }

            pub(crate) const fn word(self) -> &'static str {
                match self {
                    $(Self::$Variant => $word,)*
                }
            }
        }

        impl $crate::schema::Setting for $Name {
            fn read(
                node: &$crate::file::Node,
                expects: &$crate::schema::Expects,
            ) -> Result<Self, Vec<$crate::error::Problem>> {
                Self::from_node(node).ok_or_else(|| $crate::setting::refuse_word(node, expects, Self::WORDS))
            }

            fn show(&self) -> String {
                self.word().to_owned()
            }
        }
    };
}
pub(crate) use words;

/// As [`Expects::refuse`], with the nearest word.
pub(crate) fn refuse_word(
    node: &Node,
    expects: &Expects,
    words: &'static [&'static str],
) -> Vec<Problem> {
    let mut problems = expects.refuse(node);
    if let (Value::Text(text), false) = (&node.value, node.is_secret()) {
        for problem in &mut problems {
            problem.suggestion = crate::suggest(text, words.iter().copied()).map(String::from);
        }
    }
    problems
}
