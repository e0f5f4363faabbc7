//! The file: where it is found, how it is read, and what its text means.

#[cfg(test)]
mod differential;
pub mod find;
mod node;
mod read;
mod scalar;
mod sections;
mod tree;
mod veil;

use std::sync::Arc;

pub(crate) use node::{Field, fields, quote, text};
pub(crate) use sections::read_config;
pub use tree::Node;
pub(crate) use tree::Value;

pub use read::MAX_BYTES;

/// Values under `runtime:`, or in one inline setting, aliases expanded.
const MAX_VALUES: u64 = 50_000;

/// Characters in the name of a policy, an op or a health check.
pub(crate) const MAX_NAME: usize = 200;

use crate::error::Position;

/// One value out of an attribute or a variable, which is YAML too. What is no YAML is unusable.
pub(crate) fn value(text: &str) -> Node {
    let parsed = read::utf8(text.as_bytes()).and_then(|text| tree::parse(text, None));
    match parsed {
        Ok(node) if node.size <= MAX_VALUES => Arc::unwrap_or_clone(node),
        Ok(node) => Node::new(
            Value::Unusable("the value is too large".to_owned()),
            node.at,
        ),
        Err(problem) => Node::new(
            Value::Unusable(problem.message),
            Position { line: 1, column: 1 },
        ),
    }
}

/// As [`value`], but no message will show any of it.
pub(crate) fn value_of_variable(name: &str, text: &str) -> Node {
    value(text).hidden(name)
}
