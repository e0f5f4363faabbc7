//! Files with pieces changed: keys renamed, values replaced, lines moved, indented, doubled, anchored.

use proptest::{prelude::*, sample::Index};

const VALUES: &[&str] = &[
    "null",
    "~",
    "",
    "true",
    "false",
    "yes",
    "0",
    "-1",
    "1",
    "0x10",
    "1e309",
    ".nan",
    "-.inf",
    "5.0",
    "\"5\"",
    "''",
    "500ms",
    "1h30m",
    "-5s",
    "3651d",
    "99999999999999999999d",
    "[]",
    "[1, 2]",
    "[[[[1]]]]",
    "{}",
    "{a: 1}",
    "{capacity: 5}",
    "[{capacity: 5, window_seconds: 1}]",
    "*a",
    "&a 5",
    "&a {x: *a}",
    "!!str 5",
    "!x 5",
    "\"${A}\"",
    "\"${A:-5}\"",
    "\"${EMPTY}\"",
    "\"${EMPTY:-}\"",
    "\"${TEXT}\"",
    "\"${\"",
    "\"$${A}\"",
    "{max_attempts: ${A}}",
    "[${A}, ${EMPTY:-5}]",
    "{a: ${TEXT:-[b, c]}, d: ${A",
    "\"\\U000F0000\" ${A}",
    "\u{F0000}${A}",
    "|",
    ">-",
    "\"\\U0010FFFF\"",
    "é漢😀",
    "full",
    "none",
    "observe",
    "global",
    "4294967296",
    "9223372036854775808",
    "0.0000000001",
];

const KEYS: &[&str] = &[
    "<<",
    "runtime",
    "default_policy",
    "_policy",
    "x_policy",
    "limits",
    "capacity",
    "scope",
    "enabled",
    "mode",
    "\"\"",
    "null",
    "5",
    "? [a]",
    "retry",
    "rate_limit",
    "overrides",
    "defaults",
    "providers",
    "é",
];

#[derive(Clone, Debug)]
enum Change {
    Value(Index, &'static str),
    Key(Index, &'static str),
    Indent(Index, usize),
    Double(Index),
    Remove(Index),
    Swap(Index, Index),
    Anchor(Index),
    Insert(Index, &'static str),
}

fn change() -> impl Strategy<Value = Change> {
    let at = || any::<Index>();
    prop_oneof![
        4 => (at(), prop::sample::select(VALUES)).prop_map(|(at, value)| Change::Value(at, value)),
        2 => (at(), prop::sample::select(KEYS)).prop_map(|(at, key)| Change::Key(at, key)),
        1 => (at(), 0..12_usize).prop_map(|(at, indent)| Change::Indent(at, indent)),
        1 => at().prop_map(Change::Double),
        1 => at().prop_map(Change::Remove),
        1 => (at(), at()).prop_map(|(one, other)| Change::Swap(one, other)),
        1 => at().prop_map(Change::Anchor),
        1 => (at(), prop::sample::select(vec!["---", "...", "\t", "# x", "<<: *a", "- a", "%YAML 1.2", "\u{FEFF}"]))
            .prop_map(|(at, line)| Change::Insert(at, line)),
    ]
}

fn apply(lines: &mut Vec<String>, change: &Change) {
    if lines.is_empty() {
        lines.push(String::new());
    }
    let count = lines.len();
    match change {
        Change::Value(at, value) => {
            let line = &mut lines[at.index(count)];
            let end = line.find(": ").map_or(line.len(), |end| end + 2);
            line.truncate(end);
            line.push_str(value);
        }
        Change::Key(at, key) => {
            let line = &mut lines[at.index(count)];
            let start = line.len() - line.trim_start().len();
            let end = line
                .find(':')
                .filter(|end| *end >= start)
                .unwrap_or(line.len());
            line.replace_range(start..end, key);
        }
        Change::Indent(at, indent) => {
            let line = &mut lines[at.index(count)];
            *line = format!("{:indent$}{}", "", line.trim_start());
        }
        Change::Double(at) => lines.insert(at.index(count), lines[at.index(count)].clone()),
        Change::Remove(at) => drop(lines.remove(at.index(count))),
        Change::Swap(one, other) => lines.swap(one.index(count), other.index(count)),
        Change::Anchor(at) => {
            let line = &mut lines[at.index(count)];
            *line = line.replacen(": ", ": &a ", 1);
        }
        Change::Insert(at, text) => lines.insert(at.index(count), (*text).to_owned()),
    }
}

/// The lines of a file whose settings are without their comments, so that changes hit what counts.
pub(crate) fn plain(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .map(|line| line.split(" #").next().unwrap_or_default());
    let settings = lines.filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    settings.map(|line| line.trim_end().to_owned()).collect()
}

/// One of `files`, each its lines, with some changes.
pub(crate) fn changed(files: Vec<Vec<String>>) -> impl Strategy<Value = String> {
    (
        prop::sample::select(files),
        prop::collection::vec(change(), 1..6),
    )
        .prop_map(|(mut lines, changes)| {
            for change in &changes {
                apply(&mut lines, change);
            }
            lines.join("\n") + "\n"
        })
}
