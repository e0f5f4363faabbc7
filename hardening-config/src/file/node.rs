//! Reading a tree: mappings with their merge keys, and values in messages.

use std::{fmt::Write as _, sync::Arc};

use super::tree::{Node, Value};
use crate::error::{Position, Problem};

/// An entry of a mapping.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) key: String,
    /// The key in messages.
    pub(crate) shown: String,
    pub(crate) key_at: Position,
    pub(crate) value: Arc<Node>,
}

impl Node {
    /// The number that it is.
    pub(crate) fn number(&self) -> Option<f64> {
        match self.value {
            Value::Int(value) => Some(value as f64),
            Value::Float(value) => Some(value),
            _ => None,
        }
    }

    /// The text of a scalar, whatever its type.
    pub(crate) fn text(&self) -> Option<&str> {
        match self.value {
            Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) => Some(&self.source),
            _ => None,
        }
    }

    /// What it maps.
    pub(super) fn entries(&self) -> Option<&Vec<(Arc<Self>, Arc<Self>)>> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Whether it is text only because of its quotes, or could be.
    pub(crate) fn is_quoted(&self) -> bool {
        !self.plain && !self.replaced && !self.is_secret()
    }

    /// Whether it, or something in it, came from a variable, so that no message may show it.
    pub(crate) fn is_secret(&self) -> bool {
        self.variables().is_some()
    }

    /// The variables that it came from, or the first that something in it did.
    fn variables(&self) -> Option<&str> {
        match (&self.variables, &self.value) {
            (Some(variables), _) => Some(variables),
            (None, Value::List(items)) => items.iter().find_map(|item| item.variables()),
            (None, Value::Map(entries)) => entries.iter().find_map(|(_, value)| value.variables()),
            _ => None,
        }
    }

    /// Whether a variable that is not known here is in it.
    pub(crate) fn is_unknown(&self) -> bool {
        match &self.value {
            Value::Unknown => true,
            Value::List(items) => items.iter().any(|item| item.is_unknown()),
            Value::Map(entries) => entries.iter().any(|(_, value)| value.is_unknown()),
            _ => false,
        }
    }

    /// It as YAML text in one line, with its variables as they are written.
    pub(crate) fn as_written(&self) -> String {
        match &self.value {
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(|item| item.as_written()).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Map(entries) => {
                let entry = |(key, value): &(Arc<Self>, Arc<Self>)| {
                    format!("{}: {}", key.as_written(), value.as_written())
                };
                let entries: Vec<String> = entries.iter().map(entry).collect();
                format!("{{{}}}", entries.join(", "))
            }
            _ => self.source.to_string(),
        }
    }

    /// The same, all of it out of the variable `name`.
    pub(super) fn hidden(mut self, name: &str) -> Self {
        self.variables = Some(format!("`{name}`").into());
        let hide = |node: &mut Arc<Self>| {
            *node = Arc::new(Arc::unwrap_or_clone(Arc::clone(node)).hidden(name));
        };
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(hide),
            Value::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
                hide(key);
                hide(value);
            }),
            Value::Unusable(reason) => *reason = format!("the value of `{name}` is no plain YAML"),
            _ => {}
        }
        self
    }

    /// What it is, without its content.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
            _ => "text",
        }
    }

    /// It in a message.
    pub(crate) fn show(&self) -> String {
        if let Some(variables) = &self.variables {
            return format!("the value of {variables}");
        }
        match &self.value {
            Value::List(_) | Value::Map(_) => match self.variables() {
                Some(variables) => format!("{} with the value of {variables}", self.kind()),
                None => self.kind().to_owned(),
            },
            Value::Null => self.kind().to_owned(),
            _ => format!("`{}`", quote(&self.source)),
        }
    }
}

/// `text` in a message: short, and on one line.
pub(crate) fn quote(text: &str) -> String {
    let shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    let shown = shown.replace("\\\"", "\"").replace("\\'", "'");
    match text.chars().nth(60) {
        Some(_) => format!("{shown}…"),
        None => shown,
    }
}

/// Whatever a variable holds when the program starts, it is no mapping.
const A_MAPPING: &str = "a variable stands for one value: write the mapping out";

/// The entries of a mapping, merge keys resolved, each key once; and what is wrong with it.
/// Nothing at all is an empty mapping.
pub(crate) fn fields(node: &Node) -> (Vec<Field>, Vec<Problem>) {
    let (mut found, mut problems) = (Fields::default(), Vec::new());
    match &node.value {
        Value::Map(entries) => found.take(entries, &mut problems),
        Value::Null if !node.replaced => {}
        Value::Null | Value::Unknown => problems.push(Problem::new(A_MAPPING).or_at(node.at)),
        Value::Unusable(reason) => problems.push(Problem::new(reason.clone()).or_at(node.at)),
        _ => problems.push(
            Problem::new(format!("{} is refused: write a mapping", node.show())).or_at(node.at),
        ),
    }
    (found.fields, problems)
}

#[derive(Default)]
struct Fields {
    fields: Vec<Field>,
    index: std::collections::HashMap<String, usize>,
}

impl Fields {
    fn take(&mut self, entries: &[(Arc<Node>, Arc<Node>)], problems: &mut Vec<Problem>) {
        let mut merges = Vec::new();
        for (key, value) in entries {
            if key.is_merge() {
                merges.push(value);
            } else {
                match key.name() {
                    Some(name) => self.own(key, name, value, problems),
                    None => problems
                        .push(Problem::new("a key that is no text is refused").or_at(key.at)),
                }
            }
        }
        for value in merges {
            self.merge(value, problems);
        }
    }

    fn own(&mut self, key: &Node, name: &str, value: &Arc<Node>, problems: &mut Vec<Problem>) {
        let shown = if key.is_secret() {
            "…".to_owned()
        } else {
            quote(name)
        };
        if let Some(&first) = self.index.get(name) {
            let first = self.fields[first].key_at;
            let message = format!(
                "written twice: first at {}:{}; remove one of them",
                first.line, first.column
            );
            problems.push(Problem::new(message).inside(&shown).or_at(key.at));
        } else {
            self.add(Field {
                key: name.to_owned(),
                shown,
                key_at: key.at,
                value: Arc::clone(value),
            });
        }
    }

    fn add(&mut self, field: Field) {
        self.index.insert(field.key.clone(), self.fields.len());
        self.fields.push(field);
    }

    /// What is merged fills in what is missing: own keys win, then earlier mappings.
    fn merge(&mut self, value: &Arc<Node>, problems: &mut Vec<Problem>) {
        match &value.value {
            Value::Map(_) => {
                let (merged, wrong) = fields(value);
                problems.extend(wrong);
                for field in merged {
                    if !self.index.contains_key(&field.key) {
                        self.add(field);
                    }
                }
            }
            Value::List(items) if items.iter().all(|item| matches!(item.value, Value::Map(_))) => {
                for item in items {
                    self.merge(item, problems);
                }
            }
            _ => problems
                .push(Problem::new("`<<` takes a mapping, or a list of mappings").or_at(value.at)),
        }
    }
}

impl Node {
    pub(super) fn is_merge(&self) -> bool {
        self.plain && &*self.source == "<<"
    }

    /// The name that it is as a key.
    fn name(&self) -> Option<&str> {
        match self.value {
            Value::List(_) | Value::Map(_) | Value::Unusable(_) | Value::Unknown => None,
            _ => Some(&self.source),
        }
    }
}

/// `text` as a YAML scalar that reads back as the same text.
pub(crate) fn text(text: &str) -> String {
    let bare = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-/.".contains(&byte))
        && matches!(super::value(text).value, Value::Text(_));
    if bare {
        text.to_owned()
    } else {
        format!("\"{}\"", escape(text))
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 2);
    for c in text.chars() {
        match c {
            '"' | '\\' => escaped.extend(['\\', c]),
            // YAML 1.1 ends lines at some of these.
            c if c.is_control() || "\u{2028}\u{2029}\u{FEFF}".contains(c) => {
                let _ = write!(escaped, "\\U{:08x}", c as u32);
            }
            c => escaped.push(c),
        }
    }
    escaped
}
