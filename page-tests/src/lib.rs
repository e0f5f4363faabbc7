//! The live page of `hardening` in a real browser: what the tests in `tests/` share.
//!
//! These are the only tests of the project in which real time passes, as a browser has a clock of its
//! own. They wait for what must come, never for a time.
#![forbid(unsafe_code)]

mod chromium;
mod log;
mod page;
mod server;
mod tab;

/// `JavaScript` whose value is each text with too little contrast: `[text, ratio, colour, background]`.
pub const FAINT: &str = include_str!("contrast.js");

/// `JavaScript` whose value is what has the focus: `{id, tabindex, visible, inside}`, or null.
pub const FOCUS: &str = include_str!("focus.js");

/// `JavaScript` to run before the page: then `replay(messages, count)` gives it messages again.
pub const REPLAY: &str = include_str!("replay.js");

/// `JavaScript` whose value is each part that does not fit the width of the window.
pub const OUTSIDE: &str = include_str!("outside.js");

pub use chromium::{Chromium, PATIENCE};
pub use page::Page;
pub use server::Server;
pub use tab::Tab;
