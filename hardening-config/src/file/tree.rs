//! YAML text to a tree in which every value knows its place.

use std::{collections::HashMap, sync::Arc};

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, options};

use super::{scalar, veil::Veil};
use crate::{
    env::Environment,
    error::{Position, Problem},
};

/// Collections may be nested this deep, aliases expanded.
const MAX_DEPTH: u32 = 64;

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub(crate) value: Value,
    pub(crate) at: Position,
    /// The text of a scalar as it stands in the file; after replacing variables.
    pub(super) source: Box<str>,
    /// The variables that were replaced in it, for messages: their values are nobody's business.
    pub(super) variables: Option<Box<str>>,
    /// Whether there was `${…}` in it.
    pub(super) replaced: bool,
    /// Whether it is a scalar without quotes.
    pub(super) plain: bool,
    /// How many collections are nested here, itself included.
    pub(super) depth: u32,
    /// How many values it holds, aliases expanded.
    pub(super) size: u64,
}

/// What a [`Node`] holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
    List(Vec<Arc<Node>>),
    /// In the order of the file, duplicates included.
    Map(Vec<(Arc<Node>, Arc<Node>)>),
    /// It cannot be known here: an unset variable, while compiling.
    Unknown,
    /// It is YAML, but nothing that a setting could be. The text says why.
    Unusable(String),
}

impl Node {
    pub(super) fn new(value: Value, at: Position) -> Self {
        let children: Vec<&Arc<Self>> = match &value {
            Value::List(items) => items.iter().collect(),
            Value::Map(entries) => entries.iter().flat_map(|(k, v)| [k, v]).collect(),
            _ => Vec::new(),
        };
        Self {
            depth: u32::from(matches!(value, Value::List(_) | Value::Map(_)))
                + children.iter().map(|n| n.depth).max().unwrap_or(0),
            size: children
                .iter()
                .fold(1, |size, n| n.size.saturating_add(size)),
            value,
            at,
            source: "".into(),
            variables: None,
            replaced: false,
            plain: false,
        }
    }
}

/// The one document of `text`.
pub(super) fn parse(text: &str, env: Option<&Environment>) -> Result<Arc<Node>, Problem> {
    let limits = options! {
        flow_nesting_limit: MAX_DEPTH as usize,
        block_nesting_limit: MAX_DEPTH as usize,
        emit_comments: false,
    };
    let (veiled, veil) = match env {
        Some(_) => Veil::over(text),
        None => (text.into(), Veil::NONE),
    };
    let mut builder = Builder::new(env, veil);
    for event in Parser::new_from_str_with_options(&veiled, limits) {
        let (event, span) = event.map_err(|error| no_yaml(text, veil, &error))?;
        builder.take(event, position(&span))?;
    }
    Ok(builder
        .root
        .unwrap_or_else(|| Arc::new(Node::new(Value::Null, Position { line: 1, column: 1 }))))
}

fn no_yaml(text: &str, veil: Veil, error: &ScanError) -> Problem {
    let marker = error.marker();
    if let Some(problem) = unquoted_variable(text, marker.line(), marker.col()) {
        return problem;
    }
    let message = match error.info().as_str() {
        "recursion limit exceeded" => {
            format!("values are nested more than {MAX_DEPTH} levels deep")
        }
        info => format!("this is no YAML: {}", veil.lifted(info)),
    };
    Problem::new(message).or_at(Position {
        line: count(marker.line()).max(1),
        column: count(marker.col()).saturating_add(1),
    })
}

/// Inside of `{…}` and `[…]` the brace of an unquoted `${VAR}` that is not sure to be one opens a mapping,
/// at which the parser stumbles: `line` counts from 1, `column` from 0.
fn unquoted_variable(text: &str, line: usize, column: usize) -> Option<Problem> {
    let line_text = text.split('\n').nth(line.checked_sub(1)?)?;
    let before = column.checked_sub(1)?;
    let from_dollar: String = line_text.chars().skip(before).collect();
    let (variable, _) = from_dollar.strip_prefix("${")?.split_once('}')?;
    let quotes = if variable.contains('"') { '\'' } else { '"' };
    let variable = super::quote(variable);
    let message = format!(
        "inside of {{…}} and […], `${{{variable}}}` needs quotes: write `{quotes}${{{variable}}}{quotes}`"
    );
    let at = Position {
        line: count(line),
        column: count(column),
    };
    Some(Problem::new(message).or_at(at))
}

fn position(span: &Span) -> Position {
    Position {
        line: count(span.start.line()).max(1),
        column: count(span.start.col()).saturating_add(1),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A collection that is not closed yet.
struct Open {
    at: Position,
    anchor: usize,
    tag: Option<String>,
    items: Items,
}

enum Items {
    List(Vec<Arc<Node>>),
    Map(Vec<(Arc<Node>, Arc<Node>)>, Option<Arc<Node>>),
}

struct Builder<'a> {
    /// Without one, `${…}` is text like any other.
    env: Option<&'a Environment>,
    veil: Veil,
    open: Vec<Open>,
    anchors: HashMap<usize, Arc<Node>>,
    root: Option<Arc<Node>>,
    documents: u32,
}

impl<'a> Builder<'a> {
    fn new(env: Option<&'a Environment>, veil: Veil) -> Self {
        Self {
            env,
            veil,
            open: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            documents: 0,
        }
    }

    fn take(&mut self, event: Event<'_>, at: Position) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(..) => self.document(at),
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let text = self.veil.lifted(&text);
                let tag = tag.map(|tag| (tag.core_suffix().map(String::from), tag.original()));
                // Names are literal: only values have variables.
                let env = self.env.filter(|_| !self.expects_key());
                let node = scalar::node(&text, plain, tag.as_ref(), at, env);
                self.finish(node, anchor)
            }
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::SequenceStart(_, anchor, tag) => {
                self.start(Items::List(Vec::new()), at, anchor, tag.as_deref());
                Ok(())
            }
            Event::MappingStart(_, anchor, tag) => {
                self.start(Items::Map(Vec::new(), None), at, anchor, tag.as_deref());
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            _ => Ok(()),
        }
    }

    fn document(&mut self, at: Position) -> Result<(), Problem> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        let message = "a second YAML document starts here: write everything in one, without `---`";
        Err(Problem::new(message).or_at(at))
    }

    fn expects_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                items: Items::Map(_, None),
                ..
            })
        )
    }

    fn start(
        &mut self,
        items: Items,
        at: Position,
        anchor: usize,
        tag: Option<&granit_parser::Tag>,
    ) {
        let tag = tag
            .filter(|tag| !matches!(tag.core_suffix(), Some("map" | "seq")))
            .map(granit_parser::Tag::original);
        self.open.push(Open {
            at,
            anchor,
            tag,
            items,
        });
    }

    fn close(&mut self) -> Result<(), Problem> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match (open.tag, open.items) {
            (Some(tag), _) => Value::Unusable(scalar::tagged(&tag)),
            (None, Items::List(items)) => Value::List(items),
            (None, Items::Map(entries, _)) => Value::Map(entries),
        };
        self.finish(Node::new(value, open.at), open.anchor)
    }

    fn alias(&mut self, anchor: usize, at: Position) -> Result<(), Problem> {
        let target = match self.anchors.get(&anchor) {
            Some(target) => Arc::clone(target),
            None => Arc::new(Node::new(
                Value::Unusable("an alias to the value that it is in is refused".to_owned()),
                at,
            )),
        };
        self.add(target, at)
    }

    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        let at = node.at;
        let node = Arc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Arc::clone(&node));
        }
        self.add(node, at)
    }

    fn add(&mut self, node: Arc<Node>, at: Position) -> Result<(), Problem> {
        // Without aliases the parser has seen to it; a chain of them could still be any depth.
        if node.depth as usize + self.open.len() > MAX_DEPTH as usize {
            let message = format!("values are nested more than {MAX_DEPTH} levels deep");
            return Err(Problem::new(message).or_at(at));
        }
        match self.open.last_mut().map(|open| &mut open.items) {
            None => self.root = Some(node),
            Some(Items::List(items)) => items.push(node),
            Some(Items::Map(entries, key)) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => *key = Some(node),
            },
        }
        Ok(())
    }
}
