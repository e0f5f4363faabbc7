//! `${…}` without quotes inside of `{…}` and `[…]`. YAML takes its braces, and the brackets and commas of a
//! default, for its own, so the parser is given other characters in their place: as many, so that places
//! stay right, and such as are nowhere in the file, so that they can be told from its own afterwards.

use std::{borrow::Cow, collections::HashSet, ops::Range};

/// What YAML takes for its own inside of `{…}` and `[…]`.
const SIGNS: [char; 5] = ['{', '}', '[', ']', ','];

/// Which characters stand for [`SIGNS`]; none where there was nothing to hide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Veil(Option<[char; SIGNS.len()]>);

impl Veil {
    /// Hides nothing.
    pub(super) const NONE: Self = Self(None);

    /// `text` as the parser is to see it.
    pub(super) fn over(text: &str) -> (Cow<'_, str>, Self) {
        let variables = variables(text);
        if variables.is_empty() {
            return (text.into(), Self::NONE);
        }
        let Some(stand_ins) = stand_ins(text) else {
            return (text.into(), Self::NONE);
        };
        let (mut veiled, mut rest) = (String::with_capacity(text.len()), 0);
        for variable in variables {
            veiled.push_str(&text[rest..variable.start]);
            rest = variable.end;
            veiled.extend(text[variable].chars().map(|c| swapped(c, SIGNS, stand_ins)));
        }
        veiled.push_str(&text[rest..]);
        (veiled.into(), Self(Some(stand_ins)))
    }

    /// What came out of the parser, as it stands in the file.
    pub(super) fn lifted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.0 {
            Some(stand_ins) if text.contains(stand_ins) => text
                .chars()
                .map(|c| swapped(c, stand_ins, SIGNS))
                .collect::<String>()
                .into(),
            _ => text.into(),
        }
    }
}

fn swapped(c: char, from: [char; SIGNS.len()], to: [char; SIGNS.len()]) -> char {
    from.iter()
        .position(|other| *other == c)
        .map_or(c, |index| to[index])
}

/// Where each `${…}` is that is sure to be one, its `$` left out.
fn variables(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("${").map(|at| from + at + 1) {
        from = start + 1;
        if let Some(inside) = inside(&text[from..]) {
            from += inside.len() + 1;
            found.push(start..from);
        }
    }
    found
}

/// The inside of a variable that `text` begins with, up to its brace. A quote before that may end the
/// text that it is in, another brace may begin something else, and what is no name may be the rest of
/// the mapping: of all of these the parser says what it thinks.
fn inside(text: &str) -> Option<&str> {
    let end = text.find(['}', '{', '"', '\'', '\n', '\r'])?;
    let inside = text[end..].starts_with('}').then_some(&text[..end])?;
    let name = inside.split_once(":-").map_or(inside, |(name, _)| name);
    (!name.contains(['[', ']', ',', ':', '#'])).then_some(inside)
}

/// Characters for private use that are not in `text`; none if it writes such ones as `\U…`.
fn stand_ins(text: &str) -> Option<[char; SIGNS.len()]> {
    let escapes = text.to_ascii_lowercase();
    if ["\\u000f", "\\u0010", "\\udb"]
        .iter()
        .any(|escape| escapes.contains(escape))
    {
        return None;
    }
    let used: HashSet<char> = text.chars().filter(|c| *c >= FIRST).collect();
    let mut free = (FIRST..=LAST).filter(|c| !used.contains(c));
    let mut next = || free.next();
    Some([next()?, next()?, next()?, next()?, next()?])
}

const FIRST: char = '\u{F0000}';
const LAST: char = '\u{FFFFD}';

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The text with a star for each character that is hidden.
    fn hidden(text: &str) -> String {
        let (veiled, _) = Veil::over(text);
        let star = |c| if c >= FIRST { '*' } else { c };
        veiled.chars().map(star).collect()
    }

    #[test]
    fn the_signs_inside_of_a_variable_are_hidden_and_no_others() {
        for (text, seen) in [
            ("{a: ${A}}", "{a: $*A*}"),
            ("[${A:-1}, ${B}]", "[$*A:-1*, $*B*]"),
            ("{a: ${A:-[1, 2]}}", "{a: $*A:-*1* 2**}"),
            ("{a: $${A}}", "{a: $$*A*}"),
            ("${}${A B}", "$**$*A B*"),
            ("{a: {b: 1}, c: $x}", "{a: {b: 1}, c: $x}"),
        ] {
            assert_eq!(hidden(text), seen);
        }
    }

    #[test]
    fn what_may_be_no_variable_is_left_to_the_parser() {
        for text in [
            "{a: ${A",
            "{a: ${A\n}}",
            "{a: ${A\r}}",
            "{a: ${A, b: 2}",
            "{a: ${A b: 2}",
            "{a: \"${A\", b: 2}",
            "{a: '${A', b: 2}",
            "{a: ${A:-{x}}}",
            "{a: ${A # b}",
        ] {
            assert_eq!(hidden(text), text);
        }
        assert_eq!(hidden("{a: ${A:-${B}}}"), "{a: ${A:-$*B*}}");
    }

    #[test]
    fn characters_that_the_file_has_are_not_taken() {
        let own = "\u{F0000}\u{F0002} ${A}";
        let (veiled, veil) = Veil::over(own);
        assert_eq!(veiled, "\u{F0000}\u{F0002} $\u{F0001}A\u{F0003}");
        assert_eq!(veil.lifted(&veiled), own);
        for escape in ["\\U000F0001", "\\U00100000", "\\uDB80\\uDC00", "\\udb80"] {
            let text = format!("[\"{escape}\", ${{A}}]");
            assert_eq!(Veil::over(&text).0, text);
        }
        let all: String = (FIRST..=LAST).chain("${A}".chars()).collect();
        assert_eq!(Veil::over(&all).0, all);
    }

    proptest! {
        #[test]
        fn it_can_be_lifted_whatever_the_text(
            text in "([ -~\n\r]|\\$\\{|[A-Z]|:-|\\}|[\u{F0000}-\u{F0003}]|漢){0,40}",
        ) {
            let (veiled, veil) = Veil::over(&text);
            prop_assert_eq!(veiled.chars().count(), text.chars().count());
            prop_assert_eq!(veil.lifted(&veiled), &*text);
        }
    }
}
