//! What is wrong, and where.

use std::{fmt, sync::Arc};

use crate::group::ENOUGH;

/// A place in the file. Lines and columns count from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// It is the default.
    BuiltIn,
    /// The configuration file.
    File {
        /// Its path, as it was found.
        file: Arc<str>,
        /// Where in it.
        position: Position,
    },
    /// Written inline in the attribute.
    Attribute {
        /// Where the attribute is: `src/lib.rs:30`.
        at: Arc<str>,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        name: Arc<str>,
    },
}

impl Origin {
    /// The same source, at another place if it is a file.
    pub(crate) fn at(&self, position: Option<Position>) -> Self {
        match (self, position) {
            (Self::File { file, .. }, Some(position)) => Self::File {
                file: Arc::clone(file),
                position,
            },
            _ => self.clone(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in"),
            Self::File { file, position } => {
                write!(f, "{file}:{}:{}", position.line, position.column)
            }
            Self::Attribute { at } => write!(f, "attribute at {at}"),
            Self::Environment { name } => write!(f, "env {name}"),
        }
    }
}

/// What is wrong with a name or a value, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
    /// What could have been written.
    pub choices: Vec<String>,
    /// Where inside of the value, such as `limits[1].capacity`; empty for the value itself.
    pub(crate) path: String,
    /// Its place in the text that was read.
    pub(crate) at: Option<Position>,
}

/// More than this many choices help nobody.
const CHOICES_SHOWN: usize = 24;

impl Problem {
    /// Something that is wrong, in words that say what to write instead.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            suggestion: None,
            choices: Vec::new(),
            path: String::new(),
            at: None,
        }
    }

    /// `given` is none of `choices`.
    pub fn unknown<'a>(
        message: impl Into<String>,
        given: &str,
        choices: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let choices: Vec<&str> = choices.into_iter().collect();
        Self {
            suggestion: crate::suggest(given, choices.iter().copied()).map(String::from),
            choices: choices.into_iter().map(String::from).collect(),
            ..Self::new(message)
        }
    }

    /// At this place, unless a more exact one is known.
    pub(crate) fn or_at(mut self, position: Position) -> Self {
        self.at.get_or_insert(position);
        self
    }

    /// With its path in its message, for those who show nothing else.
    pub(crate) fn alone(mut self) -> Self {
        if !self.path.is_empty() {
            let path = std::mem::take(&mut self.path);
            self.message = format!("`{path}`: {}", self.message);
        }
        self.at = None;
        self
    }

    /// Inside of `outer`: a key, or an index such as `[2]`.
    pub(crate) fn inside(mut self, outer: &str) -> Self {
        self.path = join(outer, &self.path);
        self
    }
}

/// `outer.inner`, or `outer[2]`.
pub(crate) fn join(outer: &str, inner: &str) -> String {
    match (outer, inner) {
        ("", path) | (path, "") => path.to_owned(),
        (outer, inner) if inner.starts_with('[') => format!("{outer}{inner}"),
        (outer, inner) => format!("{outer}.{inner}"),
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; did you mean `{suggestion}`?")?;
        }
        if self.choices.is_empty() {
            return Ok(());
        }
        let shown = self.choices.len().min(CHOICES_SHOWN);
        write!(f, " (known: {}", self.choices[..shown].join(", "))?;
        match self.choices.len() - shown {
            0 => f.write_str(")"),
            more => write!(f, " and {more} more)"),
        }
    }
}

/// One mistake in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Where it was made.
    pub origin: Origin,
    /// The key, such as `runtime.retry.expensive_policy.max_attempts`. May be empty.
    pub key: String,
    /// What is wrong, and what to write instead.
    pub problem: Problem,
}

impl ConfigError {
    /// `problem` at `origin`, or at the more exact place that it knows.
    #[must_use]
    pub fn new(origin: &Origin, key: &str, problem: Problem) -> Self {
        Self {
            origin: origin.at(problem.at),
            key: join(key, &problem.path),
            problem,
        }
    }

    /// The file that it was made in.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        match &self.origin {
            Origin::File { file, .. } => Some(file),
            _ => None,
        }
    }

    /// Its line in the file.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        self.position().map(|position| position.line)
    }

    /// Its column in the file.
    #[must_use]
    pub fn column(&self) -> Option<u32> {
        self.position().map(|position| position.column)
    }

    /// What is wrong, in words.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.problem.message
    }

    /// What was probably meant.
    #[must_use]
    pub fn suggestion(&self) -> Option<&str> {
        self.problem.suggestion.as_deref()
    }

    /// The place in the file that it was made in.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        match &self.origin {
            Origin::File { position, .. } => Some(*position),
            _ => None,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        self.problem.fmt(f)
    }
}

impl std::error::Error for ConfigError {}

/// Every mistake at once, in the order of the file. Never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    errors: Vec<ConfigError>,
    unlisted: usize,
}

impl ConfigErrors {
    /// Nothing wrong yet: the one way to an empty list, for those who collect.
    pub(crate) const fn collect() -> Self {
        Self {
            errors: Vec::new(),
            unlisted: 0,
        }
    }

    pub(crate) fn push(&mut self, error: ConfigError) {
        if self.errors.contains(&error) {
            return;
        }
        if self.errors.len() < ENOUGH {
            self.errors.push(error);
        } else {
            self.leave_out();
        }
    }

    /// Counts one that is not worth describing.
    pub(crate) fn leave_out(&mut self) {
        self.unlisted += 1;
    }

    pub(crate) fn extend(&mut self, errors: impl IntoIterator<Item = ConfigError>) {
        errors.into_iter().for_each(|error| self.push(error));
    }

    pub(crate) fn is_none(&self) -> bool {
        self.errors.is_empty()
    }

    /// `value`, if nothing is wrong.
    pub(crate) fn or<T>(mut self, value: T) -> Result<T, Self> {
        if self.errors.is_empty() {
            return Ok(value);
        }
        self.errors.sort_by(|a, b| a.origin.cmp(&b.origin));
        Err(self)
    }

    /// All of `errors`, if there is any.
    #[must_use]
    pub fn of(errors: impl IntoIterator<Item = ConfigError>) -> Option<Self> {
        let mut all = Self::collect();
        all.extend(errors);
        all.or(()).err()
    }

    /// The mistakes. Of a hopeless file the first hundred.
    pub fn iter(&self) -> std::slice::Iter<'_, ConfigError> {
        self.errors.iter()
    }

    /// How many there are.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.errors.len() + self.unlisted
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self {
            errors: vec![error],
            unlisted: 0,
        }
    }
}

impl<'a> IntoIterator for &'a ConfigErrors {
    type Item = &'a ConfigError;
    type IntoIter = std::slice::Iter<'a, ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for ConfigErrors {
    type Item = ConfigError;
    type IntoIter = std::vec::IntoIter<ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.errors.into_iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        match self.unlisted {
            0 => Ok(()),
            more => write!(f, "\n… and {more} more mistakes"),
        }
    }
}

/// As people read it: it is what a `main` that returns it prints.
impl fmt::Debug for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mistakes = match self.len() {
            1 => "a mistake".to_owned(),
            several => format!("{several} mistakes"),
        };
        write!(f, "{mistakes} in the configuration\n{self}")
    }
}

impl std::error::Error for ConfigErrors {}
