//! How settings are described, so that each is written once.
//!
//! A [`Key`] says what a setting is called and what it takes. Reading, range checks, unknown keys,
//! inline settings, environment variables, the effective values and their text all come from the
//! tables of keys.

use std::time::Duration;

use crate::{
    Doubt,
    duration::A_DURATION,
    error::Problem,
    file::{Node, Value},
    group::known_fields,
    kind::LayerKind,
};

/// A setting: its name and what it takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    /// Its name, in YAML and in attributes.
    pub name: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// What it takes.
    pub expects: Expects,
    /// Whether it may be `null`: switched off.
    pub nullable: bool,
    /// Whether it has no default.
    pub required: bool,
}

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expects {
    /// `true` or `false`.
    Switch,
    /// A whole number, both ends included.
    Whole {
        /// The least.
        min: u32,
        /// The greatest.
        max: u32,
    },
    /// A number, the upper end included.
    Number {
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
        /// Whether `min` itself is too little.
        above: bool,
    },
    /// A number of seconds, or text with a unit, up to [`LONGEST`].
    Duration {
        /// The least.
        min: Duration,
    },
    /// One of some words.
    Word(&'static [&'static str]),
    /// One of some words, or `true` or `false`.
    WordOrSwitch(&'static [&'static str]),
    /// Any text.
    Text,
    /// A mapping with these keys.
    Keys(&'static [Key]),
    /// A mapping with these keys, or `true` or `false`.
    KeysOrSwitch(&'static [Key]),
    /// A list, which may be refused when it is empty.
    List {
        /// What each item is.
        of: &'static Expects,
        /// The fewest items.
        min: usize,
    },
}

/// The longest duration: ten years.
pub const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

pub(crate) const fn whole(min: u32, max: u32) -> Expects {
    Expects::Whole { min, max }
}

pub(crate) const fn number(min: f64, max: f64) -> Expects {
    Expects::Number {
        min,
        max,
        above: false,
    }
}

/// Above 0 up to 1.
pub(crate) const RATE: Expects = Expects::Number {
    min: 0.0,
    max: 1.0,
    above: true,
};

/// From 0.
pub(crate) const DURATION: Expects = Expects::Duration {
    min: Duration::ZERO,
};

/// Above 0.
pub(crate) const POSITIVE: Expects = Expects::Duration {
    min: Duration::from_nanos(1),
};

impl Expects {
    /// In words, to go after "write ".
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Switch => "`true` or `false`".to_owned(),
            Self::Whole { min, max } => format!("a whole number from {min} to {max}"),
            Self::Number {
                min,
                max,
                above: true,
            } => format!("a number above {min}, up to {max}"),
            Self::Number { min, max, .. } => format!("a number from {min} to {max}"),
            Self::Duration { .. } => A_DURATION.to_owned(),
            Self::Word(words) => alternatives(words.iter().copied()),
            Self::WordOrSwitch(words) => {
                alternatives(["true", "false"].into_iter().chain(words.iter().copied()))
            }
            Self::Text => "text".to_owned(),
            Self::Keys(keys) => example(keys),
            Self::KeysOrSwitch(keys) => format!("`true`, `false` or {}", example(keys)),
            Self::List { of, .. } => format!("a list, each item {}", of.describe()),
        }
    }

    /// Whether `node` could be it, once its variables are known: each stands for a scalar.
    pub(crate) fn could_be(&self, node: &Node) -> bool {
        let is_word =
            |words: &[&str]| matches!(&node.value, Value::Text(text) if words.contains(&&**text));
        match self {
            Self::Keys(keys) => could_be_group(keys, node),
            Self::List { of, min } => matches!(&node.value, Value::List(items)
                if items.len() >= *min && items.iter().all(|item| of.could_be(item))),
            _ if matches!(node.value, Value::Unknown) => true,
            Self::Switch => bool::read(node, self).is_ok(),
            Self::Whole { .. } => u32::read(node, self).is_ok(),
            Self::Number { .. } => f64::read(node, self).is_ok(),
            Self::Duration { .. } => Duration::read(node, self).is_ok(),
            Self::Text => String::read(node, self).is_ok(),
            Self::Word(words) => is_word(words),
            Self::WordOrSwitch(words) => is_word(words) || matches!(node.value, Value::Bool(_)),
            Self::KeysOrSwitch(keys) => {
                matches!(node.value, Value::Bool(_)) || could_be_group(keys, node)
            }
        }
    }

    /// `node` is something else.
    pub(crate) fn refuse(&self, node: &Node) -> Vec<Problem> {
        let (given, wanted) = (node.show(), self.describe());
        let unquoted = matches!(
            self,
            Self::Switch | Self::Whole { .. } | Self::Number { .. }
        );
        let message = match &node.value {
            Value::Unusable(reason) => reason.clone(),
            Value::Text(_) if unquoted && node.is_quoted() => {
                format!("{given} in quotes is text: write {wanted}, without quotes")
            }
            _ => format!("{given} is refused: write {wanted}"),
        };
        vec![Problem::new(message).or_at(node.at)]
    }
}

fn could_be_group(keys: &'static [Key], node: &Node) -> bool {
    let (fields, problems) = known_fields(node, keys);
    let written = |key: &&Key| fields.iter().any(|(known, _)| known.name == key.name);
    matches!(node.value, Value::Map(_))
        && problems.is_empty()
        && keys
            .iter()
            .filter(|key| key.required)
            .all(|key| written(&key))
        && fields
            .iter()
            .all(|(key, field)| key.expects.could_be(&field.value))
}

fn alternatives<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    let last = words.pop().unwrap_or_default();
    if words.is_empty() {
        return last;
    }
    format!("{} or {last}", words.join(", "))
}

fn example(keys: &[Key]) -> String {
    let names: Vec<_> = keys.iter().map(|key| format!("{}: …", key.name)).collect();
    format!("a mapping such as {{{}}}", names.join(", "))
}

/// A type that a setting can have.
pub trait Setting: Sized {
    /// Whether `null` is one of its values.
    const NULLABLE: bool = false;

    /// Reads it, or says everything that is wrong with it.
    fn read(node: &Node, expects: &Expects) -> Result<Self, Vec<Problem>>;

    /// As YAML text that reads back as the same value.
    fn show(&self) -> String;
}

/// A group of settings: one struct with its table of keys.
pub trait Settings: Sized {
    /// The table.
    const KEYS: &'static [Key];

    /// Keys that may not be written together: the first says what the second does.
    const EXCLUSIVE: &'static [(&'static str, &'static str)] = &[];

    /// With every default; what has none is left out in a way that [`Policy::rules`] reports.
    fn base() -> Self;

    /// Changes one setting. A key that is not in the table changes nothing.
    fn set(&mut self, key: &str, node: &Node) -> Result<(), Vec<Problem>>;

    /// One setting as YAML text. `None` for what is not in the table or does not apply.
    fn get(&self, key: &str) -> Option<String>;
}

/// The settings of a kind of layer.
pub trait Policy: Settings + Clone + PartialEq {
    /// Its kind.
    const KIND: LayerKind;

    /// Adjusts defaults to what was given.
    fn settle(&mut self, _given: &dyn Fn(&str) -> bool) {}

    /// Adjusts what does not go together to what counts then, once the rules have been asked.
    fn give_way(&mut self) {}

    /// What is wrong with settings that are each in range.
    fn rules(&self) -> Vec<Broken> {
        Vec::new()
    }

    /// Everything that is wrong with a policy that code has built: ranges, then [`Self::rules`].
    #[must_use]
    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for key in Self::KEYS {
            let Some(text) = self.get(key.name) else {
                continue;
            };
            let wrong = Self::base().set(key.name, &crate::file::value(&text));
            let wrong = wrong.err().into_iter().flatten();
            problems.extend(wrong.map(|problem| problem.inside(key.name).alone()));
        }
        let rules = self.rules().into_iter().filter(Broken::is_fatal);
        let show = |key: &str| self.get(key).unwrap_or_default();
        problems.extend(rules.map(|rule| Problem::new(rule.explain(show))));
        problems
    }
}

/// Settings that do not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The settings, the first one to blame first.
    pub keys: &'static [&'static str],
    /// Why, and what to write instead. `{key}` stands for the value of a setting.
    pub message: String,
    /// What is doubtful about them. `None`: they can never work.
    pub doubt: Option<Doubt>,
    /// The message where not all of them were written at one place: there the stronger ones hold, and
    /// it is doubtful only. `None`: it is as wrong there.
    pub inherited: Option<String>,
    /// The one that has to be written somewhere for that.
    pub needs: Option<&'static str>,
}

/// How settings do not go together: `what`, and what comes of it.
pub(crate) struct Clash<'a> {
    pub(crate) what: &'a str,
    /// What would come of it, if they were taken as they are.
    pub(crate) alone: &'a str,
    /// What does come of it, where one is inherited and gives way.
    pub(crate) inherited: &'a str,
    pub(crate) instead: &'a str,
}

impl Broken {
    pub(crate) fn fatal(keys: &'static [&'static str], message: impl Into<String>) -> Self {
        Self {
            keys,
            message: message.into(),
            doubt: None,
            inherited: None,
            needs: None,
        }
    }

    /// An error where they were written at one place. Nobody is refused what he writes for what he
    /// only inherits.
    pub(crate) fn clash(keys: &'static [&'static str], clash: &Clash<'_>) -> Self {
        let message = |so: &str| format!("{}, {so}: {}", clash.what, clash.instead);
        Self::fatal(keys, message(clash.alone)).or_inherited(&message(clash.inherited))
    }

    /// Doubtful only, with this message, where not all of them were written at one place.
    pub(crate) fn or_inherited(mut self, message: &str) -> Self {
        self.inherited = Some(message.to_owned() + &Doubt::ConflictsWithInherited.how_to_allow());
        self
    }

    pub(crate) fn doubtful(
        doubt: Doubt,
        keys: &'static [&'static str],
        message: impl Into<String>,
    ) -> Self {
        let message = message.into() + &doubt.how_to_allow();
        Self {
            doubt: Some(doubt),
            ..Self::fatal(keys, message)
        }
    }

    pub(crate) const fn is_fatal(&self) -> bool {
        self.doubt.is_none()
    }

    /// The same where not all of them were written at one place; `is_written` says which were at all.
    pub(crate) fn among_inherited(self, is_written: impl Fn(&str) -> bool) -> Self {
        match self.inherited {
            Some(message) if self.needs.is_none_or(is_written) => Self {
                message,
                doubt: Some(Doubt::ConflictsWithInherited),
                inherited: None,
                ..self
            },
            _ => self,
        }
    }

    /// The message with values as `show` has them.
    pub(crate) fn explain(&self, show: impl Fn(&str) -> String) -> String {
        let with_value = |message: String, key: &&str| {
            let placeholder = format!("{{{key}}}");
            if message.contains(&placeholder) {
                message.replace(&placeholder, &show(key))
            } else {
                message
            }
        };
        self.keys.iter().fold(self.message.clone(), with_value)
    }
}
