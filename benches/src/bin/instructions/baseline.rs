//! The figures that were there before.

use std::{fmt, str::FromStr};

/// Instructions of a call, by path. As text, a line each.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Baseline(Vec<(String, f64)>);

impl Baseline {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, count)| (name.as_str(), *count))
    }

    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, count)| count)
    }
}

impl FromIterator<(String, f64)> for Baseline {
    fn from_iter<I: IntoIterator<Item = (String, f64)>>(figures: I) -> Self {
        Self(figures.into_iter().collect())
    }
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter()
            .try_for_each(|(name, count)| writeln!(f, "{count:>8.1}  {name}"))
    }
}

impl FromStr for Baseline {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let figure = |line: &str| {
            let (count, name) = line.trim().split_once("  ")?;
            Some((name.trim().to_owned(), count.parse().ok()?))
        };
        let lines = text.lines();
        lines
            .map(|line| figure(line).ok_or_else(|| format!("not `count  path`: {line:?}")))
            .collect()
    }
}

/// What became of a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Change {
    None,
    New,
    Cheaper(f64),
    Dearer(f64),
}

impl Change {
    /// Two instructions, or three in a hundred, are the noise of other compilers and of hashing.
    pub(crate) fn between(before: Option<f64>, now: f64) -> Self {
        let Some(before) = before else {
            return Self::New;
        };
        let (change, noise) = (now - before, (before * 0.03).max(2.0));
        match change {
            more if more > noise => Self::Dearer(more),
            less if less < -noise => Self::Cheaper(-less),
            _ => Self::None,
        }
    }

    /// A path that nobody watches yet is one too.
    pub(crate) const fn is_failure(self) -> bool {
        matches!(self, Self::New | Self::Dearer(_))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::New => f.write_str("**not in the baseline**"),
            Self::Cheaper(less) => write!(f, "{less:.1} cheaper: --update"),
            Self::Dearer(more) => write!(f, "**{more:.1} dearer**"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_as_they_are_written() {
        let figures: Baseline = [
            ("retry, ok".to_owned(), 12.5),
            ("five layers".to_owned(), 1034.0),
        ]
        .into_iter()
        .collect();
        assert_eq!(figures.to_string().parse(), Ok(figures));
        assert!("retry".parse::<Baseline>().is_err());
    }

    #[test]
    fn a_path_is_dearer_by_more_than_three_in_a_hundred_and_more_than_two() {
        assert_eq!(Change::between(Some(10.0), 12.0), Change::None);
        assert_eq!(Change::between(Some(10.0), 12.5), Change::Dearer(2.5));
        assert_eq!(Change::between(Some(1000.0), 1029.0), Change::None);
        assert_eq!(Change::between(Some(1000.0), 1040.0), Change::Dearer(40.0));
        assert_eq!(Change::between(Some(10.0), 7.0), Change::Cheaper(3.0));
        assert!(Change::between(None, 7.0).is_failure());
        assert!(!Change::between(Some(10.0), 7.0).is_failure());
    }
}
