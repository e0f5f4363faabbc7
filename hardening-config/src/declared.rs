//! What the attributes of a function declare, as the text that stands in its static data: the macros
//! write it, the runtime reads it. One literal costs the compiler a fraction of what it takes to check the
//! same as values of structs, for each function.
//!
//! A line with the attribute and where it stands, then a line for each thing that it says:
//!
//! ```text
//! retryable 30
//!  policy expensive
//!  base_delay "200ms"
//! ```

use std::fmt;

use crate::{kind::LayerKind, resolve::Selection};

/// A layer as an attribute declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared<'a> {
    /// Its kind.
    pub kind: LayerKind,
    /// The line of its attribute.
    pub line: u32,
    /// The policy, or op, that it names.
    pub policy: Option<&'a str>,
    /// The name under which it shares its state.
    pub name: Option<&'a str>,
    /// The settings written inline, as YAML.
    pub settings: Vec<(&'a str, &'a str)>,
}

/// What stands for [`Declared::policy`] and [`Declared::name`]; no setting is called so.
const POLICY: &str = "policy";
const NAME: &str = "name";

impl<'a> Declared<'a> {
    /// A layer of this kind, with an attribute on this line that says no more.
    #[must_use]
    pub const fn new(kind: LayerKind, line: u32) -> Self {
        Self {
            kind,
            line,
            policy: None,
            name: None,
            settings: Vec::new(),
        }
    }

    /// The layers that `text` declares, in its order.
    ///
    /// # Panics
    /// If it is not what [`Display`](fmt::Display) writes.
    #[must_use]
    pub fn read(text: &'a str) -> Vec<Self> {
        let mut layers: Vec<Self> = Vec::new();
        for line in text.split_terminator('\n') {
            if let Some(said) = line.strip_prefix(' ') {
                let (word, rest) = said.split_once(' ').expect(WRITTEN);
                layers.last_mut().expect(WRITTEN).say(word, rest);
            } else {
                layers.push(Self::at_line(line).expect(WRITTEN));
            }
        }
        layers
    }

    fn at_line(line: &str) -> Option<Self> {
        let (attribute, line) = line.split_once(' ')?;
        let kind = LayerKind::from_attribute(attribute)?;
        Some(Self::new(kind, line.parse().ok()?))
    }

    fn say(&mut self, word: &'a str, rest: &'a str) {
        match word {
            POLICY => self.policy = Some(rest),
            NAME => self.name = Some(rest),
            key => self.settings.push((key, rest)),
        }
    }

    /// Where its attribute is, in `file`: `src/orders.rs:30`.
    #[must_use]
    pub fn at(&self, file: &str) -> String {
        format!("{file}:{}", self.line)
    }

    /// What it says for the call site `site`, whose attribute is `at` a place.
    #[must_use]
    pub fn selection<'b>(&'b self, site: &'b str, at: &'b str) -> Selection<'b> {
        Selection {
            site,
            at,
            name: self.policy,
            inline: &self.settings,
        }
    }
}

const WRITTEN: &str = "the text was written by `Display`";

/// As it is read: names and settings are of one line each.
impl fmt::Display for Declared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.kind.attribute(), self.line)?;
        let names = [(POLICY, self.policy), (NAME, self.name)];
        let names = names
            .iter()
            .filter_map(|(word, said)| said.map(|said| (*word, said)));
        for (word, said) in names.chain(self.settings.iter().copied()) {
            writeln!(f, " {word} {said}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers() -> Vec<Declared<'static>> {
        vec![
            Declared::new(LayerKind::Fallback, 7),
            Declared {
                policy: Some("per hour: 5"),
                settings: vec![("limits", "[{capacity: 10, window_seconds: 60}]")],
                ..Declared::new(LayerKind::RateLimit, 30)
            },
            Declared {
                policy: Some("expensive"),
                name: Some(" two  words "),
                settings: vec![("base_delay", "\"200ms\""), ("jitter", "false")],
                ..Declared::new(LayerKind::CircuitBreaker, u32::MAX)
            },
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        let text: String = layers().iter().map(Declared::to_string).collect();
        assert_eq!(Declared::read(&text), layers());
        assert_eq!(Declared::read(""), []);
    }

    #[test]
    fn the_text_reads_like_the_attributes() {
        assert_eq!(
            layers()[2].to_string(),
            "circuit_breaker 4294967295\n policy expensive\n name  two  words \n base_delay \"200ms\"\n jitter false\n"
        );
    }

    #[test]
    fn no_setting_is_called_as_a_name_is() {
        for kind in LayerKind::ALL {
            for key in kind.keys() {
                assert!(![POLICY, NAME].contains(&key.name), "{kind:?}");
            }
        }
    }
}
