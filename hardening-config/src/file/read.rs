//! Bytes to text, and text to a tree, within limits.

use std::sync::Arc;

use super::tree::{self, Node};
use crate::{
    env::Environment,
    error::{Position, Problem},
};

/// The largest file that is read: 1 MiB.
pub const MAX_BYTES: usize = 1 << 20;

/// The tree of a file.
pub(super) fn parse(bytes: &[u8], env: &Environment) -> Result<Arc<Node>, Problem> {
    tree::parse(utf8(bytes)?, Some(env))
}

/// The text, without a byte-order mark.
pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Problem> {
    let start = Position { line: 1, column: 1 };
    if bytes.len() > MAX_BYTES {
        let message = format!(
            "the file has {} bytes; the limit is {MAX_BYTES} (1 MiB)",
            bytes.len()
        );
        return Err(Problem::new(message).or_at(start));
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        let problem = Problem::new("the file is UTF-16: save it as UTF-8");
        return Err(problem.or_at(start));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = &bytes[..error.valid_up_to()];
        let byte = bytes[valid.len()];
        Problem::new(format!(
            "byte 0x{byte:02X} is no UTF-8: save the file as UTF-8"
        ))
        .or_at(end_of(valid))
    })
}

/// The place just after `valid`, which is UTF-8.
fn end_of(valid: &[u8]) -> Position {
    let text = String::from_utf8_lossy(valid);
    let last = text.rsplit('\n').next().unwrap_or_default();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Position {
        line: count(text.matches('\n').count() + 1),
        column: count(last.chars().count() + 1),
    }
}
